-- SPDX-License-Identifier: Apache-2.0
-- People of a Mac: each has a channel of its own with address and queue, beside the channel of the device.

-- told to the device when it enrolled, and never to be changed later
ALTER TABLE enrolment ADD COLUMN takes_users BOOLEAN NOT NULL DEFAULT FALSE;
-- Its own enrolment row names no device: what is looked for by device is never found there.
CREATE TABLE user_channel (
    enrolment_id TEXT PRIMARY KEY REFERENCES enrolment (id),
    parent_id TEXT NOT NULL REFERENCES enrolment (id),
    user_key TEXT NOT NULL,
    short_name TEXT,
    long_name TEXT,
    on_console BOOLEAN NOT NULL,
    profile_count BIGINT,
    profiles_at BIGINT,
    UNIQUE (parent_id, user_key)
);
