/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/contract.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

#define URL_VARIABLE "MUSTER_CONTRACT_DATABASE"
#define POSTGRES "postgres:"

void contract_begin(int argc, char **argv)
{
    if (argc < 2 || setenv(URL_VARIABLE, argv[argc - 1], 1) != 0) {
        (void)fprintf(stderr, "usage: %s sqlite | postgres:CONNINFO\n", argv[0]);
        exit(2);
    }
}

static void postgres_clear(const char *conninfo)
{
    PGconn *connection = PQconnectdb(conninfo);
    PGresult *result = PQexec(connection, "SET client_min_messages = warning;"
                                          "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    bool worked = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!worked)
        (void)fputs(PQerrorMessage(connection), stderr);
    PQclear(result);
    PQfinish(connection);
    assert_true(worked);
}

static void sqlite_make(struct contract *contract)
{
    (void)snprintf(contract->folder, sizeof(contract->folder), "/tmp/muster-db-XXXXXX");
    assert_non_null(mkdtemp(contract->folder));
    contract->url = mem_format(contract->owner, "sqlite:%s/test.db", contract->folder);
}

static void database_make(struct contract *contract)
{
    const char *url = getenv(URL_VARIABLE);
    assert_non_null(url);
    contract->is_postgres = text_starts(url, POSTGRES);
    if (contract->is_postgres) {
        contract->url = mem_text(contract->owner, url);
        postgres_clear(url + strlen(POSTGRES));
    } else {
        sqlite_make(contract);
    }
}

static void connect_to(struct contract *contract)
{
    struct err err;
    assert_works(database_open(contract->owner, contract->url, &contract->database, &err), err);
    assert_works(db_connect(contract->database, contract->database, &contract->db, &err), err);
}

int contract_open_empty(void **state)
{
    struct contract *contract = mem_new(NULL, struct contract);
    contract->owner = contract;
    database_make(contract);
    connect_to(contract);
    *state = contract;
    return 0;
}

int contract_open_migrated(void **state)
{
    struct err err;
    if (contract_open_empty(state) != 0)
        return -1;
    struct contract *contract = *state;
    assert_works(database_migrate(contract->database, &err), err);
    return 0;
}

void contract_reopen(struct contract *contract)
{
    mem_free(contract->database);
    connect_to(contract);
}

static void folder_remove(const char *folder)
{
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", "test.db.lock"};
    char path[96];
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path); /* SQLite removes the last two itself */
    }
    assert_int_equal(rmdir(folder), 0);
}

int contract_close(void **state)
{
    struct contract *contract = *state;
    char folder[sizeof(contract->folder)];
    memcpy(folder, contract->folder, sizeof(folder));
    mem_free(contract);
    if (folder[0])
        folder_remove(folder);
    return 0;
}
