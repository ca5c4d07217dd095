# SPDX-License-Identifier: Apache-2.0
"""Simulated devices and the simulated APNs for end-to-end tests: a thin layer over muster-sim."""
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("MUSTER_BUILD", "build/test")
PROGRAM = BUILD / "src" / "sim" / "muster-sim"


class Failed(Exception):
    """muster-sim said no; `result` is what it printed."""

    def __init__(self, result):
        super().__init__(result.get("error", "muster-sim failed"))
        self.result = result


def run(*words, timeout=120):
    """One subcommand; its JSON result, or Failed."""
    done = subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=timeout)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"muster-sim {' '.join(map(str, words))}: {done.returncode}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    if done.returncode != 0:
        raise Failed(result)
    return result


def make_keys(directory, count=8):
    """Fill a key pool; what is there stays."""
    run("keys", "--out", directory, "--count", count)
    return directory


def _options(options):
    for name, value in options.items():
        if value is None or value is False:
            continue
        yield "--" + name.replace("_", "-")
        if value is not True:
            yield str(value)


class Phone:
    """A simulated iPhone in its directory."""

    def __init__(self, directory, ca=None, keys=None, push_host=None):
        self.directory = pathlib.Path(directory)
        self.common = {"ca": ca, "keys": keys, "push_host": push_host}

    def enrol(self, link, **options):
        """By link; options as of `muster-sim apple enrol`: name, model, os, passcode, scep_misbehave, ..."""
        return run("apple", "enrol", "--link", link, "--state", self.directory,
                   *_options({**self.common, **options}))

    def check_in(self, **options):
        """One management session: {"commands": [...], "messages": [...], "enrolled": ...}."""
        return run("apple", "checkin", "--state", self.directory, *_options(options))

    def misbehave(self, *scripts):
        """What the server answered to each script: [{"script", "message", "status"}]."""
        return run("apple", "checkin", "--state", self.directory, "--misbehave", ",".join(scripts))["misbehaviour"]

    def remove_management(self):
        return run("apple", "checkout", "--state", self.directory)

    def set(self, values=None, **device):
        """phone.set({"passcode.length": 8}, locked=True)"""
        pairs = {**(values or {}), **device}
        words = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in pairs.items()]
        return run("apple", "set", "--state", self.directory, *words)["model"]

    def show(self):
        return run("apple", "show", "--state", self.directory)

    @property
    def udid(self):
        return self.show()["model"]["device"]["udid"]

    def executed(self):
        """[(command uuid, request type)] of all that was carried out."""
        return [(line["executed"], line["request_type"]) for line in self.show()["ledger"] if "executed" in line]


class Program:
    """A subcommand that runs on: serve, load, hold, apns. Use as a context."""

    def __init__(self, *words):
        self.process = subprocess.Popen([str(PROGRAM), *map(str, words)], stdout=subprocess.PIPE, text=True)

    def line(self):
        return json.loads(self.process.stdout.readline())

    def stop(self):
        """Ends it; its result."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        rest = self.process.communicate(timeout=60)[0]
        return json.loads(rest.splitlines()[-1]) if rest else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Apns(Program):
    """The simulated APNs with its own authority in `directory`."""

    def __init__(self, directory, *words):
        self.directory = pathlib.Path(directory)
        if not (self.directory / "ca.pem").exists():
            run("apns", "authority", "--dir", self.directory)
        super().__init__("apns", "--dir", self.directory, *(() if "--port" in words else ("--port", 0)), *words)
        ready = self.line()
        self.url, self.control_url, self.port = ready["url"], ready["control_url"], ready["port"]
        self.ca = self.directory / "ca.pem"

    def sign(self, csr, topic, out):
        """A push certificate from a request, as Apple's portal would make it."""
        run("apns", "sign", "--dir", self.directory, "--csr", csr, "--topic", topic, "--out", out)
        return out

    def _ask(self, method, path, **query):
        url = f"{self.control_url}{path}?{urllib.parse.urlencode(query)}" if query else self.control_url + path
        request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def pushes(self, token=None, status=None):
        """Of one device, answered so: [{"at", "token", "magic", "status", "reason", ...}]"""
        found = self._ask("GET", "/sim/pushes")["pushes"]
        return [push for push in found
                if token in (None, push.get("token")) and status in (None, push["status"])]

    def count(self):
        """{"pushes", "statuses", "connections", "connections_most", "streams", "streams_most"}"""
        return self._ask("GET", "/sim/count")

    def accept_certificates(self, accepts):
        """False: push certificates count as revoked."""
        self._ask("POST", "/sim/certificates", accept=int(accepts))

    def answer(self, status, reason, token=None, times=1, timestamp=None, retry_after=None):
        """What the next pushes are answered; times 0: as they deserve again."""
        query = {"status": status, "reason": reason, "times": times, "token": token, "timestamp": timestamp,
                 "retry_after": retry_after}
        self._ask("POST", "/sim/answer", **{key: value for key, value in query.items() if value is not None})

    def goaway(self):
        self._ask("POST", "/sim/goaway")

    def wait_for_push(self, token, seconds=10):
        """True once a push for this token was taken."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.pushes(token, 200):
                return True
            time.sleep(0.1)
        return False
