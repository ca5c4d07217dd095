# SPDX-License-Identifier: Apache-2.0
"""Yesterday's database comes back: devices that it knows go on, and no device is made to leave."""
import json
import shutil
import subprocess

import pytest
from cryptography import x509

import sim
from admin import Admin
from house import House
from phones import bring_push_certificate, new_phone, push_settings, types

pytestmark = pytest.mark.pki


class Backup:
    """A copy of the database, made while the house is stopped."""

    def __init__(self, house, url, folder):
        self.house, self.file = house, folder / "backup"
        self.info = url.partition("postgres:")[2]

    def make(self):
        if not self.info:
            shutil.copy(self.house.data / "db" / "muster.db", self.file)
            return
        subprocess.run(["pg_dump", "--clean", "--if-exists", "-f", self.file, self.info], check=True)

    def bring_back(self):
        if not self.info:
            for one in (self.house.data / "db").glob("muster.db*"):
                one.unlink()
            shutil.copy(self.file, self.house.data / "db" / "muster.db")
            return
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", self.file, self.info], check=True,
                       stdout=subprocess.DEVNULL)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def phone_of(house, admin, folder, name):
    phone = new_phone(house, folder / name)
    phone.enrol(admin.link(), name=name)
    phone.check_in()
    return phone


def test_restoring_a_backup_unenrols_no_device(database, apns, folder):
    house = House(database, push_settings(apns))
    try:
        house.start()
        admin = Admin(house)
        bring_push_certificate(admin, apns, folder)
        known = phone_of(house, admin, folder, "known")
        house.stop()
        backup = Backup(house, database, folder)
        backup.make()
        house.start()
        late = phone_of(house, admin, folder, "late")
        house.stop()
        backup.bring_back()
        house.start()
        for _ in range(3):
            with pytest.raises(sim.Failed) as refused:
                late.check_in()
            assert "403" in refused.value.result["error"]
        assert {one["status"] for one in late.misbehave("replay-tokenupdate", "unknown-uuid-result")} == {403}
        assert late.show()["enrolment"]["status"] == "enrolled"
        certificate = x509.load_pem_x509_certificate((late.directory / "identity.pem").read_bytes())
        [refused] = [one for one in admin.items("/refusals?limit=1000") if one["kind"] == "device.unknown"]
        assert refused["count"] >= 5 and f"{certificate.serial_number:x}" in json.dumps(refused["detail"]).lower()
        events = [one for one in admin.items("/events?limit=1000") if one["kind"] == "device.unknown"]
        assert events and f"{certificate.serial_number:x}" in json.dumps(events[0]["body"]).lower()
        admin.command("known", "lock", message="hello")
        assert types(known.check_in()) == ["DeviceLock"]
        assert known.misbehave("replay-tokenupdate")[0]["status"] == 200
        assert [one["name"] for one in admin.items("/devices")] == ["known"]
        link = admin.link()
        late.enrol(link, name="late")  # as any other that is not enrolled
        assert late.check_in()["enrolled"]
    finally:
        house.close()
