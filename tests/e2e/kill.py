# SPDX-License-Identifier: Apache-2.0
"""Kill parts of a house at random while devices and people use it; then hold their ledgers against
the database: what was acknowledged must be there, and nothing may have happened twice."""
import collections
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
KINDS = ("sync", "lock", "restart")
WAVES = 6  # of phones that enrol while parts die
PHONES, CONNECTIONS = 4, 2  # of one wave
ASKERS = 3
ENROL_PATIENCE = 120  # seconds
HEAL_SECONDS = 90  # after a kill, on a busy machine with sanitizers
DRAIN_SECONDS = 120
PAUSE = (0.1, 1.2)  # seconds of work between two kills: an enrolment takes less than one
OPEN = ("queued", "sent", "delivered")
PROFILE_NOT_INSTALLED = 12075
DOWN = {502, 503, 504}  # what people hear while a part is away
BUSY = {409, 412, 428}  # and of a command that waits already


# ---- what happens ----

class Storm:
    """People who ask for commands all the time; `asked` are those that the API has promised."""

    def __init__(self, admin, seed):
        self.admin = admin
        self.over = threading.Event()
        self.asked, self.surprises = [], []
        self.people = [threading.Thread(target=self.work, args=(random.Random(seed + number),), daemon=True)
                       for number in range(ASKERS)]

    def ask(self, dice):
        devices = self.admin.items("/devices?limit=1000")
        dice.shuffle(devices)
        for device in devices:
            try:
                made = self.admin.command(device["id"], dice.choice(KINDS))
            except Refused as no:
                if no.status not in BUSY:
                    raise
            else:
                self.asked += [made["id"]] if made.get("id") else []

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
        links.write_text("".join(f"{self.admin.link()}\n" for _ in range(PHONES)))
        self.running.append(sim.Program(
            "apple", "load", "--link-file", links, "--devices", PHONES, "--connections", CONNECTIONS,
            "--seconds", 100000, "--patience", ENROL_PATIENCE, "--ca", self.folder / "ca.pem",
            "--ledger", self.ledger))

    def stop(self):
        self.results = [wave.stop() for wave in self.running]
        return self.results

    def close(self):
        for wave in self.running:
            wave.__exit__()

    def lines(self):
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


def kill_one(house, victim):
    """kill -9, then wait until everything is there again."""
    if victim == "supervisor":
        house.process.kill()
        house.process.wait()
        house.start()
        return
    pid = wait_until(lambda: house.pid_of(victim), HEAL_SECONDS, f"{victim} runs")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: house.pid_of(victim) not in (None, pid), HEAL_SECONDS, f"a new {victim}")
    house.wait_ready(HEAL_SECONDS)


def victims_of(count, dice):
    """Each kind comes up as often as the others, in no order."""
    chosen = []
    while len(chosen) < count:
        chosen += dice.sample(VICTIMS, len(VICTIMS))
    return chosen[:count]


def open_commands(admin):
    return [one for device in admin.items("/devices?limit=1000")
            for one in admin.commands(device["id"]) if one["state"] in OPEN]


def is_drained(admin):
    try:
        return not open_commands(admin)
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
        for number, victim in enumerate(killed):
            if number % -(-count // WAVES) == 0:
                waves.start()
            time.sleep(dice.uniform(*PAUSE))
            kill_one(house, victim)
        wait_until(lambda: storm.asked, HEAL_SECONDS, "a command was asked for")
        storm.stop()
        wait_until(lambda: is_drained(admin), DRAIN_SECONDS, "every command came to its end")
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

    def __str__(self):
        """What there was to lose."""
        counts = collections.Counter(f"{line['message']} {line['status']}" for line in self.lines
                                     if line.get("message") not in (None, "Idle"))
        done = sum("executed" in line for line in self.lines)
        enrolled = sum(result["enrolled"] for result in self.results)
        errors = collections.Counter()
        for result in self.results:
            errors.update(result["errors"])
        return f"enrolled {enrolled}, {dict(errors)}, asked {len(self.asked)}, carried out {done}, {dict(counts)}, audit {self.audit['entries']}"

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


def check_enrolments(house, outcome):
    """Who was told to be enrolled is; who began has come to the end."""
    active = {row["udid"] for row in query(
        house, "SELECT d.udid FROM enrolment e JOIN device d ON d.id = e.device_id "
        "WHERE e.state = 'active' AND e.push_token IS NOT NULL")}
    told = {line["device"] for line in outcome.answered("TokenUpdate")}
    met = {line["device"] for line in outcome.answered("Authenticate")}
    assert told <= active, f"lost: {told - active}"
    assert met <= told, f"stuck: {met - told}"
    enrolled = sum(result["enrolled"] for result in outcome.results)
    assert enrolled == len(told) and enrolled > 0
    unbound = query(house, "SELECT count(*) AS count FROM enrolment WHERE state = 'pending' AND device_id IS NOT NULL")
    assert unbound[0]["count"] == "0", "an enrolment is stuck"


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
            # a newer one may have taken its place while the device was at it
            is_over = row["state"] == "superseded" and int(row["finished_at"]) <= line["at"]
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


def check(house, outcome):
    """house: stopped, so that nothing moves any more."""
    assert not outcome.surprises, outcome.surprises
    assert outcome.audit["is_intact"], outcome.audit
    assert outcome.audit["entries"] > 0
    check_enrolments(house, outcome)
    check_commands(house, outcome)
