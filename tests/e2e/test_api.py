# SPDX-License-Identifier: Apache-2.0
"""The API against its own description, and against people who may not."""
import json
import re
import subprocess

import pytest

from admin import API, Admin, Refused
from house import wait_until
from sim import Phone, run

pytestmark = pytest.mark.e2e

# What an auditor may do; everything else is refused.  The table of src/fleet/permission.c says why.
AUDITOR_MAY = {"account.read", "apple.read", "audit.read", "certificate.read", "device.read", "enrolment.read", "policy.read",
               "self", "status.read", "terms.read", "token.read", "user.read"}
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def admin(house):
    return Admin(house)


@pytest.fixture(scope="module")
def phone(house, admin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phone")
    (folder / "root.pem").write_text(house.root_pem())
    one = Phone(folder / "one", ca=folder / "root.pem")
    one.enrol(admin.link())
    one.check_in()
    admin.policy("Passcode", {"password.required": True, "password.min_length": 8})
    admin.policy("Healthy", {"password.required": True, "os.minimum": "16.0"}, kind="compliance")
    return one


@pytest.fixture(scope="module")
def mac(house, admin, tmp_path_factory):
    """A Mac that somebody signed in to: its id."""
    folder = tmp_path_factory.mktemp("mac")
    (folder / "root.pem").write_text(house.root_pem())
    Phone(folder / "one", ca=folder / "root.pem").enrol(admin.link(), name="desk", model="Mac14,2", os="14.5", build="23F79")
    run("apple", "user", "--state", folder / "one", "--user", "ann")
    return admin.device("desk")["id"]


@pytest.fixture(scope="module")
def document(house):
    status, headers, body = house.get(API + "/openapi.json")
    assert status == 200 and headers["Content-Type"] == "application/json"
    return json.loads(body)


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def filled(path, **known):
    """The path with its holes filled: by what is known, else by something that does not exist."""
    return re.sub(r"{(\w+)}", lambda hole: known.get(hole[1], UNKNOWN), path)[len(API):]


def body_of(operation):
    return b"{}" if "requestBody" in operation else None


@pytest.mark.proves_partly("4c-34")
def test_every_operation_is_described_for_people(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) and len(names) > 30
    for path, method, operation in operations(document):
        assert len(operation["summary"]) > 5, f"{method} {path}"
        assert "x-permission" in operation or operation.get("security") == [], f"{method} {path}"
        holes = set(re.findall(r"{(\w+)}", path))
        assert holes == {one["name"] for one in operation["parameters"] if one["in"] == "path"}


# A phone that nobody lost has neither; test_lost reads them. Devices of the enrolment service: test_ade.
NOT_THERE = ("/position", "/bypass-code", "/enrolment-service/devices",
             "/acceptances")  # of terms: test_signin


@pytest.mark.proves_partly("4c-34")
def test_what_is_read_is_as_described(document, admin, phone, mac):
    """Every GET with real objects behind it; Admin.ask holds the answer against its schema."""
    device = next(one["id"] for one in admin.items("/devices") if one["id"] != mac)
    admin.command(device, "sync")  # for what is on the phone
    phone.check_in()
    admin.post("/users", name="anna", mail="anna@example.org")
    terms = admin.post("/terms", title="House rules", body="Be kind.")
    admin.ask("PATCH", f"/devices/{device}", {"user": "ANNA@example.org"})
    admin.ask("PUT", "/apple/enrolment-service/profiles/Phones", {"department": "IT"})
    known = {"device": device, "policy": "Passcode", "name": "Phones", "certificate": admin.items("/certificates")[0]["id"],
             "id": admin.items("/commands")[0]["id"], "account": "admin", "user": "anna", "version": str(terms["version"])}
    with pytest.raises(Refused):
        admin.post("/sessions", name="admin", password="wrong")  # for the list of refusals
    checked = 0
    for path, method, operation in operations(document):
        if method != "GET" or path.endswith(("openapi.json", *NOT_THERE)):
            continue
        answer = admin.get(filled(path, **{**known, "device": mac if path.endswith("{device}/users") else device}))
        if "items" in answer:
            assert answer["items"], f"{path} shows nothing: the check would be empty"
        checked += 1
    assert checked > 15


@pytest.mark.proves_partly("4c-33")
def test_nothing_is_served_to_strangers(document, house):
    for path, method, operation in operations(document):
        if operation.get("security") == []:
            continue
        for headers in ({}, {"Authorization": "Bearer muster_" + "A" * 40}, {"Authorization": "Basic YTpi"}):
            status, _, body = house.get(API + filled(path), method=method, body=body_of(operation), headers=headers)
            assert status == 401, f"{method} {path}"
            assert json.loads(body)["title"]


@pytest.mark.proves_partly("4c-33")
def test_every_operation_needs_its_permission(document, admin, house):
    """An auditor's token: each operation is refused exactly when its permission is not the auditor's."""
    auditor = admin.post("/tokens", name="auditor", role="auditor")["token"]
    for path, method, operation in operations(document):
        if operation.get("security") == [] or operation["operationId"] in ("session_delete", "token_delete"):
            continue  # an own one may always be ended; others are tested below
        status, _, _ = house.get(API + filled(path), method=method, body=body_of(operation),
                                 headers={"Authorization": f"Bearer {auditor}"})
        may = operation["x-permission"] in AUDITOR_MAY
        assert (status == 403) == (not may), f"{method} {path}: {status}"


@pytest.mark.proves_partly("4c-33")
def test_one_may_end_an_own_token_and_no_other(admin, house):
    mine, other = (admin.post("/tokens", name=name, role="auditor") for name in ("mine", "other"))
    headers = {"Authorization": f"Bearer {mine['token']}"}
    assert house.get(f"{API}/tokens/{other['id']}", method="DELETE", headers=headers)[0] == 403
    assert house.get(f"{API}/tokens/{mine['id']}", method="DELETE", headers=headers)[0] == 204
    assert house.get(API + "/status", headers=headers)[0] == 401


def test_a_token_ends_when_it_is_revoked(admin, house):
    made = admin.post("/tokens", name="short", role="auditor")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert house.get(API + "/status", headers=headers)[0] == 200
    admin.ask("DELETE", f"/tokens/{made['id']}")
    assert house.get(API + "/status", headers=headers)[0] == 401


def test_an_account_is_made_lowered_and_ended(admin, house):
    made = admin.post("/accounts", name="Änne", role="help_desk")
    assert made["password"] not in json.dumps(admin.get("/accounts?limit=1000"))
    with pytest.raises(Refused) as refused:
        admin.post("/accounts", name="Änne", role="auditor")
    assert refused.value.status == 409
    session = admin.post("/sessions", name="Änne", password=made["password"], new_password="ä" * 12)
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert house.get(API + "/status", headers=headers)[0] == 200
    assert admin.ask("PATCH", f"/accounts/{made['id']}", {"role": "auditor"})["role"] == "auditor"
    assert house.get(API + "/status", headers=headers)[0] == 401
    session = admin.post("/sessions", name="Änne", password="ä" * 12)
    assert session["role"] == "auditor"
    assert admin.post(f"/accounts/{made['id']}/disable", reason="left us")["disabled_at"]
    assert house.get(API + "/status", headers={"Authorization": f"Bearer {session['token']}"})[0] == 401
    with pytest.raises(Refused) as refused:
        admin.post("/sessions", name="Änne", password="ä" * 12)
    assert refused.value.status == 401

    def entries():  # numbered soon after
        found = {one["action"]: one for one in admin.items("/audit?limit=1000") if one["subject_id"] == made["id"]}
        return {"account.create", "account.role", "account.disable"} <= set(found) and found
    assert wait_until(entries, 15, "audited")["account.disable"]["reason"] == "left us"


def test_the_last_administrator_cannot_be_ended(admin, house):
    for change in (lambda: admin.post("/accounts/admin/disable"),
                   lambda: admin.ask("PATCH", "/accounts/admin", {"role": "auditor"})):
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.status == 412 and "administrator" in refused.value.problem["remedy"]
    done = subprocess.run(house.command("admin", "admin", "--disable"), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "last enabled administrator" in done.stderr


def test_the_server_s_own_command_line_ends_an_account(admin, house):
    made = admin.post("/accounts", name="Mallory", role="administrator")
    session = admin.post("/sessions", name="Mallory", password=made["password"], new_password="mallory mallory")
    status, _, body = house.get(API + "/accounts/Mallory/disable", method="POST", body="{}",
                                headers={"Authorization": f"Bearer {session['token']}",
                                         "Content-Type": "application/json"})
    assert status == 412 and "your own account" in json.loads(body)["detail"]
    subprocess.run(house.command("admin", "Mallory", "--disable"), capture_output=True, check=True)
    assert house.get(API + "/status", headers={"Authorization": f"Bearer {session['token']}"})[0] == 401
    assert subprocess.run(house.command("admin", "Mallory"), capture_output=True, check=False).returncode == 1
    locked = subprocess.run(house.command("admin", "Mallory"), capture_output=True, text=True, check=False)
    assert locked.returncode == 1 and "musterd admin NAME --enable" in locked.stderr
    subprocess.run(house.command("admin", "Mallory", "--enable"), capture_output=True, check=True)
    assert admin.post("/sessions", name="Mallory", password="mallory mallory")["token"]


def test_a_secret_is_shown_once_and_never_again(admin):
    made = admin.post("/tokens", name="once")
    assert made["token"].startswith("muster_")
    assert made["token"] not in json.dumps(admin.get("/tokens?limit=1000"))
    assert made["token"] not in json.dumps(admin.get("/audit?limit=1000"))


@pytest.mark.parametrize("body, pointer", [
    ({"name": "x", "kind": "configuration", "settings": {"password.min_length": 17}}, "/settings/password.min_length"),
    ({"name": "x", "kind": "configuration", "settings": {"password.min_length": "8"}}, "/settings/password.min_length"),
    ({"name": "x", "kind": "configuration", "settings": {"password.colour": 1}}, "/settings/password.colour"),
    ({"name": "x", "kind": "wish", "settings": {}}, "/kind"),
    ({"name": "", "kind": "configuration", "settings": {}}, "/name"),
    ({"kind": "configuration", "settings": {}}, "/name"),
    ({"name": "x", "kind": "configuration", "settings": {}, "colour": 1}, "/colour"),
    ({"name": 5, "kind": "configuration", "settings": {}}, "/name"),
])
@pytest.mark.proves_partly("4c-1")
def test_what_is_wrong_is_named_by_its_pointer(admin, body, pointer):
    with pytest.raises(Refused) as refused:
        admin.ask("POST", "/policies", body)
    assert refused.value.status in (400, 422)
    assert [one["pointer"] for one in refused.value.problem["errors"]] == [pointer]
    assert refused.value.problem["request_id"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"name":"x"}{}', b'{"name":"x","name":"y"}', b"[" * 100000,
                                  b'{"name":"\xff"}', b'{"name":"a\\u0000b"}', b"null", b"[]"])
def test_what_is_no_json_object_is_refused(admin, house, body):
    status, headers, answer = house.get(API + "/policies", method="POST", body=body,
                                        headers={"Authorization": f"Bearer {admin.token}"})
    assert 400 <= status < 500 and headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer)["status"] == status


def test_pages_join_without_gap_or_double(admin):
    for number in range(7):
        admin.post("/enrolment-links", name=f"page {number}")
    whole = [one["id"] for one in admin.items("/enrolment-links?limit=1000")]
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/enrolment-links?limit=3{cursor and '&cursor=' + cursor}")
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert seen == whole and len(seen) == len(set(seen))


def test_every_list_refuses_a_cursor_that_is_none(document, admin, phone):
    device = admin.items("/devices")[0]["id"]
    lists = [path for path, method, operation in operations(document) if method == "GET"
             and "cursor" in {one["name"] for one in operation["parameters"]} and not set(re.findall(r"{(\w+)}", path)) - {"device"}]
    assert len(lists) > 12
    for path in lists:
        for cursor in ("foo", "zzz", "-1", ""):
            with pytest.raises(Refused) as refused:
                admin.get(filled(path, device=device) + f"?cursor={cursor}")
            assert refused.value.status == 400, f"{path} {cursor}"


def test_events_are_read_by_kind_device_and_time(admin, phone):
    device = admin.items("/devices")[0]
    everything = admin.items("/events")
    enrolled = admin.items("/events?kind=device.enrolled")
    assert {one["kind"] for one in enrolled} == {"device.enrolled"} and len(everything) > len(enrolled)
    of_it = [one for one in enrolled if one["device_name"] == device["name"]]
    assert len(of_it) == 1
    assert admin.items(f"/events?device={device['serial']}&kind=device.enrolled") == of_it
    assert admin.items(f"/devices/{device['id']}/events?kind=device.enrolled") == of_it
    assert admin.items("/events?since=2099-01-01T00:00:00Z") == []
    assert admin.items("/events?since=2020-01-01T00:00:00Z") == everything
    page = admin.get("/events?limit=1")
    assert admin.get(f"/events?limit=1&cursor={page['next']}")["items"] == [everything[1]]
    for query in ("since=yesterday", "kind=", "device=nobody", "colour=red"):
        with pytest.raises(Refused):
            admin.get(f"/events?{query}")


def test_the_audit_log_is_checked_part_by_part(admin):
    admin.link(), admin.link()
    wait_until(lambda: len(admin.items("/audit")) >= 2, 30, "numbered entries")
    entries, after, parts = 0, 0, 0
    while after or not parts:
        part = admin.get(f"/audit/verification?after={after}&most=1")
        assert part["is_intact"] and part["entries"] <= 1
        assert part["next"] in (0, after + 1)
        entries, after, parts = entries + part["entries"], part["next"], parts + 1
    assert parts == entries + 1 and entries >= 2
    for wrong in ("after=-1", "after=x", "after=", "most=0", "most=50001", "most=1x", f"after={2 ** 63}"):
        with pytest.raises(Refused) as refused:
            admin.get(f"/audit/verification?{wrong}")
        assert refused.value.status == 400 and wrong.partition("=")[0] in refused.value.problem["detail"]
    beyond = admin.get("/audit/verification?after=1000000")  # a part that begins nowhere is no good sign
    assert not beyond["is_intact"] and "1000000" in beyond["problem"]


def test_a_token_has_an_end_and_the_least_role(admin):
    made = admin.post("/tokens", name="plain")
    assert made["role"] == "auditor" and made["expires_at"]
    assert admin.post("/tokens", name="for ever", never_expires=True)["expires_at"] is None
    with pytest.raises(Refused):
        admin.post("/tokens", name="both", never_expires=True, expires_at="2099-01-01T00:00:00Z")


def test_a_link_that_never_was_is_not_found(admin):
    with pytest.raises(Refused) as refused:
        admin.ask("DELETE", "/enrolment-links/nope")
    assert refused.value.status == 404


def test_a_stale_revision_is_not_overwritten(admin):
    made = admin.post("/policies", name="Raced", kind="configuration", settings={"password.required": True})
    change = {"settings": {"password.required": True, "password.min_length": 6}}
    admin.ask("PUT", f"/policies/{made['id']}", change, headers={"If-Match": '"1"'})
    with pytest.raises(Refused) as refused:
        admin.ask("PUT", f"/policies/{made['id']}", change, headers={"If-Match": '"1"'})
    assert refused.value.status == 412
    revisions = admin.items(f"/policies/{made['id']}/revisions")
    assert [one["revision"] for one in revisions] == [2, 1]
    assert revisions[1]["settings"] == {"password.required": True}
    admin.post("/policies/Raced/assignments", target="all")
    assert {(one["created_by"], one["assignment_count"]) for one in
            admin.items(f"/policies/{made['id']}/revisions")} == {("admin", 1)}
    admin.ask("DELETE", "/policies/Raced")


@pytest.mark.proves_partly("4c-15")
def test_the_front_page_says_that_it_runs(house):
    status, headers, body = house.get("/")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    assert body.startswith(b"<!DOCTYPE html>")
    assert b"Muster" in body and "default-src 'none'" in headers["Content-Security-Policy"]


def test_only_what_people_may_ask_is_a_command(admin, phone, house):
    device = admin.items("/devices")[0]["id"]
    with pytest.raises(Refused) as refused:
        admin.post(f"/devices/{device}/commands", kind="query_device")
    assert refused.value.status == 400


def test_who_may_not_act_does_not_learn_what_exists(admin, house):
    desk = admin.post("/tokens", name="desk", role="help_desk")["token"]
    status, _, _ = house.get(f"{API}/devices/{UNKNOWN}/commands", method="POST", body=json.dumps({"kind": "wipe"}),
                             headers={"Content-Type": "application/json", "Authorization": f"Bearer {desk}"})
    assert status == 403


def test_a_refusal_to_strangers_names_the_scheme(house):
    status, headers, _ = house.get(API + "/devices")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="muster"')
