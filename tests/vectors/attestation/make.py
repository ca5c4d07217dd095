#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The chains of this folder, made by a library that the server does not use.  Each CASE.pem is one answer of a
device, the leaf first; root.pem is what is trusted.  Run it to make them anew: keys are new each time."""
import base64
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = HERE.parents[1] / "fuzz" / "seeds" / "attestation"
ARC = "1.2.840.113635.100.8."
NONCE = bytes(range(32))
PHONE = {"9.1": b"F2LXA1B2C3", "9.2": b"00008120-001A2B3C4D5E6F70", "9.4": b"iPhone15,2", "10.1": b"17.5.1",
         "10.2": b"17.5.1", "10.3": b"10151.121.1", "11.1": NONCE}
MAC = {"9.1": b"C02XA1B2C3", "9.2": b"00006001-001A2B3C4D5E6F70", "10.2": b"14.5", "11.1": NONCE,
       "13.1": b"\x02\x01\x00", "13.2": b"Full Security", "13.3": b"\x02\x01\x00"}


def day(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")])


class Party:
    """A certificate and its key."""

    def __init__(self, subject, issuer=None, key=None, begins="2026-01-01", ends="2046-01-01", authority=True, path=None,
                 usage=True, extra=(), digest=hashes.SHA384):
        self.key = key or ec.generate_private_key(ec.SECP384R1())
        self.name = name(subject)
        builder = x509.CertificateBuilder().subject_name(self.name)
        builder = builder.issuer_name(issuer.name if issuer else self.name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(day(begins)).not_valid_after(day(ends))
        builder = builder.add_extension(x509.BasicConstraints(authority, path if authority else None), critical=True)
        if usage:
            builder = builder.add_extension(x509.KeyUsage(
                digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False), critical=True)
        for oid, value, critical in extra:
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical)
        self.made = builder.sign((issuer or self).key, digest())

    @property
    def der(self):
        return self.made.public_bytes(serialization.Encoding.DER)


def leaf(issuer, properties, more=(), **options):
    extra = [*((ARC + number, value, False) for number, value in properties.items()), *more]
    return Party("device", issuer, **{"begins": "2026-05-20", "ends": "2027-05-20", "authority": False,
                                      "extra": extra, **options})


def pem(der):
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def save(case, *chain):
    (HERE / f"{case}.pem").write_text("".join(pem(one if isinstance(one, bytes) else one.der) for one in chain))


def changed(der, before, after):
    assert len(before) == len(after) and before in der
    at = der.rindex(before)
    return der[:at] + after + der[at + len(before):]


def main():
    root = Party("root")
    ca = Party("intermediate", root, path=0)
    phone = leaf(ca, PHONE)
    save("root", root)
    save("good", phone, ca)
    save("good-mac", leaf(ca, MAC), ca)
    save("good-with-root", phone, ca, root)
    save("good-p256", leaf(ca, PHONE, key=ec.generate_private_key(ec.SECP256R1()), digest=hashes.SHA256), ca)
    wrapped = {number: value if number == "11.1" else b"\x0c" + bytes([len(value)]) + value
               for number, value in PHONE.items()}
    save("good-wrapped", leaf(ca, {**wrapped, "11.1": b"\x04\x20" + NONCE}), ca)
    save("good-nameless", leaf(ca, {number: PHONE[number] for number in ("10.1", "10.2", "11.1")}), ca)
    save("good-blank", leaf(ca, {**PHONE, "9.1": b""}), ca)
    other_root = Party("root")
    other_ca = Party("intermediate", other_root, path=0)
    save("other-root", leaf(other_ca, PHONE), other_ca)
    save("other-root-shown", leaf(other_ca, PHONE), other_ca, other_root)
    save("other-key", leaf(other_ca, PHONE), ca)
    save("expired", leaf(ca, PHONE, begins="2025-01-01", ends="2026-01-01"), ca)
    save("early", leaf(ca, PHONE, begins="2026-07-01"), ca)
    late = Party("intermediate", root, begins="2020-01-01", ends="2026-03-01")
    save("expired-authority", leaf(late, PHONE), late)
    save("leaf-as-authority", leaf(phone, {**PHONE, "9.1": b"FORGED1234"}), phone, ca)
    below = Party("below", ca)
    save("path-too-long", leaf(below, PHONE), below, ca)
    mute = Party("intermediate", root, usage=False)
    save("no-usage", leaf(mute, PHONE), mute)
    save("leaf-is-authority", leaf(ca, PHONE, authority=True), ca)
    heavy = Party("intermediate", root, key=rsa.generate_private_key(65537, 2048))
    save("rsa-authority", leaf(heavy, PHONE, digest=hashes.SHA256), heavy)
    wide = Party("intermediate", root, key=ec.generate_private_key(ec.SECP521R1()))
    save("p521-authority", leaf(wide, PHONE), wide)
    save("critical-unknown", leaf(ca, PHONE, more=[("1.3.6.1.4.1.99999.1", b"\x05\x00", True)]), ca)
    save("swapped", ca, phone)
    save("alone", phone)
    save("too-long", phone, ca, root, root, root)
    save("broken-signature", phone.der[:-1] + bytes([phone.der[-1] ^ 1]), ca)
    save("changed-serial", changed(phone.der, b"F2LXA1B2C3", b"F2LXA1B2C4"), ca)
    save("trailing", phone.der + b"\0", ca)
    save("truncated", phone.der[:-40], ca)
    save("garbage", b"0\x82\x01\x00" + bytes(256), ca)
    oid = bytes.fromhex("2a864886f763640809")
    save("twice", changed(phone.der, oid + b"\x02", oid + b"\x01"), ca)
    algorithm = bytes.fromhex("06082a8648ce3d0403")
    save("two-algorithms", changed(phone.der, algorithm + b"\x03", algorithm + b"\x02"), ca)
    save("binary-text", leaf(ca, {**PHONE, "9.1": b"F2L\0\x01"}), ca)
    save("long-text", leaf(ca, {**PHONE, "9.1": b"F" * 129}), ca)
    save("odd-number", leaf(ca, {**MAC, "13.1": b"\x01\x01\xff"}), ca)
    save("long-freshness", leaf(ca, {**PHONE, "11.1": bytes(65)}), ca)
    save("large", leaf(ca, PHONE, more=[("1.3.6.1.4.1.99999.1", bytes(9000), False)]), ca)
    save("many-extensions", leaf(ca, PHONE, more=[(f"1.3.6.1.4.1.99999.{n}", b"\x05\x00", False)
                                                  for n in range(40)]), ca)
    for case in ("good", "good-mac", "good-wrapped", "twice", "odd-number", "two-algorithms", "garbage"):
        first = (HERE / f"{case}.pem").read_text().split("-----END")[0].split("-----")[2]
        (SEEDS / f"{case}.der").write_bytes(base64.b64decode(first))
    (SEEDS / "authority.der").write_bytes(ca.der)


if __name__ == "__main__":
    main()
