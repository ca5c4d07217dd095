#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build the programs and start them on ./var: the work behind `./dev run`.
set -eu
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: ./dev run [--empty] [--once]

  --empty  without the demonstration: no simulated devices, no demo policy
  --once   stop, with success, as soon as everything runs

Data live in ./var; the next start finds them. Ctrl-C stops everything.
TEXT
}

options=
for word; do
    case $word in
    --empty | --once) options="$options $word" ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

sh tools/install_deps.sh --quiet
echo "building…"
/usr/bin/python3 tools/build.py release
mkdir -p var
# shellcheck disable=SC2086 # words on purpose
MUSTER_BUILD=$PWD/build/release MUSTER_DATA=$PWD/var exec sh tools/demo.sh $options
