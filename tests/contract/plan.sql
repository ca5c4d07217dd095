-- SPDX-License-Identifier: Apache-2.0
-- A fleet of $1 devices, as it looks after some years, for the planners of both engines.

-- name: plan_devices
INSERT INTO device (id, name, name_folded, platform, serial, udid, ownership, is_supervised, created_at)
WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
SELECT 'd-' || CAST(100000 + i AS TEXT), 'iPad', 'ipad ' || CAST(i AS TEXT), 'ios', 's' || CAST(i AS TEXT),
       'u' || CAST(i AS TEXT), 'company', FALSE, i FROM n

-- name: plan_links
INSERT INTO enrolment_link (id, mac, ownership, created_at, created_by, expires_at, used_at)
SELECT 'l-' || id, CAST(id AS BLOB), 'company', created_at, 'test', created_at + 1000, created_at FROM device

-- name: plan_enrolments
INSERT INTO enrolment (id, device_id, link_id, channel, state, topic, push_token, push_magic, created_at,
                       enrolled_at, last_contact_at)
SELECT '01900000-0000-7000-8000-' || CAST(100000000000 + created_at AS TEXT), id, 'l-' || id, 'apple', 'active',
       'com.apple.mgmt.External.1', CAST(id AS BLOB), CAST(id AS BLOB), created_at, created_at, created_at FROM device

-- name: plan_commands
-- three of each device, one of them open
INSERT INTO command (id, enrolment_id, kind, item, state, priority, is_deferred, attempts, created_by, created_at,
                     delivered_at, finished_at, expires_at)
SELECT k.kind || e.id, e.id, k.kind, NULL, CASE WHEN k.kind = 'lock' THEN 'queued' ELSE 'applied' END, 10, FALSE, 1,
       'test', e.created_at, CASE WHEN k.kind <> 'lock' THEN e.created_at END,
       CASE WHEN k.kind <> 'lock' THEN e.created_at END, 100000 + e.created_at
FROM enrolment e CROSS JOIN (SELECT 'lock' AS kind UNION ALL SELECT 'query_device' UNION ALL SELECT 'query_items') k

-- name: plan_certificates
INSERT INTO certificate (id, enrolment_id, purpose, state, serial, subject, spki_sha256, sha256, not_before, not_after,
                         created_at, renew_at)
SELECT 'c-' || id, id, 'device', 'issued', id, 'CN=x', CAST(id AS BLOB), CAST(id AS BLOB), created_at,
       created_at + 1000, created_at, created_at + 900 FROM enrolment

-- name: plan_events
INSERT INTO event (id, position, kind, device_id, body, at)
SELECT 'v-' || id, created_at, 'test.filler', id, '{}', created_at FROM device

-- name: plan_desired_variant
INSERT INTO variant (hash, platform, content, decisions, created_at) VALUES ('h', 'ios', '{}', '{}', $1)

-- name: plan_desired
INSERT INTO desired (device_id, variant_hash, planned_hash, changed_at) SELECT id, 'h', 'h', created_at FROM device

-- name: plan_jobs
INSERT INTO job (kind, subject, due_at, lease_until, tries) SELECT 'wake', id, created_at, 0, 0 FROM enrolment

-- name: plan_partial_indexes
-- only: sqlite
SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'

-- name: plan_partial_indexes
-- only: postgres
SELECT CAST(indexname AS TEXT) AS name FROM pg_indexes WHERE schemaname = current_schema() AND indexdef LIKE '% WHERE %'

-- name: plan_history_links
INSERT INTO enrolment_link (id, mac, ownership, created_at, created_by, expires_at, used_at)
VALUES ('there', CAST('a' AS BLOB), 'company', 1, 'test', 2, 1), ('left', CAST('b' AS BLOB), 'company', 1, 'test', 2, 1),
       ('nothing', CAST('c' AS BLOB), 'company', 1, 'test', 2, 1)

-- name: plan_history_enrolments
INSERT INTO enrolment (id, link_id, channel, state, created_at, enrolled_at, ended_at)
VALUES ('there', 'there', 'apple', 'active', 1, 1, NULL), ('left', 'left', 'apple', 'retired', 1, 1, 9)

-- name: plan_history_commands
-- those that the migration has to mark are called "old ..."
INSERT INTO command (id, enrolment_id, kind, item, state, priority, is_deferred, attempts, created_by, created_at,
                     delivered_at, finished_at)
VALUES ('old 1', 'there', 'lock', NULL, 'applied', 1, FALSE, 1, 'test', 1, 1, 1),
       ('old 2', 'there', 'lock', NULL, 'cancelled', 1, FALSE, 0, 'test', 2, NULL, 2),
       ('newest that was delivered', 'there', 'lock', NULL, 'applied', 1, FALSE, 1, 'test', 3, 3, 3),
       ('old 4', 'there', 'lock', NULL, 'cancelled', 1, FALSE, 0, 'test', 4, NULL, 4),
       ('newest', 'there', 'lock', NULL, 'cancelled', 1, FALSE, 0, 'test', 5, NULL, 5),
       ('open', 'there', 'lock', NULL, 'queued', 1, FALSE, 0, 'test', 6, NULL, NULL),
       ('old 7', 'there', 'install_item', 'a', 'applied', 1, FALSE, 1, 'test', 7, 7, 7),
       ('newest of a', 'there', 'install_item', 'a', 'applied', 1, FALSE, 1, 'test', 8, 8, 8),
       ('newest of b', 'there', 'install_item', 'b', 'applied', 1, FALSE, 1, 'test', 1, 1, 1),
       ('old 9', 'there', 'declare', 'token 1', 'applied', 1, FALSE, 1, 'test', 7, 7, 7),
       ('newest declare', 'there', 'declare', 'token 2', 'applied', 1, FALSE, 1, 'test', 8, 8, 8),
       ('old of one that left', 'left', 'lock', NULL, 'applied', 1, FALSE, 1, 'test', 1, 1, 1)

-- name: plan_history_look
-- what was marked and should not, or the other way round
SELECT id FROM command WHERE is_outdated <> (id LIKE 'old %') ORDER BY id

-- name: plan_history_marked
SELECT count(*) AS count FROM command WHERE is_outdated

-- name: plan_history_forget
UPDATE command SET is_outdated = FALSE

-- name: plan_history_links_look
SELECT id FROM enrolment_link WHERE used_at IS NULL
