#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The builds under build/, and making them: `tools/build.py NAME`."""
import os
import subprocess
import sys

import source

BUILDS = {
    "test": ("gcc", ["-Db_sanitize=address,undefined", "-Dwerror=true"]),
    "clang": ("clang-14", ["-Dwerror=true"]),
    "release": ("gcc", ["--buildtype=release"]),
    "fuzz": ("clang-14", ["-Db_sanitize=address,undefined", "-Dfuzz=true"]),
}


def folder_of(name):
    return source.ROOT / "build" / name


def parts():
    """Folders join the build by having a meson.build: Meson does not notice a new one by itself."""
    return "\n".join(source.short(path) for path in source.files("meson.build", "meson_options.txt"))


def make(name):
    """True when everything was built. Says nothing unless something is wrong."""
    compiler, options = BUILDS[name]
    folder = folder_of(name)
    environment = {**os.environ, "CC": compiler, "PATH": f"/usr/lib/ccache:{os.environ['PATH']}"}
    seen = folder / "parts.txt"
    if not seen.exists() or seen.read_text() != parts():
        again = ["--reconfigure"] if (folder / "build.ninja").exists() else []
        setup = subprocess.run(["meson", "setup", folder, *options, *again], cwd=source.ROOT, env=environment,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if setup.returncode:
            print(setup.stdout + setup.stderr, flush=True)
            return False
        seen.write_text(parts())
    ninja = ["ninja", "-C", folder, "-j", str(os.cpu_count() or 2), "--quiet"]
    made = subprocess.run(ninja, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if made.returncode:
        print(made.stdout + made.stderr, flush=True)
    return made.returncode == 0


if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in BUILDS]:
        print(f"usage: tools/build.py {'|'.join(BUILDS)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if make(sys.argv[1]) else 1)
