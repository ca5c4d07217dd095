# SPDX-License-Identifier: Apache-2.0
"""Kill parts of a house at random while devices and people use it; then hold their ledgers against
the database: what was acknowledged must be there, and nothing may have happened twice."""
import collections
import contextlib
import csv
import json
import os
import random
import shlex
import signal
import sqlite3
import subprocess
import threading
import time

import sim
from admin import Admin, Refused
from house import wait_until

VICTIMS = ("server", "keyd", "worker", "edge", "supervisor")
KINDS = ("sync", "lock", "restart", "clear_passcode")
LEAVING = ("wipe", "retire")  # for every other device: it comes again as long as there are links
LEAVING_SHARE = 0.1  # of what these are asked
TURNING = ("block", "unblock")  # no commands: people shut a device out and let it in again
BLOCK_SHARE, UNBLOCK_SHARE = 0.03, 0.3  # of the looks at a device
PAIR_SHARE = 0.3  # of the kills: two parts at once
WAVES = 6  # of phones that enrol while parts die
PHONES, CONNECTIONS = 4, 2  # of one wave
SPARE_LINKS = 4
LOCKED_EVERY = 5  # sessions: what may wait is put off
LEAVE_AFTER = 12  # sessions: of every other wave, whose users remove management
ASKERS = 3
ENROL_PATIENCE = 120  # seconds
HEAL_SECONDS = 90  # after a kill, on a busy machine with sanitizers
DRAIN_SECONDS = 120
PAUSE = (0.1, 1.2)  # seconds of work between two kills: an enrolment takes less than one
OPEN = ("queued", "sent", "delivered")
PRESENT = ("pending", "active", "blocked")
TAKEN_BACK = ("cancelled", "superseded")
PROFILE_NOT_INSTALLED = 12075
DOWN = {502, 503, 504}  # what people hear while a part is away
BUSY = {409, 412, 428}  # and of a command that waits already


# ---- what happens ----

class Storm:
    """People who ask for commands all the time; `asked` are those that the API has promised."""

    def __init__(self, admin, seed):
        self.admin = admin
        self.over = threading.Event()
        self.asked, self.surprises = {}, []  # command -> kind
        self.turned = collections.Counter()  # (device, "block" or "unblock")
        self.is_late = False  # no part dies any more: whatever was not asked yet is
        self.people = [threading.Thread(target=self.work, args=(random.Random(seed + number),), daemon=True)
                       for number in range(ASKERS)]

    def missing(self):
        turned = {verb for _, verb in self.turned}
        return [kind for kind in ("lock", *LEAVING) if kind not in self.asked.values()] + [
            verb for verb in TURNING if verb not in turned]

    def kind_for(self, device, dice):
        missing, is_blocked = self.missing(), device["enrolment_state"] == "blocked"
        if self.is_late and missing:
            return missing[0] if missing[0] != "unblock" or is_blocked else "block"
        if dice.random() < (UNBLOCK_SHARE if is_blocked else BLOCK_SHARE):
            return "unblock" if is_blocked else "block"
        is_short_lived = int(device["id"][-1], 16) % 2 == 0
        return dice.choice(LEAVING if is_short_lived and dice.random() < LEAVING_SHARE else KINDS)

    def ask_one(self, device, kind):
        if kind in TURNING:
            self.admin.post(f"/devices/{device['id']}/{kind}")
            self.turned[device["id"], kind] += 1
            return
        made = self.admin.command(device["id"], kind)
        self.asked.update({made["id"]: kind} if made.get("id") else {})

    def ask(self, dice):
        devices = self.admin.items("/devices?limit=1000")
        dice.shuffle(devices)
        for device in devices:
            try:
                self.ask_one(device, self.kind_for(device, dice))
            except Refused as no:
                if no.status not in BUSY:
                    raise

    def work(self, dice):
        while not self.over.wait(0.02):
            try:
                self.ask(dice)
            except Refused as no:
                if no.status not in DOWN:
                    self.surprises.append(str(no))
            except (OSError, ValueError):
                pass  # nobody there, or not our answer

    def start(self):
        for one in self.people:
            one.start()

    def stop(self):
        self.over.set()
        for one in self.people:
            one.join(60)
            assert not one.is_alive()


class Waves:
    """Phones: each wave enrols, then works through sessions until it is stopped."""

    def __init__(self, house, admin, folder):
        self.house, self.admin, self.folder = house, admin, folder
        self.ledger = folder / "ledger"
        self.running, self.results = [], []
        (folder / "ca.pem").write_text(house.root_pem())

    def start(self):
        links = self.folder / f"links-{len(self.running)}"
        links.write_text("".join(f"{self.admin.link()}\n" for _ in range(PHONES + SPARE_LINKS)))
        leaving = ("--leave-after", LEAVE_AFTER) if len(self.running) % 2 else ()
        self.running.append(sim.Program(
            "apple", "load", "--link-file", links, "--devices", PHONES, "--connections", CONNECTIONS,
            "--seconds", 100000, "--patience", ENROL_PATIENCE, "--ca", self.folder / "ca.pem",
            "--ledger", self.ledger, "--locked-every", LOCKED_EVERY, *leaving))

    def stop(self):
        self.results = [wave.stop() for wave in self.running]
        return self.results

    def close(self):
        for wave in self.running:
            wave.__exit__()

    def has_heard(self, *messages):
        """Each of them was answered at least once."""
        return set(messages) <= {line.get("message") for line in self.lines() if line.get("status") == 200}

    def lines(self):
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


def kill_all(house, victims):
    """kill -9, then wait until everything is there again."""
    if "supervisor" in victims:  # the others die with it
        house.process.kill()
        house.process.wait()
        house.start()
        return
    pids = {one: wait_until(lambda one=one: house.pid_of(one), HEAL_SECONDS, f"{one} runs") for one in victims}
    for pid in pids.values():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            assert len(pids) > 1  # the other one has taken it along
    for one, pid in pids.items():
        wait_until(lambda one=one, pid=pid: house.pid_of(one) not in (None, pid), HEAL_SECONDS, f"a new {one}")
    house.wait_ready(HEAL_SECONDS)


def victims_of(count, dice):
    """Groups of parts that die together; each comes up about as often as the others, in no order."""
    chosen = []
    while len(chosen) < count:
        chosen += [(one,) for one in dice.sample(VICTIMS, len(VICTIMS))]
    return [one if dice.random() >= PAIR_SHARE else (*one, dice.choice([part for part in VICTIMS if part not in one]))
            for one in chosen[:count]]


def present(lines):
    """The devices that are enrolled, as they see it themselves."""
    found = {}
    for line in lines:
        if "left" in line or (line.get("message") == "TokenUpdate" and line["status"] == 200):
            found[line["device"]] = "left" not in line
    return {device for device, is_there in found.items() if is_there}


def is_drained(admin, waves):
    """What has left answers no more: an answer that was lost stays so. What is blocked does not now."""
    try:
        there = present(waves.lines())
        return not [one for device in admin.items("/devices?limit=1000")
                    if device["udid"] in there and device["enrolment_state"] != "blocked"
                    for one in admin.commands(device["id"]) if one["state"] in OPEN]
    except (OSError, ValueError, Refused):
        return False


def run(house, folder, count, seed):
    """Kill `count` parts; the Outcome."""
    dice = random.Random(seed)
    admin = Admin(house)
    admin.policy("Passcodes", {"password.min_length": 6})
    waves, storm = Waves(house, admin, folder), Storm(admin, seed)
    killed = victims_of(count, dice)
    try:
        storm.start()
        for number, victims in enumerate(killed):
            if number % -(-count // WAVES) == 0:
                waves.start()
            time.sleep(dice.uniform(*PAUSE))
            kill_all(house, victims)
        storm.is_late = True
        wait_until(lambda: not storm.missing(), HEAL_SECONDS, "each kind of command was asked for")
        wait_until(lambda: waves.has_heard("NotNow", "CheckOut"), HEAL_SECONDS, "something was put off, and somebody left")
        storm.stop()
        wait_until(lambda: is_drained(admin, waves), DRAIN_SECONDS, "every command came to its end")
        waves.stop()
        audit = admin.get("/audit/verification")
    finally:
        storm.over.set()
        waves.close()
    return Outcome(waves, storm, audit)


# ---- what must hold ----

class Outcome:
    def __init__(self, waves, storm, audit):
        self.results, self.lines = waves.results, waves.lines()
        self.asked, self.surprises, self.audit = storm.asked, storm.surprises, audit
        self.turned = storm.turned

    def __str__(self):
        """What there was to lose."""
        counts = collections.Counter(f"{line['message']} {line['status']}" for line in self.lines
                                     if line.get("message") not in (None, "Idle"))
        done = sum("executed" in line for line in self.lines)
        enrolled = sum(result["enrolled"] for result in self.results)
        errors = collections.Counter()
        for result in self.results:
            errors.update(result["errors"])
        asked = collections.Counter(self.asked.values())
        left = collections.Counter(line["left"] for line in self.lines if "left" in line)
        turned = collections.Counter(verb for _, verb in self.turned.elements())
        return f"enrolled {enrolled}, {dict(errors)}, asked {dict(asked)}, {dict(turned)}, left {dict(left)}, carried out {done}, {dict(counts)}, audit {self.audit['entries']}"

    def answered(self, *messages):
        """Lines of the ledger about messages that the server has taken."""
        return [line for line in self.lines if line.get("message") in messages and line["status"] == 200]


def query(house, sql):
    """Rows as dictionaries of texts, read past the server."""
    engine, _, where = next(option.partition("=")[2] for option in house.options
                            if option.startswith("server.database=")).partition(":")
    if engine == "postgres":
        told = dict(word.split("=", 1) for word in shlex.split(where))
        text = subprocess.run(["psql", "--csv", "-h", told["host"], "-U", told["user"], "-d",
                               told["dbname"], "-c", sql], capture_output=True, text=True, check=True).stdout
        return list(csv.DictReader(text.splitlines()))
    with sqlite3.connect(f"file:{house.data / 'db' / 'muster.db'}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        return [{key: "" if row[key] is None else str(row[key]) for key in row.keys()}
                for row in connection.execute(sql)]


def write(house, sql):
    """Past the server: what it keeps in memory is stale until the next change by itself."""
    where = next(option.partition("=")[2] for option in house.options if option.startswith("server.database="))
    if where.startswith("postgres:"):
        told = dict(word.split("=", 1) for word in shlex.split(where.removeprefix("postgres:")))
        subprocess.run(["psql", "-q", "-h", told["host"], "-U", told["user"], "-d", told["dbname"], "-c", sql],
                       check=True)
        return
    connection = sqlite3.connect(house.data / "db" / "muster.db", timeout=20)
    with connection:
        connection.execute(sql)
    connection.close()


@contextlib.contextmanager
def database_away(house):
    """PostgreSQL lets nobody in; SQLite's file is locked by somebody else who writes."""
    where = next(option.partition("=")[2] for option in house.options if option.startswith("server.database="))
    if not where.startswith("postgres:"):
        connection = sqlite3.connect(house.data / "db" / "muster.db", timeout=20, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()
        return
    told = dict(word.split("=", 1) for word in shlex.split(where.removeprefix("postgres:")))
    name = told["dbname"]

    def say(*lines):
        words = [word for line in lines for word in ("-c", line)]
        subprocess.run(["psql", "-q", "-h", told["host"], "-U", told["user"], "-d", "postgres", *words], check=True,
                       stdout=subprocess.DEVNULL)

    say(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        say(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


ENROLMENTS = "SELECT e.id FROM enrolment e JOIN device d ON d.id = e.device_id WHERE d.udid = '%s'"


def wakes(house, udid):
    """Pushes that are due, now or later."""
    return query(house, f"SELECT due_at FROM job WHERE kind = 'wake' AND subject IN ({ENROLMENTS % udid})")


def check_enrolments(house, outcome):
    """Who was told to be enrolled is, unless it has left; who began has come to the end."""
    active = {row["udid"] for row in query(
        house, "SELECT d.udid FROM enrolment e JOIN device d ON d.id = e.device_id "
        "WHERE e.state IN ('active', 'blocked') AND e.push_token IS NOT NULL")}
    there = present(outcome.lines)
    assert there <= active, f"lost: {there - active}"
    told = outcome.answered("TokenUpdate")
    met = {line["device"] for line in outcome.answered("Authenticate")}
    stuck = met - {line["device"] for line in told}
    assert not stuck, f"stuck: {stuck}"
    assert sum(result["enrolled"] for result in outcome.results) == len(told) > 0
    unbound = query(house, "SELECT count(*) AS count FROM enrolment WHERE state = 'pending' AND device_id IS NOT NULL")
    assert unbound[0]["count"] == "0", "an enrolment is stuck"


def check_departures(house, outcome):
    """A departure happens whole or not at all, and reaches only the enrolment that it was meant for."""
    rows = {row["id"]: row for row in query(
        house, "SELECT e.id, e.state, e.ended_at, d.udid, "
        "(SELECT count(*) FROM command c WHERE c.enrolment_id = e.id AND c.kind IN ('wipe', 'retire')) AS asked, "
        "(SELECT count(*) FROM certificate k WHERE k.enrolment_id = e.id AND k.der IS NOT NULL"
        " AND k.revoked_at IS NULL) AS valid, "
        "(SELECT count(*) FROM certificate k WHERE k.enrolment_id = e.id AND k.state = 'held') AS held, "
        "(SELECT count(*) FROM challenge h WHERE h.enrolment_id = e.id AND h.state = 'delivered') AS open, "
        "(SELECT count(*) FROM certificate k WHERE k.enrolment_id = e.id AND k.revoked_at IS NOT NULL) AS revoked "
        "FROM enrolment e JOIN device d ON d.id = e.device_id")}
    for row in rows.values():
        is_present = row["state"] in PRESENT
        is_blocked = row["state"] == "blocked"
        assert (is_present and not is_blocked) == (row["valid"] != "0"), f"its certificate does not fit: {row}"
        assert is_blocked == (row["held"] != "0"), f"held, but not blocked, or the other way round: {row}"
        assert is_present or row["revoked"] != "0", row
        assert row["open"] == "0" or row["state"] in ("pending", "active"), f"a challenge is open: {row}"
        assert not (is_present and row["asked"] != "0"), f"asked to leave, and half done: {row}"
        assert row["state"] not in ("wiping", "retiring") or row["asked"] != "0", f"nobody asked for it: {row}"
    ended = collections.Counter(row["udid"] for row in rows.values() if row["ended_at"])
    for row in query(house, "SELECT d.udid, r.count FROM refusal r JOIN enrolment e ON e.id = r.peer "
                     "JOIN device d ON d.id = e.device_id WHERE r.kind = 'device.left_while_blocked'"):
        ended[row["udid"]] += int(row["count"])  # noted, and shut out all the same
    farewells = collections.Counter(line["device"] for line in outcome.answered("CheckOut"))
    lost = {device for device in farewells if farewells[device] > ended[device]}
    assert not lost, f"has left, and the server does not know it: {lost}"


def check_turnings(house, outcome):
    """Each block and unblock that was promised has happened, and the last one holds."""
    last, counts = {}, collections.Counter()
    for row in query(house, "SELECT action, subject_id, body FROM audit WHERE action IN ('device.block', "
                     "'device.unblock') ORDER BY position"):
        verb = row["action"].partition(".")[2]
        counts[row["subject_id"], verb] += 1
        last[json.loads(row["body"])["enrolment"]] = verb
    assert outcome.turned <= counts, f"promised by the API and lost: {outcome.turned - counts}"
    states = {row["id"]: row["state"] for row in query(house, "SELECT id, state FROM enrolment")}
    for enrolment, verb in last.items():
        assert verb == "block" or states[enrolment] != "blocked", enrolment
        assert verb == "unblock" or states[enrolment] not in ("pending", "active"), enrolment


def check_certificates(house):
    """No certificate without its entry in the audit and its place in the trace, and none of these without it."""
    rows = query(house, "SELECT k.id, k.state, (k.der IS NOT NULL) AS made, "
                 "(SELECT count(*) FROM audit a WHERE a.action = 'certificate.issue' AND a.subject_id = k.id) AS audited, "
                 "(SELECT count(*) FROM certificate_step s WHERE s.challenge_id = k.challenge_id AND s.step = 6"
                 " AND s.outcome = 'ok') AS traced FROM certificate k")
    for row in rows:
        wanted = "1" if row["made"] in ("1", "t") else "0"
        assert (row["audited"], row["traced"]) == (wanted, wanted), row
    [audited] = query(house, "SELECT count(*) AS count FROM audit WHERE action = 'certificate.issue'")
    assert sum(int(row["audited"]) for row in rows) == int(audited["count"]) > 0


def check_lives(house, outcome):
    """Whoever comes again after a departure is given nothing that was meant for the time before."""
    meant = {row["id"]: row["enrolment_id"] for row in query(house, "SELECT id, enrolment_id FROM command")}
    lives = collections.defaultdict(lambda: [set()])
    wipes = collections.Counter()
    for line in outcome.lines:
        if "executed" in line:
            lives[line["device"]][-1].add(meant[line["executed"]])
            wipes[meant[line["executed"]]] += line["request_type"] == "EraseDevice"
        if "left" in line:
            lives[line["device"]].append(set())
    for device, several in lives.items():
        assert max(map(len, several)) <= 1, f"{device}: commands of two enrolments in one life: {several}"
        known = [one for life in several for one in life]
        assert len(known) == len(set(known)), f"{device}: commands of one enrolment in two lives: {several}"
    assert wipes and max(wipes.values()) <= 1, f"wiped twice: {wipes}"


def check_commands(house, outcome):
    """Every promise and every answer is in the database, and nothing was carried out twice."""
    rows = {row["id"]: row for row in query(
        house, "SELECT c.id, c.kind, c.state, c.delivered_at, c.finished_at, d.udid FROM command c "
        "JOIN enrolment e ON e.id = c.enrolment_id JOIN device d ON d.id = e.device_id")}
    missing = [name for name in outcome.asked if name not in rows]
    assert not missing, f"promised by the API and lost: {missing}"
    codes = {line["executed"]: line["code"] for line in outcome.lines if "executed" in line}
    for message, states in {"Acknowledged": ("applied", "verified"), "Error": ("failed",)}.items():
        for line in outcome.answered(message):
            row = rows[line["uuid"]]
            # a newer one or a departure may have taken its place while the device was at it
            is_over = row["state"] in TAKEN_BACK and int(row["finished_at"]) <= line["at"]
            # nothing was there to be removed: what was wanted holds
            is_gone = (row["kind"] == "remove_item" and row["state"] == "applied"
                       and codes[row["id"]] == PROFILE_NOT_INSTALLED)
            assert row["state"] in states or is_over or is_gone, (line, row)
            assert row["finished_at"] and row["udid"] == line["device"], (line, row)
    done = collections.Counter(line["executed"] for line in outcome.lines if "executed" in line)
    assert done, "no device has done anything"
    assert max(done.values()) == 1, [name for name, times in done.items() if times > 1]
    for name in done:
        assert rows[name]["delivered_at"], f"done and never delivered: {name}"
    for line in outcome.answered("NotNow"):
        row = rows[line["uuid"]]
        assert row["udid"] == line["device"], (line, row)
        assert line["uuid"] in done or row["state"] in (*OPEN, *TAKEN_BACK), f"put off and forgotten: {row}"


def check(house, outcome):
    """house: stopped, so that nothing moves any more."""
    assert not outcome.surprises, outcome.surprises
    assert outcome.audit["is_intact"], outcome.audit
    assert outcome.audit["entries"] > 0
    check_enrolments(house, outcome)
    check_commands(house, outcome)
    check_departures(house, outcome)
    check_turnings(house, outcome)
    check_certificates(house)
    check_lives(house, outcome)
