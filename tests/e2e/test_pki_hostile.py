# SPDX-License-Identifier: Apache-2.0
"""SCEP messages that differ, lie or explode: each is answered as RFC 8894 says, and others are served."""
import base64
import contextlib
import threading
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import scep
from house import read_all, wait_until
from phones import admin, house
from pki import (CLIENT_AUTH, CN, DIGITAL_SIGNATURE, KEY_CERT_SIGN, KEY_ENCIPHERMENT, O, OU, SERVER_AUTH, authority,
                 calm, is_refused, make_wish, wish)
from scep import Reply, Sender

pytestmark = pytest.mark.pki


# ---- requests that differ ----

UPN = (0xA0, scep.oid("1.3.6.1.4.1.311.20.2.3") + scep.tlv(0xA0, scep.tlv(scep.UTF8, b"root@example.org")))
AUTHORITY = scep.extension("2.5.29.19", scep.tlv(scep.SEQUENCE, scep.tlv(0x01, b"\xff")))
NAME = scep.tlv(scep.UTF8, b"somebody")
USAGE = DIGITAL_SIGNATURE | KEY_ENCIPHERMENT
USAGE_AGAIN = scep.extension("2.5.29.15", scep.tlv(scep.BITS, b"\x00", bytes([USAGE])))
MORE = scep.tlv(scep.SEQUENCE, USAGE_AGAIN)
TWO_CHALLENGES = scep.attribute("1.2.840.113549.1.9.7", NAME, scep.tlv(scep.UTF8, b"x"))
def cyrillic(text):
    """The same to the eye."""
    changed = text.translate(str.maketrans("aceopxABEKMHOPCTX", "асеорхАВЕКМНОРСТХ"))
    assert changed != text
    return changed


DIFFERENT = {
    "another common name": (lambda w: {"subject": [(O, w.organization), (CN, "device")]}, {"subject.CN"}),
    "no common name": (lambda w: {"subject": [(O, w.organization)]}, {"subject.CN"}),
    "two common names": (lambda w: {"subject": [(O, w.organization), (CN, w.common_name), (CN, "x")]},
                         {"subject.CN"}),
    "a longer common name": (lambda w: {"subject": [(O, w.organization), (CN, w.common_name + " ")]},
                             {"subject.CN"}),
    "another organization": (lambda w: {"subject": [(O, "Other"), (CN, w.common_name)]}, {"subject.O"}),
    "a common name that only looks the same": (
        lambda w: {"subject": [(O, w.organization), (CN, w.common_name.replace("0", "\u041e"))]}, {"subject.CN"}),
    "an organization that only looks the same": (
        lambda w: {"subject": [(O, cyrillic(w.organization)), (CN, w.common_name)]}, {"subject.O"}),
    "an organizational unit": (lambda w: {"subject": [(O, w.organization), (OU, "Admins"), (CN, w.common_name)]},
                               {"subject.OU"}),
    "another SAN": (lambda w: {"names": [scep.uri("urn:uuid:00000000-0000-4000-8000-000000000000")]}, {"san.uri"}),
    "no SAN": (lambda w: {"names": []}, {"san.uri"}),
    "two SANs": (lambda w: {"names": [scep.uri(w.san), scep.uri("urn:x:y")]}, {"san.uri"}),
    "a DNS name too": (lambda w: {"names": [scep.uri(w.san), scep.dns("mail.example.org")]}, {"san.dns"}),
    "a longer key": (lambda w: {"sender": Sender(scep.rsa_key(3072))}, {"key.bits"}),
    "an EC key": (lambda w: {"key": scep.ec_key()}, {"key.type", "key.bits"}),
    "more key usage": (lambda w: {"usage": DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_CERT_SIGN}, {"key.usage"}),
    "less key usage": (lambda w: {"usage": DIGITAL_SIGNATURE}, {"key.usage"}),
    "server authentication": (lambda w: {"purposes": [SERVER_AUTH]}, {"eku"}),
    "server authentication too": (lambda w: {"purposes": [CLIENT_AUTH, SERVER_AUTH]}, {"eku"}),
    "any purpose": (lambda w: {"purposes": ["2.5.29.37.0"]}, {"eku"}),
    "an EC key of another curve": (lambda w: {"key": scep.ec_key(ec.SECP384R1)}, {"key.type", "key.bits"}),
    "no organization": (lambda w: {"subject": [(CN, w.common_name)]}, {"subject.O"}),
    "two organizations": (lambda w: {"subject": [(O, w.organization), (O, "x"), (CN, w.common_name)]}, {"subject.O"}),
    "a country": (lambda w: {"subject": [("2.5.4.6", "DE", scep.PRINTABLE), (O, w.organization), (CN, w.common_name)]},
                  {"subject.C"}),
    "a serial number": (lambda w: {"subject": [(O, w.organization), (CN, w.common_name), ("2.5.4.5", "1")]},
                        {"subject.serialNumber"}),
    "an e-mail address too": (lambda w: {"names": [scep.uri(w.san), (0x81, b"root@example.org")]}, {"san.email"}),
    "an IP address too": (lambda w: {"names": [scep.uri(w.san), (0x87, bytes([127, 0, 0, 1]))]}, {"san.ip"}),
    "a user principal name too": (lambda w: {"names": [scep.uri(w.san), UPN]}, {"san.upn"}),
    "the same SAN twice": (lambda w: {"names": [scep.uri(w.san), scep.uri(w.san)]}, {"san.uri"}),
}


@pytest.mark.proves("4g-7")
@pytest.mark.parametrize("what", DIFFERENT)
def test_a_request_that_differs_is_refused_recorded_and_shown(admin, wish, authority, rogue, calm, what):
    change, names = DIFFERENT[what]
    assert is_refused(wish.ask(authority, **{"sender": rogue, **change(wish)}))
    assert wish.differing() == names
    record = wish.record()
    assert (record["state"], record["tries"]) == ("delivered", 1)
    assert record["refusal"]["reason"] and record["refusal"]["peer"] == "127.0.0.1"
    assert record["id"] in {one["id"] for one in admin.items("/certificate-requests?refused=true&limit=1000")}
    assert [step["step"] for step in wish.trace()] == [1, 2, 3, 4, 5]


SAME = {  # the certificate says it as it was expected, whatever the request looked like
    "CN before O": lambda w: [(CN, w.common_name), (O, w.organization)],
    "PrintableString": lambda w: [(O, w.organization, scep.PRINTABLE), (CN, w.common_name, scep.PRINTABLE)],
    "BMPString": lambda w: [(O, w.organization.encode("utf-16-be"), scep.BMP),
                            (CN, w.common_name.encode("utf-16-be"), scep.BMP)],
    "UniversalString": lambda w: [(O, w.organization.encode("utf-32-be"), 0x1C), (CN, w.common_name)],
    "T61String": lambda w: [(O, w.organization, 0x14), (CN, w.common_name, 0x14)],
    "several types": lambda w: [(CN, w.common_name.encode("utf-16-be"), scep.BMP), (O, w.organization)],
}


@pytest.mark.proves_partly("4g-7", "4g-8")
@pytest.mark.parametrize("what", SAME)
def test_a_name_is_what_it_says_and_not_how_it_is_written(wish, authority, tmp_path, what):
    sender = Sender()
    reply = wish.ask(authority, sender, subject=SAME[what](wish))
    assert reply.status == scep.SUCCESS
    [certificate, *_] = sender.certificates(reply, tmp_path)
    assert [one.value for one in certificate.subject] == [wish.organization, wish.common_name]
    assert wish.trace()[3]["outcome"] == "ok"


MALFORMED = {
    "an RSA key of 1024 bits": lambda: {"key": scep.rsa_key(1024)},
    "to be an authority": lambda: {"extensions": [AUTHORITY]},
    "an extension twice": lambda: {"usage": USAGE, "extensions": [USAGE_AGAIN]},
    "extensions in two attributes": lambda: {"attributes": [scep.attribute("1.2.840.113549.1.9.14", MORE)]},
    "an attribute with two values": lambda: {"challenges": [], "attributes": [TWO_CHALLENGES]},
}


@pytest.mark.proves_partly("4g-7")
@pytest.mark.parametrize("what", MALFORMED)
def test_a_request_that_nobody_could_expect_gets_no_certificate(wish, authority, rogue, calm, what):
    reply = wish.ask(authority, rogue, **MALFORMED[what]())
    assert reply.status == scep.FAILURE and reply.content is None
    record = wish.record()
    assert record["state"] == "delivered" and "certificate_id" not in {key for key in record if record[key]}
    assert wish.ask(authority).status == scep.SUCCESS


@pytest.mark.proves_partly("4g-7", "4g-8")
def test_what_is_asked_beyond_names_and_keys_is_not_in_the_certificate(wish, authority, tmp_path):
    sender = Sender()
    extensions = [scep.extension(f"1.2.3.4.{i}", b"\x05\x00") for i in range(200)]
    reply = wish.ask(authority, sender, extensions=extensions, attributes=[scep.attribute("1.2.840.113549.1.9.2", NAME)])
    assert reply.status == scep.SUCCESS
    [certificate, *_] = sender.certificates(reply, tmp_path)
    found = {one.oid.dotted_string for one in certificate.extensions}
    assert found and not [one for one in found if one.startswith("1.2.3.4")]
    assert b"somebody" not in certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\x00b", b"\xc3", b"\xed\xa0\x80"])
@pytest.mark.parametrize("tag", [scep.UTF8, scep.PRINTABLE, 0x14, scep.BMP])
def test_a_name_that_is_no_text_harms_nobody(wish, authority, rogue, calm, tag, value):
    subject = [(O, wish.organization), (CN, value, tag)]
    for wrong in ({"subject": subject}, {"names": [scep.uri(value)]}):
        reply = wish.ask(authority, rogue, **wrong)  # what is malformed may be answered as a bad check
        assert reply.status == scep.FAILURE and reply.content is None
    assert wish.record()["state"] == "delivered"


def test_two_challenges_in_one_request_are_none(wish, make_wish, authority, rogue, calm):
    other = make_wish()
    for challenges in ([wish.challenge] * 2, [wish.challenge, other.challenge], [other.challenge, wish.challenge]):
        assert is_refused(wish.ask(authority, rogue, challenges=challenges))
    assert wish.record()["state"] == other.record()["state"] == "delivered"


@pytest.mark.parametrize("kind", ["17", "18", "20", "21", "22", "3", "99"])
def test_other_message_types_get_no_certificate(wish, authority, rogue, calm, kind):
    reply = wish.ask(authority, rogue, kind=kind)
    assert reply.status == scep.FAILURE and reply.content is None
    assert wish.record()["state"] == "delivered"


def test_what_is_not_sent_whole_is_no_message(wish, authority, calm):
    sender = Sender()
    message = sender.message(scep.envelope(wish.request(sender.key), authority.registration))
    for body in (b"", b"garbage", message[:-1], message + b"\x00", message[1:], message * 2):
        assert wish.post(body)[0] == 400
    assert wish.ask(authority, sender).status == scep.SUCCESS


def test_a_body_beyond_64_kb_is_not_even_read(wish, calm):
    assert wish.post(b"\x30" * 65537)[0] == 413
    assert wish.post(b"\x30" * 65536)[0] == 400


def test_a_message_signed_by_another_key_is_refused(wish, authority, rogue, calm):
    honest, liar = Sender(), Sender(rogue.key)
    content = scep.envelope(wish.request(honest.key), authority.registration)
    liar.certificate = honest.certificate  # signed by one, shown by another
    status, body = wish.post(liar.message(content))
    assert status == 200 and is_refused(Reply(body, authority.registration), scep.BAD_CHECK)
    assert is_refused(wish.ask(authority, rogue, key=honest.key), scep.BAD_CHECK)
    message = bytearray(honest.message(content))
    message[-1] ^= 1
    status, body = wish.post(bytes(message))
    assert status == 200 and is_refused(Reply(body, authority.registration), scep.BAD_CHECK)
    assert wish.record()["state"] == "delivered"


def test_a_request_not_signed_by_its_own_key_is_refused(wish, authority, rogue, calm):
    request = bytearray(wish.request(rogue.key))
    request[-1] ^= 1
    status, body = wish.post(rogue.message(scep.envelope(bytes(request), authority.registration)))
    reply = Reply(body, authority.registration)
    assert status == 200 and reply.status == scep.FAILURE and reply.content is None
    assert wish.record()["state"] == "delivered"


def test_a_message_for_somebody_else_is_refused(wish, authority, rogue, calm):
    for recipient in (Sender().certificate, authority.issuing):
        if not hasattr(recipient.public_key(), "encrypt"):
            continue  # an issuing authority with an EC key is nobody to encrypt to
        status, body = wish.post(rogue.message(scep.envelope(wish.request(rogue.key), recipient)))
        assert status == 200 and is_refused(Reply(body, authority.registration), scep.BAD_CHECK)


def flipped(at):
    """A function that changes one bit of a byte."""
    def change(part):
        spoilt = bytearray(part)
        spoilt[at] ^= 1
        return bytes(spoilt)
    return change


def test_what_does_not_open_is_answered_alike(wish, authority, rogue, calm):
    """Otherwise the answers would tell a stranger, bit by bit, what an envelope of others holds: Bleichenbacher's
    way for the key, Vaudenay's for the content."""
    registration, request = authority.registration, wish.request(rogue.key)
    closed = [scep.envelope(request, Sender().certificate, named=registration),  # padding of the key is wrong
              scep.envelope(request, registration, wrapped=flipped(-1)),
              scep.envelope(request, registration, wrapped=lambda part: bytes(len(part))),
              scep.envelope(request, registration, hidden=flipped(-17)),  # padding of the content is wrong
              scep.envelope(request, registration, hidden=flipped(0)),  # both are right, the content is none
              scep.envelope(b"\x30\x00", registration)]
    heard = set()
    for content in closed:
        status, body = wish.post(rogue.message(content))
        assert status == 200 and is_refused(Reply(body, registration), scep.BAD_CHECK)
        heard.add(len(body))
    assert len(heard) == 1  # and no sentence goes with it
    assert wish.record()["state"] == "delivered"
    assert wish.ask(authority).status == scep.SUCCESS


@pytest.mark.parametrize("cipher", ["des3", "des"])
def test_old_ciphers_are_a_bad_algorithm(wish, authority, rogue, calm, cipher):
    content = scep.envelope(wish.request(rogue.key), authority.registration, cipher)
    status, body = wish.post(rogue.message(content))
    assert status == 200 and is_refused(Reply(body, authority.registration), scep.BAD_ALGORITHM)
    assert wish.record()["state"] == "delivered"


BOMBS = {"indefinite": b"\x30\x80" * 30000, "definite": b"", "huge length": b"\x30\x84\x7f\xff\xff\xff" + b"\x00" * 99,
         "lengths of lengths": b"\x30\xff" + b"\xff" * 2000, "octets in octets": b"\x24\x80" * 30000,
         "context": b"\xa0\x80" * 30000, "high tags": b"\x3f" + b"\xff" * 60000}
for _ in range(4000):
    BOMBS["definite"] = scep.tlv(scep.SEQUENCE, BOMBS["definite"])


@pytest.mark.parametrize("bomb", BOMBS)
def test_nested_der_is_refused_quickly(wish, authority, rogue, calm, bomb):
    started = time.monotonic()
    assert wish.post(BOMBS[bomb])[0] == 400
    deep = BOMBS[bomb][:20000]
    for content in (deep, scep.envelope(deep, authority.registration)):  # outside, and under encryption
        status, body = wish.post(rogue.message(content))
        assert status in (200, 400)
        assert status == 400 or Reply(body, authority.registration).status == scep.FAILURE
    assert time.monotonic() - started < 10


@pytest.mark.proves_partly("4g-6")
def test_others_are_served_under_a_hail_of_hostile_messages(house, make_wish, authority, rogue):
    """Memory stays: the same hail twice, and the second adds next to nothing."""
    target = make_wish()
    wrong = rogue.message(scep.envelope(target.request(rogue.key, challenges=["X" * 50]), authority.registration))
    hail = [*BOMBS.values(), wrong, wrong[:-1], rogue.message(b"\x30\x00"), b"\x30" * 60000]

    def storm(rounds, failures):
        for _ in range(rounds):
            for body in hail:
                try:
                    assert target.post(body)[0] in (200, 400)
                except (OSError, AssertionError) as problem:
                    failures.append(problem)

    def storms():
        failures = []
        threads = [threading.Thread(target=storm, args=(4, failures)) for _ in range(3)]
        for thread in threads:
            thread.start()
        seconds = []
        for _ in range(3):
            started = time.monotonic()
            assert make_wish().ask(authority).status == scep.SUCCESS
            seconds.append(time.monotonic() - started)
        for thread in threads:
            thread.join()
        assert not failures
        return max(seconds)

    storms()
    before = house.memory()
    assert storms() < 15
    assert house.memory() - before < 16 << 20


# ---- what old clients do ----

@pytest.mark.proves_partly("4g-6")
def test_get_takes_base64_in_every_spelling_of_the_clients(house, make_wish, authority, tmp_path):
    def lines(text):
        return "".join(text[at:at + 64] + "\n" for at in range(0, len(text), 64))

    spellings = {"percent": lambda text: urllib.parse.quote(text, safe=""), "raw": lambda text: text,
                 "spaces": lambda text: text.replace("+", "%20"),
                 "line breaks": lambda text: urllib.parse.quote(lines(text), safe=""),
                 "bare padding": lambda text: urllib.parse.quote(text.rstrip("="), safe=""),
                 "url-safe": lambda text: text.replace("+", "-").replace("/", "_")}
    for spelling in spellings.values():
        wish, sender = make_wish(), Sender()
        message = sender.message(scep.envelope(wish.request(sender.key), authority.registration))
        text = spelling(base64.b64encode(message).decode())
        status, _, body = house.get(f"{urllib.parse.urlsplit(wish.url).path}?operation=PKIOperation&message={text}",
                                    door="plain")
        assert status == 200 and Reply(body, authority.registration).status == scep.SUCCESS


def test_http_1_0_without_a_host_is_served(house):
    for operation in ("GetCACaps", "GetCACert"):
        connection = house.connect("plain")
        connection.sendall(f"GET /scep/apple?operation={operation} HTTP/1.0\r\n\r\n".encode())
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
        connection.close()
        assert b" 200 " in head.splitlines()[0] and body


def spoken(house, *parts, until=None):
    """What the plain door answers to bytes on the wire; between two parts comes the answer `until`."""
    connection, heard = house.connect("plain"), b""
    with contextlib.closing(connection):
        connection.sendall(parts[0])
        for part in parts[1:]:
            while until not in heard:
                heard += connection.recv(4096)
            connection.sendall(part)
        heard = heard.partition(until)[2] + read_all(connection) if until else read_all(connection)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    return body


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_certificate_comes_by_http_1_0_too(house, wish, authority, how):
    sender = Sender()
    message = sender.message(scep.envelope(wish.request(sender.key), authority.registration))
    path = urllib.parse.urlsplit(wish.url).path + "?operation=PKIOperation"
    if how == "GET":
        text = urllib.parse.quote(base64.b64encode(message).decode(), safe="")
        body = spoken(house, f"GET {path}&message={text} HTTP/1.0\r\n\r\n".encode())
    else:
        body = spoken(house, f"POST {path} HTTP/1.0\r\nContent-Length: {len(message)}\r\n\r\n".encode() + message)
    assert Reply(body, authority.registration).status == scep.SUCCESS


def test_who_asks_before_posting_is_told_to_go_on(house, wish, authority):
    sender = Sender()
    message = sender.message(scep.envelope(wish.request(sender.key), authority.registration))
    path = urllib.parse.urlsplit(wish.url).path + "?operation=PKIOperation"
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
            f"Content-Type: application/x-pki-message\r\nContent-Length: {len(message)}\r\n\r\n")
    body = spoken(house, head.encode(), message, until=b"HTTP/1.1 100 Continue\r\n\r\n")
    assert Reply(body, authority.registration).status == scep.SUCCESS


# ---- the last: it waits ----

@pytest.mark.proves_partly("4g-7")
def test_an_expired_challenge_is_refused(stale, authority, rogue):
    minted = stale.record()["expires_at"]
    wait_until(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > minted, 90, "the end of a challenge")
    assert is_refused(stale.ask(authority, rogue))
    record = stale.record()
    assert (record["state"], record["refusal"]["reason"]) == ("expired", "the challenge has expired")
