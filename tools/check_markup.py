#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on markup glued together from strings, and on functions that we do not use."""
import re
import sys

import source

# Only writers make markup: they escape. `<name>` alone is a placeholder in a text for people.
MARKUP = re.compile(r'</\w|/>|<[?!]\w|<\w+ [\w:]+=|\{\\"')
WRITERS = (
    "src/codec/",
    "src/edge/",  # nginx's language, not XML
    "src/sim/hostile.c",  # wrong on purpose
)

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atoll|atof|gets|"
    r"gmtime|localtime|ctime|asctime|system|popen|alloca|tmpnam|mktemp|rand|srand|setjmp|longjmp)\s*\(")
# Memory has owners (base/mem.h). Where a library demands malloc, its one file is named here.
BARE_MEMORY = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf)\s*\(")
DRIVERS = ("src/base/", "src/db/sqlite.c", "src/db/postgres.c")
# A name for a function type is fine; one for a struct hides that it is one.
GOTO = re.compile(r"\b(goto|typedef(?!.*\())\b")


def check_file(path):
    name, text = source.short(path), path.read_text()
    if not name.startswith(WRITERS) and name.startswith("src/"):
        for line, content in source.strings(text):
            if MARKUP.search(content):
                yield f"{name}:{line}: markup in a string: use a writer of codec/"
    for number, line in enumerate(source.code_only(text).splitlines(), 1):
        for match in BANNED.finditer(line):
            yield f"{name}:{number}: {match[1]} is not used here"
        if match := GOTO.search(line):
            yield f"{name}:{number}: no {match[1]}"
        if name.startswith("src/") and not name.startswith(DRIVERS):
            for match in BARE_MEMORY.finditer(line):
                yield f"{name}:{number}: {match[1]}: memory has an owner (base/mem.h)"


def main():
    paths = source.files(".c", ".h", ".def", under="src") + source.files(".c", ".h", under="tests")
    return source.report([finding for path in paths for finding in check_file(path)])


if __name__ == "__main__":
    sys.exit(main())
