#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when the API offers what no command of muster asks for, or the other way round."""
import re
import subprocess
import sys

import source

# (method, path) -> why no command asks for it
EXCEPTIONS = {
    ("GET", "/openapi.json"): "for programs; people have the manual page",
}
API = "/api/v1"
NOT_OF_THE_API = {"/dev/tty", "/", API + "{}"}
LITERALS = re.compile(r'"(/[^"]*)"((?:\s*"[^"]*")*)')
ROUTE = re.compile(r'\{\s*HTTP_(\w+),\s*"' + API + r'"((?:\s*"[^"]*")+)')
WITH_PATH = re.compile(r"\.path\s*=")
METHOD = re.compile(r'\.method\s*=\s*"(\w+)"')


def plain(path):
    """Without query, and all holes alike."""
    return re.sub(r"{\w*}|%s", "{}", path.partition("?")[0])


def joined(literals):
    return "".join(re.findall(r'"([^"]*)"', literals))


def preprocessed(folder):
    """The C text of each file with its macros replaced, without what its headers bring."""
    for path in source.files(".c", under=f"src/{folder}"):
        text = subprocess.run(["cc", "-E", "-D_GNU_SOURCE", '-DMUSTER_VERSION=""', "-I", "src", source.short(path)],
                              cwd=source.ROOT, check=True, capture_output=True, text=True).stdout
        parts = re.split(r'^# \d+ "([^"]*)".*\n', text, flags=re.M)
        yield "".join(part for name, part in zip(parts[1::2], parts[2::2]) if name == source.short(path))


def offered():
    return {(method, plain(joined(path))) for text in preprocessed("api") for method, path in ROUTE.findall(text)}


def paths_in(text):
    return [plain(first + joined(rest)) for first, rest in LITERALS.findall(text)]


def brace(text, at, step, inner, outer):
    """The brace that encloses `at` on one side; texts hold only pairs."""
    depth = 0
    while depth >= 0:
        at += step
        depth += {inner: -1, outer: 1}.get(text[at], 0)
    return at


def calls_of(function):
    """(method, path) of what one function or table asks for; a path from a variable is any of the function's."""
    loose, methods = function, set()
    for match in WITH_PATH.finditer(function):
        call = function[brace(function, match.start(), -1, "{", "}"):brace(function, match.start(), 1, "}", "{") + 1]
        method = METHOD.search(call)
        paths = paths_in(call)
        if paths:
            yield method[1] if method else "GET", paths[0]
            loose = loose.replace(call, "")
        elif method:
            methods.add(method[1])
    yield from ((method, path) for method in methods or {"GET"} for path in paths_in(loose))


def asked():
    return {call for text in preprocessed("cli") for function in re.split(r"^}.*\n", text, flags=re.M)
            for call in calls_of(function)}


def main():
    there, reached = offered(), asked()
    if len(there) < 50:
        print(f"the tables of src/api were not understood: only {len(there)} operations")
        return 1
    found = [f"{method} {path}: no command of src/cli asks for it" for method, path in
             sorted(there - reached - set(EXCEPTIONS))]
    found += [f"{method} {path}: an exception that is none" for method, path in sorted(set(EXCEPTIONS) - (there - reached))]
    found += [f"{method} {path}: src/cli asks for it, and src/api has no such path" for method, path in
              sorted(reached) if path not in {one for _, one in there} and path not in NOT_OF_THE_API]
    return source.report(found)


if __name__ == "__main__":
    sys.exit(main())
