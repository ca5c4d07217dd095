# SPDX-License-Identifier: Apache-2.0
"""Halves of an area that run beside each other: see tools/test.py."""


def pytest_addoption(parser):
    parser.addoption("--part", choices=["all", "postgres", "rest"], default="all",
                     help="only what is given PostgreSQL as its parameter, or only the rest")


def pytest_collection_modifyitems(config, items):
    part = config.getoption("part")
    if part == "all":
        return
    halves = {"postgres": [], "rest": []}
    for item in items:
        halves["postgres" if needs_postgres(item) else "rest"].append(item)
    items[:] = halves.pop(part)
    config.hook.pytest_deselected(items=halves.popitem()[1])


def needs_postgres(item):
    return hasattr(item, "callspec") and "postgres" in item.callspec.params.values()
