-- SPDX-License-Identifier: Apache-2.0
-- Renewal of identities: which are due, and which of several is the one in use.

-- name: renewal_due
-- those that have ended too: they are told once; not what the device has shown the successor of
SELECT c.id, c.serial, c.enrolment_id, e.device_id, c.not_before, c.not_after, c.renew_at, c.renew_tries,
       EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id AND o.kind = 'renew_identity'
               AND o.finished_at IS NULL) AS is_open, a.since AS moved_at
FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN authority a ON a.number = c.authority AND a.role = 'earlier'
WHERE c.state = 'issued' AND c.renew_at <= $1 AND e.state = 'active'
  AND COALESCE((SELECT max(n.id) FROM certificate n WHERE n.enrolment_id = c.enrolment_id AND n.state = 'issued'
                AND n.seen_at IS NOT NULL), c.id) <= c.id
ORDER BY c.renew_at, c.id LIMIT $2

-- name: renewal_plan
-- $4: the time that was read; another run or a revocation may have been quicker
UPDATE certificate SET renew_at = $2, renew_tries = $3 WHERE id = $1 AND state = 'issued' AND renew_at = $4

-- name: challenge_cancel_of_purpose
UPDATE challenge SET state = 'cancelled' WHERE enrolment_id = $1 AND purpose = $2 AND state = 'delivered'

-- name: certificate_rivals
SELECT c.id, c.serial, c.created_at, c.seen_at, e.push_at
FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id WHERE c.enrolment_id = $1 AND c.state = 'issued' ORDER BY c.id

-- name: certificate_revoke_later
-- those made after $2; OCSP tells of what renewals leave behind, the list would be full of it
UPDATE certificate SET state = 'revoked', revoked_at = $3, reason = $4, is_listed = FALSE
WHERE enrolment_id = $1 AND id > $2 AND state IN ('issued', 'reserved')

-- name: certificate_revoke_earlier
UPDATE certificate SET state = 'revoked', revoked_at = $3, reason = $4, is_listed = FALSE
WHERE enrolment_id = $1 AND id < $2 AND state IN ('issued', 'reserved')

-- name: enrolment_push_keep
-- before another address comes: one that is known to be dead is not worth it
UPDATE enrolment SET push_token_before = push_token, push_magic_before = push_magic
WHERE id = $1 AND push_token IS NOT NULL AND push_dead_at IS NULL

-- name: enrolment_push_back
-- $3: unless the address is older than this
UPDATE enrolment SET push_token = push_token_before, push_magic = push_magic_before, push_at = $2,
       push_token_before = NULL, push_magic_before = NULL, push_dead_at = NULL
WHERE id = $1 AND push_token_before IS NOT NULL AND push_magic_before IS NOT NULL AND push_at >= $3

-- name: enrolment_push_forget_before
UPDATE enrolment SET push_token_before = NULL, push_magic_before = NULL WHERE id = $1

-- name: certificate_by_sha256
SELECT c.*, e.device_id FROM certificate c LEFT JOIN enrolment e ON e.id = c.enrolment_id WHERE c.sha256 = $1

-- name: reissue_count
SELECT count(*) AS count FROM challenge WHERE renews = $1 AND state = 'used'

-- name: reissue_hold_enrolment
-- holds the row: who leaves or is blocked waits, and finds what was made meanwhile
UPDATE enrolment SET state = state WHERE id = $1 AND state = 'active'

-- name: reissue_hold_signer
UPDATE certificate SET state = state WHERE id = $1 AND state = 'issued'
