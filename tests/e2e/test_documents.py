# SPDX-License-Identifier: Apache-2.0
"""What the guide tells people to type, the programs understand."""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build" / "test"))
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs" / "guide").glob("*.md"), *(ROOT / "docs" / "man").glob("*.scd")])
TYPED = re.compile(r"(?:^ {4}|`|^)((?:build/release/src/cli/)?(muster|musterd|muster-sim) [a-z][^`\n]*)", re.M)


@pytest.fixture(scope="module")
def known():
    """program -> (its commands as lists of words, the options that its help names)"""
    found = {}
    for program, place in (("muster", "cli"), ("musterd", "server"), ("muster-sim", "sim")):
        text = subprocess.run([BUILD / "src" / place / program, "--help"], check=True, capture_output=True,
                              text=True).stdout
        lines = re.findall(r"^  ([a-z][^\n]*)\n      ", text, re.M)
        words = [re.match(r"[a-z][a-z-]*( [a-z][a-z-]*)*(?= |$)", line)[0].split() for line in lines if " = " not in line]
        found[program] = words, set(re.findall(r"--[a-z][a-z-]*", text)) | set(re.findall(r"(?<![\w-])-[a-z]\b", text))
    return found


def typed():
    for page in PAGES:
        for match in TYPED.finditer(page.read_text().replace("\\\n", "")):
            yield pytest.param(match[2], match[1].split("#")[0].split(" > ")[0].split(" | ")[0],
                               id=f"{page.stem}: {match[1][:60]}")


@pytest.mark.parametrize("program, line", typed())
def test_what_a_page_says_can_be_typed(known, program, line):
    commands, options = known[program]
    words = shlex.split(line.rstrip(".,;:)"))[1:]
    plain = [word for word in words if not word.startswith("-")]
    assert any(plain[:len(command)] == command for command in commands), f"{program} knows no {' '.join(plain)}"
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in options, f"{program} knows no option {word}"


def test_the_guide_calls_the_states_as_the_option_does(known):
    text = subprocess.run([BUILD / "src" / "cli" / "muster", "device", "list", "--compliance", "?"],
                          capture_output=True, text=True, check=False).stderr
    states = re.findall(r"[a-z_]+", text.partition("--compliance is ")[2].replace(" or ", " "))
    page = (ROOT / "docs" / "guide" / "compliance.md").read_text()
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.M) == states and len(states) == 7
