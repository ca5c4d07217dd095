#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run the tests of some areas, or of all: the work behind `./dev test`.

An area is a set of Meson suites, of pytest marks, or the style checks.  Single test cases are
counted, not programs.  A skipped test counts as failed, and so does an area without any:
nothing here may be left out quietly.
"""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

import build
import style

ROOT = build.source.ROOT
BUILD = build.folder_of("test")
REPORTS = BUILD / "reports"
AREA_SECONDS = 40 * 60  # an area that takes longer hangs
SANITIZERS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


class Area:
    """suites: of Meson; mark: of pytest; folders: unit tests that belong to it when it is named alone.
    abreast: what needs PostgreSQL runs beside the rest; most of these tests wait for something."""

    def __init__(self, name, help, suites=(), mark=None, folders=(), style=False, abreast=False):
        self.name, self.help, self.suites, self.mark = name, help, suites, mark
        self.folders, self.style, self.abreast = folders, style, abreast


AREAS = [
    Area("unit", "one program per source file, and the fuzz seeds", suites=("unit", "fuzz")),
    Area("contract", "stores and statements on SQLite and PostgreSQL", suites=("contract", "sqlite", "postgres")),
    Area("style", "layers, sizes, format, analysis, documents", mark="style", style=True),
    Area("e2e", "the real programs, end to end", suites=("e2e",), mark="e2e", abreast=True),
    Area("pki", "authority, SCEP, OCSP against foreign clients", suites=("pki",), mark="pki",
         folders=("pki", "keyd", "ca"), abreast=True),
    Area("apple", "the Apple room against simulated devices", suites=("apple",), mark="apple",
         folders=("channel/apple", "sim"), abreast=True),
    Area("policy", "settings, resolution, compliance", suites=("policy",), mark="policy",
         folders=("policy",), abreast=True),
    Area("guards", "hostile input, limits, kills", suites=("guards",), mark="guards"),
]
MARKS = [area.mark for area in AREAS if area.mark]


class Count:
    def __init__(self, passed=0, failed=0):
        self.passed, self.failed = passed, failed

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed"


def run(command, seconds=AREA_SECONDS, output=None, **environment):
    """Run to the end, or kill the whole process group after a while. Returns the exit code."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
                               stdout=output, stderr=subprocess.STDOUT if output else None,
                               env={**os.environ, **SANITIZERS, **environment})
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        print(f"stopped after {seconds} s: {' '.join(map(str, command))}", flush=True)
        return 124
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def meson_tests():
    """(name, suites) of every test that the build knows."""
    listing = subprocess.run(["meson", "introspect", BUILD, "--tests"], check=True,
                             capture_output=True, text=True)
    return [(test["name"], {suite.split(":")[-1] for suite in test["suite"]})
            for test in json.loads(listing.stdout)]


def cases_of(test):
    """Cases in one line of Meson's log: cmocka prints one line each; anything else is one case."""
    lines = (test.get("stdout", "") + "\n" + test.get("stderr", "")).splitlines()
    passed = sum(line.startswith("[       OK ]") for line in lines)
    names = {line.split("]", 1)[1].strip() for line in lines if line.startswith("[  FAILED  ]")}
    failed = sum(" test(s)" not in name for name in names)
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if good and not failed:
        return Count(passed or 1, 0)
    return Count(passed, failed or 1)


def run_meson(label, expected, choice):
    """choice: Meson's way to say which tests; expected: how many programs that are."""
    command = ["meson", "test", "-C", BUILD, "--no-rebuild", "--num-processes", "2",
               "--timeout-multiplier", "10", "--print-errorlogs", "--logbase", label, *choice]
    log = BUILD / "meson-logs" / f"{label}.json"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="muster-keys-") as folder:
        code = run(command, MUSTER_KEYS=f"{folder}/keys")
    count, seen = Count(), 0
    for line in log.read_text().splitlines() if log.exists() else []:
        count += cases_of(json.loads(line))
        seen += 1
    if (code and not count.failed) or seen != expected:
        count.failed += 1
    return count


def run_pytest_part(area, part, output=None):
    """Tests without any area mark are end-to-end tests. part: see tests/conftest.py."""
    others = " or ".join(mark for mark in MARKS if mark != "e2e")
    select = area.mark if area.mark != "e2e" else f"e2e or not ({others})"
    report = REPORTS / (f"{area.name}-{part}.xml" if part != "all" else f"{area.name}.xml")
    report.unlink(missing_ok=True)
    code = run(["/usr/bin/python3", "-m", "pytest", "tests", "-m", f"({select}) and not soak", "-q", "--part", part,
                "-p", "no:cacheprovider", "--junitxml", report, "-o", "junit_family=xunit2"],
               output=output, MUSTER_BUILD=str(BUILD), PYTHONDONTWRITEBYTECODE="1")
    count = Count()
    if report.exists():
        for suite in xml.parse(report).getroot().iter("testsuite"):
            total, *bad = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
            count += Count(total - sum(bad), sum(bad))
    if code not in (0, 5) and not count.failed:  # 5: nothing was collected
        count.failed += 1
    return count


def run_pytest(area):
    if not area.abreast:
        return run_pytest_part(area, "all")
    with tempfile.TemporaryFile("w+") as said, concurrent.futures.ThreadPoolExecutor() as beside:
        other = beside.submit(run_pytest_part, area, "postgres", said)
        count = run_pytest_part(area, "rest")
        count += other.result()
        said.seek(0)
        print(said.read(), end="", flush=True)
    return count


def run_style():
    return Count(*style.run(style.CHECKS))


def run_area(area, named, tests):
    count = Count()
    if area.style:
        count += run_style()
    suites = {suite for _, of in tests for suite in of} & set(area.suites)
    if suites:
        expected = sum(bool(of & suites) for _, of in tests)
        count += run_meson(area.name, expected, [word for suite in sorted(suites) for word in ("--suite", suite)])
    folders = tuple(f"{folder}/" for folder in area.folders)
    names = [name for name, of in tests if "unit" in of and name.startswith(folders)] if named and folders else []
    if names:
        count += run_meson(f"{area.name}-unit", len(names), names)
    if area.mark and any((ROOT / "tests").rglob("test_*.py")):
        count += run_pytest(area)
    if not count.passed and not count.failed:
        print(f"{area.name}: this area has no test", flush=True)
        count.failed += 1
    return count


def homeless(tests):
    """Tests that no area would ever run."""
    known = {suite for area in AREAS for suite in area.suites}
    return [name for name, suites in tests if not suites & known]


def choose(words):
    if "--list" in words:
        print("\n".join(f"{area.name:10}{area.help}" for area in AREAS))
        sys.exit(0)
    unknown = [word for word in words if word not in [area.name for area in AREAS]]
    if unknown:
        print(f"unknown area: {', '.join(unknown)}; there are: {', '.join(a.name for a in AREAS)}",
              file=sys.stderr)
        sys.exit(2)
    return [area for area in AREAS if not words or area.name in words]


def main(words):
    areas = choose(words)
    results, total = [], Count()
    print("building build/test…", flush=True)
    if not build.make("test"):
        results.append(("build", Count(0, 1), 0.0))
        areas = []
    tests = meson_tests() if areas else []
    REPORTS.mkdir(parents=True, exist_ok=True)
    for name in homeless(tests):
        print(f"{name}: its suite belongs to no area of tools/test.py")
        total.failed += 1
    for area in areas:
        print(f"\n==== {area.name}: {area.help}", flush=True)
        start = time.monotonic()
        count = run_area(area, named=area.name in words and "unit" not in words, tests=tests)
        results.append((area.name, count, time.monotonic() - start))
        print(f"{area.name}: {count}", flush=True)
    print("\n==== time")
    for name, count, seconds in results:
        total += count
        print(f"{name:10}{seconds:8.1f} s")
    print("\n==== result")
    for name, count, seconds in results:
        print(f"{name}: {count}")
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    os.environ["PATH"] = f"/usr/lib/ccache:{os.environ['PATH']}"
    sys.exit(main(sys.argv[1:]))
