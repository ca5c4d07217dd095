/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/policy.h"

#include <inttypes.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/assigned.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "store/store.h"

static const struct json_limits settings_limits = {65536, 4, 4096};

static struct want policy_want(void)
{
    return (struct want){"policy", policy_fields};
}

/* Checked and in canonical form: equal settings give equal revisions. */
static bool settings_canonical(void *owner, const char *text, const char *kind, char **out,
                               struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    int kind_index = kind ? name_find(policy_kind_names, kind) : -1;
    if (kind_index < 0)
        return err_at(err, ERR_BAD_INPUT, "/kind", "kind must be configuration or compliance");
    if (!json_parse(bytes_text(text), &settings_limits, &json, err)) {
        err->where[0] = '\0'; /* a line of the text, not a pointer */
        return err_under(err, "/settings");
    }
    if (!settings_check(json, (enum policy_kind)kind_index, err))
        return false;
    *out = json_canonical(owner, json);
    return true;
}

/* Devices concerned are weighed by a job: one for all, or one for each device named. */
static bool concern(struct db *tx, const char *policy_id, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(ASSIGNMENT_LIST, TEXT(policy_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        const char *device_id = rows_text(rows, i, "device_id");
        const char *subject = device_id ? mem_format(owner, "device:%s", device_id) : "all";
        if (!job_add(tx, "resolve", subject, now, err))
            return false;
    }
    return true;
}

/* ---- create ---- */

struct writing {
    void *owner;
    const struct actor *actor;
    struct policy policy; /* as it will be; revision: the one before */
};

static bool revision_insert(struct db *tx, const struct writing *w, int64_t revision,
                            struct err *err)
{
    return store_change(tx,
                        ASK(POLICY_REVISION_INSERT, TEXT(w->policy.id), INTEGER(revision),
                            TEXT(w->policy.settings), INTEGER(w->actor->now), TEXT(w->actor->name)),
                        NULL, err);
}

static bool name_free(struct db *tx, const struct writing *w, const char *folded, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, w->owner, ASK(POLICY_FIND, TEXT(""), TEXT(folded)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows_text(rows, i, "id"), w->policy.id) != 0)
            return err_at(err, ERR_CONFLICT, "/name", "a policy with this name exists");
    return true;
}

/* The same, found by the database: of two at once one wins. */
static bool name_taken(struct err *err)
{
    return err->kind == ERR_CONFLICT
               ? err_at(err, ERR_CONFLICT, "/name", "a policy with this name exists")
               : false;
}

static bool create_run(struct db *tx, void *context, struct err *err)
{
    struct writing *w = context;
    const char *folded = text_fold(w->owner, w->policy.name);
    if (!name_free(tx, w, folded, err))
        return false;
    if (!store_change(tx,
                      ASK(POLICY_INSERT, TEXT(w->policy.id), TEXT(w->policy.name), TEXT(folded),
                          TEXT(w->policy.kind), TEXT(w->policy.description),
                          INTEGER(w->actor->now)),
                      NULL, err))
        return name_taken(err);
    return revision_insert(tx, w, 1, err);
}

static char *writing_detail(const struct writing *w, const char *before)
{
    CLEANUP(json_decref_at) json_t *detail = json_object();
    if (json_object_set_new(detail, "name", json_string(w->policy.name)) != 0 ||
        (before && json_object_set_new(detail, "before", json_loads(before, 0, NULL)) != 0) ||
        json_object_set_new(detail, "after", json_loads(w->policy.settings, 0, NULL)) != 0)
        bug("no detail of a policy");
    return json_text(w->owner, detail);
}

bool fleet_policy_create(struct fleet *fleet, const struct actor *actor, void *owner,
                         const struct policy *wish, struct policy *out, struct err *err)
{
    struct writing writing = {.owner = owner, .actor = actor, .policy = *wish};
    writing.policy.id = id_make(owner);
    if (!settings_canonical(owner, wish->settings, wish->kind, &writing.policy.settings, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "policy.create",
                            .permission = "policy.write",
                            .subject_kind = "policy",
                            .subject_id = writing.policy.id,
                            .detail = writing_detail(&writing, NULL),
                            .work = create_run,
                            .context = &writing};
    return fleet_change(fleet, &change, err) &&
           store_get(fleet->db, owner, ASK(POLICY_BY_ID, TEXT(writing.policy.id)), policy_want(),
                     out, err);
}

/* ---- update ---- */

static bool update_run(struct db *tx, void *context, struct err *err)
{
    struct writing *w = context;
    const char *folded = text_fold(w->owner, w->policy.name);
    int64_t changed = 0;
    if (!name_free(tx, w, folded, err))
        return false;
    if (!store_change(tx,
                      ASK(POLICY_UPDATE, TEXT(w->policy.id), INTEGER(w->policy.revision),
                          TEXT(w->policy.name), TEXT(folded), TEXT(w->policy.description),
                          INTEGER(w->actor->now)),
                      &changed, err))
        return name_taken(err);
    if (changed != 1)
        return err_set(err, ERR_PRECONDITION, "the policy was changed meanwhile");
    return revision_insert(tx, w, w->policy.revision + 1, err) &&
           concern(tx, w->policy.id, w->actor->now, err);
}

static bool revision_seen(const struct policy *now, int64_t seen, struct err *err)
{
    return seen == 0 || seen == now->revision ||
           err_set(err, ERR_PRECONDITION,
                   "the policy is at revision %" PRId64 ", not %" PRId64 ": read it again",
                   now->revision, seen);
}

bool fleet_policy_update(struct fleet *fleet, const struct actor *actor, void *owner,
                         const char *id, const struct policy *wish, struct policy *out,
                         struct err *err)
{
    struct policy before;
    struct writing writing = {.owner = owner, .actor = actor};
    if (!fleet_need(actor, "policy.write", err) ||
        !fleet_policy_get(fleet, actor, owner, id, &before, err) ||
        !revision_seen(&before, wish->revision, err))
        return false;
    writing.policy = before;
    if (wish->kind && strcmp(wish->kind, before.kind) != 0)
        return err_at(err, ERR_BAD_INPUT, "/kind", "the kind of a policy never changes");
    if (wish->name)
        writing.policy.name = wish->name;
    if (wish->description)
        writing.policy.description = wish->description;
    if (!settings_canonical(owner, wish->settings ? wish->settings : before.settings, before.kind,
                            &writing.policy.settings, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "policy.update",
                            .subject_kind = "policy",
                            .subject_id = before.id,
                            .detail = writing_detail(&writing, before.settings),
                            .work = update_run,
                            .context = &writing,
                            .wakes = true};
    return fleet_change(fleet, &change, err) &&
           store_get(fleet->db, owner, ASK(POLICY_BY_ID, TEXT(before.id)), policy_want(), out, err);
}

/* ---- delete, read ---- */

static bool delete_run(struct db *tx, void *context, struct err *err)
{
    const struct writing *w = context;
    return concern(tx, w->policy.id, w->actor->now, err) &&
           store_change_one(tx, ASK(POLICY_DELETE, TEXT(w->policy.id), INTEGER(w->actor->now)),
                            "the policy was deleted before", err);
}

bool fleet_policy_delete(struct fleet *fleet, const struct actor *actor, const char *id,
                         int64_t revision, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct writing writing = {.owner = owner, .actor = actor};
    if (!fleet_need(actor, "policy.write", err) ||
        !fleet_policy_get(fleet, actor, owner, id, &writing.policy, err) ||
        !revision_seen(&writing.policy, revision, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "policy.delete",
                            .subject_kind = "policy",
                            .subject_id = writing.policy.id,
                            .detail = writing_detail(&writing, NULL),
                            .work = delete_run,
                            .context = &writing,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_policy_get(struct fleet *fleet, const struct actor *actor, void *owner, const char *id,
                      struct policy *out, struct err *err)
{
    struct rows *rows = NULL;
    struct policy policy = {0};
    if (!fleet_need(actor, "policy.read", err) ||
        !store_rows(fleet->db, owner, ASK(POLICY_FIND, TEXT(id), TEXT(text_fold(owner, id))), &rows,
                    err))
        return false;
    if (rows->count == 0)
        return err_set(err, ERR_NOT_FOUND, "no such policy");
    if (rows->count > 1)
        return err_set(err, ERR_CONFLICT, "two policies have this name: use the identifier");
    if (!store_get(fleet->db, owner, ASK(POLICY_BY_ID, TEXT(rows_text(rows, 0, "id"))),
                   policy_want(), &policy, err))
        return false;
    *out = policy;
    return true;
}

bool fleet_policy_list(struct fleet *fleet, const struct actor *actor, void *owner,
                       const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {
        .fields = policy_fields, .item_size = sizeof(struct policy), .permission = "policy.read"};
    return list_read(fleet, actor, owner,
                     ASK(POLICY_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page, &listing,
                     out, err);
}

bool fleet_policy_revisions(struct fleet *fleet, const struct actor *actor, void *owner,
                            const char *id, struct list *out, struct err *err)
{
    struct policy policy;
    void *items = NULL;
    size_t count = 0;
    if (!fleet_policy_get(fleet, actor, owner, id, &policy, err) ||
        !store_list(fleet->db, owner, ASK(POLICY_REVISION_LIST, TEXT(policy.id)), policy_fields,
                    sizeof(struct policy), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}
