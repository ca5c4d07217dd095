/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: statements, their arguments and results. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/postgres.h"

/* Types whose values we can give back, by the number that pg_type.dat fixes. */
enum {
    OID_BOOLEAN = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NAME = 19,
    OID_UNKNOWN = 705,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_NUMERIC = 1700,
};

/* Statements sent before their answers are read: the answers must fit into the socket's buffer,
 * or both sides would wait for each other. */
#define PIPELINE_ROWS 256

struct prepared {
    char name[64]; /* NAMEDATALEN */
    int columns;   /* -1: not asked yet */
};

/* Arguments in libpq's form; texts and blobs stay where they are. */
struct sent {
    const char *values[DB_ARGS_MAX];
    int sizes[DB_ARGS_MAX], formats[DB_ARGS_MAX];
    char numbers[DB_ARGS_MAX][32];
};

static const char *sql_of(const struct statement *statement)
{
    return statement->sql_postgres ? statement->sql_postgres : statement->sql;
}

static bool arg_send(const struct value *arg, struct sent *sent, size_t i, struct err *err)
{
    sent->formats[i] = arg->type == VALUE_BYTES;
    sent->sizes[i] = 0; /* texts end with a NUL */
    sent->values[i] = sent->numbers[i];
    switch (arg->type) {
    case VALUE_NULL: sent->values[i] = NULL; return true;
    case VALUE_INTEGER: /* the server reads 0 and 1 as booleans too */
        (void)snprintf(sent->numbers[i], sizeof(sent->numbers[i]), "%" PRId64, arg->integer);
        return true;
    case VALUE_REAL:
        (void)snprintf(sent->numbers[i], sizeof(sent->numbers[i]), "%.17g", arg->real);
        return true;
    case VALUE_TEXT: sent->values[i] = arg->text; return true;
    case VALUE_BYTES:
        if (arg->bytes.size > DB_RESULT_SIZE_MAX)
            return err_set(err, ERR_TOO_LARGE, "$%zu is too large", i + 1);
        sent->values[i] = (const char *)arg->bytes.data;
        sent->sizes[i] = (int)arg->bytes.size;
        return true;
    }
    bug("value type %d", (int)arg->type);
}

static bool args_send(const struct value *args, size_t count, struct sent *sent, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!arg_send(&args[i], sent, i, err))
            return false;
    return true;
}

/* ---- prepared statements ---- */

/* NULL: err is set. */
static struct prepared *prepare(struct db *db, const struct statement *statement, struct err *err)
{
    struct postgres *postgres = db->connection;
    PGconn *connection;
    if (!postgres_ready(db, &connection, err))
        return NULL;
    struct prepared *found = cache_find(&db->cache, statement);
    if (found)
        return found;
    CLEANUP(mem_free_at) struct prepared *prepared = mem_new(NULL, struct prepared);
    prepared->columns = -1;
    /* numbered: two folders may have a statement of the same name */
    (void)snprintf(prepared->name, sizeof(prepared->name), "%" PRIu64 "_%.40s",
                   postgres->prepared_count++, statement->name);
    CLEANUP(PQclear_at)
    PGresult *result = PQprepare(connection, prepared->name, sql_of(statement), 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        (void)postgres_fail(db, result, err);
        return NULL;
    }
    found = mem_give(db, &prepared);
    cache_add(&db->cache, db, statement, found);
    return found;
}

bool postgres_prepare(struct db *db, const struct statement *statement, struct err *err)
{
    return prepare(db, statement, err) != NULL;
}

/* ---- results ---- */

/* sum() of a BIGINT column is NUMERIC here and an integer in SQLite. */
static bool number_read(const char *text, struct value *out)
{
    struct err err;
    int64_t number;
    if (number_parse(bytes_text(text), INT64_MIN, INT64_MAX, &number, &err))
        *out = INTEGER(number);
    else
        *out = REAL(strtod(text, NULL)); /* the server wrote it */
    return true;
}

static bool bytes_read(const char *text, struct rows_builder *builder, struct value *out,
                       struct err *err)
{
    struct bytes bytes;
    char *copy;
    CLEANUP(mem_free_at) void *temporary = mem_new(NULL, char);
    if (!text_starts(text, "\\x") || !text_unhex(temporary, text + 2, &bytes, err))
        return err_set(err, ERR_INTERNAL, "not the form of bytes that we asked for");
    if (!rows_keep(builder, bytes.data, bytes.size, &copy, err))
        return false;
    *out = value_bytes((struct bytes){(const uint8_t *)copy, bytes.size});
    return true;
}

static bool column_read(const PGresult *result, int row, int column, struct rows_builder *builder,
                        struct value *out, struct err *err)
{
    const char *text = PQgetvalue(result, row, column);
    char *copy;
    if (PQgetisnull(result, row, column))
        return true;
    switch (PQftype(result, column)) {
    case OID_BOOLEAN: *out = INTEGER(text[0] == 't'); return true;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_NUMERIC: return number_read(text, out);
    case OID_FLOAT4:
    case OID_FLOAT8: *out = REAL(strtod(text, NULL)); return true;
    case OID_BYTEA: return bytes_read(text, builder, out, err);
    case OID_TEXT:
    case OID_NAME:
    case OID_UNKNOWN:
    case OID_BPCHAR:
    case OID_VARCHAR:
        if (!rows_keep(builder, text, (size_t)PQgetlength(result, row, column), &copy, err))
            return false;
        *out = value_text(copy);
        return true;
    }
    return err_set(err, ERR_INTERNAL, "column %s has a type that we do not use",
                   PQfname(result, column));
}

static bool result_read(const PGresult *result, struct rows_builder *builder, struct err *err)
{
    if (!builder->rows) {
        rows_begin(builder, (size_t)PQnfields(result));
        for (int i = 0; i < PQnfields(result); i++)
            rows_name(builder, (size_t)i, PQfname(result, i));
    }
    for (int row = 0; row < PQntuples(result); row++) {
        struct value *values;
        if (!rows_add(builder, &values, err))
            return false;
        for (int i = 0; i < PQnfields(result); i++)
            if (!column_read(result, row, i, builder, &values[i], err))
                return false;
    }
    return true;
}

static int64_t changed_rows(PGresult *result)
{
    struct err err;
    int64_t count = 0;
    const char *status = PQcmdStatus(result);
    if (text_starts(status, "SELECT") ||
        !number_parse(bytes_text(PQcmdTuples(result)), 0, INT64_MAX, &count, &err))
        return 0;
    return count;
}

/* Stop a result that nobody will read; what still comes is thrown away by the caller. */
static void cancel(PGconn *connection)
{
    char text[256];
    PGcancel *handle = PQgetCancel(connection);
    if (!handle)
        return;
    (void)PQcancel(handle, text, sizeof(text)); /* else it ends by itself, later */
    PQfreeCancel(handle);
}

struct answer {
    struct rows_builder *builder; /* NULL: rows are not wanted */
    int64_t changed;
    bool has_failed;
};

static bool answer_take(struct db *db, PGresult *result, struct answer *answer, struct err *err)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        answer->changed = changed_rows(result);
        return !answer->builder || result_read(result, answer->builder, err);
    case PGRES_PIPELINE_SYNC: return true;
    default: return postgres_fail(db, result, err); /* libpq's enum, not ours */
    }
}

/* Read to the end of one statement's answer, so that the session can be used again. */
static bool answer_read(struct db *db, struct answer *answer, struct err *err)
{
    struct postgres *postgres = db->connection;
    while (postgres->connection) {
        CLEANUP(PQclear_at) PGresult *result = PQgetResult(postgres->connection);
        if (!result)
            return !answer->has_failed;
        if (answer->has_failed || answer_take(db, result, answer, err))
            continue;
        answer->has_failed = true;
        if (postgres->connection && PQresultStatus(result) == PGRES_SINGLE_TUPLE)
            cancel(postgres->connection);
    }
    return answer->has_failed ? false : postgres_fail(db, NULL, err);
}

/* ---- running ---- */

static bool send(struct db *db, const struct statement *statement, const struct sent *sent,
                 size_t count, struct err *err)
{
    PGconn *connection;
    if (!postgres_ready(db, &connection, err))
        return false;
    const struct prepared *prepared = statement->name ? prepare(db, statement, err) : NULL;
    if (statement->name && !prepared)
        return false;
    int worked = prepared ? PQsendQueryPrepared(connection, prepared->name, (int)count,
                                                sent->values, sent->sizes, sent->formats, 0)
                          : PQsendQueryParams(connection, sql_of(statement), (int)count, NULL,
                                              sent->values, sent->sizes, sent->formats, 0);
    return worked || postgres_fail(db, NULL, err);
}

bool postgres_run(struct db *db, void *owner, const struct statement *statement,
                  const struct value *args, size_t count, struct rows **rows, struct err *err)
{
    const struct postgres *postgres = db->connection;
    CLEANUP(rows_builder_free) struct rows_builder builder = {0};
    struct answer answer = {.builder = rows ? &builder : NULL};
    struct sent sent;
    if (!args_send(args, count, &sent, err) || !send(db, statement, &sent, count, err))
        return false;
    if (rows) /* else libpq would hold the whole result before we could count it */
        (void)PQsetSingleRowMode(postgres->connection);
    if (!answer_read(db, &answer, err))
        return false;
    if (!rows)
        return true;
    if (!builder.rows)
        return err_set(err, ERR_INTERNAL, "no answer");
    builder.rows->changed = answer.changed;
    *rows = mem_give(owner, &builder.rows);
    return true;
}

static bool columns_check(struct db *db, struct prepared *prepared, struct err *err)
{
    const struct postgres *postgres = db->connection;
    if (prepared->columns < 0) {
        CLEANUP(PQclear_at)
        PGresult *result = PQdescribePrepared(postgres->connection, prepared->name);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            return postgres_fail(db, result, err);
        prepared->columns = PQnfields(result);
    }
    return prepared->columns == 0 || err_set(err, ERR_INTERNAL, "returns rows");
}

/* Send one slice, then read one answer each and the end of the slice. */
static bool slice_send(struct db *db, const struct prepared *prepared, const struct value *args,
                       size_t count, size_t row_count, struct err *err)
{
    const struct postgres *postgres = db->connection;
    struct sent sent;
    for (size_t i = 0; i < row_count; i++) {
        if (!args_send(args + i * count, count, &sent, err))
            return false;
        if (!PQsendQueryPrepared(postgres->connection, prepared->name, (int)count, sent.values,
                                 sent.sizes, sent.formats, 0))
            return postgres_fail(db, NULL, err);
    }
    return PQpipelineSync(postgres->connection) || postgres_fail(db, NULL, err);
}

static bool slice_read(struct db *db, size_t row_count, struct err *err)
{
    struct answer answer = {0};
    struct postgres *postgres = db->connection;
    for (size_t i = 0; i < row_count; i++)
        if (!answer_read(db, &answer, err) && !postgres->connection)
            return false;
    CLEANUP(PQclear_at) PGresult *end = PQgetResult(postgres->connection);
    if (PQresultStatus(end) != PGRES_PIPELINE_SYNC)
        return answer.has_failed ? false : postgres_fail(db, end, err);
    return !answer.has_failed;
}

static bool slices_run(struct db *db, const struct prepared *prepared, const struct value *args,
                       size_t count, size_t row_count, struct err *err)
{
    for (size_t done = 0; done < row_count; done += PIPELINE_ROWS) {
        size_t rows = row_count - done < PIPELINE_ROWS ? row_count - done : PIPELINE_ROWS;
        if (!slice_send(db, prepared, args + done * count, count, rows, err) ||
            !slice_read(db, rows, err))
            return false;
    }
    return true;
}

bool postgres_run_many(struct db *db, const struct statement *statement, const struct value *args,
                       size_t count, size_t row_count, struct err *err)
{
    const struct postgres *postgres = db->connection;
    struct prepared *prepared = prepare(db, statement, err);
    if (!prepared || !columns_check(db, prepared, err))
        return false;
    if (!PQenterPipelineMode(postgres->connection))
        return postgres_fail(db, NULL, err);
    bool worked = slices_run(db, prepared, args, count, row_count, err);
    /* A session that cannot leave the mode has answers outstanding: not to be used again. */
    if (postgres->connection && !PQexitPipelineMode(postgres->connection))
        postgres_drop(db);
    return worked;
}
