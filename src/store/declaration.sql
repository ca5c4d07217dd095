-- SPDX-License-Identifier: Apache-2.0
-- Declarations: what a device was told of, and what it says of them.

-- name: declarative_get
SELECT * FROM declarative WHERE enrolment_id = $1

-- name: declarative_tell
-- changes a row only where the token is another one
INSERT INTO declarative (enrolment_id, token, told_at) VALUES ($1, $2, $3)
ON CONFLICT (enrolment_id) DO UPDATE SET token = $2, told_at = $3
WHERE declarative.token IS DISTINCT FROM $2

-- name: declarative_refused
INSERT INTO declarative (enrolment_id, told_at, refused_version) VALUES ($1, $3, $2)
ON CONFLICT (enrolment_id) DO UPDATE SET token = NULL, refused_version = $2, capabilities = NULL

-- name: declarative_able
-- changes a row only where the device can something else than before
INSERT INTO declarative (enrolment_id, told_at, capabilities, reported_at) VALUES ($1, $3, $2, $3)
ON CONFLICT (enrolment_id) DO UPDATE SET capabilities = $2, reported_at = $3, refused_version = NULL
WHERE declarative.capabilities IS DISTINCT FROM $2

-- name: declaration_set
INSERT INTO declaration (enrolment_id, kind, identifier, token, is_active, validity, reason, remedy, reported_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (enrolment_id, kind, identifier) DO UPDATE
SET token = $4, is_active = $5, validity = $6, reason = $7, remedy = $8, reported_at = $9

-- name: declaration_drop
DELETE FROM declaration WHERE enrolment_id = $1 AND kind = $2 AND identifier = $3

-- name: declaration_clear
-- of these kinds only, each between spaces
DELETE FROM declaration WHERE enrolment_id = $1 AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '% ' || kind || ' %')

-- name: declaration_count
SELECT count(*) AS count FROM declaration WHERE enrolment_id = $1

-- name: declaration_list
SELECT * FROM declaration WHERE enrolment_id = $1 ORDER BY kind, identifier

-- name: delivered_fetched
UPDATE delivered SET state = 'delivered', changed_at = $3
WHERE enrolment_id = $1 AND item = $2 AND carrier = 'declaration' AND state IN ('queued', 'sent')

-- name: delivered_untold
-- the device never heard of what waited for it
UPDATE delivered SET state = 'failed', reason = $2, remedy = $3, changed_at = $4
WHERE enrolment_id = $1 AND carrier = 'declaration' AND wanted_hash IS NOT NULL AND state IN ('queued', 'sent')

-- name: command_supersede_declare
UPDATE command SET state = 'superseded', finished_at = $3, is_deferred = FALSE
WHERE enrolment_id = $1 AND item <> $2 AND finished_at IS NULL AND kind = 'declare'

-- name: desired_unplan_mixed
-- where one carrier may wait for the other
UPDATE desired SET planned_hash = NULL
WHERE device_id = $1 AND EXISTS (SELECT 1 FROM delivered WHERE enrolment_id = $2 AND carrier = 'command')
  AND EXISTS (SELECT 1 FROM delivered WHERE enrolment_id = $2 AND carrier = 'declaration')
