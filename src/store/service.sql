-- SPDX-License-Identifier: Apache-2.0
-- The service that knows devices before they come: its token, its devices, its profiles.

-- name: service_get
SELECT * FROM enrolment_service ORDER BY id LIMIT 1

-- name: service_insert
-- one at most: of two that make it at once, one stays
INSERT INTO enrolment_service (id, certificate, sealed_key, created_at)
SELECT CAST($1 AS TEXT), CAST($2 AS BLOB), CAST($3 AS BLOB), CAST($4 AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM enrolment_service)

-- name: service_token_set
UPDATE enrolment_service SET sealed_token = $2, consumer = $3, expires_at = $4, imported_at = $5,
       warned_days = NULL, problem = NULL, remedy = NULL, tried_at = NULL
WHERE id = $1

-- name: service_forget
-- another server's devices
UPDATE enrolment_service SET server_id = NULL, server_name = NULL, organization = NULL, organization_id = NULL,
       account = NULL, cursor = NULL, fetch_started_at = NULL, synced_at = NULL
WHERE id = $1

-- name: service_account_set
UPDATE enrolment_service SET server_id = $2, server_name = $3, organization = $4, organization_id = $5, account = $6
WHERE id = $1

-- name: service_cursor_set
UPDATE enrolment_service SET cursor = $2, fetch_started_at = $3 WHERE id = $1

-- name: service_synced
UPDATE enrolment_service SET synced_at = $2, tried_at = $2, problem = NULL, remedy = NULL WHERE id = $1

-- name: service_failed
UPDATE enrolment_service SET tried_at = $2, problem = $3, remedy = $4 WHERE id = $1

-- name: service_warned
UPDATE enrolment_service SET warned_days = $2 WHERE id = $1 AND (warned_days IS NULL OR warned_days > $2)

-- name: service_device_put
-- a device that comes back or is new gets the profile for devices without a wish; what somebody else gave it
-- meanwhile is put right by assigning again
INSERT INTO service_device (serial, model, description, color, asset_tag, family, os, assigned_at, assigned_by,
                            profile_status, profile_uuid, profile_assigned_at, profile_pushed_at, profile_id,
                            added_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        (SELECT id FROM service_profile WHERE is_automatic LIMIT 1), $14, $14)
ON CONFLICT (serial) DO UPDATE
SET model = $2, description = $3, color = $4, asset_tag = $5, family = $6, os = $7, assigned_at = $8,
    assigned_by = $9, profile_status = $10, profile_uuid = $11, profile_assigned_at = $12, profile_pushed_at = $13,
    seen_at = $14,
    profile_id = CASE WHEN service_device.removed_at IS NULL THEN service_device.profile_id
                      ELSE (SELECT id FROM service_profile WHERE is_automatic LIMIT 1) END,
    given_uuid = CASE WHEN service_device.removed_at IS NULL AND service_device.given_uuid = $11
                           AND $10 IN ('assigned', 'pushed') THEN service_device.given_uuid END,
    removed_at = NULL

-- name: service_device_remove
UPDATE service_device SET removed_at = $2, seen_at = $2, profile_id = NULL, given_uuid = NULL, problem = NULL
WHERE serial = $1 AND removed_at IS NULL

-- name: service_devices_unseen
-- a fetch of everything that began at $1 did not name them
UPDATE service_device SET removed_at = $2, profile_id = NULL, given_uuid = NULL, problem = NULL
WHERE seen_at < $1 AND removed_at IS NULL

-- name: service_device_get
SELECT s.*, p.name AS profile, (SELECT d.id FROM device d WHERE d.serial = s.serial ORDER BY d.id DESC LIMIT 1) AS device_id
FROM service_device s LEFT JOIN service_profile p ON p.id = s.profile_id WHERE s.serial = $1

-- name: service_device_list
SELECT s.*, p.name AS profile, (SELECT d.id FROM device d WHERE d.serial = s.serial ORDER BY d.id DESC LIMIT 1) AS device_id
FROM service_device s LEFT JOIN service_profile p ON p.id = s.profile_id
WHERE s.serial > COALESCE(CAST($1 AS TEXT), '') AND s.removed_at IS NULL ORDER BY s.serial LIMIT $2

-- name: service_device_count
SELECT count(*) AS count FROM service_device WHERE removed_at IS NULL

-- name: service_device_want
UPDATE service_device SET profile_id = $2, problem = NULL, tried_at = NULL WHERE serial = $1 AND removed_at IS NULL

-- name: service_device_due
-- of one profile: those that have another one at the service, and that nobody tried in vain since $2
SELECT s.serial FROM service_device s JOIN service_profile p ON p.id = s.profile_id
WHERE p.id = $1 AND p.uuid IS NOT NULL AND p.defined_revision = p.revision AND s.removed_at IS NULL
  AND s.given_uuid IS DISTINCT FROM p.uuid
  AND (s.problem IS NULL OR s.tried_at < $2)
ORDER BY s.serial LIMIT $3

-- name: service_device_unwanted
SELECT serial FROM service_device
WHERE profile_id IS NULL AND given_uuid IS NOT NULL AND removed_at IS NULL AND (problem IS NULL OR tried_at < $1)
ORDER BY serial LIMIT $2

-- name: service_device_given
UPDATE service_device SET given_uuid = $2, profile_uuid = $2, profile_status = $3, profile_assigned_at = $4,
       profile_pushed_at = NULL, problem = NULL, tried_at = $5
WHERE serial = $1

-- name: service_device_refused
UPDATE service_device SET problem = $2, tried_at = $3 WHERE serial = $1

-- name: service_profile_get
SELECT p.*, (SELECT count(*) FROM service_device s WHERE s.profile_id = p.id) AS device_count
FROM service_profile p WHERE p.name = $1 OR p.id = $1

-- name: service_profile_list
SELECT p.*, (SELECT count(*) FROM service_device s WHERE s.profile_id = p.id) AS device_count
FROM service_profile p WHERE p.name > COALESCE(CAST($1 AS TEXT), '') ORDER BY p.name LIMIT $2

-- name: service_profile_of
-- the profile that a device should have
SELECT p.* FROM service_device s JOIN service_profile p ON p.id = s.profile_id WHERE s.serial = $1

-- name: service_profile_put
INSERT INTO service_profile (id, name, is_automatic, is_mandatory, is_removable, allows_pairing,
                             awaits_configuration, skip, minimum_os, department, support_phone, support_email,
                             language, region, updated_at, revision, defined_revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, 0)
ON CONFLICT (id) DO UPDATE
SET name = $2, is_automatic = $3, is_mandatory = $4, is_removable = $5, allows_pairing = $6,
    awaits_configuration = $7, skip = $8, minimum_os = $9, department = $10, support_phone = $11,
    support_email = $12, language = $13, region = $14, updated_at = $15,
    revision = service_profile.revision + 1, problem = NULL

-- name: service_profile_only_automatic
UPDATE service_profile SET is_automatic = FALSE WHERE id <> $1 AND is_automatic

-- name: service_profile_adopt
-- devices that were there before the first automatic profile
UPDATE service_device SET profile_id = $1 WHERE profile_id IS NULL AND given_uuid IS NULL AND removed_at IS NULL

-- name: service_profile_delete
DELETE FROM service_profile WHERE id = $1

-- name: service_profile_due
SELECT * FROM service_profile WHERE defined_revision < revision ORDER BY name LIMIT 20

-- name: service_profile_all
SELECT id, uuid FROM service_profile WHERE uuid IS NOT NULL ORDER BY name LIMIT 200

-- name: service_profile_defined
UPDATE service_profile SET uuid = $2, defined_revision = $3, problem = NULL WHERE id = $1

-- name: service_profile_again
-- its anchors are other ones
UPDATE service_profile SET revision = revision + 1 WHERE uuid IS NOT NULL

-- name: service_profile_refused
UPDATE service_profile SET problem = $2 WHERE id = $1

-- name: enrolment_link_of_service
-- the way in of a device that its maker's service named: used as it is made
INSERT INTO enrolment_link (id, mac, name, ownership, device_id, created_at, created_by, expires_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6)

-- name: enrolment_expect
UPDATE enrolment SET expected_udid = $2, expected_serial = $3 WHERE id = $1

-- name: enrolment_expected
SELECT expected_udid, expected_serial, awaits_until, configured_at, state, device_id FROM enrolment WHERE id = $1

-- name: enrolment_await
-- also where it says so again, after it was let go on
UPDATE enrolment SET awaits_until = $2, configured_at = NULL
WHERE id = $1 AND (awaits_until IS NULL OR configured_at IS NOT NULL)

-- name: enrolment_configured
UPDATE enrolment SET configured_at = $2 WHERE id = $1 AND configured_at IS NULL AND awaits_until IS NOT NULL

-- name: enrolment_unconfigured
-- what a device that waits still has to get: commands for what holds, declarations, and what was not planned yet
SELECT (SELECT count(*) FROM delivered v WHERE v.enrolment_id = $1 AND v.wanted_hash IS NOT NULL
        AND v.carrier <> 'user_channel' AND v.state IN ('queued', 'sent', 'delivered'))
     + (SELECT count(*) FROM enrolment e JOIN desired d ON d.device_id = e.device_id
        WHERE e.id = $1 AND d.planned_hash IS DISTINCT FROM d.variant_hash) AS count

-- name: command_release_open
SELECT count(*) AS count FROM command WHERE enrolment_id = $1 AND kind = 'finish_setup' AND finished_at IS NULL

-- name: command_release_done
SELECT count(*) AS count FROM command WHERE enrolment_id = $1 AND kind = 'finish_setup' AND state IN ('applied', 'verified')
  AND created_at >= $2

-- name: command_release_refused
-- when the device last said no
SELECT COALESCE(max(finished_at), 0) AS at FROM command
WHERE enrolment_id = $1 AND kind = 'finish_setup' AND state NOT IN ('applied', 'verified') AND created_at >= $2
