-- SPDX-License-Identifier: Apache-2.0
-- Devices, their enrolments, links.

-- name: device_insert
INSERT INTO device (id, name, name_folded, platform, model, product, serial, udid, os_version,
                    os_build, ownership, is_supervised, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: device_update_claims
UPDATE device SET name = $2, name_folded = $3, platform = $4, model = $5, product = $6,
       serial = $7, os_version = $8, os_build = $9
WHERE id = $1

-- name: device_set_ownership
UPDATE device SET ownership = $2 WHERE id = $1 AND ownership <> $2

-- name: device_set_name
UPDATE device SET name = $2, name_folded = $3 WHERE id = $1 AND name <> $2

-- name: device_set_os
-- what was not reported stays as it was
UPDATE device SET os_version = $2, os_build = COALESCE($3, os_build),
       is_supervised = COALESCE($4, is_supervised)
WHERE id = $1 AND (os_version IS DISTINCT FROM $2
                   OR os_build IS DISTINCT FROM COALESCE($3, os_build)
                   OR is_supervised <> COALESCE($4, is_supervised))

-- name: device_by_udid
SELECT * FROM device WHERE udid = $1

-- name: device_by_id
SELECT d.id, d.name, d.platform, d.model, d.product, d.serial, d.udid, d.os_version, d.os_build,
       d.ownership, d.is_supervised, d.created_at, d.user_id, u.name AS user_name, e.state AS enrolment_state,
       COALESCE((SELECT l.mode FROM enrolment_link l WHERE l.id = e.link_id), 'device') AS enrolment_mode, e.last_contact_at,
       CASE WHEN e.ended_at IS NULL AND e.id IS NOT NULL THEN COALESCE(c.state, 'not_evaluated') END AS compliance,
       CASE WHEN e.state = 'active' AND NOT EXISTS (SELECT 1 FROM certificate k
            WHERE k.enrolment_id = e.id AND k.state IN ('issued', 'held')) THEN 'certificate_revoked' END AS shut_out,
       (SELECT s.kept_at FROM escrow s WHERE s.enrolment_id = e.id AND s.kind = 'bootstrap_token') AS bootstrap_token_at
FROM device d
LEFT JOIN person u ON u.id = d.user_id
LEFT JOIN enrolment e ON e.id = (SELECT x.id FROM enrolment x WHERE x.device_id = d.id
    ORDER BY CASE WHEN x.ended_at IS NOT NULL THEN 2 WHEN x.state = 'pending' THEN 1 ELSE 0 END,
             x.id DESC LIMIT 1)
LEFT JOIN compliance c ON c.device_id = d.id
WHERE d.id = $1

-- name: device_find
-- by id, else by serial number, UDID or name, all alike: what one device tells of itself hides no other
SELECT id, CAST(CASE WHEN id = $1 THEN 0 ELSE 1 END AS BIGINT) AS place
FROM device
WHERE id = $1 OR serial = $1 OR udid = $1 OR name_folded = $2
ORDER BY place, id LIMIT 2

-- name: device_list
-- those that left have no compliance, and are listed only where $5 asks for them
SELECT d.id, d.name, d.platform, d.model, d.product, d.serial, d.udid, d.os_version, d.os_build,
       d.ownership, d.is_supervised, d.created_at, d.user_id, u.name AS user_name, e.state AS enrolment_state,
       COALESCE((SELECT l.mode FROM enrolment_link l WHERE l.id = e.link_id), 'device') AS enrolment_mode, e.last_contact_at,
       CASE WHEN e.ended_at IS NULL AND e.id IS NOT NULL THEN COALESCE(c.state, 'not_evaluated') END AS compliance,
       CASE WHEN e.state = 'active' AND NOT EXISTS (SELECT 1 FROM certificate k
            WHERE k.enrolment_id = e.id AND k.state IN ('issued', 'held')) THEN 'certificate_revoked' END AS shut_out,
       (SELECT s.kept_at FROM escrow s WHERE s.enrolment_id = e.id AND s.kind = 'bootstrap_token') AS bootstrap_token_at
FROM device d
LEFT JOIN person u ON u.id = d.user_id
LEFT JOIN enrolment e ON e.id = (SELECT x.id FROM enrolment x WHERE x.device_id = d.id
    ORDER BY CASE WHEN x.ended_at IS NOT NULL THEN 2 WHEN x.state = 'pending' THEN 1 ELSE 0 END,
             x.id DESC LIMIT 1)
LEFT JOIN compliance c ON c.device_id = d.id
WHERE d.id > COALESCE(CAST($1 AS TEXT), '')
  AND (CAST($2 AS TEXT) IS NULL OR d.name_folded LIKE $2 ESCAPE '!' OR d.serial = $3 OR d.udid = $3)
  AND ($5 OR (e.id IS NOT NULL AND e.ended_at IS NULL))
  AND (CAST($4 AS TEXT) IS NULL
       OR (e.id IS NOT NULL AND e.ended_at IS NULL AND COALESCE(c.state, 'not_evaluated') = $4))
  AND (NOT $7 OR (e.state = 'active' AND NOT EXISTS (SELECT 1 FROM certificate k
       WHERE k.enrolment_id = e.id AND k.state IN ('issued', 'held'))))
ORDER BY d.id LIMIT $6

-- name: device_ids_after
SELECT d.id FROM device d
WHERE d.id > COALESCE(CAST($1 AS TEXT), '')
  AND EXISTS (SELECT 1 FROM enrolment e WHERE e.device_id = d.id AND e.ended_at IS NULL)
ORDER BY d.id LIMIT $2

-- name: enrolment_link_insert
INSERT INTO enrolment_link (id, mac, name, ownership, device_id, created_at, created_by, expires_at, mode, user_id,
                            apple_account)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: enrolment_link_by_mac
SELECT id, name, ownership, device_id, mode, user_id, apple_account, created_at, created_by, expires_at, used_at,
       revoked_at
FROM enrolment_link WHERE mac = $1

-- name: enrolment_link_use
UPDATE enrolment_link SET used_at = $2
WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2

-- name: enrolment_link_revoke
UPDATE enrolment_link SET revoked_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL

-- name: enrolment_link_count
SELECT count(*) AS count FROM enrolment_link WHERE id = $1

-- name: enrolment_link_list
SELECT id, name, ownership, device_id, mode, user_id, apple_account, created_at, created_by, expires_at, used_at,
       revoked_at
FROM enrolment_link WHERE id < COALESCE(CAST($1 AS TEXT), '~') ORDER BY id DESC LIMIT $2

-- name: enrolment_insert
-- people of the device are managed, if what it is given says so
INSERT INTO enrolment (id, link_id, channel, state, created_at, takes_users, authority)
VALUES ($1, $2, $3, $4, $5, TRUE, $6)

-- name: enrolment_by_id
SELECT * FROM enrolment WHERE id = $1

-- name: enrolment_link_of
SELECT l.id, l.ownership, l.device_id, l.mode, l.user_id, l.apple_account FROM enrolment e JOIN enrolment_link l ON l.id = e.link_id WHERE e.id = $1

-- name: enrolment_bind
UPDATE enrolment SET device_id = $2, topic = $3 WHERE id = $1 AND (device_id IS NULL OR device_id = $2)

-- name: enrolment_activate
UPDATE enrolment SET state = 'active', enrolled_at = $2 WHERE id = $1 AND state = 'pending'

-- name: enrolment_set_push
UPDATE enrolment SET topic = COALESCE($2, topic), push_token = COALESCE($3, push_token),
       push_magic = COALESCE($4, push_magic), unlock_token = COALESCE($5, unlock_token),
       push_at = $6, push_dead_at = NULL, push_problem = NULL
WHERE id = $1

-- name: enrolment_set_state
UPDATE enrolment SET state = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL

-- name: enrolment_reopen
-- given up as $3: unless the device has enrolled again since, and not only begun to
UPDATE enrolment SET state = $2, ended_at = NULL, last_contact_at = $4
WHERE id = $1 AND state = $3
  AND NOT EXISTS (SELECT 1 FROM enrolment n WHERE n.device_id = enrolment.device_id AND n.id > enrolment.id
                  AND n.enrolled_at IS NOT NULL)

-- name: enrolment_block
UPDATE enrolment SET state = 'blocked' WHERE id = $1 AND state = 'active'

-- name: enrolment_unblock
UPDATE enrolment SET state = 'active' WHERE id = $1 AND state = 'blocked'

-- name: enrolment_current
-- the one that can be managed
SELECT * FROM enrolment WHERE device_id = $1 AND state IN ('active', 'blocked', 'retiring', 'wiping')
ORDER BY id DESC LIMIT 1

-- name: enrolment_others
SELECT id FROM enrolment WHERE device_id = $1 AND id <> $2 AND ended_at IS NULL

-- name: enrolment_contact
UPDATE enrolment SET last_contact_at = $2
WHERE id = $1 AND (last_contact_at IS NULL OR last_contact_at < $2)

-- name: enrolment_topic_next
-- the next one behind $1: there are few
SELECT topic FROM enrolment WHERE ended_at IS NULL AND state <> 'pending' AND device_id IS NOT NULL AND topic > $1
ORDER BY topic LIMIT 1

-- name: enrolment_unreachable
-- devices (not their people) enrolled under another topic than $1: the push certificate does not reach them
SELECT (SELECT count(*) FROM enrolment WHERE ended_at IS NULL AND state <> 'pending' AND device_id IS NOT NULL AND topic < $1)
     + (SELECT count(*) FROM enrolment WHERE ended_at IS NULL AND state <> 'pending' AND device_id IS NOT NULL AND topic > $1)
     + (SELECT count(*) FROM enrolment WHERE ended_at IS NULL AND state <> 'pending' AND device_id IS NOT NULL AND topic IS NULL) AS count

-- name: enrolment_silent
-- asked to leave (last) before $1 and not heard of since: at most $2 behind $3, or $5 alone; the answer may have
-- been "no".
-- An erasure that was fetched is answered once or never: it is given up before $4.  One that was not fetched
-- is not given up: the device may turn up with everything on it.
SELECT e.id, e.state, e.device_id FROM enrolment e
WHERE e.state IN ('retiring', 'wiping')
  AND ((COALESCE(e.last_contact_at, e.created_at) < $1
        AND NOT EXISTS (SELECT 1 FROM command c WHERE c.enrolment_id = e.id AND c.kind IN ('retire', 'wipe')
                        AND (c.created_at >= $1
                             OR (c.kind = 'wipe' AND c.finished_at IS NULL AND c.delivered_at IS NULL))))
       OR (COALESCE(e.last_contact_at, e.created_at) < $4
           AND EXISTS (SELECT 1 FROM command c WHERE c.enrolment_id = e.id AND c.kind = 'wipe'
                       AND c.finished_at IS NULL AND c.delivered_at < $4)))
  AND e.id > COALESCE(CAST($3 AS TEXT), '') AND e.id = COALESCE(CAST($5 AS TEXT), e.id)
ORDER BY e.id LIMIT $2

-- name: device_take_way
-- who signed in by the link
UPDATE device SET
    user_id = COALESCE((SELECT l.user_id FROM enrolment_link l JOIN enrolment e ON e.link_id = l.id WHERE e.id = $2),
                       user_id)
WHERE id = $1
