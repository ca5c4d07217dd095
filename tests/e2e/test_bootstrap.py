# SPDX-License-Identifier: Apache-2.0
"""Bootstrap tokens of Macs: kept, given back to the Mac that left them, and to nobody else."""
import json
import os
import plistlib
import signal

import pytest

import sim
from house import wait_until
from phones import Wire, admin, house, make_phone, plist_of

pytestmark = pytest.mark.apple

MAC = {"model": "Mac14,2", "os": "14.5", "build": "23F79"}
CAPABILITY = "com.apple.mdm.bootstraptoken"


def asked(mac):
    return sim.run("apple", "bootstrap-token", "--state", mac.directory)["bootstrap_token"]


def ask(wire):
    """What the server gives, or None; decoded by plistlib."""
    status, body, headers = wire.check_in("GetBootstrapToken", AwaitingConfiguration=False)
    assert status == 200
    if not body:
        return None
    assert headers["Content-Type"] == "application/xml"
    answer = plistlib.loads(body)
    assert list(answer) == ["BootstrapToken"]
    return answer["BootstrapToken"]


def keep(wire, token):
    return wire.check_in("SetBootstrapToken", BootstrapToken=token, AwaitingConfiguration=False)[0]


def audits(admin, action, device):
    return [one for one in admin.items("/audit?limit=1000") if one["action"] == action
            and one["subject_id"] == device["id"]]


def test_a_mac_leaves_its_token_and_gets_it_back(house, admin, make_phone):
    mac = make_phone("vault", **MAC)
    profile = plist_of(mac, "org.muster.enrolment")
    mdm = next(one for one in profile["PayloadContent"] if one["PayloadType"] == "com.apple.mdm")
    assert CAPABILITY in mdm["ServerCapabilities"]
    token = mac.show()["enrolment"]["bootstrap_token"]
    device = admin.device("vault")
    assert device["bootstrap_token_at"]
    assert asked(mac) == "same"
    assert ask(Wire(house, mac)) == bytes.fromhex(token)
    wait_until(lambda: len(audits(admin, "bootstrap_token.give", device)) == 2, 15, "two hand-outs")
    given = audits(admin, "bootstrap_token.give", device)[0]
    assert given["actor_kind"] == "device" and given["actor_id"]
    assert len(audits(admin, "bootstrap_token.keep", device)) == 1


def test_nobody_else_sees_it(house, admin, make_phone):
    mac = make_phone("silent-mac", **MAC)
    token = mac.show()["enrolment"]["bootstrap_token"]
    raw = bytes.fromhex(token)
    phone = make_phone("thief")
    wire = Wire(house, phone)
    assert ask(wire) is None
    for kind in ("GetBootstrapToken", "SetBootstrapToken"):
        status, body, _ = wire.check_in(kind, UDID=mac.udid, BootstrapToken=b"mine")
        assert status == 403 and raw not in body
    assert len(admin.events("thief", "device.identity_mismatch")) == 2
    assert asked(mac) == "same"
    shown = json.dumps([admin.device("silent-mac"), admin.items("/audit?limit=1000"),
                        admin.events("silent-mac"), admin.facts("silent-mac")])
    kept = house.log_text(100000) + shown
    assert token not in kept and raw.hex().upper() not in kept


def test_an_empty_token_takes_it_away_and_a_repeat_changes_nothing(house, admin, make_phone):
    mac = make_phone("turning", **MAC)
    wire = Wire(house, mac)
    for _ in range(2):
        assert keep(wire, b"another") == 200
    assert ask(wire) == b"another" and asked(mac) == "other"
    for gone in ({}, {"BootstrapToken": b""}):
        assert keep(wire, b"again") == 200
        assert wire.check_in("SetBootstrapToken", **gone)[0] == 200
        assert ask(wire) is None
        assert not admin.device("turning").get("bootstrap_token_at")
        assert wire.check_in("SetBootstrapToken", **gone)[0] == 200


def test_what_is_too_large_or_no_data_is_refused_and_changes_nothing(house, make_phone):
    mac = make_phone("strict", **MAC)
    wire = Wire(house, mac)
    assert keep(wire, b"x" * 8192) == 200
    assert keep(wire, b"x" * 8193) == 400
    assert keep(wire, "text") == 400
    assert keep(wire, [b"x"]) == 400
    assert ask(wire) == b"x" * 8192


def test_a_new_enrolment_begins_without_and_a_renewal_keeps_it(admin, make_phone):
    mac = make_phone("reborn", **MAC)
    udid = mac.udid
    admin.command(udid, "renew_identity")
    mac.check_in()
    assert asked(mac) == "same"
    assert admin.device(udid)["bootstrap_token_at"]
    first = mac.show()["enrolment"]["bootstrap_token"]
    mac.enrol(admin.link(device=udid))
    assert mac.show()["enrolment"]["bootstrap_token"] != first
    assert asked(mac) == "same"
    admin.command(udid, "retire")
    mac.check_in()
    assert not admin.device(udid).get("bootstrap_token_at")


def test_a_token_that_was_acknowledged_survives_a_kill(house, make_phone):
    mac = make_phone("durable", **MAC)
    wire = Wire(house, mac)
    assert keep(wire, b"durable") == 200
    os.kill(house.pid_of("server"), signal.SIGKILL)
    house.wait_ready()
    assert ask(wire) == b"durable"


def test_an_iphone_has_none(admin, make_phone):
    phone = make_phone("tokenless")
    assert not phone.show()["enrolment"].get("bootstrap_token")
    assert asked(phone) == "none"
    assert not admin.device("tokenless").get("bootstrap_token_at")
