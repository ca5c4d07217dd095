# SPDX-License-Identifier: Apache-2.0
"""iPhones as tests see them: the house that they live in, their making, and the raw wire."""
import base64
import http.client
import os
import plistlib
import shutil

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import sim
from admin import Admin
from house import House

SMALL = ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16:allocator_release_to_os_interval_ms=500"
TOPIC = "com.apple.mgmt.External.test"


# ---- a house for all: conftest.py makes these fixtures known; each engine has one of each for the whole run ----

@pytest.fixture(scope="session")
def apns(tmp_path_factory):
    with sim.Apns(tmp_path_factory.mktemp("apns")) as service:
        yield service


@pytest.fixture(scope="session")
def shared_house(every_database, apns):
    """Challenges live a minute; the sanitizers keep little of what was freed: memory can be measured."""
    one = House(every_database, [*push_settings(apns), "lifetimes.challenge_minutes=1",
                                  "lifetimes.renew_percent=100"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + SMALL)
        try:
            one.start()
            yield one
        finally:
            one.close()


@pytest.fixture(scope="session")
def shared_admin(shared_house, apns, tmp_path_factory):
    """An administrator of a house that has a push certificate and one policy for all."""
    one = Admin(shared_house)
    bring_push_certificate(one, apns, tmp_path_factory.mktemp("push"))
    one.policy("Passcodes", {"password.min_length": 6})
    return one


# ---- what a module imports that lives in it ----

@pytest.fixture
def house(shared_house):
    return shared_house


@pytest.fixture
def admin(shared_admin):
    return shared_admin


@pytest.fixture
def make_phone(house, admin, tmp_path):
    """A function that enrols a new iPhone."""
    def make(name="phone", **options):
        phone = new_phone(house, tmp_path / name)
        phone.enrol(admin.link(), name=name, **options)
        return phone
    return make


@pytest.fixture
def phone(make_phone):
    return make_phone()


# ---- making ----

def push_settings(apns):
    return [f"apple.apns_url={apns.url}", f"apple.apns_ca_file={apns.ca}"]


def bring_push_certificate(admin, apns, folder):
    request = admin.post("/apple/push-certificate/request", email="it@example.org")["request"]
    (folder / "request.pem").write_text(request)
    apns.sign(folder / "request.pem", TOPIC, folder / "push.pem")
    admin.ask("PUT", "/apple/push-certificate", {"certificate": (folder / "push.pem").read_text()})


def new_phone(house, folder):
    """One that trusts the house and is not enrolled yet."""
    folder.mkdir(exist_ok=True)
    ca = folder / "ca.pem"
    ca.write_text(house.root_pem())
    return sim.Phone(folder / "state", ca=ca)


# ---- what they did ----

def types(session):
    return [one["request_type"] for one in session["commands"]]


def plist_of(phone, identifier):
    """An installed profile as the phone keeps it, or None."""
    for one in phone.show()["profiles"]:
        if one["identifier"] == identifier:
            return plistlib.loads(base64.b64decode(one["plist"]))
    return None


class Wire:
    """The identity of a phone in Python's hands: raw messages, written by plistlib."""

    def __init__(self, house, phone):
        self.house, self.udid = house, phone.udid
        folder = phone.directory.parent / "wire"
        folder.mkdir(exist_ok=True)
        self.key, self.chain = folder / "key.pem", folder / "chain.pem"
        shutil.copy(phone.directory / "identity.key", self.key)
        self.chain.write_bytes((phone.directory / "identity.pem").read_bytes()
                               + (phone.directory / "chain.pem").read_bytes())

    def send(self, path, message, method="PUT", headers={}):
        """(status, body, headers)"""
        context = self.house.context()
        context.load_cert_chain(self.chain, self.key)
        connection = http.client.HTTPSConnection("127.0.0.1", self.house.ports["device"],
                                                 timeout=30, context=context)
        try:
            body = message if isinstance(message, bytes) else plistlib.dumps(message)
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def connect(self, status, **keys):
        return self.send("/apple/connect", {"Status": status, "UDID": self.udid, **keys})

    def check_in(self, kind, **keys):
        message = {"MessageType": kind, "UDID": self.udid, "Topic": TOPIC, **keys}
        return self.send("/apple/checkin", message)

    def next(self, status="Idle", **keys):
        """The next command, or None."""
        code, body, _ = self.connect(status, **keys)
        assert code == 200
        return plistlib.loads(body) if body else None


class Bare(Wire):
    """The same without a simulated phone: a key, and a chain that begins with its certificate."""

    def __init__(self, house, udid, key, chain, folder):
        self.house, self.udid = house, udid
        self.key, self.chain = folder / "bare.key", folder / "bare.pem"
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
