/* SPDX-License-Identifier: Apache-2.0 */
/* The device's side of commands: what waits for it, and what comes next. */
#include "fleet/queue.h"

#include "base/id.h"
#include "codec/base64.h"
#include "fleet/confirm.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/shared.h"
#include "pki/keyd.h"
#include "store/store.h"

/* Lower goes first: what protects before what changes before what asks. */
#define DAY_SECONDS (24 * 3600)
#define LIFE_SECONDS (30 * DAY_SECONDS)
#define FOR_EVER 0
static const struct {
    int64_t priority;
    int64_t life_seconds; /* of a command that the device never fetches */
} kind_rows[] = {
    [COMMAND_WIPE] = {0, FOR_EVER},
    [COMMAND_RETIRE] = {0, FOR_EVER},
    [COMMAND_LOCK] = {10, LIFE_SECONDS},
    [COMMAND_ENABLE_LOST_MODE] = {10, LIFE_SECONDS},
    [COMMAND_DISABLE_LOST_MODE] = {12, LIFE_SECONDS},
    [COMMAND_PLAY_SOUND] = {14, DAY_SECONDS}, /* for somebody who is near it now */
    [COMMAND_LOCATE] = {14, DAY_SECONDS},
    [COMMAND_RENEW_IDENTITY] = {15, FOR_EVER},
    [COMMAND_CLEAR_PASSCODE] = {16, LIFE_SECONDS},
    [COMMAND_DECLARE] = {18, FOR_EVER},
    [COMMAND_REMOVE_ITEM] = {20, FOR_EVER},
    [COMMAND_INSTALL_ITEM] = {20, FOR_EVER},
    [COMMAND_FINISH_SETUP] = {25, FOR_EVER}, /* behind what the device has to have */
    [COMMAND_RENAME] = {30, LIFE_SECONDS},
    [COMMAND_RESTART] = {30, LIFE_SECONDS},
    [COMMAND_SHUT_DOWN] = {32, LIFE_SECONDS},
    [COMMAND_QUERY_DEVICE] = {40, LIFE_SECONDS},
    [COMMAND_QUERY_SECURITY] = {40, LIFE_SECONDS},
    [COMMAND_QUERY_ITEMS] = {40, LIFE_SECONDS},
    [COMMAND_QUERY_BYPASS_CODE] = {40, LIFE_SECONDS},
    [COMMAND_ATTEST] = {45, LIFE_SECONDS}, /* the device has to ask its maker */
    [COMMAND_QUERY_APPS] = {50, LIFE_SECONDS},
    [COMMAND_QUERY_MANAGED_APPS] = {50, LIFE_SECONDS},
    [COMMAND_QUERY_CERTIFICATES] = {50, LIFE_SECONDS},
    [COMMAND_SYNC] = {40, LIFE_SECONDS},
};

static int64_t end_of(enum command_kind kind, int64_t now)
{
    return kind_rows[kind].life_seconds == FOR_EVER ? 0 : now + kind_rows[kind].life_seconds;
}

bool command_queue(struct db *tx, const struct queued *queued, struct err *err)
{
    CLEANUP(mem_free_at) char *made = queued->id ? NULL : id_make_upper(NULL);
    const char *id = queued->id ? queued->id : made;
    int64_t changed = 0;
    if (!store_change(tx,
                      ASK(COMMAND_INSERT, TEXT(id), TEXT(queued->enrolment_id),
                          TEXT(command_kind_names[queued->kind]), TEXT(queued->item),
                          TEXT(queued->parameters), INTEGER(kind_rows[queued->kind].priority),
                          TEXT(queued->created_by), INTEGER(queued->now),
                          TIME(end_of(queued->kind, queued->now))),
                      &changed, err))
        return false;
    if (queued->id && changed == 0)
        return err_set(err, ERR_CONFLICT, "the same command is waiting for the device already");
    return job_add(tx, "wake", queued->enrolment_id, queued->now, err);
}

bool item_queue(struct db *tx, const char *enrolment_id, const char *item, const char *hash,
                int64_t now, struct err *err)
{
    struct queued queued = {.enrolment_id = enrolment_id,
                            .kind = hash ? COMMAND_INSTALL_ITEM : COMMAND_REMOVE_ITEM,
                            .item = item,
                            .created_by = "system",
                            .now = now};
    return store_change(tx,
                        ASK(COMMAND_SUPERSEDE_ITEM, TEXT(enrolment_id), TEXT(item), INTEGER(now)),
                        NULL, err) &&
           commands_outdate(tx, enrolment_id, NULL, item, err) &&
           store_change(tx,
                        ASK(DELIVERED_WANT, TEXT(enrolment_id), TEXT(item), TEXT(hash),
                            INTEGER(now), TEXT(carrier_names[CARRIER_COMMAND])),
                        NULL, err) &&
           command_queue(tx, &queued, err);
}

bool item_unwant(struct db *tx, const char *enrolment_id, const char *item, int64_t now,
                 struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(COMMAND_ITEM_DELIVERED, TEXT(enrolment_id), TEXT(item)), &rows,
                    err))
        return false;
    if (rows->count > 0)
        return item_queue(tx, enrolment_id, item, NULL, now, err);
    return store_change(tx,
                        ASK(COMMAND_SUPERSEDE_ITEM, TEXT(enrolment_id), TEXT(item), INTEGER(now)),
                        NULL, err) &&
           commands_outdate(tx, enrolment_id, NULL, NULL, err) &&
           store_change(tx, ASK(DELIVERED_DROP, TEXT(enrolment_id), TEXT(item)), NULL, err);
}

bool item_declare(struct db *tx, const char *enrolment_id, const char *item, const char *hash,
                  int64_t now, struct err *err)
{
    return store_change(tx,
                        ASK(DELIVERED_WANT, TEXT(enrolment_id), TEXT(item), TEXT(hash),
                            INTEGER(now), TEXT(carrier_names[CARRIER_DECLARATION])),
                        NULL, err);
}

bool declare_queue(struct db *tx, const char *enrolment_id, const char *token, int64_t now,
                   struct err *err)
{
    struct queued queued = {.enrolment_id = enrolment_id,
                            .kind = COMMAND_DECLARE,
                            .item = token,
                            .created_by = "system",
                            .now = now};
    return store_change(
               tx, ASK(COMMAND_SUPERSEDE_DECLARE, TEXT(enrolment_id), TEXT(token), INTEGER(now)),
               NULL, err) &&
           commands_outdate(tx, enrolment_id, command_kind_names[COMMAND_DECLARE], NULL, err) &&
           command_queue(tx, &queued, err);
}

/* A device that knows declarations looks whether it has them all. */
static bool declared_again(struct db *tx, void *owner, const char *enrolment_id, int64_t now,
                           struct err *err)
{
    struct declarative declarative = {0};
    bool found = false;
    return store_find(tx, owner, ASK(DECLARATIVE_GET, TEXT(enrolment_id)), declarative_fields,
                      &declarative, &found, err) &&
           (!declarative.token || declare_queue(tx, enrolment_id, declarative.token, now, err));
}

bool failed_queue(struct db *tx, const char *enrolment_id, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(DELIVERED_FAILED, TEXT(enrolment_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        int carrier = name_find(carrier_names, rows_text(rows, i, "carrier"));
        if (carrier == CARRIER_COMMAND && !item_queue(tx, enrolment_id, rows_text(rows, i, "item"),
                                                      rows_text(rows, i, "wanted_hash"), now, err))
            return false;
    }
    return declared_again(tx, owner, enrolment_id, now, err);
}

/* ---- a session begins ---- */

static bool begin_run(struct db *tx, void *context, struct err *err)
{
    return store_change(tx, ASK(COMMAND_UNDEFER, TEXT((const char *)context)), NULL, err);
}

bool fleet_session_begin(struct fleet *fleet, const struct actor *actor,
                         const struct identity *identity, struct err *err)
{
    if (!identity->has_deferred)
        return true;
    struct change change = {.actor = actor,
                            .work = begin_run,
                            .context = identity->enrolment_id,
                            .forget = identity->enrolment_id};
    return fleet_change(fleet, &change, err);
}

bool fleet_session_put_off(struct fleet *fleet, const struct identity *identity,
                           struct put_off *out, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(COMMAND_PUT_OFF, TEXT(identity->enrolment_id)), &rows,
                    err))
        return false;
    *out = (struct put_off){rows_integer(rows, 0, "count"), rows_integer(rows, 0, "most")};
    return true;
}

/* ---- the next one ---- */

#define KINDS_SIZE 512 /* all their names */

struct fetch {
    void *owner;
    const struct fleet *fleet;
    const struct identity *identity;
    const char *kinds;
    int64_t now;
    struct command command;
    bool found, has_held; /* a command waits for a second yes from now on */
};

/* As COMMAND_NEXT wants it; NULL: all. */
static const char *kinds_text(void *owner, const struct identity *identity, unsigned kinds)
{
    struct buffer out;
    if (identity->enrolment_state == ENROLMENT_RETIRING)
        kinds &= 1U << COMMAND_RETIRE;
    if (identity->enrolment_state == ENROLMENT_WIPING)
        kinds &= 1U << COMMAND_WIPE;
    if (kinds == COMMANDS_ALL)
        return NULL;
    buffer_init(&out, owner, KINDS_SIZE);
    buffer_text(&out, " ");
    for (unsigned i = 0; command_kind_names[i]; i++)
        if (kinds & 1U << i)
            buffer_format(&out, "%s ", command_kind_names[i]);
    return buffer_string(&out);
}

/* False in *taken: it ended meanwhile (it was cancelled), or it is held. */
static bool fetch_mark(struct db *tx, struct fetch *fetch, bool *taken, struct err *err)
{
    const struct command *command = &fetch->command;
    int64_t changed = 0;
    bool held = false;
    if (!stale_hold(tx, fetch->fleet, command, fetch->now, &held, err))
        return false;
    if (held) {
        fetch->has_held = true;
        *taken = false;
        return true;
    }
    if (!store_change(tx, ASK(COMMAND_DELIVER, TEXT(command->id), INTEGER(fetch->now)), &changed,
                      err))
        return false;
    *taken = changed == 1;
    return !*taken || !command->item ||
           store_change(tx,
                        ASK(DELIVERED_STATE, TEXT(fetch->identity->enrolment_id),
                            TEXT(command->item), TEXT(command_state_names[COMMAND_DELIVERED]),
                            TEXT(NULL), TEXT(NULL), TEXT(NULL), INTEGER(fetch->now)),
                        NULL, err);
}

static bool fetch_run(struct db *tx, void *context, struct err *err)
{
    struct fetch *fetch = context;
    bool taken = false;
    do {
        fetch->command = (struct command){0};
        if (!store_find(tx, fetch->owner,
                        ASK(COMMAND_NEXT, TEXT(fetch->identity->enrolment_id), TEXT(fetch->kinds)),
                        command_fields, &fetch->command, &fetch->found, err) ||
            (fetch->found && !fetch_mark(tx, fetch, &taken, err)))
            return false;
    } while (fetch->found && !taken);
    fetch->command.state = COMMAND_DELIVERED;
    return true;
}

#define PARAMETERS_MAX 16384 /* bytes sealed */

static bool parameters_open(struct fleet *fleet, void *owner, struct command *command,
                            struct err *err)
{
    struct bytes sealed, plain;
    if (!command->parameters)
        return true;
    if (!base64_decode(owner, bytes_text(command->parameters), PARAMETERS_MAX, &sealed, err) ||
        !keyd_open(fleet->keyd, owner, KEYD_CLASS_COMMAND, command->id, sealed, &plain, err))
        return err_context(err, "opening the parameters of %s", command->id);
    command->parameters = bytes_to_text(owner, plain);
    return true;
}

static bool put_back_run(struct db *tx, void *context, struct err *err)
{
    return store_change(tx, ASK(COMMAND_TAKE_BACK, TEXT((const char *)context)), NULL, err);
}

bool fleet_command_put_back(struct fleet *fleet, const struct actor *actor,
                            const struct identity *identity, const char *id, struct err *err)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, id);
    const struct change change = {
        .actor = actor, .work = put_back_run, .context = copy, .forget = identity->enrolment_id};
    return fleet_change(fleet, &change, err);
}

bool fleet_command_fetch(struct fleet *fleet, const struct actor *actor, void *owner,
                         const struct identity *identity, unsigned kinds, struct command *out,
                         struct err *err)
{
    struct fetch fetch = {.owner = owner,
                          .fleet = fleet,
                          .identity = identity,
                          .kinds = kinds_text(owner, identity, kinds),
                          .now = actor->now};
    struct rows *rows = NULL;
    /* looking is a read: a device whose commands are all deferred costs no write */
    if (!store_rows(fleet->db, owner,
                    ASK(COMMAND_NEXT, TEXT(identity->enrolment_id), TEXT(fetch.kinds)), &rows, err))
        return false;
    if (rows->count > 0) {
        struct change change = {.actor = actor, .work = fetch_run, .context = &fetch};
        if (!fleet_change(fleet, &change, err))
            return false;
    }
    if (fetch.has_held)
        shared_forget(fleet->shared, identity->enrolment_id);
    if (!fetch.found)
        fetch.command = (struct command){0};
    if (!parameters_open(fleet, owner, &fetch.command, err)) {
        struct err ignored; /* then it counts as delivered until the device is heard again */
        bool back = fleet_command_put_back(fleet, actor, identity, fetch.command.id, &ignored);
        (void)back;
        return false;
    }
    *out = fetch.command;
    return true;
}
