-- SPDX-License-Identifier: Apache-2.0
-- Generations of the authority.

-- name: authority_list
SELECT * FROM authority ORDER BY number

-- name: authority_insert
INSERT INTO authority (number, role, since, root_sha256, root_not_after, issuing_not_after, certifies_servers)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: authority_update
UPDATE authority SET role = $2, since = $3, root_not_after = $4, issuing_not_after = $5, certifies_servers = $6
WHERE number = $1

-- name: authority_living
-- certificates of $1 that are good or held; what was revoked does not come back
SELECT count(*) AS count FROM certificate WHERE authority = $1 AND state IN ('issued', 'held') AND not_after > $2

-- name: authority_devices
-- active enrolments whose newest certificate in use is of $1
SELECT count(*) AS count FROM enrolment e WHERE e.state = 'active'
  AND EXISTS (SELECT 1 FROM certificate c WHERE c.enrolment_id = e.id AND c.authority = $1 AND c.state = 'issued'
              AND NOT EXISTS (SELECT 1 FROM certificate n WHERE n.enrolment_id = e.id AND n.id > c.id
                              AND n.state = 'issued' AND n.seen_at IS NOT NULL))

-- name: authority_untrusting
-- devices that have not confirmed the roots ($1: the item), or whose state was not planned since they changed
SELECT count(*) AS count FROM enrolment e WHERE e.state IN ('active', 'blocked') AND e.device_id IS NOT NULL
  AND (NOT EXISTS (SELECT 1 FROM delivered d WHERE d.enrolment_id = e.id AND d.item = $1
                   AND d.hash = d.wanted_hash)
       OR NOT EXISTS (SELECT 1 FROM desired x WHERE x.device_id = e.device_id AND x.planned_hash IS NOT NULL))

-- name: renewal_bring_forward
-- the job gives each its moment
UPDATE certificate SET renew_at = $2 WHERE authority = $1 AND state = 'issued' AND renew_at > $2
