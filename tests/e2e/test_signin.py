# SPDX-License-Identifier: Apache-2.0
"""People enrol their own devices at the sign-in page, over the real wire, on both databases."""
import html
import re
import urllib.parse
import uuid

import pytest

import sim
from admin import Refused
from phones import admin, house, new_phone, plist_of

pytestmark = pytest.mark.apple

PASSWORD = "a long walk by the sea"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def page(house):
    return f"https://localhost:{house.ports['front']}/enrol"


class Person:
    """A user and the one-time password that the administrator gave."""

    def __init__(self, admin, **wish):
        self.name = f"p{uuid.uuid4().hex[:10]}"
        self.once = admin.post("/users", name=self.name, mail=f"{self.name}@example.org", **wish)["password"]


class Browser:
    """Cookies and forms, by hand: what the simulated person does not try."""

    def __init__(self, house, path="/enrol"):
        self.house, self.path, self.cookies, self.body = house, path, {}, b""
        self.status = self.headers = None

    def ask(self, method="GET", body=None, headers=None, query=""):
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.status, self.headers, self.body = self.house.get(self.path + query, method=method, body=body, headers=sent)
        made = self.headers.get("Set-Cookie")
        if made:
            name, _, value = made.split(";")[0].partition("=")
            self.cookies[name] = value
        return self.status

    def look(self, **more):
        assert self.ask(**more) == 200
        return self

    def field(self, name):
        found = re.search(rf'name="{name}" value="([^"]*)"', self.body.decode())
        return html.unescape(found[1]) if found else None

    def send(self, token=None, step=None, **fields):
        pairs = {"token": token or self.field("token"), "step": step or self.field("step"), **fields}
        return self.ask("POST", urllib.parse.urlencode(pairs), FORM)

    def sign_in(self, person, password=PASSWORD):
        self.look()
        return self.send(name=person.name, password=password)

    @property
    def title(self):
        return re.search(r"<h1>([^<]*)</h1>", self.body.decode())[1]


@pytest.fixture
def person(admin, house):
    """One who has chosen a password."""
    one = Person(admin)
    browser = Browser(house)
    assert browser.sign_in(one, one.once) == 303
    browser.look()
    assert browser.send(new_password=PASSWORD, repeated=PASSWORD) == 303
    return one


def enrol(house, folder, person, password=PASSWORD, **options):
    phone = new_phone(house, folder)
    result = sim.run("apple", "enrol", "--sign-in", page(house), "--state", phone.directory, "--ca",
                     phone.common["ca"], "--user", person.name, "--password", password,
                     *[word for key, value in options.items() for word in ("--" + key.replace("_", "-"), value)])
    return phone, result


@pytest.mark.proves_partly("4c-5")
def test_a_person_enrols_a_phone_with_nothing_but_a_password(house, admin, tmp_path):
    person = Person(admin)
    phone, result = enrol(house, tmp_path / "phone", person, person.once, new_password=PASSWORD, name=person.name)
    assert result["pages"] == ["Enrol this device", "Choose a password", "Whose is this device?", "Ready"]
    device = admin.device(phone.udid)
    assert device["user_name"] == person.name and device["ownership"] == "personal"
    assert device["enrolment_state"] == "active"
    actions = [one["action"] for one in admin.items("/audit?limit=1000") if one["actor_name"] == person.name]
    assert {"visit.create", "user.password_chosen", "visit.end", "enrolment.start"} <= set(actions)


def test_the_way_in_decides_whose_the_device_is(house, admin, person, tmp_path):
    phone, _ = enrol(house, tmp_path / "phone", person, ownership="company")
    device = admin.device(phone.udid)
    assert device["ownership"] == "company"
    mdm = [part for part in plist_of(phone, "org.muster.enrolment")["PayloadContent"]
           if part["PayloadType"] == "com.apple.mdm"][0]
    assert mdm["AccessRights"] == 8191


@pytest.mark.parametrize("ownership, told, untold", [
    ("company", b"all installed apps", b"does not ask for your other apps"),
    ("personal", b"does not ask for your other apps", b"all installed apps")])
def test_people_are_told_what_will_be_seen_as_a_link_tells_them(house, person, ownership, told, untold):
    browser = Browser(house)
    assert browser.sign_in(person) == 303
    browser.look()
    assert browser.send(ownership=ownership) == 303
    browser.look()
    assert browser.title == "Ready" and told in browser.body and untold not in browser.body


def test_who_carries_a_device_enrols_it_again_and_nobody_else_does(house, admin, person, tmp_path):
    phone, _ = enrol(house, tmp_path / "phone", person)
    sim.run("apple", "enrol", "--sign-in", page(house), "--state", phone.directory, "--ca",
            phone.common["ca"], "--user", person.name, "--password", PASSWORD)
    assert admin.device(phone.udid)["enrolment_state"] == "active"
    other = Person(admin)
    with pytest.raises(sim.Failed, match="Authenticate"):
        enrol(house, tmp_path / "phone", other, other.once, new_password=PASSWORD)
    assert admin.device(phone.udid)["user_name"] == person.name


def test_wrong_passwords_and_wrong_names_look_alike(house, admin, person):
    answers = []
    for name, password in ((person.name, "wrong"), (uuid.uuid4().hex, PASSWORD), (person.name, "")):
        browser = Browser(house).look()
        assert browser.send(name=name, password=password) == 403
        answers.append(re.sub(r'value="[^"]*"', "", browser.body.decode()))
    assert len(set(answers)) == 1 and "wrong" in answers[0]
    refused = [one for one in admin.items("/refusals") if one["kind"] == "user_sign_in.refused"]
    assert any(one["subject"] == person.name for one in refused)
    assert PASSWORD not in house.log.read_text(errors="replace")


def test_a_disabled_person_is_shut_out_at_every_step(house, admin, person):
    ready, fresh = Browser(house), Browser(house)
    assert ready.sign_in(person) == 303
    ready.look()
    admin.post(f"/users/{person.name}/disable")
    assert ready.send(ownership="personal") == 303
    assert ready.look().title == "Enrol this device"
    assert fresh.sign_in(person) == 403
    admin.post(f"/users/{person.name}/enable")
    assert fresh.sign_in(person) == 303
    assert ready.look().title == "Enrol this device"  # what has ended does not come back


def test_new_terms_are_asked_for_again_and_the_answer_is_kept(house, admin, person, tmp_path):
    first = admin.post("/terms", title="House rules", body="Be kind.\n\n<script>alert(1)</script> & no \"more\".")
    try:
        browser = Browser(house)
        assert browser.sign_in(person) == 303
        browser.look()
        assert browser.title == "Terms and conditions"
        assert b"<script" not in browser.body and b"&lt;script&gt;" in browser.body
        version = browser.field("version")
        assert version == str(first["version"])
        assert browser.send(version=version) == 400 and b"agreement" in browser.body
        second = admin.post("/terms", title="House rules", body="Be kinder.")
        assert browser.send(version=version, terms="yes") == 303  # what was read is not what holds
        assert b"Be kinder." in browser.look().body
        assert browser.send(version=str(second["version"]), terms="yes") == 303
        assert browser.look().title == "Whose is this device?"
        agreed = admin.items(f"/terms/{second['version']}/acceptances")
        assert [one["user_name"] for one in agreed] == [person.name]
        assert admin.items(f"/terms/{first['version']}/acceptances") == []
        phone, result = enrol(house, tmp_path / "phone", person)
        assert "Terms and conditions" not in result["pages"]
        admin.post("/terms", title="House rules", body="Be kindest.")
        assert Browser(house).sign_in(person) == 303
        _, result = enrol(house, tmp_path / "next", person)
        assert "Terms and conditions" in result["pages"]
    finally:
        for one in admin.items("/terms"):
            if not one.get("withdrawn_at"):
                admin.post(f"/terms/{one['version']}/withdraw")
    with pytest.raises(Refused) as twice:
        admin.post(f"/terms/{first['version']}/withdraw")
    assert twice.value.status == 409


def test_a_form_is_worth_nothing_without_its_cookie_and_its_token(house, person):
    browser = Browser(house).look()
    stolen = dict(browser.cookies)
    assert browser.send(token="0" * 64, name=person.name, password=PASSWORD) == 403
    browser.cookies = {}
    assert browser.send(token=browser.field("token") or "x", name=person.name, password=PASSWORD) == 403
    other = Browser(house).look()
    other.cookies = stolen
    assert other.send(name=person.name, password=PASSWORD) == 403  # its token, another's cookie


def test_a_sign_in_changes_the_cookie_and_is_used_once(house, person):
    browser = Browser(house)
    browser.look()
    before = dict(browser.cookies)
    flags = browser.headers["Set-Cookie"]
    for flag in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert flag in flags
    assert list(before)[0].startswith("__Host-")
    assert browser.send(name=person.name, password=PASSWORD) == 303
    assert browser.cookies != before and browser.headers["Location"].endswith("/enrol")
    old = Browser(house)
    old.cookies = before
    assert old.look().title == "Enrol this device"
    browser.look()
    assert browser.send(ownership="personal") == 303
    browser.look()
    token = browser.field("token")
    assert browser.send() == 200
    assert browser.headers["Content-Type"] == "application/x-apple-aspen-config"
    assert browser.send(token=token, step="ready") == 303  # the same once more
    assert browser.look().title == "Enrol this device"


def test_a_step_cannot_be_left_out(house, admin):
    person = Person(admin)
    browser = Browser(house)
    assert browser.sign_in(person, person.once) == 303
    browser.look()
    for step, fields in (("ready", {}), ("ownership", {"ownership": "company"}), ("terms", {"terms": "yes"})):
        assert browser.send(step=step, **fields) == 303
        assert browser.look().title == "Choose a password"
    for new, again in (("short", "short"), (PASSWORD, PASSWORD + "x"), (person.once, person.once)):
        assert browser.send(new_password=new, repeated=again) == 400
        assert b'role="alert"' in browser.body


@pytest.mark.parametrize("body", [b"", b"=", b"token=a&token=b", b"nobody=asked", b"token=%ff%00", b"a" * 9000,
                                  b"&".join(b"name=1" for _ in range(3)), b"step=ready"])
def test_hostile_forms_are_refused(house, person, body):
    browser = Browser(house)
    assert browser.sign_in(person) == 303
    assert browser.ask("POST", body, FORM) in (400, 403, 413)
    assert browser.ask("POST", b"{}", {"Content-Type": "application/json"}) == 400


def test_pages_are_not_framed_kept_or_scripted(house):
    browser = Browser(house).look()
    policy = browser.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
    assert browser.headers["Cache-Control"] == "no-store"
    assert b"<script" not in browser.body
    assert b'autocomplete="current-password"' in browser.body and b"<label>" in browser.body


def test_guessing_is_slowed_down(sqlite_house):
    """In a house of its own: the budget of an address is one for all."""
    from admin import Admin
    sqlite_house.start()
    admin = Admin(sqlite_house)
    person = Person(admin)
    statuses = []
    for _ in range(7):
        browser = Browser(sqlite_house).look()
        statuses.append(browser.send(name=person.name, password="wrong"))
    assert statuses[:5] == [403] * 5 and statuses[5:] == [429] * 2
    browser = Browser(sqlite_house).look()
    assert browser.send(name=person.name, password=person.once) == 429
    assert b"wait" in browser.body
