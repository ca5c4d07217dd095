# SPDX-License-Identifier: Apache-2.0
"""The same device by a new link: what it was stays as history, what waited for it is never delivered."""
import pytest

import sim
from phones import admin, house, make_phone, types
from pki import authority, ocsp

pytestmark = pytest.mark.pki


def test_a_device_that_comes_again_is_not_sent_away(house, admin, authority, make_phone, tmp_path):
    phone = make_phone(passcode=8, without_declarations=True)
    phone.check_in()
    udid, old = phone.udid, tmp_path / "old.pem"
    device = admin.device(udid)["id"]
    old.write_bytes((phone.directory / "identity.pem").read_bytes())
    link = admin.link(device=udid)
    admin.command(udid, "retire")
    facts = admin.facts(udid)
    phone.enrol(link, without_declarations=True)  # erased and set up again before it heard of that
    session = phone.check_in()
    assert "RemoveProfile" not in types(session) and session["enrolled"]
    assert admin.device(udid)["id"] == device and admin.device(udid)["enrolment_state"] == "active"
    assert admin.commands(udid, "retire")[0]["state"] == "cancelled"
    assert set(facts) <= set(admin.facts(udid))
    assert len(admin.events(udid, "device.reenrolled")) == 1
    assert ": revoked" in ocsp(house, authority, old)
    assert ": good" in ocsp(house, authority, phone.directory / "identity.pem")


def test_an_attempt_that_breaks_off_replaces_nothing(house, admin, authority, make_phone, tmp_path):
    phone = make_phone()
    phone.check_in()
    other = sim.Phone(tmp_path / "other", ca=phone.common["ca"])
    link = admin.link(device=phone.udid)
    with pytest.raises(sim.Failed):
        other.enrol(link, udid=phone.udid, scep_misbehave="reuse-challenge")
    admin.command(phone.udid, "lock", message="still here")
    assert types(phone.check_in()) == ["DeviceLock"]
    assert ": good" in ocsp(house, authority, phone.directory / "identity.pem")


def test_a_device_that_left_is_judged_by_what_it_says_when_it_is_back(admin, make_phone):
    phone = make_phone(passcode=8, without_declarations=True)
    udid = phone.udid
    policy = admin.policy(f"Passcode {udid}", {"password.required": True}, kind="compliance",
                          device=admin.device(udid)["id"])
    phone.check_in()
    assert admin.compliance(udid) == "compliant"
    admin.command(udid, "retire")
    phone.check_in()
    assert admin.device(udid)["enrolment_state"] == "retired"
    phone.set({"passcode.present": False})
    phone.enrol(admin.link(), without_declarations=True)  # any link: it is managed by nobody
    assert admin.device(udid)["compliance"] == "unknown"
    assert "password.present" not in admin.facts(udid) and "os.version" in admin.facts(udid)
    phone.check_in()
    assert admin.device(udid)["compliance"] == "non_compliant"
    admin.drop(policy)
