# SPDX-License-Identifier: Apache-2.0
"""What is over for long enough goes by itself, and the log says so."""
import sqlite3
import time

import pytest

from admin import Admin
from house import wait_until

pytestmark = pytest.mark.e2e

DAY = 24 * 3600


def test_housekeeping_removes_what_is_old_and_says_so(sqlite_house):
    sqlite_house.start()
    admin = Admin(sqlite_house)
    admin.link(name="forgotten")
    admin.link(name="young")
    admin.link(name="a little old")
    assert sqlite_house.stop() == 0
    now = int(time.time())
    database = sqlite3.connect(sqlite_house.data / "db" / "muster.db")
    with database:
        for name, days in (("forgotten", 31), ("a little old", 29)):
            database.execute("UPDATE enrolment_link SET expires_at = ? WHERE name = ?",
                             (now - days * DAY, name))
    database.close()
    sqlite_house.start()
    wait_until(lambda: "event=prune.removed what=links count=1" in sqlite_house.log_text(), 20,
               "the log names what went")
    assert {one["name"] for one in admin.items("/enrolment-links")} == {"young", "a little old"}
    actions = [one["action"] for one in admin.items("/audit")]
    assert actions.count("enrolment_link.create") == 3  # the audit log keeps all of it
