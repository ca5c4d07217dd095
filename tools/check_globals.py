#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when an object file of ours holds writable state: everything has an owner, except two."""
import pathlib
import re
import subprocess
import sys

import build
import source

ALLOWED = {
    "log_level": "base/log.c: how much is logged",
    "stop_wanted": "server: a signal asked the process to end",
}
# "0000000000000000 l     O .bss   0000000000000004 log_level"
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\.(?:data|bss|tdata|tbss)\S*)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$")


def objects():
    """The clang build has no sanitizers, whose bookkeeping would drown ours."""
    return sorted((build.folder_of("clang") / "src").rglob("*.o"))


def writable(path):
    listing = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        match = SYMBOL.match(line)
        if match and not match[1].startswith(".data.rel.ro") and match[2] != match[1]:
            yield re.sub(r"\.\d+$", "", match[2])


def main():
    found = objects()
    if not found:
        return source.report(["no object files in build/clang: run the check `clang` first"])
    wrong = [f"{path.relative_to(build.folder_of('clang'))}: {name} is writable state"
             for path in found for name in writable(path) if name.split(".")[-1] not in ALLOWED]
    return source.report(wrong)


if __name__ == "__main__":
    sys.exit(main())
