/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of the enrolment service: what a device is told before it enrols. */
#include "base/id.h"
#include "base/text.h"
#include "codec/json.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "fleet/service_own.h"
#include "policy/version.h"
#include "store/store.h"

#define NAME_LONGEST 100 /* characters */
#define SKIP_MOST 100    /* steps of an assistant */
#define STEP_LONGEST 60  /* bytes of the name of one */

bool fleet_service_profile_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = service_profile_fields,
                              .item_size = sizeof(struct service_profile),
                              .permission = "apple.read",
                              .cursor_field = "name"};
    return list_read(fleet, actor, owner,
                     ASK(SERVICE_PROFILE_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}

bool fleet_service_profile_get(struct fleet *fleet, const struct actor *actor, void *owner,
                               const char *name, struct service_profile *out, struct err *err)
{
    const struct want want = {"profile of the enrolment service", service_profile_fields};
    struct service_profile profile = {0};
    if (!fleet_need(actor, "apple.read", err) ||
        !store_get(fleet->db, owner, ASK(SERVICE_PROFILE_GET, TEXT(name)), want, &profile, err))
        return false;
    *out = profile;
    return true;
}

struct service_profile fleet_service_profile_new(const char *name)
{
    return (struct service_profile){.name = (char *)(uintptr_t)name,
                                    .is_mandatory = true,
                                    .allows_pairing = true,
                                    .awaits_configuration = true,
                                    .skip = (char *)(uintptr_t) "[]"};
}

/* ---- save ---- */

static bool is_step(const char *text)
{
    size_t size = 0;
    for (; text[size]; size++)
        if (!((text[size] >= 'a' && text[size] <= 'z') ||
              (text[size] >= 'A' && text[size] <= 'Z') || (text[size] >= '0' && text[size] <= '9')))
            return false;
    return size > 0 && size <= STEP_LONGEST;
}

/* The steps are Apple's and grow with each release: their form is checked, not their names. */
static bool skip_check(const char *text, struct err *err)
{
    CLEANUP(json_decref_at) json_t *list = json_loads(text, 0, NULL);
    if (!json_is_array(list) || json_array_size(list) > SKIP_MOST)
        return err_at(err, ERR_BAD_INPUT, "/skip", "a list of at most %d names is wanted",
                      SKIP_MOST);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *step = json_string_value(json_array_get(list, i));
        if (!step || !is_step(step))
            return err_at(err, ERR_BAD_INPUT, "/skip",
                          "a step has letters and digits only, such as \"Siri\"");
    }
    return true;
}

static bool version_check(const char *text, struct err *err)
{
    int ignored;
    return !text || version_compare(text, text, &ignored) ||
           err_at(err, ERR_BAD_INPUT, "/minimum_os", "a version such as 17.4 is wanted");
}

static bool wish_check(const struct service_profile *wish, struct err *err)
{
    if (text_is_blank(wish->name) || text_length(wish->name) > NAME_LONGEST)
        return err_at(err, ERR_BAD_INPUT, "/name", "a name has 1 to %d characters", NAME_LONGEST);
    return skip_check(wish->skip, err) && version_check(wish->minimum_os, err);
}

struct saving {
    const struct service_profile *profile;
    int64_t now;
};

static bool save_run(struct db *tx, void *context, struct err *err)
{
    const struct saving *s = context;
    const struct service_profile *p = s->profile;
    if (p->is_automatic &&
        !store_change(tx, ASK(SERVICE_PROFILE_ONLY_AUTOMATIC, TEXT(p->id)), NULL, err))
        return false;
    return store_change(tx,
                        ASK(SERVICE_PROFILE_PUT, TEXT(p->id), TEXT(p->name),
                            INTEGER(p->is_automatic), INTEGER(p->is_mandatory),
                            INTEGER(p->is_removable), INTEGER(p->allows_pairing),
                            INTEGER(p->awaits_configuration), TEXT(p->skip), TEXT(p->minimum_os),
                            TEXT(p->department), TEXT(p->support_phone), TEXT(p->support_email),
                            TEXT(p->language), TEXT(p->region), INTEGER(s->now)),
                        NULL, err) &&
           (!p->is_automatic ||
            store_change(tx, ASK(SERVICE_PROFILE_ADOPT, TEXT(p->id)), NULL, err)) &&
           service_hasten(tx, s->now, err);
}

bool fleet_service_profile_save(struct fleet *fleet, const struct actor *actor, void *owner,
                                const struct service_profile *wish, struct service_profile *out,
                                struct err *err)
{
    struct service_profile profile = *wish;
    struct saving saving = {.profile = &profile, .now = actor->now};
    if (!fleet_need(actor, "apple.write", err) || !wish_check(wish, err))
        return false;
    if (!profile.id)
        profile.id = id_make(owner);
    CLEANUP(json_decref_at) json_t *detail = json_from(service_profile_fields, &profile);
    struct change change = {.actor = actor,
                            .action = wish->id ? "service_profile.edit" : "service_profile.create",
                            .subject_kind = "service_profile",
                            .subject_id = profile.id,
                            .detail = json_canonical(owner, detail),
                            .work = save_run,
                            .context = &saving,
                            .wakes = true};
    return fleet_change(fleet, &change, err) &&
           fleet_service_profile_get(fleet, actor, owner, profile.id, out, err);
}

/* ---- delete ---- */

static bool delete_run(struct db *tx, void *context, struct err *err)
{
    const struct service_profile *profile = context;
    return store_change_one(tx, ASK(SERVICE_PROFILE_DELETE, TEXT(profile->id)),
                            "the profile is gone already", err);
}

bool fleet_service_profile_delete(struct fleet *fleet, const struct actor *actor, const char *name,
                                  struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct service_profile profile;
    if (!fleet_need(actor, "apple.write", err) ||
        !fleet_service_profile_get(fleet, actor, owner, name, &profile, err))
        return false;
    if (profile.device_count > 0) {
        (void)err_set(err, ERR_PRECONDITION, "%lld devices are to have this profile",
                      (long long)profile.device_count);
        err->remedy = "assign them another one first";
        return false;
    }
    struct change change = {.actor = actor,
                            .action = "service_profile.delete",
                            .subject_kind = "service_profile",
                            .subject_id = profile.id,
                            .detail = json_pairs(owner, "name", profile.name, NULL),
                            .work = delete_run,
                            .context = &profile};
    return fleet_change(fleet, &change, err);
}
