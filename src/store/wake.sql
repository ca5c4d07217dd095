-- SPDX-License-Identifier: Apache-2.0
-- Waking devices, and the push certificate that it takes.

-- name: wake_claim
UPDATE job SET lease_until = $3, tries = tries + 1
WHERE kind = 'wake' AND due_at <= $2 AND lease_until < $2
  AND subject IN (SELECT j.subject FROM job j JOIN enrolment e ON e.id = j.subject
                  WHERE j.kind = 'wake' AND j.due_at <= $2 AND j.lease_until < $2 AND e.channel = $1
                  ORDER BY j.due_at LIMIT $4)
RETURNING subject, due_at, tries, rounds

-- name: wake_targets
-- at most 64; NULL: none
SELECT e.*,
    CASE WHEN e.nudge_at > COALESCE(e.last_contact_at, 0) THEN 1 ELSE 0 END AS is_nudged,
    CASE WHEN EXISTS (SELECT 1 FROM command c WHERE c.enrolment_id = e.id AND c.finished_at IS NULL
                       AND c.state <> 'awaiting_confirmation')
          AND NOT EXISTS (SELECT 1 FROM user_channel u JOIN enrolment p ON p.id = u.parent_id
                          WHERE u.enrolment_id = e.id AND p.state <> 'active')
         THEN 1 ELSE 0 END AS is_waited_for
FROM enrolment e WHERE e.id IN (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42,
    $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62,
    $63, $64)

-- name: wake_again
-- $4: tries that do not count
UPDATE job SET due_at = $2, lease_until = 0, last_error = $3, tries = tries - $4
WHERE kind = 'wake' AND subject = $1 AND lease_until <> 0

-- name: wake_silent
-- devices (people are not always there) whose turn is $1 to $2, not heard of since $3 and not nudged since $4, under the topic $5
SELECT id FROM enrolment
WHERE substr(id, 34) >= $1 AND substr(id, 34) <= $2 AND state = 'active' AND ended_at IS NULL
  AND device_id IS NOT NULL AND push_dead_at IS NULL AND push_token IS NOT NULL AND push_magic IS NOT NULL
  AND COALESCE(last_contact_at, enrolled_at, created_at) < $3 AND COALESCE(nudge_at, 0) < $4
  AND topic = $5
ORDER BY id LIMIT $6

-- name: wake_nudge
UPDATE enrolment SET nudge_at = $2 WHERE id = $1

-- name: wake_dead
-- since $2, unless it told us a new address after $3
UPDATE enrolment SET push_dead_at = $2, push_problem = $4
WHERE id = $1 AND push_dead_at IS NULL AND COALESCE(push_at, 0) <= $3

-- name: wake_refused
-- marked because the certificate did not fit, not because the device left
SELECT id FROM enrolment WHERE push_problem IN ('BadDeviceToken', 'DeviceTokenNotForTopic')
  AND push_dead_at IS NOT NULL AND ended_at IS NULL ORDER BY id LIMIT $1

-- name: wake_revive
UPDATE enrolment SET push_dead_at = NULL, push_problem = NULL WHERE id = $1

-- name: push_certificate_insert
INSERT INTO push_certificate (id, state, key_about, sealed_key, request, created_at, account)
VALUES ($1, 'requested', $2, $3, $4, $5, $6)

-- name: push_certificate_newest
SELECT * FROM push_certificate WHERE state = $1 ORDER BY id DESC LIMIT 1

-- name: push_certificate_requested
-- what a key belongs to: two requests may be out at Apple's at once, and an older one may be used again there
SELECT * FROM push_certificate WHERE key_about = $1
ORDER BY CASE state WHEN 'requested' THEN 0 WHEN 'active' THEN 1 ELSE 2 END, id DESC LIMIT 1

-- name: push_certificate_activate
UPDATE push_certificate SET state = 'active', topic = $2, certificate = $3, not_after = $4, paused_at = NULL,
       pause_reason = NULL, warned_days = NULL WHERE id = $1

-- name: push_certificate_retire_others
UPDATE push_certificate SET state = 'replaced' WHERE state = 'active' AND id <> $1

-- name: push_certificate_pause
UPDATE push_certificate SET paused_at = $2, pause_reason = $3
WHERE id = $1 AND state = 'active' AND paused_at IS NULL

-- name: push_certificate_resume
UPDATE push_certificate SET paused_at = NULL, pause_reason = NULL WHERE id = $1 AND paused_at IS NOT NULL

-- name: push_certificate_warned
UPDATE push_certificate SET warned_days = $2
WHERE id = $1 AND state = 'active' AND (warned_days IS NULL OR warned_days > $2)
