# SPDX-License-Identifier: Apache-2.0
"""Commands for bad days, carried out by a simulated device and decoded once by plistlib."""
import pytest

from admin import Refused
from house import wait_until
from phones import Wire, admin, house, make_phone, new_phone, types

pytestmark = pytest.mark.apple


def supervised(make_phone, name, **values):
    phone = make_phone(name)
    phone.set(supervised=True, **values)
    phone.check_in()
    return phone


def supervised_and_known(admin, make_phone, name, **values):
    """The server has heard that it is supervised, too."""
    phone = supervised(make_phone, name, **values)
    admin.command(name, "sync")
    phone.check_in()
    assert admin.device(name)["is_supervised"]
    return phone


def audits(admin, action, device):
    """Entries are listed when they have their place in the chain: a moment later."""
    return wait_until(lambda: [one for one in admin.items("/audit?limit=1000") if one["action"] == action
                               and one["subject_id"] == device["id"]], 15, action)


@pytest.mark.proves_partly("4c-18")
def test_lost_mode_from_beginning_to_end(house, admin, make_phone):
    phone = supervised_and_known(admin, make_phone, "gone", latitude=48137154, longitude=11576124)
    wire = Wire(house, phone)
    made = admin.command("gone", "enable_lost_mode", message="Lost & found", phone="+49 89 1")
    assert wire.next() == {"CommandUUID": made["id"],
                           "Command": {"RequestType": "EnableLostMode", "Message": "Lost & found",
                                       "PhoneNumber": "+49 89 1"}}
    phone.check_in()
    model = phone.show()["model"]["device"]
    assert model["lost_mode"] and model["lost_message"] == "Lost & found"
    assert admin.facts("gone")["lost_mode.enabled"] == "true"
    admin.command("gone", "play_sound")
    admin.command("gone", "locate", reason="the owner asked")
    assert {"PlayLostModeSound", "DeviceLocation"} <= set(types(phone.check_in()))
    assert phone.show()["model"]["device"]["sounds"] == 1
    position = admin.get("/devices/gone/position")
    assert (position["latitude"], position["longitude"]) == (48.137154, 11.576124)
    assert position["accuracy"] == 12.5 and position["measured_at"]
    device = admin.device("gone")
    assert [one["reason"] for one in audits(admin, "device.locate", device)] == ["the owner asked"]
    assert len(audits(admin, "device.position", device)) == 1
    admin.command("gone", "disable_lost_mode")
    phone.check_in()
    assert not phone.show()["model"]["device"]["lost_mode"]
    assert admin.facts("gone")["lost_mode.enabled"] == "false"


@pytest.mark.parametrize("item", ["passcode", "declaration.passcode"])
def test_what_a_lost_device_refused_comes_again_when_it_is_found(admin, make_phone, item):
    phone = supervised_and_known(admin, make_phone, item, declarative=item != "passcode")
    admin.command(item, "enable_lost_mode", message="call us")
    phone.check_in()
    policy = admin.policy("While lost", {"password.min_length": 9}, device=admin.device(item)["id"])
    try:
        admin.wait_planned(item, item)
        phone.check_in()
        assert admin.delivered(item)[item]["state"] == "failed"
        admin.command(item, "disable_lost_mode")
        phone.check_in()
        assert admin.delivered(item)[item]["state"] == "verified"
    finally:
        admin.drop(policy)


def test_locating_needs_lost_mode_supervision_and_the_organisation(admin, make_phone):
    phone = supervised_and_known(admin, make_phone, "here")
    made = admin.command("here", "locate")
    phone.check_in()
    command = admin.get(f"/commands/{made['id']}")
    assert command["state"] == "failed" and "lost mode" in command["reason"]
    with pytest.raises(Refused) as refused:
        admin.get("/devices/here/position")
    assert refused.value.status == 404
    make_phone("unsupervised")
    with pytest.raises(Refused) as refused:
        admin.command("unsupervised", "locate")
    assert refused.value.status == 412 and "supervised" in str(refused.value)


def test_a_personal_device_is_never_searched_for(house, admin, make_phone, tmp_path):
    phone = new_phone(house, tmp_path / "own")
    phone.enrol(admin.link(ownership="personal"), name="own")
    phone.set(supervised=True)
    phone.check_in()
    rights = phone.show()["enrolment"]["access_rights"]
    assert rights & 32 == 0 and rights & 4
    for kind in ("locate", "enable_lost_mode", "play_sound"):
        with pytest.raises(Refused) as refused:
            admin.command("own", kind, message="x")
        assert refused.value.status == 412 and "personal" in str(refused.value)
    assert not [one for one in admin.commands("own") if one["kind"] == "query_bypass_code"]


def test_a_passcode_is_cleared_with_the_token_of_the_device(house, admin, make_phone):
    phone = make_phone("forgetful", passcode=8)
    phone.check_in()
    token = phone.show()["enrolment"]["unlock_token"]
    made = admin.command("forgetful", "clear_passcode")
    sent = Wire(house, phone).next()
    assert sent["CommandUUID"] == made["id"]
    assert sent["Command"] == {"RequestType": "ClearPasscode", "UnlockToken": bytes.fromhex(token)}
    phone.check_in()
    assert admin.get(f"/commands/{made['id']}")["state"] == "applied"
    assert not phone.show()["model"]["passcode"]["present"]
    assert admin.facts("forgetful")["password.present"] == "false"
    assert token not in house.log_text(100000)


def test_a_device_is_renamed(house, admin, make_phone):
    phone = supervised_and_known(admin, make_phone, "till")
    made = admin.command("till", "rename", name="Till <3>")
    assert Wire(house, phone).next()["Command"] == {
        "RequestType": "Settings", "Settings": [{"Item": "DeviceName", "DeviceName": "Till <3>"}]}
    phone.check_in()
    assert admin.get(f"/commands/{made['id']}")["state"] == "applied"
    assert admin.device(phone.udid)["name"] == "Till <3>"
    phone.set(supervised=False)  # it would say no, in the list of settings
    refused = admin.command(phone.udid, "rename", name="third")
    phone.check_in()
    command = admin.get(f"/commands/{refused['id']}")
    assert command["state"] == "failed" and "supervised" in command["reason"]


def test_a_device_is_switched_off(admin, make_phone):
    phone = supervised_and_known(admin, make_phone, "off")
    admin.command("off", "shut_down")
    assert "ShutDownDevice" in types(phone.check_in())
    assert phone.show()["model"]["device"]["shut_downs"] == 1


def test_the_bypass_code_is_kept_and_shown_on_request(admin, make_phone):
    phone = supervised_and_known(admin, make_phone, "coded")
    code = phone.show()["model"]["device"]["bypass_code"]
    shown = admin.get("/devices/coded/bypass-code")
    assert shown["secret"] == code and shown["kept_at"]
    assert len(audits(admin, "device.bypass_code", admin.device("coded"))) == 1
    assert len(admin.commands("coded", "query_bypass_code")) == 1
    make_phone("never")
    with pytest.raises(Refused) as refused:
        admin.get("/devices/never/bypass-code")
    assert refused.value.status == 404


@pytest.mark.proves_partly("4c-18")
def test_a_mac_needs_a_pin_and_an_iphone_gets_none(house, admin, make_phone):
    mac = make_phone("mac", model="Mac14,2")
    mac.check_in()
    assert admin.device("mac")["platform"] == "macos"
    for kind in ("wipe", "lock"):
        with pytest.raises(Refused) as refused:
            admin.command("mac", kind)
        assert refused.value.status == 412 and "PIN" in str(refused.value)
    admin.command("mac", "lock", pin="123456")
    assert Wire(house, mac).next()["Command"] == {"RequestType": "DeviceLock", "PIN": "123456"}
    mac.check_in()
    admin.command("mac", "wipe", pin="654321")
    assert Wire(house, mac).next()["Command"] == {"RequestType": "EraseDevice", "PIN": "654321",
                                                  "ObliterationBehavior": "ObliterateWithWarning"}
    mac.check_in()
    wait_until(lambda: admin.device("mac")["enrolment_state"] == "wiped", 10, "wiped")
    phone = make_phone("nopin")
    phone.check_in()
    admin.command("nopin", "wipe", pin="654321")
    assert Wire(house, phone).next()["Command"] == {"RequestType": "EraseDevice"}


def test_only_what_waits_for_a_second_yes_is_confirmed(admin, make_phone):
    phone = make_phone("fresh")
    phone.check_in()
    made = admin.command("fresh", "lock")
    with pytest.raises(Refused) as refused:
        admin.post(f"/commands/{made['id']}/confirmation")
    assert refused.value.status == 412 and "does not wait" in str(refused.value)
