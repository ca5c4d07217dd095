# SPDX-License-Identifier: Apache-2.0
"""No answer takes longer because an envelope's padding was right: a measurement, for ./dev soak alone."""
import subprocess

import pytest

from house import BUILD

SAMPLES = 100000


@pytest.mark.soak
def test_the_time_of_an_answer_tells_nothing_about_the_padding():
    subprocess.run([BUILD / "tests" / "unit" / "keyd" / "timing", str(SAMPLES)], check=True, timeout=3600)
