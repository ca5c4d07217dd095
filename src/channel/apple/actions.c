/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/actions.h"

#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/facts.h"
#include "channel/apple/items.h"
#include "channel/apple/message.h"
#include "channel/apple/profile.h"
#include "codec/json.h"
#include "pki/keyd.h"

#define ANSWER_SIZE_MAX (2 * APPLE_PROFILE_SIZE_MAX) /* bytes: a signed profile in base64 */
#define PARAMETERS_SIZE_MAX (16 * 1024)
#define MESSAGE_LONGEST 1000
#define PHONE_LONGEST 64
#define PIN_SIZE 6

/* Fill `request`, the dictionary of the command. */
typedef bool action_render(void *owner, const struct action *action, struct plist *request,
                           struct err *err);

static bool parameters_read(void *owner, const struct command *command, struct fields fields,
                            void *target, struct err *err)
{
    const struct json_limits limits = {PARAMETERS_SIZE_MAX, 4, 100};
    if (!command->parameters)
        return true;
    CLEANUP(json_decref_at) json_t *object = NULL;
    if (json_parse(bytes_text(command->parameters), &limits, &object, err) &&
        json_bind(owner, object, fields, target, NULL, err))
        return true;
    err->kind = ERR_PRECONDITION; /* asking again would not help */
    return err_context(err, "parameters");
}

static bool check_pin(const char *pin, const struct action *action, struct err *err)
{
    if (action->identity->platform != PLATFORM_MACOS)
        return true;
    if (pin && strlen(pin) == PIN_SIZE && strspn(pin, "0123456789") == PIN_SIZE)
        return true;
    (void)err_set(err, ERR_PRECONDITION, "A Mac needs a PIN of six digits for this.");
    err->remedy = "Give the command again with a PIN.";
    return false;
}

static bool install_item(void *owner, const struct action *action, struct plist *request,
                         struct err *err)
{
    struct apple_item *items = NULL;
    size_t count = 0;
    struct effective effective;
    struct bytes plain, profile;
    if (!fleet_effective(action->fleet, action->actor, owner, action->identity->device_id,
                         &effective, err) ||
        !apple_items_make(owner, &effective, &items, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(items[i].name, action->command->item))
            continue;
        if (!plist_render(owner, items[i].profile, APPLE_PROFILE_SIZE_MAX, &plain, err) ||
            !keyd_sign_profile(action->fleet->keyd, owner, plain, &profile, err))
            return false;
        plist_set_data(request, "Payload", profile);
        return true;
    }
    return err_set(err, ERR_PRECONDITION, "The policies of the device do not hold it any more.");
}

static bool remove_item(void *owner, const struct action *action, struct plist *request,
                        struct err *err)
{
    if (!action->command->item)
        return err_set(err, ERR_PRECONDITION, "The command names no item.");
    plist_set_text(request, "Identifier", apple_item_identifier(owner, action->command->item));
    return true;
}

static bool query_device(void *owner, const struct action *action, struct plist *request,
                         struct err *err)
{
    (void)owner, (void)err;
    apple_queries_add(plist_set_array(request, "Queries"),
                      (enum platform)action->identity->platform);
    return true;
}

/* Nothing to say but the type. */
static bool bare(void *owner, const struct action *action, struct plist *request, struct err *err)
{
    (void)owner, (void)action, (void)request, (void)err;
    return true;
}

struct lock_parameters {
    char *message, *phone, *pin;
};
static const struct field lock_rows[] = {
    TEXT_FIELD(struct lock_parameters, message, 0, .highest = MESSAGE_LONGEST),
    TEXT_FIELD(struct lock_parameters, phone, 0, .highest = PHONE_LONGEST),
    TEXT_FIELD(struct lock_parameters, pin, FIELD_SECRET, .highest = PIN_SIZE),
};
static bool lock(void *owner, const struct action *action, struct plist *request, struct err *err)
{
    struct lock_parameters parameters = {0};
    if (!parameters_read(owner, action->command, FIELDS(lock_rows), &parameters, err) ||
        !check_pin(parameters.pin, action, err))
        return false;
    if (parameters.message)
        plist_set_text(request, "Message", parameters.message);
    if (parameters.phone)
        plist_set_text(request, "PhoneNumber", parameters.phone);
    if (action->identity->platform == PLATFORM_MACOS)
        plist_set_text(request, "PIN", parameters.pin);
    return true;
}

struct wipe_parameters {
    char *pin;
    bool preserve_data_plan;
};
static const struct field wipe_rows[] = {
    TEXT_FIELD(struct wipe_parameters, pin, FIELD_SECRET, .highest = PIN_SIZE),
    BOOLEAN_FIELD(struct wipe_parameters, preserve_data_plan, 0),
};
static bool wipe(void *owner, const struct action *action, struct plist *request, struct err *err)
{
    struct wipe_parameters parameters = {0};
    if (!parameters_read(owner, action->command, FIELDS(wipe_rows), &parameters, err) ||
        !check_pin(parameters.pin, action, err))
        return false;
    if (action->identity->platform == PLATFORM_MACOS)
        plist_set_text(request, "PIN", parameters.pin);
    else if (parameters.preserve_data_plan)
        plist_set_boolean(request, "PreserveDataPlan", true);
    return true;
}

/* The device removes what came through management, and then us. */
static bool retire(void *owner, const struct action *action, struct plist *request, struct err *err)
{
    (void)owner, (void)action, (void)err;
    plist_set_text(request, "Identifier", APPLE_ENROLMENT_IDENTIFIER);
    return true;
}

enum {
    EVERY = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS | 1 << PLATFORM_MACOS,
    MACOS = 1 << PLATFORM_MACOS,
};
static const struct action_row {
    const char *request_type;
    action_render *render;
    unsigned platforms, unsupervised; /* that know it; that know it without supervision */
} action_rows[] = {
    [COMMAND_INSTALL_ITEM] = {"InstallProfile", install_item, EVERY, EVERY},
    [COMMAND_REMOVE_ITEM] = {"RemoveProfile", remove_item, EVERY, EVERY},
    [COMMAND_QUERY_DEVICE] = {"DeviceInformation", query_device, EVERY, EVERY},
    [COMMAND_QUERY_SECURITY] = {"SecurityInfo", bare, EVERY, EVERY},
    [COMMAND_QUERY_ITEMS] = {"ProfileList", bare, EVERY, EVERY},
    [COMMAND_LOCK] = {"DeviceLock", lock, EVERY, EVERY},
    [COMMAND_WIPE] = {"EraseDevice", wipe, EVERY, EVERY},
    [COMMAND_RETIRE] = {"RemoveProfile", retire, EVERY, EVERY},
    [COMMAND_RESTART] = {"RestartDevice", bare, EVERY, MACOS},
    [COMMAND_SYNC] = {NULL, NULL, EVERY, EVERY}, /* made of the queries before it comes here */
};

const char *apple_refuses(enum command_kind kind, int platform, bool is_supervised)
{
    if ((size_t)kind >= COUNT(action_rows) || !(action_rows[kind].platforms & 1U << platform))
        return "This platform does not know the command.";
    if (!is_supervised && !(action_rows[kind].unsupervised & 1U << platform))
        return "The device must be supervised for this.";
    return NULL;
}

bool apple_action_render(void *owner, const struct action *action, struct bytes *out,
                         struct err *err)
{
    const struct command *command = action->command;
    const struct action_row *row = command->kind >= 0 && (size_t)command->kind < COUNT(action_rows)
                                       ? &action_rows[command->kind]
                                       : NULL;
    if (!row || !row->render || !(row->platforms & 1U << action->identity->platform))
        return err_set(err, ERR_PRECONDITION, "This platform does not know the command.");
    struct plist *request = NULL;
    CLEANUP(mem_free_at)
    struct plist *root = apple_command_new(NULL, command->id, row->request_type, &request);
    return row->render(owner, action, request, err) &&
           plist_render(owner, root, ANSWER_SIZE_MAX, out, err);
}
