#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on large files, headers and functions; print the median length of a function."""
import json
import statistics
import subprocess
import sys

import source

FILE_MOST, FILE_WARN = 800, 500  # lines
HEADER_MOST = 250
FUNCTION_MOST = 60
MEDIAN_MOST = 30


def line_count(path):
    return path.read_text().count("\n")


def check_files():
    found = []
    for path in source.files(".c", ".h", ".py", ".sql", ".sh", ".js", ".css", "dev"):
        lines = line_count(path)
        most = HEADER_MOST if path.suffix == ".h" else FILE_MOST
        if lines > most:
            found.append(f"{source.short(path)}: {lines} lines, at most {most}")
        elif lines > FILE_WARN:
            print(f"warning: {source.short(path)}: {lines} lines; {FILE_WARN} should do")
    return found


def functions(paths):
    """(path, name, first line, lines) of every C function."""
    if not paths:
        return
    tags = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--languages=C,Python", "--kinds-C=f",
         "--kinds-Python=fm", "--map-C=+.h", "-L", "-", "-f", "-"],
        input="\n".join(map(str, paths)), capture_output=True, text=True, check=True).stdout
    for line in tags.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"] - tag["line"] + 1


def check_functions():
    found, lengths = [], []
    for path, name, line, length in functions(source.files(".c", ".h", ".py")):
        place = path.removeprefix(f"{source.ROOT}/")
        if length > FUNCTION_MOST:
            found.append(f"{place}:{line}: {name}: {length} lines, at most {FUNCTION_MOST}")
        if place.startswith("src/") and place.endswith(".c"):
            lengths.append(length)
    if lengths:
        ninth = statistics.quantiles(lengths, n=10)[-1] if len(lengths) > 1 else lengths[0]
        median = statistics.median(lengths)
        print(f"{len(lengths)} functions: median {median:g} lines, nine of ten at most {ninth:.0f}")
        if median > MEDIAN_MOST:
            found.append(f"the median function has {median:g} lines, at most {MEDIAN_MOST}")
    return found


if __name__ == "__main__":
    sys.exit(source.report(check_files() + check_functions()))
