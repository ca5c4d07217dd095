/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/device.h"

#include "base/text.h"
#include "codec/json.h"
#include "fleet/list.h"
#include "fleet/shared.h"
#include "store/store.h"

bool fleet_device_list(struct fleet *fleet, const struct actor *actor, void *owner,
                       const struct device_filter *filter, const struct page *page,
                       struct list *out, struct err *err)
{
    struct listing listing = {
        .fields = device_fields, .item_size = sizeof(struct device), .permission = "device.read"};
    const char *part = filter->text ? list_like(owner, text_fold(owner, filter->text)) : NULL;
    return list_read(fleet, actor, owner,
                     ASK(DEVICE_LIST, TEXT(page->cursor), TEXT(part), TEXT(filter->text),
                         TEXT(filter->compliance), INTEGER(filter->with_left),
                         INTEGER(page->limit + 1), INTEGER(filter->only_shut_out)),
                     page, &listing, out, err);
}

bool fleet_device_get(struct fleet *fleet, const struct actor *actor, void *owner,
                      const char *which, struct device *out, struct err *err)
{
    struct rows *rows = NULL;
    struct device device = {0};
    const struct want want = {"device", device_fields};
    if (!fleet_need(actor, "device.read", err) ||
        !store_rows(fleet->db, owner, ASK(DEVICE_FIND, TEXT(which), TEXT(text_fold(owner, which))),
                    &rows, err))
        return false;
    if (rows->count == 0)
        return err_set(err, ERR_NOT_FOUND, "no such device");
    if (rows->count > 1 && rows_integer(rows, 0, "place") != 0) {
        (void)err_set(err, ERR_CONFLICT,
                      "more than one device has this name, serial number or UDID");
        err->remedy = "use the identifier: muster device list --query NAME -o json";
        return false;
    }
    if (!store_get(fleet->db, owner, ASK(DEVICE_BY_ID, TEXT(rows_text(rows, 0, "id"))), want,
                   &device, err))
        return false;
    *out = device;
    return true;
}

bool fleet_event_list(struct fleet *fleet, const struct actor *actor, void *owner,
                      const struct event_filter *filter, const struct page *page, struct list *out,
                      struct err *err)
{
    struct listing listing = {
        .fields = event_fields, .item_size = sizeof(struct event), .permission = "device.read"};
    if (filter->device_id)
        return list_read(fleet, actor, owner,
                         ASK(EVENT_OF_DEVICE, TEXT(filter->device_id), TEXT(page->cursor),
                             TEXT(filter->kind), INTEGER(filter->since), INTEGER(page->limit + 1)),
                         page, &listing, out, err);
    if (filter->kind)
        return list_read(fleet, actor, owner,
                         ASK(EVENT_OF_KIND, TEXT(filter->kind), TEXT(page->cursor),
                             INTEGER(filter->since), INTEGER(page->limit + 1)),
                         page, &listing, out, err);
    return list_read(
        fleet, actor, owner,
        ASK(EVENT_LIST, TEXT(page->cursor), INTEGER(filter->since), INTEGER(page->limit + 1)), page,
        &listing, out, err);
}

bool fleet_status_get(struct fleet *fleet, const struct actor *actor, void *owner,
                      struct fleet_status *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *states = json_object();
    struct rows *rows = NULL;
    int64_t total = 0;
    if (!fleet_need(actor, "status.read", err) ||
        !store_rows(fleet->db, owner, ASK_ALL(COMPLIANCE_COUNTS), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t count = rows_integer(rows, i, "count");
        total += count;
        if (json_object_set_new(states, rows_text(rows, i, "state"),
                                json_integer((json_int_t)count)) != 0)
            bug("no status");
    }
    int64_t waiting = 0;
    if (!store_number(fleet->db, ASK(CHALLENGE_WAITING_COUNT, INTEGER(actor->now)), "count",
                      &waiting, err))
        return false;
    *out = (struct fleet_status){total, json_text(owner, states), waiting, {0}};
    for (size_t i = 0; i < FLEET_SHEDS; i++)
        out->shed[i] = atomic_load(&fleet->shared->shed[i]);
    return true;
}
