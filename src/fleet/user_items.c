/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/user_items.h"

#include "base/text.h"
#include "fleet/queue.h"
#include "store/store.h"

/* Shown where nobody has a channel; the first says what to wait for, the second will not end. */
#define NOBODY_REASON "Nobody who uses this device has signed in to management yet."
#define NOBODY_REMEDY "Sign in on the device: each person gets it from then on."
#define NEVER_REASON "The device was enrolled without channels for its people."
#define NEVER_REMEDY "Enrol it again, as a device of the organisation."

struct wish {
    char *item, *wanted_hash;
};
static const struct field wish_rows[] = {
    TEXT_FIELD(struct wish, item, 0),
    TEXT_FIELD(struct wish, wanted_hash, 0),
};
struct wishes {
    const struct wish *list;
    size_t count;
};

/* From here on to the end of the transaction nobody else begins a channel of this enrolment, or
 * changes what its people get. */
static bool people_hold(struct db *tx, const char *parent_id, struct err *err)
{
    return store_change(tx, ASK(USER_ITEMS_HOLD, TEXT(parent_id)), NULL, err);
}

static bool wishes_load(struct db *tx, void *owner, const char *parent_id, struct wishes *out,
                        struct err *err)
{
    void *list = NULL;
    if (!store_list(tx, owner, ASK(USER_ITEMS_WISHES, TEXT(parent_id)), FIELDS(wish_rows),
                    sizeof(struct wish), &list, &out->count, err))
        return false;
    out->list = list;
    return true;
}

/* ---- the wishes ---- */

static bool is_of_people(const struct wanted_item *item)
{
    return item->carrier == CARRIER_USER_CHANNEL;
}

static bool is_wanted(const struct user_items *w, const char *item)
{
    for (size_t i = 0; i < w->count; i++)
        if (is_of_people(&w->items[i]) && text_equal(w->items[i].item, item))
            return true;
    return false;
}

/* Most devices have none: then nothing is held and nothing is written. */
static bool concerns_people(const struct user_items *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (is_of_people(&w->items[i]))
            return true;
    for (size_t i = 0; i < w->has_count; i++)
        if (w->has[i].carrier == CARRIER_USER_CHANNEL)
            return true;
    return false;
}

static bool wish_keep(struct db *tx, const struct user_items *w, const struct wanted_item *item,
                      bool may_come, struct err *err)
{
    enum command_state state = may_come ? COMMAND_QUEUED : COMMAND_FAILED;
    return store_change(tx,
                        ASK(USER_ITEMS_WISH, TEXT(w->enrolment->id), TEXT(item->item),
                            TEXT(item->hash), TEXT(command_state_names[state]),
                            TEXT(may_come ? NOBODY_REASON : NEVER_REASON),
                            TEXT(may_come ? NOBODY_REMEDY : NEVER_REMEDY), INTEGER(w->now)),
                        NULL, err);
}

static bool wishes_keep(struct db *tx, const struct user_items *w, struct err *err)
{
    int64_t may_come = 0;
    if (!store_number(tx, ASK(USER_ITEMS_MAY, TEXT(w->enrolment->id)), "count", &may_come, err))
        return false;
    for (size_t i = 0; i < w->count; i++)
        if (is_of_people(&w->items[i]) && !wish_keep(tx, w, &w->items[i], may_come > 0, err))
            return false;
    for (size_t i = 0; i < w->has_count; i++)
        if (w->has[i].carrier == CARRIER_USER_CHANNEL && !is_wanted(w, w->has[i].item) &&
            !store_change(tx, ASK(DELIVERED_DROP, TEXT(w->enrolment->id), TEXT(w->has[i].item)),
                          NULL, err))
            return false;
    return true;
}

/* ---- one channel ---- */

struct bringing {
    const char *channel_id;
    const struct wishes *wishes;
    const struct delivered *has;
    size_t has_count;
    bool again;
    int64_t now;
};

static bool is_settled(const struct bringing *b, const struct delivered *has)
{
    return !b->again || has->state != COMMAND_FAILED;
}

static bool wish_bring(struct db *tx, const struct bringing *b, const struct wish *wish,
                       struct err *err)
{
    for (size_t i = 0; i < b->has_count; i++)
        if (text_equal(b->has[i].item, wish->item) &&
            text_equal(b->has[i].wanted_hash, wish->wanted_hash) && is_settled(b, &b->has[i]))
            return true;
    return item_queue(tx, b->channel_id, wish->item, wish->wanted_hash, b->now, err);
}

static bool rest_remove(struct db *tx, const struct bringing *b, const struct delivered *has,
                        struct err *err)
{
    for (size_t i = 0; i < b->wishes->count; i++)
        if (text_equal(b->wishes->list[i].item, has->item))
            return true;
    return (!has->wanted_hash && is_settled(b, has)) ||
           item_unwant(tx, b->channel_id, has->item, b->now, err);
}

static bool channel_bring(struct db *tx, struct bringing b, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    void *has = NULL;
    if (!store_list(tx, owner, ASK(DELIVERED_LIST, TEXT(b.channel_id)), delivered_fields,
                    sizeof(struct delivered), &has, &b.has_count, err))
        return false;
    b.has = has;
    for (size_t i = 0; i < b.wishes->count; i++)
        if (!wish_bring(tx, &b, &b.wishes->list[i], err))
            return false;
    for (size_t i = 0; i < b.has_count; i++)
        if (!rest_remove(tx, &b, &b.has[i], err))
            return false;
    return true;
}

/* ---- all of them ---- */

bool user_items_plan(struct db *tx, const struct user_items *wanted, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const char *id = wanted->enrolment->id;
    struct wishes wishes;
    struct rows *rows = NULL;
    if (!concerns_people(wanted))
        return true;
    if (!people_hold(tx, id, err) || !wishes_keep(tx, wanted, err) ||
        !wishes_load(tx, owner, id, &wishes, err) ||
        !store_rows(tx, owner, ASK(USER_CHANNEL_OPEN, TEXT(id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        const struct bringing bringing = {.channel_id = rows_text(rows, i, "enrolment_id"),
                                          .wishes = &wishes,
                                          .again = wanted->again,
                                          .now = wanted->now};
        if (!channel_bring(tx, bringing, err))
            return false;
    }
    return true;
}

bool user_items_begin(struct db *tx, const char *parent_id, const char *channel_id, int64_t now,
                      struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct wishes wishes;
    return people_hold(tx, parent_id, err) && wishes_load(tx, owner, parent_id, &wishes, err) &&
           channel_bring(
               tx, (struct bringing){.channel_id = channel_id, .wishes = &wishes, .now = now}, err);
}

bool user_items_end(struct db *tx, const char *channel_id, struct err *err)
{
    return store_change(tx, ASK(DELIVERED_CLEAR, TEXT(channel_id)), NULL, err);
}
