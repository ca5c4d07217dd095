#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Put every C file in the project's format; with --check only say which are not.
set -eu
cd "$(dirname "$0")/.."
case ${1:-} in
--check) how='--dry-run -Werror' ;;
'') how=-i ;;
*)
    echo "usage: ./dev format [--check]" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # words on purpose
find src tests -name '*.[ch]' -print0 | xargs -0 -r -n 40 clang-format-14 --style=file $how
