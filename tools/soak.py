#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Long kill, load and fuzz runs: the work behind `./dev soak`."""
import os
import sys

import build
import fuzz
import test as areas

FUZZ_SECONDS = 1800  # per target
HOURS = 12


def main():
    if not build.make("test"):
        return 1
    code = areas.run(["/usr/bin/python3", "-m", "pytest", "tests", "-m", "soak", "-q", "-p", "no:cacheprovider"],
                     seconds=HOURS * 3600, MUSTER_BUILD=str(areas.BUILD), MUSTER_SOAK="1")
    return code or fuzz.main([str(FUZZ_SECONDS)])


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main())
