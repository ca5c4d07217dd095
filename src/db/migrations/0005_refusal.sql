-- SPDX-License-Identifier: Apache-2.0
-- What was refused, counted by hour: whoever asks again and again adds to a number, not to the database.

CREATE TABLE refusal (
    id TEXT PRIMARY KEY,
    hour BIGINT NOT NULL,
    kind TEXT NOT NULL,
    peer TEXT NOT NULL,
    subject TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
CREATE UNIQUE INDEX refusal_once ON refusal (hour, kind, peer, subject);
CREATE INDEX refusal_by_time ON refusal (last_at, id);
