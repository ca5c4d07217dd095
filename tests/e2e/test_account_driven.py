# SPDX-License-Identifier: Apache-2.0
"""Personal devices that enrol by a managed account, over the real wire, on both databases."""
import json
import re

import pytest

import sim
from admin import Admin, Refused
from house import House
from phones import admin, bring_push_certificate, house, new_phone, plist_of, push_settings, types
from test_apple_enrolment import open_profile
from test_signin import FORM, PASSWORD, Browser, Person

pytestmark = pytest.mark.apple

WELL_KNOWN = "/.well-known/com.apple.remotemanagement"
ENROL = "/apple/account/enrol"
SIGN_IN = "/apple/account/sign-in"
RESULT = "apple-remotemanagement-user-login://authentication-results?access-token="
SIGNED = {"Content-Type": "application/pkcs7-signature"}


def enrol(house, folder, person, **options):
    phone = new_phone(house, folder)
    words = {"account": f"{person.name}@example.org", "account_host": f"https://localhost:{house.ports['front']}",
             "state": phone.directory, "ca": phone.common["ca"], "password": person.once,
             "new_password": PASSWORD, **options}
    return phone, sim.run("apple", "enrol", *[word for key, value in words.items()
                                              for word in ("--" + key.replace("_", "-"), value)])


@pytest.fixture
def person(admin):
    return Person(admin)


@pytest.fixture
def account(house, admin, person, tmp_path):
    """(phone, its device)"""
    phone, result = enrol(house, tmp_path / "phone", person)
    name = phone.show()["enrolment"]["enrollment_id"]
    assert result["account"] == [401, 200]
    return phone, admin.device(name)


def token_of(house, person, password=None):
    """The token that the web view ends with."""
    browser = Browser(house, SIGN_IN)
    assert browser.sign_in(person, password or person.once) == 303
    browser.look()
    if browser.title == "Choose a password":
        assert browser.send(new_password=PASSWORD, repeated=PASSWORD) == 303
        browser.look()
    assert browser.title == "Ready"  # nobody is asked whose it is
    assert browser.send() == 308
    where = browser.headers["Location"]
    assert where.startswith(RESULT)
    return where[len(RESULT):]


def ask(house, token=None):
    headers = {**SIGNED, **({"Authorization": f"Bearer {token}"} if token else {})}
    return house.get(ENROL, method="POST", body=b"0\x80", headers=headers)


@pytest.mark.proves_partly("4c-5")
def test_a_person_enrols_a_phone_with_a_managed_account(house, admin, person, account):
    phone, device = account
    assert device["enrolment_mode"] == "account" and device["ownership"] == "personal"
    assert device["user_name"] == person.name and device["enrolment_state"] == "active"
    assert not device.get("serial") and phone.show()["model"]["device"]["serial"] not in json.dumps(device)
    assert device["udid"] != phone.udid
    mdm = [part for part in plist_of(phone, "org.muster.enrolment")["PayloadContent"]
           if part["PayloadType"] == "com.apple.mdm"][0]
    assert mdm["EnrollmentMode"] == "BYOD" and "AccessRights" not in mdm
    assert mdm["AssignedManagedAppleID"] == f"{person.name}@example.org"


def test_the_device_is_asked_nothing_that_names_it(house, admin, account):
    phone, device = account
    phone.check_in()
    facts = admin.facts(device["id"])
    assert facts["os.version"] and facts["device.product"]
    assert not {"device.serial", "network.wifi_mac", "device.name"} & set(facts)


def test_a_renewed_identity_is_still_the_account_s(house, admin, account):
    phone, device = account
    phone.check_in()
    before = phone.show()["enrolment"]
    admin.command(device["id"], "renew_identity")
    assert "InstallProfile" in types(phone.check_in())
    [command] = admin.commands(device["id"], "renew_identity")
    assert command["state"] == "applied"
    after = phone.show()["enrolment"]
    assert [before[key] for key in ("enrollment_id", "account")] == [after[key] for key in ("enrollment_id", "account")]
    assert admin.device(device["id"])["enrolment_mode"] == "account"


@pytest.mark.parametrize("kind", ["wipe", "clear_passcode", "restart", "shut_down", "rename", "enable_lost_mode",
                                  "locate"])
def test_what_concerns_the_whole_device_is_refused_before_it_is_queued(admin, account, kind):
    _, device = account
    with pytest.raises(Refused) as refused:
        admin.command(device["id"], kind)
    assert refused.value.status in (409, 412, 422) and not admin.commands(device["id"], kind)


def test_it_is_not_judged_by_what_it_does_not_obey(house, admin, person, tmp_path):
    phone, _ = enrol(house, tmp_path / "phone", person, passcode=6)
    device = admin.device(phone.show()["enrolment"]["enrollment_id"])["id"]
    policy = admin.policy("Long", {"password.min_length": 12, "password.type": "alphanumeric"}, device=device)
    rules = admin.policy("Judged", {"password.min_length": 12}, kind="compliance", device=device)
    for _ in range(3):
        phone.check_in()
    effective = json.dumps(admin.get(f"/devices/{device}/effective?explain=1")["decisions"])
    assert "enrol the whole device" in effective  # the type
    assert admin.delivered(device)["declaration.passcode"]["state"] == "verified"
    [declared] = [json.loads(one["text"]) for one in phone.show()["declarations"] if "passcode" in one["identifier"]]
    assert declared["Payload"]["MinimumLength"] == 6 and "RequireAlphanumericPasscode" not in declared["Payload"]
    assert phone.show()["passcode_complies"] is True  # six digits are all that it asks for
    assert admin.compliance(device) != "compliant"
    admin.drop(policy)
    admin.drop(rules)


def test_it_can_be_locked_and_retired(admin, account):
    phone, device = account
    phone.check_in()
    admin.command(device["id"], "lock")
    assert "DeviceLock" in types(phone.check_in())
    admin.command(device["id"], "retire")
    assert not phone.check_in()["enrolled"]


def test_the_domain_says_where_to_enrol(house):
    status, headers, body = house.get(f"{WELL_KNOWN}?user-identifier=anna@example.org&model-family=iPhone")
    assert status == 200 and headers["Content-Type"] == "application/json"
    server = json.loads(body)["Servers"][0]
    assert server["Version"] == "mdm-byod" and server["BaseURL"].endswith(ENROL)
    assert house.get(f"{WELL_KNOWN}?user-identifier=nobody@example.org")[2] == body
    status, _, body = house.get(f"{WELL_KNOWN}?user-identifier=a@example.org&model-family=AppleTV")
    assert status == 403 and json.loads(body)["code"] == "com.apple.well-known.failed"


def test_without_a_token_the_device_is_sent_to_sign_in(house):
    for token in (None, "nonsense", "x" * 300):
        status, headers, _ = ask(house, token)
        assert status == 401
        assert re.fullmatch(r'Bearer method="apple-as-web", url="https://[^"]+/apple/account/sign-in"',
                            headers["WWW-Authenticate"])


def test_a_device_has_to_be_one_where_its_maker_is_known(database, apns, tmp_path):
    maker = tmp_path / "maker"
    sim.run("enrolment-service", "authority", "--dir", maker)
    one = House(database, [*push_settings(apns), f"apple.device_ca_file={maker / 'device-root.pem'}"])
    try:
        one.start()
        admin = Admin(one)
        bring_push_certificate(admin, apns, tmp_path)
        _, result = enrol(one, tmp_path / "made", Person(admin), dir=maker)
        assert result["account"] == [401, 200]
        with pytest.raises(sim.Failed) as failed:  # it certified itself: nobody is asked to sign in
            enrol(one, tmp_path / "self-made", Person(admin))
        assert failed.value.result["account"] == [403]
        token = token_of(one, Person(admin))
        for body in (b"", b"0\x80", b"<plist/>", b"\x30\x03\x02\x01\x00"):
            for headers in (SIGNED, {**SIGNED, "Authorization": f"Bearer {token}"}):
                assert one.get(ENROL, method="POST", body=body, headers=headers)[0] in (400, 403)
        (maker / "device-root.pem").unlink()  # ours, and for a while: the device tries again
        assert ask(one, token)[0] == 503
    finally:
        one.close()


def test_a_token_is_good_once_and_for_this_door_alone(house, admin, person, tmp_path):
    token = token_of(house, person)
    assert house.get(f"/enrol/{token}", method="POST", body=b"", headers=FORM)[0] == 404
    status, headers, body = ask(house, token)
    assert status == 200 and headers["Content-Type"] == "application/x-apple-aspen-config"
    mdm = [part for part in open_profile(house, body, tmp_path)["PayloadContent"]
           if part["PayloadType"] == "com.apple.mdm"][0]
    assert mdm["EnrollmentMode"] == "BYOD" and "AccessRights" not in mdm
    assert ask(house, token)[0] == 401
    link = admin.link().rsplit("/", 1)[1]
    assert ask(house, link)[0] == 401
    assert house.get(f"/enrol/{link}", method="POST", body=b"", headers=FORM)[0] == 200
    assert token not in house.log.read_text(errors="replace")


def test_disabling_a_person_ends_a_token_that_was_not_used(house, admin, person):
    token = token_of(house, person)
    admin.post(f"/users/{person.name}/disable")
    assert ask(house, token)[0] == 401
    admin.post(f"/users/{person.name}/enable")
    assert ask(house, token)[0] == 401


def test_a_person_without_an_account_is_told_so(house, admin, person):
    admin.ask("PATCH", f"/users/{person.name}", {"mail": ""})
    browser = Browser(house, SIGN_IN)
    assert browser.sign_in(person, person.once) == 303
    browser.look()
    assert browser.send(new_password=PASSWORD, repeated=PASSWORD) == 303
    browser.look()
    assert browser.send() in (409, 412, 422) and b"Managed Apple Account" in browser.body


def test_the_name_that_was_typed_is_filled_in_and_the_way_back_is_open(house):
    browser = Browser(house, SIGN_IN)
    browser.look(query='?user-identifier=anna%22%3E%40example.org')
    assert browser.field("name") == 'anna">@example.org'
    assert "form-action 'self' apple-remotemanagement-user-login:" in browser.headers["Content-Security-Policy"]


def test_an_identity_of_an_account_cannot_speak_as_a_whole_device(house, admin, account):
    from phones import Wire
    phone, device = account
    wire = Wire(house, phone)
    wire.udid = device["udid"]
    assert wire.connect("Idle")[0] == 403  # the EnrollmentID, said as UDID
    assert admin.events(device["id"], "device.identity_mismatch")
