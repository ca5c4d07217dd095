# SPDX-License-Identifier: Apache-2.0
"""SHA-1 and 3DES: at the door of network gear alone, and there where an administrator wants it."""
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep
from admin import Admin
from house import House
from pki import CN
from scep import Reply, Sender

pytestmark = pytest.mark.pki

WISH = "network.legacy_algorithms=yes"


@pytest.fixture
def house(database):
    one = House(database, [WISH])
    try:
        one.start()
        yield one
    finally:
        one.close()


class Gear:
    def __init__(self, house, folder):
        self.house, self.folder, self.sender = house, folder, Sender(digest="sha1")
        ra = house.get("/scep/network?operation=GetCACert", door="plain")[2]
        listed = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=ra, check=True,
                                capture_output=True).stdout
        self.registration = x509.load_pem_x509_certificate(b"-----BEGIN" + listed.split(b"-----BEGIN")[1])

    def ask(self, challenge, where="/scep/network", cipher="des3", digest="sha1"):
        asked = scep.request(self.sender.key, subject=[(CN, "old gear")], challenges=[challenge], digest=digest)
        message = self.sender.message(scep.envelope(asked, self.registration, cipher), "19")
        status, _, body = self.house.get(f"{where}?operation=PKIOperation", door="plain", method="POST", body=message)
        assert status == 200
        return body

    def capabilities(self, where):
        return self.house.get(f"{where}?operation=GetCACaps", door="plain")[2].decode().split()


def test_old_gear_is_served_in_its_own_tongue_at_its_own_door(house, tmp_path):
    gear, admin = Gear(house, tmp_path), Admin(house)
    assert {"SHA-1", "DES3"} <= set(gear.capabilities("/scep/network"))
    assert not {"SHA-1", "DES3"} & set(gear.capabilities("/scep/apple"))
    made = admin.post("/certificate-challenges", subject="CN=old gear")["challenge"]

    refused = Reply(gear.ask(made, "/scep/apple"), gear.registration)
    assert (refused.status, refused.failure) == (scep.FAILURE, scep.BAD_ALGORITHM)
    refused = Reply(gear.ask(made, cipher="des"), gear.registration, digest="sha1")
    assert (refused.status, refused.failure) == (scep.FAILURE, scep.BAD_ALGORITHM)
    wrong = Reply(gear.ask("wrong"), gear.registration, digest="sha1")
    assert (wrong.status, wrong.failure) == (scep.FAILURE, scep.BAD_REQUEST)

    for where in ("/scep/network", "/certsrv/mscep/mscep.dll"):  # the answer was lost
        reply = Reply(gear.ask(made, where), gear.registration, digest="sha1")
        assert reply.status == scep.SUCCESS
        assert "1.2.840.113549.3.7" in reply.ciphers()
        certificate = gear.sender.certificates(reply, tmp_path)[0]
    # what is issued is not weak: the certificate is signed with SHA-256 as all are
    assert certificate.signature_hash_algorithm.name == "sha256"
    assert certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == scep.spki(gear.sender.key)

    # without the wish
    house.stop()
    house.options.remove(WISH)
    house.start()
    assert not {"SHA-1", "DES3"} & set(gear.capabilities("/scep/network"))
    refused = Reply(gear.ask(made), gear.registration)
    assert (refused.status, refused.failure) == (scep.FAILURE, scep.BAD_ALGORITHM)
