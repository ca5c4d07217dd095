#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when docs/coverage.md does not say what the tests say."""
import sys

import coverage

sys.exit(coverage.main(["--check"]))
