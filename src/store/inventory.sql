-- SPDX-License-Identifier: Apache-2.0
-- What is on devices: lists, and the things in them.

-- name: inventory_told
SELECT kind, count, is_cut, evidence, reported_at FROM inventory_list WHERE device_id = $1 ORDER BY kind LIMIT 100

-- name: inventory_digest
SELECT digest FROM inventory_list WHERE device_id = $1 AND kind = $2

-- name: inventory_tell
INSERT INTO inventory_list (device_id, kind, count, is_cut, evidence, digest, reported_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (device_id, kind) DO UPDATE
SET count = $3, is_cut = $4, evidence = $5, digest = $6, reported_at = $7

-- name: inventory_known
SELECT identifier, digest FROM inventory WHERE device_id = $1 AND kind = $2 LIMIT 10000

-- name: inventory_put
INSERT INTO inventory (device_id, kind, identifier, name, version, state, expires_at, detail, digest, first_seen_at,
                       changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (device_id, kind, identifier) DO UPDATE
SET name = $4, version = $5, state = $6, expires_at = $7, detail = $8, digest = $9, changed_at = $10

-- name: inventory_drop
DELETE FROM inventory WHERE device_id = $1 AND kind = $2 AND identifier = $3

-- name: inventory_page
SELECT i.identifier, i.name, i.version, i.state, i.expires_at, i.detail, i.first_seen_at, i.changed_at, l.reported_at
FROM inventory i JOIN inventory_list l ON l.device_id = i.device_id AND l.kind = i.kind
WHERE i.device_id = $1 AND i.kind = $2 AND (CAST($3 AS TEXT) IS NULL OR i.identifier > $3)
ORDER BY i.identifier LIMIT $4

-- name: inventory_apps
-- each app once, with what management knows of it; what management knows of no installed app stands beside them
SELECT i.identifier, i.name, i.version, m.state, i.expires_at, i.detail, i.first_seen_at, i.changed_at, l.reported_at
FROM inventory i JOIN inventory_list l ON l.device_id = i.device_id AND l.kind = i.kind
LEFT JOIN inventory m ON m.device_id = i.device_id AND m.kind = 'managed_app' AND m.identifier = i.identifier
WHERE i.device_id = $1 AND (CAST($2 AS TEXT) IS NULL OR i.identifier > $2)
  AND (i.kind = 'app' OR (i.kind = 'managed_app' AND NOT EXISTS (SELECT 1 FROM inventory a
        WHERE a.device_id = i.device_id AND a.kind = 'app' AND a.identifier = i.identifier)))
ORDER BY i.identifier LIMIT $3

-- name: inventory_forget
DELETE FROM inventory WHERE device_id = $1 AND kind = $2

-- name: inventory_untell
DELETE FROM inventory_list WHERE device_id = $1 AND kind = $2
