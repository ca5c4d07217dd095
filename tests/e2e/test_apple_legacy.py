# SPDX-License-Identifier: Apache-2.0
"""Profiles that devices fetch by themselves because a declaration names them, and Macs that manage themselves."""
import base64
import json
import plistlib
import subprocess
import urllib.parse

import pytest

from admin import Admin
from house import House, wait_until
from phones import Wire, bring_push_certificate, new_phone, plist_of, push_settings

pytestmark = pytest.mark.policy

LEGACY, RESTRICTIONS = "com.apple.configuration.legacy", "org.muster.declaration.legacy.restrictions"
ITEM, PLAIN = "declaration.legacy.restrictions", "restrictions"
OURS, COMMANDED = "org.muster.declared.restrictions", "org.muster.policy.restrictions"
PASSCODE = "com.apple.configuration.passcode.settings"
ON = "apple.declared_profiles=yes"
MAC = {"model": "Mac14,2", "os": "14.5", "build": "23F79"}


@pytest.fixture(scope="module")
def house(database, apns):
    """Devices sign what they say, so that both ways to prove who asks are there."""
    one = House(database, [*push_settings(apns), ON, "apple.signed_messages=yes"])
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def admin(house, apns, tmp_path_factory):
    one = Admin(house)
    bring_push_certificate(one, apns, tmp_path_factory.mktemp("push"))
    one.policy("Fingers", {"password.allow_fingerprint": False})
    return one


@pytest.fixture
def make_phone(house, admin, tmp_path):
    def make(name, **options):
        phone = new_phone(house, tmp_path / name)
        phone.enrol(admin.link(), name=name, **options)
        return phone
    return make


def declared(phone, type=LEGACY):
    """The payload that the phone keeps of this type; None: there is none."""
    found = [json.loads(one["text"]) for one in phone.show()["declarations"]]
    return next((one["Payload"] for one in found if one["Type"] == type), None)


def path_of(phone):
    return urllib.parse.urlsplit(declared(phone)["ProfileURL"]).path


def fetch(wire, path, headers={}):
    return wire.send(path, b"", "GET", headers)


def opened(answer, root, folder):
    """The plist in the signed profile, as openssl verifies it."""
    (folder / "profile").write_bytes(answer)
    (folder / "root.pem").write_text(root)
    done = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", folder / "profile", "-CAfile",
                           folder / "root.pem", "-purpose", "any"], capture_output=True, check=True)
    return plistlib.loads(done.stdout)


def in_force(admin, phone, item=ITEM):
    found = admin.delivered(phone.udid).get(item)
    return found and found["state"] == "verified"


# ---- the way of a profile ----

@pytest.mark.proves_partly("4c-3")
def test_a_phone_fetches_its_restrictions_by_itself(house, admin, make_phone):
    phone = make_phone("fetches")
    session = phone.check_in()
    assert in_force(admin, phone)
    assert admin.delivered(phone.udid)[ITEM]["carrier"] == "declaration"
    assert PLAIN not in admin.delivered(phone.udid)
    url = declared(phone)["ProfileURL"]
    assert url.startswith(f"https://localhost:{house.ports['device']}/apple/profile/restrictions/")
    assert set(declared(phone)) == {"ProfileURL"}
    profile = plist_of(phone, OURS)
    assert profile["PayloadContent"][0]["allowFingerprintForUnlock"] is False
    assert profile["PayloadUUID"] == url.rpartition("/")[2]
    assert plist_of(phone, COMMANDED) is None
    assert [one["status"] for one in session["messages"] if one["message"] == "ProfileURL"] == [200]
    assert phone.check_in()["commands"] == []


def test_what_is_fetched_is_what_python_and_openssl_read(house, admin, make_phone, tmp_path):
    """O15"""
    phone = make_phone("read")
    phone.check_in()
    wire, path = Wire(house, phone), path_of(phone)
    status, body, headers = fetch(wire, path)
    assert (status, headers["Content-Type"]) == (200, "application/x-apple-aspen-config")
    assert "no-store" in headers["Cache-Control"]
    profile = opened(body, house.root_pem(), tmp_path)
    assert (profile["PayloadType"], profile["PayloadIdentifier"]) == ("Configuration", OURS)
    assert [one["PayloadType"] for one in profile["PayloadContent"]] == ["com.apple.applicationaccess"]
    assert headers["ETag"] == f'"{profile["PayloadUUID"]}"'
    status, body, _ = fetch(wire, path, {"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")
    assert fetch(wire, path, {"If-None-Match": '"other"'})[0] == 200


def test_another_content_has_another_address_and_the_old_one_ends(house, admin, make_phone):
    phone = make_phone("changed")
    phone.check_in()
    wire, old = Wire(house, phone), path_of(phone)
    policy = admin.policy("Backups of changed", {"encryption.backup": True}, device=admin.device(phone.udid)["id"])
    admin.wait_planned(phone.udid, ITEM)
    assert fetch(wire, old)[0] == 404
    phone.check_in()
    assert path_of(phone) != old and in_force(admin, phone)
    assert plist_of(phone, OURS)["PayloadContent"][0]["forceEncryptedBackup"] is True
    admin.drop(policy)
    wait_until(lambda: phone.check_in() and path_of(phone) == old, 15, "the old content")
    assert fetch(wire, old)[0] == 200


def test_without_a_policy_the_profile_goes(admin, make_phone):
    phone = make_phone("over")
    phone.check_in()
    everybody, = (one for one in admin.items("/policies?limit=1000") if one["name"] == "Fingers")
    admin.drop(everybody["id"])
    try:
        wait_until(lambda: phone.check_in() and declared(phone) is None, 15, "the declaration to go")
        assert plist_of(phone, OURS) is None and ITEM not in admin.delivered(phone.udid)
    finally:
        admin.policy("Fingers", {"password.allow_fingerprint": False})


def test_a_phone_without_declarations_is_sent_the_profile(admin, make_phone):
    phone = make_phone("commanded", without_declarations=True)
    phone.check_in()
    assert admin.delivered(phone.udid)[PLAIN]["state"] == "verified"
    assert ITEM not in admin.delivered(phone.udid)
    assert plist_of(phone, COMMANDED)["PayloadContent"][0]["allowFingerprintForUnlock"] is False


def test_a_phone_that_cannot_apply_it_says_why_and_the_command_stands_in(admin, make_phone):
    phone = make_phone("refuses")
    phone.set({"device.rejects_declaration": LEGACY})
    phone.check_in()
    item = admin.delivered(phone.udid)[ITEM]
    assert item["state"] == "failed" and "Error.ConfigurationCannotBeApplied" in item["reason"] and item["remedy"]
    phone.check_in()
    assert plist_of(phone, COMMANDED) and plist_of(phone, OURS) is None
    phone.set({"device.rejects_declaration": ""})
    wait_until(lambda: phone.check_in() and set(admin.delivered(phone.udid)) == {ITEM}, 15, "the change of carrier")
    assert in_force(admin, phone) and plist_of(phone, OURS) and plist_of(phone, COMMANDED) is None


# ---- who may ask ----

def signed_get(house, wire, path, folder):
    """The status that somebody gets who has no certificate in TLS, and signs the empty body."""
    (folder / "body").write_bytes(b"")
    subprocess.run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in", folder / "body",
                    "-signer", wire.chain, "-inkey", wire.key, "-out", folder / "sig"], check=True, capture_output=True)
    header = base64.b64encode((folder / "sig").read_bytes()).decode()
    return house.get(path, door="device", headers={"Mdm-Signature": header})[0]


def test_only_the_device_that_is_declared_it_gets_it(house, admin, make_phone, tmp_path):
    owner, other = make_phone("owner"), make_phone("stranger")
    admin.policy("Backups of owner", {"encryption.backup": True}, device=admin.device(owner.udid)["id"])
    wait_until(lambda: owner.check_in() and "forceEncryptedBackup" in str(plist_of(owner, OURS)), 15, "its own content")
    other.check_in()
    ours, theirs, path = Wire(house, owner), Wire(house, other), path_of(owner)
    assert fetch(ours, path)[0] == 200
    assert signed_get(house, ours, path, tmp_path) == 200
    assert fetch(theirs, path)[0] == 404
    assert signed_get(house, theirs, path, tmp_path) == 404
    assert house.get(path, door="device")[0] == 400, "nobody"
    assert house.get(path, door="front")[0] == 404
    assert ours.send(path, b"x", "PUT")[0] == 405
    headers = {"Mdm-Signature": "AAAA"}
    assert fetch(ours, path, headers)[0] == 400


@pytest.mark.parametrize("change", [
    lambda path: path + "/", lambda path: path.lower(), lambda path: path.replace("restrictions", "passcode"),
    lambda path: path.replace("restrictions", "filevault"), lambda path: path.rpartition("/")[0],
    lambda path: path.rpartition("/")[0] + "/" + "0" * 36, lambda path: path.replace("restrictions", ".."),
    lambda path: path.replace("restrictions", "%2e%2e"), lambda path: path.rpartition("/")[0] + "/" + "A" * 5000,
    lambda path: path + "%00"])
def test_what_is_not_declared_is_not_there(house, one_phone, change):
    wire, path = one_phone
    assert fetch(wire, change(path))[0] in (400, 404, 414)


@pytest.fixture(scope="module")
def one_phone(house, admin, tmp_path_factory):
    phone = new_phone(house, tmp_path_factory.mktemp("asks"))
    phone.enrol(admin.link(), name="asks")
    phone.check_in()
    wire, path = Wire(house, phone), path_of(phone)
    assert fetch(wire, path)[0] == 200
    return wire, path


def test_a_device_that_is_declared_nothing_gets_nothing(house, admin, make_phone):
    """One by commands has the same policy, and no such address."""
    has, lacks = make_phone("has it"), make_phone("lacks it", without_declarations=True)
    has.check_in(), lacks.check_in()
    assert fetch(Wire(house, lacks), path_of(has))[0] == 404


def test_a_blocked_device_gets_nothing_and_a_leaving_one_neither(house, admin, make_phone):
    phone = make_phone("blocked")
    phone.check_in()
    wire, path = Wire(house, phone), path_of(phone)
    admin.post(f"/devices/{phone.udid}/block")
    assert fetch(wire, path)[0] == 403
    admin.post(f"/devices/{phone.udid}/unblock")
    assert fetch(wire, path)[0] == 200
    admin.command(phone.udid, "retire")
    assert fetch(wire, path)[0] == 404
    phone.check_in()
    assert fetch(wire, path)[0] in (401, 403), "it has left"


# ---- Macs ----

@pytest.mark.proves_partly("4c-3")
def test_a_mac_manages_itself(admin, make_phone):
    mac = make_phone("mac", **MAC)
    device = admin.device(mac.udid)["id"]
    admin.policy("Passcode of a Mac", {
        "password.min_length": 10, "password.max_failures_wipe": 10, "password.failed_reset_minutes": 5,
        "password.change_at_next_auth": True}, device=device)
    wait_until(lambda: mac.check_in() and declared(mac, PASSCODE), 15, "the passcode's declaration")
    rules = declared(mac, PASSCODE)
    assert rules["MinimumLength"] == 10 and rules["FailedAttemptsResetInMinutes"] == 5
    assert rules["ChangeAtNextAuth"] is True
    assert in_force(admin, mac, "declaration.passcode") and in_force(admin, mac)
    assert plist_of(mac, OURS)["PayloadContent"][0]["allowFingerprintForUnlock"] is False
    assert {"passcode", PLAIN}.isdisjoint(admin.delivered(mac.udid))
    facts = admin.facts(mac.udid)
    assert facts["password.compliant"] == "false" and facts["os.version"] == "14.5"
    mac.set({"passcode.length": 10})
    mac.check_in()
    assert admin.facts(mac.udid)["password.compliant"] == "true"
    assert mac.check_in()["commands"] == []


def test_a_mac_before_declarations_is_sent_profiles(admin, make_phone):
    mac = make_phone("old mac", model="Mac14,2", os="12.7", build="21G816")
    mac.check_in()
    assert not admin.commands(mac.udid, "declare")
    assert admin.delivered(mac.udid)[PLAIN]["state"] == "verified"


# ---- the setting of the server ----

def restart(house):
    house.stop()
    house.start()


def test_the_way_follows_the_setting_without_a_gap(house, admin, make_phone):
    """Both there and back; what was there goes when the other is in force."""
    phone = make_phone("moves")
    phone.check_in()
    assert in_force(admin, phone)
    for setting, old, new, item in (("no", OURS, COMMANDED, PLAIN), ("yes", COMMANDED, OURS, ITEM)):
        house.options = [one for one in house.options if "declared_profiles" not in one]
        house.options.append(f"apple.declared_profiles={setting}")
        restart(house)
        seen = []

        def moved():
            phone.check_in()
            has_old, has_new = plist_of(phone, old), plist_of(phone, new)
            seen.append(bool(has_old or has_new))
            return has_new and not has_old and set(admin.delivered(phone.udid)) == {item}
        wait_until(moved, 30, f"the change with {setting}")
        assert all(seen) and in_force(admin, phone, item)
    assert phone.check_in()["commands"] == []
