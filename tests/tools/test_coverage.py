# SPDX-License-Identifier: Apache-2.0
"""The page of what is proved says what the tests say, and refuses what nobody meant."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import coverage  # noqa: E402
import source  # noqa: E402

pytestmark = pytest.mark.style

MARK = "pytest.mark.proves"  # in pieces below, so that this file proves nothing by accident


@pytest.fixture
def put(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "ROOT", tmp_path)

    def put(name, text):
        path = tmp_path / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return put


def proved():
    return {row: [(proof.test, proof.whole) for proof in proofs] for row, proofs in coverage.proofs().items()}


def test_a_marker_above_a_c_test_names_it(put):
    put("unit/test_a.c", '#include "a.h"\n/* pro' + 'ves: 4c-6, 4g-7 */\nstatic void it_works(void **state)\n{\n}\n')
    assert proved() == {"4c-6": [("it_works", True)], "4g-7": [("it_works", True)]}


def test_a_marker_above_the_includes_is_for_the_file(put):
    put("unit/test_a.c", '/* pro' + 'ves-partly: 4c-1 */\n#include "a.h"\n')
    assert proved() == {"4c-1": [(None, False)]}


def test_a_marker_above_no_test_is_refused(put):
    put("unit/test_a.c", '#include "a.h"\n/* pro' + 'ves: 4c-1 */\nstatic int helper(void)\n')
    with pytest.raises(coverage.Mistake):
        coverage.proofs()


def test_marks_in_python_are_read_without_running_it(put):
    put("e2e/test_a.py", f'pytestmark = {MARK}_partly("4d-1")\n@{MARK}("4c-2", "4c-3")\ndef test_x():\n    boom()\n')
    assert proved() == {"4d-1": [(None, False)], "4c-2": [("test_x", True)], "4c-3": [("test_x", True)]}


def test_states_follow_the_tests():
    row = {"id": "4c-1", "vendor": "no", "text": ""}
    whole = coverage.Proof("4c-1", ROOT, 1, "t", True)
    part = whole._replace(whole=False)
    assert coverage.state_of(row, []) == "open"
    assert coverage.state_of(row, [part]) == "partly"
    assert coverage.state_of(row, [part, whole]) == "proved"
    assert coverage.state_of({**row, "vendor": "yes"}, [whole]) == "vendor"


def test_unknown_and_unsorted_rows_are_found():
    rows = [{"id": "4c-2"}, {"id": "4c-1"}]
    found = {"4x-1": [coverage.Proof("4x-1", source.ROOT / "tests/t.c", 3, "t", True)]}
    wrong = coverage.check_rows(rows, found)
    assert len(wrong) == 2
