#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make one manual page: man.py SCDOC PAGE.scd OUTPUT [--include NAME PROGRAM ARGUMENTS --]…

A line `; include: NAME` becomes what PROGRAM prints with ARGUMENTS, so that lists of options and
commands come from the program's own tables.  Without such a row the line is a comment.
"""
import pathlib
import subprocess
import sys


def includes(words):
    found = {}
    while words:
        if len(words) < 5 or words[0] != "--include" or words[4] != "--":
            raise SystemExit(__doc__)
        _, name, program, arguments = words[:4]
        found[name] = [program, *arguments.split()]
        words = words[5:]
    return found


def main(scdoc, page, output, *words):
    commands = includes(list(words))
    lines = []
    for line in pathlib.Path(page).read_text().splitlines():
        name = line.removeprefix("; include: ")
        if name != line and name in commands:
            line = subprocess.run(commands[name], check=True, capture_output=True, text=True).stdout.rstrip("\n")
        lines.append(line)
    text = "\n".join(lines) + "\n"
    made = subprocess.run([scdoc], input=text, check=True, capture_output=True, text=True).stdout
    pathlib.Path(output).write_text(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
