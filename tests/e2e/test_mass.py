# SPDX-License-Identifier: Apache-2.0
"""The life of 10,000 identities, by use cases alone: what the contract test does with a few, in full."""
import os
import subprocess

import pytest

from house import BUILD, ROOT

MANY = "10000"


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_ten_thousand_devices_enrol_renew_and_enrol_again(engine):
    program = BUILD / "tests" / "contract" / "test_fleet_mass"
    words = [program, "sqlite"] if engine == "sqlite" else \
        ["/usr/bin/python3", ROOT / "tests" / "contract" / "with_postgres.py", "--", program]
    subprocess.run(words, env={**os.environ, "MUSTER_MASS": MANY}, check=True, timeout=4 * 3600)
