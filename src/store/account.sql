-- SPDX-License-Identifier: Apache-2.0
-- The organisation, people, tokens, connectors, jobs, events, audit.

-- name: organization_get
SELECT id, name, conflict_mode, frozen, created_at FROM organization ORDER BY id LIMIT 1

-- name: organization_insert
INSERT INTO organization (id, name, conflict_mode, frozen, created_at) VALUES ($1, $2, 'strictest', FALSE, $3)

-- name: organization_evidence_set
-- the limits that verdicts were weighed by
UPDATE organization SET evidence_limits = $1 WHERE evidence_limits IS DISTINCT FROM $1

-- name: organization_ways_set
-- changes a row only where the ways are other ones
UPDATE organization SET plan_ways = $1 WHERE plan_ways IS DISTINCT FROM $1

-- name: account_insert
INSERT INTO account (id, name, role, password_hash, must_change, created_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: account_by_name
SELECT * FROM account WHERE name = $1

-- name: account_set_password
UPDATE account SET password_hash = $2, must_change = $3 WHERE id = $1

-- name: account_hold
-- changes nothing: whoever would change it waits for us; none when it is not as it was read
UPDATE account SET role = role WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL

-- name: account_hold_enabled
-- the same for whoever has signed in already
UPDATE account SET role = role WHERE id = $1 AND disabled_at IS NULL

-- name: account_list
SELECT * FROM account WHERE id > COALESCE(CAST($1 AS TEXT), '') ORDER BY id LIMIT $2

-- name: account_find
-- an id, else a name
SELECT * FROM account WHERE id = $1 OR name = $1 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1

-- name: account_set_state
-- from the role $4 and the end $5 that were read
UPDATE account SET role = $2, disabled_at = $3
WHERE id = $1 AND role = $4 AND disabled_at IS NOT DISTINCT FROM $5

-- name: account_hold_administrators
-- changes nothing: whoever would change one of them waits for us
UPDATE account SET role = role WHERE role = 'administrator'

-- name: account_other_administrators
SELECT count(*) AS count FROM account WHERE role = 'administrator' AND disabled_at IS NULL AND id <> $1

-- name: account_count
SELECT count(*) AS count FROM account

-- name: token_insert
INSERT INTO token (id, account_id, kind, name, role, mac, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: token_by_mac
-- never more than its account may now
SELECT t.id, t.account_id, a.name AS account_name, t.kind, t.name,
       CASE WHEN a.role = 'administrator' OR t.role = 'auditor' OR (a.role = 'help_desk' AND t.role = 'help_desk')
            THEN t.role ELSE a.role END AS role, t.created_at, t.expires_at, t.revoked_at
FROM token t JOIN account a ON a.id = t.account_id
WHERE t.mac = $1 AND t.revoked_at IS NULL AND a.disabled_at IS NULL
  AND (t.expires_at IS NULL OR t.expires_at > $2)

-- name: token_good_count
SELECT count(*) AS count FROM token WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL

-- name: token_list
SELECT t.id, t.account_id, a.name AS account_name, t.kind, t.name, t.role, t.created_at, t.expires_at, t.revoked_at
FROM token t JOIN account a ON a.id = t.account_id
WHERE t.id < COALESCE(CAST($1 AS TEXT), '~') ORDER BY t.id DESC LIMIT $2

-- name: token_revoke
UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL

-- name: token_revoke_all
UPDATE token SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL

-- name: token_revoke_of_account
UPDATE token SET revoked_at = $2 WHERE account_id = $1 AND kind = 'session' AND id <> $3 AND revoked_at IS NULL

-- name: job_schedule
INSERT INTO job (kind, subject, due_at, lease_until, tries) VALUES ($1, $2, $3, 0, 0)
ON CONFLICT (kind, subject) DO UPDATE SET due_at = CASE WHEN job.due_at < $3 AND job.lease_until = 0
    THEN job.due_at ELSE $3 END, tries = 0, rounds = 0, lease_until = 0

-- name: job_postpone
-- to $3 what is not due by now ($4)
INSERT INTO job (kind, subject, due_at, lease_until, tries) VALUES ($1, $2, $3, 0, 0)
ON CONFLICT (kind, subject) DO UPDATE SET due_at = $3 WHERE job.due_at > $4 AND job.lease_until = 0

-- name: job_claim
UPDATE job SET lease_until = $3, tries = tries + 1
WHERE kind = $1 AND subject = (SELECT j.subject FROM job j WHERE j.kind = $1 AND j.due_at <= $2 AND j.lease_until < $2
                               ORDER BY j.due_at LIMIT 1)
  AND due_at <= $2 AND lease_until < $2
RETURNING kind, subject, due_at, tries, rounds, lease_until

-- name: job_done
DELETE FROM job WHERE kind = $1 AND subject = $2 AND lease_until <> 0 AND due_at = $3

-- name: job_retry
-- $4 NULL: it did its part, and is asked to come again
UPDATE job SET due_at = $3, lease_until = 0, last_error = $4,
    tries = CASE WHEN CAST($4 AS TEXT) IS NULL THEN 0 ELSE tries END,
    rounds = CASE WHEN CAST($4 AS TEXT) IS NULL THEN rounds + 1 ELSE rounds END
WHERE kind = $1 AND subject = $2 AND lease_until <> 0

-- name: job_leased
SELECT count(*) AS count FROM job WHERE lease_until <> 0

-- name: job_release_all
UPDATE job SET lease_until = 0 WHERE lease_until <> 0

-- name: job_hasten
UPDATE job SET due_at = $2, tries = 0 WHERE kind = $1 AND due_at > $2 AND lease_until = 0

-- name: job_next_due
SELECT due_at FROM job WHERE kind = $1 AND lease_until < $2 ORDER BY due_at LIMIT 1

-- name: event_insert
INSERT INTO event (id, kind, device_id, body, at) VALUES ($1, $2, $3, $4, $5)

-- name: event_unnumbered
SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT $1

-- name: event_number
UPDATE event SET position = $2 WHERE id = $1 AND position IS NULL

-- name: event_last_position
SELECT max(position) AS position FROM event

-- name: event_count_since
SELECT count(*) AS count FROM event WHERE device_id = $1 AND kind = $2 AND at > $3

-- name: event_list
SELECT e.id, e.position, e.kind, e.device_id, d.name AS device_name, e.body, e.at
FROM event e LEFT JOIN device d ON d.id = e.device_id
WHERE e.id < COALESCE(CAST($1 AS TEXT), '~') AND e.at >= $2 ORDER BY e.id DESC LIMIT $3

-- name: event_of_kind
SELECT e.id, e.position, e.kind, e.device_id, d.name AS device_name, e.body, e.at
FROM event e LEFT JOIN device d ON d.id = e.device_id
WHERE e.kind = $1 AND e.id < COALESCE(CAST($2 AS TEXT), '~') AND e.at >= $3 ORDER BY e.id DESC LIMIT $4

-- name: event_of_device
-- $3 NULL: of every kind
SELECT e.id, e.position, e.kind, e.device_id, d.name AS device_name, e.body, e.at
FROM event e LEFT JOIN device d ON d.id = e.device_id
WHERE e.device_id = $1 AND e.id < COALESCE(CAST($2 AS TEXT), '~')
  AND (CAST($3 AS TEXT) IS NULL OR e.kind = $3) AND e.at >= $4 ORDER BY e.id DESC LIMIT $5

-- name: refusal_count
UPDATE refusal SET count = count + 1, last_at = $5, detail = $6
WHERE hour = $1 AND kind = $2 AND peer = $3 AND subject = $4 RETURNING count

-- name: refusal_rows
SELECT count(*) AS count FROM refusal WHERE hour = $1 AND kind = $2

-- name: refusal_insert
INSERT INTO refusal (id, hour, kind, peer, subject, count, first_at, last_at, detail)
VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7)
ON CONFLICT (hour, kind, peer, subject) DO UPDATE SET count = refusal.count + 1, last_at = $6, detail = $7
RETURNING count

-- name: refusal_list
SELECT id, kind, peer, subject, count, first_at, last_at, detail FROM refusal
WHERE id < COALESCE(CAST($1 AS TEXT), '~') ORDER BY id DESC LIMIT $2

-- name: audit_insert
INSERT INTO audit (id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, body, reason, request_id, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: audit_unnumbered
SELECT * FROM audit WHERE position IS NULL ORDER BY id LIMIT $1

-- name: audit_number
UPDATE audit SET position = $2, hash = $3 WHERE id = $1 AND position IS NULL

-- name: audit_last
SELECT position, hash FROM audit WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1

-- name: audit_list
SELECT * FROM audit WHERE position < $1 ORDER BY position DESC LIMIT $2

-- name: audit_walk
SELECT * FROM audit WHERE position > $1 ORDER BY position LIMIT $2

-- name: audit_head_insert
INSERT INTO audit_head (position, hash, signature, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (position) DO NOTHING

-- name: audit_head_last
SELECT position, hash, signature, at FROM audit_head ORDER BY position DESC LIMIT 1

-- name: audit_head_walk
SELECT position, hash, signature, at FROM audit_head WHERE position > $1 ORDER BY position LIMIT $2
