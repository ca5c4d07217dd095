# SPDX-License-Identifier: Apache-2.0
"""From a checkout to a service, and from a backup back to one, by the words of the guide."""
import os
import re
import shutil
import subprocess

import pytest

from admin import PASSWORD, Admin
from house import BUILD, ROOT, House
from test_cli import Muster

pytestmark = pytest.mark.e2e

IS_ROOT = os.geteuid() == 0
GUIDE = ROOT / "docs" / "guide"
ACCOUNTS = {"muster": "nobody", "muster-keyd": "daemon", "muster-edge": "www-data"}  # who is there everywhere


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **options)
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The tree that `meson install` makes; its prefix."""
    place = tmp_path_factory.mktemp("installed")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", place)
    return place / "usr" / "local"


def test_what_the_guide_names_is_installed(installed):
    page = (GUIDE / "install.md").read_text()
    named = {path for path in re.findall(r"/usr/local(/[\w./-]+[\w])", page)}
    assert len(named) >= 5
    for path in named:
        assert (installed / path.lstrip("/")).exists(), path
    for path in ("sbin/musterd", "bin/muster", "lib/systemd/system/musterd.service"):
        assert (installed / path).exists(), path


def test_the_unit_is_one(installed, tmp_path):
    text = (installed / "lib/systemd/system/musterd.service").read_text()
    assert "ExecStart=/usr/local/sbin/musterd run" in text
    unit = tmp_path / "musterd.service"
    unit.write_text(text.replace("/usr/local", str(installed)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                          timeout=60, check=False)
    complaints = [line for line in done.stderr.splitlines() if "musterd.service" in line]
    assert done.returncode == 0 and not complaints, done.stderr


def test_the_accounts_are_those_of_the_configuration(installed):
    made = re.findall(r"^u (\S+)", (installed / "lib/sysusers.d/muster.conf").read_text(), re.M)
    wanted = re.findall(r"^(?:user|keyd_user|edge_user) = (\S+)",
                        (installed / "share/doc/muster/examples/musterd.conf").read_text(), re.M)
    assert made == wanted == list(ACCOUNTS)


class Service(House):
    """A house that is started with a file of configuration, as the unit does."""

    def __init__(self, program, file):
        super().__init__()
        self.program, self.file = program, file

    def command(self, *words):
        return [self.program, *(words or ["run"]), "--config", self.file]


def test_the_first_configuration_makes_a_server_that_the_doctor_likes(installed, tmp_path):
    file = tmp_path / "musterd.conf"
    one = Service(installed / "sbin" / "musterd", file)
    one.folder.chmod(0o711)
    text = (installed / "share/doc/muster/examples/musterd.conf").read_text()
    for account, there in ACCOUNTS.items():
        text = re.sub(rf"= {account}$", f"= {there}" if IS_ROOT else "=", text, flags=re.M)
    text = text.replace("mdm.example.com", "localhost 127.0.0.1").replace("port = 443", f"port = {one.ports['front']}")
    text = text.replace("[server]\n", f"[server]\ndata_dir = {one.data}\nrun_dir = {one.run}\n")
    for door in ("device", "plain", "metrics"):
        text += f"\n[{door}]\nport = {one.ports[door]}\n"
    file.write_text(text)
    file.chmod(0o600)
    try:
        said = run(*one.command("check-config"))
        assert said.startswith("The configuration is fine.") and "warning: started as root" not in said
        one.start()
        muster = Muster(one, tmp_path)
        once = run(*one.command("admin", "admin")).strip()
        muster("login", "--server", muster.url, "--ca", muster.ca, "--user", "admin", "--password-stdin",
               given=f"{once}\n{PASSWORD}\n")
        seen = muster("doctor", code=None)
        assert "push certificate" in seen or "push" in muster.said + seen
        assert "server.start" not in one.log_text()  # it came up at the first attempt
        assert one.stop() == 0
    finally:
        one.close()


# ---- backup and restore ----

def commands(after, house):
    """The commands that follow these words in the guide, for this house."""
    page = (GUIDE / "operations.md").read_text()
    block = re.search(r"\n\n((?:    [^\n]*\n)+)", page[page.index(after):])[1]
    lines = "\n".join(line.strip() for line in block.splitlines()).replace("/var/lib/muster", str(house.data))
    for account in sorted(ACCOUNTS, key=len, reverse=True):
        lines = lines.replace(f"chown -R {account}: ", f"chown -R {os.geteuid()} ")
    return lines


def test_a_backup_by_the_guide_holds_no_master_secret_and_comes_back(sqlite_house, tmp_path):
    house = sqlite_house
    house.start()
    admin = Admin(house)
    admin.link(name="before the backup")
    apart, backups = tmp_path / "apart", tmp_path / "backups"
    apart.mkdir()
    backups.mkdir()
    secret = run("sh", "-c", commands("Put it where the backups are not", house), cwd=apart)
    run("sh", "-ec", commands("A backup, while it runs", house), cwd=backups)
    assert {path.name for path in backups.iterdir()} == {"keys.tar.gz", "muster.db"}
    names = run("tar", "-tzf", backups / "keys.tar.gz").split()
    assert "keys/root.key" in names and not any("master" in name for name in names)
    assert house.stop() == 0

    shutil.rmtree(house.data)  # another machine
    (backups / "master.secret").write_text(secret)
    run("sh", "-ec", commands("To restore, with", house), cwd=backups)
    house.start()
    token = admin.token
    admin.token = None
    again = admin.ask("POST", "/sessions", {"name": "admin", "password": PASSWORD})["token"]
    admin.token = again
    assert token != again
    assert [one["name"] for one in admin.items("/enrolment-links")] == ["before the backup"]
    assert admin.get("/audit/verification")["is_intact"]
    assert house.stop() == 0
