/* SPDX-License-Identifier: Apache-2.0 */
#include "db/claim.h"

#include "base/mem.h"
#include "db/driver.h"

struct claim {
    struct database *database;
    struct db *db; /* whose session or file holds the lock; NULL: lost */
};

static bool claim_take(struct claim *claim, struct err *err)
{
    CLEANUP(mem_free_at) struct db *db = db_open(NULL, claim->database, DB_READER, err);
    if (!db || !db->driver->claim(db, err))
        return false;
    claim->db = mem_give(claim, &db);
    return true;
}

bool database_claim(void *owner, struct database *database, struct claim **out, struct err *err)
{
    CLEANUP(mem_free_at) struct claim *claim = mem_new(NULL, struct claim);
    claim->database = database;
    if (!claim_take(claim, err))
        return false;
    *out = mem_give(owner, &claim);
    return true;
}

bool database_claim_holds(struct claim *claim, struct err *err)
{
    if (!claim->db)
        return err_set(err, ERR_UNAVAILABLE, "the claim on the database is lost");
    if (claim->db->driver->claim_holds(claim->db, err))
        return true;
    atomic_store(&claim->database->is_shut, true);
    mem_free(claim->db);
    claim->db = NULL;
    return false;
}

bool database_claim_again(struct claim *claim, struct err *err)
{
    if (!claim->db && !claim_take(claim, err))
        return false;
    atomic_store(&claim->database->is_shut, false);
    return true;
}

int database_claim_socket(const struct claim *claim)
{
    return claim->db ? claim->db->driver->claim_socket(claim->db) : -1;
}
