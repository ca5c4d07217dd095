#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run every fuzz target for a while: the work behind `./dev fuzz`.

A target passes when it finds nothing and reaches the edges that tests/fuzz/floors.tsv asks for: a
harness that sees nothing (because a library was built without instrumentation) is no harness.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import build
import source

BUILD = build.folder_of("fuzz")
FUZZ = source.ROOT / "tests" / "fuzz"
FINDINGS = BUILD / "findings"
INPUT_MOST = 65536  # bytes
MEMORY_MOST = 1024  # MB
INPUT_SECONDS = 10  # one input that takes longer is a finding


def targets(words):
    programs = {path.name.removeprefix("fuzz_"): path
                for path in sorted((BUILD / "tests" / "fuzz").glob("fuzz_*"))
                if path.is_file() and os.access(path, os.X_OK)}
    return {name: programs[name] for name in words or programs}


def floors():
    """target -> edges that a short run must reach."""
    path = FUZZ / "floors.tsv"
    rows = (line.split("\t") for line in path.read_text().splitlines() if line[:1] not in ("", "#"))
    return {name: int(edges) for name, edges in rows}


def fuzz(name, program, seconds):
    """(edges reached, found something); what was found stays in build/fuzz/findings."""
    corpus, found = BUILD / "corpus" / name, FINDINGS / name
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [program, corpus, FUZZ / "seeds" / name, f"-max_total_time={seconds}", f"-max_len={INPUT_MOST}",
               f"-rss_limit_mb={MEMORY_MOST}", f"-timeout={INPUT_SECONDS}", f"-artifact_prefix={found}/"]
    dictionary = FUZZ / f"{name}.dict"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    edges = [int(match) for match in re.findall(r"\bcov: (\d+)", result.stderr)]
    if result.returncode:
        print(result.stderr[-6000:])
    return max(edges, default=0), result.returncode != 0


def main(words):
    seconds = int(words.pop(0)) if words and words[0].isdigit() else 60
    if not build.make("fuzz"):
        return 1
    wanted, chosen, failed, passed = floors(), targets(words), 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda name: fuzz(name, chosen[name], seconds), chosen)
    for name, (edges, found) in zip(chosen, results):
        floor = wanted.get(name)
        good = not found and floor is not None and edges >= floor
        note = "" if floor is not None else ": no floor in tests/fuzz/floors.tsv"
        print(f"{'ok    ' if good else 'FAILED'} {name:24}{edges:6} edges, floor {floor or 0}{note}"
              f"{': see ' + source.short(FINDINGS / name) if found else ''}", flush=True)
        passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main(sys.argv[1:]))
