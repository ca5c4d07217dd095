#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the release build: the work behind `./dev bench`.

CPU is the sum of schedstat over all processes of the server (and of PostgreSQL), divided by the
requests that were answered.  What is compared takes short turns with each other, so that a machine that
becomes slower for some seconds slows both; a goal is the median of the rounds' ratios, not a ratio of
medians.  Run it on an idle machine.
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
PEER = ("nanomdm on PostgreSQL, plain HTTP, on two shared cores: 598, 632, 375, 344 with 1, 8, 32, 100 connections; "
        "188, 381, 239 after 500 commands")
TURN_MS = 500
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

    def __init__(self, modules, database, name, cluster=None, connections=CONNECTIONS):
        house_module, admin_module = modules
        self.name, self.cluster, self.database, self.connections = name, cluster, database, connections
        self.house = house_module.House(database, [
            f"server.workers={WORKERS}", "server.log=warn", "edge.connections=8192"])
        self.house.options = [o for o in self.house.options if o != "server.log=debug"]
        self.started = time.monotonic()
        self.house.start()
        self.admin = admin_module.Admin(self.house)
        self.state = self.house.folder / "phone"
        self.root = self.house.folder / "root.pem"
        self.root.write_text(self.house.root_pem())
        self.sim("apple", "enrol", "--link", self.admin.link(), "--state", self.state, "--ca", self.root,
                 "--passcode", "8")
        self.settle()
        self.plist = self.idle_plist()
        self.request = self.write("inner", self.http([
            f"X-Muster-Client-Cert: {urllib.parse.quote((self.state / 'identity.pem').read_text(), safe='')}",
            "X-Muster-Peer: 127.0.0.1", "X-Request-Id: 0123456789abcdef0123456789abcdef"]))
        self.fresh = self.write("fresh", self.http(["Connection: close"]))

    def settle(self):
        """The phone does what it was asked to meanwhile: what is measured has nothing to do."""
        for _ in range(10):
            said = self.sim("apple", "checkin", "--state", self.state)
            if not json.loads(said)["commands"]:
                return
        raise SystemExit("bench: the phone is asked on and on")

    def sim(self, *words):
        return subprocess.run([BUILD / "src" / "sim" / "muster-sim", *map(str, words)], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=120).stdout

    def idle_plist(self):
        shown = self.sim("apple", "show", "--state", self.state)
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
        """So many finished commands more for each device that has finished one (PostgreSQL)."""
        psql(self.database, "INSERT INTO command SELECT (jsonb_populate_record(c, jsonb_build_object("
                            f"'id', c.id || '-' || g))).* FROM command c, generate_series(1, {count}) g "
                            "WHERE c.id IN (SELECT min(id) FROM command WHERE finished_at IS NOT NULL "
                            "GROUP BY enrolment_id);\n")

    def inner_socket(self):
        found = [path for path in self.house.run.rglob("*device*") if path.is_socket()]
        return found[0]

    def close(self):
        self.house.close()


def psql(url, statements):
    folder, user, name = (part.partition("=")[2] for part in url.partition(":")[2].split())
    subprocess.run(["psql", "-q", "-h", folder, "-U", user, "-v", "ON_ERROR_STOP=1", name], check=True, text=True,
                   input=statements)


def load_figures(*words):
    done = subprocess.run([LOAD, *map(str, words)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True)
    return json.loads(done.stdout)


class Side:
    """One of those that take turns: whose CPU counts, and what asks it for answers. server: its phone is to
    have nothing to do; should the server find something in the middle, the turn does not count."""

    def __init__(self, name, pids, *load, server=None):
        self.name, self.pids, self.load, self.server = name, pids, load, server
        self.cpu = self.requests = self.seconds = 0

    def turn(self):
        for _ in range(3):
            if self.server:
                self.server.settle()
            before = schedstat(self.pids)
            figures = load_figures(*self.load)
            if not figures["failed"]:
                break
        else:
            raise SystemExit(f"bench: {figures['failed']} requests failed: {' '.join(map(str, self.load))}")
        self.cpu += schedstat(self.pids) - before
        self.requests += figures["requests"]
        self.seconds += figures["seconds"]


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
    def __init__(self, rounds, turns, count):
        self.rounds, self.turns, self.count = rounds, turns, count
        self.samples = {}

    def note(self, name, value):
        self.samples.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.samples[name])

    def ratio(self, above, *below):
        """The median over the rounds of one figure divided by the best of others."""
        rounds = zip(self.samples[above], *(self.samples[name] for name in below))
        return statistics.median(figure / max(others) for figure, *others in rounds)

    def take_turns(self, sides):
        """CPU in microseconds per request and requests per second of each."""
        for _ in range(self.turns):
            for side in sides:
                side.turn()
        for side in sides:
            self.note(f"{side.name} cpu", side.cpu / 1000 / max(side.requests, 1))
            self.note(f"{side.name} rate", side.requests / side.seconds)

    def inner(self, servers, empty):
        process, path = empty
        sides = []
        for count in CONNECTIONS:
            sides.append(Side(f"empty {count}", [process.pid], "keep", path, servers[0].request, count, TURN_MS))
            sides += [Side(f"{server.name} idle {count}", server.pids(), "keep", server.inner_socket(),
                           server.request, count, TURN_MS, server=server)
                      for server in servers if count in server.connections]
        self.take_turns(sides)

    def fresh(self, server, edge, port):
        identity, key = server.state / "identity.pem", server.state / "identity.key"
        static = server.write("static-request", server.http(["Connection: close"], "/bench"))
        self.take_turns([
            Side("static fresh", descendants(edge.pid), "fresh", port, identity, key, static, 4, self.count),
            Side("sqlite fresh", server.pids(), "fresh", server.house.ports["device"], identity, key, server.fresh, 4,
                 self.count, server=server)])

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
    m, ratio = bench.median, bench.ratio
    rows = [
        ("idle CPU at 32 connections / empty handler", ratio("sqlite idle 32 cpu", "empty 32 cpu"), "", 1.67, "<="),
        ("fresh mTLS + Idle / static reply of the edge", ratio("sqlite fresh cpu", "static fresh cpu"), "", 1.3, "<="),
        ("PostgreSQL CPU per Idle / SQLite's", ratio("postgres idle 32 cpu", "sqlite idle 32 cpu"), "", 1.2, "<="),
        ("rate at 100 connections / best of 8 and 32",
         ratio("sqlite idle 100 rate", "sqlite idle 8 rate", "sqlite idle 32 rate"), "", 0.8, ">="),
        ("the same on PostgreSQL",
         ratio("postgres idle 100 rate", "postgres idle 8 rate", "postgres idle 32 rate"), "", 0.8, ">="),
        ("PostgreSQL CPU per Idle with 500 commands / none",
         ratio("history idle 32 cpu", "postgres idle 32 cpu"), "", 1.1, "<="),
        ("its rate at 100 connections / best of 8 and 32",
         ratio("history idle 100 rate", "history idle 8 rate", "history idle 32 rate"), "", 0.8, ">="),
        ("memory of all processes after a minute", m("memory"), "MB", 60, "<="),
        ("memory per idle mTLS connection", m("memory per connection"), "kB", 25, "<="),
        ("hostile messages x 100 beyond x 10", m("memory after hostile messages"), "MB", 4, "<="),
    ]
    return [(*row, row[1] <= row[3] if row[4] == "<=" else row[1] >= row[3]) for row in rows]


def show(bench):
    print(f"\n{'measured':44}{'median':>12}")
    for name in sorted(bench.samples):
        print(f"{name:44}{bench.median(name):12.1f}")
    print(f"\nidle requests a second on PostgreSQL, with 100 connections: {bench.median('postgres idle 100 rate'):.0f}, "
          f"after {HISTORY} commands {bench.median('history idle 100 rate'):.0f}\n{PEER}")
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


def with_history(bench, modules, url, cluster):
    """A server whose devices have done much: their past must cost nothing."""
    psql(url, "CREATE DATABASE history;\n")
    server = Server(modules, url.replace("dbname=postgres", "dbname=history"), "history", cluster, connections=(8, 32, 100))
    bench.enrolments(server, ENROLMENTS if bench.rounds > 1 else 5)
    server.remember(HISTORY)
    return server


def run(bench, held):
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    os.environ["MUSTER_BUILD"] = str(BUILD)
    import admin as admin_module
    import house as house_module
    modules = (house_module, admin_module)
    with postgres() as (url, cluster), contextlib.ExitStack() as stack:
        sqlite = Server(modules, "", "sqlite")
        stack.callback(sqlite.close)
        bench.memory(sqlite, held)
        bench.hostile(sqlite, 100 if bench.rounds > 1 else 10)
        other = Server(modules, url, "postgres", cluster)
        stack.callback(other.close)
        history = with_history(bench, modules, url, cluster)
        stack.callback(history.close)
        empty = stack.enter_context(empty_handler(sqlite.house.folder))
        ports = dict(zip(("device", "front", "plain"), house_module.free_ports(3)))
        edge = stack.enter_context(static_edge(sqlite, ports))
        for number in range(bench.rounds):
            print(f"round {number + 1} of {bench.rounds}", flush=True)
            bench.inner([sqlite, other, history], empty)
            bench.fresh(sqlite, edge, ports["device"])
            for server in (sqlite, other):
                bench.enrolments(server, ENROLMENTS if bench.rounds > 1 else 5)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"))
    words = parser.parse_args()
    if not build.make("release"):
        return 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 40000), hard))
    bench = Bench(1, 1, 50) if words.quick else Bench(5, 6, 200)
    run(bench, 100 if words.quick else HELD)
    show(bench)
    pathlib.Path(words.json).write_text(json.dumps(
        {"samples": bench.samples, "goals": [dict(zip(("what", "figure", "unit", "goal", "sign", "reached"), row))
                                             for row in goals(bench)]}, indent=1) + "\n")
    return 0 if words.quick or all(row[-1] for row in goals(bench)) else 1


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main())
