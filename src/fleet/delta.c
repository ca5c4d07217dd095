/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/delta.h"

#include "base/log.h"
#include "base/text.h"
#include "store/store.h"

#define PAGE 10000 /* of the statement */
#define DAY_SECONDS 86400
#define SLACK_SECONDS 600 /* transactions that were open while the list was made, with room */

struct telling {
    struct fleet *fleet;
    void *owner;
    const struct delta_of *of;
    int64_t base, since;
    struct crl_entry *entries;
    size_t count;
};

/* The first list ever is its own. */
static bool base_find(struct telling *t, struct err *err)
{
    struct rows *rows = NULL;
    t->base = t->of->list->number;
    t->since = t->of->list->this_update - SLACK_SECONDS;
    if (!store_rows(t->fleet->db, t->owner, ASK(REVOCATION_BASE_OLDEST, INTEGER(t->of->part)),
                    &rows, err))
        return false;
    if (rows->count > 0) {
        t->base = rows_integer(rows, 0, "number");
        t->since = rows_integer(rows, 0, "this_update") - SLACK_SECONDS;
    }
    return true;
}

static bool entry_read(struct telling *t, const struct rows *rows, size_t at, struct err *err)
{
    const char *reason = rows_text(rows, at, "reason");
    struct crl_entry *entry = &t->entries[t->count++];
    *entry =
        (struct crl_entry){.revoked_at = rows_integer(rows, at, reason ? "revoked_at" : "told_at"),
                           .reason = reason ? revocation_reason_code(reason) : CRL_REASON_REMOVE};
    return text_unhex(t->owner, rows_text(rows, at, "serial"), &entry->serial, err);
}

/* *is_whole: they all find room. */
static bool entries_load(struct telling *t, bool *is_whole, struct err *err)
{
    const struct revocation_list *list = t->of->list;
    int64_t after = 0;
    const char *serial = "";
    struct rows *rows = NULL;
    do {
        if (!store_rows(t->fleet->db, t->owner,
                        ASK(CERTIFICATE_TOLD, INTEGER(t->since),
                            INTEGER(list->this_update - ENDED_KEPT_SECONDS),
                            INTEGER(t->of->part % REVOCATION_PARTS), INTEGER(after), TEXT(serial),
                            INTEGER(fleet_revocation_authority(t->of->part))),
                        &rows, err))
            return false;
        if (t->count + rows->count > KEYD_CRL_ENTRIES_MAX) {
            *is_whole = false;
            return true;
        }
        t->entries = mem_grow(t->owner, t->entries, t->count + rows->count);
        for (size_t i = 0; i < rows->count; i++)
            if (!entry_read(t, rows, i, err))
                return false;
        if (rows->count > 0) {
            after = rows_integer(rows, rows->count - 1, "told_at");
            serial = rows_text(rows, rows->count - 1, "serial");
        }
    } while (rows->count == PAGE);
    *is_whole = true;
    return true;
}

bool delta_make(struct fleet *fleet, void *owner, const struct delta_of *of, struct bytes *der,
                struct err *err)
{
    struct telling t = {.fleet = fleet, .owner = owner, .of = of};
    const struct revocation_list *list = of->list;
    bool is_whole = false;
    if (!base_find(&t, err) || !entries_load(&t, &is_whole, err))
        return false;
    if (!is_whole) { /* one that lacks changes would say that there were none */
        log_event(LOG_WARN, "revocation_list.many_changes", "part",
                  mem_format(owner, "%lld", (long long)of->part), NULL);
        *der = NO_BYTES;
        return true;
    }
    const struct crl_fields fields = {.authority = fleet_revocation_authority(of->part),
                                      .entries = t.entries,
                                      .count = t.count,
                                      .number = list->number,
                                      .base = t.base,
                                      .this_update = list->this_update,
                                      .next_update =
                                          list->this_update + fleet->settings->delta_seconds,
                                      .urls = of->urls};
    return keyd_sign_crl(fleet->keyd, owner, &fields, der, err);
}

bool delta_base_keep(struct db *tx, int64_t part, const struct revocation_list *list,
                     struct err *err)
{
    int64_t now = list->this_update, ended = now - (list->next_update - now);
    return store_change(tx, ASK(REVOCATION_BASE_AHEAD, INTEGER(part), INTEGER(now)), NULL, err) &&
           store_change(tx,
                        ASK(REVOCATION_BASE_ADD, INTEGER(part), INTEGER(list->number), INTEGER(now),
                            INTEGER(now - DAY_SECONDS)),
                        NULL, err) &&
           store_change(tx, ASK(REVOCATION_BASE_PRUNE, INTEGER(part), INTEGER(ended)), NULL, err);
}
