/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: sessions, transactions and what SQLSTATEs mean.  Statements: postgres_run.c. */
#include "db/postgres.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define CONNECT_SECONDS "5"
#define RECONNECT_FIRST_MS 100
#define RECONNECT_LAST_MS 5000
#define MIGRATION_LOCK "7310864019625387" /* any number that nobody else takes in this database */

/* ---- errors ---- */

struct state { /* the first row that the SQLSTATE begins with */
    const char *prefix;
    enum err_kind kind;
    bool may_retry;
};

static const struct state states[] = {
    {"23", ERR_CONFLICT, false},       /* a constraint */
    {"40001", ERR_UNAVAILABLE, true},  /* serialization failure */
    {"40P01", ERR_UNAVAILABLE, true},  /* deadlock */
    {"08P01", ERR_INTERNAL, false},    /* protocol violation: a wrong number of arguments */
    {"08", ERR_UNAVAILABLE, false},    /* connection */
    {"25P03", ERR_UNAVAILABLE, false}, /* idle for too long inside a transaction */
    {"53", ERR_UNAVAILABLE, false},    /* out of disk, memory or connections */
    {"55P03", ERR_UNAVAILABLE, false}, /* lock not available in time */
    {"57", ERR_UNAVAILABLE, false},    /* cancelled, shutting down, starting up */
};

static struct state state_find(const char *code)
{
    for (size_t i = 0; i < COUNT(states); i++)
        if (text_starts(code, states[i].prefix))
            return states[i];
    return (struct state){"", ERR_INTERNAL, false};
}

void postgres_drop(struct db *db)
{
    struct postgres *postgres = db->connection;
    PQfinish(postgres->connection); /* takes NULL */
    postgres->connection = NULL;
    cache_clear(&db->cache);
}

static bool fail_lost(struct db *db, struct err *err)
{
    const struct postgres *postgres = db->connection;
    const char *text = postgres->connection ? PQerrorMessage(postgres->connection) : "";
    (void)err_set(err, ERR_UNAVAILABLE, "%.*s", (int)strcspn(text, "\n"),
                  text[0] ? text : "the connection to PostgreSQL is lost");
    postgres_drop(db);
    return false;
}

bool postgres_fail(struct db *db, const PGresult *result, struct err *err)
{
    const struct postgres *postgres = db->connection;
    const char *code = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!code)
        return fail_lost(db, err);
    struct state state = state_find(code);
    /* Data exceptions quote the value, which may be a secret. */
    bool is_quotable = text && !text_starts(code, "22");
    (void)err_set(err, state.kind, "%s (SQLSTATE %s)", is_quotable ? text : "bad value", code);
    db->may_retry = db->may_retry || state.may_retry;
    if (PQstatus(postgres->connection) == CONNECTION_BAD)
        postgres_drop(db);
    return false;
}

/* ---- sessions ---- */

static const char *const settings[] = {
    /* Writing outside a transaction fails; durable means durable, whatever the server's default. */
    "SET default_transaction_read_only = on",
    "SET default_transaction_isolation = 'read committed'",
    ("SELECT set_config('synchronous_commit', 'on', false)"
     " WHERE current_setting('synchronous_commit') = 'off'"),
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET client_min_messages = warning",
    "SET standard_conforming_strings = on",
    "SET bytea_output = hex",
    "SET extra_float_digits = 1",
    "SET TimeZone = 'UTC'",
};

static const char *const timeouts[] = {
    [DB_READER] = "SET statement_timeout = '30s'; SET lock_timeout = '5s'",
    [DB_MIGRATOR] = "SET statement_timeout = 0; SET lock_timeout = '120s'",
};

static void notice_ignore(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static bool command(struct db *db, const char *sql, struct err *err)
{
    const struct postgres *postgres = db->connection;
    CLEANUP(PQclear_at) PGresult *result = PQexec(postgres->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
           postgres_fail(db, result, err);
}

/* Text must sort and fold in C's way on every node and on both engines. */
static bool locale_check(struct db *db, struct err *err)
{
    static const char *const good[] = {"C", "POSIX", "C.UTF-8", "C.utf8", "C.UTF8", NULL};
    const struct postgres *postgres = db->connection;
    CLEANUP(PQclear_at)
    PGresult *result =
        PQexec(postgres->connection, "SELECT pg_encoding_to_char(encoding), datcollate, datctype"
                                     " FROM pg_database WHERE datname = current_database()");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return postgres_fail(db, result, err);
    if (PQntuples(result) == 1 && text_equal(PQgetvalue(result, 0, 0), "UTF8") &&
        name_find(good, PQgetvalue(result, 0, 1)) >= 0 &&
        name_find(good, PQgetvalue(result, 0, 2)) >= 0)
        return true;
    (void)err_set(err, ERR_PRECONDITION, "the database is not UTF8 with locale C or C.UTF-8");
    err->remedy = "CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'";
    postgres_drop(db);
    return false;
}

static bool session_set_up(struct db *db, struct err *err)
{
    for (size_t i = 0; i < COUNT(settings); i++)
        if (!command(db, settings[i], err))
            return false;
    return command(db, timeouts[db->role], err) && locale_check(db, err);
}

static bool session_open(struct db *db, struct err *err)
{
    /* What stands before dbname can be changed by the operator's conninfo. */
    static const char *const names[] = {"application_name",
                                        "connect_timeout",
                                        "keepalives_idle",
                                        "tcp_user_timeout",
                                        "dbname",
                                        "client_encoding",
                                        NULL};
    const char *const values[] = {
        "musterd", CONNECT_SECONDS, "30", "35000", db->database->address, "UTF8", NULL};
    struct postgres *postgres = db->connection;
    postgres->connection = PQconnectdbParams(names, values, 1);
    if (PQstatus(postgres->connection) != CONNECTION_OK)
        return fail_lost(db, err);
    (void)PQsetNoticeReceiver(postgres->connection, notice_ignore, NULL);
    return session_set_up(db, err);
}

/* A server that is away is asked again after 0.1, 0.2, 0.4, ... 5 s, not by every request. */
static bool session_reopen(struct db *db, struct err *err)
{
    struct postgres *postgres = db->connection;
    int64_t now = clock_monotonic_ms();
    if (now < postgres->retry_at_ms)
        return err_set(err, ERR_UNAVAILABLE, "PostgreSQL cannot be reached at the moment");
    if (session_open(db, err)) {
        postgres->wait_ms = 0;
        return true;
    }
    int64_t wait = postgres->wait_ms ? postgres->wait_ms * 2 : RECONNECT_FIRST_MS;
    postgres->wait_ms = wait < RECONNECT_LAST_MS ? wait : RECONNECT_LAST_MS;
    postgres->retry_at_ms = clock_monotonic_ms() + postgres->wait_ms;
    return false;
}

bool postgres_ready(struct db *db, PGconn **out, struct err *err)
{
    const struct postgres *postgres = db->connection;
    if (postgres->connection && PQstatus(postgres->connection) == CONNECTION_BAD)
        postgres_drop(db); /* it ended behind an answer that was still read */
    if (!postgres->connection && db->in_transaction)
        return fail_lost(db, err);
    if (!postgres->connection && !session_reopen(db, err))
        return false;
    *out = postgres->connection;
    return true;
}

static int postgres_close(struct postgres *postgres)
{
    PQfinish(postgres->connection);
    return 0;
}

static bool postgres_open(struct db *db, struct err *err)
{
    struct postgres *postgres = mem_new(db, struct postgres);
    mem_destructor(postgres, postgres_close);
    db->connection = postgres;
    return session_open(db, err);
}

/* ---- transactions ---- */

static bool postgres_begin(struct db *db, struct err *err)
{
    PGconn *connection;
    return postgres_ready(db, &connection, err) &&
           command(db, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", err);
}

static void postgres_rollback(struct db *db)
{
    const struct postgres *postgres = db->connection;
    struct err err; /* the body's failure is the one to tell */
    if (postgres->connection && !command(db, "ROLLBACK", &err))
        postgres_drop(db);
}

static bool postgres_commit(struct db *db, struct err *err)
{
    const struct postgres *postgres = db->connection;
    if (!postgres->connection)
        return fail_lost(db, err);
    CLEANUP(PQclear_at) PGresult *result = PQexec(postgres->connection, "COMMIT");
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        (void)postgres_fail(db, result, err);
        return err_context(err, postgres->connection ? "commit" : "commit, outcome unknown");
    }
    /* A transaction that failed is ended by COMMIT too, but says so. */
    return text_equal(PQcmdStatus(result), "COMMIT") ||
           err_set(err, ERR_INTERNAL, "PostgreSQL rolled the transaction back");
}

static bool domain_make(struct db *tx, void *context, struct err *err)
{
    static const struct statement find = {
        .sql = "SELECT 1 FROM pg_type WHERE typname = 'blob'"
               " AND typnamespace = (SELECT oid FROM pg_namespace WHERE nspname ="
               " current_schema())"};
    static const struct statement make = {.sql = "CREATE DOMAIN blob AS bytea"};
    CLEANUP(mem_free_at) struct rows *rows = NULL;
    (void)context;
    return db_run(tx, NULL, &find, NO_ARGS, &rows, err) &&
           (rows->count > 0 || db_run(tx, NULL, &make, NO_ARGS, NULL, err));
}

/* The lock lasts as long as this session. */
static bool postgres_migrate_start(struct db *db, struct err *err)
{
    return command(db, "SELECT pg_advisory_lock(" MIGRATION_LOCK ")", err) &&
           db_transaction(db, domain_make, NULL, err);
}

static bool postgres_migrate_check(struct db *db, struct err *err)
{
    (void)db; /* constraints hold at all times */
    (void)err;
    return true;
}

const struct driver postgres_driver = {
    .scheme = "postgres",
    .open = postgres_open,
    .prepare = postgres_prepare,
    .run = postgres_run,
    .run_many = postgres_run_many,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .migrate_start = postgres_migrate_start,
    .migrate_check = postgres_migrate_check,
    .claim = postgres_claim,
    .claim_holds = postgres_claim_holds,
    .claim_socket = postgres_claim_socket,
};
