# SPDX-License-Identifier: Apache-2.0
"""The parts of the house: what each may do, and what becomes of the others when one hangs or cannot start."""
import concurrent.futures
import errno
import os
import pathlib
import pwd
import resource
import signal
import socket
import subprocess
import time

import pytest

from house import House, children, wait_until

pytestmark = pytest.mark.e2e

IS_ROOT = os.geteuid() == 0
ACCOUNTS = {"user": "nobody", "keyd_user": "daemon", "edge_user": "www-data"} if IS_ROOT else {}
NET_BIND_SERVICE = 1 << 10


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def soft_files(pid):
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Max open files")).split()[3])


def test_no_part_leaves_its_memory_on_a_disk(house):
    for part in ("server", "keyd", "edge"):
        limits = pathlib.Path(f"/proc/{house.pid_of(part)}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"], part
    for part in ("server", "keyd"):  # what nobody else may look into belongs to root
        assert os.stat(f"/proc/{house.pid_of(part)}/mem").st_uid == 0, part


def test_the_edge_has_given_up_what_it_does_not_need(house):
    for part in ("edge", "worker"):
        status = status_of(house.pid_of(part))
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), part


def test_what_the_edge_executes_is_kept_from_other_files(house):
    """Landlock shows nowhere: a program in the edge's place is started as the edge is, and looks around."""
    one, folder = House(), house.folder / "probe"
    folder.mkdir()
    source, probe = folder / "probe.c", folder / "probe"
    paths = ", ".join(f'"{path}"' for path in (one.data, one.data / "keys", "/tmp", one.run / "edge"))
    source.write_text("#include <errno.h>\n#include <fcntl.h>\n#include <stdio.h>\n"
                      "int main(int count, char **words) { (void)words; if (count < 5) return 0;\n"
                      f"const char *paths[] = {{{paths}}};\n"
                      "for (int i = 0; i < 4; i++)\n"
                      "fprintf(stderr, \"PROBE %d %d\\n\", i, open(paths[i], O_RDONLY) < 0 ? errno : 0);\n"
                      "return 0; }\n")
    subprocess.run(["gcc", "-o", probe, source], check=True)
    one.options.append(f"edge.program={probe}")
    try:
        with open(one.log, "ab") as log:
            one.process = subprocess.Popen(one.command(), stdout=log, stderr=log)
        wait_until(lambda: "PROBE 3 0" in one.log_text() and "PROBE 2 13" in one.log_text(), 60, "the probe")
        for number, outcome in enumerate((errno.EACCES, errno.EACCES, errno.EACCES, 0)):
            assert f"PROBE {number} {outcome}" in one.log_text()
    finally:
        one.close()


@pytest.fixture
def low_port():
    """A port that only the privileged may bind, free at the moment."""
    for port in range(1023, 600, -1):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
                return port
            except PermissionError:
                return None  # we cannot either
            except OSError:
                continue
    return None


def test_an_edge_with_an_account_of_its_own_opens_port_443(low_port):
    if not low_port:
        said = subprocess.run([House().command()[0], "check-config", "--set", "front.port=443"],
                              capture_output=True, text=True, check=True).stdout
        assert "a port below 1024 needs" in said
        return
    one = House(settings=[f"users.{key}={name}" for key, name in ACCOUNTS.items()])
    one.options = [option for option in one.options if not option.startswith("front.port")]
    one.options.append(f"front.port={low_port}")
    one.ports["front"] = low_port
    one.folder.chmod(0o711)
    try:
        one.start()
        assert one.get("/livez")[0] == 200
        for part in ("edge", "worker"):
            status = status_of(one.pid_of(part))
            assert not ACCOUNTS or int(status["CapEff"], 16) == NET_BIND_SERVICE, part
            assert not ACCOUNTS or status["Uid"].split()[0] == str(pwd.getpwnam("www-data").pw_uid), part
        assert not ACCOUNTS or int(status_of(one.pid_of("server"))["CapPrm"], 16) == 0
        assert one.stop() == 0
    finally:
        one.close()


def test_a_soft_limit_of_1024_does_not_limit_the_edge():
    one = House()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    held = []
    try:
        one.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        assert soft_files(one.pid_of("server")) == hard
        wanted = min(hard, 2 * 4096 + 128)
        assert all(soft_files(pid) == wanted for pid in children(one.pid_of("edge")))
        for _ in range(2100):  # more than two workers had with 1024 files each
            held.append(socket.create_connection(("127.0.0.1", one.ports["device"]), timeout=10))
        assert one.get("/livez", timeout=30)[0] == 200
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        one.close()


def test_check_config_warns_where_the_limit_is_too_low():
    words = [House().command()[0], "check-config", "--set", "edge.connections=1000000"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "warning: [edge] connections = 1000000 needs 2000128 open files" in said


# ---- what hangs, what cannot start ----

def test_a_key_process_that_hangs_is_replaced(sqlite_house):
    sqlite_house.start()
    hung = sqlite_house.pid_of("keyd")
    asks = [("/scep/apple?operation=GetCACert", "plain"), ("/.well-known/est/cacerts", "device")]
    assert [sqlite_house.get(path, door=door)[0] for path, door in asks] == [200, 200]
    os.kill(hung, signal.SIGSTOP)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        heard = pool.map(lambda ask: sqlite_house.get(ask[0], door=ask[1], timeout=30)[0], [("/readyz", "metrics"), *asks])
        assert list(heard) == [503, 503, 503]
    assert time.monotonic() - begun < 15
    wait_until(lambda: sqlite_house.pid_of("keyd") not in (None, hung), 20, "a new key process")
    sqlite_house.wait_ready()
    assert [sqlite_house.get(path, door=door)[0] for path, door in asks] == [200, 200]
    assert "supervisor.hung" in sqlite_house.log_text()


def test_readyz_knows_that_the_edge_is_down():
    one = House()
    try:
        one.start()
        with socket.socket() as taken:  # somebody else takes the port: nginx cannot start again
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            edge = one.pid_of("edge")
            one.process.send_signal(signal.SIGSTOP)
            for pid in (edge, *children(edge)):
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: is_bound(taken, one.ports["front"]), 30, "the port is free")
            taken.listen()
            one.process.send_signal(signal.SIGCONT)

            def answer():
                return one.get("/readyz", door="metrics")

            status, _, body = wait_until(lambda: answer()[0] != 200 and answer(), 90, "not ready")
            assert status == 503 and b"the edge does not run" in body
            assert one.get("/livez", door="metrics")[0] == 200
        wait_until(lambda: answer()[0] == 200, 90, "ready")
        assert one.stop() == 0
    finally:
        one.close()


def is_bound(one, port):
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_settings_of_the_children_are_seen_by_nobody():
    one = House(settings=["server.organization=Not for ps"])
    try:
        one.start()
        for part in ("keyd", "server", "edge"):
            words = pathlib.Path(f"/proc/{one.pid_of(part)}/cmdline").read_bytes()
            assert b"Not for ps" not in words and b"sqlite" not in words, words
        assert one.stop() == 0
    finally:
        one.close()


def test_a_password_on_the_command_line_is_told_of():
    words = [House().command()[0], "check-config", "--set", "server.database=postgres:dbname=m password=x"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "warning: a password on the command line is seen by every account" in said
