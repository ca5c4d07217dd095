# SPDX-License-Identifier: Apache-2.0
"""One server works on a database: a second one is refused, says why, and takes over afterwards."""
import fcntl
import os
import shutil
import signal
import subprocess
import time

import pytest

from house import House, wait_until

pytestmark = pytest.mark.e2e

PATIENCE = "server.claim_seconds=2"


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request, tmp_path_factory):
    """The URL of one database for two houses."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres")()
    return f"sqlite:{tmp_path_factory.mktemp('shared')}/one.db"


@pytest.fixture
def first(shared):
    house = House(shared, settings=[PATIENCE])
    house.start()
    yield house
    house.close()


def with_keys_of(house, other):
    """A database has one authority: who takes it over brings its keys."""
    house.data.mkdir()
    shutil.copytree(other.data / "keys", house.data / "keys")
    return house


@pytest.fixture
def second(shared, first):
    house = with_keys_of(House(shared, settings=[PATIENCE]), first)
    yield house
    house.close()


def refusal_of(house):
    """Exit status of a start that must not succeed."""
    with open(house.log, "ab") as log:
        house.process = subprocess.Popen(house.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    status = house.process.wait(60)
    house.process = None
    return status


def test_a_second_server_is_refused_and_takes_over_when_the_first_is_gone(first, second):
    assert refusal_of(second) == 1
    said = second.log_text()
    assert "server.start" in said and "kind=conflict" in said
    assert "another musterd works on" in said and "remedy=" in said
    # told once and not tried again: the reason is among the last lines
    assert said.count("server.start") == 1 and said.count("supervisor.started child=server") == 1
    assert "supervisor.refused" in said
    assert first.get("/readyz")[0] == 200
    first.process.kill()  # the children die with it
    first.process.wait()
    first.process = None
    second.start()
    assert second.get("/readyz")[0] == 200


def test_a_second_server_that_waits_takes_over_by_itself(shared, first):
    one = with_keys_of(House(shared, settings=["server.claim_seconds=60"]), first)
    try:
        with open(one.log, "ab") as log:
            one.process = subprocess.Popen(one.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: "server.claim-waits" in one.log_text(), 30, "waiting for the claim")
        assert first.stop() == 0
        one.wait_ready(60)
    finally:
        one.close()


def psql(url, sql):
    options = dict(word.split("=") for word in url.removeprefix("postgres:").split())
    done = subprocess.run(["psql", "-h", options["host"], "-U", options["user"], "-d", options["dbname"], "-Atc", sql],
                          check=True, capture_output=True, text=True)
    return done.stdout.strip()


HOLDER = ("SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
          " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()")


@pytest.fixture
def on_postgres(postgres):
    house = House(postgres(), settings=[PATIENCE])
    house.url = next(word for word in house.options if word.startswith("server.database=")).partition("=")[2]
    house.start()
    yield house
    house.close()


def test_a_lost_claim_is_regained_in_place(on_postgres):
    server = on_postgres.pid_of("server")
    assert psql(on_postgres.url, HOLDER) == "1"
    wait_until(lambda: "server.claim-regained" in on_postgres.log_text(), 30, "the claim")
    assert "server.claim-lost" in on_postgres.log_text()
    on_postgres.wait_ready(30)
    assert on_postgres.pid_of("server") == server
    assert psql(on_postgres.url, HOLDER) == "1"  # it holds one again


def test_a_server_whose_place_is_taken_stops_and_says_so(on_postgres):
    other = with_keys_of(House(on_postgres.url, settings=["server.claim_seconds=60"]), on_postgres)
    server = on_postgres.pid_of("server")
    try:
        with open(other.log, "ab") as log:
            other.process = subprocess.Popen(other.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: "server.claim-waits" in other.log_text(), 30, "waiting for the claim")
        os.kill(server, signal.SIGSTOP)  # it cannot be quicker
        assert psql(on_postgres.url, HOLDER) == "1"
        other.wait_ready(60)
        os.kill(server, signal.SIGCONT)
        assert on_postgres.process.wait(60) == 1
        on_postgres.process = None
        said = on_postgres.log_text()
        assert "server.claim-lost" in said and "supervisor.refused" in said
        assert said.count("another musterd works on this database") >= 1
        assert said.count("supervisor.started child=server") == 1
        time.sleep(0.2)
        assert other.get("/readyz")[0] == 200
    finally:
        other.close()


def test_an_administrator_is_not_made_by_migrating_under_a_server(tmp_path):
    house = House(f"sqlite:{tmp_path}/one.db")
    words = house.command("admin", "anna")
    try:
        with open(tmp_path / "one.db.lock", "w") as lock:  # what a server's claim is
            fcntl.flock(lock, fcntl.LOCK_EX)
            refused = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1 and not refused.stdout
        assert "of an earlier version" in refused.stderr and "restart the server" in refused.stderr
        assert subprocess.run(words, capture_output=True, timeout=60).returncode == 0
        with open(tmp_path / "one.db.lock", "w") as lock:  # nothing to migrate: beside a server
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert subprocess.run(words, capture_output=True, timeout=60).returncode == 0
    finally:
        house.close()
