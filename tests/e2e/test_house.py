# SPDX-License-Identifier: Apache-2.0
"""The house as a whole: it answers over TLS, survives the death of its parts and stops in order."""
import json
import os
import pathlib
import pwd
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from house import House, children, is_alive, read_all, wait_until

pytestmark = pytest.mark.e2e


@pytest.mark.proves_partly("4c-36")
def test_livez_answers_over_tls(house):
    status, headers, body = house.get("/livez")
    assert (status, body) == (200, b"ok\n")
    assert "Strict-Transport-Security" not in headers, "browsers could not see the plain door any more"
    assert "nginx/" not in headers["Server"]


def test_readyz_asks_database_and_key_process(house):
    assert house.get("/readyz")[0] == 200
    assert house.get("/readyz", door="metrics")[0] == 200


def test_unknown_paths_are_problem_documents_on_every_door(house):
    for door in ("front", "device", "plain", "metrics"):
        status, headers, body = house.get("/no/such/path", door=door)
        problem = json.loads(body)
        assert (status, headers["Content-Type"]) == (404, "application/problem+json")
        assert problem["type"] == "urn:muster:problem:not-found"
        assert problem["request_id"] == headers["X-Request-Id"]


def test_a_wrong_method_names_the_right_ones(house):
    status, headers, _ = house.get("/livez", method="DELETE")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_doors_show_only_what_is_theirs(house):
    assert house.get("/livez", door="device")[0] == 404
    assert house.get("/livez", door="plain")[0] == 404


def test_files_are_for_nobody_else(house):
    for path in [house.data, house.run, *house.run.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (house.run / "edge").glob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    for path in (house.run / "sockets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_the_server_has_given_up_what_it_does_not_need(house):
    status = pathlib.Path(f"/proc/{house.pid_of('server')}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert "Seccomp:\t2" in pathlib.Path(f"/proc/{house.pid_of('keyd')}/status").read_text()


def test_each_part_runs_as_its_own_user():
    users = {"server": "nobody", "keyd": "daemon", "edge": "www-data"}
    keys = {"server": "user", "keyd": "keyd_user", "edge": "edge_user"}
    if os.geteuid() != 0:  # only root can become somebody else: all stay the starting user
        users = dict.fromkeys(users, pwd.getpwuid(os.geteuid()).pw_name)
        keys = {}
    one = House(settings=[f"users.{key}={users[part]}" for part, key in keys.items()])
    try:
        one.folder.chmod(0o711)
        one.start()
        for part, name in users.items():
            status = pathlib.Path(f"/proc/{one.pid_of(part)}/status").read_text()
            assert f"Uid:\t{pwd.getpwnam(name).pw_uid}\t" in status, part
        for victim in users:
            pid = one.pid_of(victim)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: one.pid_of(victim) not in (None, pid), 30, f"a new {victim}")
            one.wait_ready()
        for key in (one.run / "edge").glob("*.key"):
            assert key.stat().st_mode & 0o777 == (0o640 if keys else 0o600)
            assert not keys or key.group() == "www-data"
        assert one.stop() == 0
    finally:
        one.close()


# ---- parts that die ----

@pytest.mark.parametrize("victim", ["keyd", "server", "edge", "worker"])
def test_the_house_recovers_from_the_death_of(house, victim):
    house.wait_ready()
    pid = house.pid_of(victim)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: house.pid_of(victim) not in (None, pid), 30, f"a new {victim}")
    house.wait_ready()
    for _ in range(20):
        assert house.get("/readyz")[0] == 200


def test_nothing_of_a_killed_edge_is_left(house):
    house.wait_ready()
    master, workers = house.pid_of("edge"), house.pids()
    os.kill(master, signal.SIGKILL)
    wait_until(lambda: house.pid_of("edge") not in (None, master), 30, "a new edge")
    house.wait_ready()
    assert not {pid for pid in house.pids() & workers} - {
        house.process.pid, house.pid_of("keyd"), house.pid_of("server")}


def test_while_the_server_is_down_the_edge_says_so(house):
    house.wait_ready()
    pid = house.pid_of("server")
    os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    seen = set()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and 200 not in seen - {0}:
        status, headers, body = house.get("/readyz")
        seen.add(status)
        if status == 503:
            assert headers["Retry-After"]
            assert json.loads(body)["status"] == 503
    assert seen <= {200, 503}
    house.wait_ready()


def test_when_the_supervisor_is_killed_everything_goes_and_the_next_one_starts(sqlite_house):
    sqlite_house.start()
    pids = sqlite_house.pids()
    sqlite_house.process.kill()
    sqlite_house.process.wait()
    sqlite_house.start()  # after what the killed one left has ended
    assert not any(map(is_alive, pids))
    assert sqlite_house.get("/livez")[0] == 200


def test_workers_without_master_and_supervisor_do_not_keep_the_ports(sqlite_house):
    sqlite_house.start()
    master = sqlite_house.pid_of("edge")
    workers = children(master)
    sqlite_house.process.send_signal(signal.SIGSTOP)  # so that it does not see the master's end
    os.kill(master, signal.SIGKILL)
    sqlite_house.process.kill()
    sqlite_house.process.wait()
    assert all(map(is_alive, workers))
    sqlite_house.start()
    assert not any(map(is_alive, workers))
    assert "supervisor.leftover" in sqlite_house.log_text()


# ---- reload, stop, start ----

class Load:
    """Clients that ask on new connections until they are told to stop."""

    def __init__(self, house, count=4):
        self.house, self.answered, self.lost = house, 0, []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(count)]

    def work(self):
        while not self.done.is_set():
            try:
                status = self.house.get("/livez")[0]
            except OSError as problem:
                status = repr(problem)
            if status == 200:
                self.answered += 1
            else:
                self.lost.append(status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


def test_a_reload_of_certificates_loses_no_request(house):
    house.wait_ready()
    with Load(house) as load:
        for _ in range(3):
            worker, before = house.pid_of("worker"), load.answered
            (house.run / "edge" / "tls-p256.pem").unlink()
            house.process.send_signal(signal.SIGHUP)
            wait_until(lambda: house.pid_of("worker") not in (None, worker), 20, "new workers")
            wait_until(lambda: load.answered > before + 20, 20, "answers")
    assert not load.lost
    assert (house.run / "edge" / "tls-p256.pem").exists()


def test_a_stop_answers_what_was_asked_and_ends_well(sqlite_house):
    sqlite_house.start()
    pids = sqlite_house.pids()
    assert sqlite_house.stop() == 0
    assert not any(map(is_alive, pids))
    assert "supervisor.stopped" in sqlite_house.log_text()
    assert not list((sqlite_house.run / "sockets").iterdir())
    sqlite_house.start()  # and it starts again on what is there
    assert sqlite_house.stop() == 0


def test_only_one_supervisor_works_on_a_data_directory(house):
    second = subprocess.run(house.command("run"), capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert "another musterd runs on" in second.stderr
    assert house.get("/livez")[0] == 200


# ---- hostile clients, while others are served ----

def test_a_slow_sender_is_cut_off_while_others_are_served(house):
    started = time.monotonic()
    slow = [house.connect() for _ in range(20)]
    for connection in slow:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    for _ in range(20):
        assert house.get("/livez")[0] == 200
    for connection in slow:
        assert b"200 OK" not in read_all(connection)
        connection.close()
    assert time.monotonic() - started < 25


def test_a_large_body_is_refused_with_flat_memory(house):
    body = b"x" * (20 << 20)
    for _ in range(3):
        house.get("/livez")
    before = house.memory()
    for _ in range(5):
        with house.connect() as connection:
            try:
                connection.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                                   % len(body) + body)
            except (ConnectionError, ssl.SSLError):
                pass  # cut off in the middle: fine too
            answer = read_all(connection)
            assert not answer or b" 413 " in answer.split(b"\r\n")[0]
    assert house.memory() - before < 8 << 20
    assert house.get("/livez")[0] == 200


def test_a_chunked_body_is_refused_above_the_limit(house):
    with house.connect("plain") as connection:
        connection.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(20):
                connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        assert b" 413 " in read_all(connection).split(b"\r\n")[0]


def test_too_many_header_lines_are_refused(house):
    headers = {f"X-{number}": "1" for number in range(120)}
    status, _, body = house.get("/livez", headers=headers)
    assert status == 431
    assert json.loads(body)["status"] == 431


def test_a_large_header_is_refused(house):
    status, headers, _ = house.get("/livez", headers={"X-Large": "x" * 20000})
    assert (status, headers["Content-Type"]) == (431, "application/problem+json")


def test_spoofed_headers_of_the_edge_change_nothing(house):
    spoofed = {"X-Muster-Client-Cert": "-----BEGIN%20CERTIFICATE-----%0AMIIB%0A", "Client-Cert": "x",
               "X-Muster-Peer": "not an address", "X-Request-Id": "mine"}
    for door in ("front", "device", "plain"):
        path = "/livez" if door == "front" else "/none"
        status, headers, _ = house.get(path, door=door, headers=spoofed)
        assert status == (200 if door == "front" else 404)  # a malformed one would be 400
        assert headers["X-Request-Id"] != "mine"


HEAD = b"Host: x\r\nConnection: close\r\n"
FRAMING = {
    "length and chunked": b"POST /livez HTTP/1.1\r\n" + HEAD +
                          b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /livez HTTP/1.1\r\n" + HEAD +
                   b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "signed length": b"POST /livez HTTP/1.1\r\n" + HEAD + b"Content-Length: +5\r\n\r\nhello",
    "negative length": b"POST /livez HTTP/1.1\r\n" + HEAD + b"Content-Length: -5\r\n\r\nhello",
    "wrapped length": b"POST /livez HTTP/1.1\r\n" + HEAD +
                      b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "unknown coding": b"POST /livez HTTP/1.1\r\n" + HEAD +
                      b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"GET /livez HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n",
    "folded line": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X-A: 1\r\n 2\r\n\r\n",
    "bare carriage return": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X-A: 1\r2\r\n\r\n",
    "zero byte": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X-A: 1\x002\r\n\r\n",
    "control byte in a name": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X\x01A: 1\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\n" + HEAD + b"Host: y\r\n\r\n",
    "bad method": b"G@T /livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "chunk size 0x5": b"POST /livez HTTP/1.1\r\n" + HEAD +
                      b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "wrapped chunk size": b"POST /livez HTTP/1.1\r\n" + HEAD +
                          b"Transfer-Encoding: chunked\r\n\r\n1" + b"0" * 16 + b"5\r\nhello\r\n",
    "dot segments": b"GET /x/../livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "escaped slash": b"GET /x%2f..%2flivez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "empty segment": b"GET //livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "not HTTP": b"\x16\x03\x01 hello\r\n\r\n",
}


@pytest.mark.parametrize("door", ["front", "plain"])
@pytest.mark.parametrize("case", FRAMING)
def test_framing_that_can_be_read_two_ways_is_refused(house, case, door):
    with house.connect(door) as connection:
        connection.sendall(FRAMING[case])
        answer = read_all(connection)
    status = answer.split(b" ")[1:2]
    assert not status or status[0][:1] in b"45", answer
    assert answer.count(b"HTTP/1.1 ") <= 1, answer  # nobody found a second request in it


def test_plain_http_on_a_tls_door_is_refused(house):
    with socket.create_connection(("127.0.0.1", house.ports["front"]), timeout=20) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 400 " in read_all(connection).split(b"\r\n")[0]


# ---- the program ----

def run_musterd(*words):
    return subprocess.run([House().command()[0], *words], capture_output=True, text=True, timeout=30)


def test_help_names_every_section():
    text = run_musterd("--help").stdout
    for section in ("server", "front", "device", "plain", "metrics", "edge", "users", "lifetimes",
                    "compliance", "retention", "apple"):
        assert f"\n[{section}]\n" in text


@pytest.mark.parametrize("words, complaint", [
    ([], "a word is missing"),
    (["--set", "server.log=debug"], "a word is missing"),
    (["nonsense"], "unknown word 'nonsense'"),
    (["check-config", "--set"], "--set needs a value"),
    (["check-config", "--set", "front.port=0"], "port"),
    (["check-config", "--set", "front.sort=1"], "has no key 'sort'"),
    (["check-config", "--set", "retention.event_days=-1"], "event_days"),
    (["check-config", "--set", "retention.event_days=36501"], "event_days"),
    (["check-config", "--set", "front.port=8080"], "port 8080 is given twice"),
    (["check-config", "--set", "front.address=everywhere"], "is not an IP address"),
    (["check-config", "--set", "server.run_dir=here"], "is not an absolute path"),
    (["check-config", "--set", "server.organization=" + "ü" * 65], "1 to 64 characters, not 65"),
    (["check-config", "--set", "users.user=no-such-user"], "there is no user 'no-such-user'"),
    (["check-config", "--config", "/nonexistent/muster.conf"], "/nonexistent/muster.conf"),
    (["server"], "started by the supervisor"),
    (["keyd"], "started by the supervisor"),
])
def test_wrong_words_are_refused_with_a_reason(words, complaint):
    result = run_musterd(*words)
    assert result.returncode == 2
    assert complaint in result.stderr


def test_a_configuration_file_is_read_and_set_wins(tmp_path):
    file = tmp_path / "muster.conf"
    file.write_text("[front]\nport = 9443\n[server]\nnames = mdm.example.org\n")
    result = run_musterd("check-config", "--set", "device.port=9444", "--config", str(file))
    assert result.returncode == 0
    assert "https://mdm.example.org:9443" in result.stdout
    assert "https://mdm.example.org:9444" in result.stdout
