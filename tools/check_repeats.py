#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when two files share a dozen lines: what is said twice drifts apart."""
import re
import sys

import source

LINES = 12
NOISE = re.compile(r"^(#\s*include\b.*|import\b.*|from\b.*|[{}()\[\];,]*|(else|return \w*;?|break;)|\*/)$")


def meaningful(path):
    """(line number, text without spaces) of the lines that say something."""
    text = path.read_text()
    if path.suffix in (".c", ".h"):
        text = source.without_comments(text)
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("# ") and not NOISE.match(line):
            yield number, re.sub(r"\s+", "", line)


def main():
    seen, found = {}, {}
    for path in source.files(".c", ".h", ".py", ".sh"):
        lines = list(meaningful(path))
        for at in range(len(lines) - LINES + 1):
            window = "\n".join(text for _, text in lines[at:at + LINES])
            first = seen.setdefault(window, (path, lines[at][0]))
            if first[0] != path:
                found.setdefault((first[0], path), (first[1], lines[at][0]))
    return source.report([f"{source.short(b)}:{lines[1]}: {LINES} lines like {source.short(a)}:{lines[0]}"
                          for (a, b), lines in found.items()])


if __name__ == "__main__":
    sys.exit(main())
