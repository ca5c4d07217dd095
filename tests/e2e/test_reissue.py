# SPDX-License-Identifier: Apache-2.0
"""SCEP renewal by clients: signed by a certificate of ours, it needs no challenge; everything else is refused."""
import datetime
import http.client
import plistlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import scep
from phones import admin, house, make_phone
from pki import CN, O, authority, is_refused, ocsp
from scep import Reply, Sender

pytestmark = pytest.mark.pki

RENEWAL, REQUEST = "17", "19"


class Client:
    """A device's key and certificate in Python's hands."""

    def __init__(self, house, authority, phone, folder):
        self.house, self.authority, self.folder, self.udid = house, authority, folder, phone.udid
        self.pem = phone.directory / "identity.pem"
        self.certificate = x509.load_pem_x509_certificate(self.pem.read_bytes())
        self.key = serialization.load_pem_private_key((phone.directory / "identity.key").read_bytes(), None)
        self.chain = (phone.directory / "chain.pem").read_bytes()
        names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        [self.san] = names.get_values_for_type(x509.UniformResourceIdentifier)
        self.subject = [(O, self.part(x509.NameOID.ORGANIZATION_NAME)), (CN, self.part(x509.NameOID.COMMON_NAME))]

    def part(self, which):
        return self.certificate.subject.get_attributes_for_oid(which)[0].value

    def sender(self, key=None, certificate=None):
        sender = Sender(key or self.key)
        sender.certificate = certificate or self.certificate
        return sender

    def message(self, kind, key, sender=None, **other):
        asked = {"subject": self.subject, "names": [scep.uri(self.san)], **other}
        content = scep.envelope(scep.request(key, **asked), self.authority.registration)
        return (sender or self.sender()).message(content, kind)

    def post(self, message):
        status, _, body = self.house.get("/scep/apple?operation=PKIOperation", door="plain", method="POST", body=message)
        assert status == 200
        return Reply(body, self.authority.registration)

    def ask(self, kind, key, **other):
        return self.post(self.message(kind, key, **other))

    def opened(self, reply):
        return self.sender().certificates(reply, self.folder)[0]

    def idle(self, certificate, key):
        """The status of an Idle with this identity."""
        (self.folder / "speaks.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + self.chain)
        (self.folder / "speaks.key").write_bytes(Sender.key_pem(self.sender(key)))
        context = self.house.context()
        context.load_cert_chain(self.folder / "speaks.pem", self.folder / "speaks.key")
        connection = http.client.HTTPSConnection("127.0.0.1", self.house.ports["device"], timeout=30, context=context)
        connection.request("PUT", "/apple/connect", body=plistlib.dumps({"Status": "Idle", "UDID": self.udid}))
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def client(house, authority, make_phone, tmp_path):
    return Client(house, authority, make_phone(), tmp_path)


def test_renewal_is_announced(house):
    assert b"Renewal" in house.get("/scep/apple?operation=GetCACaps", door="plain")[2].split(b"\n")


@pytest.mark.parametrize("kind", [RENEWAL, REQUEST])
@pytest.mark.parametrize("key", ["new", "same"])
def test_a_certificate_of_ours_gets_the_next_one(house, authority, client, kind, key):
    key = scep.rsa_key() if key == "new" else client.key
    message = client.message(kind, key)
    reply, again = client.post(message), client.post(message)
    assert reply.status == again.status == scep.SUCCESS
    renewed = client.opened(reply)
    assert client.opened(again) == renewed  # the answer was lost: the same, byte for byte
    assert renewed.subject == client.certificate.subject
    assert renewed.serial_number != client.certificate.serial_number
    assert ": good" in ocsp(house, authority, client.pem)
    assert client.idle(renewed, key) == 200
    heard = ocsp(house, authority, client.pem)
    assert ": revoked" in heard and "superseded" in heard
    assert client.idle(client.certificate, client.key) == 403


def test_a_renewal_by_nobody_of_ours_is_refused(client, admin):
    stranger = Sender()
    assert is_refused(client.ask(RENEWAL, stranger.key, sender=stranger))
    assert is_refused(client.ask(RENEWAL, stranger.key, sender=stranger, challenges=["A" * 40]))
    now = datetime.datetime.utcnow()
    forged = (x509.CertificateBuilder().subject_name(client.certificate.subject)
              .issuer_name(client.certificate.issuer).public_key(stranger.key.public_key())
              .serial_number(client.certificate.serial_number).not_valid_before(now - datetime.timedelta(days=1))
              .not_valid_after(now + datetime.timedelta(days=1)).sign(stranger.key, hashes.SHA256()))
    for kind in (RENEWAL, REQUEST):
        assert is_refused(client.ask(kind, stranger.key, sender=client.sender(stranger.key, forged)))
    # ours is shown, another key has signed
    for kind in (RENEWAL, REQUEST):
        assert is_refused(client.ask(kind, stranger.key, sender=client.sender(stranger.key)), scep.BAD_CHECK)


@pytest.mark.parametrize("kind", [RENEWAL, REQUEST])
def test_what_differs_is_refused(client, kind):
    key = scep.rsa_key()
    other = [(O, client.subject[0][1]), (CN, "somebody else")]
    assert is_refused(client.ask(kind, key, subject=other))
    assert is_refused(client.ask(kind, key, names=[scep.uri("urn:uuid:00000000-0000-4000-8000-000000000000")]))
    assert is_refused(client.ask(kind, key, names=[]))
    assert is_refused(client.ask(kind, scep.rsa_key(3072)))
    assert client.ask(kind, key).status == scep.SUCCESS


@pytest.mark.parametrize("kind", [RENEWAL, REQUEST])
def test_a_signer_that_is_worth_nothing_renews_nothing(admin, client, kind):
    key = scep.rsa_key()
    admin.post(f"/devices/{client.udid}/block")
    assert is_refused(client.ask(kind, key))
    admin.post(f"/devices/{client.udid}/unblock")
    serial = f"{client.certificate.serial_number:032x}"
    admin.post(f"/certificates/{serial}/revocation", reason="key_compromise")
    assert is_refused(client.ask(kind, key))


def test_a_device_that_is_to_leave_renews_nothing(admin, client):
    admin.command(client.udid, "retire")
    assert is_refused(client.ask(RENEWAL, scep.rsa_key()))
