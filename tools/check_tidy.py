#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when clang-tidy finds something.  A file is looked at again only when it or a header changed."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import build
import source

BUILD = build.folder_of("clang")
CACHE = source.ROOT / "build" / "tidy"
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


def digest_of(paths, words):
    digest = hashlib.sha256(words.encode())
    for path in sorted(paths):
        digest.update(path.read_bytes() if path.exists() else b"gone")
    return digest.hexdigest()


def look_at(path, digest):
    """The findings of one file; a clean result is remembered."""
    seen = CACHE / digest
    if seen.exists():
        return ""
    command = ["clang-tidy-14", "--quiet", "-p", BUILD, path]
    if path != ERR:
        command += [f"--extra-arg=-include{HINTS}"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=source.ROOT)
    if result.returncode == 0:
        seen.touch()
        return ""
    text = result.stdout.strip() or result.stderr.strip()
    return text.replace(f"{BUILD}/../../", "").replace(f"{source.ROOT}/", "")


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    configuration = (source.ROOT / ".clang-tidy").read_text() + HINTS.read_text()
    needed = dependencies()
    jobs = []
    for path, entry in sorted(commands().items()):
        paths = {path, *needed.get(entry["output"], [])}
        jobs.append((path, digest_of(paths, configuration + entry["command"])))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = list(pool.map(lambda job: look_at(*job), jobs))
    keep = {digest for _, digest in jobs}
    for old in CACHE.iterdir():
        if old.name not in keep:
            old.unlink()
    return source.report([result for result in results if result])


if __name__ == "__main__":
    sys.exit(main())
