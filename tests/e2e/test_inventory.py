# SPDX-License-Identifier: Apache-2.0
"""What is on a device, told by it, and shown: of personal devices only what management brought."""
import pytest

from phones import Wire, admin, house, make_phone, new_phone, types

pytestmark = pytest.mark.apple


def test_apps_certificates_and_profiles_are_listed(admin, make_phone):
    phone = make_phone("listed")
    phone.check_in()
    admin.command("listed", "sync")
    phone.check_in()
    lists = {one["kind"]: one for one in admin.items("/devices/listed/inventory")}
    assert set(lists) == {"app", "managed_app", "certificate", "profile"}
    assert all(one["evidence"] == "measured" and one["reported_at"] for one in lists.values())
    apps = {one["identifier"]: one for one in admin.items("/devices/listed/apps")}
    assert apps["com.example.notes"]["version"] == "4.2.1" and apps["com.example.notes"]["state"] is None
    assert apps["com.example.notes"]["detail"]["is_validated"] is True
    assert "is_beta" not in apps["com.example.notes"]["detail"]  # not told is not no
    assert apps["com.example.maps"]["state"] == "Managed"
    certificates = admin.items("/devices/listed/installed-certificates")
    assert [one for one in certificates if one["state"] == "identity" and one["expires_at"]]
    profiles = {one["identifier"]: one for one in admin.items("/devices/listed/profiles")}
    assert profiles["org.muster.enrolment"]["state"] == "managed"
    first = admin.get("/devices/listed/apps?limit=1")
    second = admin.get(f"/devices/listed/apps?limit=1&cursor={first['next']}")
    assert first["items"][0]["identifier"] < second["items"][0]["identifier"]


def test_a_personal_device_is_asked_for_little(house, admin, make_phone, tmp_path):
    phone = new_phone(house, tmp_path / "mine")
    phone.enrol(admin.link(ownership="personal"), name="mine")
    phone.check_in()
    admin.command("mine", "sync")
    asked = {}
    wire = Wire(house, phone)
    command = wire.next()
    while command:
        asked[command["Command"]["RequestType"]] = command["Command"]
        command = wire.next("Acknowledged", CommandUUID=command["CommandUUID"])
    assert "InstalledApplicationList" not in asked and "CertificateList" not in asked
    assert asked["ProfileList"]["ManagedOnly"] is True
    queries = set(asked["DeviceInformation"]["Queries"])
    assert not queries & {"WiFiMAC", "BluetoothMAC", "IsCloudBackupEnabled", "ServiceSubscriptions"}
    admin.command("mine", "sync")
    assert "ManagedApplicationList" in types(phone.check_in())
    assert {one["identifier"] for one in admin.items("/devices/mine/apps")} == {"com.example.maps"}
    assert not [name for name in admin.facts("mine") if name.startswith("network.")]


def test_whose_a_device_is_follows_the_last_way_in(admin, make_phone):
    phone = make_phone("changing")
    phone.check_in()
    admin.command("changing", "sync")
    phone.check_in()
    assert admin.items("/devices/changing/installed-certificates")
    assert [name for name in admin.facts("changing") if name.startswith("network.")]
    phone.enrol(admin.link(device="changing", ownership="personal"), name="changing")
    assert admin.device("changing")["ownership"] == "personal"
    assert not admin.items("/devices/changing/installed-certificates")
    phone.check_in()
    admin.command("changing", "sync")
    assert not {"InstalledApplicationList", "CertificateList"} & set(types(phone.check_in()))
    assert {one["identifier"] for one in admin.items("/devices/changing/apps")} == {"com.example.maps"}
    assert not [name for name in admin.facts("changing") if name.startswith("network.")]
    phone.enrol(admin.link(device="changing"), name="changing")  # says nothing: it stays personal
    assert admin.device("changing")["ownership"] == "personal"
    assert len(admin.events("changing", "device.ownership")) == 1
