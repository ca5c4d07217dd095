# SPDX-License-Identifier: Apache-2.0
"""What the hardware of devices attests: asked for, verified to the root, weighed, and told."""
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import sim
from admin import Admin, Refused
from house import House, wait_until
from phones import Wire, bring_push_certificate, new_phone, push_settings
from test_account_driven import enrol as enrol_by_account
from test_signin import Person

pytestmark = pytest.mark.policy

ARC = "1.2.840.113635.100.8."


class Attester:
    """A maker's authority that is not the simulator's: made by another library."""

    def __init__(self):
        self.root_key, self.key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
        self.root = self._sign("Python Root", "Python Root", self.root_key, self.root_key, authority=True)
        self.ca = self._sign("Python CA", "Python Root", self.key, self.root_key, authority=True)

    def _sign(self, subject, issuer, key, issuer_key, authority, extra=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
            issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
            public_key=key.public_key(), serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(minutes=5), not_valid_after=now + datetime.timedelta(days=9))
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.KeyUsage(not authority, False, False, False, False, authority, authority,
                                                      False, False), critical=True)
        for number, value in extra:
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(ARC + number), value),
                                            critical=False)
        return builder.sign(issuer_key, hashes.SHA384())

    def root_pem(self):
        return self.root.public_bytes(serialization.Encoding.PEM).decode()

    def chain(self, **properties):
        numbers = {"serial": "9.1", "udid": "9.2", "version": "10.1", "nonce": "11.1"}
        extra = [(numbers[name], value) for name, value in properties.items()]
        leaf = self._sign("leaf", "Python CA", ec.generate_private_key(ec.SECP384R1()), self.key, False, extra)
        return [one.public_bytes(serialization.Encoding.DER) for one in (leaf, self.ca)]


@pytest.fixture(scope="module")
def attester():
    return Attester()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The simulator's: attestation-root.pem is the one that is trusted."""
    folder = tmp_path_factory.mktemp("attestation")
    sim.run("attestation", "authority", "--dir", folder)
    return folder


@pytest.fixture(scope="module")
def house(database, apns, authority, attester, tmp_path_factory):
    roots = tmp_path_factory.mktemp("roots") / "roots.pem"
    roots.write_text((authority / "attestation-root.pem").read_text() + attester.root_pem())
    one = House(database, [*push_settings(apns), f"apple.attestation_ca_file={roots}"])
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def admin(house, apns, tmp_path_factory):
    one = Admin(house)
    bring_push_certificate(one, apns, tmp_path_factory.mktemp("push"))
    return one


@pytest.fixture
def make_phone(house, admin, authority, tmp_path):
    def make(name, link=None, **options):
        phone = new_phone(house, tmp_path / name)
        phone.enrol(link or admin.link(), name=name, **options)
        phone.set(attestation=authority)
        phone.check_in()
        return phone
    return make


def attest(admin, phone, name):
    """What becomes of the next attestation."""
    admin.post(f"/devices/{name}/commands", kind="attest")
    phone.check_in()
    return admin.get(f"/devices/{name}/integrity")


def facts(admin, name):
    return {one["name"]: one for one in admin.get(f"/devices/{name}/facts")["items"]}


def events(admin, name, kind):
    device = admin.get(f"/devices/{name}")["id"]
    return [one for one in admin.get(f"/events?kind={kind}")["items"] if one["device_id"] == device]


@pytest.mark.proves_partly("4c-17")
def test_a_phone_is_attested_by_its_hardware(admin, make_phone):
    phone = make_phone("Ada", serial="ADA0001")
    before = admin.get("/devices/Ada/integrity")
    assert before["state"] == "claimed" and "word of the device" in before["reason"]
    told = attest(admin, phone, "Ada")
    assert told["state"] == "attested" and "ADA0001" in told["reason"] and "17.5.1" in told["reason"]
    assert told["source"] == "DevicePropertiesAttestation" and told["counts_until"] > told["reported_at"]
    known = facts(admin, "Ada")
    assert known["integrity.state"]["evidence"] == "attested"
    assert known["integrity.os_version"]["value"] == "17.5.1" and known["integrity.serial"]["value"] == "ADA0001"
    assert len(events(admin, "Ada", "device.attested")) == 1
    # a week long the phone shows the attestation that it has: still good, and no news
    assert attest(admin, phone, "Ada")["state"] == "attested"
    assert phone.show()["model"]["device"]["attested_at"] and len(events(admin, "Ada", "device.attested")) == 1
    phone.set(attested_at=1)
    assert attest(admin, phone, "Ada")["state"] == "attested"


FAULTS = {
    "wrong-nonce": ("unknown", "was not asked"),
    "no-nonce": ("unknown", "was not asked"),
    "no-serial": ("unknown", "names no serial number"),
    "other-root": ("unknown", "does not lead to the root"),
    "expired": ("unknown", "has expired"),
    "long-chain": ("unknown", "more than 4 certificates"),
    "garbage": ("unknown", "not a certificate"),
    "no-list": ("unknown", "no list of certificates"),
    "other-version": ("unknown", "attests the version 15.0, the device says 17.5.1"),
    "foreign-serial": ("compromised", "serial number SOMEBODYELSE"),
    "foreign-udid": ("compromised", "another one"),
}


@pytest.mark.proves_partly("4c-17")
def test_every_other_attestation_proves_nothing(admin, make_phone):
    phone = make_phone("Eve", serial="EVE0001")
    for fault, (state, words) in FAULTS.items():
        phone.set(attestation_fault="none", attested_at=1)
        assert attest(admin, phone, "Eve")["state"] == "attested", fault
        failed = len(events(admin, "Eve", "device.attestation_failed"))
        phone.set(attestation_fault=fault, attested_at=1)
        told = attest(admin, phone, "Eve")
        assert told["state"] == state and words in told["reason"], (fault, told)
        assert facts(admin, "Eve")["integrity.state"]["evidence"] == "measured"
        [event, *_] = events(admin, "Eve", "device.attestation_failed")
        assert words in event["body"]["reason"], fault
        assert len(events(admin, "Eve", "device.attestation_failed")) == failed + 1


@pytest.mark.proves_partly("4c-17")
def test_a_system_that_contradicts_itself_is_not_believed(admin, make_phone):
    phone = make_phone("Pinocchio", os="17.5.1", build="20F66")
    told = admin.get("/devices/Pinocchio/integrity")
    assert told["state"] == "unknown" and "17.5.1 with the build 20F66" in told["reason"]
    [event] = events(admin, "Pinocchio", "device.implausible")
    assert event["body"] == {"version": "17.5.1", "build": "20F66"}
    # even where the hardware stands for the rest
    assert attest(admin, phone, "Pinocchio")["state"] == "unknown"
    phone.set({"os.build": "21F90"})
    assert attest(admin, phone, "Pinocchio")["state"] == "attested"
    assert len(events(admin, "Pinocchio", "device.implausible")) == 1


@pytest.mark.proves_partly("4c-17")
def test_a_chain_that_another_library_made_is_verified(house, admin, attester, make_phone):
    phone = make_phone("Grace", serial="GRACE01")
    admin.post("/devices/Grace/commands", kind="attest")
    wire = Wire(house, phone)
    asked = wire.next()
    command, queries = asked["Command"], asked["Command"]["Queries"]
    assert command["RequestType"] == "DeviceInformation" and "DevicePropertiesAttestation" in queries
    nonce = command["DeviceAttestationNonce"]
    assert isinstance(nonce, bytes) and len(nonce) == 32
    assert wire.next()["Command"]["DeviceAttestationNonce"] == nonce
    chain = attester.chain(serial=b"GRACE01", udid=phone.udid.encode(), version=b"17.5.1", nonce=nonce)
    told = {"OSVersion": "17.5.1", "BuildVersion": "21F90", "DevicePropertiesAttestation": chain}
    assert wire.next("Acknowledged", CommandUUID=asked["CommandUUID"], QueryResponses=told) is None
    assert admin.get("/devices/Grace/integrity")["state"] == "attested"
    # the same once more, by somebody who only has the answer
    admin.post("/devices/Grace/commands", kind="attest")
    other = wire.next()
    assert other["Command"]["DeviceAttestationNonce"] != nonce
    stranger = Attester().chain(serial=b"GRACE01", nonce=other["Command"]["DeviceAttestationNonce"])
    wire.next("Acknowledged", CommandUUID=other["CommandUUID"],
              QueryResponses={**told, "DevicePropertiesAttestation": stranger})
    told = admin.get("/devices/Grace/integrity")
    assert told["state"] == "unknown" and "does not lead to the root" in told["reason"]


@pytest.mark.proves_partly("4c-17", "4c-7")
def test_a_policy_that_wants_proof_explains_itself(admin, make_phone):
    phone = make_phone("Alan", serial="ALAN001")
    policy = admin.policy("Proof", {"integrity.attested": True}, kind="compliance", device=admin.device("Alan")["id"])

    def rule():
        [one] = admin.get("/devices/Alan/compliance")["results"]
        return one

    wait_until(lambda: admin.compliance("Alan") == "unknown", 30, "judged")
    assert rule()["reason"].startswith("Not attested")
    assert attest(admin, phone, "Alan")["state"] == "attested"
    assert admin.compliance("Alan") == "compliant"
    assert rule()["expected"] == rule()["actual"] == "attested as intact" and rule()["evidence"]["evidence"] == "attested"
    phone.set(attestation_fault="foreign-serial", attested_at=1)
    attest(admin, phone, "Alan")
    assert admin.compliance("Alan") == "non_compliant" and "SOMEBODYELSE" in rule()["reason"]
    assert policy


def test_the_question_is_part_of_every_sync_and_refused_where_it_makes_no_sense(admin, make_phone):
    phone = make_phone("Barbara", serial="BARB001")
    admin.post("/devices/Barbara/commands", kind="sync")
    phone.check_in()
    assert admin.get("/devices/Barbara/integrity")["state"] == "attested"
    make_phone("Oldie", os="15.8.2", build="19H384")
    with pytest.raises(Refused) as refused:
        admin.post("/devices/Oldie/commands", kind="attest")
    assert refused.value.status == 412 and "from iOS 16 on" in str(refused.value)


def test_hardware_that_cannot_attest_is_claimed_and_says_why(admin, make_phone):
    phone = make_phone("Intel")
    phone.set(attestation="")
    told = attest(admin, phone, "Intel")
    assert told["state"] == "claimed" and "was asked to attest and did not" in told["reason"]


@pytest.mark.proves_partly("4c-17")
def test_of_an_account_the_hardware_is_attested_without_a_name(house, admin, authority, tmp_path):
    phone, _ = enrol_by_account(house, tmp_path / "phone", Person(admin))
    name = phone.show()["enrolment"]["enrollment_id"]
    phone.set(attestation=authority)
    told = attest(admin, phone, name)
    assert told["state"] == "attested" and "a device that it does not name" in told["reason"]
    assert "integrity.serial" not in facts(admin, name)


def test_a_mac_whose_protection_is_off_is_weakened(admin, make_phone):
    mac = make_phone("Macintosh", model="Mac14,2", os="14.5", build="23F79", serial="MAC0001")
    assert admin.device("Macintosh")["platform"] == "macos"
    assert attest(admin, mac, "Macintosh")["state"] == "attested"
    assert facts(admin, "Macintosh")["integrity.system_protection"]["value"] == "true"
    mac.set(unprotected=True, attested_at=1)
    told = attest(admin, mac, "Macintosh")
    assert told["state"] == "weakened" and "System Integrity Protection is off" in told["reason"]


def test_roots_that_prove_nothing_are_told_when_the_configuration_is_checked(authority, tmp_path):
    def warnings(path):
        house = House(settings=[f"apple.attestation_ca_file={path}"])
        done = subprocess.run(house.command("check-config"), capture_output=True, text=True, timeout=60)
        house.close()
        assert done.returncode == 0
        return [line for line in done.stdout.splitlines() if "attestation_ca_file" in line]

    (tmp_path / "none.pem").write_text("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
    assert warnings(authority / "attestation-root.pem") == []
    [line] = warnings(tmp_path / "none.pem")
    assert line.startswith("warning: [apple] attestation_ca_file proves nothing: not a certificate")
    [line] = warnings(tmp_path / "missing.pem")
    assert "missing.pem" in line
