# SPDX-License-Identifier: Apache-2.0
"""A whole musterd in a temporary directory: supervisor, key process, server and edge."""
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build"))
MUSTERD = BUILD / "src" / "server" / "musterd"
START_SECONDS = 90  # the first start makes the keys of the authority, on a busy machine
DOORS = ("front", "device", "plain", "metrics")


def wait_until(condition, seconds, what):
    """Call condition until it gives something true; its result, or an AssertionError in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not in {seconds} s: {what}")


def free_ports(count):
    """Ports that nobody had a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def children(parent):
    """pid -> name of the direct children of a process."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            head, _, tail = (entry / "stat").read_text().rpartition(") ")
        except OSError:
            continue  # it ended meanwhile
        fields = tail.split()
        if int(fields[1]) == parent and fields[0] != "Z":
            found[int(entry.name)] = head.partition("(")[2]
    return found


def is_alive(pid):
    """It runs: neither gone nor waiting to be buried."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


class House:
    def __init__(self, database="", settings=()):
        self.keeper = tempfile.TemporaryDirectory(prefix="muster-e2e-", dir="/tmp")
        self.folder = pathlib.Path(self.keeper.name)
        self.data, self.run = self.folder / "data", self.folder / "run"
        self.ports = dict(zip(DOORS, free_ports(len(DOORS))))
        self.log = self.folder / "log"
        self.process = None
        self.options = [f"server.data_dir={self.data}", f"server.run_dir={self.run}",
                        "server.names=localhost 127.0.0.1", f"server.database={database}",
                        "server.log=debug", "edge.workers=2", *settings]
        for door, port in self.ports.items():
            self.options.append(f"{door}.port={port}")
            if door != "metrics":
                self.options.append(f"{door}.address=127.0.0.1")

    # ---- life ----

    def command(self, *words):
        sets = [word for option in self.options for word in ("--set", option)]
        return [MUSTERD, *(words or ["run"]), *sets]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        try:
            self.wait_ready(START_SECONDS)
        except AssertionError:
            self.stop()
            raise AssertionError(f"the house does not start:\n{self.log_text()}") from None

    def stop(self, seconds=60):
        """The exit status of a graceful stop."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its children die with it
            self.process.wait()
            raise
        finally:
            self.process = None

    def close(self):
        self.stop()
        self.keeper.cleanup()

    def is_ready(self):
        return self.is_ready_at("front")

    def is_ready_at(self, door):
        if self.process.poll() is not None:
            raise AssertionError("musterd has ended")
        try:
            return self.get("/readyz", door=door)[0] == 200
        except OSError:
            return False

    def wait_ready(self, seconds=30):
        wait_until(self.is_ready, seconds, "ready")

    def log_text(self, lines=200):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # ---- its processes ----

    def pid_of(self, name):
        """keyd, server, edge (the master) or worker (one of the edge's); None: not there."""
        mine = children(self.process.pid)
        wanted = {"keyd": "muster-keyd", "server": "muster-server"}.get(name, "nginx")
        pids = [pid for pid, what in mine.items() if what == wanted]
        if name == "worker":
            pids = [worker for pid in pids for worker in children(pid)]
        return min(pids) if pids else None

    def pids(self):
        mine = children(self.process.pid)
        return {self.process.pid, *mine, *(pid for one in mine for pid in children(one))}

    def memory(self):
        """Bytes that belong to all processes together (PSS)."""
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    # ---- talking to it ----

    def context(self):
        root = self.data / "keys" / "root.crt"
        return ssl.create_default_context(cadata=self.root_pem() if root.exists() else None)

    def root_pem(self):
        """The roots of the authority as PEM, the first one's first."""
        keys = self.data / "keys"
        return "".join(path.read_text() for path in (keys / "root.crt", *sorted(keys.glob("authority-*/root.crt"))))

    def get(self, path, door="front", method="GET", body=None, headers=None, timeout=10):
        """(status, headers, body) over a new connection."""
        if door in ("front", "device"):
            connection = http.client.HTTPSConnection("127.0.0.1", self.ports[door], timeout=timeout,
                                                     context=self.context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[door], timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as problem:
            raise ConnectionError(str(problem)) from problem
        finally:
            connection.close()

    def connect_plainly(self, door, timeout=30):
        return socket.create_connection(("127.0.0.1", self.ports[door]), timeout=timeout)

    def connect(self, door="front", timeout=30):
        """A raw connection, with TLS where the door has it."""
        raw = self.connect_plainly(door, timeout)
        if door not in ("front", "device"):
            return raw
        return self.context().wrap_socket(raw, server_hostname="localhost")


def read_all(connection):
    """What comes until the other side closes."""
    content = b""
    try:
        while part := connection.recv(65536):
            content += part
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        pass
    return content
