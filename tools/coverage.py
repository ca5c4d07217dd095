#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write docs/coverage.md: which test proves which row of docs/requirements.tsv.

A test names the rows it proves.  In C, right above the test function, or above the first
#include for every test of the file:
    /* proves: 4c-6, 4g-7 */      /* proves-partly: 4c-1 */
In Python, on a function, a class or as `pytestmark`:
    @pytest.mark.proves("4c-6")   @pytest.mark.proves_partly("4c-1")
With --check nothing is written; the exit code says whether the page is stale.
"""
import ast
import collections
import csv
import pathlib
import re
import sys

import source

PAGE = source.ROOT / "docs" / "coverage.md"
AREAS = {"4c": "Management", "4d": "Monitoring and reporting", "4e": "E-mail", "4f": "Network",
         "4g": "Certificates"}
STATES = ["proved", "partly", "open", "vendor"]
MARKER = re.compile(r"/\*\s*(proves|proves-partly):\s*([^*]*?)\s*\*/")
# A cmocka test: `static void a_sentence(void **state)`.
TEST = re.compile(r"^(?:static )?void (\w+)\(void \*\*", re.M)

Proof = collections.namedtuple("Proof", "row path line test whole")


class Mistake(Exception):
    """Something in a marker that nobody meant."""


def requirements():
    with open(source.ROOT / "docs" / "requirements.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def order(row):
    area, number = row.split("-")
    return area, int(number)


def proofs_in_c(path):
    text = path.read_text()
    include = text.find("#include")
    for match in MARKER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        following = TEST.search(text, match.end())
        name = None
        if match.start() > include:
            if not following or text[match.end():following.start()].count("\n") > 4:
                raise Mistake(f"{source.short(path)}:{line}: no test below this marker")
            name = following[1]
            line = text.count("\n", 0, following.start()) + 1
        for row in re.split(r"[,\s]+", match[2]):
            yield Proof(row, path, line, name, match[1] == "proves")


def marks_of(nodes):
    """(id, whole) of each pytest.mark.proves(...) among some expressions."""
    for node in nodes:
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if name in ("pytest.mark.proves", "pytest.mark.proves_partly"):
            for argument in node.args:
                yield ast.literal_eval(argument), name.endswith("proves")


def proofs_in_python(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for row, whole in marks_of(node.decorator_list):
                yield Proof(row, path, node.lineno, node.name, whole)
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            values = node.value.elts if isinstance(node.value, ast.List) else [node.value]
            for row, whole in marks_of(values):
                yield Proof(row, path, node.lineno, None, whole)


def proofs():
    found = collections.defaultdict(list)
    for path in source.files(".c", under="tests"):
        for proof in proofs_in_c(path):
            found[proof.row].append(proof)
    for path in source.files(".py", under="tests"):
        for proof in proofs_in_python(path):
            found[proof.row].append(proof)
    return found


def state_of(row, tests):
    if row["vendor"] == "yes":
        return "vendor"
    if any(test.whole for test in tests):
        return "proved"
    return "partly" if tests else "open"


def words_of(row, tests):
    state = state_of(row, tests)
    if state != "vendor":
        return {"proved": "**proved**", "partly": "partly", "open": "open"}[state]
    ours = "proved" if any(test.whole for test in tests) else "partly" if tests else "open"
    return f"not verifiable without the vendor; our side {ours}"


def link(proof):
    path = source.short(proof.path)
    name = proof.test.replace("_", " ") if proof.test else "all of it"
    name = name.removeprefix("test ")
    return f"[{pathlib.Path(path).stem}](../{path}): {name}{'' if proof.whole else ' (a part)'}"


def table(header, rows):
    """Without padding: a changed row is one changed line."""
    line = lambda row: "| " + " | ".join(row) + " |"
    return [line(header), "|" + "---|" * len(header), *map(line, rows)]


def summary(rows, found):
    lines, total = [], collections.Counter()
    for area, title in AREAS.items():
        states = collections.Counter(state_of(row, found[row["id"]]) for row in rows
                                     if row["id"].startswith(area))
        total += states
        lines.append([f"[{area} {title}](#{area}-{title.lower().replace(' ', '-')})",
                      *(str(states[state]) for state in STATES), str(states.total())])
    lines.append(["all", *(str(total[state]) for state in STATES), str(total.total())])
    return table(["", "proved", "partly", "open", "not verifiable without the vendor", "rows"], lines)


def page(rows, found):
    lines = [
        "# What is proved", "",
        "Every requirement that Muster sets itself, and the tests that prove it. The rows are those of",
        "[requirements.tsv](requirements.tsv); the tests name them, `tools/coverage.py` writes this page,",
        "and `./dev test style` fails when it is stale. Every test linked here runs in `./dev test`.", "",
        "- **proved**: a test fails when the requirement as a whole no longer holds",
        "- *partly*: tests prove a part of it",
        "- *open*: not built yet, or not tested",
        "- *not verifiable without the vendor*: what matters happens on a service or device of a vendor; our",
        "  side is tested against a stand-in", "",
    ] + summary(rows, found)
    for area, title in AREAS.items():
        body = []
        for row in sorted((row for row in rows if row["id"].startswith(area)), key=lambda row: order(row["id"])):
            tests = sorted(found[row["id"]], key=lambda test: (not test.whole, source.short(test.path), test.line))
            body.append([row["id"], row["text"], words_of(row, tests), "<br>".join(map(link, tests))])
        lines += ["", f"## {area} {title}", ""] + table(["", "requirement", "state", "tests"], body)
    return "\n".join(lines) + "\n"


def check_rows(rows, found):
    ids = [row["id"] for row in rows]
    wrong = [f"docs/requirements.tsv: {row} stands twice" for row in set(ids) if ids.count(row) > 1]
    if ids != sorted(ids, key=order):
        wrong.append("docs/requirements.tsv: the rows are not sorted")
    for row in sorted(set(found) - set(ids)):
        if found[row]:
            proof = found[row][0]
            wrong.append(f"{source.short(proof.path)}:{proof.line}: there is no requirement {row}")
    return wrong


def main(words):
    try:
        rows, found = requirements(), proofs()
    except Mistake as mistake:
        return source.report([str(mistake)])
    wrong = check_rows(rows, found)
    text = page(rows, found)
    if "--check" not in words:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        wrong.append("docs/coverage.md is stale: run tools/coverage.py")
    return source.report(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
