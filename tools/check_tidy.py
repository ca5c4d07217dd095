#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when clang-tidy finds something.  A file is looked at again only when it or a header changed."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import build
import source

BUILD = build.folder_of("clang")
CACHE = source.ROOT / "build" / "tidy"
HEADERS = source.ROOT / "build" / "tidy-headers"
HINTS = source.ROOT / "tools" / "analyzer.h"
ERR = source.ROOT / "src" / "base" / "err.c"


def commands():
    """source file -> its entry in the compilation database, for our own C files."""
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    ours = {}
    for entry in entries:
        path = pathlib.Path(BUILD, entry["file"]).resolve()
        if path.is_relative_to(source.ROOT / "src"):
            ours.setdefault(path, entry)
    return ours


def dependencies():
    """object file -> our headers and generated files it was made from, as ninja recorded them."""
    listing = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], capture_output=True, text=True,
                             check=True).stdout
    found, target = {}, None
    for line in listing.splitlines():
        if line and not line.startswith(" "):
            target = found.setdefault(line.split(":")[0], [])
        elif line.strip() and target is not None:
            path = pathlib.Path(BUILD, line.strip()).resolve()
            if path.is_relative_to(source.ROOT):
                target.append(path)
    return found


def failing():
    """header -> the functions it declares that end in _fail: by convention they are always false."""
    found = {}
    for path in source.files(".h", under="src"):
        names = re.findall(r"^bool (\w+_fail)\(", path.read_text(), re.M)
        if names:
            found[path] = names
    return found


def hints_for(path, read, headers):
    """Read before the file: the analyzer sees one file at a time and cannot know what is always false."""
    text = path.read_text()
    lines = [] if path == ERR else [HINTS.read_text()]
    for header, names in headers.items():
        if header not in read:
            continue
        lines.append(f'#include "{header.relative_to(source.ROOT / "src").as_posix()}"')
        lines += [f"#define {name}(...) ((void){name}(__VA_ARGS__), false)"
                  for name in names if not re.search(rf"^bool {name}\(", text, re.M)]
    return "\n".join(lines) + "\n"


def digest_of(paths, words):
    digest = hashlib.sha256(words.encode())
    for path in sorted(paths):
        digest.update(path.read_bytes() if path.exists() else b"gone")
    return digest.hexdigest()


def look_at(path, hints, digest):
    """The findings of one file; a clean result is remembered."""
    seen = CACHE / digest
    if seen.exists():
        return ""
    before = HEADERS / f"{digest}.h"
    before.write_text(hints)
    result = subprocess.run(["clang-tidy-14", "--quiet", "-p", BUILD, path, f"--extra-arg=-include{before}"],
                            capture_output=True, text=True, cwd=source.ROOT)
    before.unlink()
    if result.returncode == 0:
        seen.touch()
        return ""
    text = result.stdout.strip() or result.stderr.strip()
    return text.replace(f"{BUILD}/../../", "").replace(f"{source.ROOT}/", "")


def main():
    for folder in (CACHE, HEADERS):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = (source.ROOT / ".clang-tidy").read_text()
    needed, headers, jobs = dependencies(), failing(), []
    for path, entry in sorted(commands().items()):
        paths = {path, *needed.get(entry["output"], [])}
        hints = hints_for(path, paths, headers)
        jobs.append((path, hints, digest_of(paths, configuration + hints + entry["command"])))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = list(pool.map(lambda job: look_at(*job), jobs))
    keep = {digest for *_, digest in jobs}
    for old in CACHE.iterdir():
        if old.name not in keep:
            old.unlink()
    return source.report([result for result in results if result])


if __name__ == "__main__":
    sys.exit(main())
