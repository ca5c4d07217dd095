-- SPDX-License-Identifier: Apache-2.0
-- What the tests of fleet/ look at, and how they tamper.

-- name: look_event_count
SELECT count(*) AS count FROM event WHERE kind = $1

-- name: look_event_last
SELECT kind, device_id, body FROM event WHERE kind = $1 ORDER BY id DESC LIMIT 1

-- name: look_audit_count
SELECT count(*) AS count FROM audit WHERE action = $1

-- name: look_link
SELECT id, name, created_by, mac FROM enrolment_link WHERE id = $1

-- name: look_challenges
SELECT id, mac, state, tries, expectation, used_transaction FROM challenge WHERE enrolment_id = $1

-- name: look_certificates
SELECT id, state, serial, der, seen_at, revoked_at, reason FROM certificate WHERE enrolment_id = $1 ORDER BY id

-- name: look_certificate_all
SELECT * FROM certificate WHERE enrolment_id = $1

-- name: look_steps
SELECT s.step, s.outcome, s.detail FROM certificate_step s JOIN challenge c ON c.id = s.challenge_id
WHERE c.enrolment_id = $1 ORDER BY s.id

-- name: look_enrolment
SELECT * FROM enrolment WHERE id = $1

-- name: look_enrolments
SELECT id, state FROM enrolment ORDER BY id

-- name: link_by_account
UPDATE enrolment_link SET mode = 'account'

-- name: forbid_users
UPDATE enrolment SET takes_users = FALSE WHERE id = $1

-- name: look_devices
SELECT id, name, udid FROM device ORDER BY id

-- name: look_command
SELECT * FROM command WHERE id = $1

-- name: look_commands
SELECT * FROM command WHERE enrolment_id = $1 ORDER BY id

-- name: look_certificate_ends
SELECT not_before, not_after FROM certificate

-- name: look_requests
-- of gear
SELECT id FROM challenge WHERE enrolment_id IS NULL

-- name: look_variants
SELECT hash, content FROM variant ORDER BY hash

-- name: look_tokens
SELECT * FROM token ORDER BY id

-- name: look_accounts
SELECT * FROM account ORDER BY id

-- name: look_job
SELECT * FROM job WHERE kind = $1 ORDER BY subject

-- name: look_audit
SELECT id, position, hash FROM audit ORDER BY position

-- name: look_revisions
SELECT revision, settings FROM policy_revision WHERE policy_id = $1 ORDER BY revision

-- name: tamper_account_roles
UPDATE account SET role = $1

-- name: tamper_token_roles
UPDATE token SET role = $1

-- name: clear_jobs
DELETE FROM job

-- name: tamper_actor_kind
UPDATE audit SET actor_kind = 'public' WHERE position = $1

-- name: tamper_actor_id
UPDATE audit SET actor_id = actor_id || 'x' WHERE position = $1

-- name: tamper_actor_name
UPDATE audit SET actor_name = actor_name || 'x' WHERE position = $1

-- name: tamper_action
UPDATE audit SET action = action || 'x' WHERE position = $1

-- name: tamper_subject_kind
UPDATE audit SET subject_kind = subject_kind || 'x' WHERE position = $1

-- name: tamper_subject_id
UPDATE audit SET subject_id = subject_id || 'x' WHERE position = $1

-- name: tamper_body
UPDATE audit SET body = body || ' ' WHERE position = $1

-- name: tamper_reason
UPDATE audit SET reason = 'because' WHERE position = $1

-- name: tamper_request_id
UPDATE audit SET request_id = request_id || 'x' WHERE position = $1

-- name: tamper_at
UPDATE audit SET at = at + 1 WHERE position = $1

-- name: tamper_id
UPDATE audit SET id = id || 'x' WHERE position = $1

-- name: tamper_hash
UPDATE audit SET hash = (SELECT o.hash FROM audit o WHERE o.position = 1) WHERE position = $1

-- name: tamper_hash_away
UPDATE audit SET hash = NULL WHERE position = $1

-- name: tamper_move
UPDATE audit SET position = $2 WHERE position = $1

-- name: tamper_delete
DELETE FROM audit WHERE position = $1

-- name: tamper_truncate
DELETE FROM audit WHERE position > $1

-- name: tamper_authority
UPDATE authority SET root_sha256 = '00ff'

-- name: tamper_authority_role
UPDATE authority SET role = 'retired'

-- name: tamper_authority_forget
DELETE FROM authority WHERE number > 1

-- name: tamper_heads_delete
DELETE FROM audit_head

-- name: tamper_results
UPDATE compliance SET results = $2 WHERE device_id = $1

-- name: tamper_settings
UPDATE policy_revision SET settings = $2 WHERE policy_id = $1

-- name: tamper_enrolment_hide
ALTER TABLE enrolment RENAME TO enrolment_away

-- name: tamper_enrolment_show
ALTER TABLE enrolment_away RENAME TO enrolment

-- name: tamper_head_hash
UPDATE audit_head SET hash = (SELECT o.hash FROM audit o WHERE o.position = 1) WHERE position = $1

-- name: tamper_head_at
UPDATE audit_head SET at = at + 1 WHERE position = $1

-- name: tamper_challenge_end
UPDATE challenge SET expires_at = $2 WHERE enrolment_id = $1

-- name: forget_keys
UPDATE certificate SET spki_sha256 = sha256 WHERE sha256 IS NOT NULL

-- name: look_audit_all
SELECT * FROM audit ORDER BY id

-- name: look_events
SELECT * FROM event ORDER BY at, id

-- name: look_links
SELECT * FROM enrolment_link ORDER BY id

-- name: make_events
-- numbered from $1 to $2, of the time $3
INSERT INTO event (id, position, kind, body, at)
WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2)
SELECT 'event ' || CAST(i AS TEXT), i, 'test.filler', '{}', $3 FROM n

-- name: trap_make
CREATE TABLE trap (enrolment_id TEXT REFERENCES enrolment (id))

-- name: trap_set
INSERT INTO trap (enrolment_id) VALUES ($1)

-- name: trap_clear
DELETE FROM trap

-- name: trap_end
DROP TABLE trap

-- name: look_refusals
SELECT * FROM refusal WHERE kind = $1 ORDER BY hour, id

-- name: look_refusals_all
SELECT * FROM refusal ORDER BY id

-- name: flood
-- $3 commands that are older than what is asked for afterwards
INSERT INTO command (id, enrolment_id, kind, item, state, priority, is_deferred, attempts, created_by, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
SELECT '00000000-0000-4000-8000-' || CAST(100000000000 + i AS TEXT), $1, 'remove_item', 'flood-' || CAST(i AS TEXT),
       'queued', 20, FALSE, 0, 'test', $2 FROM n

-- name: flood_revoked
-- $1 certificates of the enrolment $2, revoked at $3 and good until $4
INSERT INTO certificate (id, enrolment_id, purpose, state, serial, subject, spki_sha256, not_before, not_after,
                         created_at, revoked_at, reason)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
SELECT 'flood ' || CAST(i AS TEXT), $2, 'mdm-identity', 'revoked', '40' || CAST(100000000000 + i AS TEXT), 'CN=A', $5,
       $3, $4, $3, $3, 'cessation_of_operation' FROM n

-- name: use_part
INSERT INTO revocation_part (part, url, created_at) VALUES ($1, $2, 1)

-- name: forget_lists
-- as a backup of before would
DELETE FROM revocation_list WHERE number > $1

-- name: forget_parts
DELETE FROM revocation_part

-- name: forget_certificate
DELETE FROM certificate WHERE serial = $1

-- name: drop_unlock_token
UPDATE enrolment SET unlock_token = NULL WHERE id = $1

-- name: set_ownership
UPDATE device SET ownership = $2 WHERE id = $1

-- name: set_supervised
UPDATE device SET is_supervised = TRUE WHERE id = $1

-- name: look_escrow
SELECT * FROM escrow WHERE device_id = $1

-- name: look_fact
SELECT f.value FROM fact f JOIN enrolment e ON e.id = f.enrolment_id
WHERE e.device_id = $1 AND f.name = $2 ORDER BY e.id DESC LIMIT 1

-- name: look_facts
SELECT name, value FROM fact WHERE enrolment_id = $1 ORDER BY name
