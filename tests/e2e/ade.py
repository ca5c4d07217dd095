# SPDX-License-Identifier: Apache-2.0
"""The simulated enrolment service of Apple, and a house that knows it."""
import json
import pathlib
import ssl
import urllib.parse
import urllib.request

import sim
from house import wait_until

SERVICE = "/apple/enrolment-service"


class Service(sim.Program):
    """With an authority of its own in `directory`, for its TLS and for devices."""

    def __init__(self, directory, *words):
        self.directory = pathlib.Path(directory)
        if not (self.directory / "ca.pem").exists():
            sim.run("enrolment-service", "authority", "--dir", self.directory)
        super().__init__("enrolment-service", "--dir", self.directory, "--port", 0, *words)
        ready = self.line()
        self.url, self.port = ready["url"], ready["port"]
        self.ca = self.directory / "ca.pem"
        self.device_ca = self.directory / "device-root.pem"
        self.context = ssl.create_default_context(cafile=str(self.ca))

    def settings(self):
        return [f"apple.enrolment_service_url={self.url}", f"apple.enrolment_service_ca_file={self.ca}",
                f"apple.device_ca_file={self.device_ca}"]

    def token(self, public_key, **options):
        """The file that Apple would give out for this public key."""
        key, out = self.directory / "public.pem", self.directory / "token.p7m"
        key.write_text(public_key)
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        sim.run("enrolment-service", "token", "--dir", self.directory, "--cert", key, "--out", out, *words)
        return out.read_text()

    def ask(self, method, where, body=None, **query):
        url = f"{self.url}/sim{where}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        content = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(url, method=method, data=content)
        with urllib.request.urlopen(request, timeout=30, context=self.context) as reply:
            return json.load(reply)

    def add(self, *serials, **more):
        self.ask("POST", "/devices", {"devices": [{"serial_number": one, **more} for one in serials]})

    def remove(self, serial):
        self.ask("POST", "/remove", serial=serial)

    def answer(self, path, status, word="", times=1, **more):
        """The next calls of this path are answered so."""
        self.ask("POST", "/answer", path=path, status=status, word=word, times=times, **more)

    def expire(self, **what):
        self.ask("POST", "/expire", **what)

    def books(self):
        return self.ask("GET", "/books")

    def device(self, serial):
        return next((one for one in self.books()["devices"] if one["serial_number"] == serial), None)

    def calls(self, path=None):
        return [one for one in self.books()["calls"] if path in (None, one["path"])]


def connect(admin, service, **options):
    """Key, token, and the first look at the service."""
    key = admin.ask("POST", SERVICE + "/public-key")["public_key"]
    admin.ask("PUT", SERVICE + "/token", {"token": service.token(key, **options)})
    wait_until(lambda: admin.get(SERVICE)["synced_at"], 30, "the first look at the service")


def sync(admin):
    """Look there now; the state after that."""
    before = admin.get(SERVICE)["tried_at"]
    wait_until(lambda: not before or before < wall(), 3, "another second")
    admin.ask("POST", SERVICE + "/sync")
    wait_until(lambda: admin.get(SERVICE)["tried_at"] != before, 30, "a look at the service")
    return admin.get(SERVICE)


def wall():
    import datetime
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def known(admin):
    """serial -> what the house knows of it"""
    return {one["serial"]: one for one in admin.items(SERVICE + "/devices?limit=1000")}


def profile(admin, name, **settings):
    return admin.ask("PUT", f"{SERVICE}/profiles/{urllib.parse.quote(name)}", settings)
