-- SPDX-License-Identifier: Apache-2.0
-- Challenges that can still be used, by their end: it is looked for each minute.

CREATE INDEX challenge_open ON challenge (expires_at, id) WHERE state IN ('delivered', 'waiting', 'approved');
