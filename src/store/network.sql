-- SPDX-License-Identifier: Apache-2.0
-- Certificates without a device: challenges that wait for somebody's decision.

-- name: challenge_wait
UPDATE challenge SET state = 'waiting', used_spki = $2, used_transaction = $3, request_sha256 = $4, expires_at = $5
WHERE id = $1 AND state = 'delivered' AND needs_approval

-- name: challenge_by_poll
SELECT * FROM challenge WHERE used_spki = $1 AND used_transaction = $2 AND needs_approval ORDER BY id DESC LIMIT 1

-- name: challenge_approve
UPDATE challenge SET state = 'approved', decided_at = $2, decided_by = $3
WHERE id = $1 AND state = 'waiting' AND expires_at > $2

-- name: challenge_deny
-- one that nobody has used yet is withdrawn alike
UPDATE challenge SET state = 'denied', decided_at = $2, decided_by = $3
WHERE id = $1 AND enrolment_id IS NULL AND state IN ('delivered', 'waiting', 'approved')

-- name: challenge_lapsed
SELECT id, state, subject FROM challenge
WHERE state IN ('delivered', 'waiting', 'approved') AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2

-- name: challenge_lapse
-- one that waits since a moment ago has another end
UPDATE challenge SET state = 'expired'
WHERE id = $1 AND state IN ('delivered', 'waiting', 'approved') AND expires_at <= $2

-- name: challenge_waiting_count
-- the longer list is the index's
SELECT count(*) AS count FROM challenge WHERE state IN ('delivered', 'waiting', 'approved') AND state = 'waiting' AND expires_at > $1
