# SPDX-License-Identifier: Apache-2.0
"""People of a Mac: each channel has its own address and queue, beside the channel of the device."""
import os
import plistlib
import signal

import pytest

import sim
from admin import Admin, Refused
from house import House, wait_until
from phones import (Wire, admin, bring_push_certificate, house, make_phone, new_phone, plist_of, push_settings,
                    types)

pytestmark = pytest.mark.apple

MAC = {"model": "Mac14,2", "os": "14.5", "build": "23F79"}
USERS = "com.apple.mdm.per-user-connections"


def users(admin, which):
    return admin.items(f"/devices/{which}/users")


def begin(mac, user):
    return sim.run("apple", "user", "--state", mac.directory, "--user", user)


def sync(admin, which, channel):
    return admin.post(f"/devices/{which}/users/{channel['id']}/sync")


class Person(Wire):
    """A raw user channel; messages written by plistlib."""

    def __init__(self, house, mac, user):
        super().__init__(house, mac)
        self.who = {"UserID": user, "UserShortName": user.lower(), "UserLongName": user}

    def connect(self, status, **keys):
        return super().connect(status, **{**self.who, **keys})

    def check_in(self, kind, **keys):
        return super().check_in(kind, **{**self.who, **keys})

    def begin(self, **keys):
        return self.check_in("TokenUpdate", **{"Token": b"t" * 32, "PushMagic": "m", "NotOnConsole": False, **keys})[0]


def test_a_person_has_a_channel_that_is_woken_and_answers(house, admin, make_phone, apns, tmp_path):
    mac = new_phone(house, tmp_path / "desk")
    mac.common["push_host"] = apns.control_url
    mac.enrol(admin.link(), name="desk", **MAC)
    mdm = next(one for one in plist_of(mac, "org.muster.enrolment")["PayloadContent"]
               if one["PayloadType"] == "com.apple.mdm")
    assert USERS in mdm["ServerCapabilities"]
    mac.check_in()
    token = begin(mac, "ann")["token"]
    assert token != mac.show()["enrolment"]["token"]
    (channel,) = users(admin, "desk")
    assert channel["name"] == "ann" and channel["state"] == "active" and channel["on_console"]
    assert sync(admin, "desk", channel)["open_commands"] == 1
    wait_until(lambda: apns.pushes(token), 15, "a push to the person")
    assert types(mac.check_in()) == []  # not the device's
    assert types(mac.check_in(user="ann")) == ["ProfileList"]
    (channel,) = users(admin, "desk")
    assert channel["open_commands"] == 0 and channel["profile_count"] == 0 and channel["profiles_at"]
    assert len(admin.events("desk", "device.user_enrolled")) == 1
    begin(mac, "ann")  # again: nothing new
    assert len(users(admin, "desk")) == 1 and len(admin.events("desk", "device.user_enrolled")) == 1


def test_each_channel_gets_its_own_commands_alone(house, admin, make_phone):
    mac = make_phone("apart", **MAC)
    mac.check_in()
    ann, bob = Person(house, mac, "ANN"), Person(house, mac, "BOB")
    assert ann.begin() == bob.begin() == 200
    by_name = {one["name"]: one for one in users(admin, "apart")}
    lock = admin.command("apart", "lock", pin="123456")
    sync(admin, "apart", by_name["ann"])
    assert bob.next() is None
    command = ann.next()
    assert command["Command"] == {"RequestType": "ProfileList", **command["Command"]}
    # an answer on another channel is no answer: neither of the device nor of the other person
    device = Wire(house, mac)
    for other in (bob, device):
        assert other.connect("Acknowledged", CommandUUID=command["CommandUUID"], ProfileList=[])[0] == 200
    assert ann.connect("Acknowledged", CommandUUID=lock["id"])[0] == 200
    assert admin.get(f"/commands/{lock['id']}")["state"] in ("queued", "sent", "delivered")
    assert ann.next()["CommandUUID"] == command["CommandUUID"]
    assert len(admin.events("apart", "command.unknown")) >= 1
    assert ann.connect("NotNow", CommandUUID=command["CommandUUID"])[1] == b""
    assert ann.next()["CommandUUID"] == command["CommandUUID"]
    assert ann.next("Acknowledged", CommandUUID=command["CommandUUID"], ProfileList=[]) is None
    assert ann.next("Acknowledged", CommandUUID=command["CommandUUID"], ProfileList=[]) is None  # once more
    assert {one["name"]: one.get("profiles_at") is not None for one in users(admin, "apart")} == \
        {"ann": True, "bob": False}
    assert types(mac.check_in()) == ["DeviceLock"]


def test_a_person_ends_alone_and_all_end_with_the_device(house, admin, make_phone):
    mac = make_phone("ending", **MAC)
    ann, bob = Person(house, mac, "ANN"), Person(house, mac, "BOB")
    assert ann.begin() == bob.begin() == 200
    assert ann.check_in("CheckOut")[0] == 200
    assert {one["name"]: one["state"] for one in users(admin, "ending")} == {"ann": "checked_out", "bob": "active"}
    channel = {one["name"]: one for one in users(admin, "ending")}
    with pytest.raises(Refused) as refused:
        sync(admin, "ending", channel["ann"])
    assert refused.value.status == 412
    assert admin.device("ending")["enrolment_state"] == "active"
    assert ann.begin() == 200  # and comes back
    assert {one["state"] for one in users(admin, "ending")} == {"active"}
    sync(admin, "ending", channel["bob"])
    admin.command("ending", "retire")
    assert bob.next() is None
    assert ann.begin() == 403
    mac.check_in()
    assert users(admin, "ending") == []


def test_a_channel_is_of_its_own_device(house, admin, make_phone):
    mac, other = make_phone("ann-mac", **MAC), make_phone("thief-mac", **MAC)
    ann, thief = Person(house, mac, "ANN"), Person(house, other, "ANN")
    assert ann.begin() == 200
    (channel,) = users(admin, "ann-mac")
    sync(admin, "ann-mac", channel)
    assert thief.next() is None  # the same name on another Mac is another person
    assert users(admin, "thief-mac") == []
    thief.udid = mac.udid
    assert thief.connect("Idle")[0] == 403 and thief.begin() == 403
    with pytest.raises(Refused) as refused:
        sync(admin, "thief-mac", channel)
    assert refused.value.status == 404
    assert ann.next()["Command"]["RequestType"] == "ProfileList"


def test_what_is_not_for_people_is_refused(house, admin, make_phone, tmp_path):
    mac = make_phone("odd", **MAC)
    ann = Person(house, mac, "ANN")
    for kind in ("Authenticate", "DeclarativeManagement", "SetBootstrapToken", "GetBootstrapToken"):
        assert ann.check_in(kind, Endpoint="tokens", BootstrapToken=b"x")[0] == 400
    assert admin.device("odd")["bootstrap_token_at"]
    assert ann.begin(Token=b"") == 400 and ann.begin(PushMagic="") == 400 and ann.begin(Topic="com.other") == 403
    assert ann.check_in("UserAuthenticate")[0] == 410
    assert ann.connect("Idle")[1] == b"" and users(admin, "odd") == []


def test_no_device_has_too_many_people(house, admin, make_phone):
    mac = make_phone("crowd", **MAC)
    assert {Person(house, mac, f"P{number}").begin() for number in range(100)} == {200}
    assert Person(house, mac, "ONE").begin() == 410
    assert Person(house, mac, "P0").begin(NotOnConsole=True) == 200
    assert len(users(admin, "crowd")) == 100
    assert not users(admin, "crowd")[0]["on_console"]
    assert len(admin.events("crowd", "device.user_refused")) == 1


def test_a_channel_that_was_acknowledged_survives_a_kill(house, admin, make_phone):
    mac = make_phone("lasting", **MAC)
    assert Person(house, mac, "ANN").begin() == 200
    os.kill(house.pid_of("server"), signal.SIGKILL)
    house.wait_ready()
    assert [one["name"] for one in users(admin, "lasting")] == ["ann"]


def test_a_renewal_neither_adds_nor_removes_the_channel(admin, make_phone):
    mac = make_phone("renewing", **MAC)
    begin(mac, "ann")
    admin.command("renewing", "renew_identity")
    mac.check_in()  # the simulated Mac refuses a profile that changes it
    command = admin.commands("renewing", "renew_identity")[0]
    assert command["state"] == "applied"
    assert [one["state"] for one in users(admin, "renewing")] == ["active"]


def test_accounts_of_a_directory_have_one_where_that_is_wanted(database, apns, tmp_path):
    one = House(database, [*push_settings(apns), "apple.network_users=yes"])
    try:
        one.start()
        admin = Admin(one)
        bring_push_certificate(admin, apns, tmp_path)
        mac = new_phone(one, tmp_path / "mac")
        mac.enrol(admin.link(), name="directory", **MAC)
        ann = Person(one, mac, "ANN")
        status, body, _ = ann.check_in("UserAuthenticate")
        assert status == 200 and plistlib.loads(body) == {"DigestChallenge": ""}
        assert users(admin, "directory") == [], "nothing began by asking"
        for _ in range(2):  # its answer may be lost
            assert ann.check_in("UserAuthenticate", DigestResponse="anything")[:2] == (200, b"")
        assert ann.check_in("UserAuthenticate", DigestResponse=7)[0] == 400
        assert ann.begin() == 200
        assert [channel["name"] for channel in users(admin, "directory")] == ["ann"]
        admin.command("directory", "retire")
        assert ann.check_in("UserAuthenticate")[0] == 403
    finally:
        one.close()
