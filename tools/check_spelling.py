#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on common misspellings; words that only look like one stand in tools/spelling.txt."""
import subprocess
import sys

import source

SKIP = "./build*,./var,./.git,./tests/vectors,./tests/fuzz/seeds,*.pyc,./LICENSE"
sys.exit(subprocess.run(["codespell", "--skip", SKIP, "--ignore-words", "tools/spelling.txt", "."],
                        cwd=source.ROOT).returncode != 0)
