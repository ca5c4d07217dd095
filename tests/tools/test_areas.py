# SPDX-License-Identifier: Apache-2.0
"""What `./dev test` makes of its areas."""
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.style


@pytest.fixture
def runner(monkeypatch, tmp_path):
    """tools/test.py as a module, with reports of its own; `test` is a name of Python's."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    spec = importlib.util.spec_from_file_location("area_runner", ROOT / "tools" / "test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "REPORTS", tmp_path)
    return module


def outcome(runner, area, tests=()):
    count = runner.run_area(area, named=True, tests=list(tests))
    return count.passed, count.failed


def test_an_area_without_a_test_fails(runner, capfd):
    assert outcome(runner, runner.Area("nothing", "no suite, no mark")) == (0, 1)
    assert outcome(runner, runner.Area("nothing", "a suite that is gone", suites=("gone",)),
                   [("base/text", {"unit"})]) == (0, 1)
    assert outcome(runner, runner.Area("nothing", "a mark that nobody has", mark="nobody")) == (0, 1)
    assert capfd.readouterr().out.count("nothing: this area has no test") == 3


def test_pytest_that_ends_badly_without_a_failure_is_one(runner, monkeypatch):
    for code in (2, 3, 4):
        monkeypatch.setattr(runner, "run", lambda *_, **__: code)
        assert outcome(runner, runner.Area("broken", "", mark="guards")) == (0, 1)


def test_every_area_has_a_test_in_the_sources(runner):
    """Counted by its marks, without running anything."""
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for area in runner.AREAS:
        assert f"pytest.mark.{area.mark}" in text or area.name in ("unit", "contract"), area.name


def test_an_end_to_end_test_runs_in_one_area(runner):
    """Each mark selects its own tests: one with two of them would run, and count, twice."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        marks = {mark for mark in runner.MARKS if f"pytest.mark.{mark}" in path.read_text()}
        assert len(marks) <= 1 or path.name == pathlib.Path(__file__).name, (path.name, marks)
