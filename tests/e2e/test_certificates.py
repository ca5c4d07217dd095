# SPDX-License-Identifier: Apache-2.0
"""Certificates of another authority for the front and the device door, and the addresses that doors listen on."""
import os
import signal
import socket
import ssl
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from edge import DAY, NOW, Authority
from house import House, wait_until
from test_house import Load

pytestmark = pytest.mark.e2e
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


class Given:
    """A house whose front shows certificates of an authority that everybody trusts."""

    def __init__(self):
        self.house = House()
        self.root = Authority("Public root")
        self.between = Authority("Public issuer", self.root)
        self.folder = self.house.folder / "tls"
        self.folder.mkdir()
        self.paths = {}
        for number, key in ((1, ec.generate_private_key(ec.SECP256R1())),
                            (2, rsa.generate_private_key(65537, 2048))):
            self.paths[number] = self.issue(f"server{number}", key=key)
        suffixes = {1: "", 2: "_2"}
        for number, (certificate, key) in self.paths.items():
            self.house.options += [f"front.certificate{suffixes[number]}={certificate}",
                                   f"front.key{suffixes[number]}={key}"]

    def issue(self, name, **options):
        return self.between.issue(self.folder, name, SERVER, chain=[self.between.certificate],
                                  **options)[:2]

    def shown(self, door="front", prepare=lambda context: None):
        """The certificate that a client sees who trusts the public root alone."""
        context = ssl.create_default_context(cadata=self.root_pem())
        prepare(context)
        with socket.create_connection(("127.0.0.1", self.house.ports[door]), timeout=20) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as connection:
                return connection.getpeercert(), connection.cipher()[0]

    def root_pem(self):
        from edge import pem
        return pem(self.root.certificate).decode()

    def check(self, *sets):
        words = [word for one in sets for word in ("--set", one)]
        result = subprocess.run([*self.house.command("check-config"), *words], capture_output=True,
                                text=True, timeout=30)
        return result.returncode, result.stderr


@pytest.fixture
def given():
    one = Given()
    try:
        yield one
    finally:
        one.house.close()


def old_client(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")


def test_the_front_shows_what_it_was_given_and_a_reload_reads_it_again(given):
    house = given.house
    house.context = lambda: ssl.create_default_context(cadata=given.root_pem())
    house.start()
    first, _ = given.shown()
    assert dict(first["subject"][0])["commonName"] == "server1"
    assert given.shown(prepare=old_client)[1] == "ECDHE-RSA-AES128-GCM-SHA256"
    with pytest.raises(ssl.SSLError):  # the device door keeps this server's own
        given.shown("device")
    with Load(house) as load:
        for turn in range(3):
            certificate, key = given.issue(f"renewed{turn}")
            os.replace(certificate, given.paths[1][0])
            os.replace(key, given.paths[1][1])
            house.process.send_signal(signal.SIGHUP)
            wait_until(lambda: dict(given.shown()[0]["subject"][0])["commonName"] == f"renewed{turn}", 30,
                       "the renewed certificate")
    assert not load.lost
    # a wrong one changes nothing
    given.paths[1][1].write_bytes(given.paths[2][1].read_bytes())
    house.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the key does not belong to the certificate" in house.log_text(), 20, "a refusal")
    # a worker that ends accepts for a moment longer
    wait_until(lambda: {dict(given.shown()[0]["subject"][0])["commonName"] for _ in range(10)} == {"renewed2"}, 30,
               "the renewed certificate alone")
    assert house.stop() == 0


def test_an_expired_certificate_does_not_keep_the_house_from_starting(given):
    house = given.house
    (certificate, key), _ = given.paths[1], given.paths.pop(2)
    house.options = [one for one in house.options if "front." not in one or "_2=" not in one]
    for to, of in zip((certificate, key), given.issue("late", start=NOW - 9 * DAY, end=NOW - DAY)):
        os.replace(of, to)
    status, said = given.check()
    assert status == 2 and "the certificate has expired" in said
    house.start()  # waits for /readyz, over the certificate of the own authority
    assert "the certificate has expired" in house.log_text()
    assert "server.certificate-replaced" in house.log_text()
    with pytest.raises(ssl.SSLError):
        given.shown()
    for to, of in zip((certificate, key), given.issue("renewed")):
        os.replace(of, to)
    house.process.send_signal(signal.SIGHUP)
    wait_until(lambda: front_name(given) == "renewed", 30, "the renewed certificate")
    assert house.stop() == 0


def front_name(given):
    try:
        return dict(given.shown()[0]["subject"][0])["commonName"]
    except ssl.SSLError:
        return None


def test_a_wrong_second_certificate_leaves_the_first_to_be_shown(given):
    house = given.house
    house.context = lambda: ssl.create_default_context(cadata=given.root_pem())
    given.paths[2][1].write_bytes(given.paths[1][1].read_bytes())
    house.start()
    assert "the key does not belong to the certificate" in house.log_text()
    assert front_name(given) == "server1"
    assert house.stop() == 0


def test_certificates_that_clients_would_refuse_are_refused(given):
    assert given.check()[0] == 0

    def refused(certificate, key, complaint):
        status, said = given.check(f"front.certificate={certificate}", f"front.key={key}")
        assert status == 2 and complaint in said, said

    certificate, key = given.paths[1]
    refused(certificate, given.paths[2][1], "the key does not belong to the certificate")
    refused(key, key, "there is no certificate in PEM")
    refused(certificate, certificate, "there is no key in PEM")
    refused(*given.issue("late", start=NOW - 9 * DAY, end=NOW - DAY), "the certificate has expired")
    refused(*given.issue("early", start=NOW + DAY), "does not hold yet")
    refused(*given.between.issue(given.folder, "gap", SERVER, chain=[given.root.certificate])[:2],
            "did not issue the one before it")
    refused(*given.between.issue(given.folder, "phone", ExtendedKeyUsageOID.CLIENT_AUTH)[:2],
            "is not for servers")
    refused(given.folder / "none.pem", key, "none.pem")
    status, said = given.check("front.url=https://mdm.example.org")
    assert status == 2 and "is not for mdm.example.org" in said


def test_a_door_listens_on_several_addresses():
    one = House()
    one.options = [option for option in one.options if not option.startswith("plain.address")]
    one.options.append("plain.address=127.0.0.1, 127.0.0.2 ::1")
    try:
        one.start()
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            socket.create_connection((address, one.ports["plain"]), timeout=10).close()
        assert one.stop() == 0
    finally:
        one.close()


def test_two_colons_are_every_address_of_both_kinds():
    one = House()
    one.options = [option for option in one.options if not option.startswith("front.address")]
    one.options.append("front.address=::")
    try:
        one.start()
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, one.ports["front"]), timeout=10).close()
        assert one.stop() == 0
    finally:
        one.close()
