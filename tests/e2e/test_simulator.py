# SPDX-License-Identifier: Apache-2.0
"""The simulator against a small server of its own: a strict device must refuse what a real one refuses."""
import json
import plistlib
import subprocess

import pytest

import fake_server
import sim

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return sim.make_keys(tmp_path_factory.mktemp("keys"), 4)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return fake_server.make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority):
    server = fake_server.Server(authority)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def phone(tmp_path, server, keys):
    return sim.Phone(tmp_path / "phone", ca=server.ca, keys=keys)


@pytest.fixture
def enrolled(phone, server):
    phone.enrol(server.url + "/enrol/1", name="Ada's phone", os="17.5.1", build="21F90", passcode="6")
    return phone


def passcode(**keys):
    return fake_server.payload("com.apple.mobiledevice.passwordpolicy", **keys)


def test_a_phone_enrols_with_authenticate_and_token_update(phone, server):
    result = phone.enrol(server.url + "/enrol/1", name="Ada's phone", serial="C39XYZ")
    assert [one["MessageType"] for one in server.check_ins] == ["Authenticate", "TokenUpdate"]
    authenticate, update = server.check_ins
    assert authenticate["SerialNumber"] == "C39XYZ" and authenticate["DeviceName"] == "Ada's phone"
    assert len(update["Token"]) == 32 and update["PushMagic"] and update["UnlockToken"]
    assert result["scep"]["pki_status"] == "SUCCESS"
    assert phone.show()["enrolment"]["status"] == "enrolled"


@pytest.mark.parametrize("change, word", [
    ({"Topic": "com.example.other"}, "Topic"),
    ({"ServerURL": "http://localhost/mdm"}, "https"),
    ({"Novelty": True}, "unknown"),
    ({"AccessRights": 2}, "AccessRights"),
    ({"IdentityCertificateUUID": "00000000-0000-4000-8000-00000000ABCD"}, "IdentityCertificateUUID"),
])
def test_a_wrong_management_payload_is_refused(phone, server, change, word):
    original = server.enrolment_profile

    def changed():
        content = original()
        content["PayloadContent"][2].update(change)
        return content
    server.enrolment_profile = changed
    with pytest.raises(sim.Failed, match=word):
        phone.enrol(server.url + "/enrol/1")
    assert not server.check_ins


@pytest.mark.parametrize("change", [{"Keysize": 1024}, {"Novelty": 1}, {"Key Type": "EC"}, {"CAFingerprint": b"0" * 32}])
def test_a_wrong_scep_payload_is_refused(phone, server, change):
    server.change_scep = change
    with pytest.raises(sim.Failed):
        phone.enrol(server.url + "/enrol/1")


def test_a_profile_signed_by_nobody_we_trust_is_refused(phone, server, tmp_path):
    (tmp_path / "other").mkdir()
    server.signers = fake_server.make_authority(tmp_path / "other")
    with pytest.raises(sim.Failed, match="signer"):
        phone.enrol(server.url + "/enrol/1")


def test_a_refused_authenticate_leaves_nothing(phone, server):
    server.check_in_status = 500
    with pytest.raises(sim.Failed, match="Authenticate with 500"):
        phone.enrol(server.url + "/enrol/1")
    assert phone.show()["enrolment"]["status"] == "unenrolled"
    assert not (phone.directory / "identity.key").exists()


@pytest.mark.parametrize("script", ["wrong-challenge", "two-challenges"])
def test_a_bad_request_is_refused_and_told(phone, server, script):
    with pytest.raises(sim.Failed) as failed:
        phone.enrol(server.url + "/enrol/1", scep_misbehave=script)
    assert failed.value.result["scep"]["pki_status"] == "FAILURE"
    assert failed.value.result["scep"]["fail_info"] == "badRequest"


@pytest.mark.parametrize("script", ["other-subject", "other-san", "weak-key", "type-18", "des"])
def test_other_misbehaviour_reaches_the_server(phone, server, script):
    try:
        result = phone.enrol(server.url + "/enrol/1", scep_misbehave=script)
    except sim.Failed as failed:
        result = failed.result
    assert result["scep"]["http_status"] in (200, 400)


def test_questions_are_answered_from_the_model(enrolled, server):
    information = server.command("DeviceInformation", Queries=["OSVersion", "SerialNumber", "BatteryLevel", "Nonsense"])
    security = server.command("SecurityInfo")
    session = enrolled.check_in()
    assert [one["status"] for one in session["commands"]] == ["Acknowledged", "Acknowledged"]
    answers = server.result(information)["QueryResponses"]
    assert answers["OSVersion"] == "17.5.1" and "Nonsense" not in answers
    assert answers["BatteryLevel"] == pytest.approx(0.8)
    info = server.result(security)["SecurityInfo"]
    assert info["PasscodePresent"] and info["PasscodeCompliant"] and info["HardwareEncryptionCaps"] == 3


def test_a_passcode_profile_decides_about_compliance(enrolled, server):
    server.install(fake_server.profile("org.example.passcode", passcode(forcePIN=True, minLength=8)))
    first = server.command("SecurityInfo")
    enrolled.check_in()
    enrolled.set({"passcode.length": 9})
    second = server.command("SecurityInfo")
    enrolled.check_in()
    assert server.result(first)["SecurityInfo"]["PasscodeCompliant"] is False
    assert server.result(second)["SecurityInfo"]["PasscodeCompliant"] is True
    listed = server.command("ProfileList")
    enrolled.check_in()
    assert {one["PayloadIdentifier"] for one in server.result(listed)["ProfileList"]} == \
        {"org.example.mdm", "org.example.passcode"}


def test_a_replaced_profile_is_there_once_and_a_removed_one_not_at_all(enrolled, server):
    for length in (6, 7):
        server.install(fake_server.profile("org.example.passcode", passcode(minLength=length)))
    enrolled.check_in()
    assert len(enrolled.show()["profiles"]) == 2
    gone = server.command("RemoveProfile", Identifier="org.example.passcode")
    again = server.command("RemoveProfile", Identifier="org.example.passcode")
    enrolled.check_in()
    assert server.result(gone)["Status"] == "Acknowledged"
    assert server.result(again)["ErrorChain"][0]["ErrorCode"] == 12075


@pytest.mark.parametrize("content, signer", [
    (fake_server.profile("org.example.a", passcode(minLength=17)), "signer"),
    (fake_server.profile("org.example.a", passcode(minimumLength=8)), "signer"),
    (fake_server.profile("org.example.a", passcode(minLength="8")), "signer"),
    (fake_server.profile("org.example.a", fake_server.payload("com.example.unknown")), "signer"),
    (fake_server.profile("org.example.a", passcode(minLength=8)), "stranger"),
])
def test_a_bad_profile_is_an_error_with_its_chain(enrolled, server, content, signer):
    name = server.install(content, signer)
    enrolled.check_in()
    chain = server.result(name)["ErrorChain"]
    assert (chain[0]["ErrorDomain"], chain[0]["ErrorCode"]) == ("MCInstallationErrorDomain", 4001)
    assert len(enrolled.show()["profiles"]) == 1


def test_an_unknown_command_is_an_error(enrolled, server):
    name = server.command("FlyToTheMoon")
    enrolled.check_in()
    assert server.result(name)["ErrorChain"][0]["ErrorCode"] == 12021


def test_a_locked_phone_says_not_now_where_apple_lets_it(enrolled, server):
    enrolled.set(locked=True)
    name = server.install(fake_server.profile("org.example.a", passcode(minLength=8)))
    assert enrolled.check_in()["commands"][0]["status"] == "NotNow"
    enrolled.set(locked=False)
    enrolled.check_in()
    assert server.result(name)["Status"] == "Acknowledged"
    assert len(enrolled.executed()) == 1


def test_a_result_that_was_not_taken_is_sent_again_before_anything_else(enrolled, server):
    name = server.command("SecurityInfo")
    server.statuses = []
    session = enrolled.check_in
    original = fake_server.Handler.managed

    def refuse_results(handler, message):
        if "CommandUUID" in message:
            return handler.answer(500)
        return original(handler, message)
    fake_server.Handler.managed = refuse_results
    try:
        with pytest.raises(sim.Failed):
            session()
    finally:
        fake_server.Handler.managed = original
    assert enrolled.show()["pending"]["uuid"] == name
    messages = [one["message"] for one in session()["messages"]]
    assert messages == ["Acknowledged"]
    assert enrolled.executed() == [(name, "SecurityInfo")]


def test_removing_the_management_profile_checks_out_and_forgets(enrolled, server):
    server.command("RemoveProfile", Identifier="org.example.mdm")
    assert enrolled.check_in()["enrolled"] is False
    assert server.check_ins[-1]["MessageType"] == "CheckOut"
    assert enrolled.show()["profiles"] == []


def test_an_erased_phone_answers_once_and_is_as_new(enrolled, server):
    name = server.command("EraseDevice")
    assert enrolled.check_in()["enrolled"] is False
    assert server.result(name)["Status"] == "Acknowledged"
    assert enrolled.show()["enrolment"]["status"] == "erased"
    with pytest.raises(sim.Failed, match="not enrolled"):
        enrolled.check_in()


def test_a_phone_enrols_again_as_the_same_device(enrolled, server):
    server.install(fake_server.profile("org.example.passcode", passcode(minLength=7)))
    enrolled.check_in()
    enrolled.enrol(server.url + "/enrol/2")
    assert [one["MessageType"] for one in server.check_ins] == ["Authenticate", "TokenUpdate"] * 2
    assert server.check_ins[0]["UDID"] == server.check_ins[2]["UDID"]
    assert [one["identifier"] for one in enrolled.show()["profiles"]] == ["org.example.mdm"]


@pytest.mark.parametrize("version, status, body, stays", [
    ("17.5.1", 403, {"code": "com.apple.unrecognized.device"}, False),
    ("16.7", 403, {"code": "com.apple.unrecognized.device"}, True),
    ("17.5.1", 403, {"code": "other"}, True),
    ("16.7", 401, {}, False),
    ("17.5.1", 500, {}, True),
])
def test_only_apples_farewells_unenrol(enrolled, server, version, status, body, stays):
    enrolled.set({"os.version": version})
    server.statuses, server.refusal = [status], json.dumps(body).encode()
    try:
        enrolled.check_in()
    except sim.Failed:
        pass
    assert (enrolled.show()["enrolment"]["status"] == "enrolled") is stays


def test_a_renewal_brings_a_new_identity_for_the_same_phone(enrolled, server):
    before = (enrolled.directory / "identity.pem").read_text()
    name = server.install(server.enrolment_profile())
    enrolled.check_in()
    assert server.result(name)["Status"] == "Acknowledged"
    assert [one["MessageType"] for one in server.check_ins] == ["Authenticate", "TokenUpdate"] * 2
    assert server.check_ins[0]["UDID"] == server.check_ins[2]["UDID"]
    assert (enrolled.directory / "identity.pem").read_text() != before
    assert enrolled.check_in()["ok"]


def test_a_failed_renewal_leaves_the_old_identity(enrolled, server):
    before = (enrolled.directory / "identity.pem").read_text()
    server.check_in_status = 500
    name = server.install(server.enrolment_profile())
    enrolled.check_in()
    assert server.result(name)["Status"] == "Error"
    assert (enrolled.directory / "identity.pem").read_text() == before


def test_misbehaviour_says_what_the_server_answered(enrolled, server):
    scripts = ["unknown-uuid-result", "wrong-udid=00008120-0000000000000001", "entity-bomb", "nested-arrays",
               "bad-plist", "binary-plist", "oversized-token", "replay-tokenupdate", "no-certificate",
               "drop-before-reading-answer", "slow-sender=2"]
    server.command("SecurityInfo")
    answers = enrolled.misbehave("result-twice", *scripts)
    found = {}
    for one in answers:
        found.setdefault(one["script"], []).append(one["status"])
    assert set(found) == {script.split("=")[0] for script in scripts} | {"result-twice"}
    assert found["binary-plist"] == [200] and found["no-certificate"] == [403]
    assert found["bad-plist"][0] == 400 and found["slow-sender"] == [0]
    assert found["result-twice"] == [200, 200, 200]


def test_load_counts_and_keeps_a_ledger(server, keys, tmp_path):
    links = tmp_path / "links"
    links.write_text("".join(f"{server.url}/enrol/{i}\n" for i in range(4)))
    result = sim.run("apple", "load", "--link-file", links, "--devices", 4, "--connections", 2, "--seconds", 3,
                     "--ca", server.ca, "--keys", keys, "--ledger", tmp_path / "ledger")
    assert result["enrolled"] == 4 and result["statuses"]["200"] == result["requests"]
    assert result["latency_ms"]["Idle"]["median"] > 0
    lines = [json.loads(line) for line in (tmp_path / "ledger").read_text().splitlines()]
    assert len([line for line in lines if line.get("message") == "TokenUpdate"]) == 4


def test_connections_are_held(enrolled):
    with sim.Program("apple", "hold", "--state", enrolled.directory, "--connections", 5, "--seconds", 30) as held:
        assert held.line() == {"holding": 5}


# ---- the simulated APNs ----

@pytest.fixture(scope="module")
def push_authority(tmp_path_factory):
    directory = tmp_path_factory.mktemp("apns")
    sim.run("apns", "authority", "--dir", directory)
    return directory


@pytest.fixture
def apns(push_authority):
    with sim.Apns(push_authority) as apns:
        yield apns


@pytest.fixture
def push(apns, tmp_path):
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ours", "-keyout",
                    tmp_path / "push.key", "-out", tmp_path / "push.csr"], check=True, capture_output=True)
    apns.sign(tmp_path / "push.csr", fake_server.TOPIC, tmp_path / "push.pem")

    def send(token, body='{"mdm":"magic"}', *headers, topic=fake_server.TOPIC, kind="mdm"):
        words = ["curl", "-s", "--http2", "--cacert", apns.ca, "--cert", tmp_path / "push.pem", "--key",
                 tmp_path / "push.key", "-d", body, "-H", f"apns-topic: {topic}", "-H", f"apns-push-type: {kind}",
                 "-w", "\n%{http_code}", f"{apns.url}/3/device/{token}"]
        for header in headers:
            words += ["-H", header]
        text = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True).stdout
        body, status = text.rsplit("\n", 1)
        return int(status), json.loads(body) if body else None
    return send


TOKEN = "ab" * 32


def test_a_good_push_is_taken_and_recorded(apns, push):
    assert push(TOKEN, '{"mdm":"magic"}', "apns-priority: 10", "apns-expiration: 0") == (200, None)
    [record] = apns.pushes()
    assert record["token"] == TOKEN and record["topic"] == fake_server.TOPIC and record["status"] == 200


@pytest.mark.parametrize("token, body, change, reason", [
    ("abcd", '{"mdm":"m"}', {}, "BadDeviceToken"),
    (TOKEN, '{"mdm":"m"}', {"topic": "com.apple.mgmt.other"}, "TopicDisallowed"),
    (TOKEN, '{"mdm":"m"}', {"kind": "alert"}, "InvalidPushType"),
    (TOKEN, '{"mdm":"m","aps":{}}', {}, "BadPayload"),
])
def test_a_bad_push_gets_apples_reason(push, token, body, change, reason):
    assert push(token, body, **change) == (400, {"reason": reason})


def test_scripted_answers_come_in_turn(apns, push):
    apns.answer(410, "Unregistered", token=TOKEN, timestamp=1700000000000)
    apns.answer(429, "TooManyRequests")
    assert push(TOKEN) == (410, {"reason": "Unregistered", "timestamp": 1700000000000})
    assert push(TOKEN) == (429, {"reason": "TooManyRequests"})
    assert push(TOKEN) == (200, None)


def test_a_push_wakes_a_phone_that_is_on(server, keys, tmp_path, apns, push):
    phone = sim.Phone(tmp_path / "phone", ca=server.ca, keys=keys, push_host=apns.control_url)
    token = phone.enrol(server.url + "/enrol/1")["token"]
    with sim.Program("apple", "serve", "--state", phone.directory, "--apns", apns.control_url,
                     "--interval", 3600) as serving:
        assert serving.line()["why"] == "time"
        name = server.command("SecurityInfo")
        assert push(token)[0] == 200
        woken = serving.line()
        assert woken["why"] == "push" and woken["commands"][0]["uuid"] == name
        serving.stop()


def test_goaway_ends_connections_gracefully(apns, push):
    assert push(TOKEN)[0] == 200
    apns.goaway()
    assert push(TOKEN)[0] == 200


def test_the_phones_messages_are_read_by_a_foreign_parser(enrolled, server):
    """plistlib read all that arrived; what it writes back is the same."""
    name = server.command("InstalledApplicationList")
    enrolled.check_in()
    result = server.result(name)
    assert plistlib.loads(plistlib.dumps(result)) == result
    assert result["InstalledApplicationList"]
