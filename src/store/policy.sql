-- SPDX-License-Identifier: Apache-2.0
-- Policies, assignments, variants, facts, compliance.

-- name: policy_insert
INSERT INTO policy (id, name, name_folded, kind, description, revision, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 1, $6, $6)

-- name: policy_revision_insert
INSERT INTO policy_revision (policy_id, revision, settings, created_at, created_by)
VALUES ($1, $2, $3, $4, $5)

-- name: policy_update
UPDATE policy SET name = $3, name_folded = $4, description = $5, revision = $2 + 1, updated_at = $6
WHERE id = $1 AND revision = $2 AND deleted_at IS NULL

-- name: policy_delete
UPDATE policy SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL

-- name: policy_by_id
SELECT p.id, p.name, p.kind, p.description, p.revision, r.settings, p.created_at, p.updated_at, r.created_by,
       (SELECT count(*) FROM assignment a WHERE a.policy_id = p.id) AS assignment_count
FROM policy p JOIN policy_revision r ON r.policy_id = p.id AND r.revision = p.revision
WHERE p.id = $1 AND p.deleted_at IS NULL

-- name: policy_find
SELECT id, name FROM policy WHERE (id = $1 OR name_folded = $2) AND deleted_at IS NULL ORDER BY id LIMIT 2

-- name: policy_list
SELECT p.id, p.name, p.kind, p.description, p.revision, r.settings, p.created_at, p.updated_at, r.created_by,
       (SELECT count(*) FROM assignment a WHERE a.policy_id = p.id) AS assignment_count
FROM policy p JOIN policy_revision r ON r.policy_id = p.id AND r.revision = p.revision
WHERE p.deleted_at IS NULL AND p.id > COALESCE(CAST($1 AS TEXT), '')
ORDER BY p.id LIMIT $2

-- name: policy_revision_list
SELECT p.id, p.name, p.kind, r.revision, r.settings, r.created_at, r.created_at AS updated_at, r.created_by,
       (SELECT count(*) FROM assignment a WHERE a.policy_id = p.id) AS assignment_count
FROM policy p JOIN policy_revision r ON r.policy_id = p.id
WHERE p.id = $1 ORDER BY r.revision DESC LIMIT 200

-- name: assignment_insert
INSERT INTO assignment (id, policy_id, target, device_id, band, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: assignment_same
SELECT id FROM assignment WHERE policy_id = $1 AND target = $2 AND device_id IS NOT DISTINCT FROM $3

-- name: assignment_delete
DELETE FROM assignment WHERE id = $1 AND policy_id = $2

-- name: assignment_by_id
SELECT * FROM assignment WHERE id = $1

-- name: assignment_list
SELECT * FROM assignment WHERE policy_id = $1 ORDER BY id LIMIT 1000

-- name: assigned_revisions
-- everything that is assigned to a device: the input of resolution and compliance
SELECT p.id AS policy_id, p.name, p.kind, p.revision, r.settings, a.band, a.created_at
FROM assignment a
JOIN policy p ON p.id = a.policy_id AND p.deleted_at IS NULL
JOIN policy_revision r ON r.policy_id = p.id AND r.revision = p.revision
WHERE a.target = 'all' OR a.device_id = $1
ORDER BY p.id, a.id

-- name: variant_insert
-- one that is there gets a new time: housekeeping, which removes old ones, waits for us or we for it
INSERT INTO variant (hash, platform, content, decisions, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (hash) DO UPDATE SET created_at = $5

-- name: desired_set
INSERT INTO desired (device_id, variant_hash, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (device_id) DO UPDATE SET variant_hash = $2, changed_at = $3

-- name: desired_by_device
SELECT d.device_id, d.variant_hash, d.planned_hash, d.changed_at, v.platform, v.content, v.decisions,
       x.os_version, x.is_supervised,
       EXISTS (SELECT 1 FROM enrolment e JOIN enrolment_link l ON l.id = e.link_id
               WHERE e.device_id = d.device_id AND e.ended_at IS NULL AND l.mode = 'account') AS by_account,
       (SELECT o.name FROM organization o ORDER BY o.id LIMIT 1) AS organization
FROM desired d JOIN variant v ON v.hash = d.variant_hash JOIN device x ON x.id = d.device_id
WHERE d.device_id = $1

-- name: desired_planned
UPDATE desired SET planned_hash = $2 WHERE device_id = $1 AND variant_hash = $2

-- name: desired_unplan
UPDATE desired SET planned_hash = NULL WHERE device_id = $1

-- name: desired_unplan_all
UPDATE desired SET planned_hash = NULL WHERE planned_hash IS NOT NULL

-- name: desired_unplanned
SELECT d.device_id FROM desired d
WHERE d.planned_hash IS DISTINCT FROM d.variant_hash AND d.device_id > COALESCE(CAST($1 AS TEXT), '')
  AND EXISTS (SELECT 1 FROM enrolment e WHERE e.device_id = d.device_id AND e.state = 'active')
ORDER BY d.device_id LIMIT $2

-- name: fact_upsert
INSERT INTO fact (enrolment_id, name, value, evidence, source, reported_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (enrolment_id, name) DO UPDATE
SET value = $3, evidence = $4, source = $5, reported_at = $6

-- name: fact_find
SELECT name, value, evidence, source, reported_at FROM fact WHERE enrolment_id = $1 AND name = $2

-- name: fact_list
-- what the newest enrolment reported, chosen as device_by_id chooses; older ones are history
SELECT name, value, evidence, source, reported_at FROM fact
WHERE enrolment_id = (SELECT x.id FROM enrolment x WHERE x.device_id = $1
    ORDER BY CASE WHEN x.ended_at IS NOT NULL THEN 2 WHEN x.state = 'pending' THEN 1 ELSE 0 END,
             x.id DESC LIMIT 1)
ORDER BY name LIMIT 2000

-- name: fact_private_drop
-- of all enrolments of the device
DELETE FROM fact WHERE substr(name, 1, length($2)) = $2
  AND enrolment_id IN (SELECT e.id FROM enrolment e WHERE e.device_id = $1)

-- name: compliance_get
SELECT state, since, evaluated_at, results FROM compliance WHERE device_id = $1

-- name: compliance_set
INSERT INTO compliance (device_id, state, since, evaluated_at, recheck_at, results)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (device_id) DO UPDATE
SET state = $2, since = $3, evaluated_at = $4, recheck_at = $5, results = $6

-- name: compliance_end
DELETE FROM compliance WHERE device_id = $1

-- name: compliance_due
SELECT device_id FROM compliance WHERE recheck_at IS NOT NULL AND recheck_at <= $1 ORDER BY recheck_at LIMIT $2

-- name: compliance_all_due
UPDATE compliance SET recheck_at = 0

-- name: compliance_defer
UPDATE compliance SET recheck_at = $2 WHERE device_id = $1

-- name: compliance_counts
-- of the devices that device_list shows: those that left are not counted
SELECT COALESCE(c.state, 'not_evaluated') AS state, count(*) AS count
FROM device d LEFT JOIN compliance c ON c.device_id = d.id
WHERE EXISTS (SELECT 1 FROM enrolment e WHERE e.device_id = d.id AND e.ended_at IS NULL)
GROUP BY 1
