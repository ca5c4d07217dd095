-- SPDX-License-Identifier: Apache-2.0
-- What jobs and devices ask for again and again is found without reading the rest.  Each index is of the
-- very rows that one statement of store/ asks for: it is chosen without any statistics, too.

-- Commands that nothing needs any more, marked when another one takes their place (command_outdate).
ALTER TABLE command ADD COLUMN is_outdated BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE command SET is_outdated = TRUE
WHERE finished_at IS NOT NULL AND enrolment_id IN (SELECT id FROM enrolment WHERE ended_at IS NOT NULL);
UPDATE command SET is_outdated = TRUE WHERE id IN (
    SELECT w.id FROM (
        SELECT c.id, c.delivered_at,
               row_number() OVER later AS place,
               count(c.delivered_at) OVER later AS delivered
        FROM command c WHERE c.finished_at IS NOT NULL AND NOT c.is_outdated
        WINDOW later AS (
            PARTITION BY c.enrolment_id, c.kind,
                         CASE WHEN c.kind IN ('install_item', 'remove_item') THEN c.item END
            ORDER BY c.created_at DESC, c.id DESC ROWS UNBOUNDED PRECEDING)) w
    WHERE w.place > 1 AND (w.delivered_at IS NULL OR w.delivered > 1));
CREATE INDEX command_kept ON command (enrolment_id, kind) WHERE finished_at IS NOT NULL AND NOT is_outdated;
CREATE INDEX command_outdated ON command (finished_at, id) WHERE is_outdated;
DROP INDEX command_by_finish;

CREATE INDEX command_grave ON command (id)
    WHERE finished_at IS NULL AND delivered_at IS NULL AND kind IN ('wipe', 'lock', 'clear_passcode');
CREATE INDEX command_expiring ON command (expires_at, id) WHERE finished_at IS NULL AND expires_at IS NOT NULL;

-- Nearly all enrolments are in the same state: an index of it leads nowhere.
DROP INDEX enrolment_by_state;
CREATE INDEX enrolment_departing ON enrolment (id) WHERE state IN ('retiring', 'wiping');
CREATE INDEX enrolment_by_topic ON enrolment (topic, state, ended_at) WHERE ended_at IS NULL AND state <> 'pending';
CREATE INDEX enrolment_refused ON enrolment (id)
    WHERE push_problem IN ('BadDeviceToken', 'DeviceTokenNotForTopic') AND push_dead_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX enrolment_attempt ON enrolment (id) WHERE enrolled_at IS NULL;

-- A link that led to nothing (old_attempt_link) is as one that nobody used.
UPDATE enrolment_link SET used_at = NULL
WHERE used_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.link_id = enrolment_link.id);
CREATE INDEX enrolment_link_unused ON enrolment_link (expires_at, id) WHERE used_at IS NULL;

-- The end of an enrolment asks for all that refers to it.
CREATE INDEX escrow_by_enrolment ON escrow (enrolment_id);
CREATE INDEX certificate_revoked ON certificate (serial) WHERE state IN ('revoked', 'held');
CREATE INDEX desired_unplanned ON desired (device_id) WHERE planned_hash IS DISTINCT FROM variant_hash;
