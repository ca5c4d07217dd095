# SPDX-License-Identifier: Apache-2.0
"""SCEP messages written and read by hand, so that each part can be wrong in a chosen way.

Only the mathematics comes from `cryptography`; nothing is shared with the server's C.
"""
import datetime
import hashlib
import os
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

INTEGER, BITS, OCTETS, NULL, OID, UTF8, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x30, 0x31
PRINTABLE, BMP, CONTEXT = 0x13, 0x1E, 0xA0
SUCCESS, FAILURE = "0", "2"
BAD_ALGORITHM, BAD_CHECK, BAD_REQUEST, BAD_CERTIFICATE = "0", "1", "2", "4"
ATTRIBUTE_NAMES = {"2.16.840.1.113733.1.9.2": "type", "2.16.840.1.113733.1.9.3": "status",
                   "2.16.840.1.113733.1.9.4": "failure", "2.16.840.1.113733.1.9.5": "sender_nonce",
                   "2.16.840.1.113733.1.9.6": "recipient_nonce", "2.16.840.1.113733.1.9.7": "transaction",
                   "1.2.840.113549.1.9.4": "digest"}
CIPHERS = {"aes": ("2.16.840.1.101.3.4.1.2", algorithms.AES, 16),
           "des3": ("1.2.840.113549.3.7", algorithms.TripleDES, 24),
           "des": ("1.3.14.3.2.7", algorithms.TripleDES, 8)}  # of one key three times


# ---- DER ----

def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return tlv(OID, content)


def integer(number):
    return tlv(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def elements(der):
    """[(tag, content, whole)] of what stands side by side."""
    found, at = [], 0
    while at < len(der):
        start, tag, size, at = at, der[at], der[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(der[at:at + width], "big"), at + width
        found.append((tag, der[at:at + size], der[start:at + size]))
        at += size
    return found


def inside(der):
    """The elements in the only one there is."""
    [(_, content, _)] = elements(der)
    return elements(content)


def dotted(content):
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


RSA_SHA256 = tlv(SEQUENCE, oid("1.2.840.113549.1.1.11"), tlv(NULL))
RSA_SHA1 = tlv(SEQUENCE, oid("1.2.840.113549.1.1.5"), tlv(NULL))
RSA = tlv(SEQUENCE, oid("1.2.840.113549.1.1.1"), tlv(NULL))
ECDSA_SHA256 = tlv(SEQUENCE, oid("1.2.840.10045.4.3.2"))
SHA256 = tlv(SEQUENCE, oid("2.16.840.1.101.3.4.2.1"), tlv(NULL))
SHA1 = tlv(SEQUENCE, oid("1.3.14.3.2.26"), tlv(NULL))
DIGESTS = {"sha256": (SHA256, hashes.SHA256()), "sha1": (SHA1, hashes.SHA1())}


# ---- keys and requests ----

def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(key, data, digest="sha256"):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), DIGESTS[digest][1])
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def uri(text):
    return 0x86, text.encode() if isinstance(text, str) else text


def dns(text):
    return 0x82, text.encode()


def extension(identifier, value):
    return tlv(SEQUENCE, oid(identifier), tlv(OCTETS, value))


def name(parts):
    """parts: (OID, text or bytes[, string tag])"""
    rows = []
    for identifier, value, *tag in parts:
        content = value if isinstance(value, bytes) else value.encode()
        rows.append(tlv(SET, tlv(SEQUENCE, oid(identifier), tlv(tag[0] if tag else UTF8, content))))
    return tlv(SEQUENCE, *rows)


def attribute(identifier, *values):
    return tlv(SEQUENCE, oid(identifier), tlv(SET, *values))


def request(key, subject, names=(), challenges=(), usage=None, purposes=(), extensions=(), attributes=(),
            digest="sha256"):
    """A PKCS#10 request. subject: parts or DER; usage: bits of the first byte; challenges: one attribute for each;
    extensions and attributes: more of them, as DER."""
    subject = subject if isinstance(subject, bytes) else name(subject)
    wanted = []
    if names:
        wanted.append(extension("2.5.29.17", tlv(SEQUENCE, *(tlv(tag, value) for tag, value in names))))
    if usage is not None:
        wanted.append(extension("2.5.29.15", tlv(BITS, b"\x00", bytes([usage]))))
    if purposes:
        wanted.append(extension("2.5.29.37", tlv(SEQUENCE, *map(oid, purposes))))
    wanted += extensions
    attributes = [*(attribute("1.2.840.113549.1.9.7", tlv(PRINTABLE, one.encode())) for one in challenges), *attributes]
    if wanted:
        attributes.append(attribute("1.2.840.113549.1.9.14", tlv(SEQUENCE, *wanted)))
    info = tlv(SEQUENCE, integer(0), subject, spki(key), tlv(CONTEXT, *attributes))
    of_rsa = {"sha256": RSA_SHA256, "sha1": RSA_SHA1}[digest]
    algorithm = of_rsa if isinstance(key, rsa.RSAPrivateKey) else ECDSA_SHA256
    return tlv(SEQUENCE, info, algorithm, tlv(BITS, b"\x00", sign(key, info, digest)))


# ---- the two layers ----

def identifier(certificate):
    return tlv(SEQUENCE, certificate.issuer.public_bytes(), integer(certificate.serial_number))


def same(part):
    return part


def envelope(content, recipient, cipher="aes", named=None, wrapped=same, hidden=same):
    """Encrypted to the recipient's key under the name of `named`, if that is another one. wrapped and hidden
    spoil the encrypted key and the encrypted content."""
    algorithm, kind, size = CIPHERS[cipher]
    key, block = os.urandom(size), kind.block_size // 8
    iv = os.urandom(block)
    fill = block - len(content) % block
    worker = Cipher(kind(key), modes.CBC(iv)).encryptor()
    secret = worker.update(content + bytes([fill]) * fill) + worker.finalize()
    info = tlv(SEQUENCE, integer(0), identifier(named or recipient), RSA,
               tlv(OCTETS, wrapped(recipient.public_key().encrypt(key, padding.PKCS1v15()))))
    inner = tlv(SEQUENCE, oid("1.2.840.113549.1.7.1"), tlv(SEQUENCE, oid(algorithm), tlv(OCTETS, iv)),
                tlv(0x80, hidden(secret)))
    return tlv(SEQUENCE, oid("1.2.840.113549.1.7.3"),
               tlv(CONTEXT, tlv(SEQUENCE, integer(0), tlv(SET, info), inner)))


class Sender:
    """A key with the self-signed certificate that a SCEP client shows."""

    def __init__(self, key=None, digest="sha256"):
        self.key, self.digest = key or rsa_key(), digest
        self.nonce, self.transaction = os.urandom(16), hashlib.sha256(spki(self.key)).hexdigest()[:40]
        who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
        now = datetime.datetime.utcnow()
        self.certificate = (x509.CertificateBuilder().subject_name(who).issuer_name(who)
                            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                            .not_valid_before(now - datetime.timedelta(days=1))
                            .not_valid_after(now + datetime.timedelta(days=1))
                            .sign(self.key, hashes.SHA256()))

    def attributes(self, content, kind):
        """name -> signed attribute"""
        return {"content_type": attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1")),
                "digest": attribute("1.2.840.113549.1.9.4", tlv(OCTETS, hashlib.new(self.digest, content).digest())),
                "type": attribute("2.16.840.1.113733.1.9.2", tlv(PRINTABLE, kind.encode())),
                "nonce": attribute("2.16.840.1.113733.1.9.5", tlv(OCTETS, self.nonce)),
                "transaction": attribute("2.16.840.1.113733.1.9.7", tlv(PRINTABLE, self.transaction.encode()))}

    def message(self, content, kind="19", is_shown=True, **other):
        """SignedData around an envelope, or around nothing. other: attributes in the place of those; b"": without."""
        signed = b"".join(sorted({**self.attributes(content, kind), **other}.values()))
        algorithm = DIGESTS[self.digest][0]
        info = tlv(SEQUENCE, integer(1), identifier(self.certificate), algorithm, tlv(CONTEXT, signed) if signed else b"",
                   RSA if isinstance(self.key, rsa.RSAPrivateKey) else ECDSA_SHA256,
                   tlv(OCTETS, sign(self.key, tlv(SET, signed) if signed else content, self.digest)))
        certificate = self.certificate.public_bytes(serialization.Encoding.DER)
        shown = tlv(CONTEXT, tlv(OCTETS, content)) if is_shown else b""
        data = tlv(SEQUENCE, integer(1), tlv(SET, algorithm), tlv(SEQUENCE, oid("1.2.840.113549.1.7.1"), shown),
                   tlv(CONTEXT, certificate), tlv(SET, info))
        return tlv(SEQUENCE, oid("1.2.840.113549.1.7.2"), tlv(CONTEXT, data))

    def certificates(self, reply, folder):
        """What a SUCCESS brought, opened by OpenSSL with the sender's key."""
        (folder / "reply.der").write_bytes(reply.content)
        (folder / "sender.pem").write_bytes(self.key_pem())
        opened = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", folder / "reply.der",
                                 "-inkey", folder / "sender.pem"], check=True, capture_output=True).stdout
        listed = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=opened,
                                check=True, capture_output=True).stdout
        return [x509.load_pem_x509_certificate(b"-----BEGIN" + part)
                for part in listed.split(b"-----BEGIN")[1:]]

    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())


class Reply:
    """A CertRep that the RA has signed; anything else is an AssertionError."""

    def __init__(self, der, registration, digest="sha256"):
        data = elements(inside(inside(der)[1][2])[0][1])
        capsule = elements(data[2][1])
        self.content = inside(capsule[1][2])[0][1] if len(capsule) > 1 else None
        [(_, signer, _)] = elements(data[-1][1])
        attributes, signature = elements(signer)[3][1], elements(signer)[5][1]
        registration.public_key().verify(signature, tlv(SET, attributes), padding.PKCS1v15(),
                                          DIGESTS[digest][1])
        values = {}
        for _, pair, _ in elements(attributes):
            (_, identifier, _), (_, value, _) = elements(pair)
            values[ATTRIBUTE_NAMES.get(dotted(identifier))] = elements(value)[0][1]
        assert values["digest"] == hashlib.new(digest, self.content or b"").digest()
        assert values["type"] == b"3"
        self.status = values["status"].decode()
        self.failure = values["failure"].decode() if "failure" in values else None
        self.transaction = values["transaction"].decode()
        self.sender_nonce, self.recipient_nonce = values["sender_nonce"], values["recipient_nonce"]

    def ciphers(self):
        """The algorithm that the content is encrypted with."""
        envelope = inside(inside(self.content)[1][2])[0][1]
        [(_, algorithm, _)] = [one for one in elements(elements(elements(envelope)[-1][1])[1][2])]
        return [dotted(elements(algorithm)[0][1])]
