# SPDX-License-Identifier: Apache-2.0
"""Claims about the sources that can be read off the sources."""
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import source  # noqa: E402

pytestmark = pytest.mark.style

# Hosts that a program of ours may name: a vendor's service that a feature is about.
HOSTS = {"api.push.apple.com", "identity.apple.com", "mdmenrollment.apple.com",
         "www.w3.org"}  # the latter names a vocabulary
RESERVED = re.compile(r"(^|\.)(example|test|invalid|localhost)(\.|$)|^example\.(com|org|net)$|^www\.apple\.com$|^127\.|^HOST$")


def hosts_in(path):
    for _, text in source.strings(path.read_text()):
        for host in re.findall(r"https?://([\w.-]*\w)", text):
            if not RESERVED.search(host):
                yield host


@pytest.mark.proves_partly("4c-23")
def test_no_program_names_a_foreign_host():
    """Nothing to count users with, and nowhere to send it."""
    found = {host for path in source.files(".c", ".h", under="src") for host in hosts_in(path)}
    assert found <= HOSTS


@pytest.mark.proves_partly("4c-23")
def test_one_licence_without_editions():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0" in text
    words = re.compile(r"licen[cs]e[_ ]?key|enterprise edition|trial period|telemetry_", re.I)
    assert [path for path in source.files(".c", ".h", ".sql", under="src") if words.search(path.read_text())] == []


def test_every_package_has_a_reason():
    rows = [line.split(None, 1) for line in (ROOT / "tools" / "packages.txt").read_text().splitlines()
            if line and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows)
    names = [row[0] for row in rows]
    assert len(names) == len(set(names))


def test_documents_link_to_what_exists():
    broken = []
    for path in source.files(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
            if not target.startswith(("http:", "https:", "mailto:")) and not (path.parent / target).exists():
                broken.append(f"{source.short(path)}: {target}")
    assert broken == []
