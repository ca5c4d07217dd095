#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What tools/sql.py makes of good .sql files, and what it refuses."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[3] / "tools" / "sql.py"


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="muster-sql-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_tool(self, options, files):
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, TOOL, *options, "--out-source", "out.c", *files],
                              cwd=self.folder, capture_output=True, text=True, check=False)

    def made(self, options, files):
        result = self.run_tool(options, files)
        self.assertEqual(result.returncode, 0, result.stderr)
        return (self.folder / "out.c").read_text(encoding="utf-8")

    def refused(self, options, files, words):
        result = self.run_tool(options, files)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(words, result.stderr)
        self.assertFalse((self.folder / "out.c").exists())


class Statements(Case):
    OPTIONS = ["--prefix", "trial", "--out-header", "out.h"]

    def test_a_statement_becomes_a_constant(self):
        source = self.made(self.OPTIONS, {"a.sql": "-- about\n-- name: one\n-- why\nSELECT 1 -- x\n;\n"})
        self.assertIn("const struct statement SQL_ONE = {", source)
        self.assertIn('.sql = "SELECT 1",', source)
        self.assertIn("trial_statement_count = 1;", source)
        header = (self.folder / "out.h").read_text(encoding="utf-8")
        self.assertIn("extern const struct statement SQL_ONE;", header)
        self.assertIn("extern const struct statement *const trial_statements[];", header)

    def test_quotes_survive(self):
        text = """SELECT 'a;b -- c', "x\\y" FROM t WHERE v = 'it''s $9'"""
        source = self.made(self.OPTIONS, {"a.sql": "-- name: one\n" + text.replace("\\", "")})
        self.assertIn("""'a;b -- c', \\"xy\\" FROM t WHERE v = 'it''s $9'""", source)

    def test_a_variant_stands_beside_the_common_text(self):
        source = self.made(self.OPTIONS, {
            "a.sql": "-- name: one\nSELECT $1\n-- name: one\n-- only: postgres\nSELECT CAST($1 AS TEXT)"})
        self.assertIn('.sql = "SELECT $1",', source)
        self.assertIn('.sql_postgres = "SELECT CAST($1 AS TEXT)",', source)

    def test_what_is_refused(self):
        for text, words in {
            "SELECT 1": "without a name",
            "-- name: One\nSELECT 1": "a-z, 0-9",
            "-- name: one\n-- name: two\nSELECT 1": "0 statements",
            "-- name: one\nSELECT 1; SELECT 2": "2 statements",
            "-- name: one\nSELECT 1\n-- name: one\nSELECT 2": "is taken by",
            "-- name: one\nSELECT $1, $3": "$2 is missing",
            "-- name: one\nSELECT $0": "$1 to $64",
            "-- name: one\nSELECT $65": "$1 to $64",
            "-- name: one\nSELECT ?": "not allowed",
            "-- name: one\nSELECT a::text": "not allowed",
            "-- name: one\nSELECT 'open": "not allowed",
            "-- name: one\nSELECT 1 /* no */": "with --",
            "-- name: one\n-- only: oracle\nSELECT 1": "only sqlite or postgres",
            "-- name: one\n-- only: sqlite\nSELECT 1": "one engine has no text",
            "-- name: one\nSELECT 1\n-- only: sqlite\n": "right below a name",
            "-- name: one\nSELECT 1 WHERE $1 IS NULL OR a = $1": "tells no type",
            "-- name: one\nSELECT $1\n-- name: one\n-- only: postgres\nSELECT 1": "differ in",
        }.items():
            with self.subTest(text=text):
                self.refused(self.OPTIONS, {"a.sql": text}, words)

    def test_a_name_is_taken_across_files(self):
        self.refused(self.OPTIONS, {"a.sql": "-- name: one\nSELECT 1",
                                    "b.sql": "-- name: one\nSELECT 1"}, "is taken by a.sql:1")


class Migrations(Case):
    OPTIONS = ["--migrations"]

    def test_no_file_is_an_empty_list(self):
        self.assertIn("migration_count = 0;", self.made(self.OPTIONS, {}))

    def test_statements_are_cut_apart(self):
        source = self.made(self.OPTIONS, {
            "0001_first.sql": "-- x\nCREATE TABLE a (b TEXT DEFAULT ';');\nINSERT INTO a VALUES ('');\n"})
        self.assertIn('{1, "first", "', source)
        self.assertIn("statements_1, 2},", source)

    def test_keys_are_never_null(self):
        source = self.made(self.OPTIONS, {
            "0001_first.sql": "CREATE TABLE a (b TEXT PRIMARY KEY);"
                              "CREATE TABLE c (d TEXT NOT NULL, e BIGINT NOT NULL, PRIMARY KEY (d, e));"
                              "CREATE TABLE f (g TEXT NOT NULL PRIMARY KEY);"})
        self.assertIn("(b TEXT NOT NULL PRIMARY KEY)", source)
        self.assertIn(", PRIMARY KEY (d, e))", source)
        self.assertIn("(g TEXT NOT NULL PRIMARY KEY)", source)

    def test_what_is_refused(self):
        for name, text, words in (
            ("0002_first.sql", "SELECT 1", "0001_name.sql"),
            ("first.sql", "SELECT 1", "0001_name.sql"),
            ("0001_first.sql", "-- nothing\n", "no statement"),
            ("0001_first.sql", "SELECT $1", "no parameters"),
            ("0001_first.sql", "CREATE TABLE a (b TEXT, PRIMARY KEY (b))", "not NOT NULL"),
            ("0001_first.sql", "CREATE TABLE a (b INTEGER PRIMARY KEY)", "BIGINT or TEXT"),
        ):
            with self.subTest(text=text):
                self.refused(self.OPTIONS, {name: text}, words)


if __name__ == "__main__":
    unittest.main()
