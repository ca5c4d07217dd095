# SPDX-License-Identifier: Apache-2.0
"""The life of an identity: renewed by the device in its session, or left as it was."""
import base64
import plistlib

import pytest
from cryptography import x509

from admin import Refused
from phones import TOPIC, Wire, admin, house, make_phone, types
from pki import authority, ocsp, run

pytestmark = pytest.mark.pki


def certificate_of(phone):
    return x509.load_pem_x509_certificate((phone.directory / "identity.pem").read_bytes())


def keep_identity(phone, folder):
    """A copy of what the phone shows now."""
    copy = folder / f"identity-{certificate_of(phone).serial_number:x}.pem"
    copy.write_bytes((phone.directory / "identity.pem").read_bytes())
    return copy


def enrolment_state(admin, phone):
    return admin.device(phone.udid)["enrolment_state"]


def listed(admin, phone):
    """Certificates of the device, newest first."""
    device = admin.device(phone.udid)["id"]
    return admin.items(f"/certificates?device={device}&limit=100")


@pytest.mark.proves_partly("4g-11")
def test_a_renewed_identity_keeps_everything_but_the_certificate(house, admin, authority, make_phone, tmp_path):
    phone = make_phone(passcode=8)
    phone.check_in()
    old, before = keep_identity(phone, tmp_path), admin.delivered(phone.udid)
    enrolment = certificate_of(phone).subject
    admin.command(phone.udid, "renew_identity", reason="key on a list")
    admin.command(phone.udid, "lock", message="afterwards")
    session = phone.check_in()
    assert types(session)[:2] == ["DeviceLock", "InstallProfile"]
    assert {one["status"] for one in session["messages"]} == {200}
    assert certificate_of(phone).subject == enrolment
    assert certificate_of(phone).serial_number != x509.load_pem_x509_certificate(old.read_bytes()).serial_number
    assert ": good" in ocsp(house, authority, phone.directory / "identity.pem")
    heard = ocsp(house, authority, old)
    assert ": revoked" in heard and "superseded" in heard
    newest, previous = listed(admin, phone)
    assert (newest["state"], previous["state"], previous["reason"]) == ("issued", "revoked", "superseded")
    assert newest["renew_at"] and not previous.get("renew_at")
    assert newest["enrolment_id"] == previous["enrolment_id"]
    assert admin.delivered(phone.udid) == before
    assert len(admin.events(phone.udid, "device.enrolled")) == 1
    [event] = admin.events(phone.udid, "identity.renewed")
    assert event["body"]["before"] == previous["serial"]
    assert [step["step"] for step in admin.items(f"/certificates/{newest['id']}/trace")] == [1, 2, 3, 4, 5, 6, 7]
    assert types(phone.check_in()) == []


def test_the_profile_of_a_renewal_replaces_the_first_in_place(house, admin, make_phone, tmp_path):
    phone = make_phone()
    phone.check_in()
    [first] = [one for one in phone.show()["profiles"] if one["identifier"] == "org.muster.enrolment"]
    admin.command(phone.udid, "renew_identity")
    command = Wire(house, phone).next()
    assert command["Command"]["RequestType"] == "InstallProfile"
    (tmp_path / "profile.der").write_bytes(command["Command"]["Payload"])
    (tmp_path / "root.pem").write_text(house.root_pem())
    run("openssl", "cms", "-verify", "-inform", "DER", "-in", tmp_path / "profile.der", "-CAfile",
        tmp_path / "root.pem", "-purpose", "any", "-out", tmp_path / "plist")
    second, first = plistlib.loads((tmp_path / "plist").read_bytes()), plistlib.loads(base64.b64decode(first["plist"]))
    parts = {}
    for profile in (first, second):
        for part in profile["PayloadContent"]:
            parts.setdefault(part["PayloadType"], []).append(part)
    old, new = (part["PayloadContent"].pop("Challenge") for part in parts["com.apple.security.scep"])
    assert old != new and len(new) >= 40
    assert first == second
    management = parts["com.apple.mdm"][1]
    assert management["Topic"] == TOPIC and management["AccessRights"] == 8191


@pytest.mark.parametrize("script", ["renewal-breaks-certified", "renewal-breaks-shown", "renewal-breaks-told"])
def test_a_renewal_that_breaks_off_leaves_what_was(house, admin, authority, make_phone, script):
    phone = make_phone()
    phone.check_in()
    serial = certificate_of(phone).serial_number
    admin.command(phone.udid, "renew_identity")
    assert {one["status"] for one in phone.misbehave(script)} == {200}
    assert certificate_of(phone).serial_number == serial
    assert enrolment_state(admin, phone) == "active"
    assert ": good" in ocsp(house, authority, phone.directory / "identity.pem")
    unused, current = listed(admin, phone)
    assert (unused["state"], current["state"]) == ("revoked", "issued")
    [command] = admin.commands(phone.udid, "renew_identity")
    assert command["state"] == "failed" and command["reason"]
    assert len(admin.events(phone.udid, "identity.renewal_failed")) == 1
    admin.command(phone.udid, "lock", message="still here")
    assert types(phone.check_in()) == ["DeviceLock"]
    admin.command(phone.udid, "renew_identity")
    phone.check_in()
    assert certificate_of(phone).serial_number not in (serial, int(unused["serial"], 16))
    assert len(admin.events(phone.udid, "identity.renewed")) == 1


def test_a_locked_device_renews_later(admin, make_phone):
    phone = make_phone()
    phone.check_in()
    serial = certificate_of(phone).serial_number
    phone.set(locked=True)
    admin.command(phone.udid, "renew_identity")
    phone.check_in()
    assert certificate_of(phone).serial_number == serial
    phone.set(locked=False)
    phone.check_in()
    assert certificate_of(phone).serial_number != serial


def test_the_command_line_renews_and_shows(admin, make_phone):
    phone = make_phone()
    admin.command(phone.udid, "renew_identity")
    with pytest.raises(Refused) as refused:
        admin.command(phone.udid, "renew_identity")
    assert refused.value.status == 409
