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
PATH=/usr/lib/ccache:$PATH
export PATH
build=$PWD/build/release
if [ ! -e "$build/build.ninja" ]; then
    meson setup "$build" --buildtype=release >/dev/null
fi
echo "building…"
ninja -C "$build" --quiet
mkdir -p var
# shellcheck disable=SC2086 # words on purpose
MUSTER_BUILD=$build MUSTER_DATA=$PWD/var exec sh tools/demo.sh $options
