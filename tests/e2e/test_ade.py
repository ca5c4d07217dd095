# SPDX-License-Identifier: Apache-2.0
"""Automated enrolment: token, devices and profiles at Apple's service, and devices that come from there."""
import plistlib
import subprocess
import uuid

import pytest

import sim
from ade import SERVICE, Service, connect, known, profile, sync
from admin import Admin, Refused
from house import House, wait_until
from phones import bring_push_certificate, plist_of, push_settings, types

pytestmark = pytest.mark.apple


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Three devices a page, and sessions that end after seven calls."""
    with Service(tmp_path_factory.mktemp("service"), "--page-size", 3, "--session-calls", 7) as one:
        yield one


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return sim.make_keys(tmp_path_factory.mktemp("keys"), 40)


@pytest.fixture(scope="module")
def house(database, apns, service):
    one = House(database, [*push_settings(apns), *service.settings()])
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def admin(house, apns, service, tmp_path_factory):
    one = Admin(house)
    bring_push_certificate(one, apns, tmp_path_factory.mktemp("push"))
    one.policy("Passcodes", {"password.min_length": 6})
    connect(one, service)
    return one


def serial():
    return "S" + uuid.uuid4().hex[:11].upper()


@pytest.fixture
def bring(admin, service, tmp_path, keys):
    """A function that makes a phone which the service knows, with a profile of its own."""
    def make(**settings):
        number = serial()
        name = f"Phones {number}"
        profile(admin, name, **settings)
        service.add(number)
        sync(admin)
        wait_until(lambda: number in known(admin), 20, "the device")
        admin.ask("PUT", f"{SERVICE}/devices/{number}", {"profile": name})
        wait_until(lambda: (service.device(number) or {}).get("profile_status") == "assigned", 30, "assigned")
        return number, sim.Phone(tmp_path / number, keys=keys)
    return make


def enrol(phone, service, number, **options):
    return sim.run("apple", "enrol", "--service", service.url, "--dir", service.directory, "--state",
                   phone.directory, "--serial", number, "--name", number,
                   *sim._options({**phone.common, **options}))


# ---- the token ----

def test_the_public_key_stays_the_same_and_its_private_key_stays_inside(house, admin):
    key = admin.ask("POST", SERVICE + "/public-key")["public_key"]
    assert admin.ask("POST", SERVICE + "/public-key")["public_key"] == key
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=key, capture_output=True, text=True,
                          check=True).stdout
    assert "2048 bit" in text and "CA:FALSE" in text and "Key Encipherment" in text
    assert b"PRIVATE" not in (house.log.read_bytes())


def test_a_token_for_another_key_or_another_server_is_refused(admin, service, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout",
                    tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)
    kept = (service.directory / "token.json").read_bytes()
    other = service.token((tmp_path / "cert").read_text())
    mine = admin.get(SERVICE)["public_key"]
    strange = service.token(mine, consumer="CK_other")
    ended = service.token(mine, days=-1)
    (service.directory / "token.json").write_bytes(kept)
    for token, status in ((other, 412), (strange, 409), (ended, 400), ("nonsense", 400),
                          (strange[:len(strange) // 2], 400)):
        with pytest.raises(Refused) as refused:
            admin.ask("PUT", SERVICE + "/token", {"token": token})
        assert refused.value.status == status, token[:40]
    assert sync(admin)["problem"] is None, "the token in use is untouched"


def test_a_renewed_token_of_the_same_server_keeps_what_is_known(admin, service):
    number = serial()
    service.add(number)
    sync(admin)
    wait_until(lambda: number in known(admin), 20, "the device")
    added = known(admin)[number]["added_at"]
    before = len(service.calls("/session"))
    admin.ask("PUT", SERVICE + "/token", {"token": service.token(admin.get(SERVICE)["public_key"], days=20)})
    state = sync(admin)
    assert state["state"] == "active" and state["problem"] is None and state["organization"] == "Example Ltd"
    assert known(admin)[number]["added_at"] == added
    assert len(service.calls("/session")) > before, "the new token makes a new session"


# ---- devices ----

def test_all_devices_are_fetched_by_pages_and_changes_follow(admin, service):
    numbers = [serial() for _ in range(8)]
    service.add(*numbers[:7], asset_tag="A-1")
    sync(admin)
    wait_until(lambda: set(numbers[:7]) <= set(known(admin)), 20, "all of them")
    seen = known(admin)
    assert seen[numbers[0]]["asset_tag"] == "A-1"
    assert seen[numbers[0]]["model"] == "iPhone 14"
    service.remove(numbers[0])
    service.add(numbers[1], asset_tag="A-2")
    service.add(numbers[7])
    sync(admin)
    wait_until(lambda: numbers[7] in known(admin), 20, "the last one")
    seen = known(admin)
    assert numbers[0] not in seen and numbers[7] in seen and seen[numbers[1]]["asset_tag"] == "A-2"
    assert admin.get(SERVICE)["devices"] == len(seen)


def test_a_cursor_that_has_expired_leads_to_a_fetch_that_also_sees_what_went(admin, service):
    stays, goes = serial(), serial()
    service.add(stays, goes)
    sync(admin)
    wait_until(lambda: goes in known(admin), 20, "both")
    fetches = len(service.calls("/server/devices"))
    service.remove(goes)
    service.expire(cursor=1)
    assert sync(admin)["problem"] is None
    wait_until(lambda: goes not in known(admin), 20, "the one that went is gone")
    assert stays in known(admin)
    assert len(service.calls("/server/devices")) > fetches + 1, "by pages again"


def test_a_session_that_ends_is_made_anew(admin, service):
    before = len(service.calls("/session"))
    service.expire(session=1)
    assert sync(admin)["problem"] is None
    assert len(service.calls("/session")) > before


def test_what_apple_refuses_is_told_to_people_and_heals(admin, service):
    service.answer("/devices/sync", 403, "T_C_NOT_SIGNED")
    state = sync(admin)
    assert "terms" in state["problem"] and "Business Manager" in state["remedy"]
    assert sync(admin)["problem"] is None


def test_a_service_that_asks_for_patience_gets_it(admin, service):
    service.answer("/devices/sync", 503, "BUSY", retry_after=2)
    before = len(service.calls("/devices/sync"))
    assert "503" in sync(admin)["problem"]
    wait_until(lambda: admin.get(SERVICE)["problem"] is None, 20, "it comes again by itself")
    assert len(service.calls("/devices/sync")) >= before + 2


# ---- profiles ----

def test_a_profile_says_what_was_chosen_and_goes_to_new_devices(house, admin, service):
    made = profile(admin, "All new ones", is_automatic=True, skip=["Siri", "Location"], department="IT",
                   support_phone="+49 1", is_removable=False)
    number = serial()
    service.add(number)
    sync(admin)
    wait_until(lambda: (service.device(number) or {}).get("profile_status") == "assigned", 20, "assigned")
    told = service.books()["profiles"][service.device(number)["profile_uuid"]]
    assert told["url"] == f"https://localhost:{house.ports['front']}/apple/automated"
    assert told["is_supervised"] and told["is_mandatory"] and not told["is_mdm_removable"]
    assert told["await_device_configured"] and told["skip_setup_items"] == ["Siri", "Location"]
    assert (told["department"], told["support_phone_number"]) == ("IT", "+49 1")
    assert len(told["anchor_certs"]) == 1
    changed = profile(admin, "All new ones", department="Help desk")
    assert changed["revision"] == made["revision"] + 1 and changed["skip"] == ["Siri", "Location"]
    wait_until(lambda: service.books()["profiles"].get(service.device(number)["profile_uuid"], {})
               .get("department") == "Help desk", 20, "the changed profile is assigned")
    profile(admin, "All new ones", is_automatic=False)


def test_a_device_that_is_not_accessible_is_said(admin, service):
    number = serial()
    profile(admin, "For one")
    service.add(number, sim_inaccessible=True)
    sync(admin)
    wait_until(lambda: number in known(admin), 20, "the device")
    admin.ask("PUT", f"{SERVICE}/devices/{number}", {"profile": "For one"})
    wait_until(lambda: known(admin)[number]["problem"], 20, "the refusal")
    assert "does not belong" in known(admin)[number]["problem"]
    with pytest.raises(Refused) as refused:
        admin.ask("DELETE", f"{SERVICE}/profiles/For%20one")
    assert refused.value.status == 412
    admin.ask("PUT", f"{SERVICE}/devices/{number}", {})
    admin.ask("DELETE", f"{SERVICE}/profiles/For%20one")


@pytest.mark.parametrize("wish", [{"skip": "Siri"}, {"skip": ["<x>"]}, {"minimum_os": "new"}, {"colour": "red"}])
def test_a_profile_that_makes_no_sense_is_refused(admin, wish):
    with pytest.raises(Refused) as refused:
        profile(admin, "Odd", **wish)
    assert refused.value.status == 400


# ---- devices come ----

def test_a_phone_enrols_supervised_and_waits_until_it_has_what_it_needs(admin, service, bring):
    number, phone = bring()
    told = enrol(phone, service, number)
    assert [one["status"] for one in told["automated"]] == [200]
    device = admin.device(number)
    assert device["ownership"] == "company"
    assert phone.show()["enrolment"]["awaits_configuration"]
    done = []
    def released():
        done.extend(types(phone.check_in()))
        return not phone.show()["enrolment"]["awaits_configuration"]
    wait_until(released, 40, "DeviceConfigured")
    assert done.count("DeviceConfigured") == 1
    assert any(one["identifier"].startswith("org.muster") for one in phone.show()["profiles"])
    wait_until(lambda: admin.events(number, "device.setup_finished"), 20, "the event")
    assert admin.device(number)["is_supervised"]
    assert known(admin)[number]["device_id"] == device["id"]
    with pytest.raises(sim.Failed):
        phone.remove_management()


def test_what_is_required_comes_before_the_assistant_goes_on(admin, service, bring):
    number, phone = bring()
    enrol(phone, service, number, without_declarations=True)
    order = []
    wait_until(lambda: order.extend(types(phone.check_in())) or "DeviceConfigured" in order, 40, "released")
    assert order.index("InstallProfile") < order.index("DeviceConfigured")
    assert plist_of(phone, "org.muster.password") or phone.show()["profiles"]


def test_a_system_that_is_too_old_updates_first(admin, service, bring):
    number, phone = bring(minimum_os="99.1")
    told = enrol(phone, service, number, os="17.1")
    assert [one["status"] for one in told["automated"]] == [403, 200]
    assert told["automated"][0]["content_type"].startswith("application/json")
    assert told["updated_to"] == "99.1"
    assert admin.device(number)["os_version"] == "99.1"


def test_a_system_that_cannot_update_by_itself_enrols_as_it_is(admin, service, bring):
    number, phone = bring(minimum_os="99.1")
    assert [one["status"] for one in enrol(phone, service, number, os="16.5")["automated"]] == [200]


def test_a_device_that_the_service_does_not_name_is_refused(house, admin, service, bring):
    number, phone = bring()
    given = service.device(number)["profile_uuid"]
    service.remove(number)
    sync(admin)
    wait_until(lambda: number not in known(admin), 20, "it is gone")
    service.add(number, profile_uuid=given)  # there again, but nobody has looked
    with pytest.raises(sim.Failed) as failed:
        enrol(phone, service, number)
    assert "403" in str(failed.value)
    assert [one for one in admin.items("/refusals") if number in str(one["detail"])]


def test_what_another_authority_signed_is_refused(admin, service, bring, tmp_path_factory, house):
    number, phone = bring()
    rogue = tmp_path_factory.mktemp("rogue")
    sim.run("enrolment-service", "authority", "--dir", rogue)
    (rogue / "ca.pem").write_bytes(service.ca.read_bytes())
    with pytest.raises(sim.Failed) as failed:
        sim.run("apple", "enrol", "--service", service.url, "--dir", rogue, "--state", phone.directory, "--serial",
                number)
    assert "403" in str(failed.value)
    [told] = [one for one in admin.items("/refusals") if one["kind"] == "device.unproven"]
    assert "device_ca_file" in str(told["detail"])
    status, _, body = house.get("/apple/automated", method="POST", body=b"\x30\x03\x02\x01\x00")
    assert status == 400 and b"CMS" not in body


def test_a_phone_that_was_erased_comes_in_again_by_itself(admin, service, bring):
    number, phone = bring(awaits_configuration=False)
    enrol(phone, service, number)
    phone.check_in()
    first = admin.device(number)
    enrol(phone, service, number)
    phone.check_in()
    again = admin.device(number)
    assert again["id"] == first["id"] and again["enrolment_state"] == "active"
    assert admin.events(number, "device.reenrolled")


def test_a_blocked_phone_does_not_come_in_by_erasing_it(admin, service, bring):
    number, phone = bring(awaits_configuration=False)
    enrol(phone, service, number)
    phone.check_in()
    admin.post(f"/devices/{number}/block")
    with pytest.raises(sim.Failed) as failed:
        enrol(phone, service, number)
    assert "403" in str(failed.value)
    assert admin.device(number)["enrolment_state"] == "blocked"


# ---- Apple Configurator ----

def test_configurator_finds_the_way(house):
    import json
    status, _, body = house.get("/MDMServiceConfig")
    told = json.loads(body)
    assert status == 200 and told["dep_enrollment_url"].endswith("/apple/automated")
    status, _, body = house.get("/apple/anchors")
    assert status == 200 and len(json.loads(body)) == 1
