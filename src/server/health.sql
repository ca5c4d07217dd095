-- name: server_answers
SELECT 1 AS one
