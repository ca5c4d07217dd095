# SPDX-License-Identifier: Apache-2.0
"""What is hostile is refused with flat memory, while another phone is served: on both databases."""
import contextlib
import errno
import os
import socket
import ssl
import threading
import time

import pytest

from house import read_all
from phones import Wire, admin, house, new_phone

pytestmark = pytest.mark.guards

ROUNDS = 4  # after the first, which fills caches
WINDOWS = 4
FLAT = 6 << 20  # bytes; a round may keep none of its 20 MB
LARGE = 20 << 20
NESTED = 100_000
PLIST = b'<?xml version="1.0"?>\n%s<plist version="1.0">%s</plist>'
ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10))
BOMB = PLIST % (b'<!DOCTYPE plist [<!ENTITY e0 "muster">%s]>' % ENTITIES, b"<dict><key>UDID</key><string>&e9;</string></dict>")
QUADRATIC = PLIST % (b'<!DOCTYPE plist [<!ENTITY e "%s">]>' % (b"x" * 20000), b"<string>%s</string>" % (b"&e;" * 10000))
EXTERNAL = PLIST % (b'<!DOCTYPE plist [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b"<string>&e;</string>")
PARAMETER = PLIST % (b'<!DOCTYPE plist [<!ENTITY %% p SYSTEM "file:///etc/passwd"> %%p;]>', b"<dict/>")
ARRAYS = PLIST % (b"", b"<array>" * NESTED + b"</array>" * NESTED)


class Other:
    """A phone that calls on all the while, not so often that its own calls show in the memory; each is answered, and soon."""

    def __init__(self, wire):
        self.wire, self.done, self.answers, self.slowest = wire, threading.Event(), [], 0
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.done.is_set():
            started = time.monotonic()
            try:
                self.answers.append(self.wire.connect("Idle")[0])
            except OSError as problem:
                self.answers.append(repr(problem))
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.done.wait(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@pytest.fixture(scope="module")
def wires(shared_house, shared_admin, tmp_path_factory):
    """(of the hostile phone, of another)"""
    made = []
    for name in ("hostile", "other"):
        phone = new_phone(shared_house, tmp_path_factory.mktemp("phones") / name)
        phone.enrol(shared_admin.link(), name=name)
        phone.check_in()
        made.append(Wire(shared_house, phone))
    return made


def suffer(house, wires, attack, rounds=ROUNDS):
    """The statuses that the attack heard; memory is flat, the other phone was served, nobody died."""
    before, heard = house.pids(), set()
    with Other(wires[1]) as other:
        heard |= attack()
        for _ in range(WINDOWS):  # what is used for the first time stays; what leaks grows each time
            memory = house.memory()
            for _ in range(rounds):
                heard |= attack()
            grown = house.memory() - memory
            if grown < FLAT:
                break
    assert grown < FLAT, f"{grown >> 10} kB more"
    assert set(other.answers) == {200} and other.slowest < 10, other.answers
    assert {house.pid_of("server"), house.pid_of("keyd")} <= before
    return heard


def secure(house, wire):
    """A raw connection with the certificate of the phone."""
    context = house.context()
    context.load_cert_chain(wire.chain, wire.key)
    return context.wrap_socket(house.connect_plainly("device"), server_hostname="localhost")


PLISTS = {"an entity bomb": BOMB, "a quadratic entity bomb": QUADRATIC, "an external entity": EXTERNAL,
          "a parameter entity": PARAMETER,
          "100,000 nested arrays": ARRAYS, "1,000 nested arrays": PLIST % (b"", b"<array>" * 1000 + b"</array>" * 1000)}


@pytest.mark.parametrize("path", ["/apple/connect", "/apple/checkin"])
@pytest.mark.parametrize("what", PLISTS)
def test_a_hostile_property_list_is_refused(house, wires, what, path):
    body = PLISTS[what]
    expected = {400} if "entity" in what else {413}  # too deep is too large
    assert suffer(house, wires, lambda: {wires[0].send(path, body)[0]}) == expected


@pytest.mark.parametrize("path", ["/apple/connect", "/apple/checkin"])
def test_what_a_property_list_names_is_not_fetched(house, wires, tmp_path, path):
    """X13: nobody connects, and nobody opens the pipe that waits for a reader."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    pipe.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        for target in (f"http://127.0.0.1:{port}/x.dtd", f"file://{pipe}", str(pipe)):
            for form in (b'<!DOCTYPE plist SYSTEM "%s">', b'<!DOCTYPE plist [<!ENTITY e SYSTEM "%s">]>',
                         b'<!DOCTYPE plist [<!ENTITY %% p SYSTEM "%s"> %%p;]>'):
                body = PLIST % (form % target.encode(), b"<string>&e;</string>")
                assert wires[0].send(path, body)[0] == 400, (target, form)
        with pytest.raises(BlockingIOError):
            listener.accept()
        with pytest.raises(OSError) as nobody:
            os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        assert nobody.value.errno == errno.ENXIO, "it has a reader"


def test_json_with_deep_arrays_is_refused(house, admin, wires):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {admin.token}"}

    def attack():
        return {house.get("/api/v1/policies", method="POST", headers=headers, body=body)[0]
                for body in (b"[" * 60_000 + b"]" * 60_000, b"[" * 1000 + b"]" * 1000, b'{"a":' * 20_000)}

    assert suffer(house, wires, attack) <= {400, 413}


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("path", ["/apple/connect", "/apple/checkin"])
def test_a_body_of_20_mb_is_refused(house, wires, path, framing):
    def parts():
        if framing == "length":
            yield b"Content-Length: %d\r\n\r\n" % LARGE
            yield from (b"x" * 65536 for _ in range(LARGE // 65536))
        else:
            yield b"Transfer-Encoding: chunked\r\n\r\n"
            yield from (b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(LARGE // 65536))
            yield b"0\r\n\r\n"

    def attack():
        with secure(house, wires[0]) as connection:
            with contextlib.suppress(ConnectionError, ssl.SSLError):  # cut off in the middle: fine too
                connection.sendall(b"PUT %s HTTP/1.1\r\nHost: localhost\r\n" % path.encode())
                for part in parts():
                    connection.sendall(part)
            answer = read_all(connection)
        return {int(answer.split()[1])} if answer else {"cut off"}

    assert suffer(house, wires, attack) <= {413, "cut off"}


def trickle(house, wire):
    """Sixty connections at once that send the beginning of a message and then nothing: what they heard."""
    head = b"PUT /apple/connect HTTP/1.1\r\nHost: localhost\r\n"
    beginnings = (head + b"X-Slow: ", head + b"Content-Length: 400\r\n\r\n<plist",
                  head + b"Transfer-Encoding: chunked\r\n\r\n9\r\n<pl")
    heard, started = set(), time.monotonic()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(secure(house, wire)) for _ in range(60)]
        for number, connection in enumerate(slow):
            connection.sendall(beginnings[number % len(beginnings)])
        threads = [threading.Thread(target=lambda one=connection: heard.add(read_all(one)[9:12])) for connection in slow]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 5 < time.monotonic() - started < 30
    return heard


def test_slow_senders_are_refused(house, wires):
    assert suffer(house, wires, lambda: trickle(house, wires[0]), rounds=1) <= {b"", b"408"}


def test_a_certificate_with_the_udid_of_another_is_refused(house, wires):
    hostile, other = wires
    mine, hostile.udid = hostile.udid, other.udid
    assert suffer(house, wires, lambda: {hostile.connect("Idle")[0], hostile.check_in("CheckOut")[0]}) == {403}
    hostile.udid = mine
    assert hostile.connect("Idle")[0] == other.connect("Idle")[0] == 200
