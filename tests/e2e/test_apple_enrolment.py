# SPDX-License-Identifier: Apache-2.0
"""The way of an iPhone in, and out again, over the real wire, on both databases."""
import json
import os
import signal
import plistlib
import subprocess
import urllib.parse

import pytest

import sim
from admin import Refused
from house import wait_until
from kill import ENROLMENTS, wakes, write
from phones import TOPIC, Bare, Wire, admin, house, make_phone, new_phone, types
from pki import authority, make_wish
from scep import Sender

pytestmark = pytest.mark.apple


# ---- the way in ----

def path_of(link):
    return urllib.parse.urlsplit(link).path


def press(house, path):
    """The button of the page: what uses a link up."""
    return house.get(path, method="POST", body=b"", headers={"Content-Type": "application/x-www-form-urlencoded"})


def open_profile(house, signed, folder):
    """The profile as OpenSSL and plistlib see it: a shared codec cannot hide its own bugs here."""
    (folder / "signed").write_bytes(signed)
    (folder / "root.pem").write_text(house.root_pem())
    done = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", folder / "signed",
                           "-CAfile", folder / "root.pem", "-purpose", "any"],
                          capture_output=True, check=True)
    return plistlib.loads(done.stdout)


def test_a_link_gives_one_signed_profile(house, admin, tmp_path):
    path = path_of(admin.link())
    status, headers, body = press(house, path)
    assert status == 200
    assert headers["Content-Type"] == "application/x-apple-aspen-config"
    assert headers["Cache-Control"] == "no-store"
    profile = open_profile(house, body, tmp_path)
    parts = {part["PayloadType"]: part for part in profile["PayloadContent"]}
    scep, mdm = parts["com.apple.security.scep"]["PayloadContent"], parts["com.apple.mdm"]
    assert scep["Keysize"] >= 2048 and len(scep["Challenge"]) > 40
    assert mdm["CheckOutWhenRemoved"] is True and mdm["Topic"] == TOPIC
    assert mdm["IdentityCertificateUUID"] == parts["com.apple.security.scep"]["PayloadUUID"]
    assert press(house, path)[0] == 404
    assert house.get(path)[0] == 404


def test_a_device_that_said_only_who_it_is_waits(house, admin, apns, authority, make_wish, tmp_path):
    """O4"""
    wish, sender = make_wish(), Sender()
    leaf, *_ = sender.certificates(wish.ask(authority, sender), tmp_path)
    udid = f"UDID-{leaf.serial_number:X}"[:40]
    wire = Bare(house, udid, sender.key, [leaf, authority.issuing, authority.root], tmp_path)
    pushes = len(apns.pushes())
    status, body, headers = wire.check_in("Authenticate", SerialNumber="F2LXK0O4", Model="MTQX3", ModelName="iPhone",
                                          ProductName="iPhone15,2", OSVersion="17.5.1", BuildVersion="21F90",
                                          DeviceName="only known")
    assert (status, body, headers["Content-Length"]) == (200, b"", "0")
    device = admin.device(udid)
    assert device["serial"] == "F2LXK0O4" and device["model"] and device["os_version"] == "17.5.1"
    assert device["enrolment_state"] == "pending"
    assert not wakes(house, udid)
    token = bytes(range(64, 96))
    assert wire.check_in("TokenUpdate", Token=token, PushMagic="first")[0] == 200
    push, *_ = wait_until(lambda: apns.pushes(token.hex(), 200), 10, "the first push")
    assert push["magic"] == "first" and push in apns.pushes()[pushes:]
    assert admin.device(udid)["enrolment_state"] == "active"


def test_two_profiles_share_no_challenge(house, admin, tmp_path):
    challenges = set()
    for _ in range(2):
        profile = open_profile(house, press(house, path_of(admin.link()))[2], tmp_path)
        challenges |= {part["PayloadContent"]["Challenge"] for part in profile["PayloadContent"]
                       if part["PayloadType"] == "com.apple.security.scep"}
    assert len(challenges) == 2


def test_looking_does_not_use_a_link_up(house, admin):
    path = path_of(admin.link())
    for _ in range(2):
        for accept in ("text/html,*/*", "*/*"):  # a browser; the preview of a chat, a mail scanner
            status, headers, body = house.get(path, headers={"Accept": accept})
            assert status == 200 and headers["Content-Type"].startswith("application/xhtml+xml")
            assert b'<form method="post"><button>' in body and b"<script" not in body
        assert house.get(path, method="HEAD")[0] == 200
    assert press(house, path)[0] == 200


@pytest.mark.parametrize("ownership, told, untold", [
    ("company", b"all installed apps", b"does not ask for your other apps"),
    ("personal", b"does not ask for your other apps", b"all installed apps")])
def test_people_are_told_what_will_be_seen(house, admin, ownership, told, untold):
    body = house.get(path_of(admin.link(ownership=ownership)), headers={"Accept": "text/html"})[2]
    assert told in body and untold not in body and b"erase everything" in body


def test_a_link_that_cannot_be_used_says_so_to_people(house):
    status, headers, body = house.get("/enrol/NOSUCHTOKEN", headers={"Accept": "text/html"})
    assert status == 404 and headers["Content-Type"].startswith("application/xhtml+xml")
    assert b"cannot be used" in body
    assert house.get("/enrol/NOSUCHTOKEN")[1]["Content-Type"] == "application/problem+json"


def test_a_link_never_reaches_the_log(house, admin):
    path = path_of(admin.link())
    house.get(path)
    press(house, path)
    assert path.rsplit("/", 1)[1] not in house.log.read_text(errors="replace")


def test_a_link_does_not_reach_the_log_of_an_edge_without_a_server(house, admin):
    path = path_of(admin.link())
    statuses = set()
    for _ in range(3):  # until it was asked while nobody answers
        os.kill(house.pid_of("server"), signal.SIGKILL)
        statuses |= {house.get(path)[0] for _ in range(5)}
        house.wait_ready(60)
        if 503 in statuses:
            break
    assert 503 in statuses
    assert path.rsplit("/", 1)[1] not in house.log.read_text(errors="replace")


@pytest.mark.proves_partly("4g-7")
def test_a_forwarded_challenge_is_worth_nothing(house, admin, tmp_path):
    phone = new_phone(house, tmp_path / "phone")
    with pytest.raises(sim.Failed, match="SCEP"):
        phone.enrol(admin.link(), scep_misbehave="reuse-challenge")


# ---- the way out ----

def farewell(house, wire, os):
    """How the server tells a device to go."""
    status, body, headers = wire.connect("Idle")
    if os < 17:
        return status == 401
    return (status == 403 and headers["Content-Type"] == "application/json"
            and json.loads(body) == {"code": "com.apple.unrecognized.device"})


@pytest.mark.proves_partly("4c-18", "4g-12")
@pytest.mark.parametrize("os", ["16.7.1", "17.5.1"])
def test_a_retired_device_is_told_to_go(house, admin, make_phone, os):
    phone = make_phone("retiring", os=os)
    phone.check_in()
    udid, wire = phone.udid, Wire(house, phone)
    admin.command(udid, "sync")
    admin.command(udid, "retire", reason="left")
    session = phone.check_in()
    assert types(session) == ["RemoveProfile"]  # first, and alone
    assert phone.show()["enrolment"]["status"] == "unenrolled"
    assert admin.device(udid)["enrolment_state"] == "retired"
    assert admin.commands(udid)  # its history stays
    assert farewell(house, wire, int(os.split(".")[0]))
    assert wire.check_in("TokenUpdate", Token=b"1", PushMagic="m")[0] in (401, 403)
    assert admin.device(udid)["enrolment_state"] == "retired"


def test_a_device_that_leaves_by_itself_is_left_alone(house, admin, apns, make_phone):
    phone = make_phone("leaver")
    phone.check_in()
    udid, wire, token = phone.udid, Wire(house, phone), phone.show()["enrolment"]["token"]
    admin.command(udid, "lock")  # a push for it is due, now and again
    wait_until(lambda: apns.pushes(token, 200), 10, "a push")
    phone.remove_management()
    count = len(apns.pushes(token))
    assert admin.device(udid)["enrolment_state"] == "checked_out"
    assert wire.check_in("CheckOut")[0] == 200
    with pytest.raises(Refused) as refused:
        admin.command(udid, "lock")
    assert refused.value.status == 412
    write(house, f"UPDATE job SET due_at = 1 WHERE kind = 'wake' AND subject IN ({ENROLMENTS % udid})")
    wait_until(lambda: not wakes(house, udid), 30, "what was due to be over")
    assert len(apns.pushes(token)) == count


@pytest.mark.proves_partly("4c-18")
def test_a_wiped_device_is_gone(admin, make_phone):
    phone = make_phone("wiped")
    phone.check_in()
    udid = phone.udid
    admin.command(udid, "wipe", reason="stolen")
    assert types(phone.check_in()) == ["EraseDevice"]
    assert admin.device(udid)["enrolment_state"] == "wiped"


def test_a_device_that_enrols_again_begins_anew(house, admin, make_phone, tmp_path):
    phone = make_phone("again")
    phone.check_in()
    udid, old = phone.udid, Wire(house, phone)
    admin.command(udid, "lock")
    second = new_phone(house, tmp_path / "second")
    second.enrol(admin.link(device=udid), udid=udid)
    assert admin.device(udid)["enrolment_state"] == "active"
    assert "DeviceLock" not in types(second.check_in())  # the old queue is not delivered
    assert old.connect("Idle")[0] in (401, 403)
