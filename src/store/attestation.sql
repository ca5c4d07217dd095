-- SPDX-License-Identifier: Apache-2.0
-- What devices were asked to have attested.

-- name: attestation_nonce_insert
INSERT INTO attestation_nonce (id, device_id, command_id, nonce, asked_at) VALUES ($1, $2, $3, $4, $5)

-- name: attestation_nonce_of_command
-- the newest, not older than $3
SELECT nonce FROM attestation_nonce WHERE device_id = $1 AND command_id = $2 AND asked_at > $3
ORDER BY asked_at DESC, id DESC LIMIT 1

-- name: attestation_nonce_find
-- a few a device: the index leads to them
SELECT asked_at, command_id FROM attestation_nonce WHERE device_id = $1 AND nonce = $2 ORDER BY asked_at DESC LIMIT 1

-- name: old_attestation_nonces
SELECT id, asked_at AS at FROM attestation_nonce WHERE asked_at < $1 AND (asked_at, id) > ($2, $3)
ORDER BY asked_at, id LIMIT $4

-- name: old_attestation_nonce_delete
DELETE FROM attestation_nonce WHERE id = $1 AND asked_at < $2
