-- SPDX-License-Identifier: Apache-2.0
-- Challenges, certificates, the steps of their making, revocation.

-- name: challenge_insert
INSERT INTO challenge (id, mac, enrolment_id, purpose, expectation, state, tries, created_at, expires_at, renews,
                       subject, created_by, needs_approval)
VALUES ($1, $2, $3, $4, $5, 'delivered', 0, $6, $7, $8, $9, $10, $11)

-- name: challenge_by_mac
SELECT * FROM challenge WHERE mac = $1

-- name: challenge_by_id
SELECT * FROM challenge WHERE id = $1

-- name: challenge_use
-- one winner: the certificate row is written in the same transaction
UPDATE challenge SET state = 'used', used_at = $2, used_spki = $3, used_transaction = $4, certificate_id = $5
WHERE id = $1 AND (state = 'approved' OR (state = 'delivered' AND NOT needs_approval)) AND expires_at > $2

-- name: challenge_mismatch
UPDATE challenge SET tries = tries + 1, state = CASE WHEN tries + 1 >= $2 THEN 'burnt' ELSE state END
WHERE id = $1 AND state = 'delivered'

-- name: challenge_expire
-- by who asks too late; the end of what waits is told by challenge_lapse
UPDATE challenge SET state = 'expired' WHERE id = $1 AND state = 'delivered'

-- name: challenge_cancel_of_enrolment
UPDATE challenge SET state = 'cancelled' WHERE enrolment_id = $1 AND state = 'delivered'

-- name: certificate_reserve
INSERT INTO certificate (id, enrolment_id, challenge_id, purpose, state, serial, subject, spki_sha256,
                         request_sha256, not_before, not_after, created_at, renew_at, list_part, authority)
VALUES ($1, $2, $3, $4, 'reserved', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: certificate_issue
-- the dates are those in it: the key process may have shortened what was wished for; and another authority
-- may issue by now than when it was reserved
UPDATE certificate SET state = 'issued', der = $2, sha256 = $3, not_before = $4, not_after = $5, subject = $6, renew_at = $7,
       authority = $8
WHERE id = $1 AND state = 'reserved'

-- name: certificate_by_id
SELECT c.*, e.device_id, d.name AS device_name FROM certificate c LEFT JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN device d ON d.id = e.device_id WHERE c.id = $1

-- name: certificate_by_serial
SELECT c.*, e.device_id, d.name AS device_name, e.state AS enrolment_state,
       COALESCE(e.ended_at, CASE WHEN e.state IN ('retiring', 'wiping') THEN
           (SELECT max(k.created_at) FROM command k WHERE k.enrolment_id = e.id AND k.kind IN ('retire', 'wipe')) END,
           c.created_at) AS left_at
FROM certificate c LEFT JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN device d ON d.id = e.device_id WHERE c.serial = $1

-- name: certificate_newest_begin
SELECT COALESCE(max(not_before), 0) AS at FROM certificate WHERE enrolment_id = $1

-- name: certificate_other_device_by_spki
-- the same key certified for somebody else: another device, or without one another subject
SELECT c.id FROM certificate c WHERE c.spki_sha256 = $1
  AND CASE WHEN CAST($2 AS TEXT) IS NULL THEN c.enrolment_id IS NOT NULL OR c.subject <> $3
           ELSE c.enrolment_id IS NULL OR c.enrolment_id <> $2 END LIMIT 1

-- name: certificate_network_count
SELECT count(*) AS count FROM certificate WHERE sha256 = $1 AND enrolment_id IS NULL

-- name: certificate_list
SELECT c.id, c.enrolment_id, c.challenge_id, e.device_id, d.name AS device_name, c.purpose, c.state, c.serial, c.subject, c.sha256,
       c.spki_sha256, c.not_before, c.not_after, c.created_at, c.seen_at, c.revoked_at, c.reason, c.renew_tries, c.list_part, c.authority,
       CASE WHEN c.state = 'issued' AND e.state = 'active' THEN c.renew_at END AS renew_at
FROM certificate c LEFT JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN device d ON d.id = e.device_id
WHERE c.id < COALESCE(CAST($1 AS TEXT), '~') AND (CAST($2 AS TEXT) IS NULL OR e.device_id = $2)
  AND (CAST($4 AS TEXT) IS NULL OR c.serial = $5 OR lower(c.subject) LIKE $4 ESCAPE '!' OR d.name_folded LIKE $4 ESCAPE '!')
  AND (CAST($6 AS TEXT) IS NULL OR c.state = $6) AND (CAST($7 AS TEXT) IS NULL OR c.purpose = $7) AND c.not_after < $8
ORDER BY c.id DESC LIMIT $3

-- name: certificate_ending_count
-- good ones that end from $1 until $2 and have no successor: identities of devices, of which some were asked to renew in vain, and others
SELECT count(CASE WHEN purpose = 'mdm-identity' THEN 1 END) AS identities,
       count(CASE WHEN purpose = 'mdm-identity' AND renew_tries > 0 THEN 1 END) AS unanswered,
       count(CASE WHEN purpose <> 'mdm-identity' THEN 1 END) AS others
FROM certificate c WHERE state IN ('issued', 'held') AND not_after >= $1 AND not_after < $2
  AND (c.enrolment_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM challenge h JOIN certificate n ON n.id = h.certificate_id
       WHERE h.renews = c.id AND n.state = 'issued'))

-- name: certificate_ending_untold
-- in the last thirty days or the last sixth of its life, whichever is less
SELECT c.id, c.serial, c.subject, c.purpose, c.not_after, e.device_id
FROM certificate c LEFT JOIN enrolment e ON e.id = c.enrolment_id
WHERE c.state IN ('issued', 'held') AND c.ending_told_at IS NULL AND c.not_after > $1 AND c.not_after <= $2
  AND (c.not_after - $1) * 6 <= c.not_after - c.not_before AND (e.id IS NULL OR e.state IN ('active', 'blocked'))
  AND NOT EXISTS (SELECT 1 FROM challenge h JOIN certificate n ON n.id = h.certificate_id
                  WHERE h.renews = c.id AND n.state = 'issued')
ORDER BY c.not_after LIMIT $3

-- name: certificate_ending_told
UPDATE certificate SET ending_told_at = $2
WHERE id = $1 AND ending_told_at IS NULL AND state IN ('issued', 'held')

-- name: certificate_seen
UPDATE certificate SET seen_at = $2 WHERE id = $1 AND seen_at IS NULL

-- name: certificate_revoke
-- what a renewal left behind is not in the list: somebody may want it there
UPDATE certificate SET state = 'revoked', revoked_at = $2, told_at = $2, reason = $3, is_listed = TRUE
WHERE id = $1 AND (state <> 'revoked' OR NOT is_listed)

-- name: certificate_revoke_of_enrolment
-- with it, what its renewals left behind gets into the revocation list
UPDATE certificate SET state = 'revoked', revoked_at = CASE WHEN state = 'revoked' THEN revoked_at ELSE $2 END,
       reason = CASE WHEN state = 'revoked' THEN reason ELSE $3 END, is_listed = TRUE, told_at = $2
WHERE enrolment_id = $1 AND (state <> 'revoked' OR NOT is_listed)

-- name: certificate_hold_of_enrolment
-- what is good is held; one that is being made never becomes good; what renewals left behind gets into the list
UPDATE certificate SET state = CASE WHEN state = 'issued' THEN 'held' ELSE 'revoked' END,
       revoked_at = CASE WHEN state = 'revoked' THEN revoked_at ELSE $2 END, told_at = $2, is_listed = TRUE,
       reason = CASE WHEN state = 'revoked' THEN reason WHEN state = 'issued' THEN $3 ELSE $4 END
WHERE enrolment_id = $1 AND (state IN ('issued', 'reserved') OR (state = 'revoked' AND NOT is_listed))

-- name: certificate_release_of_enrolment
UPDATE certificate SET state = 'issued', revoked_at = NULL, told_at = $2, reason = NULL
WHERE enrolment_id = $1 AND state = 'held'

-- name: certificate_revoked
-- of authority $5, of any part and of rank $2, the newest first, behind ($3, $4)
SELECT serial, revoked_at, reason FROM certificate
WHERE state IN ('revoked', 'held') AND is_listed AND not_after > $1 AND (revoked_at, serial) < ($3, $4) AND authority = $5
  AND CASE reason WHEN 'key_compromise' THEN 0 WHEN 'certificate_hold' THEN 1 WHEN 'superseded' THEN 3 ELSE 2 END = $2
ORDER BY revoked_at DESC, serial DESC LIMIT 10000

-- name: certificate_revoked_of_part
-- the same of part $6
SELECT serial, revoked_at, reason FROM certificate
WHERE state IN ('revoked', 'held') AND is_listed AND not_after > $1 AND (revoked_at, serial) < ($3, $4)
  AND authority = $5 AND list_part = $6
  AND CASE reason WHEN 'key_compromise' THEN 0 WHEN 'certificate_hold' THEN 1 WHEN 'superseded' THEN 3 ELSE 2 END = $2
ORDER BY revoked_at DESC, serial DESC LIMIT 10000

-- name: certificate_told
-- what lists tell of anew since $1, of part $3 (0: of any), behind ($4, $5): revoked, held or good again
SELECT serial, revoked_at, reason, told_at FROM certificate
WHERE told_at >= $1 AND (told_at, serial) > ($4, $5) AND is_listed AND not_after > $2 AND ($3 = 0 OR list_part = $3)
  AND authority = $6
ORDER BY told_at, serial LIMIT 10000

-- name: certificate_step_insert
INSERT INTO certificate_step (id, challenge_id, step, outcome, detail, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: certificate_step_count
SELECT count(*) AS count FROM certificate_step WHERE challenge_id = $1

-- name: certificate_step_repeat
-- the last refusal tells of this one instead
UPDATE certificate_step SET detail = $2, at = $3
WHERE id = (SELECT x.id FROM certificate_step x WHERE x.challenge_id = $1 AND x.step = 5 AND x.outcome = 'refused'
            ORDER BY x.id DESC LIMIT 1)

-- name: certificate_step_list
SELECT step, outcome, detail, at FROM certificate_step WHERE challenge_id = $1 ORDER BY id LIMIT 200

-- name: certificate_request_list
-- challenges, each with its last refusal (step 5); $3 not NULL: only the refused ones
SELECT h.id, h.enrolment_id, e.device_id, d.name AS device_name, h.purpose, h.state, h.tries, h.created_at, h.expires_at, h.used_at,
       h.certificate_id, s.at AS refused_at, s.detail AS refusal, h.subject, h.created_by, h.needs_approval,
       h.decided_at, h.decided_by, l.name AS link_name
FROM challenge h
LEFT JOIN enrolment e ON e.id = h.enrolment_id
LEFT JOIN enrolment_link l ON l.id = e.link_id
LEFT JOIN device d ON d.id = e.device_id
LEFT JOIN certificate_step s ON s.id = (SELECT x.id FROM certificate_step x
    WHERE x.challenge_id = h.id AND x.step = 5 AND x.outcome = 'refused' ORDER BY x.id DESC LIMIT 1)
WHERE h.id < COALESCE(CAST($1 AS TEXT), '~') AND (CAST($2 AS TEXT) IS NULL OR e.device_id = $2)
  AND (CAST($3 AS TEXT) IS NULL OR s.id IS NOT NULL)
ORDER BY h.id DESC LIMIT $4

-- name: identity_by_sha256
SELECT e.id AS enrolment_id, e.device_id, c.id AS certificate_id, e.channel, e.authority, d.udid, d.os_version, d.platform,
       d.ownership, l.mode, e.state AS enrolment_state, c.state AS certificate_state, c.not_before, c.not_after,
       (c.seen_at IS NOT NULL) AS is_seen,
       EXISTS (SELECT 1 FROM certificate r WHERE r.enrolment_id = e.id AND r.id <> c.id AND r.state = 'issued'
               AND (r.id < c.id OR r.seen_at IS NOT NULL)) AS is_contested,
       EXISTS (SELECT 1 FROM certificate r WHERE r.enrolment_id = e.id AND r.id > c.id AND r.state = 'issued'
               AND r.seen_at IS NOT NULL) AS is_outdated,
       EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id AND o.finished_at IS NULL
               AND o.state <> 'awaiting_confirmation') AS has_work,
       EXISTS (SELECT 1 FROM command o WHERE o.enrolment_id = e.id AND o.finished_at IS NULL AND o.is_deferred)
           AS has_deferred
FROM certificate c
JOIN enrolment e ON e.id = c.enrolment_id
JOIN enrolment_link l ON l.id = e.link_id
LEFT JOIN device d ON d.id = e.device_id
WHERE c.sha256 = $1

-- name: revocation_list_newest
SELECT number, der, this_update, next_update, entries FROM revocation_list WHERE part = $1 ORDER BY number DESC LIMIT 1

-- name: revocation_list_about
SELECT number, this_update, next_update, entries FROM revocation_list WHERE part = $1 ORDER BY number DESC LIMIT 1

-- name: revocation_list_insert
INSERT INTO revocation_list (part, number, der, this_update, next_update, entries, delta, delta_until, follows)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: revocation_list_prune
DELETE FROM revocation_list WHERE part = $1 AND number < $2

-- name: revocation_delta_newest
-- nothing where the newest list has no list of changes beside it
SELECT number, delta AS der, this_update, delta_until AS next_update, 0 AS entries FROM revocation_list
WHERE part = $1 AND delta IS NOT NULL AND number = (SELECT max(x.number) FROM revocation_list x WHERE x.part = $1)

-- name: revocation_base_oldest
SELECT number, this_update FROM revocation_base WHERE part = $1 ORDER BY number LIMIT 1

-- name: revocation_base_add
-- one a day: none after $4
INSERT INTO revocation_base (part, number, this_update) SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT 1 FROM revocation_base b WHERE b.part = $1 AND b.this_update > $4)

-- name: revocation_base_ahead
-- of lists that a clock made that was ahead: nobody relies on them, and changes would count from then
DELETE FROM revocation_base WHERE part = $1 AND this_update > $2

-- name: revocation_base_prune
-- the newest one that nobody can have any more stays: lists after it may be in use
DELETE FROM revocation_base WHERE part = $1
  AND number < (SELECT max(b.number) FROM revocation_base b WHERE b.part = $1 AND b.this_update <= $2)

-- name: revocation_part_put
INSERT INTO revocation_part (part, url, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: revocation_part_list
SELECT DISTINCT part FROM revocation_part ORDER BY part

-- name: revocation_part_urls
SELECT url FROM revocation_part WHERE part = $1 ORDER BY created_at DESC, url LIMIT 16
