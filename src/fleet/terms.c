/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/terms.h"

#include "base/text.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "store/store.h"

bool fleet_terms_list(struct fleet *fleet, const struct actor *actor, void *owner,
                      const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = terms_fields,
                              .item_size = sizeof(struct terms),
                              .permission = "terms.read",
                              .cursor_field = "version"};
    int64_t before = INT64_MAX;
    if (page->cursor && !number_parse(bytes_text(page->cursor), 1, INT64_MAX, &before, err))
        return err_at(err, ERR_BAD_INPUT, "?cursor", "it is no cursor of this list");
    return list_read(fleet, actor, owner,
                     ASK(TERMS_LIST, INTEGER(before), INTEGER(page->limit + 1)), page, &listing,
                     out, err);
}

static bool terms_find(struct fleet *fleet, void *owner, int64_t version, struct terms *out,
                       struct err *err)
{
    const struct want want = {"version of the terms", terms_fields};
    struct terms terms = {0};
    if (!store_get(fleet->db, owner, ASK(TERMS_BY_VERSION, INTEGER(version)), want, &terms, err))
        return false;
    *out = terms;
    return true;
}

bool fleet_terms_get(struct fleet *fleet, const struct actor *actor, void *owner, int64_t version,
                     struct terms *out, struct err *err)
{
    return fleet_need(actor, "terms.read", err) && terms_find(fleet, owner, version, out, err);
}

bool fleet_terms_acceptances(struct fleet *fleet, const struct actor *actor, void *owner,
                             int64_t version, const struct page *page, struct list *out,
                             struct err *err)
{
    struct listing listing = {.fields = terms_acceptance_fields,
                              .item_size = sizeof(struct terms_acceptance),
                              .permission = "terms.read",
                              .cursor_field = "user_id"};
    return list_read(
        fleet, actor, owner,
        ASK(TERMS_ACCEPTANCE_LIST, INTEGER(version), TEXT(page->cursor), INTEGER(page->limit + 1)),
        page, &listing, out, err);
}

/* ---- made and withdrawn ---- */

struct writing {
    const struct terms *wish;
    const struct actor *actor;
    int64_t version;
};

static bool create_run(struct db *tx, void *context, struct err *err)
{
    struct writing *w = context;
    if (!store_number(tx, ASK_ALL(TERMS_LAST), "version", &w->version, err))
        return false;
    w->version++;
    return store_change(tx,
                        ASK(TERMS_INSERT, INTEGER(w->version), TEXT(w->wish->title),
                            TEXT(w->wish->body), INTEGER(w->actor->now), TEXT(w->actor->name)),
                        NULL, err);
}

bool fleet_terms_create(struct fleet *fleet, const struct actor *actor, void *owner,
                        const struct terms *wish, struct terms *out, struct err *err)
{
    struct writing writing = {wish, actor, 0};
    struct change change = {.actor = actor,
                            .action = "terms.create",
                            .permission = "terms.write",
                            .subject_kind = "terms",
                            .subject_id = wish->title,
                            .work = create_run,
                            .context = &writing};
    return fleet_change(fleet, &change, err) && terms_find(fleet, owner, writing.version, out, err);
}

static bool withdraw_run(struct db *tx, void *context, struct err *err)
{
    const struct writing *w = context;
    return store_change_one(tx, ASK(TERMS_WITHDRAW, INTEGER(w->version), INTEGER(w->actor->now)),
                            "this version was withdrawn before", err);
}

bool fleet_terms_withdraw(struct fleet *fleet, const struct actor *actor, void *owner,
                          int64_t version, struct terms *out, struct err *err)
{
    struct terms terms;
    if (!fleet_need(actor, "terms.write", err) || !terms_find(fleet, owner, version, &terms, err))
        return false;
    struct writing writing = {.actor = actor, .version = version};
    struct change change = {.actor = actor,
                            .action = "terms.withdraw",
                            .permission = "terms.write",
                            .subject_kind = "terms",
                            .subject_id = mem_format(owner, "%lld", (long long)version),
                            .work = withdraw_run,
                            .context = &writing};
    return fleet_change(fleet, &change, err) && terms_find(fleet, owner, version, out, err);
}
