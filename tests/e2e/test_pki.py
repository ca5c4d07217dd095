# SPDX-License-Identifier: Apache-2.0
"""The authority before foreign clients: strongSwan, certmonger, OpenSSL; and the life of a challenge."""
import base64
import os
import plistlib
import subprocess
import time
import types
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep
from conftest import postgres_module
from house import wait_until
from phones import admin, house, new_phone
from pki import (CLIENT_AUTH, CN, DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, O, SCEP_SUBMIT, Certmonger, authority, calm,
                 fetch_crl, is_refused, issued, make_wish, ocsp, run, verify, wish)
from scep import Sender

pytestmark = pytest.mark.pki


# ---- strongSwan ----

def general_name(uri):
    """strongSwan 5.9.8 has no word for a URI, but takes a GeneralName as it is."""
    return f"asn1gn:#{scep.tlv(*scep.uri(uri)).hex()}"


@pytest.mark.proves("4g-6", "4g-13", "4g-14", "4g-15")
@pytest.mark.proves_partly("4g-3", "4g-8", "4g-12")
def test_strongswan_enrols_and_is_revoked(house, admin, authority, wish, tmp_path):
    run("pki", "--scepca", "--url", wish.url, "--caout", tmp_path / "ca.der", "--raout", tmp_path / "ra.der")
    assert (tmp_path / "ra.der").read_bytes() == (authority.folder / "registration.der").read_bytes()
    brought = {path.read_bytes() for path in tmp_path.glob("ca*.der")}
    assert brought == {(authority.folder / f"{what}.der").read_bytes() for what in ("issuing", "root")}
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{wish.bits}",
        "-out", tmp_path / "key.pem")
    asked = subprocess.run(
        ["pki", "--scep", "--url", wish.url, "--in", tmp_path / "key.pem", "--password", wish.challenge,
         "--dn", f"O={wish.organization}, CN={wish.common_name}", "--san", general_name(wish.san),
         "--cacert-enc", tmp_path / "ra.der", "--cacert-sig", tmp_path / "ra.der", "--cacert",
         authority.folder / "issuing.der", "--cacert", authority.folder / "root.der", "--outform", "pem"],
        capture_output=True, timeout=60)
    assert asked.returncode == 0, asked.stderr.decode()
    pem = tmp_path / "leaf.pem"
    pem.write_bytes(asked.stdout)
    certificate = x509.load_pem_x509_certificate(asked.stdout)
    assert "OK" in verify(house, authority, pem, tmp_path)
    assert ": good" in ocsp(house, authority, pem)
    serial = f"{certificate.serial_number:032x}"
    [row] = [one for one in admin.items("/certificates") if one["serial"] == serial]
    admin.post(f"/certificates/{row['id']}/revocation", reason="key_compromise")
    heard = ocsp(house, authority, pem)
    assert ": revoked" in heard and "keyCompromise" in heard
    wait_until(lambda: is_listed(house, tmp_path, certificate), 15, "the serial number in the CRL")
    assert "certificate revoked" in verify(house, authority, pem, tmp_path, fails=True)


def is_listed(house, folder, certificate):
    text = run("openssl", "crl", "-in", fetch_crl(house, folder), "-noout", "-text")
    return f"{certificate.serial_number:032X}" in text


# ---- certmonger ----

@pytest.mark.proves_partly("4g-6")
def test_certmongers_helper_enrols_by_get(authority, wish, tmp_path):
    assert "POSTPKIOperation" in run(SCEP_SUBMIT, "-u", wish.url, "-c")
    shown = run(SCEP_SUBMIT, "-u", wish.url, "-C")
    certificates = [x509.load_pem_x509_certificate(("-----BEGIN" + part).encode())
                    for part in shown.split("-----BEGIN")[1:]]
    assert certificates == [authority.registration, authority.root, authority.issuing]
    sender = Sender()
    message = sender.message(scep.envelope(wish.request(sender.key), authority.registration))
    text = base64.encodebytes(message).decode()
    (tmp_path / "message.pem").write_text(f"-----BEGIN PKCS7-----\n{text}-----END PKCS7-----\n")
    answer = run(SCEP_SUBMIT, "-u", wish.url, "-p", "-r", authority.folder / "registration.pem",
                 "-I", authority.folder / "chain.pem", tmp_path / "message.pem")
    body = answer.split("-----BEGIN PKCS7-----")[1].split("-----END")[0]
    reply = types.SimpleNamespace(content=base64.b64decode(body))
    [certificate, *_] = sender.certificates(reply, tmp_path)
    assert wish.common_name in certificate.subject.rfc4514_string()


@pytest.mark.proves_partly("4g-6", "4g-7")
def test_certmonger_cannot_ask_for_a_uri_and_is_told_no(authority, wish, tmp_path):
    """It has no way to ask for a URI as alternative name: all else agrees, so that alone is refused."""
    with Certmonger(tmp_path) as monger:
        monger.getcert("add-scep-ca", "-c", "muster", "-u", wish.url)
        wait_until(lambda: "muster" in monger.getcert("list-cas").stdout, 15, "the authority")
        monger.getcert("request", "-c", "muster", "-I", "one", "-k", monger.home / "k.pem", "-f",
                       monger.home / "c.pem", "-N", f"O={wish.organization},CN={wish.common_name}",
                       "-u", "digitalSignature", "-u", "keyEncipherment", "-U", CLIENT_AUTH, "-L", wish.challenge,
                       "-g", wish.bits)
        wait_until(lambda: wish.record().get("refused_at"), 60, "certmonger's request")
        assert wish.differing() == {"san.uri"}
        wait_until(lambda: "ca-error" in monger.getcert("list").stdout, 30, "certmonger hears it")
        # 0.79.17 wants content in a FAILURE, which RFC 8894 3.3.2.2 forbids: it calls the CA unreachable
        assert "no content" in monger.getcert("list").stdout
        assert not (monger.home / "c.pem").exists()


# ---- what a certificate looks like ----

@pytest.mark.proves_partly("4g-14", "4g-16")
def test_the_chain_is_in_order_and_each_may_do_its_own_thing(authority):
    ra, issuing, root = authority.registration, authority.issuing, authority.root
    assert authority.count == 3
    assert ra.issuer == issuing.subject and issuing.issuer == root.subject == root.issuer
    run("openssl", "verify", "-CAfile", authority.folder / "root.pem", "-untrusted",
        authority.folder / "issuing.pem", authority.folder / "registration.pem")
    for certificate, is_ca, path in ((ra, False, None), (issuing, True, 0), (root, True, 1)):
        limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical and (limits.value.ca, limits.critical or not is_ca) == (is_ca, True)
        assert usage.value.key_cert_sign is usage.value.crl_sign is is_ca
        assert usage.value.key_encipherment is not is_ca
        if is_ca:
            assert limits.value.path_length in (path, None)
    assert issuing.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


@pytest.mark.proves_partly("4g-4", "4g-5", "4g-7")
def test_a_certificate_holds_what_was_expected_and_nothing_else(house, authority, issued):
    wish, certificate = issued.wish, issued.certificate
    assert certificate.subject.rfc4514_string() == f"CN={wish.common_name},O={wish.organization}"
    found = {one.oid.dotted_string: one for one in certificate.extensions}
    assert set(found) == {"2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.14", "2.5.29.35",
                          "2.5.29.31", "1.3.6.1.5.5.7.1.1"}
    assert found["2.5.29.19"].value.ca is False
    usage = found["2.5.29.15"]
    assert usage.critical and usage.value.digital_signature and usage.value.key_encipherment
    assert not usage.value.key_cert_sign and not usage.value.content_commitment
    assert [one.dotted_string for one in found["2.5.29.37"].value] == [CLIENT_AUTH]
    assert [one.value for one in found["2.5.29.17"].value] == [wish.san]
    assert wish.san.startswith("urn:uuid:")
    plain = f"http://localhost:{house.ports['plain']}"
    [point] = found["2.5.29.31"].value
    assert [one.value for one in point.full_name] == [f"{plain}/ca/devices.crl"]
    places = {one.access_method._name: one.access_location.value for one in found["1.3.6.1.5.5.7.1.1"].value}
    assert places == {"OCSP": f"{plain}/ocsp", "caIssuers": f"{plain}/ca/issuing.cer"}
    status, headers, body = house.get("/ca/issuing.cer", door="plain")
    assert (status, headers["Content-Type"]) == (200, "application/pkix-cert")
    assert body == (authority.folder / "issuing.der").read_bytes()
    assert "OK" in verify(house, authority, issued.pem, wish.folder)


@pytest.mark.proves_partly("4g-7", "4g-8")
def test_to_ask_for_the_expected_usage_is_no_offence(wish, authority, tmp_path):
    sender = Sender()
    reply = wish.ask(authority, sender, usage=DIGITAL_SIGNATURE | KEY_ENCIPHERMENT, purposes=[CLIENT_AUTH])
    assert reply.status == scep.SUCCESS
    [certificate, *_] = sender.certificates(reply, tmp_path)
    request = x509.load_der_x509_csr(wish.request(sender.key))
    assert certificate.public_key().public_numbers() == request.public_key().public_numbers()
    assert "1.2.840.113549.1.9.7" not in {one.oid.dotted_string for one in certificate.extensions}
    assert wish.challenge.encode() not in certificate.public_bytes(serialization.Encoding.DER)


def test_serial_numbers_are_long_positive_and_unique(admin, make_wish, authority):
    for _ in range(3):
        make_wish().ask(authority)
    serials = [one["serial"] for one in admin.items("/certificates?limit=1000")]
    assert len(serials) == len(set(serials)) >= 3
    assert all(len(one) == 32 and int(one[0], 16) < 8 for one in serials)


@pytest.mark.proves_partly("4g-7")
def test_a_refusal_has_no_content_for_openssl_either(authority, wish, rogue, tmp_path):
    request = wish.request(rogue.key, subject=[(O, wish.organization), (CN, "somebody")])
    _, body = wish.post(rogue.message(scep.envelope(request, authority.registration)))
    (tmp_path / "reply.der").write_bytes(body)
    shape = run("openssl", "asn1parse", "-inform", "DER", "-in", tmp_path / "reply.der")
    lines = [line.split("prim:" if "prim:" in line else "cons:")[1].strip() for line in shape.splitlines()]
    at = lines.index("OBJECT            :pkcs7-data")
    assert not lines[at + 1].startswith("cont [ 0 ]") or "OCTET STRING" not in lines[at + 2]


# ---- from the link to the device ----

@pytest.mark.proves_partly("4g-7", "4g-8")
def test_the_trace_shows_seven_steps_in_order(house, admin, tmp_path):
    phone = new_phone(house, tmp_path / "phone")
    started = int(time.time())
    phone.enrol(admin.link())
    device = admin.device(phone.udid)
    [certificate] = admin.items(f"/certificates?device={device['id']}")
    steps = admin.items(f"/certificates/{certificate['id']}/trace")
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    assert {step["outcome"] for step in steps} == {"ok"} and all(step["title"] for step in steps)
    times = [step["at"] for step in steps]
    assert times == sorted(times)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(started - 5))
    assert times[0] > stamp
    rows = {row["name"]: row for row in steps[3]["detail"]["attributes"]}
    assert all(row["agrees"] for row in rows.values())
    assert rows["subject.CN"]["asked"] == rows["subject.CN"]["expected"] == certificate["enrolment_id"]
    [request] = admin.items(f"/certificate-requests?device={device['id']}")
    assert (request["state"], request["certificate_id"]) == ("used", certificate["id"])
    assert not admin.items(f"/certificate-requests?device={device['id']}&refused=true")


@pytest.mark.proves_partly("4g-12")
@pytest.mark.parametrize("departure", ["retire", "wipe"])
def test_a_device_that_has_to_leave_is_revoked_before_it_called_again(house, admin, authority, tmp_path, departure):
    phone = new_phone(house, tmp_path / "phone")
    phone.enrol(admin.link())
    pem = phone.directory / "identity.pem"
    assert ": good" in ocsp(house, authority, pem)
    admin.command(phone.udid, departure, reason="left")
    assert ": revoked" in ocsp(house, authority, pem)
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    wait_until(lambda: is_listed(house, tmp_path, certificate), 15, "the serial number in the CRL")


# ---- OCSP ----

@pytest.mark.proves_partly("4g-12", "4g-14")
@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_ocsp_takes_both_digests_and_gives_the_nonce_back(house, authority, issued, digest):
    heard = ocsp(house, authority, issued.pem, digest, "-text")
    assert ": good" in heard and "Response verify OK" in heard
    assert "WARNING: no nonce" not in heard and heard.count("OCSP Nonce") == 2


def test_ocsp_is_answered_without_a_nonce_and_by_get(house, authority, issued, tmp_path):
    assert ": good" in ocsp(house, authority, issued.pem, "-no_nonce")
    text = ""
    while "/" not in text:  # a nonce for variety: the slash is what is hard to bring into a path
        run("openssl", "ocsp", "-issuer", authority.folder / "issuing.pem", "-cert", issued.pem,
            "-reqout", tmp_path / "request")
        text = base64.b64encode((tmp_path / "request").read_bytes()).decode()
    for path in (urllib.parse.quote(text, safe=""), urllib.parse.quote(text, safe="+="), text):
        status, headers, body = house.get(f"/ocsp/{path}", door="plain")
        assert (status, headers["Content-Type"]) == (200, "application/ocsp-response")
        (tmp_path / "response").write_bytes(body)
        assert ": good" in run("openssl", "ocsp", "-issuer", authority.folder / "issuing.pem", "-cert",
                               issued.pem, "-no_nonce", "-respin", tmp_path / "response", "-CAfile",
                               authority.folder / "root.pem")


def test_ocsp_does_not_know_what_was_never_issued(house, authority):
    heard = run("openssl", "ocsp", "-issuer", authority.folder / "issuing.pem", "-serial", "0x1234567890",
                "-url", f"http://127.0.0.1:{house.ports['plain']}/ocsp", "-CAfile", authority.folder / "root.pem")
    assert ": unknown" in heard


def test_ocsp_says_nothing_about_the_certificates_of_others(house, tmp_path):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k", "-out",
        tmp_path / "other.pem", "-days", "2", "-subj", "/CN=Other CA")
    heard = run("openssl", "ocsp", "-issuer", tmp_path / "other.pem", "-serial", "1", "-url",
                f"http://127.0.0.1:{house.ports['plain']}/ocsp", fails=True)
    assert "unauthorized" in heard


@pytest.mark.parametrize("body", [b"", b"garbage", b"\x30\x80" * 1000, b"\x30\x03\x02\x01"])
def test_ocsp_calls_garbage_malformed(house, tmp_path, body):
    status, _, answer = house.get("/ocsp", door="plain", method="POST", body=body,
                                  headers={"Content-Type": "application/ocsp-request"})
    (tmp_path / "response").write_bytes(answer)
    assert status == 200
    assert "malformedrequest" in run("openssl", "ocsp", "-respin", tmp_path / "response", "-resp_text",
                                     "-noverify", fails=True)


# ---- a challenge ----

@pytest.mark.proves_partly("4g-7")
def test_a_challenge_is_good_for_one_certificate(make_wish, authority, rogue, calm):
    wish, sender = make_wish(), Sender()
    assert wish.ask(authority, sender).status == scep.SUCCESS
    assert is_refused(wish.ask(authority, rogue))  # another key
    other = Sender(sender.key)
    other.transaction = "another transaction"
    assert is_refused(wish.ask(authority, other))  # the same key, another transaction
    record = wish.record()
    assert (record["state"], record["refusal"]["reason"]) == ("used", "the challenge is used")


def test_a_lost_answer_can_be_asked_for_again(make_wish, authority, tmp_path):
    wish, sender = make_wish(), Sender()
    first, second = (sender.certificates(wish.ask(authority, sender), tmp_path) for _ in range(2))
    assert first == second


def test_a_challenge_that_nobody_minted_is_refused(wish, authority, rogue, calm):
    for challenges in (["A2222222222222222222222222222222"], [], [""], ["x" * 300]):
        assert is_refused(wish.ask(authority, rogue, challenges=challenges))
    unknown = [one for one in wish.admin.items("/refusals")
               if one["kind"] == "certificate.refused" and one["detail"]["reason"] == "the challenge is unknown"]
    assert unknown[0]["peer"] == "127.0.0.1" and sum(one["count"] for one in unknown) >= 3
    assert wish.ask(authority).status == scep.SUCCESS


@pytest.mark.proves_partly("4g-7")
def test_three_differing_requests_burn_a_challenge(make_wish, authority, rogue, calm):
    lenient, strict = make_wish(), make_wish()
    wrong = {"names": [scep.uri("urn:uuid:00000000-0000-4000-8000-000000000000")]}
    sender = Sender()
    for _ in range(2):
        assert is_refused(lenient.ask(authority, sender, **wrong))
    assert lenient.ask(authority, sender).status == scep.SUCCESS
    for _ in range(3):
        assert is_refused(strict.ask(authority, rogue, **wrong))
    assert is_refused(strict.ask(authority, rogue))
    record = strict.record()
    assert (record["state"], record["tries"]) == ("burnt", 3)
    assert record["refusal"]["reason"] == "the challenge is burnt"


def test_a_key_is_certified_for_one_device(make_wish, authority, calm):
    first, second, sender = make_wish(), make_wish(), Sender()
    assert first.ask(authority, sender).status == scep.SUCCESS
    assert is_refused(second.ask(authority, sender))
    assert second.record()["refusal"]["reason"] == "the key is certified for another device"


@pytest.mark.proves_partly("4g-7", "4g-12")
def test_a_retired_device_gets_no_certificate_again(house, admin, issued, authority, tmp_path, calm):
    """Its challenge was used for this key and transaction: before it left, the answer was repeated."""
    wish, sender = issued.wish, issued.sender
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    key.write_bytes(sender.key_pem())
    chain.write_bytes(issued.pem.read_bytes() + (authority.folder / "issuing.pem").read_bytes())
    udid = "00008110-" + os.urandom(8).hex().upper()
    device = {"UDID": udid, "Topic": wish.management["Topic"]}
    for message in ({"MessageType": "Authenticate", "OSVersion": "17.5.1", "ProductName": "iPhone15,2"},
                    {"MessageType": "TokenUpdate", "Token": os.urandom(32), "PushMagic": "magic"}):
        url = urllib.parse.urlsplit(wish.management["CheckInURL"])
        (tmp_path / "message").write_bytes(plistlib.dumps({**device, **message}))
        run("curl", "-sSf", "--resolve", f"{url.hostname}:{url.port}:127.0.0.1", "--cacert", tmp_path / "root.pem",
            "--cert", chain, "--key", key, "-X", "PUT", "--data-binary", f"@{tmp_path / 'message'}", url.geturl())
    assert wish.ask(authority, sender).status == scep.SUCCESS
    admin.command(udid, "retire", reason="lost")
    assert is_refused(wish.ask(authority, sender))
    assert wish.record()["refusal"]["reason"] == "the certificate is revoked"


# ---- secrets ----

def stored(house):
    """All that the database and the log hold, as bytes."""
    log = house.log.read_bytes()
    url = next(one for one in house.options if one.startswith("server.database="))
    if "postgres:" in url:
        place = dict(pair.split("=", 1) for pair in url.split("postgres:")[1].split())
        dump = run(postgres_module().BIN / "pg_dump", "-h", place["host"], "-U", place["user"], place["dbname"])
        return log, dump.encode()
    files = [path for path in house.data.rglob("*") if path.is_file() and "keys" not in path.parts]
    assert any(path.read_bytes().startswith(b"SQLite format 3") for path in files)
    return log, b"".join(path.read_bytes() for path in files)


@pytest.mark.proves("4g-3")
def test_no_private_key_is_in_the_database_or_the_log(house, admin, issued, make_wish, tmp_path):
    phone = new_phone(house, tmp_path / "phone")
    phone.enrol(admin.link())
    own = serialization.load_pem_private_key((phone.directory / "identity.key").read_bytes(), None)
    waiting = make_wish()
    log, database = stored(house)
    public = scep.spki(issued.sender.key)
    assert public in database or public.hex().encode() in database  # the search finds what is there
    for key in (issued.sender.key, own):
        numbers = key.private_numbers()
        secrets = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.p, numbers.q, numbers.d)]
        for place in (log, database):
            for secret in secrets:
                assert secret not in place and secret.hex().encode() not in place.lower()
                assert base64.b64encode(secret)[4:-4] not in place
    for place in (log, database):
        assert b"PRIVATE KEY" not in place and b"PRIVATE KEY".hex().encode() not in place.lower()
        for wish in (waiting, issued.wish):  # nor any other secret, used or not: not even in a request
            assert wish.challenge.encode() not in place and wish.challenge.encode().hex().encode() not in place
    for path in (house.data / "keys").rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes()


def test_a_scep_address_has_a_name_that_is_known(house):
    for path, status in (("apple", 200), ("apple/pkiclient.exe", 200), ("anything", 404), ("Apple", 404)):
        assert house.get(f"/scep/{path}?operation=GetCACaps", door="plain")[0] == status, path


@pytest.mark.parametrize("end", ["", "/pkiclient.exe"])
def test_gear_finds_the_address_that_it_has_built_in(house, authority, tmp_path, end):
    path = f"/certsrv/mscep/mscep.dll{end}"
    shown = house.get(f"{path}?operation=GetCACert&message=any", door="plain")
    assert shown[0] == 200 and shown[2] == house.get("/scep/network?operation=GetCACert", door="plain")[2]
    stranger = scep.Sender()
    asked = scep.request(stranger.key, subject=[(CN, "stranger")], challenges=["wrong"])
    message = stranger.message(scep.envelope(asked, authority.registration), "19")
    status, _, body = house.get(f"{path}?operation=PKIOperation", door="plain", method="POST", body=message)
    assert status == 200 and scep.Reply(body, authority.registration).status == scep.FAILURE
    assert house.get("/certsrv/mscep/other.dll?operation=GetCACaps", door="plain")[0] == 404


def test_the_plain_door_leads_people_to_the_front(house):
    for method in ("GET", "HEAD"):
        status, headers, body = house.get("/", door="plain", method=method)
        assert status == 302 and body == b""
        assert headers["Location"] == f"https://localhost:{house.ports['front']}/"
    assert house.get("/", door="plain", method="POST", body=b"x")[0] in (404, 405)
    assert house.get("/api/v1/status", door="plain")[0] == 404
