-- SPDX-License-Identifier: Apache-2.0
-- Pushing to many: due work is found by its kind, and an enrolment by its turn of the day (the last
-- three digits of its id, which are random).

DROP INDEX job_by_due;
CREATE INDEX job_by_due ON job (kind, due_at);
CREATE INDEX enrolment_by_turn ON enrolment (substr(id, 34));
ALTER TABLE enrolment ADD COLUMN push_problem TEXT;
ALTER TABLE enrolment ADD COLUMN nudge_at BIGINT;
ALTER TABLE push_certificate ADD COLUMN account TEXT;
ALTER TABLE push_certificate ADD COLUMN paused_at BIGINT;
ALTER TABLE push_certificate ADD COLUMN pause_reason TEXT;
ALTER TABLE push_certificate ADD COLUMN warned_days BIGINT;
