-- SPDX-License-Identifier: Apache-2.0
-- Devices are counted by topic; the channels of their people, which have the same topic, are not.
DROP INDEX enrolment_by_topic;
CREATE INDEX enrolment_by_topic ON enrolment (topic, state, ended_at, device_id)
    WHERE ended_at IS NULL AND state <> 'pending' AND device_id IS NOT NULL;
