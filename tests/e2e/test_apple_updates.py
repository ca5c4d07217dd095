# SPDX-License-Identifier: Apache-2.0
"""Updates of the system: a version and a time are demanded, the device does the rest and tells."""
import json

import pytest

from admin import Refused
from house import wait_until
from phones import admin, house, make_phone, phone  # noqa: F401

pytestmark = pytest.mark.policy

TYPE = "com.apple.configuration.softwareupdate.enforcement.specific"
ITEM = "declaration.update"
PAST, FUTURE = "2020-01-31T20:00:00", "2199-01-31T20:00:00"


def demand(admin, phone, version, by):
    device = admin.device(phone.udid)["id"]
    made = admin.policy(f"Update of {device}", {"system.update_version": version, "system.update_by": by}, device=device)
    admin.wait_planned(phone.udid, ITEM)
    return made


def declared(phone):
    """The demand as the phone keeps it; None: there is none."""
    found = [json.loads(one["text"]) for one in phone.show()["declarations"]]
    return next((one["Payload"] for one in found if one["Type"] == TYPE), None)


@pytest.mark.proves_partly("4c-3")
def test_a_phone_updates_itself_when_the_time_has_come(admin, make_phone):
    phone = make_phone("updates", os="17.5.1")
    phone.check_in()
    policy = demand(admin, phone, "18.2", FUTURE)
    phone.check_in()
    assert declared(phone) == {"TargetOSVersion": "18.2", "TargetLocalDateTime": FUTURE}
    facts = admin.facts(phone.udid)
    assert (facts["update.state"], facts["update.pending_version"], facts["update.pending_deadline"],
            facts["os.version"]) == ("waiting", "18.2", FUTURE, "17.5.1")
    assert admin.delivered(phone.udid)[ITEM]["state"] == "verified"
    # an earlier time, as an administrator would give it who is in a hurry
    admin.change(policy, {"system.update_version": "18.2.1", "system.update_by": PAST})
    wait_until(lambda: phone.check_in() and (declared(phone) or {}).get("TargetOSVersion") == "18.2.1", 15, "the change")
    phone.check_in()
    facts = admin.facts(phone.udid)
    assert (facts["os.version"], facts["update.state"], facts["update.pending_version"]) == ("18.2.1", "none", "none")
    # the demand stays, and asks for nothing any more
    assert phone.check_in()["commands"] == []
    admin.drop(policy)
    wait_until(lambda: phone.check_in() and declared(phone) is None, 15, "the demand to go")
    assert ITEM not in admin.delivered(phone.udid)


def test_two_demands_become_the_stricter_of_each(admin, make_phone):
    phone = make_phone("twice", os="17.5.1")
    phone.check_in()
    demand(admin, phone, "18.2", "2199-06-01T08:00:00")
    device = admin.device(phone.udid)["id"]
    admin.policy("Newer", {"system.update_version": "18.10", "system.update_by": "2199-12-01T08:00:00"}, device=device)
    wait_until(lambda: phone.check_in() and (declared(phone) or {}).get("TargetOSVersion") == "18.10", 15, "the newer one")
    assert declared(phone)["TargetLocalDateTime"] == "2199-06-01T08:00:00"
    decision = admin.get(f"/devices/{phone.udid}/effective?explain=1")["decisions"]
    assert "18.10" in json.dumps(decision) and "18.2" in json.dumps(decision)


@pytest.mark.parametrize("product, os, reason", [
    ("iPhone15,2", "16.7.1", "Needs iOS or iPadOS 17 or later."),
    ("Mac14,2", "14.5", "Only supervised devices obey")], ids=["old", "unsupervised-mac"])
def test_who_cannot_is_named(admin, make_phone, product, os, reason):
    phone = make_phone(f"cannot {product}", os=os, model=product)
    phone.check_in()
    device = admin.device(phone.udid)["id"]
    admin.policy(f"Cannot {product}", {"system.update_version": "18.2", "system.update_by": FUTURE}, device=device)
    wait_until(lambda: reason in json.dumps(admin.get(f"/devices/{phone.udid}/effective?explain=1")["decisions"]), 15, "the reason")
    phone.check_in()
    assert declared(phone) is None and ITEM not in admin.delivered(phone.udid)


def test_a_device_that_refuses_says_why(admin, make_phone):
    phone = make_phone("refuses", os="17.5.1")
    phone.set({"device.rejects_declaration": TYPE})
    phone.check_in()
    demand(admin, phone, "18.2", FUTURE)
    phone.check_in()
    item = admin.delivered(phone.udid)[ITEM]
    assert item["state"] == "failed" and "Error.ConfigurationCannotBeApplied" in item["reason"] and item["remedy"]


@pytest.mark.parametrize("settings, where", [
    ({"system.update_version": "18.2"}, "/settings/system.update_version"),
    ({"system.update_by": FUTURE}, "/settings/system.update_by"),
    ({"system.update_version": "18.x", "system.update_by": FUTURE}, "/settings/system.update_version"),
    ({"system.update_version": 18, "system.update_by": FUTURE}, "/settings/system.update_version"),
    ({"system.update_version": "18.2", "system.update_by": FUTURE + "Z"}, "/settings/system.update_by"),
    ({"system.update_version": "18.2", "system.update_by": "2199-02-30T20:00:00"}, "/settings/system.update_by"),
], ids=["no-time", "no-version", "no-number", "bare", "zone", "no-day"])
def test_what_is_no_demand_is_refused(admin, settings, where):
    with pytest.raises(Refused) as refused:
        admin.post("/policies", name="No demand", kind="configuration", settings=settings)
    assert refused.value.status == 400 and where in json.dumps(refused.value.problem)
