#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when a file includes what its folder may not know (tools/layers.txt)."""
import fnmatch
import re
import sys

import source

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))')
ROOMS = re.compile(r"\b(apple|activesync|omadm|syncml|mobileconfig|plist|oma-uri)\b", re.I)
GENERATED = ("sql/",)  # headers that the build makes


def table():
    folders, systems = {}, {}
    for line in (source.ROOT / "tools/layers.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, known = line.split(":")
            (systems if name.startswith("<") else folders)[name] = known.split()
    return folders, systems


def row_of(folder, folders):
    """The longest row that matches: src/channel/apple/x.c is channel/*, src/db/y/z.c is db."""
    matches = [row for row in folders
               if fnmatch.fnmatchcase(folder, row) or f"{folder}/".startswith(f"{row}/")]
    return max(matches, key=len, default=None)


def place_of(header, folders):
    """The folder that a header belongs to: a room counts as its own folder."""
    parts = header.split("/")[:-1]
    if parts[:1] == ["channel"]:
        return "/".join(parts[:2])
    return parts[0] if parts else ""


def may(folder, row, header, folders):
    place = place_of(header, folders)
    own = folder if row.endswith("/*") else row
    known = folders[row]
    return "*" in known or place == own or place in known or header in known


def check_file(path, folders, systems):
    folder = path.parent.relative_to(source.ROOT / "src").as_posix()
    row = row_of(folder, folders)
    name = source.short(path)
    if row is None:
        return [f"{name}: tools/layers.txt does not know the folder {folder}"]
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        if match[1] and "/" in match[1] and not may(folder, row, match[1], folders):
            found.append(f"{name}:{number}: {row} must not know {match[1]}")
        for system, allowed in systems.items():
            if match[2] and fnmatch.fnmatchcase(match[2], system) and folder.split("/")[0] not in allowed:
                found.append(f"{name}:{number}: only {', '.join(allowed)} may know {match[2]}")
    return found


def check_fleet_headers():
    """What fleet shows must not drag the database along."""
    return [f"{source.short(path)}:{number}: a header of fleet must not include {match[1]}"
            for path in source.files(".h", under="src/fleet")
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if (match := INCLUDE.match(line)) and (match[1] or "").startswith(("store/", "db/"))]


def check_policy_words():
    """The core speaks of settings and facts, never of how a room spells them."""
    return [f"{source.short(path)}:{number}: policy must not speak of {match[0]}"
            for path in source.files(".c", ".h", ".def", under="src/policy")
            for number, line in enumerate(source.without_comments(path.read_text()).splitlines(), 1)
            if (match := ROOMS.search(line))]


def check_keyd_visitors():
    """Besides the server only its own tests may look into the key process."""
    return [f"{source.short(path)}: only keyd's own tests may include keyd"
            for path in source.files(".c", ".h", under="tests")
            if not re.search("tests/unit/keyd/|tests/fuzz/fuzz_keyd_", path.as_posix()) and '#include "keyd/' in path.read_text()]


def main():
    folders, systems = table()
    found = [finding for path in source.files(".c", ".h", ".def", under="src")
             for finding in check_file(path, folders, systems)]
    found += check_fleet_headers() + check_policy_words() + check_keyd_visitors()
    return source.report(found)


if __name__ == "__main__":
    sys.exit(main())
