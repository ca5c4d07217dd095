/* SPDX-License-Identifier: Apache-2.0 */
/* What the enrolment service told of devices, and which profile each should have. */
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "fleet/service_own.h"
#include "store/store.h"

bool fleet_service_device_list(struct fleet *fleet, const struct actor *actor, void *owner,
                               const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = service_device_fields,
                              .item_size = sizeof(struct service_device),
                              .permission = "apple.read",
                              .cursor_field = "serial"};
    return list_read(fleet, actor, owner,
                     ASK(SERVICE_DEVICE_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}

struct wanting {
    const char *serial, *profile_id;
    int64_t now;
};

static bool want_run(struct db *tx, void *context, struct err *err)
{
    const struct wanting *w = context;
    int64_t changed = 0;
    if (!store_change(tx, ASK(SERVICE_DEVICE_WANT, TEXT(w->serial), TEXT(w->profile_id)), &changed,
                      err))
        return false;
    return changed == 1 ? service_hasten(tx, w->now, err)
                        : err_set(err, ERR_NOT_FOUND, "the service names no such device");
}

static bool device_get(struct fleet *fleet, void *owner, const char *serial,
                       struct service_device *out, struct err *err)
{
    const struct want want = {"device at the enrolment service", service_device_fields};
    *out = (struct service_device){0};
    return store_get(fleet->db, owner, ASK(SERVICE_DEVICE_GET, TEXT(serial)), want, out, err);
}

bool fleet_service_device_assign(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const char *serial, const char *profile,
                                 struct service_device *out, struct err *err)
{
    struct service_profile found = {0};
    if (!fleet_need(actor, "apple.write", err))
        return false;
    if (profile && !fleet_service_profile_get(fleet, actor, owner, profile, &found, err))
        return err->kind == ERR_NOT_FOUND
                   ? err_at(err, ERR_BAD_INPUT, "/profile", "there is no such profile")
                   : false;
    struct wanting wanting = {.serial = serial, .profile_id = found.id, .now = actor->now};
    struct change change = {.actor = actor,
                            .action = "enrolment_service.assign",
                            .subject_kind = "service_device",
                            .subject_id = serial,
                            .detail = json_pairs(owner, "profile", found.name, NULL),
                            .work = want_run,
                            .context = &wanting,
                            .wakes = true};
    return fleet_change(fleet, &change, err) && device_get(fleet, owner, serial, out, err);
}
