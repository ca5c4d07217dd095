-- SPDX-License-Identifier: Apache-2.0
-- Terms and who agreed to them; sign-ins of people who enrol a device.

-- name: terms_last
SELECT COALESCE(max(version), 0) AS version FROM terms

-- name: terms_insert
INSERT INTO terms (version, title, body, created_at, created_by) VALUES ($1, $2, $3, $4, $5)

-- name: terms_by_version
SELECT version, title, body, created_at, created_by, withdrawn_at FROM terms WHERE version = $1

-- name: terms_current
SELECT version, title, body, created_at, created_by, withdrawn_at FROM terms
WHERE withdrawn_at IS NULL ORDER BY version DESC LIMIT 1

-- name: terms_list
SELECT version, title, body, created_at, created_by, withdrawn_at FROM terms
WHERE version < COALESCE(CAST($1 AS BIGINT), 9223372036854775807) ORDER BY version DESC LIMIT $2

-- name: terms_withdraw
UPDATE terms SET withdrawn_at = $2 WHERE version = $1 AND withdrawn_at IS NULL

-- name: terms_accept
INSERT INTO terms_acceptance (user_id, version, accepted_at) VALUES ($1, $2, $3)
ON CONFLICT (version, user_id) DO NOTHING

-- name: terms_accepted
SELECT count(*) AS count FROM terms_acceptance WHERE user_id = $1 AND version = $2

-- name: terms_acceptance_list
SELECT a.user_id, p.name AS user_name, a.version, a.accepted_at
FROM terms_acceptance a JOIN person p ON p.id = a.user_id
WHERE a.version = $1 AND a.user_id > COALESCE(CAST($2 AS TEXT), '') ORDER BY a.user_id LIMIT $3

-- name: user_hold
-- changes nothing: whoever would change it waits for us; none when it is not as it was read
UPDATE person SET name = name WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL

-- name: visit_insert
INSERT INTO visit (id, mac, user_id, way, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: visit_by_mac
SELECT v.id, v.user_id, v.way, v.ownership, v.created_at, v.expires_at
FROM visit v JOIN person p ON p.id = v.user_id
WHERE v.mac = $1 AND v.way = $2 AND v.ended_at IS NULL AND v.expires_at > $3 AND p.disabled_at IS NULL

-- name: visit_own
UPDATE visit SET ownership = $2 WHERE id = $1 AND ended_at IS NULL

-- name: visit_end
UPDATE visit SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL

-- name: visit_end_of_user
UPDATE visit SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL

-- name: enrolment_link_revoke_of_user
UPDATE enrolment_link SET revoked_at = $2 WHERE user_id = $1 AND used_at IS NULL AND revoked_at IS NULL

-- name: old_visits
SELECT id, expires_at AS at FROM visit
WHERE expires_at < $1 AND (expires_at, id) > ($2, $3) ORDER BY expires_at, id LIMIT $4

-- name: old_visit_delete
DELETE FROM visit WHERE id = $1 AND expires_at < $2
