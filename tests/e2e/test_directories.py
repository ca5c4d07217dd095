# SPDX-License-Identifier: Apache-2.0
"""Directories and keys: what musterd, started as root, gives away, and what it refuses to begin with."""
import os
import pwd
import shutil
import socket
import subprocess

import pytest

from house import House, wait_until

pytestmark = pytest.mark.e2e

IS_ROOT = os.geteuid() == 0  # only root can start the parts under accounts of their own
ME = pwd.getpwuid(os.geteuid()).pw_name
ACCOUNTS = {"user": "nobody", "keyd_user": "daemon", "edge_user": "www-data"} if IS_ROOT else {}


@pytest.fixture
def parted():
    """A house with an account for each part, not started yet."""
    one = House(settings=[f"users.{key}={name}" for key, name in ACCOUNTS.items()])
    one.folder.chmod(0o711)
    try:
        yield one
    finally:
        one.close()


def refused(house, status=1):
    """What a musterd says that does not start by itself."""
    result = subprocess.run(house.command("run"), capture_output=True, text=True, timeout=120)
    assert result.returncode == status, result.stderr
    return result.stderr


def refused_until(house, words):
    """What a musterd says up to these words: one that goes on trying."""
    with open(house.log, "wb") as log:
        house.process = subprocess.Popen(house.command(), stdout=log, stderr=log)
    wait_until(lambda: words in house.log_text(), 60, words)
    house.stop()
    return house.log_text()


def owner(path):
    return pwd.getpwuid(path.lstat().st_uid).pw_name


def test_nobody_but_root_can_exchange_a_directory(parted):
    parted.start()
    for path in (parted.data, parted.run):
        assert (owner(path), path.stat().st_mode & 0o777) == (ME, 0o711 if IS_ROOT else 0o700)
    owners = {parted.data / "db": "user", parted.data / "keys": "keyd_user", parted.run / "edge": "user",
              parted.run / "sockets": "user", parted.run / "edge-tmp": "edge_user"}
    for path, account in owners.items():
        assert owner(path) == ACCOUNTS.get(account, ME), path
    assert parted.stop() == 0


@pytest.mark.parametrize("name", ["run/sockets", "run/edge", "data/db", "data/keys"])
def test_a_link_in_place_of_a_directory_gives_nothing_away(parted, name):
    victim = parted.folder / "victim"
    victim.mkdir(mode=0o700)
    place = parted.folder / name
    place.parent.mkdir(mode=0o711)
    place.symlink_to(victim)
    assert "is not a directory of musterd's" in refused(parted)
    assert (owner(victim), victim.stat().st_mode & 0o777) == (ME, 0o700)


@pytest.mark.parametrize("name", ["data", "run", "run/sockets", "data/keys"])
def test_a_directory_of_a_stranger_is_refused(parted, name):
    place = parted.folder / name
    place.mkdir(mode=0o755, parents=True)
    if not IS_ROOT:
        return  # nobody else could have made it there, and we cannot either
    shutil.chown(place, "games")
    assert "belongs to the user" in refused(parted)
    assert owner(place) == "games"


def test_directories_below_one_that_others_may_change_are_refused(parted):
    if not IS_ROOT:
        return  # it is for the account alone that starts it
    parted.folder.chmod(0o777)
    assert "can be changed by others than root" in refused(parted)


def test_a_credential_of_systemd_is_the_master_secret(parted, monkeypatch):
    credentials = parted.folder / "credentials"
    credentials.mkdir(mode=0o700)
    secret = credentials / "muster-master"
    secret.write_text("b3" * 32)
    secret.chmod(0o400)  # of the account that systemd starts, which keyd's is not
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    parted.start()
    assert not (parted.data / "keys" / "master.secret").exists()
    assert parted.stop() == 0
    secret.chmod(0o600)
    secret.write_text("b4" * 32)
    assert "sealed under another master secret" in refused_until(parted, "sealed under another")


def test_keys_that_are_gone_do_not_become_new_ones_unnoticed(sqlite_house):
    sqlite_house.start()
    assert sqlite_house.stop() == 0
    keys, kept = sqlite_house.data / "keys", sqlite_house.data / "kept"
    keys.rename(kept)
    said = refused(sqlite_house)
    assert "this database belongs to" in said and "from its backup" in said
    assert "supervisor.refused" in said
    shutil.rmtree(keys)
    kept.rename(keys)
    sqlite_house.start()
    assert sqlite_house.stop() == 0


def test_a_port_of_another_program_is_named_and_nothing_begins(parted):
    with socket.create_server(("127.0.0.1", parted.ports["device"])):
        said = refused(parted)
    assert f"another program listens at port {parted.ports['device']}" in said and "remedy=" in said
    assert not list((parted.data / "keys").glob("*")), "no authority was made"
