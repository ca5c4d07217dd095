# SPDX-License-Identifier: Apache-2.0
"""Pushing to many: how many at once, what the service answers, a service or certificate that fails."""
import json
import subprocess
import time

import pytest

import sim
from admin import Admin, Refused
from house import BUILD, House, free_ports, wait_until
from phones import TOPIC, bring_push_certificate, new_phone, push_settings

pytestmark = pytest.mark.apple

DEVICES = 13
STREAMS = 3


class Town:
    """A house with a push service of its own and phones that are enrolled and off."""

    def __init__(self, house, apns, folder):
        self.house, self.apns, self.folder = house, apns, folder
        self.admin = Admin(house)
        bring_push_certificate(self.admin, apns, folder)

    def fill(self, count, keys):
        root, links = self.folder / "root.pem", self.folder / "links"
        root.write_text(self.house.root_pem())
        links.write_text("".join(self.admin.link() + "\n" for _ in range(count)))
        sim.run("apple", "load", "--link-file", links, "--devices", count, "--connections", 4, "--seconds", 1,
                "--ca", root, "--keys", keys)

    def devices(self):
        return [one["id"] for one in self.admin.items("/devices?limit=1000")]

    def ask_all(self):
        for device in self.devices():
            self.admin.command(device, "sync")

    def push_state(self):
        return self.admin.get("/apple/push-certificate")

    def renew(self, topic=TOPIC):
        request = self.admin.post("/apple/push-certificate/request")["request"]
        (self.folder / "request.pem").write_text(request)
        self.apns.sign(self.folder / "request.pem", topic, self.folder / "push.pem")
        self.admin.ask("PUT", "/apple/push-certificate", {"certificate": (self.folder / "push.pem").read_text()})

    def fresh_pushes(self, since, status=200):
        return [push for push in self.apns.pushes()[since:] if push["status"] == status]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return sim.make_keys(tmp_path_factory.mktemp("keys"), DEVICES + 1)


@pytest.fixture(scope="module")
def slow_apns(tmp_path_factory):
    """Half a second for every answer, and few at once."""
    with sim.Apns(tmp_path_factory.mktemp("apns"), "--delay-ms", 500, "--streams", STREAMS) as service:
        yield service


@pytest.fixture(scope="module")
def town(database, slow_apns, tmp_path_factory, keys):
    one = House(database, push_settings(slow_apns))
    try:
        one.start()
        made = Town(one, slow_apns, tmp_path_factory.mktemp("town"))
        made.fill(DEVICES, keys)
        wait_until(lambda: slow_apns.count()["streams"] == 0, 20, "the pushes of the enrolments")
        yield made
    finally:
        one.close()


@pytest.fixture
def quiet(town):
    """Nothing is due: what the test before asked for is fetched by nobody, but pushed for."""
    wait_until(lambda: town.apns.count()["streams"] == 0, 20, "no push under way")
    time.sleep(2.5)
    return town


def tokens(pushes):
    return {push["token"] for push in pushes}


def test_many_pushes_go_at_once_within_the_services_limits(quiet):
    before = len(quiet.apns.pushes())
    start = time.monotonic()
    quiet.ask_all()
    wait_until(lambda: len(tokens(quiet.fresh_pushes(before))) >= DEVICES, 30, "a push for each phone")
    took = time.monotonic() - start
    count = quiet.apns.count()
    assert took < DEVICES * 0.5, "one after the other would take as long"
    assert STREAMS < count["streams_most"] <= 4 * STREAMS
    assert 2 <= count["connections_most"] <= 4
    for push in quiet.fresh_pushes(before):
        assert push["topic"] == TOPIC and push["push_type"] == "mdm" and push["priority"] == "10"
        assert int(push["expiration"]) > time.time() + 24 * 3600
    assert all(one["status"] == 200 for one in quiet.apns.pushes()[before:])


def test_a_goaway_loses_no_push(quiet):
    before = len(quiet.apns.pushes())
    quiet.ask_all()
    wait_until(lambda: quiet.apns.count()["streams"] > 0, 15, "pushes under way")
    quiet.apns.goaway()
    wait_until(lambda: len(tokens(quiet.fresh_pushes(before))) >= DEVICES, 40, "a push for each phone")


def test_a_service_that_asks_for_patience_gets_it(quiet):
    before = len(quiet.apns.pushes())
    quiet.apns.answer(503, "ServiceUnavailable", times=1, retry_after=4)
    quiet.ask_all()
    wait_until(lambda: len(tokens(quiet.fresh_pushes(before))) >= DEVICES, 40, "a push for each phone")
    refused = quiet.fresh_pushes(before, 503)
    assert len(refused) == 1
    late = [push for push in quiet.fresh_pushes(before) if push["at"] > refused[0]["at"] + 1]
    assert late and min(push["at"] for push in late) >= refused[0]["at"] + 4


def test_too_many_for_one_phone_hold_up_that_one_alone(quiet):
    before = len(quiet.apns.pushes())
    one = quiet.apns.pushes()[-1]["token"]
    quiet.apns.answer(429, "TooManyRequests", token=one, times=1, retry_after=4)
    quiet.ask_all()
    wait_until(lambda: len(tokens(quiet.fresh_pushes(before))) >= DEVICES, 90, "a push for each phone, that one too")
    [refused] = quiet.fresh_pushes(before, 429)
    assert refused["token"] == one
    late = [push for push in quiet.fresh_pushes(before) if push["token"] == one]
    assert min(push["at"] for push in late) >= refused["at"] + 4
    assert len(tokens(quiet.fresh_pushes(before))) == DEVICES and quiet.push_state()["state"] == "active"


def test_a_certificate_that_is_not_taken_holds_the_queue_until_it_is_renewed(quiet, tmp_path):
    town, before = quiet, len(quiet.apns.pushes())
    phone = new_phone(town.house, tmp_path / "own")
    phone.enrol(town.admin.link(), name="own")
    phone.check_in()
    time.sleep(2)
    town.apns.accept_certificates(False)
    try:
        town.ask_all()
        paused = wait_until(lambda: town.push_state()["state"] == "paused" and town.push_state(), 15, "paused")
        assert "certificate" in paused["pause_reason"] and paused["paused_at"]
        assert town.admin.get("/status")["push_certificate"] == "paused"
        asked = [one["kind"] for one in town.admin.commands("own") if one["state"] == "queued"]
        assert asked and phone.check_in()["commands"], "a phone that calls by itself is served"
        with pytest.raises(Refused) as other:
            town.renew("com.apple.mgmt.External.other")
        assert other.value.status == 409 and "enrolled under" in other.value.problem["detail"]
        assert town.push_state()["state"] == "paused"
    finally:
        town.apns.accept_certificates(True)
    town.renew()
    assert town.push_state()["state"] == "active"
    assert town.push_state()["account"] == "it@example.org"
    wait_until(lambda: len(tokens(town.fresh_pushes(before))) >= DEVICES, 40, "what was held, without a restart")


def test_an_answer_of_403_pauses_too(quiet):
    quiet.apns.answer(403, "BadCertificate", times=1000)
    quiet.ask_all()
    paused = wait_until(lambda: quiet.push_state()["state"] == "paused" and quiet.push_state(), 15, "paused")
    assert "BadCertificate" in paused["pause_reason"]
    tried = len([push for push in quiet.apns.pushes() if push["status"] == 403])
    time.sleep(3)
    assert len([push for push in quiet.apns.pushes() if push["status"] == 403]) <= tried + 4 * STREAMS
    quiet.apns.answer(200, "", times=0)


def test_what_waited_for_a_certificate_outlives_a_restart(sqlite_house, tmp_path, keys):
    port = free_ports(1)[0]
    with sim.Apns(tmp_path / "apns", "--port", port) as apns:
        sqlite_house.options += [*push_settings(apns), "apple.pushes_per_second=4"]
        sqlite_house.start()
        town = Town(sqlite_house, apns, tmp_path)
        town.fill(12, keys)
        time.sleep(4)  # a phone that fetched all in its first session is not pushed for
    town.ask_all()  # nobody listens any more
    time.sleep(3)
    assert town.push_state()["state"] == "active", "a lost connection is not the certificate's fault"
    sqlite_house.stop()
    with sim.Apns(tmp_path / "apns", "--port", port) as apns:
        sqlite_house.start()
        wait_until(lambda: len(tokens(apns.pushes())) >= 12, 40, "all that waited")
        times = sorted(push["at"] for push in apns.pushes())
        assert times[-1] - times[0] >= 2, "four a second"
