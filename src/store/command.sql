-- SPDX-License-Identifier: Apache-2.0
-- Commands and what was delivered.

-- name: command_insert
INSERT INTO command (id, enrolment_id, kind, item, parameters, state, priority, is_deferred, attempts,
                     created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, 'queued', $6, FALSE, 0, $7, $8, $9)
ON CONFLICT DO NOTHING

-- name: command_by_id
-- of a person: with the device
SELECT c.*, COALESCE(e.device_id, p.device_id) AS device_id, d.name AS device_name,
       COALESCE(u.short_name, u.user_key) AS user
FROM command c JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN user_channel u ON u.enrolment_id = e.id LEFT JOIN enrolment p ON p.id = u.parent_id
LEFT JOIN device d ON d.id = COALESCE(e.device_id, p.device_id)
WHERE c.id = $1

-- name: command_list
-- of the device $2 and its people
SELECT c.*, COALESCE(e.device_id, p.device_id) AS device_id, d.name AS device_name,
       COALESCE(u.short_name, u.user_key) AS user
FROM command c JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN user_channel u ON u.enrolment_id = e.id LEFT JOIN enrolment p ON p.id = u.parent_id
LEFT JOIN device d ON d.id = COALESCE(e.device_id, p.device_id)
WHERE c.id < COALESCE(CAST($1 AS TEXT), '~')
  AND (CAST($2 AS TEXT) IS NULL OR COALESCE(e.device_id, p.device_id) = $2)
ORDER BY c.id DESC LIMIT $3

-- name: command_next
-- $2: of these kinds only, each between spaces
SELECT c.*, e.device_id FROM command c JOIN enrolment e ON e.id = c.enrolment_id
WHERE c.enrolment_id = $1 AND c.finished_at IS NULL AND NOT c.is_deferred AND c.state <> 'awaiting_confirmation'
  AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '% ' || c.kind || ' %')
ORDER BY c.priority, c.id LIMIT 1

-- name: command_open_count
-- what the device could be given
SELECT count(*) AS count FROM command
WHERE enrolment_id = $1 AND finished_at IS NULL AND state <> 'awaiting_confirmation'

-- name: command_open_of_kind
SELECT id FROM command
WHERE enrolment_id = $1 AND kind = $2 AND item IS NOT DISTINCT FROM $3 AND finished_at IS NULL LIMIT 1

-- name: command_deliver
UPDATE command SET state = 'delivered', attempts = attempts + 1,
       delivered_at = COALESCE(delivered_at, $2)
WHERE id = $1 AND finished_at IS NULL

-- name: command_finish
UPDATE command SET state = $2, finished_at = $3, reason = $4, remedy = $5, is_deferred = FALSE
WHERE id = $1 AND finished_at IS NULL

-- name: command_defer
-- a device that says so twice said it once
UPDATE command SET is_deferred = TRUE, put_off = put_off + 1
WHERE id = $1 AND finished_at IS NULL AND NOT is_deferred

-- name: command_put_off
-- in this session
SELECT count(*) AS count, COALESCE(max(put_off), 0) AS most FROM command
WHERE enrolment_id = $1 AND finished_at IS NULL AND is_deferred

-- name: command_put_off_forget
-- but for this session
UPDATE command SET put_off = CASE WHEN is_deferred THEN 1 ELSE 0 END
WHERE enrolment_id = $1 AND finished_at IS NULL AND put_off > 0

-- name: command_undefer
UPDATE command SET is_deferred = FALSE WHERE enrolment_id = $1 AND is_deferred AND finished_at IS NULL

-- name: command_sent
UPDATE command SET state = 'sent', sent_at = $2
WHERE enrolment_id = $1 AND state = 'queued' AND finished_at IS NULL

-- name: command_cancel
UPDATE command SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND finished_at IS NULL
  AND state IN ('queued', 'sent', 'awaiting_confirmation')

-- name: command_cancel_unseen
UPDATE command SET state = 'cancelled', finished_at = $2
WHERE id = $1 AND finished_at IS NULL AND delivered_at IS NULL

-- name: command_reopen
-- the last of its kind; it was agreed to, and stays delivered: nobody is asked again
UPDATE command SET state = 'queued', finished_at = NULL, reason = NULL, remedy = NULL, sent_at = NULL,
       is_deferred = FALSE, put_off = 0, is_outdated = FALSE
WHERE id = (SELECT c.id FROM command c WHERE c.enrolment_id = $1 AND c.kind = $2
            ORDER BY c.created_at DESC, c.id DESC LIMIT 1)

-- name: command_take_back
-- marked delivered, and could not be handed out
UPDATE command SET state = 'sent', attempts = attempts - 1,
       delivered_at = CASE WHEN attempts > 1 THEN delivered_at END
WHERE id = $1 AND finished_at IS NULL AND state = 'delivered'

-- name: command_end_of_enrolment
-- all that is open but the kind $4
UPDATE command SET state = $2, finished_at = $3, is_deferred = FALSE
WHERE enrolment_id = $1 AND finished_at IS NULL AND (CAST($4 AS TEXT) IS NULL OR kind <> $4)

-- name: command_supersede_item
UPDATE command SET state = 'superseded', finished_at = $3, is_deferred = FALSE
WHERE enrolment_id = $1 AND item = $2 AND finished_at IS NULL AND kind IN ('install_item', 'remove_item')

-- name: command_verify_item
UPDATE command SET state = 'verified'
WHERE enrolment_id = $1 AND item = $2 AND kind = 'install_item' AND state = 'applied'

-- name: command_outdate
-- Commands of $1 came to their end ($2: of this kind, $3: of this item): nothing needs what is not the newest of its kind, or the
-- newest that the device got, with items each for itself.  Those tell whether it may have an item
-- (command_item_delivered) and since when it was to leave (certificate_by_serial, enrolment_silent).  Of a
-- device that has surely left nothing is needed (command_reopen).
UPDATE command SET is_outdated = TRUE
WHERE enrolment_id = $1 AND finished_at IS NOT NULL AND NOT is_outdated
  AND (CAST($2 AS TEXT) IS NULL OR kind = $2) AND (CAST($3 AS TEXT) IS NULL OR item = $3)
  AND (EXISTS (SELECT 1 FROM enrolment e WHERE e.id = $1 AND e.ended_at IS NOT NULL
               AND e.state NOT IN ('retired_unconfirmed', 'wiped_unconfirmed'))
       OR EXISTS (SELECT 1 FROM command o
        WHERE o.enrolment_id = $1 AND o.kind = command.kind AND o.finished_at IS NOT NULL AND NOT o.is_outdated
          AND (o.created_at, o.id) > (command.created_at, command.id)
          AND (o.item IS NOT DISTINCT FROM command.item OR command.kind NOT IN ('install_item', 'remove_item'))
          AND (o.delivered_at IS NOT NULL OR command.delivered_at IS NULL)))

-- name: command_expirable
SELECT id, enrolment_id, kind FROM command
WHERE finished_at IS NULL AND expires_at IS NOT NULL AND expires_at < $1 ORDER BY expires_at, id LIMIT $2

-- name: command_expire
UPDATE command SET state = 'expired', finished_at = $2, is_deferred = FALSE
WHERE id = $1 AND finished_at IS NULL AND expires_at < $2

-- name: command_item_delivered
-- may the device have this item?
SELECT id FROM command
WHERE enrolment_id = $1 AND item = $2 AND kind = 'install_item' AND delivered_at IS NOT NULL LIMIT 1

-- name: delivered_list
SELECT * FROM delivered WHERE enrolment_id = $1 ORDER BY item

-- name: delivered_shown
-- of the enrolment $1 and of its people; what waits for people only where nobody is there
SELECT d.enrolment_id, d.item, d.carrier, d.hash, d.wanted_hash, d.state, d.reason, d.remedy, d.losses, d.changed_at,
       NULL AS user
FROM delivered d WHERE d.enrolment_id = $1
  AND (d.carrier <> 'user_channel'
       OR NOT EXISTS (SELECT 1 FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id
                      WHERE u.parent_id = $1 AND e.state = 'active'))
UNION ALL
SELECT d.enrolment_id, d.item, 'user_channel', d.hash, d.wanted_hash, d.state, d.reason, d.remedy, d.losses, d.changed_at,
       COALESCE(u.short_name, u.user_key)
FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id JOIN delivered d ON d.enrolment_id = u.enrolment_id
WHERE u.parent_id = $1 AND e.state = 'active'
ORDER BY 2, 1

-- name: delivered_want
INSERT INTO delivered (enrolment_id, item, carrier, hash, wanted_hash, state, losses, changed_at)
VALUES ($1, $2, $5, '', $3, 'queued', 0, $4)
ON CONFLICT (enrolment_id, item) DO UPDATE
SET wanted_hash = $3, state = 'queued', reason = NULL, remedy = NULL, losses = 0, changed_at = $4

-- name: delivered_failed
SELECT item, carrier, wanted_hash FROM delivered WHERE enrolment_id = $1 AND state = 'failed' ORDER BY item

-- name: delivered_losses
-- how often in a row the device took the item and had it not
UPDATE delivered SET losses = $3 WHERE enrolment_id = $1 AND item = $2

-- name: delivered_state
UPDATE delivered SET state = $3, hash = COALESCE($4, hash), reason = $5, remedy = $6, changed_at = $7
WHERE enrolment_id = $1 AND item = $2

-- name: delivered_sent
UPDATE delivered SET state = 'sent', changed_at = $2
WHERE enrolment_id = $1 AND state = 'queued' AND carrier <> 'user_channel'

-- name: delivered_remove
DELETE FROM delivered WHERE enrolment_id = $1 AND item = $2 AND wanted_hash IS NULL

-- name: delivered_drop
DELETE FROM delivered WHERE enrolment_id = $1 AND item = $2

-- name: delivered_clear
DELETE FROM delivered WHERE enrolment_id = $1
