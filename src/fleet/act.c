/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that people ask for. */
#include "fleet/act.h"

#include <string.h>

#include "base/id.h"
#include "codec/base64.h"
#include "fleet/attest.h"
#include "fleet/departure.h"
#include "fleet/door.h"
#include "fleet/inventory.h"
#include "fleet/leave.h"
#include "fleet/list.h"
#include "fleet/queue.h"
#include "fleet/shared.h"
#include "fleet/user_channel.h"
#include "pki/keyd.h"
#include "store/store.h"

static const char *const kind_permissions[] = {
    [COMMAND_QUERY_DEVICE] = "device.sync",
    [COMMAND_QUERY_SECURITY] = "device.sync",
    [COMMAND_QUERY_ITEMS] = "device.sync",
    [COMMAND_QUERY_APPS] = "device.sync",
    [COMMAND_QUERY_MANAGED_APPS] = "device.sync",
    [COMMAND_QUERY_CERTIFICATES] = "device.sync",
    [COMMAND_ATTEST] = "device.sync",
    [COMMAND_SYNC] = "device.sync",
    [COMMAND_LOCK] = "device.lock",
    [COMMAND_WIPE] = "device.wipe",
    [COMMAND_RETIRE] = "device.retire",
    [COMMAND_RESTART] = "device.restart",
    [COMMAND_RENEW_IDENTITY] = "device.renew_identity",
    [COMMAND_SHUT_DOWN] = "device.shut_down",
    [COMMAND_CLEAR_PASSCODE] = "device.clear_passcode",
    [COMMAND_RENAME] = "device.rename",
    [COMMAND_ENABLE_LOST_MODE] = "device.lost_mode",
    [COMMAND_DISABLE_LOST_MODE] = "device.lost_mode",
    [COMMAND_PLAY_SOUND] = "device.lost_mode",
    [COMMAND_LOCATE] = "device.locate",
    [COMMAND_FINISH_SETUP] = "device.finish_setup",
};

const char *fleet_command_permission(enum command_kind kind)
{
    return (size_t)kind < COUNT(kind_permissions) ? kind_permissions[kind] : NULL;
}

struct asking {
    void *owner;
    struct fleet *fleet;
    const char *device_id;
    enum command_kind kind;
    const char *id, *parameters;
    const struct actor *actor;
    struct enrolment enrolment;
    int ownership;
    struct command command;
};

static bool enrolment_now(struct db *tx, struct asking *a, struct err *err)
{
    bool found = false;
    struct device device = {0};
    const struct want want = {"device", device_fields};
    a->enrolment = (struct enrolment){0};
    if (!store_get(tx, a->owner, ASK(DEVICE_BY_ID, TEXT(a->device_id)), want, &device, err) ||
        !store_find(tx, a->owner, ASK(ENROLMENT_CURRENT, TEXT(a->device_id)), enrolment_fields,
                    &a->enrolment, &found, err))
        return false;
    a->ownership = device.ownership;
    if (!found)
        return err_set(err, ERR_PRECONDITION, "%s is not enrolled", device.name);
    if (a->enrolment.state == ENROLMENT_BLOCKED && a->kind != COMMAND_WIPE &&
        a->kind != COMMAND_RETIRE) {
        (void)err_set(err, ERR_PRECONDITION, "%s is blocked: it would not be given the command",
                      device.name);
        err->remedy = "unblock it first (muster device unblock)";
        return false;
    }
    bool leaves =
        a->enrolment.state == ENROLMENT_RETIRING || a->enrolment.state == ENROLMENT_WIPING;
    /* a device that was asked to leave can still be wiped, and be asked again after it refused */
    bool again = a->kind == COMMAND_RETIRE && a->enrolment.state == ENROLMENT_RETIRING;
    if (leaves && a->kind != COMMAND_WIPE && !again)
        return err_set(err, ERR_PRECONDITION, "%s is %s", device.name,
                       enrolment_state_names[a->enrolment.state]);
    return a->kind != COMMAND_CLEAR_PASSCODE || a->enrolment.unlock_token.data ||
           err_set(err, ERR_PRECONDITION, "%s never gave the token that clears its passcode",
                   device.name);
}

/* Only a device that waits in its assistant can be let go on. */
static bool waiting_check(struct db *tx, const struct asking *a, struct err *err)
{
    struct rows *rows = NULL;
    if (a->kind != COMMAND_FINISH_SETUP)
        return true;
    if (!store_rows(tx, a->owner, ASK(ENROLMENT_EXPECTED, TEXT(a->enrolment.id)), &rows, err))
        return false;
    return (rows->count > 0 && rows_integer(rows, 0, "awaits_until") &&
            !rows_integer(rows, 0, "configured_at")) ||
           err_set(err, ERR_PRECONDITION, "the device does not wait in its assistant");
}

static bool duplicate_check(struct db *tx, const struct asking *a, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, a->owner,
                    ASK(COMMAND_OPEN_OF_KIND, TEXT(a->enrolment.id),
                        TEXT(command_kind_names[a->kind]), TEXT(NULL)),
                    &rows, err))
        return false;
    return rows->count == 0 ||
           err_set(err, ERR_CONFLICT, "the same command (%s) is waiting for the device already",
                   rows_text(rows, 0, "id"));
}

/* Retire and wipe take effect here and now; the device only learns of it later. */
static bool departure_begin(struct db *tx, const struct asking *a, struct err *err)
{
    enum enrolment_state state = a->kind == COMMAND_WIPE ? ENROLMENT_WIPING : ENROLMENT_RETIRING;
    const char *id = a->enrolment.id;
    int64_t now = a->actor->now;
    return store_change_one(
               tx, ASK(ENROLMENT_SET_STATE, TEXT(id), TEXT(enrolment_state_names[state]), TIME(0)),
               "the device has left meanwhile", err) &&
           store_change(tx,
                        ASK(COMMAND_END_OF_ENROLMENT, TEXT(id),
                            TEXT(command_state_names[COMMAND_CANCELLED]), INTEGER(now),
                            TEXT(command_kind_names[a->kind])),
                        NULL, err) &&
           commands_outdate(tx, id, NULL, NULL, err) && user_channels_end(tx, id, now, err) &&
           store_change(tx, ASK(CHALLENGE_CANCEL_OF_ENROLMENT, TEXT(id)), NULL, err) &&
           store_change(tx,
                        ASK(CERTIFICATE_REVOKE_OF_ENROLMENT, TEXT(id), INTEGER(now),
                            TEXT(revocation_reason_names[REASON_CESSATION])),
                        NULL, err) &&
           crl_due(tx, now, err);
}

static bool sync_queue(struct db *tx, const struct asking *a, struct err *err)
{
    if (!failed_queue(tx, a->enrolment.id, a->actor->now, err))
        return false;
    for (const enum command_kind *kind = inventory_queries(a->ownership); *kind != COMMAND_SYNC;
         kind++)
        if (!query_add(tx, a->enrolment.id, *kind, a->actor->now, err))
            return false;
    const struct attest_wish wish = {a->fleet, a->enrolment.id, a->device_id, a->actor->now};
    return attestation_ask(tx, &wish, err) &&
           job_add(tx, "wake", a->enrolment.id, a->actor->now, err);
}

static bool ask_event(struct db *tx, const struct asking *a, struct err *err)
{
    return event_add(
        tx, "command.queued", a->device_id,
        json_pairs(a->owner, "kind", command_kind_names[a->kind], "by", a->actor->name, NULL),
        a->actor->now, err);
}

static bool ask_run(struct db *tx, void *context, struct err *err)
{
    struct asking *a = context;
    if (!enrolment_now(tx, a, err))
        return false;
    if (a->kind == COMMAND_SYNC)
        return sync_queue(tx, a, err);
    struct queued queued = {.id = a->id,
                            .enrolment_id = a->enrolment.id,
                            .kind = a->kind,
                            .parameters = a->parameters,
                            .created_by = a->actor->name,
                            .now = a->actor->now};
    const struct want want = {"command", command_fields};
    a->command = (struct command){0};
    bool leaves = a->kind == COMMAND_WIPE || a->kind == COMMAND_RETIRE;
    return waiting_check(tx, a, err) && duplicate_check(tx, a, err) &&
           (!leaves || departure_begin(tx, a, err)) && command_queue(tx, &queued, err) &&
           ask_event(tx, a, err) &&
           store_get(tx, a->owner, ASK(COMMAND_BY_ID, TEXT(a->id)), want, &a->command, err);
}

/* Sealed under the command's own id; the queue opens them for the device that fetches it. */
static bool parameters_seal(struct fleet *fleet, struct asking *a, const char *plain,
                            struct err *err)
{
    struct bytes sealed;
    if (!plain)
        return true;
    if (!keyd_seal(fleet->keyd, a->owner, KEYD_CLASS_COMMAND, a->id, bytes_text(plain), &sealed,
                   err))
        return false;
    a->parameters = base64_encode(a->owner, sealed);
    return true;
}

bool fleet_command_create(struct fleet *fleet, const struct actor *actor, void *owner,
                          const char *device_id, enum command_kind kind, const char *parameters,
                          struct command *out, struct err *err)
{
    struct asking asking = {.owner = owner,
                            .fleet = fleet,
                            .device_id = device_id,
                            .kind = kind,
                            .id = id_make_upper(owner),

                            .actor = actor};
    if (!fleet_command_permission(kind))
        return err_set(err, ERR_BAD_INPUT, "%s is not asked for by people",
                       command_kind_names[kind]);
    if ((kind == COMMAND_ATTEST && !attestation_wanted(fleet, err)) ||
        !parameters_seal(fleet, &asking, parameters, err))
        return false;
    struct change change = {.actor = actor,
                            .permission = fleet_command_permission(kind),
                            .subject_kind = "device",
                            .subject_id = device_id,
                            .work = ask_run,
                            .context = &asking,
                            .wakes = true,
                            .action = mem_format(owner, "device.%s", command_kind_names[kind]),
                            .detail = json_pairs(owner, "command", asking.id, NULL)};
    if (!fleet_change(fleet, &change, err))
        return false;
    shared_forget(fleet->shared, asking.enrolment.id);
    if (kind == COMMAND_SYNC)
        asking.command = (struct command){.id = mem_text(owner, ""),
                                          .kind = COMMAND_SYNC,
                                          .enrolment_id = asking.enrolment.id,
                                          .device_id = mem_text(owner, device_id),
                                          .created_by = mem_text(owner, actor->name),
                                          .created_at = actor->now};
    *out = asking.command;
    return true;
}

struct cancelling {
    const char *id, *enrolment_id;
    int64_t now;
};

static bool cancel_run(struct db *tx, void *context, struct err *err)
{
    const struct cancelling *cancelling = context;
    return store_change_one(tx, ASK(COMMAND_CANCEL, TEXT(cancelling->id), INTEGER(cancelling->now)),
                            "the device has fetched the command, or it has ended", err) &&
           commands_outdate(tx, cancelling->enrolment_id, NULL, NULL, err);
}

bool fleet_command_cancel(struct fleet *fleet, const struct actor *actor, const char *id,
                          struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct command command;
    if (!fleet_command_get(fleet, actor, owner, id, &command, err))
        return false;
    if (command.kind == COMMAND_WIPE)
        return fleet_wipe_take_back(fleet, actor, &command, err);
    if (command.kind == COMMAND_RETIRE)
        return err_set(err, ERR_PRECONDITION, "the certificates of the device are revoked already");
    if (!fleet_command_permission((enum command_kind)command.kind)) {
        (void)err_set(err, ERR_PRECONDITION, "a policy asks for this, not a person");
        err->remedy = "change the policy or its assignment";
        return false;
    }
    struct cancelling cancelling = {id, command.enrolment_id, actor->now};
    struct change change = {.actor = actor,
                            .action = "command.cancel",
                            .permission = "command.cancel",
                            .subject_kind = "command",
                            .subject_id = id,
                            .work = cancel_run,
                            .context = &cancelling,
                            .forget = command.enrolment_id};
    return fleet_change(fleet, &change, err);
}

bool fleet_command_list(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *device_id, const struct page *page, struct list *out,
                        struct err *err)
{
    struct listing listing = {
        .fields = command_fields, .item_size = sizeof(struct command), .permission = "device.read"};
    return list_read(
        fleet, actor, owner,
        ASK(COMMAND_LIST, TEXT(page->cursor), TEXT(device_id), INTEGER(page->limit + 1)), page,
        &listing, out, err);
}

bool fleet_command_get(struct fleet *fleet, const struct actor *actor, void *owner, const char *id,
                       struct command *out, struct err *err)
{
    const struct want want = {"command", command_fields};
    struct command command = {0};
    if (!fleet_need(actor, "device.read", err) ||
        !store_get(fleet->db, owner, ASK(COMMAND_BY_ID, TEXT(id)), want, &command, err))
        return false;
    *out = command;
    return true;
}
