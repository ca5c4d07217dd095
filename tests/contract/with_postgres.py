#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run a command against a throw-away PostgreSQL.

    with_postgres.py [--fsync] [--] command argument ...

The command gets `postgres:<conninfo>` as its last argument; its exit status is ours.  The server
lives in a temporary directory, listens on a unix socket only and is gone afterwards.  When it
cannot be started this fails with status 1: a database that is not there must not look like a
test that was skipped.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 60
STOP_SECONDS = 20
FAST = ["-c", "fsync=off", "-c", "full_page_writes=off"]


def server_user():
    """PostgreSQL refuses to run as root: nobody then, else whoever we are."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def run_as(user):
    if os.getuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def initdb(folder, user):
    subprocess.run(
        [BIN / "initdb", "-D", folder / "data", "-U", "muster", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"],
        check=True, cwd=folder, stdout=subprocess.DEVNULL, **run_as(user))


def start(folder, user, options):
    log = open(folder / "log", "wb")
    return subprocess.Popen(
        [BIN / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
         "-c", "max_connections=200", "-c", "shared_buffers=32MB", *options],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **run_as(user))


def wait_until_ready(folder, server):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        ready = subprocess.run([BIN / "pg_isready", "-q", "-h", folder, "-U", "muster"],
                               check=False)
        if ready.returncode == 0:
            return True
        time.sleep(0.05)
    sys.stderr.write((folder / "log").read_text(errors="replace"))
    return False


def stop(server):
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # fast shutdown: sessions are cut off
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def with_server(folder, options, command):
    user = server_user()
    if os.getuid() == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
    initdb(folder, user)
    server = start(folder, user, options)
    try:
        if not wait_until_ready(folder, server):
            return 1
        url = f"postgres:host={folder} user=muster dbname=postgres"
        return subprocess.run([*command, url], check=False).returncode
    finally:
        stop(server)


def main(arguments):
    options = FAST
    if arguments[:1] == ["--fsync"]:
        options, arguments = [], arguments[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        sys.exit(__doc__)
    # A terminated test run must not leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # A path of our own choosing: sockets allow 107 bytes, and TMPDIR may be closed to others.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-pg-", dir="/tmp"))
    try:
        status = with_server(folder, options, arguments)
    except (OSError, KeyError, subprocess.CalledProcessError) as problem:
        print(f"with_postgres.py: {problem}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
