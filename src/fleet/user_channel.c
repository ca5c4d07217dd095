/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/user_channel.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/admission.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/queue.h"
#include "fleet/user_items.h"
#include "pki/keyd.h"
#include "store/store.h"

static const struct field user_channel_rows[] = {
    TEXT_FIELD(struct user_channel, id, FIELD_READ_ONLY, .help = "Identifier of the channel"),
    TEXT_FIELD(struct user_channel, user_identifier, FIELD_READ_ONLY,
               .help = "What the device calls the person"),
    TEXT_FIELD(struct user_channel, name, FIELD_READ_ONLY, .help = "Short name of the person"),
    TEXT_FIELD(struct user_channel, full_name, FIELD_READ_ONLY, .help = "Full name"),
    BOOLEAN_FIELD(struct user_channel, on_console, FIELD_READ_ONLY,
                  .help = "Did the person have the screen when the channel was last told?"),
    ENUM_FIELD(struct user_channel, state, FIELD_READ_ONLY, enrolment_state_names,
               .help = "active, or checked_out"),
    TIME_FIELD(struct user_channel, enrolled_at, FIELD_READ_ONLY, .help = "When it began"),
    TIME_FIELD(struct user_channel, last_contact_at, FIELD_READ_ONLY,
               .help = "When it last called"),
    INTEGER_FIELD(struct user_channel, open_commands, FIELD_READ_ONLY,
                  .help = "Commands that wait for it"),
    INTEGER_FIELD(struct user_channel, profile_count, FIELD_READ_ONLY,
                  .help = "How many profiles it had when it was last asked"),
    TIME_FIELD(struct user_channel, profiles_at, FIELD_READ_ONLY, .help = "When it said so"),
};
const struct fields user_channel_fields = FIELDS(user_channel_rows);

struct found_channel {
    char *enrolment_id;
    int state;
    bool has_work, has_deferred;
};
static const struct field found_rows[] = {
    TEXT_FIELD(struct found_channel, enrolment_id, 0),
    ENUM_FIELD(struct found_channel, state, 0, enrolment_state_names),
    BOOLEAN_FIELD(struct found_channel, has_work, 0),
    BOOLEAN_FIELD(struct found_channel, has_deferred, 0),
};

static bool channel_find(struct db *db, void *owner, const char *parent_id, const char *user,
                         struct found_channel *out, bool *found, struct err *err)
{
    *out = (struct found_channel){0};
    return store_find(db, owner, ASK(USER_CHANNEL_FIND, TEXT(parent_id), TEXT(user)),
                      FIELDS(found_rows), out, found, err);
}

/* ---- it tells its address ---- */

struct telling_user {
    void *owner;
    const struct identity *identity;
    const struct user_claims *claims;
    const struct push_address *address;
    const char *id; /* of the channel; made outside, for its address is sealed under it */
    bool is_known;
    struct bytes token, magic; /* sealed */
    int64_t now;
};

static bool parent_check(struct db *db, void *owner, const struct identity *identity,
                         struct err *err)
{
    const struct want want = {"enrolment", enrolment_fields};
    struct enrolment parent = {0};
    if (!store_get(db, owner, ASK(ENROLMENT_BY_ID, TEXT(identity->enrolment_id)), want, &parent,
                   err))
        return false;
    if (parent.state != ENROLMENT_ACTIVE && parent.state != ENROLMENT_BLOCKED)
        return err_set(err, ERR_FORBIDDEN, "the enrolment is %s",
                       enrolment_state_names[parent.state]);
    return (parent.takes_users && identity->mode == MODE_DEVICE) ||
           err_set(err, ERR_PRECONDITION, "people of this device are not managed");
}

static bool user_event(struct db *tx, const struct telling_user *t, const char *kind,
                       struct err *err)
{
    return event_add(tx, kind, t->identity->device_id,
                     json_pairs(t->owner, "user", t->claims->user, "name", t->claims->name, NULL),
                     t->now, err);
}

static bool channel_make(struct db *tx, const struct telling_user *t, struct err *err)
{
    const char *parent = t->identity->enrolment_id;
    int64_t count = 0;
    if (!store_number(tx, ASK(USER_CHANNEL_COUNT, TEXT(parent), INTEGER(USER_CHANNELS_MOST)),
                      "count", &count, err))
        return false;
    if (count >= USER_CHANNELS_MOST)
        return err_set(err, ERR_PRECONDITION, "the device has %d people already",
                       USER_CHANNELS_MOST);
    return store_change(tx, ASK(USER_CHANNEL_ENROLMENT, TEXT(parent), TEXT(t->id), INTEGER(t->now)),
                        NULL, err) &&
           store_change(tx,
                        ASK(USER_CHANNEL_INSERT, TEXT(parent), TEXT(t->id), TEXT(t->claims->user)),
                        NULL, err);
}

/* What waited for a channel that could not be woken is pushed for now. */
static bool wake_open(struct db *tx, const struct telling_user *t, struct err *err)
{
    int64_t open = 0;
    return store_number(tx, ASK(COMMAND_OPEN_COUNT, TEXT(t->id)), "count", &open, err) &&
           (open == 0 || job_add(tx, "wake", t->id, t->now, err));
}

static bool told_run(struct db *tx, void *context, struct err *err)
{
    const struct telling_user *t = context;
    int64_t reopened = 0;
    if (!parent_check(tx, t->owner, t->identity, err) ||
        (!t->is_known && !channel_make(tx, t, err)) ||
        !store_change(tx, ASK(USER_CHANNEL_REOPEN, TEXT(t->id), INTEGER(t->now)), &reopened, err) ||
        !store_change(tx,
                      ASK(USER_CHANNEL_NAMES, TEXT(t->id), TEXT(t->claims->name),
                          TEXT(t->claims->full_name), INTEGER(t->claims->on_console)),
                      NULL, err) ||
        !store_change(tx,
                      ASK(ENROLMENT_SET_PUSH, TEXT(t->id), TEXT(t->address->topic), BYTES(t->token),
                          BYTES(t->magic), BYTES(NO_BYTES), INTEGER(t->now)),
                      NULL, err))
        return false;
    if (!t->is_known || reopened)
        return user_items_begin(tx, t->identity->enrolment_id, t->id, t->now, err) &&
               user_event(tx, t, "device.user_enrolled", err);
    return wake_open(tx, t, err);
}

static bool told_keep(struct fleet *fleet, const struct actor *actor, struct telling_user *t,
                      struct err *err)
{
    struct found_channel known;
    if (!channel_find(fleet->db, t->owner, t->identity->enrolment_id, t->claims->user, &known,
                      &t->is_known, err))
        return false;
    t->id = t->is_known ? known.enrolment_id : id_make(t->owner);
    if (!keyd_seal(fleet->keyd, t->owner, KEYD_CLASS_DEVICE, t->id, t->address->token, &t->token,
                   err) ||
        !keyd_seal(fleet->keyd, t->owner, KEYD_CLASS_DEVICE, t->id, t->address->magic, &t->magic,
                   err))
        return false;
    const struct change change = {.actor = actor, .work = told_run, .context = t, .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_user_channel_told(struct fleet *fleet, const struct actor *actor,
                             const struct identity *identity, const struct user_claims *claims,
                             const struct push_address *address, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct telling_user t = {owner, identity, claims, address, .now = actor->now};
    if (!parent_check(fleet->db, owner, identity, err) ||
        !admission_topic(fleet, identity, address->topic, err))
        return false;
    /* it was said twice at once, and the other one was first: then the channel is known */
    return told_keep(fleet, actor, &t, err) ||
           (err->kind == ERR_CONFLICT && !t.is_known && told_keep(fleet, actor, &t, err));
}

bool fleet_user_channel_wanted(struct fleet *fleet, const struct identity *identity, bool *wanted,
                               struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    *wanted = parent_check(fleet->db, owner, identity, err);
    return *wanted || err->kind == ERR_PRECONDITION;
}

bool fleet_user_channel_find(struct fleet *fleet, void *owner, const struct identity *identity,
                             const char *user, struct identity *out, bool *found, struct err *err)
{
    struct found_channel channel;
    bool known = false;
    if (!channel_find(fleet->db, owner, identity->enrolment_id, user, &channel, &known, err))
        return false;
    *found = known && channel.state == ENROLMENT_ACTIVE;
    if (!*found)
        return true;
    struct identity made = *identity;
    made.enrolment_id = channel.enrolment_id;
    made.has_work = channel.has_work;
    made.has_deferred = channel.has_deferred;
    made.is_person = true;
    *out = made;
    return true;
}

/* ---- it ends ---- */

struct ending_user {
    const struct identity *identity;
    int64_t now;
};

static bool leave_run(struct db *tx, void *context, struct err *err)
{
    const struct ending_user *e = context;
    const char *id = e->identity->enrolment_id;
    int64_t changed = 0;
    if (!store_change(tx,
                      ASK(ENROLMENT_SET_STATE, TEXT(id),
                          TEXT(enrolment_state_names[ENROLMENT_CHECKED_OUT]), INTEGER(e->now)),
                      &changed, err))
        return false;
    return changed == 0 ||
           (store_change(tx,
                         ASK(COMMAND_END_OF_ENROLMENT, TEXT(id),
                             TEXT(command_state_names[COMMAND_CANCELLED]), INTEGER(e->now),
                             TEXT(NULL)),
                         NULL, err) &&
            user_items_end(tx, id, err) &&
            event_add(tx, "device.user_left", e->identity->device_id, "{}", e->now, err));
}

bool fleet_user_channel_leave(struct fleet *fleet, const struct actor *actor,
                              const struct identity *identity, struct err *err)
{
    struct ending_user ending = {identity, actor->now};
    const struct change change = {.actor = actor, .work = leave_run, .context = &ending};
    return fleet_change(fleet, &change, err);
}

bool user_channels_end(struct db *tx, const char *enrolment_id, int64_t now, struct err *err)
{
    return store_change(tx, ASK(USER_CHANNEL_COMMANDS_END, TEXT(enrolment_id), INTEGER(now)), NULL,
                        err) &&
           store_change(tx, ASK(USER_CHANNEL_DELIVERED_END, TEXT(enrolment_id)), NULL, err) &&
           store_change(tx, ASK(USER_CHANNEL_END, TEXT(enrolment_id), INTEGER(now)), NULL, err);
}

bool user_channels_wake(struct db *tx, const char *enrolment_id, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(USER_CHANNEL_WAITING, TEXT(enrolment_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (!job_add(tx, "wake", rows_text(rows, i, "enrolment_id"), now, err))
            return false;
    return true;
}

/* ---- what is asked and told ---- */

struct counting {
    const char *id;
    size_t count;
    int64_t now;
};

static bool profiles_run(struct db *tx, void *context, struct err *err)
{
    const struct counting *c = context;
    return store_change(
        tx, ASK(USER_CHANNEL_PROFILES, TEXT(c->id), INTEGER((int64_t)c->count), INTEGER(c->now)),
        NULL, err);
}

bool fleet_user_channel_profiles(struct fleet *fleet, const struct actor *actor,
                                 const struct identity *identity, size_t count, struct err *err)
{
    struct counting counting = {identity->enrolment_id, count, actor->now};
    const struct change change = {.actor = actor, .work = profiles_run, .context = &counting};
    return fleet_change(fleet, &change, err);
}

bool fleet_user_channel_list(struct fleet *fleet, const struct actor *actor, void *owner,
                             const char *device_id, struct list *out, struct err *err)
{
    void *items = NULL;
    size_t count = 0;
    if (!fleet_need(actor, "device.read", err) ||
        !store_list(fleet->db, owner, ASK(USER_CHANNEL_LIST, TEXT(device_id)), user_channel_fields,
                    sizeof(struct user_channel), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}

static bool sync_run(struct db *tx, void *context, struct err *err)
{
    const struct counting *c = context;
    return failed_queue(tx, c->id, c->now, err) &&
           query_add(tx, c->id, COMMAND_QUERY_ITEMS, c->now, err);
}

static bool listed_find(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *device_id, const char *id, struct user_channel *out,
                        struct err *err)
{
    struct list list;
    if (!fleet_user_channel_list(fleet, actor, owner, device_id, &list, err))
        return false;
    const struct user_channel *channels = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (text_equal(channels[i].id, id)) {
            *out = channels[i];
            return true;
        }
    return err_set(err, ERR_NOT_FOUND, "the device has no such user channel");
}

bool fleet_user_channel_sync(struct fleet *fleet, const struct actor *actor, void *owner,
                             const char *device_id, const char *id, struct user_channel *out,
                             struct err *err)
{
    struct user_channel channel;
    struct counting counting = {.id = id, .now = actor->now};
    const struct change change = {.actor = actor,
                                  .action = "device.user_sync",
                                  .permission = "device.sync",
                                  .subject_kind = "device",
                                  .subject_id = device_id,
                                  .detail = json_pairs(owner, "channel", id, NULL),
                                  .work = sync_run,
                                  .context = &counting,
                                  .wakes = true};
    if (!fleet_need(actor, "device.sync", err) ||
        !listed_find(fleet, actor, owner, device_id, id, &channel, err))
        return false;
    if (channel.state != ENROLMENT_ACTIVE)
        return err_set(err, ERR_PRECONDITION, "this person is not managed any more");
    return fleet_change(fleet, &change, err) &&
           listed_find(fleet, actor, owner, device_id, id, out, err);
}
