#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turn .sql files into C constants.

Statements: each stands under a line `-- name: device_by_id` and becomes
`const struct statement SQL_DEVICE_BY_ID`.  A line `-- only: postgres` (or sqlite) right below the
name makes that text serve one engine; the same name must then appear again for the other engine
(or without `only`, for all others).  Other comment lines are left out.

    sql.py --prefix store --out-header sql.h --out-source sql.c device.sql ...

Migrations: files NNNN_name.sql without names, cut into statements at their semicolons.  SQLite
lets NULL into a primary key unless told otherwise: NOT NULL is added where a column is the key,
and asked for where a key has several columns.

    sql.py --migrations --out-source migrations.c 0001_first.sql ...
"""

import argparse
import hashlib
import pathlib
import re
import sys

NAME = re.compile(r"--\s*name:\s*(\S.*?)\s*$")
ONLY = re.compile(r"--\s*only:\s*(\S.*?)\s*$")
GOOD_NAME = re.compile(r"[a-z][a-z0-9_]*")
MIGRATION = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql")
# Quoted things, comments, parameters and what we look for between them.
TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<word>"(?:[^"]|"")*")|(?P<comment>--[^\n]*)"""
    r"""|(?P<block>/\*)|(?P<parameter>\$[0-9]+)|(?P<end>;)|(?P<bad>['"?:@$`\\])""")
# PostgreSQL takes a parameter's type from its first use, and IS NULL has none to give.
UNTYPED = re.compile(r"(\$[0-9]+)\s+IS\s", re.IGNORECASE)
PARAMETERS_MAX = 64  # DB_ARGS_MAX in src/db/db.h


class Refused(Exception):
    """The input breaks a rule; the text says where and which."""


class Statement:
    def __init__(self, name, where):
        self.name, self.where, self.engine, self.lines = name, where, None, []


def scan(sql, where):
    """The statements of a text without comments, each with its parameter numbers."""
    statements, parameters, text, at = [], set(), "", 0

    def finish():
        nonlocal text, parameters
        if text.strip():
            statements.append((tidy(text), parameters))
        text, parameters = "", set()

    for token in TOKEN.finditer(sql):
        text += sql[at:token.start()]
        at = token.end()
        kind = token.lastgroup
        if kind == "bad":
            raise Refused(f"{where}: {token.group()!r} is not allowed here "
                          "(unfinished quote, or something only one engine has)")
        if kind == "block":
            raise Refused(f"{where}: write comments with --")
        if kind == "end":
            finish()
            continue
        if kind == "parameter":
            parameters.add(int(token.group()[1:]))
        if kind != "comment":
            text += token.group()
    text += sql[at:]
    finish()
    return statements


def tidy(text):
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(line for line in lines if line)


def parameters_check(numbers, where):
    if numbers and (min(numbers) < 1 or max(numbers) > PARAMETERS_MAX):
        raise Refused(f"{where}: parameters are $1 to ${PARAMETERS_MAX}")
    missing = set(range(1, max(numbers, default=0) + 1)) - numbers
    if missing:
        raise Refused(f"{where}: ${min(missing)} is missing before ${max(numbers)}")


def types_check(sql, where):
    for untyped in UNTYPED.finditer(sql):
        if not re.search(re.escape(untyped[1]) + r"(?![0-9])", sql[:untyped.start()]):
            raise Refused(f"{where}: the first use of {untyped[1]} tells no type: write "
                          f"CAST({untyped[1]} AS TEXT) IS NULL, or compare it first")


def read_statements(path):
    """The named statements of one file, in order."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path}:{number}"
        named, only = NAME.match(line.strip()), ONLY.match(line.strip())
        if named:
            if not GOOD_NAME.fullmatch(named[1]):
                raise Refused(f"{where}: a name is made of a-z, 0-9 and _: {named[1]}")
            found.append(Statement(named[1], f"{where} ({named[1]})"))
        elif only:
            if not found or found[-1].engine or any(t.strip() for t in found[-1].lines):
                raise Refused(f"{where}: `only` stands right below a name")
            if only[1] not in ("sqlite", "postgres"):
                raise Refused(f"{where}: only sqlite or postgres: {only[1]}")
            found[-1].engine = only[1]
        elif found:
            found[-1].lines.append(line)
        elif line.strip() and not line.strip().startswith("--"):
            raise Refused(f"{where}: a statement without a name")
    return found


def one_text(statement):
    """The SQL of a named statement and its parameters."""
    parts = scan("\n".join(statement.lines), statement.where)
    if len(parts) != 1:
        raise Refused(f"{statement.where}: {len(parts)} statements under one name")
    parameters_check(parts[0][1], statement.where)
    types_check(parts[0][0], statement.where)
    return parts[0]


def collect(paths):
    """name -> {engine or None: (sql, parameters)}, in the order of the files."""
    table, where = {}, {}
    for path in paths:
        for statement in read_statements(path):
            texts = table.setdefault(statement.name, {})
            if statement.engine in texts:
                raise Refused(f"{statement.where}: the name is taken by {where[statement.name]}")
            texts[statement.engine] = one_text(statement)
            where[statement.name] = statement.where
    for name, texts in table.items():
        if set(texts) not in ({None}, {"sqlite", "postgres"}, {None, "postgres"},
                              {None, "sqlite"}):
            raise Refused(f"{where[name]}: one engine has no text, or a text serves none")
        if len({frozenset(numbers) for _, numbers in texts.values()}) > 1:
            raise Refused(f"{where[name]}: the texts differ in their parameters")
    return table


def c_string(text, indent):
    lines = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return f'\n{indent}'.join(f'"{line}\\n"' for line in lines[:-1]) + \
        (f'\n{indent}' if len(lines) > 1 else "") + f'"{lines[-1]}"'


def header_text(prefix, table):
    lines = ["/* Made by tools/sql.py; do not edit. */", "#pragma once", "", '#include "db/db.h"', ""]
    for name, texts in table.items():
        taken = max(next(iter(texts.values()))[1], default=0)
        lines += [f"extern const struct statement SQL_{name.upper()};",
                  f"enum {{ SQL_{name.upper()}_ARGS = {taken} }};"]
    lines += ["", f"extern const struct statement *const {prefix}_statements[];",
              f"extern const size_t {prefix}_statement_count;"]
    return "\n".join(lines) + "\n"


def source_text(prefix, include, table):
    lines = ["/* Made by tools/sql.py; do not edit. */", f'#include "{include}"', ""]
    for name, texts in table.items():
        common = texts.get("sqlite") or texts[None]
        special = (texts.get("postgres") or texts[None]) if len(texts) > 1 else None
        lines += [f"const struct statement SQL_{name.upper()} = {{", f'    .name = "{name}",',
                  f'    .sql = {c_string(common[0], " " * 11)},']
        if special:
            lines.append(f'    .sql_postgres = {c_string(special[0], " " * 20)},')
        lines += ["};", ""]
    lines.append(f"const struct statement *const {prefix}_statements[] = {{")
    lines += [f"    &SQL_{name.upper()}," for name in table]
    lines += ["    NULL,", "};", f"const size_t {prefix}_statement_count = {len(table)};"]
    return "\n".join(lines) + "\n"


def key_close(sql, where):
    """The statement with primary keys that mean the same on both engines."""
    if not re.match(r"CREATE\s+TABLE\b", sql, re.IGNORECASE):
        return sql
    if re.search(r"\bINTEGER\s+(NOT\s+NULL\s+)?PRIMARY\b", sql, re.IGNORECASE):
        raise Refused(f"{where}: SQLite numbers an INTEGER PRIMARY KEY itself; use BIGINT or TEXT")
    for key in re.finditer(r"\bPRIMARY\s+KEY\s*\(([^)]*)\)", sql, re.IGNORECASE):
        for column in (name.strip() for name in key[1].split(",")):
            if not re.search(rf"[(,]\s*{re.escape(column)}\s[^,]*\bNOT\s+NULL\b", sql, re.IGNORECASE):
                raise Refused(f"{where}: {column} is part of a primary key and not NOT NULL")
    return re.sub(r"(?<!NULL )\bPRIMARY\s+KEY\b(?!\s*\()", "NOT NULL PRIMARY KEY", sql,
                  flags=re.IGNORECASE)


def migration_source(paths):
    lines = ["/* Made by tools/sql.py; do not edit. */", '#include "db/migrate.h"', ""]
    rows = []
    for expected, path in enumerate(paths, 1):
        named = MIGRATION.fullmatch(path.name)
        if not named or int(named[1]) != expected:
            raise Refused(f"{path}: migration {expected} must be called {expected:04}_name.sql")
        data = path.read_bytes()
        statements = [(key_close(sql, str(path)), numbers)
                      for sql, numbers in scan(data.decode("utf-8"), str(path))]
        if not statements:
            raise Refused(f"{path}: no statement")
        if any(numbers for _, numbers in statements):
            raise Refused(f"{path}: a migration takes no parameters")
        lines.append(f"static const char *const statements_{expected}[] = {{")
        lines += [f'    ({c_string(sql, "     ")}),' for sql, _ in statements]  # one text each, clang is told
        lines += ["};", ""]
        rows.append(f'    {{{expected}, "{named[2]}", "{hashlib.sha256(data).hexdigest()}", '
                    f"statements_{expected}, {len(statements)}}},")
    # ISO C has no empty arrays: the last row is an end mark outside the count.
    lines += ["const struct migration migrations[] = {", *rows, "    {0, NULL, NULL, NULL, 0},", "};",
              f"const size_t migration_count = {len(rows)};"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Turn .sql files into C constants.")
    parser.add_argument("--prefix", help="name of the statement list: <prefix>_statements")
    parser.add_argument("--migrations", action="store_true")
    parser.add_argument("--out-header", type=pathlib.Path)
    parser.add_argument("--out-source", type=pathlib.Path, required=True)
    parser.add_argument("--include", help="how the source names its header (default: its name)")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    try:
        if args.migrations:
            source = migration_source(args.files)
        elif args.prefix and args.out_header:
            table = collect(args.files)
            args.out_header.write_text(header_text(args.prefix, table), encoding="utf-8")
            source = source_text(args.prefix, args.include or args.out_header.name, table)
        else:
            parser.error("--prefix and --out-header are needed")
    except (Refused, OSError, UnicodeDecodeError) as problem:
        print(f"sql.py: {problem}", file=sys.stderr)
        return 1
    args.out_source.write_text(source, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
