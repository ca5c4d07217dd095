/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/resolved.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "fleet/assigned.h"
#include "fleet/door.h"
#include "fleet/explain.h"
#include "fleet/shared.h"
#include "pki/digest.h"
#include "store/store.h"

#define FACTS_MAX 2000 /* of one device */

struct scene { /* one device with everything that decides about it */
    void *owner;
    const struct resolving *resolving;
    struct device device;
    struct target_device target;
    struct assigned assigned;
    struct effective current; /* what is desired so far */
    bool has_current;
};

static const char *ownership_of(const struct device *device)
{
    return ownership_names[device->ownership];
}

static bool scene_load(struct db *tx, struct scene *scene, struct err *err)
{
    const struct want want = {"device", device_fields};
    const char *id = scene->resolving->device_id;
    if (!store_get(tx, scene->owner, ASK(DEVICE_BY_ID, TEXT(id)), want, &scene->device, err) ||
        !assigned_load(tx, scene->owner, id, &scene->assigned, err) ||
        !desired_load(tx, scene->owner, id, &scene->current, &scene->has_current, err))
        return false;
    scene->target = (struct target_device){
        .platform = (enum platform)scene->device.platform,
        .os_version = scene->device.os_version,
        .is_supervised = scene->device.is_supervised,
        .is_account = scene->device.enrolment_mode == MODE_ACCOUNT,
        .ownership = ownership_of(&scene->device),
        .unsupported = scene->resolving->fleet->shared->unsupported,
        .nearest = scene->resolving->fleet->shared->nearest,
    };
    return true;
}

/* ---- resolution ---- */

static enum conflict_mode mode_of(struct db *tx, void *owner, struct err *err, bool *ok)
{
    struct rows *rows = NULL;
    *ok = store_rows(tx, owner, ASK_ALL(ORGANIZATION_GET), &rows, err);
    const char *name = *ok && rows->count > 0 ? rows_text(rows, 0, "conflict_mode") : NULL;
    int mode = name ? name_find(conflict_mode_names, name) : -1;
    return mode < 0 ? CONFLICT_STRICTEST : (enum conflict_mode)mode;
}

/* The content of a variant: equal effective sets on one platform give equal bytes. */
static char *variant_content(const struct scene *scene, const struct resolution *resolution)
{
    CLEANUP(json_decref_at) json_t *content = json_object();
    for (size_t i = 0; i < resolution->count; i++) {
        const struct decision *d = &resolution->decisions[i];
        const struct setting *setting = &settings[d->setting];
        if (d->state == DECISION_NOT_APPLICABLE)
            continue;
        char *value = setting_value_text(scene->owner, setting, d->value);
        if (json_object_set_new(content, setting->name, json_string(value)) != 0)
            bug("no variant");
    }
    return json_canonical(scene->owner, content);
}

static char *variant_hash(const struct scene *scene, const char *content, const char *decisions)
{
    const char *all = mem_format(scene->owner, "%s\n%s\n%s", platform_names[scene->target.platform],
                                 content, decisions);
    return digest_sha256_hex(scene->owner, bytes_text(all));
}

static bool variant_save(struct db *tx, const struct scene *scene, const char *content,
                         const char *decisions, struct err *err)
{
    const struct resolving *r = scene->resolving;
    const char *hash = variant_hash(scene, content, decisions);
    bool same = scene->has_current && strcmp(scene->current.variant_hash, hash) == 0;
    if (same)
        return !r->replan ||
               (store_change(tx, ASK(DESIRED_UNPLAN, TEXT(r->device_id)), NULL, err) &&
                job_add(tx, "plan", "all", r->now, err));
    return store_change(tx,
                        ASK(VARIANT_INSERT, TEXT(hash),
                            TEXT(platform_names[scene->target.platform]), TEXT(content),
                            TEXT(decisions), INTEGER(r->now)),
                        NULL, err) &&
           store_change(tx, ASK(DESIRED_SET, TEXT(r->device_id), TEXT(hash), INTEGER(r->now)), NULL,
                        err) &&
           (!r->replan || store_change(tx, ASK(DESIRED_UNPLAN, TEXT(r->device_id)), NULL, err)) &&
           job_add(tx, "plan", "all", r->now, err);
}

static bool scene_resolve(struct db *tx, const struct scene *scene, struct err *err)
{
    bool ok;
    struct resolution resolution;
    enum conflict_mode mode = mode_of(tx, scene->owner, err, &ok);
    if (!ok)
        return false;
    const struct resolve_input input = {.candidates = scene->assigned.candidates,
                                        .candidate_count = scene->assigned.candidate_count,
                                        .device = &scene->target,
                                        .mode = mode,
                                        .current = scene->current.values,
                                        .current_count = scene->current.count};
    policy_resolve(scene->owner, &input, &resolution);
    return variant_save(tx, scene, variant_content(scene, &resolution),
                        decisions_json(scene->owner, &resolution), err);
}

/* ---- compliance ---- */

/* What the device confirmed of the effective set: all of it once every item is verified. */
static void enforced_fill(const struct scene *scene, const struct effective *current,
                          struct comply_input *input)
{
    size_t count = 0;
    if (!scene->has_current)
        return;
    for (size_t i = 0; i < current->item_count; i++) {
        const struct delivered *item = &current->items[i];
        if (!item->wanted_hash || item->carrier == CARRIER_USER_CHANNEL)
            continue; /* it is to go: another carrier has taken over, or nobody asks for it; what
                         people get besides says nothing of the device */
        if (item->state != COMMAND_VERIFIED)
            return;
        count++;
        if (item->changed_at > input->enforced_at)
            input->enforced_at = item->changed_at;
    }
    if (count == 0)
        return;
    input->enforced = current->values;
    input->enforced_count = current->count;
}

static bool previous_load(void *owner, const char *text, struct comply_input *input,
                          struct err *err)
{
    struct comply_previous *previous = NULL;
    size_t count = 0;
    if (!compliance_previous(owner, text, &previous, &count, err))
        return false;
    input->previous = previous;
    input->previous_count = count;
    return true;
}

static bool verdict_save(struct db *tx, const struct scene *scene, const struct rows *before,
                         const struct compliance *verdict, struct err *err)
{
    const struct resolving *r = scene->resolving;
    const char *state = compliance_state_names[verdict->state];
    const char *old = before->count ? rows_text(before, 0, "state") : "not_evaluated";
    bool changed = strcmp(old, state) != 0;
    int64_t since = changed || before->count == 0 ? r->now : rows_integer(before, 0, "since");
    char *results = compliance_json(scene->owner, verdict);
    return store_change(tx,
                        ASK(COMPLIANCE_SET, TEXT(r->device_id), TEXT(state), INTEGER(since),
                            INTEGER(r->now), TIME(verdict->recheck_at), TEXT(results)),
                        NULL, err) &&
           (!changed ||
            event_add(tx, "compliance.changed", r->device_id,
                      json_pairs(scene->owner, "from", old, "to", state, NULL), r->now, err));
}

/* Who is not in management, yet or any more, is not judged. */
static bool is_judged(const struct scene *scene)
{
    switch ((enum enrolment_state)scene->device.enrolment_state) {
    case ENROLMENT_ACTIVE:
    case ENROLMENT_BLOCKED:
    case ENROLMENT_RETIRING:
    case ENROLMENT_WIPING: return true;
    case ENROLMENT_PENDING:
    case ENROLMENT_RETIRED:
    case ENROLMENT_CHECKED_OUT:
    case ENROLMENT_SUPERSEDED:
    case ENROLMENT_WIPED:
    case ENROLMENT_RETIRED_UNCONFIRMED:
    case ENROLMENT_WIPED_UNCONFIRMED: return false;
    }
    bug("enrolment state %d", scene->device.enrolment_state);
}

/* Contacts are written in batches: what a device reported says that it called. */
static int64_t last_contact(const struct scene *scene, const struct fact *facts, size_t count)
{
    int64_t at = scene->device.last_contact_at;
    for (size_t i = 0; i < count; i++)
        if (facts[i].reported_at > at)
            at = facts[i].reported_at;
    return at;
}

static bool scene_evaluate(struct db *tx, struct scene *scene, struct err *err)
{
    struct rows *before = NULL;
    void *facts = NULL;
    const char *id = scene->resolving->device_id;
    const struct fleet_settings *limits = scene->resolving->fleet->settings;
    struct comply_input input = {.device = &scene->target,
                                 .rules = scene->assigned.rules,
                                 .rule_count = scene->assigned.rule_count,
                                 .now = scene->resolving->now,
                                 .evidence_seconds = limits->evidence_seconds,
                                 .integrity_seconds = limits->integrity_seconds,
                                 .is_shut_out = scene->device.shut_out != NULL};
    struct compliance verdict;
    if (!is_judged(scene))
        return store_change(tx, ASK(COMPLIANCE_END, TEXT(id)), NULL, err);
    if (!store_rows(tx, scene->owner, ASK(COMPLIANCE_GET, TEXT(id)), &before, err) ||
        !store_list(tx, scene->owner, ASK(FACT_LIST, TEXT(id)), fact_fields, sizeof(struct fact),
                    &facts, &input.fact_count, err) ||
        !previous_load(scene->owner, before->count ? rows_text(before, 0, "results") : "[]", &input,
                       err))
        return false;
    input.facts = facts;
    input.last_contact_at = last_contact(scene, facts, input.fact_count);
    enforced_fill(scene, &scene->current, &input);
    policy_comply(scene->owner, &input, &verdict);
    return verdict_save(tx, scene, before, &verdict, err);
}

bool device_evaluate(struct db *tx, const struct resolving *resolving, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct scene scene = {.owner = owner, .resolving = resolving};
    return scene_load(tx, &scene, err) && scene_evaluate(tx, &scene, err);
}

bool device_resolve(struct db *tx, const struct resolving *resolving, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct scene scene = {.owner = owner, .resolving = resolving};
    return scene_load(tx, &scene, err) && scene_resolve(tx, &scene, err) &&
           scene_evaluate(tx, &scene, err);
}
