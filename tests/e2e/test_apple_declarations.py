# SPDX-License-Identifier: Apache-2.0
"""Declarative management: phones that fetch what holds for them, and say what they make of it."""
import json
import plistlib

import pytest

from house import wait_until
from kill import wakes
from phones import Wire, admin, house, make_phone, phone, plist_of, types  # noqa: F401

pytestmark = pytest.mark.policy

PASSCODE = "org.muster.declaration.passcode"
PASSCODE_TYPE = "com.apple.configuration.passcode.settings"
ITEM = "declaration.passcode"


def declarations(phone):
    """{identifier: the declaration} as the phone keeps them."""
    return {one["identifier"]: json.loads(one["text"]) for one in phone.show()["declarations"]}


def said(admin, phone):
    """{identifier: what the server knows of it}"""
    return {one["identifier"]: one for one in admin.get(f"/devices/{phone.udid}/declarations")["items"]}


def ask(wire, endpoint, data=None):
    """(status, JSON or None)"""
    more = {} if data is None else {"Data": data if isinstance(data, bytes) else json.dumps(data).encode()}
    status, body, headers = wire.check_in("DeclarativeManagement", Endpoint=endpoint, **more)
    if not body or status != 200:
        return status, None
    assert headers["Content-Type"] == "application/json"
    return status, json.loads(body)


@pytest.mark.proves_partly("4c-3")
def test_a_phone_fetches_its_passcode_policy_by_itself(admin, make_phone):
    phone = make_phone()
    session = phone.check_in()
    assert "DeclarativeManagement" in types(session)
    rule = declarations(phone)[PASSCODE]
    assert rule["Type"] == PASSCODE_TYPE
    assert rule["Payload"]["MinimumLength"] == 6 and rule["Payload"]["RequirePasscode"] is True
    # by one way only: the profile is not there beside it
    item = admin.delivered(phone.udid)[ITEM]
    assert (item["state"], item["carrier"], item["hash"]) == ("verified", "declaration", rule["ServerToken"])
    assert "passcode" not in admin.delivered(phone.udid)
    assert plist_of(phone, "org.muster.policy.passcode") is None
    # what it reports by itself is evidence, with its source
    fact, = (one for one in admin.get(f"/devices/{phone.udid}/facts")["items"] if one["name"] == "password.compliant")
    assert fact["value"] == "true" and fact["evidence"] == "measured"
    assert said(admin, phone)[PASSCODE]["is_active"] and said(admin, phone)[PASSCODE]["validity"] == "valid"
    assert phone.check_in()["commands"] == []


def test_the_rules_of_a_declaration_hold(admin, make_phone):
    phone = make_phone("weak", passcode="4")
    phone.check_in()
    assert phone.show()["passcode_complies"] is False
    assert admin.facts(phone.udid)["password.compliant"] == "false"
    phone.set({"passcode.length": 6})
    reports = phone.check_in()["status_reports"]
    assert reports[0]["StatusItems"] == {"passcode": {"is-compliant": True}}  # what changed, and no more
    assert admin.facts(phone.udid)["password.compliant"] == "true"


def test_a_phone_without_declarations_has_the_profile(admin, make_phone):
    phone = make_phone("plain", without_declarations=True)
    phone.check_in()
    assert plist_of(phone, "org.muster.policy.passcode")["PayloadContent"][0]["minLength"] == 6
    assert admin.delivered(phone.udid)["passcode"]["state"] == "verified"
    assert ITEM not in admin.delivered(phone.udid)
    assert [one["state"] for one in admin.commands(phone.udid, "declare")] == ["failed"]  # asked once
    assert phone.check_in()["commands"] == []


def test_an_old_phone_is_not_asked(admin, make_phone):
    phone = make_phone("old", os="14.8")
    phone.check_in()
    assert not admin.commands(phone.udid, "declare")
    assert admin.delivered(phone.udid)["passcode"]["state"] == "verified"


def test_an_update_of_the_system_brings_declarations(admin, make_phone):
    phone = make_phone("updated", os="14.8")
    phone.check_in()
    phone.set({"os.version": "17.5.1", "os.build": "21F90"})
    admin.command(phone.udid, "sync")
    wait_until(lambda: phone.check_in() and set(admin.delivered(phone.udid)) == {ITEM}, 20, "the change of carrier")
    assert plist_of(phone, "org.muster.policy.passcode") is None
    assert declarations(phone)[PASSCODE]["Payload"]["MinimumLength"] == 6


def pushes_of(apns, phone):
    return len(apns.pushes(phone.show()["enrolment"]["token"], 200))


def test_a_change_reaches_the_devices_concerned_and_no_other(house, admin, apns, make_phone):
    ours, other = make_phone("ours"), make_phone("other")
    ours.check_in(), other.check_in()
    before, wire = admin.commands(other.udid), Wire(house, ours)
    tokens = ask(wire, "tokens")[1]["SyncTokens"]["DeclarationsToken"]
    had = declarations(ours)
    assert had == declarations(other)  # equal sets are equal, to the token
    for phone in (ours, other):
        wait_until(lambda: pushes_of(apns, phone) or not wakes(house, phone.udid), 30, "the first push, or none")
    pushed = {phone: pushes_of(apns, phone) for phone in (ours, other)}
    policy = admin.policy("Longer", {"password.min_length": 9}, device=admin.device(ours.udid)["id"])
    admin.wait_planned(ours.udid, ITEM)
    assert ask(wire, "tokens")[1]["SyncTokens"]["DeclarationsToken"] != tokens
    wait_until(lambda: pushes_of(apns, ours) > pushed[ours], 15, "a push to the one concerned")
    session = ours.check_in()
    assert types(session)[0] == "DeclarativeManagement" and "InstallProfile" not in types(session)
    assert pushes_of(apns, other) == pushed[other]
    # only what has another token is fetched again
    fetched = [one["message"] for one in session["messages"] if one["message"].startswith("declaration/")]
    assert fetched == [f"declaration/configuration/{PASSCODE}"]
    assert declarations(ours)[PASSCODE]["Payload"]["MinimumLength"] == 9
    admin.drop(policy)
    admin.wait_planned(ours.udid, ITEM)
    ours.check_in()
    assert declarations(ours) == had
    assert admin.commands(other.udid) == before


def test_what_is_asked_by_python_is_as_the_schema_says(house, admin, make_phone):
    """O15"""
    phone = make_phone()
    phone.check_in()
    wire = Wire(house, phone)
    tokens = ask(wire, "tokens")[1]
    items = ask(wire, "declaration-items")[1]
    assert set(tokens) == {"SyncTokens"} and set(tokens["SyncTokens"]) == {"DeclarationsToken", "Timestamp"}
    assert tokens["SyncTokens"]["Timestamp"].endswith("Z")
    assert items["DeclarationsToken"] == tokens["SyncTokens"]["DeclarationsToken"]
    kinds = {"Activations": "activation", "Configurations": "configuration", "Assets": "asset",
             "Management": "management"}
    assert set(items["Declarations"]) == set(kinds)
    for group, kind in kinds.items():
        for item in items["Declarations"][group]:
            assert set(item) == {"Identifier", "ServerToken"}
            assert all(len(value.encode()) <= 64 for value in item.values())
            status, one = ask(wire, f"declaration/{kind}/{item['Identifier']}")
            assert status == 200 and set(one) == {"Type", "Identifier", "ServerToken", "Payload"}
            assert {key: one[key] for key in item} == item
    active = ask(wire, "declaration/activation/org.muster.activation")[1]["Payload"]["StandardConfigurations"]
    assert set(active) == {one["Identifier"] for one in items["Declarations"]["Configurations"]}


def test_a_command_carries_the_tokens(house, admin, make_phone):
    phone = make_phone()
    wire = Wire(house, phone)
    command = wire.next()["Command"]
    assert command["RequestType"] == "DeclarativeManagement"
    assert json.loads(command["Data"]) == ask(wire, "tokens")[1]


@pytest.mark.parametrize("endpoint", [
    "declaration/configuration/../../x", "declaration/configuration/org.muster.declaration.restrictions",
    "declaration/management/" + PASSCODE, "declaration/configuration/", "declaration/configuration",
    "declaration//" + PASSCODE, "declaration/configuration/" + PASSCODE + "/", "declaration/report/x",
    "declaration/configuration/" + PASSCODE.upper(), "Tokens", "tokens/", "", "nonsense"])
def test_what_is_not_the_devices_own_is_not_there(house, admin, make_phone, endpoint):
    """X29"""
    phone = make_phone()
    phone.check_in()
    assert ask(Wire(house, phone), endpoint)[0] == 404


def test_the_declaration_of_another_device_is_not_there(house, admin, make_phone):
    """X29: the same identifier is each device's own; what another has and this one has not is unknown."""
    has, lacks = make_phone("has"), make_phone("lacks", os="15.4")  # too old for all keys: by profile
    has.check_in(), lacks.check_in()
    endpoint = f"declaration/configuration/{PASSCODE}"
    assert ask(Wire(house, has), endpoint)[0] == 200
    assert ask(Wire(house, lacks), endpoint)[0] == 404
    wire = Wire(house, lacks)
    wire.udid = has.udid
    assert ask(wire, endpoint)[0] == 403


def test_a_declaration_that_fails_says_why_and_the_profile_stands_in(admin, make_phone):
    phone = make_phone("stubborn")
    phone.set({"device.rejects_declaration": PASSCODE_TYPE})
    phone.check_in()
    item = admin.delivered(phone.udid)[ITEM]
    assert item["state"] == "failed" and "Error.ConfigurationCannotBeApplied" in item["reason"] and item["remedy"]
    assert admin.events(phone.udid, "item.failed")
    phone.check_in()
    assert plist_of(phone, "org.muster.policy.passcode")
    # put right, the declaration takes over and the profile goes, in this order
    phone.set({"device.rejects_declaration": ""})
    phone.check_in()
    wait_until(lambda: "RemoveProfile" in types(phone.check_in()) or not plist_of(phone, "org.muster.policy.passcode"),
               15, "the profile to go")
    assert set(admin.delivered(phone.udid)) == {ITEM}
    assert admin.delivered(phone.udid)[ITEM]["state"] == "verified"


def test_a_phone_that_does_not_know_the_type_keeps_the_profile(admin, make_phone):
    phone = make_phone("basic")
    phone.set({"device.lacks_declaration": PASSCODE_TYPE})
    phone.check_in()
    assert PASSCODE not in declarations(phone) and "org.muster.status" in declarations(phone)
    assert admin.delivered(phone.udid)["passcode"]["state"] == "verified"
    # after an update of its system it says that it knows it: the declaration takes over
    phone.set({"device.lacks_declaration": ""})
    phone.check_in()
    wait_until(lambda: phone.check_in() and set(admin.delivered(phone.udid)) == {ITEM}, 15, "the change of carrier")
    assert plist_of(phone, "org.muster.policy.passcode") is None
    assert declarations(phone)[PASSCODE]["Payload"]["MinimumLength"] == 6


REPORT = {"StatusItems": {}, "Errors": []}


@pytest.mark.parametrize("report, status, is_told", [
    (b"{", 200, True), (b"[" * 100000, 200, True), (b'{"StatusItems": []}', 200, True), (b"", 200, True),
    (b"\xff\xfe", 200, True), (b'{"StatusItems": {}, "StatusItems": {}}', 200, True),
    (b" " * (5 << 20), 413, False),
    ({**REPORT, "StatusItems": {"unknown": {"thing": 1}, "passcode": "no object"}}, 200, False),
    ({**REPORT, "StatusItems": {"management": {"declarations": {"configurations": [
        {"identifier": "no.such", "_removed": True}, {"identifier": 5}, 7, {}]}}}}, 200, False),
    ({**REPORT, "Errors": [{"StatusItem": "x"}, 5, {"Reasons": 7}], "FullReport": "yes"}, 200, False),
], ids=["cut-off", "deep", "no-items", "empty", "no-text", "doubled", "large", "unknown", "strange", "strange-errors"])
def test_a_report_that_makes_no_sense_is_taken(house, admin, make_phone, report, status, is_told):
    """X28"""
    phone = make_phone()
    phone.check_in()
    wire = Wire(house, phone)
    assert ask(wire, "status", report)[0] == status
    assert bool(admin.events(phone.udid, "device.status_unreadable")) == is_told
    assert ask(wire, "tokens")[0] == 200
    assert admin.delivered(phone.udid)[ITEM]["state"] == "verified"


def test_a_value_that_cannot_be_reported_is_shown_until_it_can(house, admin, make_phone):
    phone = make_phone()
    phone.check_in()
    wire = Wire(house, phone)
    error = {"StatusItem": "passcode.is-compliant", "Reasons": [{"Code": "Error.X", "Description": "not now"}]}
    ask(wire, "status", {"StatusItems": {}, "Errors": [error]})
    assert said(admin, phone)["passcode.is-compliant"]["reason"] == "Error.X: not now"
    ask(wire, "status", {"StatusItems": {"passcode": {"is-compliant": True}}, "Errors": []})
    assert "passcode.is-compliant" not in said(admin, phone)


def test_a_full_report_replaces_and_a_partial_one_does_not(house, admin, make_phone):
    phone = make_phone()
    phone.check_in()
    wire, before = Wire(house, phone), said(admin, phone)
    one = {"identifier": PASSCODE, "server-token": before[PASSCODE]["token"], "active": True, "valid": "valid"}
    status = {"StatusItems": {"management": {"declarations": {
        "activations": [], "configurations": [one], "assets": [], "management": []}}}, "Errors": []}
    ask(wire, "status", status)
    assert set(said(admin, phone)) == set(before)
    ask(wire, "status", {**status, "FullReport": True})
    assert set(said(admin, phone)) == {PASSCODE}
    assert admin.delivered(phone.udid)[ITEM]["state"] == "verified"
    status["StatusItems"]["management"]["declarations"]["configurations"] = [{"identifier": PASSCODE, "_removed": True}]
    ask(wire, "status", status)
    assert admin.delivered(phone.udid)[ITEM]["state"] == "failed"  # it is wanted, and not there
    assert admin.events(phone.udid, "item.missing")


def test_a_device_that_leaves_is_declared_nothing(house, admin, make_phone):
    phone = make_phone()
    phone.check_in()
    admin.command(phone.udid, "retire")
    wire = Wire(house, phone)
    items = ask(wire, "declaration-items")[1]["Declarations"]
    assert all(group == [] for group in items.values())
    assert plistlib.loads(wire.connect("Idle")[1])["Command"]["RequestType"] == "RemoveProfile"
