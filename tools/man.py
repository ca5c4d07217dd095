#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make one manual page: man.py SCDOC PAGE.scd OUTPUT [NAME=PROGRAM]…

A line `; include: NAME words` or `; include: NAME options` becomes what `PROGRAM --help` says before
or after its line "Options…", so that a page and a program cannot disagree.  Without such a PROGRAM
the line is a comment.  The help of our programs looks like this:

    [section]
      what is typed
          what it means
"""
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r"^; include: (\S+) (words|options)$")


def part_of(text, part):
    """The lines between the usage and "Options", or those after it."""
    _, _, rest = text.partition("\n\n")
    words, _, options = rest.partition("\nOptions")
    return (words if part == "words" else options.partition("\n")[2]).splitlines()


def escape(text):
    return re.sub(r"([_*\\~])", r"\\\1", text)


def typed(text):
    key, equals, value = text.partition(" =")
    if not equals:
        return f"*{escape(text)}*"
    value = value.strip()
    return f"*{escape(key)}* = _{escape(value)}_" if value else f"*{escape(key)}* ="


def scdoc_of(lines):
    for line in lines:
        if line.startswith("      "):
            yield f"\t{escape(line.strip())}"
        elif line.startswith("  "):
            yield f"\n{typed(line.strip())}"
        elif line.strip():
            yield f"\n## {escape(line.strip())}"
    yield ""


def page_of(text, programs):
    for line in text.splitlines():
        match = INCLUDE.match(line)
        if match and match[1] in programs:
            said = subprocess.run([programs[match[1]], "--help"], check=True, capture_output=True, text=True).stdout
            yield from scdoc_of(part_of(said, match[2]))
        else:
            yield line


def main(scdoc, page, output, *rows):
    programs = dict(row.split("=", 1) for row in rows)
    text = "\n".join(page_of(pathlib.Path(page).read_text(), programs)) + "\n"
    made = subprocess.run([scdoc], input=text, check=True, capture_output=True, text=True).stdout
    pathlib.Path(output).write_text(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
