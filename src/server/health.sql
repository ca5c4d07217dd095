-- SPDX-License-Identifier: Apache-2.0
-- name: server_answers
SELECT 1 AS one
