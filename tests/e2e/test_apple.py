# SPDX-License-Identifier: Apache-2.0
"""iPhones from enrolment to their end, over the real wire, on both databases."""
import base64
import http.client
import json
import plistlib
import shutil
import subprocess
import urllib.parse

import pytest

import sim
from admin import Admin, Refused
from house import House, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.apple]

TOPIC = "com.apple.mgmt.External.test"


@pytest.fixture(scope="module")
def apns(tmp_path_factory):
    with sim.Apns(tmp_path_factory.mktemp("apns")) as service:
        yield service


@pytest.fixture(scope="module")
def house(database, apns):
    one = House(database, [f"apple.apns_url={apns.url}", f"apple.apns_ca_file={apns.ca}"])
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def admin(house, apns, tmp_path_factory):
    """An administrator of a house that has a push certificate and one policy for all."""
    one = Admin(house)
    folder = tmp_path_factory.mktemp("push")
    request = one.post("/apple/push-certificate/request", email="it@example.org")["request"]
    (folder / "request.pem").write_text(request)
    apns.sign(folder / "request.pem", TOPIC, folder / "push.pem")
    one.ask("PUT", "/apple/push-certificate", {"certificate": (folder / "push.pem").read_text()})
    one.policy("Passcodes", {"password.min_length": 6})
    return one


@pytest.fixture
def make_phone(house, admin, tmp_path):
    """A function that enrols a new iPhone."""
    def make(name="phone", **options):
        phone = new_phone(house, tmp_path / name)
        phone.enrol(admin.link(), name=name, **options)
        return phone
    return make


@pytest.fixture
def phone(make_phone):
    return make_phone()


def new_phone(house, folder):
    folder.mkdir(exist_ok=True)
    ca = folder / "ca.pem"
    ca.write_text(house.root_pem())
    return sim.Phone(folder / "state", ca=ca)


def types(session):
    return [one["request_type"] for one in session["commands"]]


def path_of(link):
    return urllib.parse.urlsplit(link).path


class Wire:
    """The identity of a phone in Python's hands: raw messages, written by plistlib."""

    def __init__(self, house, phone):
        self.house, self.udid = house, phone.udid
        folder = phone.directory.parent / "wire"
        folder.mkdir(exist_ok=True)
        self.key, self.chain = folder / "key.pem", folder / "chain.pem"
        shutil.copy(phone.directory / "identity.key", self.key)
        self.chain.write_bytes((phone.directory / "identity.pem").read_bytes()
                               + (phone.directory / "chain.pem").read_bytes())

    def send(self, path, message, method="PUT"):
        """(status, body, headers)"""
        context = self.house.context()
        context.load_cert_chain(self.chain, self.key)
        connection = http.client.HTTPSConnection("127.0.0.1", self.house.ports["device"],
                                                 timeout=30, context=context)
        try:
            body = message if isinstance(message, bytes) else plistlib.dumps(message)
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def connect(self, status, **keys):
        return self.send("/apple/connect", {"Status": status, "UDID": self.udid, **keys})

    def check_in(self, kind, **keys):
        message = {"MessageType": kind, "UDID": self.udid, "Topic": TOPIC, **keys}
        return self.send("/apple/checkin", message)

    def next(self, status="Idle", **keys):
        """The next command, or None."""
        code, body, _ = self.connect(status, **keys)
        assert code == 200
        return plistlib.loads(body) if body else None


# ---- the way in ----

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
    status, headers, body = house.get(path)
    assert status == 200
    assert headers["Content-Type"] == "application/x-apple-aspen-config"
    assert headers["Cache-Control"] == "no-store"
    profile = open_profile(house, body, tmp_path)
    parts = {part["PayloadType"]: part for part in profile["PayloadContent"]}
    scep, mdm = parts["com.apple.security.scep"]["PayloadContent"], parts["com.apple.mdm"]
    assert scep["Keysize"] >= 2048 and len(scep["Challenge"]) > 40
    assert mdm["CheckOutWhenRemoved"] is True and mdm["Topic"] == TOPIC
    assert mdm["IdentityCertificateUUID"] == parts["com.apple.security.scep"]["PayloadUUID"]
    assert house.get(path)[0] == 404
    assert house.get(path + "/profile")[0] == 404


def test_two_profiles_share_no_challenge(house, admin, tmp_path):
    challenges = set()
    for _ in range(2):
        profile = open_profile(house, house.get(path_of(admin.link()))[2], tmp_path)
        challenges |= {part["PayloadContent"]["Challenge"] for part in profile["PayloadContent"]
                       if part["PayloadType"] == "com.apple.security.scep"}
    assert len(challenges) == 2


def test_looking_does_not_use_a_link_up(house, admin):
    path = path_of(admin.link())
    for _ in range(2):
        status, headers, body = house.get(path, headers={"Accept": "text/html,*/*"})
        assert status == 200 and headers["Content-Type"].startswith("application/xhtml+xml")
        assert f'href="{path}/profile"'.encode() in body and b"<script" not in body
        assert house.get(path + "/profile", method="HEAD")[0] == 200
    assert house.get(path + "/profile")[0] == 200


def test_a_link_that_cannot_be_used_says_so_to_people(house):
    status, headers, body = house.get("/enrol/NOSUCHTOKEN", headers={"Accept": "text/html"})
    assert status == 404 and headers["Content-Type"].startswith("application/xhtml+xml")
    assert b"cannot be used" in body
    assert house.get("/enrol/NOSUCHTOKEN")[1]["Content-Type"] == "application/problem+json"


def test_a_link_never_reaches_the_log(house, admin):
    path = path_of(admin.link())
    house.get(path)
    house.get(path)
    assert path.rsplit("/", 1)[1] not in house.log.read_text(errors="replace")


@pytest.mark.proves_partly("4g-7")
def test_a_forwarded_challenge_is_worth_nothing(house, admin, tmp_path):
    phone = new_phone(house, tmp_path / "phone")
    with pytest.raises(sim.Failed, match="SCEP"):
        phone.enrol(admin.link(), scep_misbehave="reuse-challenge")


# ---- the first session ----

@pytest.mark.proves("4c-3")
@pytest.mark.proves_partly("4c-5", "4g-1", "4g-2", "4g-3")
def test_the_first_session_carries_the_policy(admin, apns, make_phone):
    phone = make_phone("first")
    device = admin.device(phone.udid)
    assert device["enrolment_state"] == "active" and device["platform"] == "ios"
    assert apns.wait_for_push(phone.show()["enrolment"]["token"], 5)
    session = phone.check_in()
    assert "InstallProfile" in types(session)
    assert {"DeviceInformation", "SecurityInfo", "ProfileList"} <= set(types(session))
    assert admin.delivered(phone.udid)["passcode"]["state"] == "verified"
    facts = admin.facts(phone.udid)
    assert facts["os.version"] == device["os_version"]
    assert facts["password.present"] in ("true", "false")
    assert "integrity.state" not in facts
    assert phone.check_in()["commands"] == []


def test_an_address_is_renewed_and_the_unlock_token_kept(house, admin, apns, phone):
    wire = Wire(house, phone)
    token = bytes(range(32))
    assert wire.check_in("TokenUpdate", Token=token, PushMagic='new"}')[0] == 200
    assert len(admin.events(phone.udid, "device.enrolled")) == 1
    admin.command(phone.udid, "sync")
    wait_until(lambda: apns.pushes(token.hex()), 10, "a push to the new address")


def test_authenticate_again_changes_nothing(house, admin, phone):
    phone.check_in()
    before = admin.commands(phone.udid)
    wire = Wire(house, phone)
    assert wire.check_in("Authenticate", ProductName="iPhone15,2", OSVersion="17.5.1")[0] == 200
    assert admin.device(phone.udid)["enrolment_state"] == "active"
    assert admin.commands(phone.udid) == before


def test_an_idle_call_gets_nothing_and_is_noticed(house, admin, phone):
    phone.check_in()
    wire = Wire(house, phone)
    status, body, headers = wire.connect("Idle")
    assert (status, body, headers["Content-Length"]) == (200, b"", "0")
    wait_until(lambda: admin.device(phone.udid)["last_contact_at"], 15, "the time of contact")


# ---- commands ----

def test_a_command_keeps_its_uuid_until_it_is_answered(house, admin, phone):
    phone.check_in()
    made = admin.command(phone.udid, "lock", message="Lost & found")
    wire = Wire(house, phone)
    first, second = wire.next(), wire.next()
    assert first["CommandUUID"] == second["CommandUUID"] == made["id"]
    assert first["Command"] == {"RequestType": "DeviceLock", "Message": "Lost & found"}
    assert wire.next("Acknowledged", CommandUUID=made["id"]) is None
    assert admin.commands(phone.udid, "lock")[0]["state"] == "applied"


def test_an_error_is_told_with_its_reason(house, admin, phone):
    phone.check_in()
    lock, _ = admin.command(phone.udid, "lock"), admin.command(phone.udid, "sync")
    wire = Wire(house, phone)
    assert wire.next()["CommandUUID"] == lock["id"]
    chain = [{"ErrorCode": 12078, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": "?"}]
    following = wire.next("Error", CommandUUID=lock["id"], ErrorChain=chain)
    assert following["CommandUUID"] != lock["id"]  # the queue goes on
    failed = admin.commands(phone.udid, "lock")[0]
    assert failed["state"] == "failed"
    assert "lost mode" in failed["reason"] and failed["remedy"]


def test_a_command_that_is_not_understood_is_not_sent_again(house, admin, phone):
    phone.check_in()
    lock = admin.command(phone.udid, "lock")
    wire = Wire(house, phone)
    wire.next()
    assert wire.next("CommandFormatError", CommandUUID=lock["id"]) is None
    assert wire.next() is None
    assert admin.commands(phone.udid, "lock")[0]["state"] == "failed"


def test_not_now_waits_for_the_next_session(make_phone):
    phone = make_phone("locked")
    phone.set(locked=True)
    first = phone.check_in()
    refused = [one for one in first["commands"] if one["status"] == "NotNow"]
    assert "InstallProfile" in {one["request_type"] for one in refused}
    assert len({one["uuid"] for one in refused}) == len(refused)  # each was offered once
    assert "DeviceInformation" in types(first)  # others were still offered
    phone.set(locked=False)
    second = {one["uuid"]: one["status"] for one in phone.check_in()["commands"]}
    assert all(second[one["uuid"]] == "Acknowledged" for one in refused)


def test_a_result_twice_counts_once(house, admin, phone):
    phone.check_in()
    lock = admin.command(phone.udid, "lock")
    wire = Wire(house, phone)
    wire.next()
    for _ in range(3):
        assert wire.connect("Acknowledged", CommandUUID=lock["id"])[0] == 200
    assert admin.commands(phone.udid, "lock")[0]["state"] == "applied"
    assert not admin.events(phone.udid, "command.unknown")


def test_a_result_for_an_unknown_command_is_kept_and_answered(house, admin, phone):
    phone.check_in()
    waiting = admin.command(phone.udid, "lock")
    wire = Wire(house, phone)
    stranger = "00000000-0000-4000-8000-000000000000"
    code, body, _ = wire.connect("Acknowledged", CommandUUID=stranger)
    assert code == 200 and plistlib.loads(body)["CommandUUID"] == waiting["id"]
    assert admin.events(phone.udid, "command.unknown")


def test_a_result_before_its_command_was_fetched_is_none(house, admin, phone):
    phone.check_in()
    lock = admin.command(phone.udid, "lock")
    wire = Wire(house, phone)
    assert wire.connect("Acknowledged", CommandUUID=lock["id"])[0] == 200
    assert admin.commands(phone.udid, "lock")[0]["state"] != "applied"
    assert admin.events(phone.udid, "command.unknown")


def test_what_a_device_cannot_carry_is_said_at_once(admin, phone):
    with pytest.raises(Refused) as refused:
        admin.command(phone.udid, "restart")
    assert refused.value.status == 412 and "supervised" in str(refused.value)


# ---- policies ----

def test_an_edit_reaches_the_devices_concerned_and_no_other(admin, make_phone):
    ours, other = make_phone("ours"), make_phone("other")
    ours.check_in(), other.check_in()
    before = admin.commands(other.udid)
    device = admin.device(ours.udid)["id"]
    policy = admin.policy("Longer", {"password.min_length": 9}, device=device)
    admin.wait_planned(ours.udid, "passcode")
    assert types(ours.check_in())[0] == "InstallProfile"
    rules = plist_of(ours, "org.muster.policy.passcode")
    assert rules["PayloadContent"][0]["minLength"] == 9
    admin.drop(policy)
    admin.wait_planned(ours.udid, "passcode")
    ours.check_in()
    assert plist_of(ours, "org.muster.policy.passcode")["PayloadContent"][0]["minLength"] == 6
    assert admin.commands(other.udid) == before


def test_what_no_policy_asks_any_more_is_removed(admin, make_phone):
    phone = make_phone("backups")
    phone.check_in()
    device = admin.device(phone.udid)["id"]
    policy = admin.policy("Backups", {"encryption.backup": True}, device=device)
    admin.wait_planned(phone.udid, "restrictions")
    phone.check_in()
    assert plist_of(phone, "org.muster.policy.restrictions")
    admin.drop(policy)
    wait_until(lambda: admin.commands(phone.udid, "remove_item"), 15, "the removal")
    assert "RemoveProfile" in types(phone.check_in())
    assert plist_of(phone, "org.muster.policy.restrictions") is None


def plist_of(phone, identifier):
    """An installed profile as the phone keeps it, or None."""
    for one in phone.show()["profiles"]:
        if one["identifier"] == identifier:
            return plistlib.loads(base64.b64decode(one["plist"]))
    return None


# ---- who may speak ----

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
    for kind in ("SetBootstrapToken", "GetBootstrapToken", "DeclarativeManagement", "GetToken"):
        assert wire.check_in(kind)[0] == 400
    assert len(admin.events(phone.udid, "device.unsupported_message")) == 4
    assert wire.check_in("UserAuthenticate", UserID="U")[0] == 410
    assert wire.check_in("TokenUpdate", UserID="U", Token=b"1", PushMagic="m")[0] == 410


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
    udid, wire = phone.udid, Wire(house, phone)
    phone.remove_management()
    assert admin.device(udid)["enrolment_state"] == "checked_out"
    assert wire.check_in("CheckOut")[0] == 200
    with pytest.raises(Refused) as refused:
        admin.command(udid, "lock")
    assert refused.value.status == 412


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


# ---- push ----

def test_what_was_fetched_meanwhile_is_not_pushed_for(apns, make_phone):
    phone = make_phone("quick")
    phone.check_in()  # before the push that a burst waits for
    token = phone.show()["enrolment"]["token"]
    count = len(apns.pushes(token))
    assert not wait_quietly(lambda: len(apns.pushes(token)) > count + 1, 4)


def test_a_dead_address_is_pushed_no_more(admin, apns, make_phone):
    phone = make_phone("dead")
    phone.check_in()
    token = phone.show()["enrolment"]["token"]
    apns.answer(410, "Unregistered", token=token)
    count = len(apns.pushes(token))
    admin.command(phone.udid, "lock")
    wait_until(lambda: len(apns.pushes(token)) > count, 10, "the push that is answered 410")
    count = len(apns.pushes(token))
    admin.command(phone.udid, "sync")
    assert not wait_quietly(lambda: len(apns.pushes(token)) > count, 4)
    assert admin.events(phone.udid, "push.dead")


def test_a_busy_push_service_is_asked_again(admin, apns, make_phone):
    phone = make_phone("busy")
    phone.check_in()
    token = phone.show()["enrolment"]["token"]
    apns.goaway()
    count = len(apns.pushes(token))
    admin.command(phone.udid, "lock")
    wait_until(lambda: len(apns.pushes(token)) > count, 30, "a push after GOAWAY")


def wait_quietly(condition, seconds):
    try:
        return wait_until(condition, seconds, "")
    except AssertionError:
        return False
