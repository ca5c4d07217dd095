#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The style checks, in the order of their price.  `tools/style.py NAME…` runs some of them."""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKS = [
    "layers", "sizes", "markup", "repeats", "words", "format", "spelling", "coverage", "parity",
    "clang", "globals", "tidy",  # in this order: the last two read what the first one built
]


def run(names):
    """Returns (passed, failed)."""
    failed = 0
    for name in names:
        start = time.monotonic()
        script = ROOT / "tools" / f"check_{name}.py"
        code = subprocess.run(["/usr/bin/python3", script], cwd=ROOT, stdin=subprocess.DEVNULL,
                              stderr=subprocess.STDOUT).returncode
        failed += code != 0
        print(f"{'ok    ' if code == 0 else 'FAILED'} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return len(names) - failed, failed


def main(words):
    unknown = [word for word in words if word not in CHECKS]
    if unknown:
        print(f"unknown check: {', '.join(unknown)}; there are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    passed, failed = run(words or CHECKS)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main(sys.argv[1:]))
