/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/confirm.h"

#include "fleet/door.h"
#include "fleet/shared.h"
#include "fleet/upkeep.h"
#include "store/store.h"

static bool is_grave(int kind)
{
    return kind == COMMAND_WIPE || kind == COMMAND_LOCK || kind == COMMAND_CLEAR_PASSCODE;
}

static bool hold(struct db *tx, const struct command *command, int64_t before, int64_t now,
                 bool *held, struct err *err)
{
    int64_t changed = 0;
    if (!store_change(tx, ASK(COMMAND_HOLD, TEXT(command->id), INTEGER(before)), &changed, err))
        return false;
    *held = changed == 1;
    if (!*held)
        return true;
    CLEANUP(mem_free_at)
    char *body =
        json_pairs(NULL, "command", command->id, "kind", command_kind_names[command->kind], NULL);
    return event_add(tx, "command.awaiting_confirmation", command->device_id, body, now, err);
}

bool stale_hold(struct db *tx, const struct fleet *fleet, const struct command *command,
                int64_t now, bool *held, struct err *err)
{
    int64_t seconds = fleet->settings->confirmation_seconds;
    *held = false;
    return seconds == 0 || !is_grave(command->kind) || command->delivered_at != 0 ||
           hold(tx, command, now - seconds, now, held, err);
}

/* ---- found by a job, so that people see it before the device calls ---- */

struct holding {
    const struct command *commands;
    size_t count;
    int64_t before, now;
};

static bool hold_run(struct db *tx, void *context, struct err *err)
{
    const struct holding *holding = context;
    bool held = false;
    for (size_t i = 0; i < holding->count; i++)
        if (!hold(tx, &holding->commands[i], holding->before, holding->now, &held, err))
            return false;
    return true;
}

bool fleet_commands_hold(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                         struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor actor = fleet_system_actor(now);
    struct holding holding = {.before = now - fleet->settings->confirmation_seconds, .now = now};
    void *found = NULL;
    *count = 0;
    if (fleet->settings->confirmation_seconds == 0)
        return true;
    if (!store_list(fleet->db, owner, ASK(COMMAND_STALE, INTEGER(holding.before), INTEGER(limit)),
                    command_fields, sizeof(struct command), &found, &holding.count, err))
        return false;
    holding.commands = found;
    struct change change = {.actor = &actor, .work = hold_run, .context = &holding, .wakes = true};
    if (holding.count > 0 && !fleet_change(fleet, &change, err))
        return false;
    for (size_t i = 0; i < holding.count; i++)
        shared_forget(fleet->shared, holding.commands[i].enrolment_id);
    *count = holding.count;
    return true;
}

/* ---- the second yes ---- */

struct confirming {
    const struct command *command;
    const struct actor *actor;
};

static bool confirm_run(struct db *tx, void *context, struct err *err)
{
    const struct confirming *c = context;
    int64_t now = c->actor->now;
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "command", c->command->id, "kind",
                            command_kind_names[c->command->kind], "by", c->actor->name, NULL);
    return store_change_one(tx, ASK(COMMAND_CONFIRM, TEXT(c->command->id), INTEGER(now)),
                            "the command does not wait for a confirmation any more", err) &&
           event_add(tx, "command.confirmed", c->command->device_id, body, now, err) &&
           job_add(tx, "wake", c->command->enrolment_id, now, err);
}

bool fleet_command_confirm(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *id, struct command *out, struct err *err)
{
    struct command command = {0};
    if (!fleet_command_get(fleet, actor, owner, id, &command, err))
        return false;
    const char *permission = fleet_command_permission((enum command_kind)command.kind);
    if (!fleet_need(actor, permission ? permission : "device.wipe", err))
        return false;
    if (command.state != COMMAND_AWAITING_CONFIRMATION)
        return err_set(err, ERR_PRECONDITION,
                       "the command does not wait for a confirmation: it is %s",
                       command_state_names[command.state]);
    struct confirming confirming = {&command, actor};
    struct change change = {.actor = actor,
                            .action = "command.confirm",
                            .permission = permission,
                            .subject_kind = "command",
                            .subject_id = id,
                            .detail = json_pairs(owner, "device", command.device_id, "kind",
                                                 command_kind_names[command.kind], NULL),
                            .work = confirm_run,
                            .context = &confirming,
                            .forget = command.enrolment_id,
                            .wakes = true};
    return fleet_change(fleet, &change, err) &&
           fleet_command_get(fleet, actor, owner, id, out, err);
}
