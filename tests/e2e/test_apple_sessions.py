# SPDX-License-Identifier: Apache-2.0
"""What happens when an enrolled iPhone calls, and how it is woken, on both databases."""
import datetime
import plistlib
import time

import pytest

from admin import Refused
from house import wait_until
from kill import database_away
from phones import Wire, admin, house, make_phone, phone, plist_of, types

pytestmark = pytest.mark.apple


# ---- the first session ----

@pytest.mark.proves("4c-3")
@pytest.mark.proves_partly("4c-5", "4g-1", "4g-2", "4g-3")
def test_the_first_session_carries_the_policy(admin, apns, make_phone):
    phone = make_phone("first", without_declarations=True)
    device = admin.device(phone.udid)
    assert device["enrolment_state"] == "active" and device["platform"] == "ios"
    assert apns.wait_for_push(phone.show()["enrolment"]["token"], 10)
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
    push, *_ = wait_until(lambda: apns.pushes(token.hex(), 200), 10, "a push to the new address")
    assert push["magic"] == 'new"}'


@pytest.mark.parametrize("size, status", [(0, 400), (1, 200), (100, 200), (101, 400), (5000, 400)])
def test_an_address_has_its_length(house, admin, phone, size, status):
    """X18"""
    wire = Wire(house, phone)
    assert wire.check_in("TokenUpdate", Token=b"t" * size, PushMagic="magic")[0] == status
    assert admin.device(phone.udid)["enrolment_state"] == "active"


def test_a_silent_phone_is_called_at_its_address_before_too(house, admin, apns, phone):
    """X5: what looks new may be an old TokenUpdate that somebody sent again."""
    wire, old = Wire(house, phone), phone.show()["enrolment"]["token"]
    magic = wait_until(lambda: apns.pushes(old, 200), 10, "the first push")[0]["magic"]
    phone.check_in()
    replayed = bytes(reversed(range(32)))
    assert wire.check_in("TokenUpdate", Token=replayed, PushMagic="replayed")[0] == 200
    count = len(apns.pushes(old, 200))
    apns.answer(410, "Unregistered", token=replayed.hex())
    admin.command(phone.udid, "lock")
    dead, *_ = wait_until(lambda: apns.pushes(replayed.hex()), 10, "a push to what looks newer")
    assert (dead["status"], dead["magic"]) == (410, "replayed")
    wait_until(lambda: len(apns.pushes(old, 200)) > count, 10, "the push to the one before")
    wait_until(lambda: admin.events(phone.udid, "push.put_back"), 10, "the one before, in its place again")
    assert not admin.events(phone.udid, "push.dead")
    count = len(apns.pushes(old, 200))
    admin.command(phone.udid, "sync")
    wait_until(lambda: len(apns.pushes(old, 200)) > count, 10, "a push to the one before alone")
    assert apns.pushes(old, 200)[-1]["magic"] == magic
    assert len(apns.pushes(replayed.hex())) == 1


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
    time.sleep(1.1)  # times are whole seconds: all that it said before was before that one
    since = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (admin.device(phone.udid)["last_contact_at"] or "") < since
    status, body, headers = wire.connect("Idle")
    assert (status, body, headers["Content-Length"]) == (200, b"", "0")
    wait_until(lambda: (admin.device(phone.udid)["last_contact_at"] or "") >= since, 30, "the time of contact")


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
    lock, _ = admin.command(phone.udid, "lock"), admin.command(phone.udid, "sync")
    wire = Wire(house, phone)
    assert wire.next()["CommandUUID"] == lock["id"]
    following = wire.next("CommandFormatError", CommandUUID=lock["id"])
    rest = []
    while following:  # the queue goes on, to its end
        rest.append(following["CommandUUID"])
        following = wire.next("Acknowledged", CommandUUID=rest[-1])
    assert rest and lock["id"] not in rest and len(set(rest)) == len(rest)
    assert wire.next() is None
    assert admin.commands(phone.udid, "lock")[0]["state"] == "failed"


def test_not_now_waits_for_the_next_session(make_phone):
    phone = make_phone("locked", without_declarations=True)
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


def test_a_result_while_the_database_is_away_is_sent_again(house, admin, phone):
    """X23"""
    phone.check_in()
    lock = admin.command(phone.udid, "lock")
    wire = Wire(house, phone)
    assert wire.next()["CommandUUID"] == lock["id"]
    with database_away(house):
        status, _, headers = wire.connect("Acknowledged", CommandUUID=lock["id"])
        assert status == 503 and headers["Retry-After"]
    wait_until(lambda: wire.connect("Acknowledged", CommandUUID=lock["id"])[0] == 200, 60, "the database")
    house.wait_ready(60)
    assert wire.next("Acknowledged", CommandUUID=lock["id"]) is None  # once more changes nothing
    (command,) = admin.commands(phone.udid, "lock")
    assert command["state"] == "applied" and command["attempts"] == 1
    assert not admin.events(phone.udid, "command.unknown")


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
    ours, other = (make_phone(name, without_declarations=True) for name in ("ours", "other"))
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
    count = len(apns.pushes(token, 200))
    admin.command(phone.udid, "lock")
    wait_until(lambda: len(apns.pushes(token, 200)) > count, 30, "a push after GOAWAY")


def test_what_died_before_its_address_was_told_is_alive(admin, apns, phone):
    """O23: a 410 about an older life of the address says nothing about this one."""
    phone.check_in()
    token = phone.show()["enrolment"]["token"]
    apns.answer(410, "Unregistered", token=token, timestamp=1_000_000_000_000)
    admin.command(phone.udid, "lock")
    wait_until(lambda: apns.pushes(token, 410), 10, "the push that is answered 410")
    count = len(apns.pushes(token, 200))
    admin.command(phone.udid, "sync")
    wait_until(lambda: len(apns.pushes(token, 200)) > count, 30, "a push to an address that lives")
    assert not admin.events(phone.udid, "push.dead")


def wait_quietly(condition, seconds):
    try:
        return wait_until(condition, seconds, "")
    except AssertionError:
        return False
