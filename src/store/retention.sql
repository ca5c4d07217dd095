-- SPDX-License-Identifier: Apache-2.0
-- What may go.  Each old_... finds rows that ended before $1, at most $4 behind the row ($2, $3): the
-- oldest first.  Each delete says once more what must hold, and runs in a transaction of its own.

-- name: old_events
-- the newest position stays: the next one is counted from it
SELECT id, at FROM event
WHERE at < $1 AND (at, id) > ($2, $3) AND position < (SELECT max(position) FROM event)
ORDER BY at, id LIMIT $4

-- name: old_event_delete
DELETE FROM event WHERE id = $1 AND at < $2

-- name: old_refusals
SELECT id, last_at AS at FROM refusal
WHERE last_at < $1 AND (last_at, id) > ($2, $3)
ORDER BY last_at, id LIMIT $4

-- name: old_refusal_delete
DELETE FROM refusal WHERE id = $1 AND last_at < $2

-- name: old_commands
-- marked by command_outdate: what is kept is not read again and again
SELECT id, finished_at AS at FROM command
WHERE is_outdated AND finished_at < $1 AND (finished_at, id) > ($2, $3)
ORDER BY finished_at, id LIMIT $4

-- name: old_command_delete
DELETE FROM command WHERE id = $1 AND is_outdated AND finished_at < $2

-- name: old_tokens
-- sessions and API tokens, by when they ended
SELECT t.id, t.at FROM (
    SELECT id, CASE WHEN expires_at IS NULL OR revoked_at < expires_at THEN revoked_at ELSE expires_at END AS at
    FROM token) t
WHERE t.at < $1 AND (t.at, t.id) > ($2, $3)
ORDER BY t.at, t.id LIMIT $4

-- name: old_token_delete
DELETE FROM token WHERE id = $1 AND (expires_at < $2 OR revoked_at < $2)

-- name: old_attempts
-- Enrolments that were never completed.  One with a certificate that holds can still be completed; a device
-- keeps its newest one, it stands in the inventory.  Ids grow with time: behind $3 is enough.
SELECT e.id, 0 AS at FROM enrolment e JOIN enrolment_link l ON l.id = e.link_id
WHERE e.enrolled_at IS NULL AND l.expires_at < $1 AND CAST($2 AS BIGINT) <= 0 AND e.id > $3
  AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.enrolment_id = e.id AND c.not_after >= $1)
  AND NOT EXISTS (SELECT 1 FROM challenge h WHERE h.enrolment_id = e.id AND h.expires_at >= $1)
  AND NOT EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id)
  AND NOT EXISTS (SELECT 1 FROM delivered v WHERE v.enrolment_id = e.id)
  AND (e.device_id IS NULL
       OR EXISTS (SELECT 1 FROM enrolment n WHERE n.device_id = e.device_id AND n.id > e.id))
ORDER BY e.id LIMIT $4

-- name: old_attempt_end
-- holds the row: nobody completes it from here on
UPDATE enrolment SET ended_at = COALESCE(ended_at, $2) WHERE id = $1 AND enrolled_at IS NULL

-- name: old_attempt_facts_delete
DELETE FROM fact WHERE enrolment_id = $1

-- name: old_attempt_steps_delete
DELETE FROM certificate_step WHERE challenge_id IN (SELECT id FROM challenge WHERE enrolment_id = $1)

-- name: old_attempt_certificates_delete
DELETE FROM certificate WHERE enrolment_id = $1

-- name: old_attempt_challenges_delete
DELETE FROM challenge WHERE enrolment_id = $1

-- name: old_attempt_link
-- it led to nothing: old_links looks for those that nobody used
UPDATE enrolment_link SET used_at = NULL WHERE id = (SELECT e.link_id FROM enrolment e WHERE e.id = $1)

-- name: old_attempt_delete
DELETE FROM enrolment WHERE id = $1

-- name: old_facts
-- of enrolments that ended and were followed by another one: what a device told last stays
SELECT e.id, e.ended_at AS at FROM enrolment e
WHERE e.ended_at < $1 AND (e.ended_at, e.id) > ($2, $3)
  AND EXISTS (SELECT 1 FROM fact f WHERE f.enrolment_id = e.id)
  AND EXISTS (SELECT 1 FROM enrolment n WHERE n.device_id = e.device_id AND n.id > e.id AND n.enrolled_at IS NOT NULL)
ORDER BY e.ended_at, e.id LIMIT $4

-- name: old_facts_delete
DELETE FROM fact WHERE enrolment_id = (SELECT e.id FROM enrolment e WHERE e.id = $1 AND e.ended_at < $2)

-- name: old_links
-- never used, or used by an attempt that is gone (old_attempt_link)
SELECT l.id, l.expires_at AS at FROM enrolment_link l
WHERE l.used_at IS NULL AND l.expires_at < $1 AND (l.expires_at, l.id) > ($2, $3)
  AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.link_id = l.id)
ORDER BY l.expires_at, l.id LIMIT $4

-- name: old_link_delete
DELETE FROM enrolment_link WHERE id = $1 AND expires_at < $2

-- name: old_requests
-- of gear: what came to an end without a certificate
SELECT id, expires_at AS at FROM challenge
WHERE enrolment_id IS NULL AND certificate_id IS NULL AND state NOT IN ('delivered', 'waiting', 'approved')
  AND expires_at < $1 AND (expires_at, id) > ($2, $3)
ORDER BY expires_at, id LIMIT $4

-- name: old_request_hold
-- holds the row: what is over begins no more
UPDATE challenge SET state = state
WHERE id = $1 AND expires_at < $2 AND certificate_id IS NULL AND state NOT IN ('delivered', 'waiting', 'approved')

-- name: old_request_steps_delete
DELETE FROM certificate_step WHERE challenge_id = $1

-- name: old_request_delete
DELETE FROM challenge WHERE id = $1

-- name: old_variants
SELECT v.hash AS id, v.created_at AS at FROM variant v
WHERE v.created_at < $1 AND (v.created_at, v.hash) > ($2, $3)
  AND NOT EXISTS (SELECT 1 FROM desired d WHERE d.variant_hash = v.hash)
ORDER BY v.created_at, v.hash LIMIT $4

-- name: old_variant_delete
-- a device may have come to it meanwhile: variant_insert then moved its time
DELETE FROM variant WHERE hash = $1 AND created_at < $2
  AND NOT EXISTS (SELECT 1 FROM desired d WHERE d.variant_hash = variant.hash)

-- name: old_positions
SELECT device_id AS id, received_at AS at FROM device_position
WHERE received_at < $1 AND (received_at, device_id) > ($2, $3)
ORDER BY received_at, device_id LIMIT $4

-- name: old_position_delete
DELETE FROM device_position WHERE device_id = $1 AND received_at < $2
