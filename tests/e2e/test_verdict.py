# SPDX-License-Identifier: Apache-2.0
"""What people are told of verdicts: rules that can be found, devices that are shut out, devices that left."""
import re

import pytest

import sim
from test_cli import house, muster

pytestmark = pytest.mark.policy


def enrolled(muster, folder, name, **options):
    one = sim.Phone(folder / name, ca=muster.ca)
    one.enrol(muster("enrol", "link").strip(), name=name, **options)
    one.check_in()
    return one


def test_rules_of_compliance_are_found_and_used_by_command(muster, tmp_path):
    rows = {one["name"]: one for one in muster.json("setting", "list")["items"]}
    assert {name for name, one in rows.items() if one["use"] == "compliance"} == {
        "os.minimum", "os.maximum", "integrity.attested", "contact.max_days", "grace.days", "settings.apply"}
    assert rows["password.min_length"]["use"] == "both" and rows["password.min_lower"]["use"] == "configuration"
    assert rows["os.minimum"]["type"] == "version" and rows["contact.max_days"]["range"]["highest"] == 120
    assert re.search(r"^os\.minimum +a version", muster("setting", "list"), re.M)
    assert "not compliant" in muster("setting", "get", "grace.days")
    gauge = enrolled(muster, tmp_path, "Gauge", os="17.5.1")
    gauge.set({"passcode.present": False})
    muster("device", "sync", "Gauge")
    gauge.check_in()
    muster("policy", "create", "Measured", "--kind", "compliance", "--set", "os.minimum=17", "--set", "os.maximum=18",
           "--set", "contact.max_days=60", "--set", "grace.days=3", "--set", "password.required=true",
           "--set", "settings.apply=false")
    muster("policy", "assign", "Measured", "--device", "Gauge")
    told = ""
    for _ in range(100):
        told = muster("explain", "Gauge")
        if "os.minimum: compliant" in told:
            break
    assert "os.minimum: compliant" in told and "No configuration is set by a policy." in told
    assert "password.required: in_grace_period" in told and "contact.max_days: compliant" in told
    muster("policy", "create", "Empty", "--kind", "compliance", "--set", "settings.apply=false", code=1)
    assert "alone is no rule" in muster.said


def test_a_setting_that_does_not_exist_is_told_from_one_that_nobody_uses(muster, tmp_path):
    enrolled(muster, tmp_path, "Asked")
    muster("explain", "Asked", "password.bogus", code=3)
    assert "there is no setting password.bogus" in muster.said and "setting list" in muster.said
    muster("explain", "Asked", "password.history", code=3)
    assert "no policy of this device speaks of password.history" in muster.said


def test_a_device_whose_certificate_was_revoked_is_named(muster, tmp_path):
    one = enrolled(muster, tmp_path, "Zombie", passcode=8)
    muster("policy", "create", "Locked", "--kind", "compliance", "--set", "password.required=true",
           "--set", "settings.apply=false")
    muster("policy", "assign", "Locked", "--device", "Zombie")
    for _ in range(100):
        if muster.json("device", "get", "Zombie")["compliance"] == "compliant":
            break
    device = muster.json("device", "get", "Zombie")
    assert device["compliance"] == "compliant" and device["shut_out"] is None
    assert re.search("^ok +shut out", muster("doctor"), re.M)
    [certificate] = [row for row in muster.json("certificate", "list", "--all")["items"]
                     if row["device_id"] == device["id"]]
    muster("certificate", "revoke", certificate["id"], "--yes")
    with pytest.raises(sim.Failed):
        one.check_in()
    device = muster.json("device", "get", "Zombie")
    assert (device["compliance"], device["shut_out"]) == ("unknown", "certificate_revoked")
    [row] = muster.json("device", "list", "--shut-out")["items"]
    assert row["name"] == "Zombie"
    [line] = [line for line in muster("doctor").splitlines() if "shut out" in line]
    assert line.startswith("warning") and "Zombie" in line and "muster enrol link --device" in line
    assert "It is shut out (certificate_revoked)" in muster("explain", "Zombie")
    one.enrol(muster("enrol", "link", "--device", "Zombie").strip(), name="Zombie")
    assert not muster.json("device", "list", "--shut-out")["items"]


def test_the_explanation_of_a_device_that_left_shows_nothing_as_in_force(muster, tmp_path):
    one = enrolled(muster, tmp_path, "Gone")
    muster("policy", "create", "Held", "--set", "password.required=true")
    muster("policy", "assign", "Held", "--device", "Gone")
    for _ in range(100):
        if "password.required = true" in muster("explain", "Gone"):
            break
    assert "password.required = true" in muster("explain", "Gone")
    muster("device", "retire", "Gone", "--yes")
    one.check_in()
    told = muster("explain", "Gone")
    assert "It left management (retired): nothing is managed any more" in told
    assert "wins" not in told and "since -" not in told
    assert muster.json("explain", "Gone")["effective"]["decisions"] == []


def test_how_far_a_device_is_believed_is_told_with_its_reason(muster, tmp_path):
    enrolled(muster, tmp_path, "Witness", os="17.5.1", build="21F90")
    told = muster("device", "integrity", "Witness")
    assert re.search("^state +claimed", told, re.M | re.I) and "word of the device alone" in told
    assert re.search("^Integrity\nclaimed at .*, counts until .*\n    The word of", muster("explain", "Witness"), re.M)
    muster("device", "attest", "Witness", code=5)
    assert "no root is configured" in muster.said and "attestation_ca_file" in muster.said
