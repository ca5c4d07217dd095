#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when clang has something to warn about; its objects serve the checks `globals` and `tidy`."""
import os
import subprocess
import sys

import source

BUILD = source.ROOT / "build" / "clang"


def main():
    if not (BUILD / "build.ninja").exists():
        setup = subprocess.run(["meson", "setup", BUILD, "-Dwerror=true"], cwd=source.ROOT,
                               env={**os.environ, "CC": "clang-14"}, stdout=subprocess.DEVNULL)
        if setup.returncode:
            return 1
    return subprocess.run(["ninja", "-C", BUILD, "-j", str(os.cpu_count() or 2), "--quiet"]).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
