/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate revocation list: signed anew after each revocation and daily. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fleet/certificate.h"
#include "fleet/door.h"
#include "pki/keyd.h"
#include "store/store.h"

#define LIST_SECONDS (7 * 24 * 3600)     /* from thisUpdate to nextUpdate: the daily run has room */
#define ENTRIES_MAX KEYD_CRL_ENTRIES_MAX /* certificates that ended leave the list */
#define ENTRIES_MANY (ENTRIES_MAX / 5 * 4)
#define RANKS 4 /* of reasons: see certificate_revoked in store/certificate.sql */
#define TRIES 3 /* other threads make lists too */

static const struct field list_rows[] = {
    INTEGER_FIELD(struct revocation_list, number, 0),
    BYTES_FIELD(struct revocation_list, der, 0),
    TIME_FIELD(struct revocation_list, this_update, 0),
    TIME_FIELD(struct revocation_list, next_update, 0),
    INTEGER_FIELD(struct revocation_list, entries, 0),
};

static bool list_newest(struct fleet *fleet, void *owner, struct revocation_list *out, bool *found,
                        struct err *err)
{
    return store_find(fleet->db, owner, ASK_ALL(REVOCATION_LIST_NEWEST), FIELDS(list_rows), out,
                      found, err);
}

/* Room for a page at once: one by one would copy a long list again and again. */
static bool page_add(void *owner, struct crl_entry **entries, size_t *count,
                     const struct rows *rows, struct err *err)
{
    *entries = mem_grow(owner, *entries, *count + rows->count);
    for (size_t i = 0; i < rows->count && *count < ENTRIES_MAX; i++) {
        struct crl_entry *entry = &(*entries)[*count];
        *entry = (struct crl_entry){.revoked_at = rows_integer(rows, i, "revoked_at"),
                                    .reason = revocation_reason_code(rows_text(rows, i, "reason"))};
        if (!text_unhex(owner, rows_text(rows, i, "serial"), &entry->serial, err))
            return false;
        (*count)++;
    }
    return true;
}

static bool rank_load(struct fleet *fleet, void *owner, int64_t now, int64_t rank,
                      struct crl_entry **entries, size_t *count, struct err *err)
{
    int64_t before = INT64_MAX;
    const char *after = "";
    struct rows *rows = NULL;
    do {
        if (!store_rows(
                fleet->db, owner,
                ASK(CERTIFICATE_REVOKED, INTEGER(now), INTEGER(rank), INTEGER(before), TEXT(after)),
                &rows, err))
            return false;
        if (rows->count == 0)
            return true;
        if (!page_add(owner, entries, count, rows, err))
            return false;
        before = rows_integer(rows, rows->count - 1, "revoked_at");
        after = rows_text(rows, rows->count - 1, "serial");
    } while (rows->count == 10000 && *count < ENTRIES_MAX); /* the statement's page */
    return true;
}

/* What matters most comes first, so that a list that is full lacks what matters least. */
static bool entries_load(struct fleet *fleet, void *owner, int64_t now, struct crl_entry **entries,
                         size_t *count, struct err *err)
{
    for (int64_t rank = 0; rank < RANKS; rank++)
        if (!rank_load(fleet, owner, now, rank, entries, count, err))
            return false;
    return true;
}

static bool list_save(struct db *tx, void *context, struct err *err)
{
    const struct revocation_list *list = context;
    return store_change(tx,
                        ASK(REVOCATION_LIST_INSERT, INTEGER(list->number), BYTES(list->der),
                            INTEGER(list->this_update), INTEGER(list->next_update),
                            INTEGER(list->entries)),
                        NULL, err) &&
           store_change(tx, ASK(REVOCATION_LIST_PRUNE, INTEGER(list->number - 2)), NULL, err);
}

/* There is one list: when it is full, revocations go on being told by OCSP alone. */
static void fullness_tell(void *owner, size_t count)
{
    if (count > ENTRIES_MANY)
        log_event(LOG_WARN, "revocation_list.nearly_full", "entries",
                  mem_format(owner, "%zu", count), "limit", mem_format(owner, "%d", ENTRIES_MAX),
                  NULL);
}

static bool list_make(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct crl_entry *entries = NULL;
    size_t count = 0;
    bool found = false;
    struct revocation_list list = {0};
    if (!list_newest(fleet, owner, &list, &found, err) ||
        !entries_load(fleet, owner, now, &entries, &count, err))
        return false;
    fullness_tell(owner, count);
    list.number++;
    list.this_update = now;
    list.next_update = now + LIST_SECONDS;
    list.entries = (int64_t)count;
    if (!keyd_sign_crl(fleet->keyd, owner, entries, count, list.number, now, list.next_update,
                       &list.der, err))
        return false;
    return db_transaction(fleet->db, list_save, &list, err);
}

bool fleet_revocation_list_make(struct fleet *fleet, int64_t now, struct err *err)
{
    /* Who was first with the same number may have looked at the certificates before we did. */
    for (int i = 0; i < TRIES; i++) {
        if (list_make(fleet, now, err))
            return true;
        if (err->kind != ERR_CONFLICT)
            return false;
    }
    return err_context(err, "the list was made by others %d times", TRIES);
}

bool fleet_revocation_list_get(struct fleet *fleet, void *owner, int64_t now,
                               struct revocation_list *out, struct err *err)
{
    struct revocation_list list = {0};
    bool found = false;
    if (!list_newest(fleet, owner, &list, &found, err))
        return false;
    if (!found || list.next_update <= now) {
        if (!fleet_revocation_list_make(fleet, now, err) ||
            !list_newest(fleet, owner, &list, &found, err))
            return false;
    }
    *out = list;
    return found || err_set(err, ERR_UNAVAILABLE, "there is no revocation list yet");
}

bool fleet_revocation_list_about(struct fleet *fleet, const struct actor *actor, void *owner,
                                 struct revocation_list *out, struct err *err)
{
    struct revocation_list list = {0};
    bool found = false;
    if (!fleet_need(actor, "certificate.read", err) ||
        !store_find(fleet->db, owner, ASK_ALL(REVOCATION_LIST_ABOUT), FIELDS(list_rows), &list,
                    &found, err))
        return false;
    if (!found) { /* the first job has not run yet */
        if (!fleet_revocation_list_get(fleet, owner, actor->now, &list, err))
            return false;
        list.der = NO_BYTES;
    }
    list.limit = ENTRIES_MAX;
    *out = list;
    return true;
}
