-- SPDX-License-Identifier: Apache-2.0
-- The people who carry devices.

-- name: user_insert
INSERT INTO person (id, name, name_folded, full_name, mail, mail_folded, apple_account, apple_account_folded,
                    password_hash, must_change, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, TRUE, $10)

-- name: user_update
UPDATE person SET name = $2, name_folded = $3, full_name = $4, mail = $5, mail_folded = $6, apple_account = $7,
       apple_account_folded = $8
WHERE id = $1

-- name: user_taken
-- who else has the name $2, the address $3 or the account $4
SELECT id, name_folded, mail_folded, apple_account_folded FROM person
WHERE id <> $1 AND (name_folded = $2 OR mail_folded = $3 OR apple_account_folded = $4) ORDER BY id LIMIT 1

-- name: user_set_password
UPDATE person SET password_hash = $2, must_change = $3 WHERE id = $1

-- name: user_set_disabled
UPDATE person SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NOT DISTINCT FROM $3

-- name: user_by_id
SELECT * FROM person WHERE id = $1

-- name: user_find
-- an id, else a name, a mail address or an account, folded: the first kind that fits
SELECT * FROM person
WHERE id = $1 OR name_folded = $2 OR mail_folded = $2 OR apple_account_folded = $2
ORDER BY CASE WHEN id = $1 THEN 0 WHEN name_folded = $2 THEN 1 WHEN mail_folded = $2 THEN 2 ELSE 3 END LIMIT 1

-- name: user_list
SELECT * FROM person
WHERE id > COALESCE(CAST($1 AS TEXT), '')
  AND (CAST($2 AS TEXT) IS NULL OR name_folded LIKE $2 ESCAPE '!' OR mail_folded LIKE $2 ESCAPE '!')
ORDER BY id LIMIT $3

-- name: device_set_user
UPDATE device SET user_id = $2 WHERE id = $1
