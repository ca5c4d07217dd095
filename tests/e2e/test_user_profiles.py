# SPDX-License-Identifier: Apache-2.0
"""Profiles for the people of a Mac: on their channels, and on no other."""
import base64
import os
import plistlib
import subprocess

import pytest

import sim
from house import wait_until
from phones import Wire, admin, house, make_phone, new_phone, plist_of, types
from test_user_channel import MAC, Person, begin, sync, users

pytestmark = pytest.mark.apple

ITEM, IDENTIFIER, TYPE = "screensaver", "org.muster.policy.screensaver", "com.apple.screensaver.user"


@pytest.fixture
def desk(admin, make_phone):
    """A function that makes a Mac for which a screen saver is wanted."""
    def make(name, minutes=10):
        mac = make_phone(name, without_declarations=True, **MAC)
        policy = admin.policy(f"Screen savers of {name}", {"password.screensaver_minutes": minutes}, device=admin.device(name)["id"])
        admin.wait_planned(name, ITEM)
        mac.check_in()
        return mac, policy
    return make


def wishes(admin, which):
    """user -> row; None: nobody's"""
    rows = admin.get(f"/devices/{which}/effective")["items"]
    return {row.get("user"): row for row in rows if row["item"] == ITEM}


def profiles(mac, user):
    """identifier -> plist, of a person"""
    return {one["identifier"]: plistlib.loads(base64.b64decode(one["plist"]))
            for one in mac.show()["profiles"] if one.get("user") == user}


def explain(house, admin, which, folder):
    """As `muster explain` says it."""
    ca = folder / "root.pem"
    ca.write_text(house.root_pem())
    asked = {"MUSTER_SERVER": f"https://localhost:{house.ports['front']}", "MUSTER_CA": str(ca),
             "MUSTER_TOKEN": admin.token, "MUSTER_CONFIG": str(folder / "contexts.json")}
    return subprocess.run([sim.BUILD / "src" / "cli" / "muster", "explain", which], capture_output=True, text=True,
                          check=True, env={**os.environ, **asked}).stdout


@pytest.mark.proves_partly("4c-3")
def test_a_person_gets_their_profile_when_they_sign_in(house, admin, desk, tmp_path):
    mac, _ = desk("gets")
    assert IDENTIFIER not in profiles(mac, None)
    row = wishes(admin, "gets")[None]
    assert (row["state"], row["carrier"]) == ("queued", "user_channel") and "signed in" in row["reason"]
    assert f"{ITEM} for its people: queued" in explain(house, admin, "gets", tmp_path)
    begin(mac, "ann")
    assert wishes(admin, "gets")["ann"]["state"] in ("queued", "sent")
    assert mac.check_in()["commands"] == []  # nothing of it is the device's
    assert types(mac.check_in(user="ann")) == ["InstallProfile", "ProfileList"]
    profile = profiles(mac, "ann")[IDENTIFIER]
    (payload,) = profile["PayloadContent"]
    assert profile["PayloadScope"] == "User"
    assert payload["PayloadType"] == TYPE and payload["idleTime"] == 600
    row = wishes(admin, "gets")["ann"]
    assert row["state"] == "verified" and row["hash"] == profile["PayloadUUID"] == row["wanted_hash"]
    assert f"{ITEM} for ann: verified" in explain(house, admin, "gets", tmp_path)
    assert IDENTIFIER not in profiles(mac, None)
    (command,) = (one for one in admin.commands("gets", "install_item") if one["item"] == ITEM)
    assert command["user"] == "ann" and command["state"] == "verified"


def test_a_change_and_its_end_reach_each_person_alone(admin, desk):
    mac, policy = desk("changes")
    for user in ("ann", "bob"):
        begin(mac, user)
        mac.check_in(user=user)
    admin.change(policy, {"password.screensaver_minutes": 5})
    wait_until(lambda: wishes(admin, "changes")["ann"]["state"] != "verified", 15, "the change")
    assert types(mac.check_in(user="ann")) == ["InstallProfile", "ProfileList"]
    assert profiles(mac, "ann")[IDENTIFIER]["PayloadContent"][0]["idleTime"] == 300
    assert profiles(mac, "bob")[IDENTIFIER]["PayloadContent"][0]["idleTime"] == 600
    admin.drop(policy)
    wait_until(lambda: wishes(admin, "changes")["ann"]["wanted_hash"] is None, 15, "the end")
    assert types(mac.check_in(user="ann")) == ["RemoveProfile", "ProfileList"]
    assert types(mac.check_in(user="bob")) == ["RemoveProfile", "ProfileList"]
    assert profiles(mac, "ann") == profiles(mac, "bob") == {}
    assert wishes(admin, "changes") == {}


def test_the_profile_is_signed_and_comes_again_when_it_is_gone(house, admin, desk, tmp_path):
    mac, _ = desk("raw")
    ann = Person(house, mac, "ANN")
    assert ann.begin() == 200
    command = ann.next()
    assert command["Command"]["RequestType"] == "InstallProfile"
    signed = tmp_path / "signed"
    signed.write_bytes(command["Command"]["Payload"])
    opened = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", signed],
                            capture_output=True, check=True).stdout
    profile = plistlib.loads(opened)
    assert profile["PayloadIdentifier"] == IDENTIFIER and profile["PayloadContent"][0]["idleTime"] == 600
    query = ann.next("Acknowledged", CommandUUID=command["CommandUUID"])
    assert query["Command"]["RequestType"] == "ProfileList"
    # the list of the device is not the list of its people
    listed = [{"PayloadIdentifier": IDENTIFIER, "PayloadUUID": profile["PayloadUUID"]}]
    again = ann.next("Acknowledged", CommandUUID=query["CommandUUID"], ProfileList=[])
    assert again["Command"]["RequestType"] == "InstallProfile" and again["CommandUUID"] != command["CommandUUID"]
    query = ann.next("Acknowledged", CommandUUID=again["CommandUUID"])
    assert ann.next("Acknowledged", CommandUUID=query["CommandUUID"], ProfileList=listed) is None
    assert wishes(admin, "raw")["ann"]["state"] == "verified"
    assert len(admin.events("raw", "item.missing")) == 1
    device = Wire(house, mac)
    admin.command("raw", "sync")
    for _ in range(10):
        question = device.next()
        if question is None:
            break
        device.connect("Acknowledged", CommandUUID=question["CommandUUID"], ProfileList=[])
    assert wishes(admin, "raw")["ann"]["state"] == "verified"


def test_a_refusal_of_a_person_is_told_and_tried_again(house, admin, desk):
    mac, _ = desk("refuses")
    ann = Person(house, mac, "ANN")
    assert ann.begin() == 200
    chain = [{"ErrorCode": 4001, "ErrorDomain": "MCInstallationErrorDomain", "LocalizedDescription": "no room",
              "USEnglishDescription": "no room"}]
    command = ann.next()
    assert ann.next("Error", CommandUUID=command["CommandUUID"], ErrorChain=chain) is None
    row = wishes(admin, "refuses")["ann"]
    assert row["state"] == "failed" and row["reason"]
    sync(admin, "refuses", users(admin, "refuses")[0])
    assert ann.next()["Command"]["RequestType"] == "InstallProfile"


def test_a_blocked_mac_serves_nobody_and_wakes_its_people_later(house, admin, desk, apns, tmp_path):
    mac = new_phone(house, tmp_path / "held")
    mac.common["push_host"] = apns.control_url
    mac.enrol(admin.link(), name="held", without_declarations=True, **MAC)
    mac.check_in()
    token = begin(mac, "ann")["token"]
    admin.post("/devices/held/block", reason="lost")
    policy = admin.policy("Held", {"password.screensaver_minutes": 10}, device=admin.device("held")["id"])
    with pytest.raises(sim.Failed):
        mac.check_in(user="ann")
    assert not apns.pushes(token)
    admin.post("/devices/held/unblock", reason="found")
    wait_until(lambda: apns.pushes(token), 20, "a push to the person")
    assert types(mac.check_in(user="ann")) == ["InstallProfile", "ProfileList"]
    assert wishes(admin, "held")["ann"]["state"] == "verified"
    admin.drop(policy)


def test_a_retired_mac_keeps_nothing_for_its_people(admin, desk):
    mac, _ = desk("retires")
    begin(mac, "ann")
    mac.check_in(user="ann")
    assert profiles(mac, "ann")
    admin.command("retires", "retire")
    assert mac.check_in()["enrolled"] is False
    assert users(admin, "retires") == [] and wishes(admin, "retires") == {}


def test_a_phone_has_no_screen_saver(admin, make_phone):
    phone = make_phone("no-screensaver")
    phone_id = admin.device("no-screensaver")["id"]
    policy = admin.policy("Everybody", {"password.screensaver_minutes": 10}, device=phone_id)
    phone.check_in()
    assert ITEM not in admin.delivered("no-screensaver")
    admin.drop(policy)
