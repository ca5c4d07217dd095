#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of the SCEP harnesses: one for each way in which a message, an envelope or a request can be wrong, and what
real clients send to an authority that lives as long as this program. Run it when a way is added:

    /usr/bin/python3 tests/fuzz/make_seeds.py

Keys and challenges are made here and thrown away.
"""
import base64
import datetime
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7

import pki
import scep
from house import wait_until
from pki import CLIENT_AUTH, CN, KEY_CERT_SIGN, O, OU, SERVER_AUTH
from scep import BMP, OCTETS, PRINTABLE, SEQUENCE, SET, UTF8, Sender, attribute, extension, oid, tlv

SEEDS = ROOT / "tests" / "fuzz" / "seeds"
CHALLENGE = "1.2.840.113549.1.9.7"
NAME = [(O, "Works"), (CN, "device")]
URI = scep.uri("urn:uuid:01900000-0000-7000-8000-000000000001")
UPN = (0xA0, oid("1.3.6.1.4.1.311.20.2.3") + tlv(0xA0, tlv(UTF8, b"root@example.org")))


# ---- requests ----

def challenge(tag, value):
    return attribute(CHALLENGE, tlv(tag, value))


def names(*wanted):
    return extension("2.5.29.17", tlv(SEQUENCE, *(tlv(tag, value) for tag, value in wanted)))


def spoilt(der, at=-1):
    changed = bytearray(der)
    changed[at] ^= 1
    return bytes(changed)


def forged_key(key, bits, exponent):
    """A request that names a key of this size, signed by another."""
    modulus = (1 << bits - 1) + 1
    public = tlv(SEQUENCE, scep.integer(modulus), scep.integer(exponent))
    info = tlv(SEQUENCE, scep.integer(0), scep.name(NAME),
               tlv(SEQUENCE, scep.RSA, tlv(scep.BITS, b"\0", public)), tlv(scep.CONTEXT))
    return tlv(SEQUENCE, info, scep.RSA_SHA256, tlv(scep.BITS, b"\0", scep.sign(key, info)))


def requests(key):
    """name -> DER"""
    ways = {
        "no-challenge": {}, "challenge": {"challenges": ["A2222222"]},
        "challenge-octets": {"attributes": [challenge(OCTETS, b"A2222222")]},
        "challenge-nul": {"attributes": [challenge(UTF8, b"A2\x0022")]},
        "challenge-bmp": {"attributes": [challenge(BMP, "A222".encode("utf-16-be"))]},
        "challenge-two-values": {"attributes": [attribute(CHALLENGE, tlv(UTF8, b"a"), tlv(UTF8, b"b"))]},
        "name-turned": {"subject": NAME[::-1]},
        "name-printable": {"subject": [(O, "Works", PRINTABLE), (CN, "device", PRINTABLE)]},
        "name-bmp": {"subject": [(CN, "device".encode("utf-16-be"), BMP)]},
        "name-cyrillic": {"subject": [(O, "Works"), (CN, "dеvicе")]},
        "name-two": {"subject": [*NAME, (CN, "other")]}, "name-unit": {"subject": [*NAME, (OU, "Admins")]},
        "uri": {"names": [URI]}, "uri-and-dns": {"names": [URI, scep.dns("a.example.org")]},
        "upn": {"names": [URI, UPN]}, "names-twice": {"extensions": [names(URI), names(scep.dns("a"))]},
        "server": {"purposes": [CLIENT_AUTH, SERVER_AUTH]}, "any-purpose": {"purposes": ["2.5.29.37.0"]},
        "signs-certificates": {"usage": 0x80 | KEY_CERT_SIGN},
        "many-extensions": {"extensions": [extension(f"1.2.3.4.{i}", b"\5\0") for i in range(60)]},
        "microsoft": {"attributes": [attribute("1.3.6.1.4.1.311.2.1.14", tlv(SEQUENCE, names(URI)))]},
    }
    ways["name-multi"] = {"subject": tlv(SEQUENCE, tlv(SET, *(tlv(SEQUENCE, oid(one), tlv(UTF8, b"x")) for one in (CN, OU))))}
    made = {name: scep.request(key, **{"subject": NAME, **way}) for name, way in ways.items()}
    made.update({"rsa-1024": scep.request(scep.rsa_key(1024), NAME), "exponent-3": forged_key(key, 2048, 3),
                 "rsa-16384": forged_key(key, 16384, 65537), "rsa-4104": forged_key(key, 4104, 65537),
                 "signature": spoilt(made["challenge"]), "trailing": made["challenge"] + b"\0"})
    return made


# ---- envelopes ----

def openssl(folder, *words, content):
    (folder / "in").write_bytes(content)
    subprocess.run(["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-aes128", "-in", folder / "in", "-out",
                    folder / "out", *words], check=True, capture_output=True)
    return (folder / "out").read_bytes()


def envelopes(authority, folder, content):
    ra, stranger = authority.registration, Sender()
    ec = x509.CertificateBuilder().subject_name(ra.subject).issuer_name(ra.subject).serial_number(7)
    ec_key = scep.ec_key()
    ec = ec.public_key(ec_key.public_key()).not_valid_before(ra.not_valid_before).not_valid_after(ra.not_valid_after)
    for name, certificate in (("ec", ec.sign(ec_key, hashes.SHA256())), ("ra", ra)):
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return {
        "typical": scep.envelope(content, ra), "des": scep.envelope(content, ra, "des"),
        "elsewhere": scep.envelope(content, stranger.certificate),
        "foreign-key": scep.envelope(content, stranger.certificate, named=ra),
        "content-spoilt": scep.envelope(content, ra, hidden=spoilt),
        "key-spoilt": scep.envelope(content, ra, wrapped=spoilt),
        "agreement": openssl(folder, folder / "ec.pem", content=content),
        "oaep": openssl(folder, "-recip", folder / "ra.pem", "-keyopt", "rsa_padding_mode:oaep", content=content),
        "key-id": openssl(folder, "-recip", folder / "ra.pem", "-keyid", content=content),
        "kek": openssl(folder, "-secretkey", "00" * 16, "-secretkeyid", "01", content=content),
    }


# ---- messages ----

def messages(authority, request):
    sender, other, ec = Sender(), Sender(), Sender(scep.ec_key())
    envelope = scep.envelope(request, authority.registration)
    liar = Sender(other.key)
    liar.certificate = sender.certificate
    issuer = scep.identifier(authority.registration)
    transaction, nonce, kind = ("2.16.840.1.113733.1.9.7", "2.16.840.1.113733.1.9.5", "2.16.840.1.113733.1.9.2")
    none = dict.fromkeys(sender.attributes(b"", "19"), b"")
    good = sender.message(envelope)
    return {
        "ec-signer": ec.message(envelope), "other-key": liar.message(envelope), "signature": spoilt(good),
        "content-spoilt": spoilt(good, good.index(envelope) + len(envelope) - 1), "trailing": good + b"\0",
        "empty-content": sender.message(b"", is_shown=False), "no-attributes": sender.message(envelope, **none),
        "transaction-utf8": sender.message(envelope, transaction=attribute(transaction, tlv(UTF8, b"1"))),
        "no-transaction": sender.message(envelope, transaction=b""), "no-type": sender.message(envelope, type=b""),
        "no-nonce": sender.message(envelope, nonce=b""),
        "nonce-8": sender.message(envelope, nonce=attribute(nonce, tlv(OCTETS, b"12345678"))),
        "nonce-2000": sender.message(envelope, nonce=attribute(nonce, tlv(OCTETS, bytes(2000)))),
        "type-text": sender.message(envelope, type=attribute(kind, tlv(PRINTABLE, b"ab"))),
        **{f"type-{one}": sender.message(envelope, one) for one in ("3", "17", "99")},
        "poll": sender.message(scep.envelope(tlv(SEQUENCE, authority.issuing.subject.public_bytes(), scep.name(NAME)),
                                             authority.registration), "20"),
        "get-certificate": sender.message(scep.envelope(issuer, authority.registration), "21"),
        "get-crl": sender.message(scep.envelope(issuer, authority.registration), "22"),
        "indefinite": b"\x30\x80" * 200, "huge": b"\x30\x84\x7f\xff\xff\xff" + bytes(99), "cut": good[:len(good) // 2],
    }


# ---- real clients ----

class Authority:
    """An authority of a minute: it shows itself, keeps what is asked of it, and serves nobody."""

    def __init__(self):
        self.root_key, self.key = scep.rsa_key(), scep.rsa_key()
        self.issuing = self.certify("Seeds CA", self.root_key, "Seeds CA", True)
        self.registration = self.certify("Seeds RA", self.key, "Seeds CA", False)
        self.heard, owner = [], self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # certmonger asks GetCACaps with a message, too
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                is_message = query["operation"] == "PKIOperation"
                text = query["message"].replace(" ", "+") if is_message else ""
                self.answer(query["operation"], base64.b64decode(text))

            def do_POST(self):
                self.answer("PKIOperation", self.rfile.read(int(self.headers["Content-Length"])))

            def answer(self, operation, message):
                bodies = {"GetCACaps": b"POSTPKIOperation\nRenewal\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n",
                          "GetCACert": pkcs7.serialize_certificates([owner.registration, owner.issuing],
                                                                    serialization.Encoding.DER)}
                if operation == "PKIOperation":
                    owner.heard.append(message)
                self.send_response(200 if operation in bodies else 400)
                self.send_header("Content-Type", "application/x-x509-ca-ra-cert")
                self.send_header("Content-Length", str(len(bodies.get(operation, b""))))
                self.end_headers()
                self.wfile.write(bodies.get(operation, b""))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/scep"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def certify(self, name, key, issuer, is_ca):
        now = datetime.datetime.utcnow()
        subject, by = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer))
        usage = x509.KeyUsage(True, False, not is_ca, False, False, is_ca, is_ca, False, False)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=30)).add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.BasicConstraints(is_ca, None), critical=True).sign(self.root_key, hashes.SHA256()))

    def files(self, folder):
        paths = {}
        for name, certificate in (("ra", self.registration), ("ca", self.issuing)):
            paths[name] = folder / f"{name}.der"
            paths[name].write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        return paths


def strongswan(authority, folder):
    paths, key = authority.files(folder), folder / "key.pem"
    key.write_bytes(Sender().key_pem())
    subprocess.run(["pki", "--scep", "--url", authority.url, "--in", key, "--password", "A2222222", "--dn",
                    "O=Works, CN=device", "--san", "device.example.org", "--cacert-enc", paths["ra"], "--cacert-sig",
                    paths["ra"], "--cacert", paths["ca"]], capture_output=True, timeout=60)


def go_client(authority, folder):
    subprocess.run(["scepclient", "-server-url", authority.url, "-private-key", folder / "go.key", "-certificate",
                    folder / "go.pem", "-cn", "device", "-challenge", "A2222222"], capture_output=True, timeout=60)


def certmonger(authority, folder):
    with pki.Certmonger(folder) as monger:
        monger.getcert("add-scep-ca", "-c", "seeds", "-u", authority.url)
        wait_until(lambda: "seeds" in monger.getcert("list-cas").stdout, 15, "the authority")
        monger.getcert("request", "-c", "seeds", "-I", "one", "-k", monger.home / "k.pem", "-f", monger.home / "c.pem",
                       "-N", "O=Works,CN=device", "-L", "A2222222", "-u", "digitalSignature", "-U", CLIENT_AUTH)
        wait_until(lambda: authority.heard, 60, "a request")


def captured(folder):
    """(messages, envelopes, requests) of each client, by its name."""
    found = ({}, {}, {})
    for client in (strongswan, go_client, certmonger):
        authority, place = Authority(), folder / client.__name__
        place.mkdir()
        client(authority, place)
        name = f"client-{client.__name__.replace('_', '-')}"
        message = authority.heard[0]
        (place / "message").write_bytes(message)
        (place / "key").write_bytes(authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        envelope = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in",
                                   place / "message"], capture_output=True, check=True).stdout
        (place / "envelope").write_bytes(envelope)
        request = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", place / "envelope",
                                  "-inkey", place / "key", "-provider", "default", "-provider", "legacy"],
                                 capture_output=True, check=True).stdout
        for kind, what in zip(found, (message, envelope, request)):
            kind[name] = what
        authority.server.shutdown()
    return found


# ---- words ----

OIDS = {
    "data": "1.2.840.113549.1.7.1", "signedData": "1.2.840.113549.1.7.2", "envelopedData": "1.2.840.113549.1.7.3",
    "authEnvelopedData": "1.2.840.113549.1.9.16.1.23", "contentType": "1.2.840.113549.1.9.3",
    "messageDigest": "1.2.840.113549.1.9.4", "signingTime": "1.2.840.113549.1.9.5",
    "messageType": "2.16.840.1.113733.1.9.2", "pkiStatus": "2.16.840.1.113733.1.9.3",
    "failInfo": "2.16.840.1.113733.1.9.4", "senderNonce": "2.16.840.1.113733.1.9.5",
    "recipientNonce": "2.16.840.1.113733.1.9.6", "transactionID": "2.16.840.1.113733.1.9.7",
    "failInfoText": "1.3.6.1.5.5.7.24.1", "challengePassword": CHALLENGE, "extensionRequest": "1.2.840.113549.1.9.14",
    "microsoft extensions": "1.3.6.1.4.1.311.2.1.14", "rsaEncryption": "1.2.840.113549.1.1.1",
    "rsaesOaep": "1.2.840.113549.1.1.7", "sha256WithRSA": "1.2.840.113549.1.1.11",
    "ecdsaWithSHA256": "1.2.840.10045.4.3.2", "md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3",
    "des": "1.3.14.3.2.7", "des3": "1.2.840.113549.3.7", "aes128": "2.16.840.1.101.3.4.1.2",
    "aes192": "2.16.840.1.101.3.4.1.22", "aes256": "2.16.840.1.101.3.4.1.42", "aes128gcm": "2.16.840.1.101.3.4.1.6",
    "commonName": CN, "organization": O, "unit": OU, "subjectAltName": "2.5.29.17", "keyUsage": "2.5.29.15",
    "extKeyUsage": "2.5.29.37", "anyExtendedKeyUsage": "2.5.29.37.0", "basicConstraints": "2.5.29.19",
    "authorityKeyIdentifier": "2.5.29.35", "clientAuth": CLIENT_AUTH, "serverAuth": SERVER_AUTH,
    "userPrincipalName": "1.3.6.1.4.1.311.20.2.3",
}


def dictionary():
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# written by tests/fuzz/make_seeds.py"]
    for name, dotted in OIDS.items():
        lines += [f"# {name}", '"' + "".join(f"\\x{byte:02x}" for byte in oid(dotted)) + '"']
    return "\n".join(lines) + "\n"


# ---- files ----

def write(target, seeds):
    for name, content in seeds.items():
        (SEEDS / target / f"{name}.der").write_bytes(content)
    (SEEDS.parent / f"{target}.dict").write_text(dictionary())


def main():
    os.environ.setdefault("OPENSSL_CONF", "/dev/null")
    authority, key = Authority(), scep.rsa_key()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        heard = captured(folder)
        wanted = requests(key)
        write("scep_prefilter", {**messages(authority, wanted["challenge"]), **heard[0]})
        write("scep_envelope", {**envelopes(authority, folder, wanted["challenge"]), **heard[1]})
        write("certificate_request", {**wanted, **heard[2]})


if __name__ == "__main__":
    main()
