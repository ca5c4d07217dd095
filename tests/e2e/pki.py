# SPDX-License-Identifier: Apache-2.0
"""The authority as tests see it: fixtures, the wish of an enrolment, foreign programs."""
import base64
import os
import plistlib
import subprocess
import types
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep
from house import wait_until
from scep import Reply, Sender

CN, O, OU = "2.5.4.3", "2.5.4.10", "2.5.4.11"
CLIENT_AUTH, SERVER_AUTH = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN = 0x80, 0x20, 0x04
SCEP_SUBMIT, CERTMONGER = "/usr/lib/certmonger/scep-submit", "/usr/lib/certmonger/certmonger-session"


def run(*words, fails=False, **more):
    """A foreign program's output, both streams; it has to say yes (or no)."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, **more)
    text = done.stdout.decode(errors="replace")
    assert bool(done.returncode) == fails, f"{words}: {done.returncode}\n{text}"
    return text


@pytest.fixture(scope="session")
def shared_authority(shared_house, stale, tmp_path_factory):
    """What GetCACert says, as `cryptography` reads it, and as files for programs."""
    house = shared_house
    folder = tmp_path_factory.mktemp("authority")
    status, headers, body = house.get("/scep/apple?operation=GetCACert", door="plain")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-ra-cert")
    (folder / "bundle.der").write_bytes(body)
    text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", folder / "bundle.der")
    pems = ["-----BEGIN" + part for part in text.split("-----BEGIN")[1:]]
    one = types.SimpleNamespace(count=len(pems), folder=folder)
    for what, pem in zip(("registration", "issuing", "root"), pems):
        setattr(one, what, x509.load_pem_x509_certificate(pem.encode()))
        (folder / f"{what}.pem").write_text(pem)
        (folder / f"{what}.der").write_bytes(getattr(one, what).public_bytes(serialization.Encoding.DER))
    (folder / "chain.pem").write_text(pems[1] + pems[2])
    (folder / "root.pem").write_text(house.root_pem())  # what is trusted did not come by that road
    return one


class Wish:
    """What the profile of a new enrolment tells a device to ask for."""

    def __init__(self, house, admin, folder):
        self.house, self.admin = house, admin
        link = urllib.parse.urlsplit(admin.link()).path
        status, _, signed = house.get(link, method="POST", body=b"")
        assert status == 200
        self.folder = folder
        (folder / "profile").write_bytes(signed)
        (folder / "root.pem").write_text(house.root_pem())
        run("openssl", "cms", "-verify", "-inform", "DER", "-in", folder / "profile", "-CAfile",
            folder / "root.pem", "-purpose", "any", "-out", folder / "plist")
        parts = {part["PayloadType"]: part
                 for part in plistlib.loads((folder / "plist").read_bytes())["PayloadContent"]}
        self.management = parts["com.apple.mdm"]
        content = parts["com.apple.security.scep"]["PayloadContent"]
        self.url, self.challenge, self.bits = content["URL"], content["Challenge"], content["Keysize"]
        subject = {pair[0]: pair[1] for (pair,) in content["Subject"]}
        self.common_name, self.organization = subject["CN"], subject["O"]
        self.san = content["SubjectAltName"]["uniformResourceIdentifier"]

    def request(self, key, **other):
        """The request that is expected, but for what is named."""
        asked = {"subject": [(O, self.organization), (CN, self.common_name)], "names": [scep.uri(self.san)],
                 "challenges": [self.challenge], **other}
        return scep.request(key, **asked)

    def post(self, message, url=None):
        """(status, body)"""
        path = urllib.parse.urlsplit(url or self.url).path + "?operation=PKIOperation"
        status, _, body = self.house.get(path, door="plain", method="POST", body=message)
        return status, body

    def ask(self, authority, sender=None, key=None, kind="19", **other):
        """One PKCSReq; its reply. The sender is new when none is given."""
        sender = sender or Sender()
        request = self.request(key or sender.key, **other)
        message = sender.message(scep.envelope(request, authority.registration), kind)
        status, body = self.post(message)
        assert status == 200
        reply = Reply(body, authority.registration)
        assert reply.transaction == sender.transaction
        assert reply.recipient_nonce == sender.nonce and reply.sender_nonce != sender.nonce
        return reply

    def record(self):
        """As an administrator finds it."""
        [found] = [one for one in self.admin.items("/certificate-requests?limit=1000")
                   if one["enrolment_id"] == self.common_name]
        return found

    def trace(self):
        return self.admin.items(f"/certificates/{self.record()['id']}/trace")

    def differing(self):
        """Names of the attributes that differed, by the trace."""
        [compared] = [step["detail"] for step in self.trace() if step["step"] == 4]
        return {one["name"] for one in compared["attributes"] if not one["agrees"]}


@pytest.fixture(scope="session")
def rogue():
    """Whoever is refused anyway needs no key of its own."""
    return Sender()


@pytest.fixture
def authority(shared_authority):
    return shared_authority


@pytest.fixture
def make_wish(house, admin, tmp_path):
    return lambda: Wish(house, admin, tmp_path)


@pytest.fixture
def wish(make_wish):
    return make_wish()


@pytest.fixture
def issued(wish, authority, tmp_path):
    """A certificate for each test that does with it as it likes: .certificate, .pem, .serial, ..."""
    sender = Sender()
    reply = wish.ask(authority, sender)
    assert reply.status == scep.SUCCESS
    return keep(wish, sender, sender.certificates(reply, tmp_path), tmp_path)


def keep(wish, sender, certificates, folder):
    certificate = certificates[0]
    pem = folder / "leaf.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return types.SimpleNamespace(wish=wish, sender=sender, certificate=certificate, pem=pem,
                                 certificates=certificates, serial=f"{certificate.serial_number:032x}")


def is_refused(reply, failure=scep.BAD_REQUEST):
    return (reply.status, reply.failure, reply.content) == (scep.FAILURE, failure, None)


def fetch_crl(house, folder):
    """The list as PEM, by way of OpenSSL."""
    status, headers, body = house.get("/ca/devices.crl", door="plain")
    assert (status, headers["Content-Type"]) == (200, "application/pkix-crl")
    (folder / "crl.der").write_bytes(body)
    run("openssl", "crl", "-inform", "DER", "-in", folder / "crl.der", "-out", folder / "crl.pem")
    return folder / "crl.pem"


def ocsp(house, authority, pem, *options):
    """OpenSSL asks, checks the answer's signature against the root, and says what it heard."""
    return run("openssl", "ocsp", "-issuer", authority.folder / "issuing.pem", *options, "-cert", pem,
               "-url", f"http://127.0.0.1:{house.ports['plain']}/ocsp",
               "-CAfile", authority.folder / "root.pem")


def verify(house, authority, pem, folder, **more):
    return run("openssl", "verify", "-CAfile", authority.folder / "root.pem", "-untrusted",
               authority.folder / "issuing.pem", "-crl_check", "-CRLfile", fetch_crl(house, folder), pem,
               **more)


@pytest.fixture(scope="session")
def stale(shared_house, shared_admin, tmp_path_factory):
    """A challenge as old as the authority's use."""
    return Wish(shared_house, shared_admin, tmp_path_factory.mktemp("stale"))


@pytest.fixture
def calm(house):
    """The same processes serve before and after, and others are served at once."""
    before = house.pids()
    yield
    assert house.get("/scep/apple?operation=GetCACaps", door="plain", timeout=5)[0] == 200
    assert {house.pid_of("server"), house.pid_of("keyd")} <= before


class Certmonger:
    """The daemon for one test: its own bus, its own home, gone afterwards."""

    def __init__(self, folder):
        self.home, self.processes = folder / "home", []
        self.home.mkdir()
        (self.home / "requests").mkdir()
        (self.home / "cas").mkdir()
        (self.home / "tmp").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                            "CERTMONGER_CONFIG_DIR": str(self.home), "CERTMONGER_TMPDIR": str(self.home / "tmp"),
                            "CERTMONGER_REQUESTS_DIR": str(self.home / "requests"),
                            "CERTMONGER_CAS_DIR": str(self.home / "cas"),
                            "CERTMONGER_LOCAL_CA_DIR": str(self.home / "local")}

    def __enter__(self):
        bus = self.home / "bus"
        self.start("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={bus}")
        wait_until(bus.exists, 10, "a bus")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
        self.start(CERTMONGER, "-s", "-n")
        wait_until(lambda: self.getcert("list-cas", check=False).returncode == 0, 15, "certmonger")
        return self

    def start(self, *words):
        log = open(self.home / "log", "ab")
        with log:
            self.processes.append(subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=log))

    def getcert(self, verb, *words, check=True):
        done = subprocess.run(["getcert", verb, "-s", *map(str, words)], env=self.environment,
                              capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(20)
