-- SPDX-License-Identifier: Apache-2.0
-- Housekeeping finds what is old without reading the rest.

CREATE INDEX event_by_time ON event (at, id);
CREATE INDEX command_by_finish ON command (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX enrolment_by_link ON enrolment (link_id);
CREATE INDEX certificate_by_challenge ON certificate (challenge_id);
