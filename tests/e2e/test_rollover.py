# SPDX-License-Identifier: Apache-2.0
"""From one authority to the next: prepared, known, in use, and the one before out of it; nobody is left behind."""
import subprocess
import types
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import sim
from admin import Admin
from house import House, wait_until
from phones import bring_push_certificate, plist_of, push_settings
from pki import run
from test_authority import by_hand
from test_est import EST, bundle
from test_network import Gear, mint

pytestmark = pytest.mark.pki

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
MAC = {"model": "Mac14,2", "os": "14.5", "build": "23F79"}
ITEM = "org.muster.policy.authorities"


@pytest.fixture
def house(database, apns):
    one = House(database, [*push_settings(apns), "lifetimes.rollover_days=0"])
    try:
        one.start()
        yield one
    finally:
        one.close()


class Rehearsal:
    """The house, and what a test wants to know of it at each step."""

    def __init__(self, house, apns, folder):
        self.house, self.folder = house, folder
        self.admin = Admin(house)
        bring_push_certificate(self.admin, apns, folder)

    def step(self, *words, code=0):
        """A word of musterd's, while nothing runs."""
        self.house.stop()
        said = by_hand(self.house, *words, code=code)
        self.house.start()
        return said

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def plain(self, path, status=200):
        got, headers, body = self.house.get(path, door="plain")
        assert got == status, path
        self.kind = headers["Content-Type"]
        return body

    def capabilities(self):
        return self.plain("/scep/apple?operation=GetCACaps").decode().split()

    def chain(self):
        """What GetCACert brings, in order."""
        return chain_of(certificates(self.plain("/scep/apple?operation=GetCACert"), self.folder))

    def rows(self):
        """role -> authority"""
        return {one["role"]: one for one in self.admin.items("/authorities")}

    def waiting(self):
        return {role: one.get("devices_waiting", 0) for role, one in self.rows().items()}

    def gear(self, name, authority, status=200):
        """Of the chain that it holds; its certificate and who answered."""
        one = Gear(self.house, authority, self.folder, name)
        one.certificate = one.opened(one.ask(mint(self.admin, one)["challenge"]))
        one.pem = self.file(f"{name.replace(' ', '-')}.pem", one.certificate.public_bytes(PEM))
        return one

    def new_phone(self, name, ca, **options):
        folder = self.folder / name
        folder.mkdir()
        phone = sim.Phone(folder / "state", ca=ca)
        phone.enrol(self.admin.link(), name=name, **options)
        phone.check_in()
        return phone

    def listing(self, gear):
        """The list that it names."""
        [point] = gear.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        return self.plain(urllib.parse.urlsplit(point.full_name[0].value).path)

    def is_listed(self, gear):
        found = x509.load_der_x509_crl(self.listing(gear))
        return found.get_revoked_certificate_by_serial_number(gear.certificate.serial_number) is not None

    def verify(self, gear, issuer, **more):
        """Chain and list, each of that authority alone."""
        self.file("list.der", self.listing(gear))
        run("openssl", "crl", "-inform", "DER", "-in", self.folder / "list.der", "-out", self.folder / "list.pem")
        return run("openssl", "verify", "-CAfile", issuer.root_pem, "-untrusted", issuer.issuing_pem, "-crl_check",
                   "-CRLfile", self.folder / "list.pem", gear.pem, **more)

    def ocsp(self, gear, issuer, **more):
        return run("openssl", "ocsp", "-issuer", issuer.issuing_pem, "-serial", gear.certificate.serial_number, "-url",
                   f"http://127.0.0.1:{self.house.ports['plain']}/ocsp", "-CAfile", issuer.root_pem, **more)

    def revoke(self, gear):
        self.admin.post(f"/certificates/{gear.certificate.serial_number:032x}/revocation", reason="superseded")


def certificates(bundle_der, folder):
    (folder / "bundle.der").write_bytes(bundle_der)
    text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", folder / "bundle.der")
    return [x509.load_pem_x509_certificate(("-----BEGIN" + part).encode()) for part in text.split("-----BEGIN")[1:]]


def chain_of(found):
    """RA, issuing CA and root, in this order on the wire."""
    registration, issuing, root = found
    assert registration.issuer == issuing.subject and issuing.issuer == root.subject == root.issuer
    return types.SimpleNamespace(registration=registration, issuing=issuing, root=root)


def with_files(chain, folder, name):
    chain.root_pem, chain.issuing_pem = folder / f"{name}-root.pem", folder / f"{name}-issuing.pem"
    chain.root_pem.write_bytes(chain.root.public_bytes(PEM))
    chain.issuing_pem.write_bytes(chain.issuing.public_bytes(PEM))
    return chain


def identity_of(phone):
    return x509.load_pem_x509_certificate((phone.directory / "identity.pem").read_bytes())


def issued_by(certificate, authority):
    return certificate.issuer == authority.issuing.subject


def roots_of(phone, identifier):
    profile = plist_of(phone, identifier)
    return None if profile is None else {part["PayloadContent"] for part in profile["PayloadContent"]
                                         if part["PayloadType"] == "com.apple.security.root"}


def moved(phone, authority):
    """It checks in until its identity is from there."""
    def is_there():
        phone.check_in()
        return issued_by(identity_of(phone), authority)
    wait_until(is_there, 90, "an identity of the new authority")


def prepare(it):
    """The next one is known to who asks, and its root on the devices that have called."""
    old, folder = it.old, it.folder
    assert "GetNextCACert" not in it.capabilities()
    it.plain("/scep/apple?operation=GetNextCACert", status=404)
    assert set(it.rows()) == {"current"}
    assert "Authority 2 is prepared" in it.step("prepare")
    assert "GetNextCACert" in it.capabilities()
    signed = it.file("next.der", it.plain("/scep/apple?operation=GetNextCACert"))
    assert it.kind == "application/x-x509-next-ca-cert"
    run("openssl", "cms", "-verify", "-inform", "DER", "-in", signed, "-CAfile", old.root_pem, "-purpose", "any",
        "-signer", folder / "signer.pem", "-out", folder / "next")
    assert x509.load_pem_x509_certificate((folder / "signer.pem").read_bytes()) == old.registration
    new = it.new = with_files(chain_of(certificates((folder / "next").read_bytes(), folder)), folder, "new")
    run("openssl", "verify", "-CAfile", new.root_pem, "-untrusted", new.issuing_pem,
        it.file("ra.pem", new.registration.public_bytes(PEM)))
    assert not {new.root.subject, new.issuing.subject} & {old.root.subject, old.issuing.subject}
    assert it.chain().issuing == old.issuing
    it.both = {old.root.public_bytes(DER), new.root.public_bytes(DER)}
    assert [old.issuing, old.root, new.root] == bundle(it.house.get(f"{EST}/cacerts", door="device")[2], folder)
    assert it.waiting()["next"] == 3
    for one in (it.phone, it.mac):
        wait_until(lambda: one.check_in() and roots_of(one, ITEM) == it.both, 30, "both roots on the device")
    assert it.waiting()["next"] == 1 and roots_of(it.late, ITEM) is None


def switch(it):
    """The next one issues; who holds the old chain goes on with it."""
    old, new = it.old, it.new
    assert "Authority 2 issues" in it.step("switch")
    assert "GetNextCACert" not in it.capabilities()
    it.plain("/scep/apple?operation=GetNextCACert", status=404)
    assert it.chain().issuing == new.issuing
    assert {role: one["number"] for role, one in it.rows().items()} == {"earlier": 1, "current": 2}
    assert issued_by(it.gear("holds the old chain", old).certificate, new)  # answered by the RA that it asked
    moved(it.phone, new)
    assert roots_of(it.phone, "org.muster.enrolment") == it.both
    fresh = it.gear("fresh", new)
    it.newcomer = it.new_phone("newcomer", old.root_pem)  # the servers are certified by the first one
    assert issued_by(identity_of(it.newcomer), new)
    for gear, issuer, other in ((it.first, old, new), (fresh, new, old)):
        assert issued_by(gear.certificate, issuer)
        assert "OK" in it.verify(gear, issuer) and ": good" in it.ocsp(gear, issuer)
        assert ": unknown" in it.ocsp(gear, other)
        it.revoke(gear)
        wait_until(lambda: it.is_listed(gear), 60, "the list tells it")
        assert "certificate revoked" in it.verify(gear, issuer, fails=True)
        assert ": revoked" in it.ocsp(gear, issuer)
    assert it.plain("/ca/issuing.cer") == old.issuing.public_bytes(DER)
    assert it.plain("/ca/2/issuing.cer") == new.issuing.public_bytes(DER)


def serve(it):
    """The servers show the new one, when every device knows it."""
    assert "1 devices have not confirmed" in it.step("serve", code=2)
    assert issued_by(shown(it.house), it.old)
    moved(it.late, it.new)
    wait_until(lambda: it.late.check_in() and it.waiting()["current"] == 0, 30, "everybody knows the root")
    assert "from authority 2" in it.step("serve")
    assert issued_by(shown(it.house), it.new)
    for one in (it.phone, it.mac, it.late, it.newcomer):
        assert {message["status"] for message in one.check_in()["messages"]} == {200}


def retire(it):
    """The one before goes when nothing of it lives."""
    moved(it.mac, it.new)
    assert "certificates of authority 2 are good still" in it.step("retire", "2", code=2)  # it issues
    assert "certificates of authority 1 are good still" in it.step("retire", "1", code=2)
    it.revoke(it.second)
    assert it.rows()["earlier"].get("certificates", 0) == 0
    assert "is retired" in it.step("retire", "1")
    assert not list((it.house.data / "keys").glob("issuing.key"))
    it.plain("/ca/devices.crl")  # the last one, until it ends
    it.plain("/ca/issuing.cer", status=404)
    assert "unauthorized" in it.ocsp(it.first, it.old, fails=True)
    assert it.chain().root == it.new.root
    for one in (it.phone, it.mac, it.late, it.newcomer):
        wait_until(lambda: one.check_in() and roots_of(one, ITEM) is None, 30, "the item taken back")
        assert one.check_in()["enrolled"]
    assert issued_by(identity_of(it.new_phone("last", it.new.root_pem)), it.new)


@pytest.mark.proves_partly("4g-1", "4g-11", "4g-12", "4g-16")
def test_a_rollover_from_the_first_step_to_the_last(house, apns, tmp_path):
    it = Rehearsal(house, apns, tmp_path)
    it.old = with_files(it.chain(), tmp_path, "old")
    it.phone, it.late = it.new_phone("phone", it.old.root_pem), it.new_phone("late", it.old.root_pem)
    it.mac = it.new_phone("desk", it.old.root_pem, **MAC)
    it.first, it.second = it.gear("gear one", it.old), it.gear("gear two", it.old)
    for step in (prepare, switch, serve, retire):
        step(it)


def shown(house):
    """The certificate of the device listener."""
    pem = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{house.ports['device']}"],
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=30).stdout
    return x509.load_pem_x509_certificate(pem)
