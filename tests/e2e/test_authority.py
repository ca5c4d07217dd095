# SPDX-License-Identifier: Apache-2.0
"""The issuing CA under a root of the organisation's own, certified by OpenSSL before the first start."""
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from admin import Admin
from house import House
from phones import Bare
from pki import run
from test_est import BUNDLE, EST, Client, bundle
from test_network import mint

pytestmark = pytest.mark.pki

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
ISSUING = CA.replace("CA:TRUE", "CA:TRUE,pathlen:0") + "authorityKeyIdentifier=keyid\n"


class Organisation:
    """Its root, in OpenSSL's hands."""

    def __init__(self, folder):
        self.folder, self.root, self.key = folder, folder / "org.pem", folder / "org.key"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-subj", "/CN=Example Root",
            "-days", "3650", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.root)

    def root_der(self):
        return x509.load_pem_x509_certificate(self.root.read_bytes()).public_bytes(serialization.Encoding.DER)

    def sign(self, request, extensions=ISSUING, days=1825, root=None):
        """A file with the chain."""
        (self.folder / "csr.pem").write_text(request)
        (self.folder / "ext").write_text(extensions)
        run("openssl", "x509", "-req", "-in", self.folder / "csr.pem", "-CA", self.root, "-CAkey", self.key,
            "-days", days, "-set_serial", "4711", "-extfile", self.folder / "ext", "-out", self.folder / "issuing.pem")
        chain = self.folder / "chain.pem"
        chain.write_text((root or self.root).read_text() + (self.folder / "issuing.pem").read_text())
        return chain


def by_hand(house, *words, code=0):
    done = subprocess.run(house.command("authority", *words), capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def organisation(tmp_path_factory):
    return Organisation(tmp_path_factory.mktemp("organisation"))


@pytest.fixture(scope="module")
def house(database, organisation):
    """Never started before it stands under the organisation's root."""
    one = House(database, ["lifetimes.renew_percent=100"])
    try:
        chain = organisation.sign(by_hand(one, "request"))
        by_hand(one, "import", chain)
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def admin(house):
    return Admin(house)


@pytest.fixture(scope="module")
def unborn():
    """A house with an authority that was never started, and its request."""
    one = House()
    yield one, by_hand(one, "request")
    one.close()


def test_the_request_is_one_for_an_authority(unborn):
    text = run("openssl", "req", "-noout", "-text", "-verify", input=unborn[1].encode())
    assert "CA:TRUE, pathlen:0" in text and "Certificate Sign, CRL Sign" in text and "Subject Key Identifier" in text


@pytest.mark.proves_partly("4g-8")
def test_all_that_is_issued_stands_under_the_new_root(house, admin, organisation, tmp_path):
    status, headers, body = house.get(f"{EST}/cacerts", door="device")
    assert (status, headers["Content-Type"]) == (200, BUNDLE)
    issuing, root = bundle(body, tmp_path)
    assert root == x509.load_pem_x509_certificate(organisation.root.read_bytes()) and issuing.serial_number == 4711
    client = Client(house, tmp_path, "under the new root")
    [certificate] = client.opened(client.enrol(mint(admin, client)["challenge"]))
    (tmp_path / "issuing.pem").write_bytes(issuing.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "leaf.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    crl = house.get("/ca/devices.crl", door="plain")[2]
    (tmp_path / "crl.der").write_bytes(crl)
    run("openssl", "crl", "-inform", "DER", "-in", tmp_path / "crl.der", "-out", tmp_path / "crl.pem")
    assert "OK" in run("openssl", "verify", "-CAfile", organisation.root, "-untrusted", tmp_path / "issuing.pem",
                       "-crl_check", "-CRLfile", tmp_path / "crl.pem", tmp_path / "leaf.pem")
    assert ": good" in run("openssl", "ocsp", "-issuer", tmp_path / "issuing.pem", "-cert", tmp_path / "leaf.pem", "-url",
                           f"http://127.0.0.1:{house.ports['plain']}/ocsp", "-CAfile", organisation.root)
    client.opened(client.renew(certificate))  # by TLS with it
    bundled = house.get("/scep/network?operation=GetCACert", door="plain")[2]
    assert organisation.root_der() in bundled and issuing.public_bytes(serialization.Encoding.DER) in bundled


def leaf(organisation, client, start, end):
    """By the root itself, with a client's names: (key, [certificate])"""
    root = x509.load_pem_x509_certificate(organisation.root.read_bytes())
    key = serialization.load_pem_private_key(organisation.key.read_bytes(), None)
    own, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(client.subject).issuer_name(root.subject)
               .public_key(own.public_key()).serial_number(client.serial_number)
               .not_valid_before(now + datetime.timedelta(days=start))
               .not_valid_after(now + datetime.timedelta(days=end))
               .add_extension(x509.BasicConstraints(False, None), True)
               .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
    return own, [builder.sign(key, hashes.SHA256())]


def test_each_certificate_that_is_none_of_a_device_has_its_reason(house, admin, organisation, tmp_path):
    """X9: the edge trusts the root, so all of these come from somebody who is nearly one of us."""
    client = Client(house, tmp_path, "nearly one of us")
    [certificate] = client.opened(client.enrol(mint(admin, client)["challenge"]))
    root = x509.load_pem_x509_certificate(organisation.root.read_bytes())
    root_key = serialization.load_pem_private_key(organisation.key.read_bytes(), None)
    cases = {
        "certificate has expired": (leaf(organisation, certificate, -9, -1), 403),
        "certificate is not yet valid": (leaf(organisation, certificate, 1, 9), 403),
        "the client certificate is none of ours": (leaf(organisation, certificate, -1, 9), 400),
        "the authority itself": ((root_key, [root]), None),
    }
    for reason, ((key, chain), status) in cases.items():
        before = len(house.log.read_text(errors="replace"))
        answered = Bare(house, "UDID-X9", key, chain, tmp_path).connect("Idle")[0]
        said = house.log.read_text(errors="replace")[before:]
        assert answered in ((400, 403) if status is None else (status,)), (reason, said)
        assert status is None or reason in said, said
    kept = [one for one in admin.items("/refusals?limit=1000") if one["kind"] == "device.certificate_refused"]
    assert kept and sum(one["count"] for one in kept) >= 2


def test_it_stays_so_after_a_restart(house, admin, tmp_path):
    house.stop()
    house.start()
    client = Client(house, tmp_path, "after a restart")
    client.opened(client.enrol(mint(Admin(house, name="second"), client)["challenge"]))


def test_a_running_house_is_left_alone(house, organisation):
    for words in (("request",), ("import", organisation.folder / "chain.pem")):
        by_hand(house, *words, code=2)
    assert house.is_ready()


def other_key(organisation, request):
    run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj",
        "/O=Muster/CN=Muster Devices CA", "-out", organisation.folder / "other.pem")
    return organisation.sign((organisation.folder / "other.pem").read_text())


def other_root(organisation, request):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=Example Root",
        "-days", "30", "-out", organisation.folder / "wrong.pem")
    return organisation.sign(request, root=organisation.folder / "wrong.pem")


WRONG = {
    "another key": (other_key, "the issuing CA and one root"),
    "another root": (other_root, "does not hold"),
    "no authority": (lambda o, r: o.sign(r, ISSUING.replace("CA:TRUE,pathlen:0", "CA:FALSE")), "authority"),
    "no lists": (lambda o, r: o.sign(r, ISSUING.replace(",cRLSign", "")), "revocation lists"),
    "another identifier": (lambda o, r: o.sign(r, ISSUING.replace("=hash", "=00:11:22:33")), "subject key identifier"),
    "purposes": (lambda o, r: o.sign(r, ISSUING + "extendedKeyUsage=clientAuth\n"), "purposes"),
    "too short": (lambda o, r: o.sign(r, days=90), "180 days"),
    "the root alone": (lambda o, r: o.root, "issuing CA's key"),
}


@pytest.mark.parametrize("what", WRONG)
def test_chains_that_would_not_work_are_refused(unborn, organisation, what):
    house, request = unborn
    make, said = WRONG[what]
    before = {path.name: path.read_bytes() for path in (house.data / "keys").glob("*.crt")}
    assert said in by_hand(house, "import", make(organisation, request), code=2)
    assert before == {path.name: path.read_bytes() for path in (house.data / "keys").glob("*.crt")}
    assert (house.data / "keys" / "root.key").exists()


def test_importing_again_does_no_harm(unborn, organisation):
    house, request = unborn
    keys = house.data / "keys"
    first = {name: (keys / name).read_bytes() for name in ("root.crt", "root.key", "issuing.crt")}
    for _ in range(2):
        by_hand(house, "import", organisation.sign(request))
    assert first == {name: (keys / f"{name}.own").read_bytes() for name in first}
    assert not (keys / "root.key").exists()
    assert (keys / "root.crt").read_bytes() == organisation.root.read_bytes()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_database_keeps_the_root_that_it_has(request, organisation, engine):
    one = House("" if engine == "sqlite" else request.getfixturevalue("postgres")())
    try:
        one.start()
        one.stop()
        kept = {name: (one.data / "keys" / name).read_bytes() for name in ("root.crt", "root.key", "issuing.crt")}
        by_hand(one, "import", organisation.sign(by_hand(one, "request")))
        done = subprocess.run(one.command(), capture_output=True, text=True, timeout=90)
        assert done.returncode == 1 and "its devices trust that one alone" in done.stderr
        for name in kept:
            (one.data / "keys" / f"{name}.own").rename(one.data / "keys" / name)
        one.start()
    finally:
        one.close()
