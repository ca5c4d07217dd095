# SPDX-License-Identifier: Apache-2.0
"""The limits of the edge, nginx and HAProxy: who goes too far is refused in its own tongue, others are served."""
import contextlib
import http.client
import itertools
import json
import re
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from admin import Admin
from edge import BehindHaproxy, Edge
from house import MUSTERD, free_ports, read_all, wait_until
from phones import Wire, bring_push_certificate, new_phone, push_settings, types

pytestmark = pytest.mark.guards

HOST, OTHER = "127.0.0.1", "127.0.0.2"
CONNECTIONS = {"front": 4, "device": 6, "plain": 5}
SETTINGS = [*(f"limits.{door}_connections={most}" for door, most in CONNECTIONS.items()),
            "limits.authority_rate=2", "limits.authority_burst=6", "limits.session_rate=2", "limits.session_burst=4"]


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def edge(request):
    one = Edge(request.param, SETTINGS)
    try:
        one.start()
        yield one
    finally:
        one.close()


FRESH = itertools.count(3)


@pytest.fixture
def greedy():
    """An address for each test: a limit remembers."""
    return f"127.0.0.{next(FRESH)}"


def connection_from(edge, door, source):
    address = ("127.0.0.1", edge.ports[door])
    if door == "plain":
        return http.client.HTTPConnection(*address, timeout=20, source_address=(source, 0))
    return http.client.HTTPSConnection(*address, timeout=20, source_address=(source, 0), context=edge.context())


def ask(edge, door, path, source, method="GET"):
    """(status, headers, body)"""
    with contextlib.closing(connection_from(edge, door, source)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def assert_refused(door, answer):
    """People get a problem document, devices the status alone; both hear when to come again."""
    status, headers, body = answer
    assert (status, headers["Retry-After"]) == (429, "5")
    if door != "front":
        assert body == b"" and headers["Content-Length"] == "0"
        return
    problem = json.loads(body)
    assert headers["Content-Type"] == "application/problem+json"
    assert (problem["status"], problem["type"]) == (429, "urn:muster:problem:too-many")
    assert problem["detail"] and problem["request_id"] and "$" not in problem["request_id"]


RATES = {"SCEP": ("plain", "/scep/apple?operation=GetCACaps", 6), "OCSP": ("plain", "/ocsp/MEUwQ", 6),
         "EST": ("front", "/.well-known/est/cacerts", 6), "revocation list": ("plain", "/ca/devices.crl", 6),
         "SCEP of old gear": ("plain", "/certsrv/mscep/mscep.dll?operation=GetCACaps", 6),
         "SCEP in another spelling": ("plain", "/%73cep/apple", 6),
         "sign-in": ("front", "/api/v1/sessions", 4),
         "sign-in in another spelling": ("front", "/api/v1/%73essions", 4),
         "sign-in page": ("front", "/enrol", 4), "sign-in by account": ("front", "/apple/account/sign-in", 4)}


@pytest.mark.parametrize("what", RATES)
def test_who_asks_too_often_is_refused_while_others_are_served(edge, greedy, what):
    door, path, burst = RATES[what]
    answers = [ask(edge, door, path, greedy) for _ in range(4 * burst)]
    statuses = [answer[0] for answer in answers]
    assert statuses[:burst] == [200] * burst and set(statuses) == {200, 429}
    assert_refused(door, next(answer for answer in answers if answer[0] == 429))
    assert ask(edge, door, "/elsewhere", greedy)[0] == 200  # what costs little has no rate
    assert ask(edge, door, path, OTHER)[0] == 200
    assert {ask(edge, door, path, HOST)[0] for _ in range(3 * burst)} == {200}
    wait_until(lambda: ask(edge, door, path, greedy)[0] == 200, 10, "served again")


@pytest.mark.parametrize("door", CONNECTIONS)
def test_who_has_too_many_connections_is_refused_while_others_are_served(edge, greedy, door):
    [inside] = [server for server in edge.servers if server.door == door]
    inside.held = 0
    inside.release.clear()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(contextlib.closing(connection_from(edge, door, greedy)))
                for _ in range(CONNECTIONS[door])]
        for connection in held:
            connection.request("GET", "/hold")
        wait_until(lambda: inside.held == len(held), 10, "requests under way")
        assert_refused(door, ask(edge, door, "/", greedy))
        assert ask(edge, door, "/", OTHER)[0] == ask(edge, door, "/", HOST)[0] == 200
        inside.release.set()
        assert {connection.getresponse().status for connection in held} == {200}
    wait_until(lambda: ask(edge, door, "/", greedy)[0] == 200, 10, "served again")


def test_haproxy_resets_whoever_goes_on_connecting(greedy):
    one = Edge("haproxy", SETTINGS)

    def is_reset():
        """One connection more; the silent ones are cut off after a while, so it goes on trying."""
        try:
            kept.enter_context(socket.create_connection(("127.0.0.1", one.ports["plain"]), 20, (greedy, 0)))
            status = ask(one, "plain", "/", greedy)[0]
        except OSError:
            return True
        assert status in (200, 404, 429)
        return False

    try:
        one.start()
        with contextlib.ExitStack() as kept:
            wait_until(is_reset, 60, "a reset")
            assert ask(one, "plain", "/", OTHER)[0] == 200
    finally:
        one.close()


SLOW = {"head": b"PUT / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "body": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
        "chunks": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}


def test_slow_senders_are_cut_off_and_never_reach_the_inside(edge):
    """Head, body and chunked body on every door at once; the handshake too, where there is TLS."""
    started, answers = time.monotonic(), {}

    def wait(what, connection):
        answers[what] = read_all(connection)
        answers[what, "seconds"] = time.monotonic() - started

    with contextlib.ExitStack() as stack:
        threads = []
        for door in CONNECTIONS:
            for what, beginning in {**SLOW, "handshake": b"\x16\x03\x01\x02\x00\x01"}.items():
                if what != "handshake":
                    connection = edge.connect(door)
                elif door != "plain":
                    connection = socket.create_connection(("127.0.0.1", edge.ports[door]), timeout=40)
                else:
                    continue
                stack.enter_context(contextlib.closing(connection)).sendall(beginning)
                threads.append(threading.Thread(target=wait, args=((door, what), connection)))
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert ask(edge, "front", "/", OTHER)[0] == 200
            assert time.monotonic() - started < 30
            time.sleep(0.2)
    for what, answer in answers.items():
        assert answer < 25 if "seconds" in what else b" 200 " not in answer, what


# ---- a whole house behind HAProxy ----

@pytest.fixture(scope="module")
def behind(apns):
    one = BehindHaproxy(settings=[*push_settings(apns), "limits.session_rate=1", "limits.session_burst=5"])
    try:
        one.start()
        yield one
    finally:
        one.close()


def test_a_phone_lives_behind_haproxy(behind, apns, tmp_path):
    """Enrolment by SCEP, the policy and Idle over mutual TLS, and the end."""
    admin = Admin(behind)
    bring_push_certificate(admin, apns, tmp_path)
    admin.policy("Passcodes", {"password.min_length": 6})
    phone, other = (new_phone(behind, tmp_path / name) for name in ("phone", "other"))
    phone.enrol(admin.link(), without_declarations=True)
    other.enrol(admin.link())
    assert "InstallProfile" in types(phone.check_in())
    assert admin.delivered(phone.udid)["passcode"]["state"] == "verified"
    wire = Wire(behind, phone)
    status, body, headers = wire.connect("Idle")
    assert (status, body, headers["Content-Length"]) == (200, b"", "0")
    wire.udid = other.udid
    assert wire.connect("Idle")[0] == 403  # the certificate is the one that counts
    assert behind.get("/apple/connect", door="device", method="PUT", body=b"x")[0] == 400
    admin.command(phone.udid, "retire", reason="left")
    phone.check_in()
    assert admin.device(phone.udid)["enrolment_state"] == "retired"
    assert other.check_in()["commands"] is not None


def test_guessing_passwords_behind_haproxy_is_slowed_down(behind, greedy):
    def guess(source):
        with contextlib.closing(connection_from(behind, "front", source)) as connection:
            connection.request("POST", "/api/v1/sessions", json.dumps({"name": "admin", "password": "guess"}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    answers = [guess(greedy) for _ in range(20)]
    assert answers[0][0] == 401
    assert_refused("front", next(answer for answer in answers if answer[0] == 429))
    assert guess(OTHER)[0] == 401


# ---- who counts as one ----

NETWORKS = {
    "192.0.2.7": "192.0.2.7", "127.0.0.1": "", "::1": "", "::ffff:127.0.0.1": "",
    "::ffff:192.0.2.7": "::ffff:192.0.2.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2:", "2001:db8:1:2::9": "2001:db8:1:2:",
    "2001:db8:1:2:0:9::": "2001:db8:1:2:", "2001:db8::9": "2001:db8::", "2001:db8:1::1:0:0:9": "2001:db8:1::",
}


def test_whoever_has_an_ipv6_network_is_one(tmp_path):
    """nginx itself reads the table, with an argument in place of the peer's address."""
    text = subprocess.run([MUSTERD, "edge-config", "nginx", "--set", f"server.run_dir={tmp_path}"],
                          capture_output=True, text=True, check=True).stdout
    table = re.search(r"map \$remote_addr \$muster_peer \{.*?\n    \}", text, re.S)[0]
    [port] = free_ports(1)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; events {{}}\nhttp {{ access_log off;\n"
        f"    client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f;\n"
        f"    uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        + table.replace("$remote_addr", "$arg_peer")
        + f'\n    server {{ listen 127.0.0.1:{port}; return 200 "$muster_peer"; }}\n}}\n')
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", "stderr"])

    def network(peer):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/?peer={peer}", timeout=20) as answer:
            return answer.read().decode()

    def is_up():
        with contextlib.suppress(OSError):
            network("::1")
            return True
        return False

    try:
        wait_until(is_up, 20, "nginx")
        assert {peer: network(peer) for peer in NETWORKS} == NETWORKS
    finally:
        process.terminate()
        process.wait(20)
