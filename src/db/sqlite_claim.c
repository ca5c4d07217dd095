/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's side of a claim: a lock on a file beside the database, which ends with the process.  Not
 * on the database itself, where closing a descriptor would end SQLite's own locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/sqlite.h"

bool sqlite_claim(struct db *db, struct err *err)
{
    struct sqlite *sqlite = db->connection;
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s.lock", db->database->address);
    sqlite->claim = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sqlite->claim < 0)
        return err_set(err, ERR_PRECONDITION, "%s: %s", path, strerrordesc_np(errno));
    if (flock(sqlite->claim, LOCK_EX | LOCK_NB) == 0)
        return true;
    (void)err_set(err, ERR_CONFLICT, "another musterd works on %s", db->database->address);
    err->remedy = "stop the other one, or give this one a database of its own";
    return false;
}

bool sqlite_claim_holds(struct db *db, struct err *err)
{
    (void)db; /* nobody else can end it */
    (void)err;
    return true;
}

int sqlite_claim_socket(struct db *db)
{
    (void)db;
    return -1;
}
