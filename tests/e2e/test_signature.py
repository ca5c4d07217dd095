# SPDX-License-Identifier: Apache-2.0
"""Messages that devices sign, behind a proxy that has ended their TLS, on both databases."""
import base64
import pathlib
import plistlib
import subprocess

import pytest

from admin import Admin
from house import House
from phones import Wire, bring_push_certificate, new_phone, plist_of, push_settings

pytestmark = pytest.mark.apple


@pytest.fixture(scope="module")
def signed(database, apns, tmp_path_factory):
    """(house, administrator): devices sign what they say."""
    one = House(database, [*push_settings(apns), "apple.signed_messages=yes"])
    try:
        one.start()
        admin = Admin(one)
        bring_push_certificate(admin, apns, tmp_path_factory.mktemp("push"))
        yield one, admin
    finally:
        one.close()


@pytest.fixture
def enrolled(signed, tmp_path):
    """A function that enrols a phone; (phone, its identity in Python's hands)"""
    def make(name):
        phone = new_phone(signed[0], tmp_path / name)
        phone.enrol(signed[1].link(), name=f"{name} of {tmp_path.name}")
        phone.check_in()
        return phone, Wire(signed[0], phone)
    return make


def signature(folder, wire, body, *words, digest="sha256", detached=True, signers=()):
    """The header as a device makes it, or as it must not be."""
    (folder / "body").write_bytes(body)
    for key, chain in [(wire.key, wire.chain), *signers]:
        words += ("-signer", chain, "-inkey", key)
    subprocess.run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", digest, "-in", folder / "body",
                    "-out", folder / "signature", *([] if detached else ["-nodetach"]), *words],
                   check=True, capture_output=True)
    return base64.b64encode((folder / "signature").read_bytes()).decode()


def say(house, body, header=None, path="/apple/connect"):
    """What the device door answers to somebody without a client certificate: (status, body)"""
    headers = {} if header is None else {"Mdm-Signature": header}
    status, _, answer = house.get(path, door="device", method="PUT", body=body, headers=headers)
    return status, answer


def idle(wire):
    return plistlib.dumps({"Status": "Idle", "UDID": wire.udid})


def test_a_device_that_signs_is_managed(signed, enrolled):
    _, admin = signed
    phone, wire = enrolled("phone")
    profile = plist_of(phone, "org.muster.enrolment")
    mdm = next(part for part in profile["PayloadContent"] if part["PayloadType"] == "com.apple.mdm")
    assert mdm["SignMessage"] is True
    admin.command(phone.udid, "sync")
    assert phone.check_in()["commands"]
    assert {one["state"] for one in admin.commands(phone.udid)} <= {"applied", "verified"}
    assert wire.connect("Idle")[0] == 200, "the certificate of the connection is enough"


def test_a_signature_stands_for_the_certificate(signed, enrolled, tmp_path):
    house, admin = signed
    phone, wire = enrolled("behind")
    admin.command(phone.udid, "sync")
    body = idle(wire)
    status, answer = say(house, body, signature(tmp_path, wire, body))
    assert status == 200
    command = plistlib.loads(answer)
    done = plistlib.dumps({"Status": "Acknowledged", "UDID": wire.udid, "CommandUUID": command["CommandUUID"]})
    assert say(house, done, signature(tmp_path, wire, done))[0] == 200
    assert say(house, body)[0] == 400, "neither certificate nor signature"


def test_a_signature_over_nothing_ends_nothing(signed, enrolled, tmp_path):
    house, _ = signed
    _, wire = enrolled("silent")
    server = house.pid_of("server")
    for path in ("/apple/connect", "/apple/checkin"):
        assert say(house, b"", signature(tmp_path, wire, b""), path)[0] == 400
        assert say(house, b"", signature(tmp_path, wire, idle(wire)), path)[0] == 400
        assert wire.send(path, b"")[0] == 400
    assert house.pid_of("server") == server
    assert wire.connect("Idle")[0] == 200


def test_a_signature_that_does_not_hold_is_refused(signed, enrolled, tmp_path):
    house, _ = signed
    _, wire = enrolled("signer")
    _, other = enrolled("other")
    body, changed = idle(wire), idle(wire).replace(b"Idle", b"Idlf")
    good = signature(tmp_path, wire, body)
    bad = {
        "of another body": (changed, good),
        "with a content of its own": (body, signature(tmp_path, wire, body, detached=False)),
        "with another content": (changed, signature(tmp_path, wire, body, detached=False)),
        "of two": (body, signature(tmp_path, wire, body, signers=[(other.key, other.chain)])),
        "without certificates": (body, signature(tmp_path, wire, body, "-nocerts")),
        "with SHA-1": (body, signature(tmp_path, wire, body, digest="sha1")),
        "cut off": (body, good[:len(good) // 8 * 4]),
        "with something behind": (body, good + "AAAA"),
        "that is no base64": (body, "*" + good[1:]),
        "that is empty": (body, ""),
        "nested deeply": (body, base64.b64encode(b"\x30\x80" * 4000).decode()),
        "of a megabyte's length": (body, base64.b64encode(b"\x30\x84\x00\x10\x00\x00").decode()),
    }
    for what, (message, header) in bad.items():
        assert say(house, message, header)[0] == 400, what
    assert say(house, body, "A" * 65536)[0] in (400, 431, 494), "too long"
    assert say(house, body, good)[0] == 200, "the real one goes on"


def cpu(pids):
    """Nanoseconds of all their threads."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
    return total


def test_a_hostile_signature_costs_little(signed, enrolled, tmp_path):
    """X10: no more than a few times what a good one costs, all processes together."""
    house, _ = signed
    _, wire = enrolled("costly")
    body = idle(wire)
    good = signature(tmp_path, wire, body)
    raw = base64.b64decode(good)
    forms = [good[:-8] + "AAAAAAA=", base64.b64encode(b"\x30\x80" * 6000).decode(), "A" * 16000,
             base64.b64encode(b"\x30\x82\x2e\xe0" + bytes(12000)).decode(),
             base64.b64encode(raw[:200] + b"\x31\x80" * 5000).decode()]

    def cost(headers, status):
        before = cpu(house.pids())
        for number in range(200):
            assert say(house, body, headers[number % len(headers)])[0] == status
        return cpu(house.pids()) - before

    cost([good], 200)  # what is made at first use is there
    fair = cost([good], 200)
    assert cost(forms, 400) < 5 * fair


def test_signature_and_connection_have_to_agree(signed, enrolled, tmp_path):
    house, admin = signed
    phone, wire = enrolled("victim")
    _, mallory = enrolled("mallory")
    body = idle(wire)
    assert say(house, body, signature(tmp_path, mallory, body))[0] == 403, "her identity, another's UDID"
    header = signature(tmp_path, wire, body)
    assert mallory.send("/apple/connect", body, headers={"Mdm-Signature": header})[0] == 400
    assert not admin.events(phone.udid, "device.identity_mismatch")


def test_a_stranger_who_signs_is_refused(signed, enrolled, tmp_path):
    house, _ = signed
    _, wire = enrolled("known")
    key, chain = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", chain,
                    "-days", "2", "-subj", "/CN=stranger"], check=True, capture_output=True)
    body = idle(wire)
    wire.key, wire.chain = key, chain
    assert say(house, body, signature(tmp_path, wire, body))[0] == 400


def test_a_revoked_identity_does_not_sign_itself_in(signed, enrolled, tmp_path):
    house, admin = signed
    phone, wire = enrolled("revoked")
    body = idle(wire)
    header = signature(tmp_path, wire, body)
    assert say(house, body, header)[0] == 200
    of_device = f"/certificates?device={admin.device(phone.udid)['id']}"
    admin.post(f"/certificates/{admin.items(of_device)[0]['id']}/revocation", reason="key_compromise")
    assert say(house, body, header)[0] == 403
