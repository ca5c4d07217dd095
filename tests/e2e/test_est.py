# SPDX-License-Identifier: Apache-2.0
"""EST (RFC 7030): the same challenges, policies and traces as SCEP, over TLS and without CMS on the way in."""
import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep
from house import wait_until
from phones import admin, house
from pki import CN, O, authority, ocsp, run
from test_network import PATH, Gear, mint, purposes, state

pytestmark = pytest.mark.pki

EST = "/.well-known/est"
BUNDLE = "application/pkcs7-mime; smime-type=certs-only"
PEM = serialization.Encoding.PEM


class Client:
    """Gear that speaks EST with a key of its own."""

    def __init__(self, house, folder, name, key=None):
        self.house, self.folder, self.name = house, folder, name
        self.key = key or scep.ec_key()
        self.answer = None

    def request(self, key=None, **other):
        return scep.request(key or self.key, **{"subject": [(CN, self.name)], **other})

    def post(self, path, body, headers, door="device", certificate=None):
        """(status, headers, body)"""
        context = self.house.context()
        if certificate:
            context.load_cert_chain(*certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", self.house.ports[door], timeout=30, context=context)
        with contextlib.closing(connection):
            connection.request("POST", EST + path, body=body, headers=headers)
            answer = connection.getresponse()
            self.answer = answer.headers
            return answer.status, answer.read()

    def enrol(self, challenge, key=None, door="device", body=None, path="/simpleenroll", certificate=None, **other):
        body = base64.b64encode(self.request(key, **other)) if body is None else body
        headers = {"Content-Type": "application/pkcs10"}
        if challenge is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(b"gear:" + challenge.encode()).decode()
        return self.post(path, body, headers, door, certificate)

    def opened(self, answer):
        """The certificates of an answer, by OpenSSL."""
        status, body = answer
        assert (status, self.answer["Content-Type"]) == (200, BUNDLE), body
        return bundle(body, self.folder)

    def kept(self, certificate, key=None):
        """Files for the next handshake."""
        paths = self.folder / "chain.pem", self.folder / "key.pem"
        paths[0].write_bytes(certificate.public_bytes(PEM))
        paths[1].write_bytes((key or self.key).private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                                             serialization.NoEncryption()))
        return paths

    def renew(self, certificate, key=None, old=None, **other):
        return self.enrol(None, key, path="/simplereenroll", certificate=self.kept(certificate, old), **other)


def bundle(body, folder):
    assert b"\n" not in body
    (folder / "bundle.der").write_bytes(base64.b64decode(body, validate=True))
    text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", folder / "bundle.der")
    return [x509.load_pem_x509_certificate(("-----BEGIN" + part).encode()) for part in text.split("-----BEGIN")[1:]]


@pytest.fixture
def client(house, tmp_path, request):
    return Client(house, tmp_path, f"est {request.node.name}"[:60])


@pytest.mark.parametrize("door", ["front", "device"])
def test_the_authority_shows_itself(house, authority, tmp_path, door):
    status, headers, body = house.get(f"{EST}/cacerts", door=door)
    assert (status, headers["Content-Type"]) == (200, BUNDLE)
    assert bundle(body, tmp_path) == [authority.issuing, authority.root]
    status, _, body = house.get(f"{EST}/csrattrs", door=door)
    assert (status, body) == (204, b"")
    assert house.get(f"{EST}/serverkeygen", door=door, method="POST", body=b"")[0] == 404
    assert house.get(f"{EST}/cacerts", door="plain")[0] != 200


@pytest.mark.proves_partly("4g-17")
@pytest.mark.parametrize("make_key, door", [(scep.ec_key, "front"), (scep.rsa_key, "device")])
def test_gear_gets_a_certificate_for_its_challenge(house, admin, authority, client, make_key, door):
    client.key = make_key()
    made = mint(admin, client, alternative_names="dns:est.example.org")
    assert made["est_url"] == f"https://localhost:{house.ports['device']}{EST}"
    [certificate] = client.opened(client.enrol(made["challenge"], door=door))
    assert client.opened(client.enrol(made["challenge"], door=door)) == [certificate]  # the answer was lost
    assert certificate.subject.rfc4514_string() == f"CN={client.name}"
    assert scep.spki(client.key) == certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    (client.folder / "leaf.pem").write_bytes(certificate.public_bytes(PEM))
    assert "OK" in run("openssl", "verify", "-CAfile", authority.folder / "root.pem", "-untrusted",
                       authority.folder / "issuing.pem", "-purpose", "sslserver", client.folder / "leaf.pem")
    assert ": good" in ocsp(house, authority, client.folder / "leaf.pem")
    trace = admin.items(f"/certificates/{certificate.serial_number:032x}/trace")
    assert [step["step"] for step in trace] == [1, 2, 3, 4, 5, 6]
    assert client.enrol(made["challenge"], key=scep.ec_key())[0] == 403  # it worked once


def test_who_brings_no_challenge_is_asked_for_one(admin, client):
    made = mint(admin, client)
    for challenge in (None, "", "A" * 51, made["challenge"].lower()):
        assert client.enrol(challenge)[0] == 401
        assert client.answer["WWW-Authenticate"].startswith("Basic realm=")
    assert state(admin, made) == "delivered"
    client.opened(client.enrol(made["challenge"]))


@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"nothing", 400), (base64.b64encode(b"nothing"), 400), (b"A" * 32769, 413), (b"A" * 70000, 413)])
def test_bodies_that_hold_no_request_are_refused(admin, client, body, status):
    assert client.enrol(mint(admin, client)["challenge"], body=body)[0] == status


def test_line_breaks_in_a_body_do_not_matter(admin, client):
    body = base64.encodebytes(client.request()).replace(b"\n", b"\r\n")
    client.opened(client.enrol(mint(admin, client)["challenge"], body=body))


def test_another_content_type_is_refused(admin, client):
    made = mint(admin, client)
    basic = "Basic " + base64.b64encode(f"x:{made['challenge']}".encode()).decode()
    status, said = client.post("/simpleenroll", base64.b64encode(client.request()), {"Authorization": basic})
    assert status == 400 and b"application/pkcs10" in said and made["challenge"].encode() not in said


def test_what_differs_is_refused_and_three_times_burns(admin, client):
    made = mint(admin, client)
    for other in ({"subject": [(CN, "somebody else")]}, {"subject": [(O, "Works"), (CN, client.name)]},
                  {"names": [scep.dns("a.example")]}):
        assert client.enrol(made["challenge"], **other)[0] == 403
    assert state(admin, made) == "burnt"
    assert client.enrol(made["challenge"])[0] == 403


def test_weak_keys_and_bindings_that_cannot_be_checked_are_refused(admin, client):
    made = mint(admin, client)
    assert client.enrol(made["challenge"], key=scep.rsa_key(1024))[0] == 403
    assert client.enrol(made["challenge"], challenges=["dGxzLXVuaXF1ZQ=="])[0] == 403
    [certificate] = client.opened(client.enrol(made["challenge"], challenges=[made["challenge"]]))
    assert certificate.subject.rfc4514_string() == f"CN={client.name}"


def test_a_request_waits_for_its_approval(house, admin, client, tmp_path):
    made = mint(admin, client, needs_approval=True)
    for _ in range(2):
        assert client.enrol(made["challenge"])[0] == 202
        assert client.answer["Retry-After"] == "60"
    assert state(admin, made) == "waiting"
    assert Client(house, tmp_path, client.name).enrol(made["challenge"])[0] == 403
    admin.post(f"/certificate-requests/{made['id']}/approval")
    [certificate] = client.opened(client.enrol(made["challenge"]))
    assert client.opened(client.enrol(made["challenge"])) == [certificate]


def test_a_denied_request_gets_nothing(admin, client):
    made = mint(admin, client, needs_approval=True)
    assert client.enrol(made["challenge"])[0] == 202
    admin.post(f"/certificate-requests/{made['id']}/denial")
    assert client.enrol(made["challenge"])[0] == 403


def test_gear_renews_with_what_it_has(admin, client):
    [first] = client.opened(client.enrol(mint(admin, client)["challenge"]))
    assert client.renew(first, subject=[(CN, "somebody else")])[0] == 403
    key = scep.ec_key()
    [second] = client.opened(client.renew(first, key))
    assert client.opened(client.renew(first, key)) == [second]
    assert second.subject == first.subject and second.serial_number != first.serial_number
    assert purposes(second) == purposes(first)
    [third] = client.opened(client.renew(second, key, old=key))  # the same key once more
    admin.post(f"/certificates/{third.serial_number:032x}/revocation", reason="key_compromise")
    assert client.renew(third, old=key)[0] == 403


def test_renewing_takes_a_certificate_of_ours(house, admin, authority, client):
    [first] = client.opened(client.enrol(mint(admin, client)["challenge"]))
    for door in ("front", "device"):
        assert client.enrol(None, path="/simplereenroll", door=door)[0] == 403
    forged, key = client.folder / "forged.pem", client.folder / "forged.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
        "-subj", f"/CN={client.name}", "-out", forged)
    assert client.enrol(None, path="/simplereenroll", certificate=(forged, key))[0] == 403
    client.opened(client.renew(first))


def test_curl_and_openssl_enrol_gear(house, admin, authority, client):
    made = mint(admin, client)
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout",
        client.folder / "key.pem", "-subj", f"/CN={client.name}", "-outform", "DER", "-out", client.folder / "csr.der")
    (client.folder / "csr.b64").write_bytes(base64.encodebytes((client.folder / "csr.der").read_bytes()))
    said = run("curl", "-sS", "--fail", "--cacert", authority.folder / "root.pem", "-u", f"gear:{made['challenge']}",
               "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{client.folder / 'csr.b64'}",
               f"{made['est_url']}/simpleenroll")
    [certificate] = bundle(said.encode(), client.folder)
    assert certificate.subject.rfc4514_string() == f"CN={client.name}"


def strongswan(authority, made, folder, *words):
    """Its client under way; it polls each second as long as it is told to wait."""
    return subprocess.Popen(["pki", "--est", "--url", made["est_url"].removesuffix(EST), "--in", folder / "csr.der",
                             "--cacert", authority.folder / "root.pem", "--interval", "1", "--maxpolltime", "50",
                             "--outform", "pem", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_strongswan_enrols_waits_and_renews(admin, authority, client):
    made = mint(admin, client, needs_approval=True)
    (client.folder / "csr.der").write_bytes(client.request())
    with strongswan(authority, made, client.folder, "--userpass", f"gear:{made['challenge']}") as program:
        try:
            wait_until(lambda: state(admin, made) == "waiting", 30, "a request that waits")
            admin.post(f"/certificate-requests/{made['id']}/approval")
        finally:
            certificate, said = program.communicate(timeout=90)
    assert program.returncode == 0, said.decode()
    first = x509.load_pem_x509_certificate(certificate)
    chain, key = client.kept(first)
    with strongswan(authority, made, client.folder, "--cert", chain, "--key", key) as program:
        certificate, said = program.communicate(timeout=60)
    assert program.returncode == 0, said.decode()
    second = x509.load_pem_x509_certificate(certificate)
    assert second.subject == first.subject and second.serial_number != first.serial_number


def test_strongswan_fetches_the_authority(house, authority, tmp_path):
    run("pki", "--estca", "--url", f"https://localhost:{house.ports['device']}", "--cacert",
        authority.folder / "root.pem", "--caout", tmp_path / "ca.pem", "--outform", "pem")
    found = {x509.load_pem_x509_certificate(path.read_bytes()) for path in tmp_path.glob("ca*.pem")}
    assert found == {authority.issuing, authority.root}


def test_no_challenge_gets_into_the_log(house, admin, client):
    made = mint(admin, client)
    client.opened(client.enrol(made["challenge"]))
    log = house.log.read_text(errors="replace")
    basic = base64.b64encode(b"gear:" + made["challenge"].encode()).decode()
    assert made["challenge"] not in log and basic not in log
    assert made["challenge"] not in json.dumps(admin.items("/certificate-requests?limit=1000"))


# ---- the key process is away ----

@contextlib.contextmanager
def without_keyd(house):
    """It is dead, and nobody starts another one meanwhile."""
    keyd = house.pid_of("keyd")
    house.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(keyd, signal.SIGKILL)
        yield
    finally:
        house.process.send_signal(signal.SIGCONT)
        wait_until(lambda: house.pid_of("keyd") not in (None, keyd), 60, "another key process")
        house.wait_ready()


def test_no_challenge_is_lost_while_the_key_process_is_away(house, admin, authority, client, tmp_path):
    gear = Gear(house, authority, tmp_path, "gear without a key process")
    by_scep, by_est = mint(admin, gear), mint(admin, client)
    request = scep.request(gear.sender.key, [(CN, gear.name)], challenges=[by_scep["challenge"]])
    message = gear.sender.message(scep.envelope(request, authority.registration))
    with without_keyd(house):
        for _ in range(2):
            assert house.get(PATH, door="plain", method="POST", body=message, timeout=60)[0] == 503
            assert client.enrol(by_est["challenge"])[0] == 503
        assert house.get("/livez", door="metrics")[0] == 200
    assert state(admin, by_scep) == state(admin, by_est) == "delivered"
    status, _, body = house.get(PATH, door="plain", method="POST", body=message)
    assert status == 200 and gear.opened(scep.Reply(body, authority.registration))
    [certificate, *_] = client.opened(client.enrol(by_est["challenge"]))
    assert certificate.subject.rfc4514_string() == f"CN={client.name}"
