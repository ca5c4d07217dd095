# SPDX-License-Identifier: Apache-2.0
"""GetCert and GetCRL: the authority answers holders of its certificates, about their own ones."""
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import scep
from phones import admin, house, make_phone
from pki import authority, fetch_crl, is_refused, run
from scep import Sender
from test_reissue import Client

pytestmark = pytest.mark.pki

GET_CERTIFICATE, GET_LIST = "21", "22"
NOBODYS = 0x7000000000000000000000000000000F


@pytest.fixture
def client(house, authority, make_phone, tmp_path):
    return Client(house, authority, make_phone(), tmp_path)


def question(client, kind, serial, sender=None, issuer=None):
    """An IssuerAndSerialNumber in an envelope."""
    issuer = issuer or client.authority.issuing.subject
    content = scep.tlv(scep.SEQUENCE, issuer.public_bytes(), scep.integer(serial))
    sender = sender or client.sender()
    return client.post(sender.message(scep.envelope(content, client.authority.registration), kind))


def listed(client, reply):
    """The list that a reply brought, opened and checked by OpenSSL: serial numbers."""
    (client.folder / "reply.der").write_bytes(reply.content)
    (client.folder / "own.pem").write_bytes(client.sender().key_pem())
    bundle = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", client.folder / "reply.der",
                             "-inkey", client.folder / "own.pem"], check=True, capture_output=True).stdout
    text = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=bundle, check=True,
                          capture_output=True).stdout
    (client.folder / "crl.pem").write_bytes(text[text.index(b"-----BEGIN X509 CRL"):])
    assert "verify OK" in run("openssl", "crl", "-in", client.folder / "crl.pem", "-noout", "-CAfile",
                              client.authority.folder / "issuing.pem")
    return x509.load_pem_x509_crl((client.folder / "crl.pem").read_bytes())


def test_a_device_gets_its_own_certificates(client, admin):
    reply = question(client, GET_CERTIFICATE, client.certificate.serial_number)
    assert reply.status == scep.SUCCESS
    assert client.opened(reply) == client.certificate
    key = scep.rsa_key()
    renewed = client.opened(client.ask("17", key))
    assert client.opened(question(client, GET_CERTIFICATE, renewed.serial_number)) == renewed


def test_what_is_not_the_signers_is_not_given(client, house, authority, make_phone):
    other = Client(house, authority, make_phone("other"), client.folder)
    mine = client.certificate.serial_number
    for serial in (other.certificate.serial_number, NOBODYS, authority.issuing.serial_number,
                   authority.registration.serial_number):
        assert is_refused(question(client, GET_CERTIFICATE, serial), scep.BAD_CERTIFICATE)
    assert is_refused(question(client, GET_CERTIFICATE, mine, issuer=authority.root.subject), scep.BAD_CERTIFICATE)
    assert is_refused(question(client, GET_LIST, mine, issuer=client.certificate.subject), scep.BAD_CERTIFICATE)


@pytest.mark.parametrize("kind", [GET_CERTIFICATE, GET_LIST])
def test_a_stranger_hears_nothing(client, admin, kind):
    serial, stranger = client.certificate.serial_number, Sender()
    assert is_refused(question(client, kind, serial, sender=stranger))
    now = datetime.datetime.utcnow()
    forged = (x509.CertificateBuilder().subject_name(client.certificate.subject)
              .issuer_name(client.certificate.issuer).public_key(stranger.key.public_key())
              .serial_number(serial).not_valid_before(now - datetime.timedelta(days=1))
              .not_valid_after(now + datetime.timedelta(days=1)).sign(stranger.key, hashes.SHA256()))
    assert is_refused(question(client, kind, serial, sender=client.sender(stranger.key, forged)))
    assert is_refused(question(client, kind, serial, sender=client.sender(stranger.key)), scep.BAD_CHECK)
    admin.post(f"/devices/{client.udid}/block")
    assert is_refused(question(client, kind, serial))
    admin.post(f"/devices/{client.udid}/unblock")
    assert question(client, kind, serial).status == scep.SUCCESS
    admin.post(f"/certificates/{serial:032x}/revocation", reason="key_compromise")
    assert is_refused(question(client, kind, serial))


def test_a_device_gets_the_newest_list(client, house, tmp_path):
    reply = question(client, GET_LIST, client.certificate.serial_number)
    assert reply.status == scep.SUCCESS
    found = listed(client, reply)
    public = x509.load_pem_x509_crl(fetch_crl(house, tmp_path).read_bytes())
    numbers = [one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in (found, public)]
    assert numbers[0] == numbers[1] and found == public or numbers[0] < numbers[1]
