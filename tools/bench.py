#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the release build: the work behind `./dev bench`.

CPU is the sum of schedstat over all processes of the server (and of PostgreSQL), divided by the
requests that were answered; rounds are interleaved, medians are shown.  Run it on an idle machine.
    --quick          one short round: does the bench itself work?
    --json FILE      the figures, for comparing (default build/bench.json)
"""
import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import plistlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import build

ROOT = build.source.ROOT
BUILD = build.folder_of("release")
LOAD = BUILD / "tests" / "bench" / "bench-load"
EMPTY = BUILD / "tests" / "bench" / "bench-empty"
WORKERS = 16
CONNECTIONS = (1, 8, 32, 100)
ENROLMENTS = 60
HELD = 5000
HISTORY = 500  # acknowledged commands of a device
HOSTILE = "entity-bomb,nested-arrays,bad-plist,body-20mb,oversized-token,wrong-udid,unknown-uuid-result"


def schedstat(pids):
    """Nanoseconds of CPU of all threads of these processes."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(task.read_text().split()[0])
    return total


def descendants(pid):
    found = [pid]
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                found += descendants(int(child))
    return found


class Server:
    """A house of the release build with one enrolled, idle phone."""

    def __init__(self, house_module, admin_module, database, name, extra=(), cluster=None):
        self.name, self.cluster, self.database = name, cluster, database
        self.house = house_module.House(database, [
            f"server.workers={WORKERS}", "server.log=warn", "edge.connections=8192", *extra])
        self.house.options = [o for o in self.house.options if o != "server.log=debug"]
        self.started = time.monotonic()
        self.house.start()
        self.admin = admin_module.Admin(self.house)
        self.state = self.house.folder / "phone"
        self.root = self.house.folder / "root.pem"
        self.root.write_text(self.house.root_pem())
        self.sim("apple", "enrol", "--link", self.admin.link(), "--state", self.state, "--ca", self.root,
                 "--passcode", "8")
        for _ in range(2):
            self.settle()
        self.plist = self.idle_plist()
        self.request = self.write("inner", self.http([
            f"X-Muster-Client-Cert: {urllib.parse.quote((self.state / 'identity.pem').read_text(), safe='')}",
            "X-Muster-Peer: 127.0.0.1", "X-Request-Id: 0123456789abcdef0123456789abcdef"]))
        self.fresh = self.write("fresh", self.http(["Connection: close"]))

    def settle(self):
        """The phone does what it is asked to meanwhile: what is measured has nothing to do."""
        self.sim("apple", "checkin", "--state", self.state)

    def sim(self, *words):
        subprocess.run([BUILD / "src" / "sim" / "muster-sim", *map(str, words)], check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def idle_plist(self):
        shown = subprocess.run([BUILD / "src" / "sim" / "muster-sim", "apple", "show", "--state", self.state],
                               check=True, capture_output=True, text=True).stdout
        udid = re.search(r'"(?:device\.)?udid": *"([^"]+)"', shown)[1]
        return plistlib.dumps({"Status": "Idle", "UDID": udid})

    def http(self, headers, path="/apple/connect"):
        head = [f"PUT {path} HTTP/1.1", "Host: localhost", "Content-Type: application/x-apple-aspen-mdm",
                f"Content-Length: {len(self.plist)}", *headers, "", ""]
        return "\r\n".join(head).encode() + self.plist

    def write(self, name, content):
        path = self.house.folder / name
        path.write_bytes(content)
        return path

    def pids(self):
        mine = descendants(self.house.process.pid)
        return mine + (descendants(self.cluster.pid) if self.cluster else [])

    def remember(self, count):
        """So many finished commands more for each that has finished one (PostgreSQL)."""
        folder, user, name = (part.partition("=")[2] for part in self.database.partition(":")[2].split())
        subprocess.run(["psql", "-q", "-h", folder, "-U", user, "-v", "ON_ERROR_STOP=1", name], check=True, text=True,
                       input="INSERT INTO command SELECT (jsonb_populate_record(c, jsonb_build_object("
                             f"'id', c.id || '-' || g))).* FROM command c, generate_series(1, {count}) g "
                             "WHERE c.id IN (SELECT min(id) FROM command WHERE finished_at IS NOT NULL "
                             "GROUP BY enrolment_id);\n")

    def inner_socket(self):
        found = [path for path in self.house.run.rglob("*device*") if path.is_socket()]
        return found[0]

    def close(self):
        self.house.close()


def run_load(*words, stdin=None):
    done = subprocess.run([LOAD, *map(str, words)], check=True, capture_output=True, text=True, input=stdin)
    figures = json.loads(done.stdout)
    if figures["failed"]:
        raise SystemExit(f"bench: {figures['failed']} requests failed: {' '.join(map(str, words))}")
    return figures


def measure(pids, *words):
    """(CPU microseconds per request, requests per second)"""
    before = schedstat(pids)
    figures = run_load(*words)
    return (schedstat(pids) - before) / 1000 / max(figures["requests"], 1), figures["requests"] / figures["seconds"]


@contextlib.contextmanager
def empty_handler(folder):
    path = folder / "empty.sock"
    process = subprocess.Popen([EMPTY, path, str(WORKERS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    try:
        yield process, path
    finally:
        process.stdin.close()
        process.wait(20)


@contextlib.contextmanager
def static_edge(server, ports):
    """The server's own edge configuration with one more location that answers 200, on other ports."""
    text = next(server.house.run.rglob("nginx.conf")).read_text()
    for door, port in ports.items():
        text = text.replace(f":{server.house.ports[door]}", f":{port}")
    folder = server.house.folder / "static"
    folder.mkdir()
    text = text.replace("server {", 'server {\n        location = /bench { default_type text/plain; return 200 ""; }')
    text = re.sub(r"pid [^;]+;", f"pid {folder}/pid;", text)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", "stderr"],
                               stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


class Bench:
    def __init__(self, rounds, seconds, count):
        self.rounds, self.seconds, self.count = rounds, seconds, count
        self.samples = {}

    def note(self, name, value):
        self.samples.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.samples[name])

    def inner(self, servers, empty):
        process, path = empty
        for connections in CONNECTIONS:
            cpu, rate = measure([process.pid], "keep", path, servers[0].request, connections, self.seconds)
            self.note(f"empty {connections} cpu", cpu)
            self.note(f"empty {connections} rate", rate)
            for server in servers:
                server.settle()
                cpu, rate = measure(server.pids(), "keep", server.inner_socket(), server.request, connections,
                                    self.seconds)
                self.note(f"{server.name} idle {connections} cpu", cpu)
                self.note(f"{server.name} idle {connections} rate", rate)

    def history(self, server):
        """The same calls of a device that has done much: its past must cost nothing."""
        server.remember(HISTORY)
        for _ in range(self.rounds):
            server.settle()
            cpu, _ = measure(server.pids(), "keep", server.inner_socket(), server.request, 32, self.seconds)
            self.note(f"{server.name} idle 32 cpu with history", cpu)

    def fresh(self, server, edge, port):
        identity, key = server.state / "identity.pem", server.state / "identity.key"
        static = server.write("static-request", server.http(["Connection: close"], "/bench"))
        cpu, rate = measure(descendants(edge.pid), "fresh", port, identity, key, static, 4, self.count)
        self.note("static fresh cpu", cpu)
        self.note("static fresh rate", rate)
        server.settle()
        cpu, rate = measure(server.pids(), "fresh", server.house.ports["device"], identity, key, server.fresh, 4,
                            self.count)
        self.note("sqlite fresh cpu", cpu)
        self.note("sqlite fresh rate", rate)

    def enrolments(self, server, count):
        links = server.write("links", "".join(server.admin.link() + "\n" for _ in range(count)).encode())
        keys = server.house.folder / "keys"
        if not keys.exists():
            server.sim("keys", "--out", keys, "--count", ENROLMENTS)
        before, start = schedstat(server.pids()), time.monotonic()
        server.sim("apple", "load", "--link-file", links, "--devices", count, "--connections", 8, "--seconds", 1,
                   "--ca", server.root, "--keys", keys)
        self.note(f"{server.name} enrolment cpu", (schedstat(server.pids()) - before) / 1000 / count)
        self.note(f"{server.name} enrolment rate", count / (time.monotonic() - start))

    def hostile(self, server, times):
        """What 100 rounds of hostile messages cost in memory beyond 10 rounds."""
        sizes = []
        for count in (times // 10, times - times // 10):
            for _ in range(count):
                said = subprocess.run([BUILD / "src" / "sim" / "muster-sim", "apple", "checkin", "--state",
                                       server.state, "--misbehave", HOSTILE], stdout=subprocess.PIPE, timeout=120,
                                      check=False).stdout
                if len(json.loads(said or "{}").get("misbehaviour", [])) < len(HOSTILE.split(",")):
                    raise SystemExit("bench: not every hostile message was sent")
            sizes.append(server.house.memory())
        self.note("memory after hostile messages", (sizes[1] - sizes[0]) / 1e6)

    def memory(self, server, held):
        wait = 60 - (time.monotonic() - server.started)
        time.sleep(max(0, wait))
        alone = server.house.memory()
        self.note("memory", alone / 1e6)
        process = subprocess.Popen([LOAD, "hold", str(server.house.ports["device"]), server.state / "identity.pem",
                                    server.state / "identity.key", str(held)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        opened = json.loads(process.stdout.readline())["holding"]
        self.note("memory per connection", (server.house.memory() - alone) / 1e3 / max(opened, 1))
        process.stdin.close()
        process.wait(60)
        if opened != held:
            raise SystemExit(f"bench: only {opened} of {held} connections were accepted")


def goals(bench):
    """(what, figure, unit, goal, reached) of the design's ratios."""
    m = bench.median
    best = max(m("sqlite idle 8 rate"), m("sqlite idle 32 rate"))
    best_postgres = max(m("postgres idle 8 rate"), m("postgres idle 32 rate"))
    rows = [
        ("idle CPU at 32 connections / empty handler", m("sqlite idle 32 cpu") / m("empty 32 cpu"), "", 1.67, "<="),
        ("fresh mTLS + Idle / static reply of the edge", m("sqlite fresh cpu") / m("static fresh cpu"), "", 1.3, "<="),
        ("PostgreSQL CPU per Idle / SQLite's", m("postgres idle 32 cpu") / m("sqlite idle 32 cpu"), "", 1.2, "<="),
        ("rate at 100 connections / best of 8 and 32", m("sqlite idle 100 rate") / best, "", 0.8, ">="),
        ("the same on PostgreSQL", m("postgres idle 100 rate") / best_postgres, "", 0.8, ">="),
        ("PostgreSQL CPU per Idle with 500 commands / none",
         m("postgres idle 32 cpu with history") / m("postgres idle 32 cpu"), "", 1.1, "<="),
        ("memory of all processes after a minute", m("memory"), "MB", 60, "<="),
        ("memory per idle mTLS connection", m("memory per connection"), "kB", 25, "<="),
        ("hostile messages x 100 beyond x 10", m("memory after hostile messages"), "MB", 4, "<="),
    ]
    return [(*row, row[1] <= row[3] if row[4] == "<=" else row[1] >= row[3]) for row in rows]


def show(bench):
    print(f"\n{'measured':44}{'median':>12}")
    for name in sorted(bench.samples):
        print(f"{name:44}{bench.median(name):12.1f}")
    print(f"\n{'goal':52}{'figure':>10}{'':4}{'goal':>8}")
    for what, figure, unit, goal, sign, reached in goals(bench):
        print(f"{what:52}{figure:10.2f} {unit:3}{sign}{goal:>6}  {'reached' if reached else 'missed'}")


def load_module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def postgres():
    """(URL, server process) of a throw-away cluster that syncs as a real one does."""
    tools = load_module(ROOT / "tests" / "contract" / "with_postgres.py")
    user = tools.server_user()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-pg-", dir="/tmp"))
    if tools.run_as(user):
        shutil.chown(folder, user.pw_uid, user.pw_gid)
    tools.initdb(folder, user)
    server = tools.start(folder, user, [])
    try:
        if not tools.wait_until_ready(folder, server):
            raise SystemExit("bench: PostgreSQL does not start")
        yield f"postgres:host={folder} user=muster dbname=postgres", server
    finally:
        tools.stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def run(bench, held):
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    os.environ["MUSTER_BUILD"] = str(BUILD)
    import admin as admin_module
    import house as house_module
    with postgres() as (url, cluster), contextlib.ExitStack() as stack:
        sqlite = Server(house_module, admin_module, "", "sqlite")
        stack.callback(sqlite.close)
        bench.memory(sqlite, held)
        bench.hostile(sqlite, 100 if bench.rounds > 1 else 10)
        other = Server(house_module, admin_module, url, "postgres", cluster=cluster)
        stack.callback(other.close)
        empty = stack.enter_context(empty_handler(sqlite.house.folder))
        ports = dict(zip(("device", "front", "plain"), house_module.free_ports(3)))
        edge = stack.enter_context(static_edge(sqlite, ports))
        for number in range(bench.rounds):
            print(f"round {number + 1} of {bench.rounds}", flush=True)
            bench.inner([sqlite, other], empty)
            bench.fresh(sqlite, edge, ports["device"])
            for server in (sqlite, other):
                bench.enrolments(server, ENROLMENTS if bench.rounds > 1 else 5)
        bench.history(other)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"))
    words = parser.parse_args()
    if not build.make("release"):
        return 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 40000), hard))
    bench = Bench(1, 1, 50) if words.quick else Bench(5, 3, 1000)
    run(bench, 100 if words.quick else HELD)
    show(bench)
    pathlib.Path(words.json).write_text(json.dumps(
        {"samples": bench.samples, "goals": [dict(zip(("what", "figure", "unit", "goal", "sign", "reached"), row))
                                             for row in goals(bench)]}, indent=1) + "\n")
    return 0 if words.quick or all(row[-1] for row in goals(bench)) else 1


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main())
