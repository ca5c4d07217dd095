# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the files of the project, and C text without comments or strings."""
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEFT_OUT = {"build", "var", "__pycache__", "node_modules"}


def files(*suffixes, under="."):
    """Every file of the project with one of these suffixes (or exact names), sorted."""
    found = []
    for folder, folders, names in os.walk(ROOT / under):
        folders[:] = [name for name in folders if not left_out(name)]
        found += [pathlib.Path(folder, name) for name in names if name.endswith(suffixes)]
    return sorted(found)


def left_out(name):
    return name in LEFT_OUT or name.startswith("build-") or (name.startswith(".") and name != ".ci")


def short(path):
    return path.relative_to(ROOT).as_posix()


TOKEN = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>"(?:\\.|[^"\\\n])*")|'(?:\\.|[^'\\\n])*'""", re.S)


def blank(text):
    """The same number of lines, nothing else."""
    return "\n" * text.count("\n")


def code_only(text):
    """C text without comments, strings and characters; lines keep their numbers."""
    return TOKEN.sub(lambda match: blank(match[0]) or ('""' if match["string"] else " "), text)


def without_comments(text):
    return TOKEN.sub(lambda match: blank(match[0]) + " " if match["comment"] else match[0], text)


def strings(text):
    """(line, content) of every string literal."""
    for match in TOKEN.finditer(text):
        if match["string"]:
            yield text.count("\n", 0, match.start()) + 1, match["string"][1:-1]


def report(findings):
    """Print what was found; the exit code of a check."""
    for finding in findings:
        print(finding)
    return 1 if findings else 0
