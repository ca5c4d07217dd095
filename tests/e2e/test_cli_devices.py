# SPDX-License-Identifier: Apache-2.0
"""The commands of the command line that other tests ask of the API: each is typed once, and what it shows is read."""
import json
import re
import subprocess

import pytest

import sim
from ade import Service
from admin import PASSWORD
from house import House, wait_until
from phones import TOPIC, push_settings
from test_cli import Muster

pytestmark = pytest.mark.policy

MAC = {"model": "Mac14,2", "os": "14.5", "build": "23F79"}
POSITION = {"latitude": 48137154, "longitude": 11576124}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("service")) as one:
        yield one


@pytest.fixture(scope="module")
def muster(apns, service, tmp_path_factory):
    """Signed in, with a push certificate that came by the program, too."""
    house = House("", [*push_settings(apns), *service.settings()])
    try:
        house.start()
        folder = tmp_path_factory.mktemp("cli")
        one = Muster(house, folder)
        once = subprocess.run(house.command("admin", "admin"), capture_output=True, text=True, check=True).stdout
        one("login", "--server", one.url, "--ca", one.ca, "--user", "admin", "--password-stdin",
            given=f"{once.strip()}\n{PASSWORD}\n")
        (folder / "request.pem").write_text(one("apple", "push-certificate", "request", "--email", "it@example.org"))
        assert re.search(r"^Next:\n  1\. Let a vendor sign .*\n  2\. .*identity\.apple\.com/pushcert with an .*\n"
                         r"  3\. .*push-certificate import", one.said)
        apns.sign(folder / "request.pem", TOPIC, folder / "push.pem")
        one("apple", "push-certificate", "import", folder / "push.pem")
        yield one
    finally:
        house.close()


def new_phone(muster, folder, name, **options):
    phone = sim.Phone(folder / name, ca=muster.ca)
    phone.enrol(muster("enrol", "link", "--name", f"for {name}").strip(), name=name, **options)
    phone.check_in()
    return phone


@pytest.fixture(scope="module")
def phone(muster, tmp_path_factory):
    """Supervised, and known to be."""
    muster("policy", "create", "Phones", "--set", "password.min_length=6")
    muster("policy", "assign", "Phones", "--all")
    one = new_phone(muster, tmp_path_factory.mktemp("phones"), "Lobby", passcode=8)
    one.set(supervised=True, **POSITION)
    muster("device", "sync", "Lobby")
    one.check_in()
    return one


def row_of(table, word):
    """The row of a table that begins with it, in words."""
    [row] = [line.split() for line in table.splitlines() if line.startswith(f"{word} ")]
    return row


def types(session):
    return [one["request_type"] for one in session["commands"]]


def carried_out(muster, phone, request_type, *words):
    """The order is typed; the row names its kind; the phone does it."""
    shown = muster(*words)
    assert re.search(r"^ID +KIND +STATE +CREATED$", shown, re.MULTILINE) and " queued " in shown
    assert request_type in types(phone.check_in())
    return shown


# ---- the push certificate ----

def test_the_push_certificate_is_shown_and_renewed(muster, phone):
    shown = muster("apple", "push-certificate", "get")
    assert re.search(f"^topic +{re.escape(TOPIC)}$", shown, re.MULTILINE) and "it@example.org" in shown
    muster("apple", "push-certificate", "request")
    assert "as it@example.org and choose Renew" in muster.said
    asked = muster.json("apple", "push-certificate", "request")
    assert asked["request"].startswith("-----BEGIN") and asked["next_steps"].count("\n") == 2


# ---- devices ----

@pytest.mark.parametrize("noun, words", [
    ("facts", ("os.version", "measured")), ("inventory", ("managed_app", "measured")),
    ("profiles", ("org.muster.enrolment",)), ("declarations", ("org.muster.declaration.passcode", "valid"))])
def test_what_a_device_told_is_a_table(muster, phone, noun, words):
    shown = muster("device", noun, "Lobby")
    assert all(word in shown for word in words), shown


def test_somebody_carries_a_device(muster, phone):
    password = muster("user", "create", "ann", "--full-name", "Ann Example", "--mail", "ann@example.org").strip()
    assert password and "ann" in muster.said
    assert row_of(muster("user", "list"), "ann") and "Ann Example" in muster("user", "get", "ann@example.org")
    muster("user", "edit", "ann", "--full-name", "Ann Other")
    assert muster.json("user", "get", "ann")["full_name"] == "Ann Other"
    assert row_of(muster("device", "edit", "Lobby", "--user", "ann"), "Lobby")[1] == "ann"
    assert muster.json("device", "get", "Lobby")["user_name"] == "ann"
    assert muster("user", "password", "ann", "--yes").strip() not in ("", password)
    muster("user", "disable", "ann", code=2)
    assert "asks first" in muster.said and muster.json("user", "get", "ann")["disabled_at"] is None
    muster("user", "disable", "ann", "--yes")
    assert muster.json("user", "get", "ann")["disabled_at"]
    muster("user", "enable", "ann")
    assert muster.json("user", "get", "ann")["disabled_at"] is None


def test_the_people_of_a_mac(muster, tmp_path):
    mac = new_phone(muster, tmp_path, "desk", **MAC)
    sim.run("apple", "user", "--state", mac.directory, "--user", "bob")
    assert row_of(muster("device", "users", "desk"), "bob")[1] == "active"
    [channel] = muster.json("device", "users", "desk")["items"]
    assert row_of(muster("device", "user-sync", "desk", channel["id"]), "bob")[2] == "1"
    assert types(mac.check_in(user="bob")) == ["ProfileList"]


def test_a_device_is_lost_and_found(muster, phone):
    carried_out(muster, phone, "EnableLostMode", "device", "lost-mode", "enable", "Lobby", "--message", "call us", "--yes")
    carried_out(muster, phone, "PlayLostModeSound", "device", "lost-mode", "sound", "Lobby")
    muster("device", "locate", "Lobby", code=2)
    assert "asks first" in muster.said
    carried_out(muster, phone, "DeviceLocation", "device", "locate", "Lobby", "--yes", "--reason", "it is gone")
    shown = muster("device", "position", "Lobby")
    assert "48.137154" in shown and "11.576124" in shown
    carried_out(muster, phone, "DisableLostMode", "device", "lost-mode", "disable", "Lobby")


def test_orders_are_carried_out(muster, phone):
    carried_out(muster, phone, "ClearPasscode", "device", "clear-passcode", "Lobby", "--yes")
    phone.set({"passcode.length": 8})
    carried_out(muster, phone, "RestartDevice", "device", "restart", "Lobby", "--yes")
    carried_out(muster, phone, "ShutDownDevice", "device", "shut-down", "Lobby", "--yes")
    shown = muster("device", "renew", "Lobby")
    assert "renew_identity" in shown and "InstallProfile" in types(phone.check_in())
    assert len(muster.json("certificate", "list", "--device", "Lobby")["items"]) >= 2
    muster("device", "finish-setup", "Lobby", code=5)
    assert "does not wait in its assistant" in muster.said
    assert row_of(muster("command", "list", "--device", "Lobby", "-o", "wide"), "ID")
    assert muster("device", "bypass-code", "Lobby").count("-") == 5 and "Told by the device: 2" in muster.said


def test_a_command_is_looked_at_and_taken_back(muster, phone):
    made = muster.json("device", "lock", "Lobby", "--message", "hello")
    assert re.search("^kind +lock$", muster("command", "get", made["id"]), re.MULTILINE)
    muster("command", "confirm", made["id"], "--yes", code=5)
    assert "does not wait for a confirmation" in muster.said
    muster("command", "cancel", made["id"])
    assert f"{made['id']} is cancelled." in muster.said
    assert muster.json("command", "get", made["id"])["state"] == "cancelled"
    assert "DeviceLock" not in types(phone.check_in())


def test_a_device_is_shut_out_and_let_in(muster, phone):
    muster("device", "block", "Lobby", code=2)
    assert "asks first" in muster.said
    assert row_of(muster("device", "block", "Lobby", "--yes", "--reason", "lost"), "Lobby")[1] == "blocked"
    with pytest.raises(sim.Failed):
        phone.check_in()
    assert row_of(muster("device", "unblock", "Lobby"), "Lobby")[1] == "active"
    assert phone.check_in()["enrolled"]


# ---- rules, terms, links ----

def test_a_policy_is_looked_at_and_taken_back(muster, phone, tmp_path):
    muster("policy", "create", "Trial", "--set", "password.min_length=7")
    assert row_of(muster("policy", "list"), "Trial")[1] == "configuration"
    assert "password.min_length" in muster("policy", "get", "Trial")
    muster("policy", "assign", "Trial", "--all")
    [assignment] = muster.json("policy", "assignments", "Trial")["items"]
    assert assignment["id"] in muster("policy", "assignments", "Trial")
    muster("policy", "unassign", "Trial", assignment["id"])
    assert "Trial has one assignment less." in muster.said
    assert muster.json("policy", "assignments", "Trial")["items"] == []


def test_terms_are_written_and_withdrawn(muster, tmp_path):
    (tmp_path / "terms").write_text("Be kind.\n")
    version = muster("terms", "create", "Rules", "--file", tmp_path / "terms").splitlines()[-1].split()[0]
    assert row_of(muster("terms", "list"), version)[1] == "Rules" and "Be kind." in muster("terms", "get", version)
    assert muster.json("terms", "accepted", version)["items"] == []
    muster("terms", "withdraw", version, "--yes")
    assert muster.json("terms", "get", version)["withdrawn_at"]


def test_links_and_the_revocation_list(muster, phone):
    assert "for Lobby" in muster("enrol", "list")
    assert re.search(r"^number +\d+$|^entries +\d+$", muster("certificate", "revocation-list"), re.MULTILINE)


# ---- Apple's enrolment service ----

def test_the_enrolment_service_from_key_to_device(muster, service, tmp_path):
    words = ("apple", "enrolment-service")
    key = muster(*words, "public-key")
    assert key.startswith("-----BEGIN")
    (tmp_path / "token.p7m").write_text(service.token(key))
    muster(*words, "import", tmp_path / "token.p7m")
    wait_until(lambda: muster.json(*words, "get")["synced_at"], 30, "the first look")
    muster(*words, "profile", "set", "Offices", "--set", "is_removable=false", code=None)
    assert "Offices" in muster(*words, "profile", "list"), muster.said
    assert muster.json(*words, "profile", "get", "Offices")["name"] == "Offices"
    service.add("S0000000CLI")
    muster(*words, "sync")
    wait_until(lambda: "S0000000CLI" in muster(*words, "devices"), 30, "the device")
    assert "Offices" in muster(*words, "assign", "S0000000CLI", "--profile", "Offices")
    assert json.loads(muster(*words, "devices", "-o", "json"))["items"][0]["profile"] == "Offices"
    muster(*words, "assign", "S0000000CLI")
    muster(*words, "profile", "delete", "Offices", code=None)
    assert "Offices" in muster.said
