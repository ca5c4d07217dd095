# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests.  A failing test shows what its house has logged."""
import importlib.util
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import pytest

from house import ROOT, House
from phones import apns, shared_admin, shared_house  # noqa: F401
from pki import rogue, shared_authority, stale  # noqa: F401

LOG_LINES = 120


def postgres_module():
    path = ROOT / "tests" / "contract" / "with_postgres.py"
    spec = importlib.util.spec_from_file_location("with_postgres", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgres():
    """A function that makes a new empty database in a throw-away cluster and names it."""
    tools = postgres_module()
    user = tools.server_user()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-pg-", dir="/tmp"))
    if tools.run_as(user):
        shutil.chown(folder, user.pw_uid, user.pw_gid)
    tools.initdb(folder, user)
    server = tools.start(folder, user, tools.FAST)

    def make():
        name = f"house_{uuid.uuid4().hex[:12]}"
        subprocess.run([tools.BIN / "createdb", "-h", folder, "-U", "muster", name], check=True)
        return f"postgres:host={folder} user=muster dbname={name}"

    try:
        assert tools.wait_until_ready(folder, server), "PostgreSQL does not start"
        yield make
    finally:
        tools.stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def empty_database(request):
    if request.param == "sqlite":
        return ""
    return request.getfixturevalue("postgres")()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request):
    """An empty database's URL, once for each engine."""
    return empty_database(request)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def every_database(request):
    """The same, for houses that several modules share: what needs one engine runs before what needs the next."""
    return empty_database(request)


@pytest.fixture(scope="module")
def house(database):
    """A running house, shared by the tests of a module, on each database."""
    one = House(database)
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture
def sqlite_house():
    """A house of its own for a test that stops or restarts it; not started yet."""
    one = House()
    try:
        yield one
    finally:
        one.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    for value in getattr(item, "funcargs", {}).values():
        if isinstance(value, House) and value.log.exists():
            report.sections.append(("log of the house", value.log_text(LOG_LINES)))
