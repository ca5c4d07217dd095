# SPDX-License-Identifier: Apache-2.0
"""A phone that puts everything off: its sessions end, and its pushes come later and later."""
import time

import pytest

from house import wait_until
from kill import query, write
from phones import admin, house, make_phone

pytestmark = pytest.mark.apple

MANY = 1000  # commands in the queue
PUT_OFF_MOST = 4  # of one session
# What a locked phone answers, too (Apple, NotNow), and the kinds of commands that ask it.
PROMPT = {"DeviceInformation", "ProfileList", "DeviceLock", "InstalledApplicationList"}
NEVER_PUT_OFF = {"query_device", "query_items", "query_apps"}


def flood(house, enrolment):
    write(house, "INSERT INTO command (id, enrolment_id, kind, item, state, priority, is_deferred, attempts,"
                 " created_by, created_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                 f" WHERE i < {MANY}) SELECT '00000000-0000-4000-8000-' || CAST(100000000000 + i AS TEXT),"
                 f" '{enrolment}', 'remove_item', 'flood-' || CAST(i AS TEXT), 'queued', 20, FALSE, 0, 'test',"
                 f" {int(time.time())} FROM n")


def push_in(house, enrolment):
    """Seconds until the phone is pushed again."""
    row, = query(house, f"SELECT due_at FROM job WHERE kind = 'wake' AND subject = '{enrolment}'")
    return int(row["due_at"]) - time.time()


def ask(house, admin, phone, enrolment, kind):
    """Until the push for it has gone: what is due already is not put off."""
    admin.command(phone.udid, kind)
    wait_until(lambda: push_in(house, enrolment) > 60, 20, "the push")


def test_a_phone_that_puts_everything_off_makes_no_loop(house, admin, make_phone):
    phone = make_phone("stormy", without_declarations=True)
    phone.check_in()
    enrolment = query(house, "SELECT e.id FROM enrolment e JOIN device d ON d.id = e.device_id"
                             f" WHERE d.udid = '{phone.udid}' AND e.ended_at IS NULL")[0]["id"]
    flood(house, enrolment)
    admin.command(phone.udid, "sync")
    for _ in range(3):
        said = [one["message"] for one in phone.misbehave("notnow-always")]
        kinds = query(house, f"SELECT kind FROM command WHERE enrolment_id = '{enrolment}' AND is_deferred"
                             " AND finished_at IS NULL")
        kinds = [one["kind"] for one in kinds]
        assert kinds.count("remove_item") == PUT_OFF_MOST
        # beyond that only what a phone never puts off is tried, and this one does
        assert {"query_device", "query_items"} <= set(kinds) - {"remove_item"} <= NEVER_PUT_OFF
        assert said.count("NotNow") == len(kinds)

    # a locked phone gets what it can carry out, and a push is owed: later each time
    phone.set(locked=True)
    for minutes, kind in ((15, "lock"), (30, "sync"), (60, "sync")):
        ask(house, admin, phone, enrolment, kind)
        commands = phone.check_in()["commands"]
        done = {one["request_type"] for one in commands if one["status"] == "Acknowledged"}
        assert done and done <= PROMPT
        assert commands[-1]["status"] == "Acknowledged"
        assert [one["status"] for one in commands].count("NotNow") == PUT_OFF_MOST
        assert minutes * 60 - 20 < push_in(house, enrolment) <= minutes * 60

    # it takes something that it put off: from the start, and the queue goes on
    phone.set(locked=False)
    session = phone.check_in()
    assert len(session["commands"]) >= MANY
    assert not query(house, f"SELECT id FROM command WHERE enrolment_id = '{enrolment}' AND put_off <> 0"
                            " AND finished_at IS NULL")
