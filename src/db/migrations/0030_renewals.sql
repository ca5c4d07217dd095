-- SPDX-License-Identifier: Apache-2.0
-- What a certificate was renewed by is asked at each renewal.

CREATE INDEX challenge_by_renewed ON challenge (renews) WHERE renews IS NOT NULL;
