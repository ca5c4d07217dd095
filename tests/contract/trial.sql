-- SPDX-License-Identifier: Apache-2.0
-- Statements of the test_db_*.c programs.

-- name: thing_make
CREATE TABLE thing (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    size BIGINT,
    is_big BOOLEAN,
    weight DOUBLE PRECISION,
    data BLOB,
    seen_at BIGINT,
    kind TEXT,
    raw TEXT
);

-- name: thing_insert
INSERT INTO thing (id, name, size, is_big, weight, data, seen_at, kind, raw)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: thing_by_id
SELECT id, name, size, is_big, weight, data, seen_at, kind, raw FROM thing WHERE id = $1;

-- name: thing_count
SELECT count(*) AS count FROM thing;

-- name: thing_add
INSERT INTO thing (id, size) VALUES ($1, $2);

-- name: thing_data
INSERT INTO thing (id, data) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET data = excluded.data;

-- name: thing_add_unless
INSERT INTO thing (id, size) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING;

-- The parameters come in another order than their numbers, and one comes twice.
-- name: thing_resize
UPDATE thing SET size = $2, name = COALESCE($3, name) WHERE id = $1 AND size <> $2;

-- name: thing_resize_all
UPDATE thing SET size = size + $1 RETURNING id, size;

-- name: thing_sum
SELECT sum(size) AS sum, avg(weight) AS mean FROM thing;

-- name: thing_big
SELECT id FROM thing WHERE is_big AND (kind = $1 OR $1 IS NULL) ORDER BY id;

-- name: counter_make
CREATE TABLE counter (id TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL, CHECK (value >= 0));

-- name: counter_start
INSERT INTO counter (id, value) VALUES ($1, 0);

-- name: counter_get
SELECT value FROM counter WHERE id = $1;

-- name: counter_add
UPDATE counter SET value = value + 1 WHERE id = $1;

-- name: parent_make
CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY);

-- name: child_make
CREATE TABLE child (
    id TEXT NOT NULL PRIMARY KEY,
    parent TEXT NOT NULL REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED
);

-- name: parent_insert
INSERT INTO parent (id) VALUES ($1);

-- name: child_insert
INSERT INTO child (id, parent) VALUES ($1, $2);

-- name: many_rows
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $1)
SELECT n FROM number;

-- name: big_rows
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $1)
SELECT n, CAST($2 AS TEXT) AS filler FROM number;

-- name: engine
-- only: sqlite
SELECT 'sqlite' AS engine;

-- name: engine
-- only: postgres
SELECT 'postgres' AS engine;

-- name: kill_others
-- only: postgres
SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND usename = current_user AND application_name = $1;

-- name: kill_others
-- only: sqlite
SELECT 0 AS count WHERE CAST($1 AS TEXT) IS NOT NULL;

-- Refused by both engines, but only when a table of this name is not there.
-- name: nowhere_get
SELECT id FROM nowhere WHERE id = $1;

-- name: numbers_as_text
SELECT $1 || '' AS text;

-- name: schema_make
-- only: postgres
CREATE SCHEMA IF NOT EXISTS elsewhere;

-- name: schema_make
-- only: sqlite
SELECT 1 AS count;
