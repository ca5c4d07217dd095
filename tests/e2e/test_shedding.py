# SPDX-License-Identifier: Apache-2.0
"""More devices than the workers can serve: reports are refused first, and every device ends enrolled."""
import contextlib
import sqlite3
import threading

import pytest

import sim
from admin import Admin, Refused
from house import House, wait_until
from phones import Wire, bring_push_certificate, new_phone, push_settings

pytestmark = pytest.mark.apple

WORKERS, QUEUE = 2, 8
MANY = 24  # more than wait and run together


@pytest.fixture
def narrow(apns, tmp_path):
    """A house with few workers, each of which waits while somebody else writes."""
    one = House(settings=[*push_settings(apns), f"server.workers={WORKERS}", f"server.queue={QUEUE}"])
    try:
        one.start()
        one.admin = Admin(one)
        bring_push_certificate(one.admin, apns, tmp_path)
        yield one
    finally:
        one.close()


@contextlib.contextmanager
def writer_held(house):
    """Nobody writes to the database."""
    with contextlib.closing(sqlite3.connect(house.data / "db" / "muster.db", timeout=30, isolation_level=None)) as one:
        one.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            one.execute("ROLLBACK")


class Crowd:
    """Requests at once, each on a connection of its own."""

    def __init__(self, count, send):
        self.answers, self.lock = [], threading.Lock()
        self.threads = [threading.Thread(target=self._one, args=(send, number)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _one(self, send, number):
        status, _, headers = send(number)
        with self.lock:
            self.answers.append((status, headers["Retry-After"]))

    def refused(self):
        with self.lock:
            return [after for status, after in self.answers if status == 503]

    def end(self):
        for thread in self.threads:
            thread.join(60)
        return [status for status, _ in self.answers]


def test_reports_are_refused_before_check_ins(narrow, tmp_path):
    admin = narrow.admin
    phone = new_phone(narrow, tmp_path / "busy")
    phone.enrol(admin.link(), name="busy")
    phone.check_in()
    wire = Wire(narrow, phone)

    def report(number):
        return wire.connect("Acknowledged", CommandUUID=f"00000000-0000-4000-8000-{number:012}")

    def check_in(_):
        return wire.check_in("TokenUpdate", Token=b"t" * 32, PushMagic="m")

    with writer_held(narrow):
        reports = Crowd(MANY, report)
        # those that a worker could not write for are refused in the end, too
        wait_until(lambda: len(reports.refused()) >= MANY - WORKERS - QUEUE // 2, 30, "reports refused")
        assert all(int(after) > 0 for after in reports.refused())
        assert Crowd(1, report).end() == [503]
        check_ins = Crowd(QUEUE // 2, check_in)  # there is room for these, whatever waits
    assert set(check_ins.end()) <= {200, 503} and set(reports.end()) <= {200, 503}
    status = admin.get("/status")
    assert status["refused_patient"] > 0
    assert status["refused_urgent"] == status["refused_ordinary"] == 0
    assert report(0)[0] == check_in(0)[0] == 200  # and nobody is refused any more


def active(admin):
    """How many devices are enrolled; people wait, too."""
    try:
        return len([one for one in admin.items("/devices?limit=200") if one["enrolment_state"] == "active"])
    except Refused:
        return 0


def test_all_devices_that_come_at_once_end_enrolled(narrow, tmp_path):
    links = tmp_path / "links"
    links.write_text("".join(f"{narrow.admin.link()}\n" for _ in range(MANY)))
    ca = tmp_path / "ca.pem"
    ca.write_text(narrow.root_pem())
    with writer_held(narrow):
        crowd = sim.Program("apple", "load", "--link-file", links, "--devices", MANY, "--connections", MANY,
                            "--seconds", 100000, "--patience", 120, "--ca", ca)
        wait_until(lambda: narrow.get("/livez")[0] == 503, 60, "somebody refused")
    try:
        wait_until(lambda: active(narrow.admin) == MANY, 150, "all enrolled")
        assert crowd.stop()["enrolled"] >= MANY
    finally:
        crowd.__exit__()
    status = narrow.admin.get("/status")
    assert status["refused_ordinary"] > 0 and status["devices"] == MANY
