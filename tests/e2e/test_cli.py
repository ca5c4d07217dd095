# SPDX-License-Identifier: Apache-2.0
"""The command line against a running house, with one simulated iPhone."""
import base64
import contextlib
import json
import os
import pty
import re
import sqlite3
import stat
import subprocess
import time
import time

import pytest

import sim
from admin import PASSWORD
from house import BUILD, House

pytestmark = pytest.mark.policy

MUSTER = BUILD / "src" / "cli" / "muster"


class Muster:
    """The program, with a configuration of its own."""

    def __init__(self, house, folder):
        self.house, self.config, self.ca = house, folder / "config" / "contexts.json", folder / "root.pem"
        self.url = f"https://localhost:{house.ports['front']}"
        self.ca.write_text(house.root_pem())

    def __call__(self, *words, code=0, given=None, **environment):
        """Standard output; standard error is in self.said."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
        done = subprocess.run([MUSTER, *map(str, words)], capture_output=True, text=True, timeout=60,
                              input=given, env={**clean, "MUSTER_CONFIG": str(self.config), **environment})
        self.said = done.stderr
        assert code in (None, done.returncode), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def typed(self, *words, answers):
        """(exit code, what a terminal showed); answers: beginning of a question -> what is typed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["MUSTER_CONFIG"] = str(self.config)
            os.execv(MUSTER, [str(MUSTER), *map(str, words)])
        shown, answers = "", dict(answers)
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            shown += part.decode()
            for question in [one for one in answers if one in shown]:
                answer = answers.pop(question)
                time.sleep(0.5)  # what comes before the echo is off is thrown away
                os.write(terminal, f"{answer}\n".encode())
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.replace("\r\n", "\n")

    def json(self, *words, **options):
        return json.loads(self(*words, "-o", "json", **options))


@pytest.fixture(scope="module")
def house():
    one = House()
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def muster(house, tmp_path_factory):
    """Signed in as an administrator, whose one-time password was exchanged on the way."""
    one = Muster(house, tmp_path_factory.mktemp("cli"))
    once = subprocess.run(house.command("admin", "admin"), capture_output=True, text=True, check=True).stdout
    one("login", "--server", one.url, "--ca", one.ca, "--user", "admin", "--password-stdin",
        given=f"{once.strip()}\n{PASSWORD}\n")
    return one


@pytest.fixture(scope="module")
def phone(muster, tmp_path_factory):
    """Enrolled by a link that the program printed, under a policy that it made."""
    muster("policy", "create", "Phones", "--set", "password.min_length=6")
    muster("policy", "create", "Longer", "--set", "password.min_length=8")
    muster("policy", "create", "Newer", "--set", "system.update_version=18", "--set",
           "system.update_by=2199-01-31T20:00:00")
    muster("policy", "create", "Healthy", "--kind", "compliance", "--set", "password.required=true",
           "--set", "os.minimum=17")
    for name in ("Phones", "Longer", "Healthy"):
        muster("policy", "assign", name, "--all")
    one = sim.Phone(tmp_path_factory.mktemp("phone") / "state", ca=muster.ca)
    one.enrol(muster("enrol", "link").strip(), name="Lobby", os="17.5.1", passcode=8)
    one.check_in()
    one.check_in()
    return one


def test_the_login_is_kept_for_its_owner_alone(muster):
    assert stat.S_IMODE(muster.config.stat().st_mode) == 0o600
    assert PASSWORD not in muster.config.read_text()
    muster.config.chmod(0o644)
    try:
        muster("device", "list", code=4)
        assert "others may read it" in muster.said
    finally:
        muster.config.chmod(0o600)


def test_a_server_that_is_not_trusted_gets_no_password(muster, tmp_path):
    stranger = Muster(muster.house, tmp_path)
    stranger("login", "--server", muster.url, "--user", "admin", "--password-stdin", code=1, given=f"{PASSWORD}\n")
    assert "certificate" in stranger.said
    assert not stranger.config.exists()


def test_each_kind_of_failure_has_its_exit_code(muster):
    muster("device", "frobnicate", code=2)
    muster("device", "get", "nobody", code=3)
    muster("device", "list", code=4, MUSTER_TOKEN="muster_wrong")
    muster("policy", "create", "Twice", "--set", "password.required=true")
    muster("policy", "create", "Twice", "--set", "password.required=true", code=5)
    muster("policy", "delete", "Twice", "Never", "--yes", code=7)
    muster("policy", "create", "Short", "--set", "password.min_length=1", code=1)
    assert "4 to 16" in muster.said
    assert re.search(r"\(request [0-9a-f-]+\)", muster.said)


def test_an_act_that_asks_does_nothing_when_nobody_answers(muster, phone):
    muster("device", "wipe", "Lobby", code=2, given="")
    assert "--yes" in muster.said
    assert not [one for one in muster.json("command", "list")["items"] if one["kind"] == "wipe"]


def test_a_name_that_two_devices_answer_to_is_never_acted_on(muster, phone, tmp_path):
    """A serial number is what the device says: it must not stand for the name of another one."""
    for name, serial in (("Foyer", "F2LX1"), ("Evil", "Foyer")):
        one = sim.Phone(tmp_path / name, ca=muster.ca)
        one.enrol(muster("enrol", "link").strip(), name=name, serial=serial)
    muster("device", "wipe", "Foyer", "--yes", code=5)
    assert "more than one device" in muster.said
    muster("device", "lock", "Foyer", code=5)
    assert not [one for one in muster.json("command", "list")["items"] if one["kind"] in ("wipe", "lock")]
    foyer = muster.json("device", "get", "F2LX1")
    assert muster.json("device", "lock", foyer["id"])["device_id"] == foyer["id"]


def test_a_wipe_shows_the_device_and_wants_its_real_name(muster, tmp_path):
    one = sim.Phone(tmp_path / "one", ca=muster.ca)
    one.enrol(muster("enrol", "link").strip(), name="Parked")
    device = muster.json("device", "get", "Parked")
    code, said = muster.typed("device", "wipe", device["serial"], answers={"Type its name": device["serial"]})
    assert code == 5 and "nothing was done" in said
    for shown in ("Parked", device["serial"], "ios", "company", "20" if device["last_contact_at"] else "-"):
        assert re.search(rf"^(device|serial number|platform|ownership|last contact) +{re.escape(shown)}", said, re.M), said
    code, said = muster.typed("device", "wipe", "parked", answers={"Type its name": "Parked"})
    assert code == 0, said
    [wipe] = [one for one in muster.json("command", "list")["items"] if one["kind"] == "wipe"]
    assert wipe["device_id"] == device["id"]


def test_a_wipe_is_looked_at_before_it_is_done(muster, phone):
    before = muster.json("command", "list", "--all")
    text = muster("device", "wipe", "Lobby", "--dry-run")
    assert re.search(r"^name +Lobby$", text, re.M) and re.search(r"^ownership +company$", text, re.M)
    assert "Everything on the device" in text and "Cannot be undone" in text and "Other open commands" in text
    assert muster.json("device", "wipe", "Lobby", "--dry-run")["erases"]
    muster("device", "wipe", "nobody", "--dry-run", code=3)
    assert muster.json("command", "list", "--all") == before


def test_what_cannot_be_asked_is_said(muster, phone):
    muster("device", "list", "--compliance", "bogus", code=2)
    counted = muster.json("status")["compliance"]
    for state, count in counted.items():
        assert len(muster.json("device", "list", "--compliance", state)["items"]) == count
    assert muster("device", code=2).count("device wipe") == 1
    assert muster("--version") == muster("version")


def test_the_list_shows_the_phone(muster, phone):
    heading, row = muster("device", "list", "--query", "lobby").splitlines()
    assert heading.split()[0] == "NAME"
    assert row.startswith("Lobby  ios")
    assert muster.json("device", "get", "device/Lobby")["name"] == "Lobby"
    assert "name: Lobby\n" in muster("device", "get", "Lobby", "-o", "yaml")


def test_the_explanation_names_winner_loser_and_evidence(muster, phone):
    text = muster("explain", "device/Lobby", "password.min_length")
    assert "password.min_length = 8" in text
    assert "strictest: higher wins" in text
    assert re.search(r"wins +8: Longer, revision 1", text)
    assert re.search(r"loses +6: Phones, revision 1", text)
    whole = muster("explain", "Lobby")
    assert "password.required: compliant" in whole
    assert "password.present = true, measured by SecurityInfo" in whole
    assert "os.minimum: compliant" in whole
    muster("explain", "Lobby", "password.history", code=3)


def test_a_page_tells_of_the_next(muster):
    first = muster.json("audit", "list", "--limit", "2")
    assert len(first["items"]) == 2 and first["next"]
    assert first["next"] in muster.said
    second = muster.json("audit", "list", "--limit", "2", "--cursor", first["next"])
    assert {one["id"] for one in first["items"]}.isdisjoint(one["id"] for one in second["items"])
    assert len(muster.json("audit", "list", "--all")["items"]) > 4


def test_a_policy_is_edited_by_revision(muster):
    muster("policy", "create", "Edited", "--set", "password.min_length=6", "--set", "password.required=true")
    edited = muster.json("policy", "edit", "Edited", "--set", "password.min_length=7", "--unset", "password.required")
    assert edited["revision"] == 2 and edited["settings"] == {"password.min_length": 7}
    assert re.search(r"^2 .* admin +", muster("policy", "revisions", "Edited"), re.M)
    muster("policy", "edit", "Edited", "--set", "password.min_length=7")
    assert "Nothing changes" in muster.said
    muster("policy", "delete", "Edited", "--yes")


def test_a_certificate_is_traced_by_its_device(muster, phone):
    text = muster("certificate", "trace", "Lobby")
    assert re.findall(r"^(\d)  ", text, re.M) == list("1234567")
    assert re.search(r"^    key.type +RSA$", text, re.M) and "{" not in text
    assert max(map(len, text.splitlines())) < 120


def test_a_certificate_is_found_however_its_serial_number_is_spelled(muster, phone):
    [first, *_] = muster.json("certificate", "list", "--device", "Lobby")["items"]
    upper = first["serial"].upper()
    pairs = ":".join(upper[i:i + 2] for i in range(0, len(upper), 2))
    for spelled in (upper, pairs):
        assert muster.json("certificate", "get", spelled)["id"] == first["id"]
    assert first["device_name"] == "Lobby"
    assert re.search(r"^SERIAL +DEVICE", muster("certificate", "list"))
    assert re.search(r"^ID +DEVICE", muster("command", "list"))


def test_requests_for_certificates_are_listed(muster, phone):
    listed = muster.json("certificate", "requests", "--device", "Lobby")["items"]
    assert listed and listed[0]["device_name"] == "Lobby"
    assert muster.json("certificate", "requests", "--refused")["items"] == []
    assert muster("certificate", "trace", listed[0]["id"])


def test_settings_can_be_read(muster):
    text = muster("setting", "list")
    assert re.search(r"^password.min_length +4\u201316 ", text, re.M)
    assert max(map(len, text.splitlines())) <= 120 and "{" not in text
    assert re.search(r"^password.min_length +4\u201316 characters +higher ", text, re.M)
    assert re.search(r"^password.screen_off_minutes +.*minutes +lower ", text, re.M)
    assert muster.json("setting", "get", "password.min_length")["range"]["highest"] == 16
    one = muster("setting", "get", "password.min_length")
    assert re.search(r"^stricter +higher$", one, re.M) and "choices" not in one and "null" not in one
    choice = muster("setting", "get", "password.type")
    assert re.search(r"^values +default, numeric, alphanumeric$", choice, re.M) and "later" in choice
    muster("setting", "get", "password.nothing", code=3)


def test_names_are_seen_and_counted_in_characters(muster):
    muster("policy", "create", "  ", "--set", "password.required=true", code=1)
    assert "must not be blank" in muster.said
    muster("policy", "create", "\u00e4" * 101, "--set", "password.required=true", code=1)
    assert "1 to 100 characters" in muster.said
    muster("policy", "create", "\u00e4" * 100, "--set", "password.required=true")
    muster("policy", "delete", "\u00e4" * 100, "--yes")


def test_a_new_password_is_asked_for_until_it_fits(muster, tmp_path):
    once = muster("account", "create", "newcomer", "--role", "auditor").strip()
    other = Muster(muster.house, tmp_path)
    code, said = other.typed("login", "--server", other.url, "--ca", other.ca, "--user", "newcomer",
                             answers={"Password: ": once, "New password: ": "short", "are needed.\r\nNew password: ": PASSWORD,
                                      "New password again: ": PASSWORD})
    assert code == 0 and "12 to 256 characters" in said, said


def test_wrong_sign_ins_are_counted_and_name_no_strangers(muster, house):
    for name in ("admin", "correct horse battery staple"):
        body = json.dumps({"name": name, "password": "a wrong guess"})
        status, _, _ = house.get("/api/v1/sessions", method="POST", body=body,
                                 headers={"Content-Type": "application/json"})
        assert status == 401
    found = [one for one in muster.json("refusal", "list", "--all")["items"] if one["kind"] == "sign_in.refused"]
    assert {(one["subject"], one["peer"]) for one in found} == {("admin", "127.0.0.1"), ("", "127.0.0.1")}
    assert "the password is wrong" in muster("refusal", "list")
    assert "a wrong guess" not in str(found) and "battery" not in str(found)


def test_the_doctor_and_the_audit_log_are_content(muster):
    told = muster("doctor")
    for check in ("server", "clock", "device certificates", "revocation list", "audit log"):
        assert f"ok       {check}" in told
    assert muster.json("audit", "verify")["is_intact"] is True


def test_the_doctor_sees_a_revocation_list_that_is_old_or_long(muster, house):
    def found(**values):
        with contextlib.closing(sqlite3.connect(house.data / "db" / "muster.db", timeout=30)) as database, database:
            columns = ", ".join(f"{name} = {value}" for name, value in values.items())
            database.execute(f"UPDATE revocation_list SET {columns}")
        return [line for line in muster("doctor", code=None).splitlines() if "revocation list" in line][0]

    now = int(time.time())
    good = {"this_update": now, "next_update": now + 86400, "entries": 120000}
    assert found(**good).startswith("ok ")
    assert found(**{**good, "entries": 120001}).startswith("warning")
    assert found(**{**good, "this_update": now - 3 * 86400}).startswith("warning")
    assert found(**{**good, "next_update": now - 1}).startswith("failed")
    assert found(**good).startswith("ok ")


def test_the_doctor_sees_the_push_certificate(muster, tmp_path):
    assert re.search("^warning +push certificate", muster("doctor"), re.MULTILINE)
    requests = [muster("apple", "push-certificate", "request", "--email", "it@example.org") for _ in range(2)]
    sim.run("apns", "authority", "--dir", tmp_path / "apns")
    for number, request in enumerate(requests):  # whichever Apple signs
        (tmp_path / "request.pem").write_text(request)
        sim.run("apns", "sign", "--dir", tmp_path / "apns", "--csr", tmp_path / "request.pem",
                "--topic", "com.apple.mgmt.External.cli", "--out", tmp_path / f"{number}.pem")
        muster("apple", "push-certificate", "import", tmp_path / f"{number}.pem")
    assert re.search("^ok +push certificate", muster("doctor"), re.MULTILINE)


def test_a_token_serves_in_place_of_a_login(muster, tmp_path):
    token = muster("token", "create", "script", "--role", "auditor", "--expires", "1h").strip()
    other = Muster(muster.house, tmp_path)
    words = ("--server", muster.url, "--ca", other.ca)
    other("device", "list", *words, MUSTER_TOKEN=token)
    other("device", "list", *words, code=4)
    other("policy", "create", "Not mine", "--set", "password.required=true", *words, code=4, MUSTER_TOKEN=token)


def test_an_account_comes_and_goes(muster, tmp_path):
    once = muster("account", "create", "desk", "--role", "help_desk").strip()
    other = Muster(muster.house, tmp_path)
    other("login", "--server", other.url, "--ca", other.ca, "--user", "desk", "--password-stdin",
          given=f"{once}\n{PASSWORD}\n")
    other("account", "list", code=4)
    assert "auditor" in muster("account", "edit", "desk", "--role", "auditor")
    other("device", "list", code=4)
    muster("account", "disable", "desk", code=2, given="")
    muster("account", "disable", "desk", "--yes", "--reason", "left us")
    other("login", "--user", "desk", "--password-stdin", code=4, given=f"{PASSWORD}\n")
    assert muster.json("account", "get", "desk")["disabled_at"]
    muster("account", "enable", "desk")
    muster("account", "disable", "admin", "--yes", code=5)


def test_people_change_their_own_password(muster, tmp_path):
    once = muster("account", "create", "changer", "--role", "auditor").strip()
    (tmp_path / "elsewhere").mkdir()
    other, elsewhere = (Muster(muster.house, folder) for folder in (tmp_path, tmp_path / "elsewhere"))
    words = ("--server", other.url, "--ca", other.ca, "--user", "changer", "--password-stdin")
    other("login", *words, given=f"{once}\n{PASSWORD}\n")
    elsewhere("login", *words, given=f"{PASSWORD}\n")
    other("account", "password", "--password-stdin", code=4, given=f"not {PASSWORD}\n{PASSWORD} 2\n")
    assert "present password is wrong" in other.said
    other("account", "password", "--password-stdin", code=1, given=f"{PASSWORD}\nshort\n")
    assert "12 to 256" in other.said
    other("account", "password", code=2, given="")
    other("account", "password", "--password-stdin", given=f"{PASSWORD}\n{PASSWORD} 2\n")
    assert other("device", "list") and "other sessions have ended" not in other.said
    elsewhere("device", "list", code=4)
    code, said = other.typed("account", "password", answers={
        "Present password: ": f"{PASSWORD} 2", "New password: ": f"{PASSWORD} 3", "New password again: ": f"{PASSWORD} 3"})
    assert code == 0 and "is changed" in said and PASSWORD not in said, said
    elsewhere("login", *words, given=f"{PASSWORD} 3\n")
    assert "account.password" in muster("audit", "list", "--limit", 20)


def test_an_administrator_gives_another_password(muster, tmp_path):
    once = muster("account", "create", "forgetful", "--role", "auditor").strip()
    other = Muster(muster.house, tmp_path)
    words = ("--server", other.url, "--ca", other.ca, "--user", "forgetful", "--password-stdin")
    other("login", *words, given=f"{once}\n{PASSWORD}\n")
    other("account", "reset", "admin", "--yes", code=4)
    muster("account", "reset", "forgetful", code=2, given="")
    again = muster("account", "reset", "forgetful", "--yes", "--reason", "called us").strip()
    assert again != once and "this once" in muster.said
    other("device", "list", code=4)
    other("login", *words, given=f"{again}\n{PASSWORD}\n")
    muster("account", "reset", "admin", "--yes", code=5)
    assert "muster account password" in muster.said
    muster("account", "reset", "nobody", "--yes", code=3)


def test_what_is_typed_wrongly_is_told_before_the_server_is_asked(muster, tmp_path):
    (tmp_path / "none.pem").write_text("no certificate")
    for words, said in ((("device", "list", "--limit", "abc"), "--limit is a number from 1 to"),
                        (("device", "list", "--timeout", "abc"), "--timeout is a number from 1 to"),
                        (("policy", "assign", "x", "--all", "--band", "abc"), "--band is a number from 1 to 1000"),
                        (("enrol", "link", "--expires", "0d"), "1d to 3660d"),
                        (("enrol", "link", "--expires", "never"), "no duration"),
                        (("device", "lost-mode", "enable", "x", "--yes"), "--message TEXT or --phone NUMBER"),
                        (("certificate", "challenge"), "--subject SUBJECT"),
                        (("device", "rename", "x"), "DEVICE NAME"),
                        (("policy", "create", "x", "--kind", "y"), "--kind is configuration or compliance"),
                        (("device", "list", "--cursor", "foo"), "no cursor of this list"),
                        (("token", "list", "--cursor", "zzz"), "no cursor of this list")):
        muster(*words, code=2)
        assert said in muster.said, words
    muster("apple", "push-certificate", "import", "/nonexistent", code=2)
    assert muster.said.count("/nonexistent") == 1
    muster("apple", "push-certificate", "import", "-", code=2, given="nothing")
    assert "standard input holds no certificate" in muster.said


def test_what_never_was_is_said(muster, tmp_path, phone):
    muster("enrol", "revoke", "nope", code=3)
    muster("certificate", "trace", "Nope", code=3)
    assert "no certificate, no request and no device Nope" in muster.said
    silent = sim.Phone(tmp_path / "silent", ca=muster.ca)
    silent.enrol(muster("enrol", "link").strip(), name="Silent", os="17.5.1")
    assert muster("device", "apps", "Silent") == "" and "never told its apps" in muster.said
    assert muster.json("device", "certificates", "Silent")["items"] == []
    assert "never told its certificates" in muster.said


def test_events_without_a_device_are_read(muster, phone):
    muster("certificate", "challenge", "--subject", "CN=switch", "--approve")
    text = muster("event", "list", "--kind", "device.enrolled", "--device", "Lobby", "--since", "1h")
    assert re.match(r"AT +EVENT +DEVICE +DETAILS\n", text) and "Lobby" in text and "{" not in text
    everything = muster.json("event", "list", "--all")["items"]
    assert muster.json("device", "events", "Lobby", "--all")["items"] == [
        one for one in everything if one["device_name"] == "Lobby"]
    assert "waiting_requests" in muster("status")


def test_tables_fit_and_wide_ones_tell_more(muster, phone):
    for words in (("command", "list"), ("certificate", "list"), ("certificate", "requests"), ("setting", "list"),
                  ("token", "list"), ("device", "list")):
        narrow, wide = muster(*words), muster(*words, "-o", "wide")
        assert max(map(len, narrow.splitlines())) <= 120, words
        assert len(wide) >= len(narrow)
    one = muster.json("certificate", "list", "--device", "Lobby")["items"][0]
    digest = base64.b64decode(one["sha256"]).hex(":").upper()
    assert digest in muster("certificate", "list", "-o", "wide") and digest in muster("certificate", "get", one["id"])


def test_a_name_that_drives_terminals_is_escaped(muster, tmp_path):
    loud = sim.Phone(tmp_path / "loud", ca=muster.ca)
    loud.enrol(muster("enrol", "link").strip(), name="Evil\u009b31m\u202egnp", os="17.5.1")
    loud.check_in()
    for form in ("json", "yaml", "table"):
        text = muster("device", "list", "--all", "-o", form)
        assert "Evil" in text and not {"\u009b", "\u202e"} & set(text), form
    assert "Evil\u009b31m\u202egnp" in [one["name"] for one in muster.json("device", "list", "--all")["items"]]


def test_a_token_says_when_it_ends(muster):
    muster("token", "create", "ends")
    assert re.search(r"^Role: auditor$", muster.said, re.M) and re.search(r"^Ends: 20", muster.said, re.M)
    muster("token", "create", "endless", "--role", "help_desk", "--expires", "never")
    assert re.search(r"^Ends: never$", muster.said, re.M)


def test_a_token_of_the_environment_is_named_when_it_is_wrong(muster):
    muster("device", "list", code=4, MUSTER_TOKEN="muster_wrong")
    assert "MUSTER_TOKEN" in muster.said and "sign in first" not in muster.said


def test_no_other_server_takes_the_place_of_one_that_was_left(muster, tmp_path):
    other = Muster(muster.house, tmp_path)
    second = "https://second.example"
    other("login", "--server", other.url, "--ca", other.ca, "--user", "admin", "--password-stdin",
          given=f"{PASSWORD}\n")
    kept = json.loads(other.config.read_text())
    kept["contexts"].append({**kept["contexts"][0], "server": second})
    other.config.write_text(json.dumps(kept))
    other("logout")
    assert json.loads(other.config.read_text())["current"] is None
    other("device", "list", code=4)
    assert second in other.said and "muster context use" in other.said
    assert "CURRENT" in other("context", "list") and "yes" not in other("context", "list")
    other("context", "use", "https://elsewhere.example", code=3)
    other("context", "use", second)
    assert "yes" in other("context", "list")


def test_the_doctor_knows_that_a_session_has_ended(muster, tmp_path):
    other = Muster(muster.house, tmp_path)
    other("login", "--server", other.url, "--ca", other.ca, "--user", "admin", "--password-stdin",
          given=f"{PASSWORD}\n")
    [mine, *_] = [one for one in muster.json("token", "list")["items"] if one["kind"] == "session"]
    muster("token", "revoke", mine["id"])
    told = other("doctor", code=1)
    assert re.search(r"^failed +login +.*has ended", told, re.M) and "ok " not in told


def test_signing_out_ends_the_session(muster, tmp_path):
    other = Muster(muster.house, tmp_path)
    other("login", "--server", other.url, "--ca", other.ca, "--user", "admin", "--password-stdin",
          given=f"{PASSWORD}\n")
    kept = json.loads(other.config.read_text())["contexts"][0]["token"]
    other("logout")
    other("device", "list", code=4)
    other("device", "list", "--server", other.url, "--ca", other.ca, code=4, MUSTER_TOKEN=kept)
