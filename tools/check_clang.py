#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when clang has something to warn about; its objects serve the checks `globals` and `tidy`."""
import sys

import build

sys.exit(0 if build.make("clang") else 1)
