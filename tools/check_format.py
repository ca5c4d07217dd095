#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when clang-format would change a file."""
import subprocess
import sys

import source

sys.exit(subprocess.run(["sh", source.ROOT / "tools/format.sh", "--check"]).returncode != 0)
