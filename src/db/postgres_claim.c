/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's side of a claim: an advisory lock that one session holds for life.  Its number is
 * ours above and the schema's below, so that servers in other schemas do not meet; other databases
 * have locks of their own.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/text.h"
#include "db/postgres.h"

#define LOCK_CLASS "1297437524" /* any 31 bits; the lock's upper half */
#define SCHEMA "SELECT oid FROM pg_namespace WHERE nspname = current_schema()"

static PGresult *ask(struct db *db, const char *sql)
{
    return PQexec(((struct postgres *)db->connection)->connection, sql);
}

int postgres_claim_socket(struct db *db)
{
    return PQsocket(((const struct postgres *)db->connection)->connection);
}

/*
 * A machine that dies, or a network between, tells nobody.  PostgreSQL then lets go after 25 s, so
 * that a successor need not wait for hours; we notice after 10 s, well before another one can have
 * the lock.  Nobody may end the session for being quiet (servers before 14 never do).
 */
static bool death_notice(struct db *db, struct err *err)
{
    static const struct {
        int name, value;
    } ours[] = {{TCP_KEEPIDLE, 4}, {TCP_KEEPINTVL, 2}, {TCP_KEEPCNT, 3}};
    CLEANUP(PQclear_at)
    PGresult *result = ask(db, "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
                               "SET tcp_keepalives_count = 3;"
                               "SELECT set_config(name, '0', false) FROM pg_settings"
                               " WHERE name = 'idle_session_timeout'");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return postgres_fail(db, result, err);
    for (size_t i = 0; i < COUNT(ours); i++) /* fails on a local socket, which needs none of it */
        (void)setsockopt(postgres_claim_socket(db), IPPROTO_TCP, ours[i].name, &ours[i].value,
                         sizeof(ours[i].value));
    return true;
}

/* Who else: for people, so that failing to find out is no failure. */
static bool holder_fail(struct db *db, struct err *err)
{
    CLEANUP(PQclear_at)
    PGresult *result = ask(
        db, "SELECT l.pid, COALESCE(host(a.client_addr), 'this machine')"
            " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.classid = " LOCK_CLASS "::oid AND l.objid = (" SCHEMA ")"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
    (void)err_set(err, ERR_CONFLICT, "another musterd works on this database");
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        (void)err_set(err, ERR_CONFLICT,
                      "another musterd works on this database: PostgreSQL session %s from %s",
                      PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
    err->remedy = "stop the other one, or give this one a database or a schema of its own; "
                  "pg_terminate_backend() ends a session whose machine is gone";
    return false;
}

bool postgres_claim(struct db *db, struct err *err)
{
    CLEANUP(PQclear_at)
    PGresult *result = ask(db, "SELECT pg_try_advisory_lock((" LOCK_CLASS "::bigint << 32)"
                               " | (" SCHEMA ")::bigint)");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return postgres_fail(db, result, err);
    if (PQgetisnull(result, 0, 0))
        return err_set(err, ERR_PRECONDITION, "no schema of search_path is there");
    if (!text_equal(PQgetvalue(result, 0, 0), "t"))
        return holder_fail(db, err);
    return death_notice(db, err);
}

/* The lock ends with the session and not before: a session whose socket says nothing is there. What
 * the server has to say without being asked is that it ends. */
bool postgres_claim_holds(struct db *db, struct err *err)
{
    const struct postgres *postgres = db->connection;
    struct pollfd look = {.fd = PQsocket(postgres->connection), .events = POLLIN};
    while (poll(&look, 1, 0) > 0 && PQconsumeInput(postgres->connection))
        (void)PQisBusy(postgres->connection); /* reads what came, notices among it */
    if (PQstatus(postgres->connection) == CONNECTION_OK)
        return true;
    return err_set(err, ERR_UNAVAILABLE, "the session that holds the claim on the database ended");
}
