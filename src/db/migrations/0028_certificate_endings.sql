-- SPDX-License-Identifier: Apache-2.0
-- When certificates end: counted by month, and told once for each before it does.

ALTER TABLE certificate ADD COLUMN ending_told_at BIGINT;
CREATE INDEX certificate_by_ending ON certificate (not_after, purpose, renew_tries)
    WHERE state IN ('issued', 'held');
