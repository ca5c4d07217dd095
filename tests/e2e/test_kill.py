# SPDX-License-Identifier: Apache-2.0
"""Nothing that was acknowledged is lost when parts of the house are killed under load."""
import os
import random

import pytest

import kill
from house import House

pytestmark = pytest.mark.guards


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_house(request):
    one = House("" if request.param == "sqlite" else request.getfixturevalue("postgres")())
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_what_was_acknowledged_survives_any_kill(fresh_house, tmp_path, count):
    """MUSTER_KILLS: how many instead; MUSTER_SEED: the dice of a run that failed."""
    seed = int(os.environ.get("MUSTER_SEED", random.randrange(1 << 32)))
    print(f"MUSTER_SEED={seed}")
    outcome = kill.run(fresh_house, tmp_path, int(os.environ.get("MUSTER_KILLS", count)), seed)
    print(outcome)
    assert fresh_house.stop() == 0
    kill.check(fresh_house, outcome)
