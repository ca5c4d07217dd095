# SPDX-License-Identifier: Apache-2.0
"""An administrator of a house, over the REST API."""
import json
import subprocess

from described import API, description_of
from house import wait_until

PASSWORD = "correct horse battery staple"


class Refused(Exception):
    """The API said no; `status` and the problem document."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem.get('detail', problem)}")
        self.status, self.problem = status, problem


class Admin:
    def __init__(self, house, name="admin"):
        self.house = house
        self.token = None
        made = subprocess.run(house.command("admin", name), capture_output=True, text=True,
                              check=True, timeout=60)
        once = made.stdout.strip()
        self.token = self.post("/sessions", name=name, password=once, new_password=PASSWORD)["token"]

    def ask(self, method, path, body=None, headers=None):
        """What is sent and what is answered has to fit the house's own description."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        content = None if body is None else json.dumps(body)
        status, _, answer = self.house.get(API + path, method=method, body=content, headers=sent,
                                           timeout=30)
        result = json.loads(answer) if answer else None
        description_of(self.house).check(method, path, body, status, result)
        if status >= 300:
            raise Refused(status, result or {})
        return result

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **body):
        return self.ask("POST", path, body)

    def items(self, path):
        return self.get(path)["items"]

    # ---- devices ----

    def link(self, **wish):
        return self.post("/enrolment-links", **wish)["url"]

    def device(self, which):
        return self.get(f"/devices/{which}")

    def command(self, which, kind, **parameters):
        return self.post(f"/devices/{which}/commands", kind=kind, **parameters)

    def commands(self, which, kind=None):
        """Newest first."""
        found = self.items(f"/devices/{which}/commands?limit=1000")
        return [one for one in found if kind in (None, one["kind"])]

    def facts(self, which):
        return {one["name"]: one["value"] for one in self.items(f"/devices/{which}/facts")}

    def events(self, which, kind=None):
        found = self.items(f"/devices/{which}/events?limit=1000")
        return [one for one in found if kind in (None, one["kind"])]

    def delivered(self, which):
        """item -> {state, hash, wanted_hash, ...}"""
        return {one["item"]: one for one in self.get(f"/devices/{which}/effective")["items"]}

    def compliance(self, which):
        return self.get(f"/devices/{which}/compliance")["state"]

    # ---- policies ----

    def policy(self, name, settings, kind="configuration", target="all", device=None):
        made = self.post("/policies", name=name, kind=kind, settings=settings)
        wish = {"target": "device", "device_id": device} if device else {"target": target}
        self.post(f"/policies/{made['id']}/assignments", **wish)
        return made["id"]

    def change(self, policy, settings):
        return self.ask("PUT", f"/policies/{policy}", {"settings": settings})

    def drop(self, policy):
        self.ask("DELETE", f"/policies/{policy}")

    def wait_planned(self, which, item, seconds=15):
        """Until an item of the device waits to be delivered."""
        return wait_until(lambda: self.delivered(which).get(item, {}).get("state") in
                          ("queued", "sent") and self.delivered(which)[item], seconds, f"{item} planned")
