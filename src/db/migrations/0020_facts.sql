-- SPDX-License-Identifier: Apache-2.0
-- A fact belongs to the enrolment that reported it: a device that enrols again begins with nothing.

CREATE TABLE fact_next (
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    evidence TEXT NOT NULL,
    source TEXT NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, name)
);
-- of the last enrolment that was there when it was reported, else of the first one
INSERT INTO fact_next (enrolment_id, name, value, evidence, source, reported_at)
SELECT e.id, f.name, f.value, f.evidence, f.source, f.reported_at
FROM fact f JOIN enrolment e ON e.id = COALESCE(
    (SELECT x.id FROM enrolment x WHERE x.device_id = f.device_id AND x.enrolled_at <= f.reported_at
     ORDER BY x.enrolled_at DESC, x.id DESC LIMIT 1),
    (SELECT x.id FROM enrolment x WHERE x.device_id = f.device_id ORDER BY x.id LIMIT 1));
DROP TABLE fact;
ALTER TABLE fact_next RENAME TO fact;
CREATE INDEX enrolment_by_end ON enrolment (ended_at, id) WHERE ended_at IS NOT NULL;
-- the limits that verdicts were weighed by: when they are others, all are weighed anew
ALTER TABLE organization ADD COLUMN evidence_limits TEXT;
