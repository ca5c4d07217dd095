#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on reminders, on paths of one machine, on a missing licence line and on stray spaces."""
import re
import sys

import source

LICENCE = "SPDX-License-Identifier: Apache-2.0"
LICENSED = (".c", ".h", ".def", ".py", ".sh", ".sql", ".js", ".css", "dev")
TEXT = LICENSED + (".md", ".txt", ".tsv", ".ini", ".scd", ".conf", ".service", ".svg", "meson.build", "run")
REMINDER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
MACHINE = re.compile(r"(?<![\w.])/(work|root|Users)/\w|(?<![\w.])/home/(?!\*)\w")


def check_file(path):
    name, text = source.short(path), path.read_text()
    lines = text.splitlines()
    if text and name.endswith(LICENSED) and LICENCE not in "\n".join(lines[:3]):
        yield f"{name}:1: no line {LICENCE}"
    if text and not text.endswith("\n"):
        yield f"{name}: the last line has no end"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and path.suffix != ".tsv":
            yield f"{name}:{number}: space at the end of the line"
        if match := REMINDER.search(line):
            yield f"{name}:{number}: {match[0]}: do it, or file it"
        if match := MACHINE.search(line):
            yield f"{name}:{number}: a path of one machine"


def main():
    data = ("tests/vectors/", "tests/fuzz/seeds/")
    return source.report([finding for path in source.files(*TEXT)
                          if not source.short(path).startswith(data) for finding in check_file(path)])


if __name__ == "__main__":
    sys.exit(main())
