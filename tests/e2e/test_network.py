# SPDX-License-Identifier: Apache-2.0
"""Certificates without a device: a person makes a challenge, gear and scripts ask with it, and may have to wait."""
import contextlib
import datetime
import http.client
import json
import plistlib
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep
from admin import Refused
from house import wait_until
from phones import TOPIC, admin, house
from pki import CLIENT_AUTH, CN, SERVER_AUTH, Certmonger, O, authority, is_refused, ocsp, run
from scep import Reply, Sender
from test_cli import Muster

pytestmark = pytest.mark.pki

POLL, RENEWAL, CERTIFICATE = "20", "17", "21"
PENDING = "3"
PATH = "/scep/network?operation=PKIOperation"


class Gear:
    """A switch with a key, in Python's hands."""

    def __init__(self, house, authority, folder, name, key=None):
        self.house, self.authority, self.folder, self.name = house, authority, folder, name
        self.sender = Sender(key)

    def post(self, content, kind, sender=None):
        message = (sender or self.sender).message(scep.envelope(content, self.authority.registration), kind)
        status, _, body = self.house.get(PATH, door="plain", method="POST", body=message)
        assert status == 200
        return Reply(body, self.authority.registration)

    def ask(self, challenge, kind="19", key=None, sender=None, **other):
        asked = {"subject": [(CN, self.name)], "challenges": [challenge] if challenge else [], **other}
        return self.post(scep.request(key or self.sender.key, **asked), kind, sender)

    def poll(self, name=None, issuer=None, sender=None):
        issuer = issuer or self.authority.issuing.subject
        subject = scep.name([(CN, name or self.name)])
        return self.post(scep.tlv(scep.SEQUENCE, issuer.public_bytes(), subject), POLL, sender)

    def opened(self, reply):
        assert reply.status == scep.SUCCESS
        return self.sender.certificates(reply, self.folder)[0]


@pytest.fixture
def gear(house, authority, tmp_path, request):
    return Gear(house, authority, tmp_path, f"gear {request.node.name}"[:60])


def mint(admin, gear, **more):
    return admin.post("/certificate-challenges", subject=f"CN={gear.name}", **more)


def state(admin, made):
    [found] = [one for one in admin.items("/certificate-requests?limit=1000") if one["id"] == made["id"]]
    return found["state"]


def purposes(certificate):
    return {one.dotted_string for one in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}


@pytest.mark.proves_partly("4g-17")
def test_gear_gets_a_certificate_for_its_challenge(house, admin, authority, gear, tmp_path):
    made = mint(admin, gear)
    reply = gear.ask(made["challenge"])
    certificate = gear.opened(reply)
    assert gear.opened(gear.ask(made["challenge"])) == certificate  # the answer was lost
    assert certificate.subject.rfc4514_string() == f"CN={gear.name}"
    assert purposes(certificate) == {CLIENT_AUTH}
    (tmp_path / "leaf.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    assert ": good" in ocsp(house, authority, tmp_path / "leaf.pem")
    serial = f"{certificate.serial_number:032x}"
    [row] = [one for one in admin.items("/certificates?limit=1000") if one["serial"] == serial]
    assert (row["purpose"], row["subject"], row.get("device_id")) == ("network", f"CN={gear.name}", None)
    steps = [step["step"] for step in admin.items(f"/certificates/{serial}/trace")]
    assert steps == [1, 2, 3, 4, 5, 6]
    other = Gear(house, authority, tmp_path, gear.name)
    assert is_refused(other.ask(made["challenge"]))  # it worked once
    admin.post(f"/certificates/{serial}/revocation", reason="key_compromise")
    assert ": revoked" in ocsp(house, authority, tmp_path / "leaf.pem")


def test_names_come_from_the_challenge_and_make_a_server(admin, gear):
    made = mint(admin, gear, alternative_names="dns:Printer.example.org, ip:192.0.2.7, uri:urn:x:7")
    for names in ([scep.dns("other.example.org")], [scep.uri("urn:x:8")]):
        assert is_refused(gear.ask(made["challenge"], names=names))
    certificate = gear.opened(gear.ask(made["challenge"], names=[scep.dns("printer.example.org")]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["printer.example.org"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:x:7"]
    assert purposes(certificate) == {CLIENT_AUTH, SERVER_AUTH}


def test_what_differs_is_refused_and_three_times_burns(admin, gear):
    made = mint(admin, gear)
    for other in ({"subject": [(CN, "somebody else")]}, {"subject": [(O, "Works"), (CN, gear.name)]},
                  {"names": [scep.dns("a.example")]}):
        assert is_refused(gear.ask(made["challenge"], **other))
    assert state(admin, made) == "burnt"
    assert is_refused(gear.ask(made["challenge"]))


@pytest.mark.parametrize("subject, names", [
    ("CN=", ""), ("O=Works", ""), ("CN=a, CN=b", ""), ("CN=a, OU=b", ""), ("CN=a+O=b", ""), ("nothing", ""),
    ("CN=" + "x" * 65, ""), ("CN=a", "dns:"), ("CN=a", "dns:a..b"), ("CN=a", "dns:a b"), ("CN=a", "ip:1.2.3"),
    ("CN=a", "uri:urn:1, uri:urn:2"), ("CN=a", "email:a@b"), ("CN=a", "dns:a,")])
def test_wishes_that_make_no_certificate_are_refused(admin, subject, names):
    with pytest.raises(Refused) as refused:
        admin.post("/certificate-challenges", subject=subject, alternative_names=names)
    assert refused.value.status == 400


def test_a_request_waits_for_its_approval(house, admin, authority, gear, tmp_path):
    made = mint(admin, gear, needs_approval=True)
    for reply in (gear.ask(made["challenge"]), gear.ask(made["challenge"]), gear.poll(),
                  gear.poll(issuer=authority.registration.subject)):
        assert (reply.status, reply.content, reply.failure) == (PENDING, None, None)
    assert state(admin, made) == "waiting"
    stranger = Gear(house, authority, tmp_path, gear.name)
    assert is_refused(stranger.poll())
    assert is_refused(stranger.ask(made["challenge"]))
    stranger.sender.transaction = gear.sender.transaction
    assert is_refused(stranger.poll())
    assert is_refused(gear.poll(name="somebody else"))
    admin.post(f"/certificate-requests/{made['id']}/approval")
    with pytest.raises(Refused) as refused:
        admin.post(f"/certificate-requests/{made['id']}/approval")
    assert refused.value.status == 409
    certificate = gear.opened(gear.poll())
    assert gear.opened(gear.poll()) == certificate
    assert certificate.subject.rfc4514_string() == f"CN={gear.name}"
    trace = admin.items(f"/certificates/{certificate.serial_number:032x}/trace")
    assert {step["step"] for step in trace if step["outcome"] == "ok"} == {1, 2, 3, 4, 5, 6}


def test_a_denied_request_gets_nothing(admin, gear):
    made = mint(admin, gear, needs_approval=True)
    assert gear.ask(made["challenge"]).status == PENDING
    admin.post(f"/certificate-requests/{made['id']}/denial", note="not ours")
    assert is_refused(gear.poll())
    assert is_refused(gear.ask(made["challenge"]))
    assert state(admin, made) == "denied"


def test_a_challenge_is_withdrawn(admin, gear):
    made = mint(admin, gear)
    admin.post(f"/certificate-requests/{made['id']}/denial")
    assert is_refused(gear.ask(made["challenge"]))


@pytest.mark.parametrize("kind", [RENEWAL, "19"])
def test_gear_renews_by_itself(admin, gear, kind):
    first = gear.opened(gear.ask(mint(admin, gear)["challenge"]))
    sender = Sender(gear.sender.key)
    sender.certificate = first
    key = scep.rsa_key()
    second = gear.opened(gear.ask(None, kind, key=key, sender=sender))
    assert second.subject == first.subject and second.serial_number != first.serial_number
    sender.transaction += "y"
    assert is_refused(gear.ask(None, kind, key=key, sender=sender, subject=[(CN, "somebody else")]))
    for _ in range(2):
        sender.transaction += "x"
        gear.opened(gear.ask(None, kind, key=key, sender=sender))
    sender.transaction += "x"
    assert is_refused(gear.ask(None, kind, key=key, sender=sender))
    admin.post(f"/certificates/{first.serial_number:032x}/revocation", reason="key_compromise")
    assert is_refused(gear.ask(None, kind, key=scep.rsa_key(), sender=sender))


def test_gear_is_no_device_and_is_told_so(house, admin, authority, gear, tmp_path):
    certificate = gear.opened(gear.ask(mint(admin, gear)["challenge"]))
    serial = f"{certificate.serial_number:032x}"
    (tmp_path / "key.pem").write_bytes(gear.sender.key_pem())
    (tmp_path / "chain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM)
                                         + authority.issuing.public_bytes(serialization.Encoding.PEM))
    context = house.context()
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    for path, message in (("/apple/connect", {"Status": "Idle", "UDID": "U"}),
                          ("/apple/checkin", {"MessageType": "Authenticate", "UDID": "U", "Topic": TOPIC})):
        connection = http.client.HTTPSConnection("127.0.0.1", house.ports["device"], timeout=30, context=context)
        with contextlib.closing(connection):
            connection.request("PUT", path, body=plistlib.dumps(message))
            answer = connection.getresponse()
            assert (answer.status, b"unrecognized" in answer.read()) == (403, False)
    [row] = [one for one in admin.items("/refusals?limit=1000") if one["peer"] == serial]
    assert (row["kind"], row["count"]) == ("certificate.no_device", 2)
    assert row["detail"]["subject"] == f"CN={gear.name}"
    assert f"{serial} is ours, but stands for no device" in house.log_text()


def test_the_key_of_somebody_else_is_refused(house, admin, authority, gear, tmp_path):
    gear.opened(gear.ask(mint(admin, gear)["challenge"]))
    other = Gear(house, authority, tmp_path, "another name", gear.sender.key)
    assert is_refused(other.ask(mint(admin, other)["challenge"]))


def strongswan(authority, made, name, folder, bits=2048):
    """Its client under way; it polls each second as long as it is told to wait."""
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", folder / "key.pem")
    return subprocess.Popen(
        ["pki", "--scep", "--url", made["scep_url"], "--in", folder / "key.pem", "--password", made["challenge"],
         "--dn", f"O=Works, CN={name}", "--san", name, "--interval", "1", "--maxpolltime", "50",
         "--cacert-enc", authority.folder / "registration.der", "--cacert-sig", authority.folder / "registration.der",
         "--cacert", authority.folder / "issuing.der", "--cacert", authority.folder / "root.der", "--outform", "pem"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_strongswan_enrols_gear(admin, authority, tmp_path):
    made = admin.post("/certificate-challenges", subject="CN=gw.example.org, O=Works",
                      alternative_names="dns:gw.example.org")
    with strongswan(authority, made, "gw.example.org", tmp_path, 3072) as client:
        certificate, said = client.communicate(timeout=60)
    assert client.returncode == 0, said.decode()
    (tmp_path / "leaf.pem").write_bytes(certificate)
    assert "OK" in run("openssl", "verify", "-CAfile", authority.folder / "root.pem", "-untrusted",
                       authority.folder / "issuing.pem", "-purpose", "sslserver", tmp_path / "leaf.pem")


@pytest.mark.parametrize("is_renewal_told", [True, False])
def test_certmonger_enrols_and_renews_by_itself(admin, authority, tmp_path, is_renewal_told):
    """With RenewalReq, or with PKCSReq signed by what it has (RFC 8894 lets a client do either)."""
    name = f"certmonger {is_renewal_told}"
    made = admin.post("/certificate-challenges", subject=f"CN={name}")
    with Certmonger(tmp_path) as monger:
        certificate = monger.home / "c.pem"
        monger.getcert("add-scep-ca", "-c", "muster", "-u", made["scep_url"], *([] if is_renewal_told else ["-n"]))
        wait_until(lambda: "muster" in monger.getcert("list-cas").stdout, 15, "the authority")
        monger.getcert("request", "-c", "muster", "-I", "one", "-k", monger.home / "k.pem", "-f", certificate,
                       "-N", f"CN={name}", "-L", made["challenge"])
        wait_until(certificate.exists, 60, "a certificate")
        first = x509.load_pem_x509_certificate(certificate.read_bytes())
        assert first.subject.rfc4514_string() == f"CN={name}"
        wait_until(lambda: "MONITORING" in monger.getcert("list").stdout, 30, "certmonger is content")
        monger.getcert("resubmit", "-i", "one")
        second = wait_until(lambda: another(certificate, first), 60, "the next certificate")
    assert second.subject == first.subject and second.serial_number != first.serial_number
    assert "OK" in run("openssl", "verify", "-CAfile", authority.folder / "root.pem", "-untrusted",
                       authority.folder / "issuing.pem", certificate)


def another(path, first):
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return found if found != first else None


def test_the_go_client_is_told_that_its_cipher_is_bad(house, admin, tmp_path):
    """It knows DES alone. What was meant for it can be used by another client."""
    made = admin.post("/certificate-challenges", subject="CN=go")
    said = run("scepclient", "-server-url", made["scep_url"], "-private-key", tmp_path / "key.pem", "-certificate",
               tmp_path / "leaf.pem", "-cn", "go", "-challenge", made["challenge"], fails=True)
    assert "badAlg" in said and not (tmp_path / "leaf.pem").exists()
    assert state(admin, made) == "delivered"


# ---- by the command line ----

@pytest.fixture
def muster(house, admin, tmp_path):
    """The program, as an administrator."""
    one = Muster(house, tmp_path)
    words = ("--server", one.url, "--ca", one.ca)

    def call(*more, token=admin.token, **options):
        call.said = ""
        shown = one(*more, *words, MUSTER_TOKEN=token, **options)
        call.said = one.said
        return shown
    return call


def test_certificates_are_found_and_counted(muster, gear):
    made = challenge(muster, "--subject", f"CN={gear.name}")
    certificate = gear.opened(gear.ask(made["challenge"]))
    serial = f"{certificate.serial_number:032x}"

    def found(*words):
        rows = json.loads(muster("certificate", "list", *words, "--all", "-o", "json"))["items"]
        return [row["serial"] for row in rows]

    assert found("--query", gear.name.upper()) == [serial]
    assert found("--query", serial.upper()) == [serial]
    assert serial in found("--purpose", "network", "--state", "issued", "--ends-within", "400d")
    assert serial not in found("--purpose", "mdm-identity")
    assert serial not in found("--state", "revoked") and serial not in found("--ends-within", "1d")
    months = {row["month"]: row["others"] for row in
              json.loads(muster("certificate", "calendar", "-o", "json"))["items"]}
    month = f"{certificate.not_valid_after:%Y-%m}"
    assert len(months) == 15 and months[month] >= 1
    muster("certificate", "revoke", serial, "--yes")
    after = {row["month"]: row["others"] for row in
             json.loads(muster("certificate", "calendar", "-o", "json"))["items"]}
    assert after[month] == months[month] - 1
    assert "OF DEVICES" in muster("certificate", "calendar")


def challenge(muster, *words):
    return json.loads(muster("certificate", "challenge", *words, "-o", "json"))


def test_a_challenge_is_printed_alone(muster, admin, gear):
    secret = muster("certificate", "challenge", "--subject", f"CN={gear.name}")
    assert re.fullmatch("[A-Z2-7]{51}\n", secret)
    assert "/scep/network" in muster.said and "Shown this once" in muster.said
    assert gear.opened(gear.ask(secret.strip())).subject.rfc4514_string() == f"CN={gear.name}"
    assert secret.strip() not in json.dumps(admin.items("/certificate-requests?limit=1000"))


def test_a_challenge_has_the_names_and_the_end_that_were_wished(muster, admin, gear):
    made = challenge(muster, "--subject", f"CN={gear.name}", "--san", "dns:a.example.org", "--expires", "7d")
    [row] = [one for one in admin.items("/certificate-requests?limit=1000") if one["id"] == made["id"]]
    lives = datetime.datetime.fromisoformat(row["expires_at"]) - datetime.datetime.fromisoformat(row["created_at"])
    assert abs(lives - datetime.timedelta(days=7)) < datetime.timedelta(minutes=2) and not row["needs_approval"]
    certificate = gear.opened(gear.ask(made["challenge"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example.org"]


def test_challenges_and_decisions_that_cannot_be_have_their_exit_codes(muster, admin, gear):
    muster("certificate", "challenge", code=2)
    muster("certificate", "challenge", "--subject", "nothing", code=1)
    assert "CN=" in muster.said
    muster("certificate", "challenge", "--subject", "CN=a", "--expires", "91d", code=1)
    assert "90 days" in muster.said
    made = challenge(muster, "--subject", f"CN={gear.name}", "--approve")
    for verb in ("approve", "deny"):
        muster("certificate", verb, code=2)
        muster("certificate", verb, "nobody", code=3)
    muster("certificate", "approve", made["id"], code=5)
    assert "does not wait" in muster.said
    auditor = admin.post("/tokens", name="reads", role="auditor")["token"]
    for words in (("challenge", "--subject", "CN=a"), ("approve", made["id"]), ("deny", made["id"])):
        muster("certificate", *words, token=auditor, code=4)
    assert state(admin, made) == "delivered"


def waiting(muster, made):
    [row] = [one for one in json.loads(muster("certificate", "requests", "--all", "-o", "json"))["items"]
             if one["id"] == made["id"]]
    return row["state"] == "waiting"


@pytest.mark.parametrize("verb, code", [("approve", 0), ("deny", 1)])
def test_strongswan_waits_until_a_person_has_decided(muster, admin, authority, tmp_path, verb, code):
    name = f"{verb}.example.org"
    made = challenge(muster, "--subject", f"CN={name}, O=Works", "--san", f"dns:{name}", "--approve")
    with strongswan(authority, made, name, tmp_path) as client:
        try:
            wait_until(lambda: waiting(muster, made), 30, "a request that waits")
            assert "agrees" in muster("certificate", "trace", made["id"], "-o", "json")
            assert client.poll() is None
            assert muster("certificate", verb, made["id"], "--reason", "ticket 7") == ""
            shown, said = client.communicate(timeout=60)
        finally:
            client.kill()
    assert bool(client.returncode) == bool(code), said.decode()
    muster("certificate", verb, made["id"], code=5)
    [entry] = [one for one in admin.items("/audit?limit=1000")
               if one["subject_id"] == made["id"] and one["action"] == f"certificate.{verb}"]
    assert (entry["actor_name"], entry["reason"]) == ("admin", "ticket 7")
    if verb == "deny":
        assert state(admin, made) == "denied" and not shown
        return
    certificate = x509.load_pem_x509_certificate(shown)
    assert certificate.subject.rfc4514_string() == f"CN={name},O=Works"
    assert name in muster("certificate", "get", f"{certificate.serial_number:032x}")


def test_several_requests_are_decided_at_once(muster, admin, gear):
    made = [challenge(muster, "--subject", f"CN={gear.name} {i}") for i in range(3)]
    assert muster("certificate", "deny", *(one["id"] for one in made[:2])) == ""
    assert [state(admin, one) for one in made] == ["denied", "denied", "delivered"]
    muster("certificate", "deny", made[0]["id"], made[2]["id"], code=7)
    assert state(admin, made[2]) == "denied"
