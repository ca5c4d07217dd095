# SPDX-License-Identifier: Apache-2.0
"""The edge alone: what reaches the inside, and what does not."""
import base64
import http.client
import json
import socket
import ssl
import subprocess
import threading
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization

from edge import DAY, NOW, Authority, Edge
from house import read_all

pytestmark = pytest.mark.e2e

CERTIFICATE = "x-muster-client-cert"
REFUSED = "x-muster-client-refused"


@pytest.fixture(scope="module")
def edge():
    one = Edge()
    try:
        one.start()
        yield one
    finally:
        one.close()


def der_in(value):
    text = urllib.parse.unquote(value)
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def test_the_certificate_of_a_device_reaches_the_inside(edge):
    client = edge.client("phone")
    status, told = edge.seen("device", client)
    assert (status, told["door"]) == (200, "device")
    assert der_in(told["headers"][CERTIFICATE][0]) == client[2].public_bytes(
        serialization.Encoding.DER)
    assert REFUSED not in told["headers"]
    assert told["headers"]["x-muster-peer"] == ["127.0.0.1"]


def test_a_device_without_a_certificate_reaches_the_inside_without_one(edge):
    status, told = edge.seen("device")
    assert status == 200
    assert CERTIFICATE not in told["headers"]


@pytest.mark.parametrize("door", ["front", "device"])
def test_what_a_client_says_about_itself_is_replaced(edge, door):
    client = edge.client("liar") if door == "device" else None
    for spelling in (str, str.upper, str.lower):
        lies = {spelling(name): "lie" for name in (
            "X-Muster-Client-Cert", "X-Muster-Client-Refused", "X-Muster-Peer", "X-Request-Id",
            "Client-Cert", "Client-Cert-Chain")}
        told = edge.seen(door, client, headers=lies)[1]
        assert not any("lie" in values for values in told["headers"].values()), told
        assert len(told["headers"].get(CERTIFICATE, [])) == (1 if client else 0)


def refused_clients(edge):
    stranger = Authority("stranger")
    return {
        "certificate has expired": edge.client("late", start=NOW - 9 * DAY, end=NOW - DAY),
        "certificate is not yet valid": edge.client("early", start=NOW + DAY),
        "unable to get local issuer": edge.client("foreign", Authority("other", stranger)),
        "self": edge.client("self", stranger),
    }


def test_a_certificate_that_does_not_hold_is_named_but_not_shown(edge):
    for reason, client in refused_clients(edge).items():
        status, told = edge.seen("device", client, method="PUT", body=b"x" * 100)
        assert status == 200, reason
        assert told["line"].startswith("PUT / ")
        assert CERTIFICATE not in told["headers"]
        assert told["headers"][REFUSED][0].startswith("FAILED:"), reason
        assert reason in told["headers"][REFUSED][0]
        assert told["body"] == 0


def test_the_front_never_asks_for_a_certificate(edge):
    asked = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.ports['front']}", "-tls1_2"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert "No client certificate CA names sent" in asked.stdout
    told = edge.seen("front", edge.client("eager"))[1]
    assert CERTIFICATE not in told["headers"]


def test_the_device_door_names_both_authorities(edge):
    asked = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.ports['device']}", "-tls1_2"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    names = asked.stdout.split("Acceptable client certificate CA names")[1]
    assert "CN = issuing" in names and "CN = root" in names


def handshake(edge, door, prepare):
    return shake(edge.context(), edge.ports[door], prepare)


def shake(context, port, prepare):
    prepare(context)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            return connection.version(), connection.cipher()[0], connection.selected_alpn_protocol()


def limit_to(version, ciphers="DEFAULT"):
    def prepare(context):
        context.minimum_version = context.maximum_version = version
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return prepare


@pytest.fixture(scope="module")
def permissive(edge):
    """The port of a server with the edge's certificates that takes all that OpenSSL still knows: what a client cannot
    reach here either proves nothing about the edge."""
    files = [edge.files / f"tls-{name}" for name in ("p256", "rsa")]
    words = [word for letter, file in zip(("", "d"), files)
             for word in (f"-{letter}cert", f"{file}.pem", f"-{letter}key", f"{file}.key")]
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", *words, "-cipher", "ALL:@SECLEVEL=0",
                               "-naccept", "1000"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = next(int(line.rpartition(":")[2]) for line in server.stdout if line.startswith("ACCEPT"))
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield port
    finally:
        server.kill()
        server.communicate()


GOOD = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}


def suites():
    """All of before TLS 1.3 that can be spoken with our certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0")
    return [one["name"] for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"]


def is_refused(context, port, prepare):
    try:
        shake(context, port, prepare)
    except (ssl.SSLError, ConnectionError):
        return True
    return False


@pytest.mark.parametrize("door", ["front", "device"])
def test_only_new_protocols_and_good_ciphers(edge, permissive, door):
    """O30"""
    assert handshake(edge, door, limit_to(ssl.TLSVersion.TLSv1_3))[0] == "TLSv1.3"
    version, cipher, _ = handshake(edge, door, limit_to(ssl.TLSVersion.TLSv1_2))
    assert version == "TLSv1.2" and cipher.startswith("ECDHE-ECDSA") and "GCM" in cipher
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert shake(edge.context(), permissive, limit_to(old, "ALL"))[0] in ("TLSv1", "TLSv1.1")
        assert is_refused(edge.context(), edge.ports[door], limit_to(old, "ALL"))
    spoken = {name for name in suites()
              if not is_refused(edge.context(), permissive, limit_to(ssl.TLSVersion.TLSv1_2, name))}
    taken = {name for name in spoken
             if not is_refused(edge.context(), edge.ports[door], limit_to(ssl.TLSVersion.TLSv1_2, name))}
    assert {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256",
            "DHE-RSA-AES128-GCM-SHA256"} <= spoken and len(spoken) >= 25
    assert taken and taken <= GOOD


@pytest.mark.parametrize("door", ["front", "device"])
def test_the_old_protocol_binds_its_secret_to_the_handshake(edge, door):
    """RFC 7627"""
    asked = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{edge.ports[door]}", "-tls1_2"],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert "Extended master secret: yes" in asked.stdout


def test_old_clients_get_the_rsa_certificate(edge):
    def prepare(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    assert handshake(edge, "front", prepare)[1] == "ECDHE-RSA-AES128-GCM-SHA256"


def test_http_2_is_for_the_front_alone(edge):
    def prepare(context):
        context.set_alpn_protocols(["h2", "http/1.1"])
    assert handshake(edge, "front", prepare)[2] == "h2"
    assert handshake(edge, "device", prepare)[2] == "http/1.1"


@pytest.mark.parametrize("door, resumed", [("front", True), ("device", False)])
def test_sessions_are_resumed_without_tickets_and_never_by_devices(edge, door, resumed):
    context = edge.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = socket.create_connection(("127.0.0.1", edge.ports[door]), timeout=20)
    with context.wrap_socket(first, server_hostname="localhost") as connection:
        session = connection.session
    assert not session.has_ticket
    second = socket.create_connection(("127.0.0.1", edge.ports[door]), timeout=20)
    with context.wrap_socket(second, server_hostname="localhost", session=session) as connection:
        assert connection.session_reused is resumed


def test_a_long_request_line_gets_through(edge):
    path = "/scep?message=" + "x" * 15000
    assert edge.seen("front", path=path)[1]["line"] == f"GET {path} HTTP/1.1"
    status, body = edge.seen("front", path="/" + "x" * 17000)
    assert (status, json.loads(body)["status"]) == (414, 414)


def test_the_path_reaches_the_inside_as_it_was_sent(edge):
    for path in ("/a%20b?c=%2F&d=+", "/a/../b", "//x", "/%41"):
        assert edge.seen("front", path=path)[1]["line"] == f"GET {path} HTTP/1.1"
    for path in ("/../x", "/%2e%2e/x", "/%00", "/%zz"):
        assert edge.seen("front", path=path)[0] == 400


def test_http_1_0_without_a_host_gets_one_inside(edge):
    """Behind the edge all is HTTP/1.1, where a request without Host is refused."""
    with socket.create_connection(("127.0.0.1", edge.ports["plain"]), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        told = json.loads(read_all(connection).partition(b"\r\n\r\n")[2])
    assert told["line"].endswith("HTTP/1.1")
    assert [value for name, value in told["headers"] if name.lower() == "host"] == ["_"]
    told = edge.seen("front", headers={"Host": "mdm.example.org:8443"})[1]
    assert told["headers"]["host"] == ["mdm.example.org:8443"]


def test_bodies_are_limited(edge):
    assert edge.seen("front", method="POST", body=b"x" * 65536)[1]["body"] == 65536
    status, body = edge.seen("front", method="POST", body=b"x" * 65537)
    assert (status, json.loads(body)["status"]) == (413, 413)


def test_a_client_that_asks_first_is_refused_or_told_to_go_on(edge):
    for size, answer in ((10, b"HTTP/1.1 100 "), (1 << 20, b"HTTP/1.1 413 ")):
        with socket.create_connection(("127.0.0.1", edge.ports["plain"]), timeout=20) as connection:
            connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size)
            assert connection.recv(65536).startswith(answer)


def test_a_second_request_cannot_hide_in_the_first(edge):
    smuggled = b"GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for head in (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                 b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                 b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n",
                 b"Content-Length: 4\r\nContent-Length: 0\r\n"):
        with socket.create_connection(("127.0.0.1", edge.ports["plain"]), timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\n" + smuggled)
            answer = read_all(connection)
        assert b"/hidden" not in answer, head


def test_a_trickling_client_holds_no_place_inside(edge):
    """The inside sees a request only when its body is there."""
    with socket.create_connection(("127.0.0.1", edge.ports["plain"]), timeout=30) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        assert b" 200 " not in read_all(connection)  # cut off after client_body_timeout


def test_when_nobody_is_inside_the_edge_says_try_again(edge):
    other = Edge()
    try:
        other.start()
        for server in other.servers:
            server.shutdown()
            server.server_close()
            (other.run / "sockets" / server.door).unlink()
        connection = http.client.HTTPSConnection("127.0.0.1", other.ports["front"], timeout=20,
                                                 context=other.context())
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert json.loads(answer.read())["type"] == "urn:muster:problem:unavailable"
    finally:
        other.servers.clear()
        other.close()


def test_nothing_on_disk_is_served(edge):
    for path in ("/nginx.conf", "/html/index.html", "/index.html", "/.edge/400"):
        status, told = edge.seen("front", path=path)
        assert status == 404 or told["door"] == "front"


def test_nginx_accepts_what_is_printed_for_it(edge):
    text = edge.print_config("nginx")
    assert "ssl_session_tickets off;" in text
    assert str(edge.run) in text


# ---- the other edge ----

@pytest.fixture(scope="module")
def haproxy():
    one = Edge("haproxy")
    try:
        one.start()
        yield one
    finally:
        one.close()


def test_haproxy_passes_the_certificate_as_rfc_9440_says(haproxy):
    client = haproxy.client("phone")
    told = haproxy.seen("device", client, headers={
        "Client-Cert": ":TUlJQg==:", "X-Muster-Client-Cert": "lie", "X-Request-Id": "lie"})[1]
    der = client[2].public_bytes(serialization.Encoding.DER)
    assert told["headers"]["client-cert"] == [f":{base64.b64encode(der).decode()}:"]
    assert told["headers"]["x-muster-peer"] == ["127.0.0.1"]
    assert not any("lie" in values for values in told["headers"].values())
    told = haproxy.seen("front", headers={"Client-Cert": "lie", "X-MUSTER-Client-Cert": "lie"})[1]
    assert not any("lie" in values for values in told["headers"].values())


@pytest.mark.parametrize("kind", ["edge", "haproxy"])
def test_a_signed_message_passes_as_it_is(request, kind):
    """Mdm-Signature covers the bytes of the body: both reach the inside unchanged."""
    signature = base64.b64encode(bytes(range(256)) * 12).decode()
    told = request.getfixturevalue(kind).seen("device", method="PUT", path="/apple/connect?x=%41", body=b"\r\n\x00" * 9,
                                              headers={"Mdm-Signature": signature})[1]
    assert told["headers"]["mdm-signature"] == [signature]
    assert (told["line"], told["body"]) == ("PUT /apple/connect?x=%41 HTTP/1.1", 27)


def test_haproxy_names_but_does_not_show_a_certificate_that_does_not_hold(haproxy):
    for reason, client in refused_clients(haproxy).items():
        status, told = haproxy.seen("device", client)
        assert status == 200, reason
        assert "client-cert" not in told["headers"]
        assert told["headers"][REFUSED][0].startswith("FAILED:"), reason


def test_haproxy_has_nothing_to_complain_about(haproxy):
    log = haproxy.log.read_text()
    assert "WARNING" not in log and "ALERT" not in log


def test_haproxy_limits_bodies(haproxy):
    assert haproxy.seen("front", method="POST", body=b"x" * 60000)[1]["body"] == 60000
    with socket.create_connection(("127.0.0.1", haproxy.ports["plain"]), timeout=20) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")
