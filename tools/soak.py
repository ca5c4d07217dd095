#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Long kill, load and fuzz runs: the work behind `./dev soak`."""
import argparse
import os
import sys

import build
import fuzz
import test as areas

FUZZ_SECONDS = 1800  # per target, as many at once as there are processors
HOURS = 12


def main():
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("--fuzz-seconds", type=int, default=FUZZ_SECONDS, help="for each target (%(default)s)")
    words = parser.parse_args()
    if not build.make("test"):
        return 1
    code = areas.run(["/usr/bin/python3", "-m", "pytest", "tests", "-m", "soak", "-q", "-p", "no:cacheprovider"],
                     seconds=HOURS * 3600, MUSTER_BUILD=str(areas.BUILD), MUSTER_SOAK="1")
    return code or fuzz.main([str(words.fuzz_seconds)])


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main())
