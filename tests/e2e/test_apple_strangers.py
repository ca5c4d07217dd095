# SPDX-License-Identifier: Apache-2.0
"""Who may speak as which iPhone, and what is said to all others, on both databases."""
import datetime
import json
import plistlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from house import wait_until
from kill import query, write
from phones import Bare, Wire, admin, house, make_phone, phone
from pki import authority, make_wish
from scep import Sender
from test_user_channel import MAC, Person

pytestmark = pytest.mark.apple


def test_a_certificate_speaks_for_its_own_device_alone(house, admin, make_phone):
    mallory, victim = make_phone("mallory"), make_phone("victim")
    victim.check_in()
    before = admin.device(victim.udid)
    wire = Wire(house, mallory)
    wire.udid = victim.udid
    messages = [wire.connect("Idle"), wire.check_in("CheckOut"),
                wire.check_in("TokenUpdate", Token=b"stolen", PushMagic="m"),
                wire.check_in("Authenticate", ProductName="iPhone15,2"),
                wire.check_in("SetBootstrapToken", BootstrapToken=b"x")]
    for status, body, _ in messages:
        assert status == 403 and b"unrecognized" not in body
    after = admin.device(victim.udid)
    assert {**after, "last_contact_at": 0} == {**before, "last_contact_at": 0}
    event = admin.events(mallory.udid, "device.identity_mismatch")[0]
    assert victim.udid in json.dumps(event)


def test_without_our_certificate_nothing_is_said(house, phone):
    wire = Wire(house, phone)
    body = plistlib.dumps({"Status": "Idle", "UDID": wire.udid})
    for headers in ({}, {"Client-Cert": ":AAAA:"}, {"X-SSL-Client-Cert": "x"}):
        assert house.get("/apple/connect", door="device", method="PUT", body=body,
                         headers=headers)[0] == 400


def test_a_foreign_certificate_is_refused(house, phone, tmp_path):
    wire = Wire(house, phone)
    wire.key, wire.chain = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", wire.key,
                    "-out", wire.chain, "-days", "2", "-subj", "/CN=stranger"],
                   check=True, capture_output=True)
    assert wire.connect("Idle")[0] == 403


def refusal(admin, kind, word):
    """How often that was counted, with this word in the detail of the last."""
    return sum(one["count"] for one in admin.items("/refusals?limit=1000")
               if one["kind"] == kind and word in json.dumps(one["detail"]))


def twin(wire, folder, days):
    """Self-signed, with all that the device's own certificate says of itself."""
    own = x509.load_pem_x509_certificate(wire.chain.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    start, end = sorted((now + datetime.timedelta(days=days), now + datetime.timedelta(days=2 * days)))
    builder = (x509.CertificateBuilder().subject_name(own.subject).issuer_name(own.issuer).public_key(key.public_key())
               .serial_number(own.serial_number).not_valid_before(start).not_valid_after(end))
    for one in own.extensions:
        builder = builder.add_extension(one.value, one.critical)
    wire.key, wire.chain = folder / "twin.key", folder / "twin.pem"
    wire.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    wire.chain.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def test_a_twin_of_a_certificate_is_refused_with_the_edges_reason(house, admin, phone, tmp_path):
    """X9: names and numbers are anybody's to write; who asks hears nothing, people read why."""
    wire = Wire(house, phone)
    before = refusal(admin, "device.certificate_refused", "FAILED:")
    twin(wire, tmp_path, 1)
    assert wire.connect("Idle")[0] == wire.check_in("CheckOut")[0] == 403
    assert refusal(admin, "device.certificate_refused", "FAILED:") == before + 2
    assert "the client certificate does not hold: FAILED:" in house.log_text(200)
    assert admin.device(phone.udid)["enrolment_state"] == "active"


@pytest.mark.parametrize("column, moment, word", [("not_after", "1000", "has expired"),
                                                  ("not_before", "4000000000", "is not valid yet")])
def test_an_identity_out_of_its_time_is_refused_and_stays(house, admin, phone, column, moment, word):
    """X9: the edge looks at the certificate, the server at what it wrote down."""
    phone.check_in()
    wire = Wire(house, phone)
    of_device = f"(SELECT id FROM enrolment WHERE device_id = '{admin.device(phone.udid)['id']}')"
    was = query(house, f"SELECT {column} AS moment FROM certificate WHERE enrolment_id = {of_device}")[0]["moment"]
    write(house, f"UPDATE certificate SET {column} = {moment} WHERE enrolment_id = {of_device}")
    admin.command(phone.udid, "sync")  # what is kept in memory is read anew
    wait_until(lambda: wire.connect("Idle")[0] == 403, 10, "the refusal")
    assert word in house.log_text(200)
    write(house, f"UPDATE certificate SET {column} = {was} WHERE enrolment_id = {of_device}")
    admin.command(phone.udid, "lock")
    wait_until(lambda: wire.connect("Idle")[0] == 200, 10, "that it is served again")
    assert admin.device(phone.udid)["enrolment_state"] == "active"


ODD = ["/../x", "/%2e%2e/x", "a%00b", "'; DROP TABLE device; --", 'a"b', "a:b", "ä" * 100, " ", "x" * 10_000]


@pytest.mark.parametrize("what", range(len(ODD)))
def test_an_odd_identifier_is_nobody_elses(house, admin, authority, make_wish, phone, tmp_path, what):
    """X17: refused, or kept as it is and found again: never joined with another, never read as something else."""
    wish, sender = make_wish(), Sender()
    leaf, *_ = sender.certificates(wish.ask(authority, sender), tmp_path)
    wire = Bare(house, f"{ODD[what]}{phone.udid}", sender.key, [leaf, authority.issuing, authority.root], tmp_path)
    name = f"odd-{what}"
    told = wire.check_in("Authenticate", ProductName="iPhone15,2", OSVersion="17.5.1", DeviceName=name)[0]
    assert told == (400 if len(wire.udid.encode()) > 255 else 200)
    if told == 200:
        assert wire.check_in("TokenUpdate", Token=b"t", PushMagic="m")[0] == 200
        assert wire.connect("Idle")[0] == 200
        assert admin.device(name)["udid"] == wire.udid
        assert Wire(house, phone).connect("Idle", UDID=wire.udid)[0] == 403
    # as the name of a person on the device: that is no device of its own
    for kind in ("TokenUpdate", "UserAuthenticate"):
        assert Wire(house, phone).check_in(kind, UserID=ODD[what], Token=b"t", PushMagic="m")[0] in (200, 400, 403, 410)
    assert admin.device(phone.udid)["enrolment_state"] == "active"
    assert phone.check_in()["enrolled"]


def test_no_identifier_is_made_of_two(house, admin, authority, make_phone, make_wish, tmp_path):
    """X17: the person B of the device A is not the device "A:B"."""
    mac = make_phone("joined", **MAC)
    mac.check_in()
    person = Person(house, mac, "B")
    assert person.begin() == 200
    wish, sender = make_wish(), Sender()
    leaf, *_ = sender.certificates(wish.ask(authority, sender), tmp_path)
    wire = Bare(house, f"{mac.udid}:B", sender.key, [leaf, authority.issuing, authority.root], tmp_path)
    assert wire.check_in("Authenticate", ProductName="Mac14,2", OSVersion="14.5", DeviceName="colon")[0] == 200
    assert wire.check_in("TokenUpdate", Token=b"t", PushMagic="m")[0] == 200
    (of_person,) = admin.items("/devices/joined/users")
    asked = admin.post(f"/devices/joined/users/{of_person['id']}/sync")
    assert asked["open_commands"] == 1
    theirs = person.next()["CommandUUID"]
    assert theirs not in {one["id"] for one in admin.commands("colon")}
    assert wire.next()["CommandUUID"] in {one["id"] for one in admin.commands("colon")}
    assert person.next("Acknowledged", CommandUUID=theirs) is None
    assert not admin.items("/devices/colon/users")


def test_other_methods_are_not_for_devices(house, phone):
    wire = Wire(house, phone)
    for path in ("/apple/connect", "/apple/checkin"):
        assert wire.send(path, {"Status": "Idle", "UDID": wire.udid}, method="POST")[0] == 405
        for method in ("GET", "HEAD", "DELETE"):
            status, body, headers = wire.send(path, b"", method=method)
            assert status == 405 and headers["Allow"] == "PUT"
            assert method != "HEAD" or body == b""


def test_what_was_not_announced_is_refused_and_kept(house, admin, phone):
    wire = Wire(house, phone)
    for kind in ("ReturnToService", "GetToken"):
        assert wire.check_in(kind)[0] == 400
    assert len(admin.events(phone.udid, "device.unsupported_message")) == 2
    assert wire.check_in("UserAuthenticate", UserID="U")[0] == 410  # without apple.network_users


@pytest.mark.parametrize("script, statuses", [
    ("entity-bomb", {400}), ("nested-arrays", {400, 413}), ("body-20mb", {413}), ("bad-plist", {400}),
    ("binary-plist", {200}), ("oversized-token", {400}), ("wrong-udid", {403}),
    ("result-twice", {200}), ("unknown-uuid-result", {200}), ("replay-tokenupdate", {200}),
    ("no-certificate", {400}), ("forged-certificate-header", {400})])
def test_misbehaviour_is_answered_in_kind(admin, phone, script, statuses):
    answers = phone.misbehave(script)
    assert answers and {one["status"] for one in answers} <= statuses
    phone.check_in()  # others are served, and so is this one
    assert admin.device(phone.udid)["enrolment_state"] == "active"
