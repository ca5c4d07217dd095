-- SPDX-License-Identifier: Apache-2.0
-- Commands that wait for a second yes, secrets kept for devices, where lost devices were.

-- name: command_hold
-- not delivered yet, and last agreed to before $2
UPDATE command SET state = 'awaiting_confirmation'
WHERE id = $1 AND finished_at IS NULL AND delivered_at IS NULL AND state <> 'awaiting_confirmation'
  AND COALESCE(confirmed_at, created_at) < $2

-- name: command_stale
-- what destroys or locks out, is not delivered, and was last agreed to before $1; at most $2
SELECT c.id, c.kind, c.enrolment_id, e.device_id FROM command c JOIN enrolment e ON e.id = c.enrolment_id
WHERE c.finished_at IS NULL AND c.delivered_at IS NULL AND c.state <> 'awaiting_confirmation'
  AND c.kind IN ('wipe', 'lock', 'clear_passcode') AND COALESCE(c.confirmed_at, c.created_at) < $1
ORDER BY c.id LIMIT $2

-- name: command_confirm
UPDATE command SET state = 'queued', confirmed_at = $2, sent_at = NULL
WHERE id = $1 AND finished_at IS NULL AND state = 'awaiting_confirmation'

-- name: escrow_keep
INSERT INTO escrow (device_id, kind, enrolment_id, sealed, kept_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device_id, kind) DO UPDATE SET enrolment_id = $3, sealed = $4, kept_at = $5

-- name: escrow_get
SELECT enrolment_id, sealed, kept_at FROM escrow WHERE device_id = $1 AND kind = $2

-- name: escrow_of_enrolment
SELECT enrolment_id, sealed, kept_at FROM escrow WHERE enrolment_id = $1 AND kind = $2

-- name: escrow_drop
DELETE FROM escrow WHERE enrolment_id = $1 AND kind = $2

-- name: bypass_code_missing
-- of a supervised device of the organisation; an answer without the code is followed by another try, up to five
SELECT count(*) AS count FROM device d JOIN enrolment e ON e.device_id = d.id
WHERE e.id = $1 AND d.is_supervised AND d.ownership = 'company'
  AND NOT EXISTS (SELECT 1 FROM escrow s WHERE s.device_id = d.id AND s.kind = $2 AND s.enrolment_id = e.id)
  AND (SELECT count(*) FROM command c WHERE c.enrolment_id = e.id AND c.kind = 'query_bypass_code') < 5
  AND NOT EXISTS (SELECT 1 FROM command c WHERE c.enrolment_id = e.id AND c.kind = 'query_bypass_code'
                  AND c.finished_at IS NULL)

-- name: position_keep
-- of devices of the organisation alone
INSERT INTO device_position (device_id, latitude, longitude, accuracy, measured_at, received_at)
SELECT d.id, CAST($2 AS DOUBLE PRECISION), CAST($3 AS DOUBLE PRECISION), CAST($4 AS DOUBLE PRECISION),
       CAST($5 AS BIGINT), CAST($6 AS BIGINT)
FROM device d WHERE d.id = $1 AND d.ownership = 'company'
ON CONFLICT (device_id) DO UPDATE
SET latitude = $2, longitude = $3, accuracy = $4, measured_at = $5, received_at = $6

-- name: position_get
SELECT * FROM device_position WHERE device_id = $1
