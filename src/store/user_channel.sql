-- SPDX-License-Identifier: Apache-2.0
-- Channels of people on a device; $1 is the enrolment of the device where nothing else is said.

-- name: user_channel_find
SELECT u.enrolment_id, e.state,
       EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id AND o.finished_at IS NULL
               AND o.state <> 'awaiting_confirmation') AS has_work,
       EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id AND o.finished_at IS NULL AND o.is_deferred)
           AS has_deferred
FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id WHERE u.parent_id = $1 AND u.user_key = $2

-- name: user_channel_count
-- those who are there; who left counts when there were ten times as many ($2) as may be there
SELECT CASE WHEN count(*) >= 10 * $2 THEN count(*) ELSE count(CASE WHEN e.state = 'active' THEN 1 END) END AS count
FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id WHERE u.parent_id = $1

-- name: user_channel_enrolment
-- $2: its own
INSERT INTO enrolment (id, link_id, channel, state, topic, created_at, enrolled_at)
SELECT CAST($2 AS TEXT), p.link_id, p.channel, 'active', p.topic, CAST($3 AS BIGINT), CAST($3 AS BIGINT)
FROM enrolment p WHERE p.id = $1

-- name: user_channel_insert
INSERT INTO user_channel (enrolment_id, parent_id, user_key, on_console) VALUES ($2, $1, $3, TRUE)

-- name: user_channel_names
-- $1: its own
UPDATE user_channel SET short_name = COALESCE($2, short_name), long_name = COALESCE($3, long_name), on_console = $4
WHERE enrolment_id = $1

-- name: user_channel_reopen
-- $1: its own
UPDATE enrolment SET state = 'active', ended_at = NULL, enrolled_at = $2 WHERE id = $1 AND ended_at IS NOT NULL

-- name: user_channel_profiles
-- $1: its own
UPDATE user_channel SET profile_count = $2, profiles_at = $3 WHERE enrolment_id = $1

-- name: user_channel_commands_end
UPDATE command SET state = 'cancelled', finished_at = $2, is_deferred = FALSE
WHERE finished_at IS NULL AND enrolment_id IN (SELECT u.enrolment_id FROM user_channel u WHERE u.parent_id = $1)

-- name: user_channel_end
UPDATE enrolment SET state = 'checked_out', ended_at = $2, push_token = NULL, push_magic = NULL
WHERE ended_at IS NULL AND id IN (SELECT u.enrolment_id FROM user_channel u WHERE u.parent_id = $1)

-- name: user_channel_delivered_end
DELETE FROM delivered WHERE enrolment_id IN (SELECT u.enrolment_id FROM user_channel u WHERE u.parent_id = $1)

-- name: user_channel_open
SELECT u.enrolment_id FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id
WHERE u.parent_id = $1 AND e.state = 'active' ORDER BY u.enrolment_id

-- name: user_channel_about
-- $1: its own
SELECT p.device_id, COALESCE(u.short_name, u.user_key) AS name
FROM user_channel u JOIN enrolment p ON p.id = u.parent_id WHERE u.enrolment_id = $1

-- name: user_channel_waiting
-- open ones that something waits for
SELECT u.enrolment_id FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id
WHERE u.parent_id = $1 AND e.state = 'active'
  AND EXISTS (SELECT 1 FROM command c WHERE c.enrolment_id = e.id AND c.finished_at IS NULL)
ORDER BY u.enrolment_id

-- name: user_items_hold
UPDATE enrolment SET takes_users = takes_users WHERE id = $1

-- name: user_items_may
-- 1: its people can have channels
SELECT count(*) AS count FROM enrolment e LEFT JOIN enrolment_link l ON l.id = e.link_id
WHERE e.id = $1 AND e.takes_users AND COALESCE(l.mode, 'device') = 'device'

-- name: user_items_wishes
SELECT item, wanted_hash FROM delivered WHERE enrolment_id = $1 AND carrier = 'user_channel' ORDER BY item

-- name: user_items_wish
-- changes a row only where the content is another one
INSERT INTO delivered (enrolment_id, item, carrier, hash, wanted_hash, state, reason, remedy, losses, changed_at)
VALUES ($1, $2, 'user_channel', '', $3, $4, $5, $6, 0, $7)
ON CONFLICT (enrolment_id, item) DO UPDATE
SET carrier = 'user_channel', hash = '', wanted_hash = $3, state = $4, reason = $5, remedy = $6, changed_at = $7
WHERE delivered.carrier <> 'user_channel' OR delivered.wanted_hash IS DISTINCT FROM $3

-- name: user_channel_list
-- of the enrolment of the device $1 that can be managed
SELECT u.enrolment_id AS id, u.user_key AS user_identifier, u.short_name AS name, u.long_name AS full_name, u.on_console, e.state,
       e.enrolled_at, e.last_contact_at, u.profile_count, u.profiles_at,
       (SELECT count(*) FROM command o WHERE o.enrolment_id = e.id AND o.finished_at IS NULL) AS open_commands
FROM user_channel u JOIN enrolment e ON e.id = u.enrolment_id
WHERE u.parent_id = (SELECT p.id FROM enrolment p WHERE p.device_id = $1
                     AND p.state IN ('active', 'blocked', 'retiring', 'wiping') ORDER BY p.id DESC LIMIT 1)
ORDER BY u.enrolment_id
