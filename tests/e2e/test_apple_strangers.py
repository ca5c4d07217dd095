# SPDX-License-Identifier: Apache-2.0
"""Who may speak as which iPhone, and what is said to all others, on both databases."""
import json
import plistlib
import subprocess

import pytest

from phones import Wire, admin, house, make_phone, phone

pytestmark = pytest.mark.apple


def test_a_certificate_speaks_for_its_own_device_alone(house, admin, make_phone):
    mallory, victim = make_phone("mallory"), make_phone("victim")
    victim.check_in()
    before = admin.device(victim.udid)
    wire = Wire(house, mallory)
    wire.udid = victim.udid
    messages = [wire.connect("Idle"), wire.check_in("CheckOut"),
                wire.check_in("TokenUpdate", Token=b"stolen", PushMagic="m"),
                wire.check_in("Authenticate", ProductName="iPhone15,2"),
                wire.check_in("SetBootstrapToken", BootstrapToken=b"x")]
    for status, body, _ in messages:
        assert status == 403 and b"unrecognized" not in body
    after = admin.device(victim.udid)
    assert {**after, "last_contact_at": 0} == {**before, "last_contact_at": 0}
    event = admin.events(mallory.udid, "device.identity_mismatch")[0]
    assert victim.udid in json.dumps(event)


def test_without_our_certificate_nothing_is_said(house, phone):
    wire = Wire(house, phone)
    body = plistlib.dumps({"Status": "Idle", "UDID": wire.udid})
    for headers in ({}, {"Client-Cert": ":AAAA:"}, {"X-SSL-Client-Cert": "x"}):
        assert house.get("/apple/connect", door="device", method="PUT", body=body,
                         headers=headers)[0] == 400


def test_a_foreign_certificate_is_refused(house, phone, tmp_path):
    wire = Wire(house, phone)
    wire.key, wire.chain = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", wire.key,
                    "-out", wire.chain, "-days", "2", "-subj", "/CN=stranger"],
                   check=True, capture_output=True)
    assert wire.connect("Idle")[0] == 400


def test_other_methods_are_not_for_devices(house, phone):
    wire = Wire(house, phone)
    for path in ("/apple/connect", "/apple/checkin"):
        assert wire.send(path, {"Status": "Idle", "UDID": wire.udid}, method="POST")[0] == 405
        assert wire.send(path, b"", method="GET")[0] == 405


def test_what_was_not_announced_is_refused_and_kept(house, admin, phone):
    wire = Wire(house, phone)
    for kind in ("ReturnToService", "GetToken"):
        assert wire.check_in(kind)[0] == 400
    assert len(admin.events(phone.udid, "device.unsupported_message")) == 2
    assert wire.check_in("UserAuthenticate", UserID="U")[0] == 410  # without apple.network_users


@pytest.mark.parametrize("script, statuses", [
    ("entity-bomb", {400}), ("nested-arrays", {400, 413}), ("body-20mb", {413}), ("bad-plist", {400}),
    ("binary-plist", {200}), ("oversized-token", {400}), ("wrong-udid", {403}),
    ("result-twice", {200}), ("unknown-uuid-result", {200}), ("replay-tokenupdate", {200}),
    ("no-certificate", {400}), ("forged-certificate-header", {400})])
def test_misbehaviour_is_answered_in_kind(admin, phone, script, statuses):
    answers = phone.misbehave(script)
    assert answers and {one["status"] for one in answers} <= statuses
    phone.check_in()  # others are served, and so is this one
    assert admin.device(phone.udid)["enrolment_state"] == "active"
