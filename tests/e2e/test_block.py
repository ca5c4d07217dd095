# SPDX-License-Identifier: Apache-2.0
"""A device shut out of management and let in again: what it hears, and what relying parties hear."""
import pytest
from cryptography import x509

import sim
from admin import Refused
from house import wait_until
from phones import admin, house, new_phone
from pki import authority, fetch_crl, ocsp, run

pytestmark = pytest.mark.pki


@pytest.fixture
def make_phone(house, admin, tmp_path):
    def make(name):
        phone = new_phone(house, tmp_path / name)
        phone.enrol(admin.link(), name=name, passcode=8)
        phone.check_in()
        return phone
    return make


def identity_of(phone):
    return phone.directory / "identity.pem"


def is_listed(house, folder, phone):
    serial = x509.load_pem_x509_certificate(identity_of(phone).read_bytes()).serial_number
    text = run("openssl", "crl", "-in", fetch_crl(house, folder), "-noout", "-text")
    return f"{serial:032X}" in text


@pytest.mark.proves_partly("4g-12")
def test_a_blocked_device_is_refused_and_stays_enrolled(house, admin, authority, make_phone, tmp_path):
    phone = make_phone("lost")
    admin.command("lost", "lock", message="call us")
    blocked = admin.post("/devices/lost/block", reason="reported as lost")
    assert blocked["enrolment_state"] == "blocked"
    heard = ocsp(house, authority, identity_of(phone))
    assert ": revoked" in heard and "certificateHold" in heard
    wait_until(lambda: is_listed(house, tmp_path, phone), 60, "the serial number in the list")
    # a result is refused too: the device keeps it and sends it again; 403 alone removes nothing
    assert {one["status"] for one in phone.misbehave("unknown-uuid-result")} == {403}
    with pytest.raises(sim.Failed):
        phone.check_in()
    [command] = admin.commands("lost", "lock")
    assert command["finished_at"] is None
    [entry] = [one for one in admin.items("/audit?limit=50") if one["action"] == "device.block"]
    assert entry["reason"] == "reported as lost"


@pytest.mark.proves_partly("4g-12")
def test_an_unblocked_device_goes_on_where_it_was(house, admin, authority, make_phone, tmp_path):
    phone = make_phone("found")
    admin.command("found", "lock", message="call us")
    admin.post("/devices/found/block")
    with pytest.raises(sim.Failed):
        phone.check_in()
    assert admin.post("/devices/found/unblock")["enrolment_state"] == "active"
    assert ": good" in ocsp(house, authority, identity_of(phone))
    session = phone.check_in()
    assert "DeviceLock" in [one["request_type"] for one in session["commands"]]
    wait_until(lambda: not is_listed(house, tmp_path, phone), 60, "the list without the serial number")


def test_a_blocked_device_does_not_enrol_around_it(admin, make_phone, house, tmp_path):
    make_phone("around")
    admin.post("/devices/around/block")
    with pytest.raises(Refused) as refused:
        admin.link(device="around")
    assert "unblock" in refused.value.problem["remedy"]
