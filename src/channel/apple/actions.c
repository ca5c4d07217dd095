/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/actions.h"

#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/attest.h"
#include "channel/apple/carriers.h"
#include "channel/apple/facts.h"
#include "channel/apple/items.h"
#include "channel/apple/lists.h"
#include "channel/apple/message.h"
#include "channel/apple/profile.h"
#include "channel/apple/renew.h"
#include "codec/json.h"
#include "fleet/escrow.h"
#include "pki/keyd.h"
#include "policy/version.h"

#define ANSWER_SIZE_MAX (2 * APPLE_PROFILE_SIZE_MAX) /* bytes: a signed profile in base64 */
#define PARAMETERS_SIZE_MAX (16 * 1024)
#define PIN_SIZE 6

struct parameters {
    char *message, *phone, *footnote, *pin, *name;
};
static const struct field parameter_rows[] = {
    TEXT_FIELD(struct parameters, message, 0, .highest = COMMAND_MESSAGE_LONGEST),
    TEXT_FIELD(struct parameters, phone, 0, .highest = COMMAND_PHONE_LONGEST),
    TEXT_FIELD(struct parameters, footnote, 0, .highest = COMMAND_MESSAGE_LONGEST),
    TEXT_FIELD(struct parameters, pin, FIELD_SECRET, .highest = PIN_SIZE),
    TEXT_FIELD(struct parameters, name, 0, .highest = COMMAND_NAME_LONGEST),
};

static bool parameters_read(void *owner, const char *text, struct parameters *out, struct err *err)
{
    const struct json_limits limits = {PARAMETERS_SIZE_MAX, 4, 100};
    CLEANUP(json_decref_at) json_t *object = NULL;
    if (!text || (json_parse(bytes_text(text), &limits, &object, err) &&
                  json_bind(owner, object, FIELDS(parameter_rows), out, NULL, err)))
        return true;
    err->kind = ERR_PRECONDITION; /* asking again would not help */
    return err_context(err, "parameters");
}

static bool is_pin(const char *pin)
{
    return pin && strlen(pin) == PIN_SIZE && strspn(pin, "0123456789") == PIN_SIZE;
}

/* Fill `request`, the dictionary of the command. */
typedef bool action_render(void *owner, const struct action *action,
                           const struct parameters *parameters, struct plist *request,
                           struct err *err);

static bool install_item(void *owner, const struct action *action,
                         const struct parameters *parameters, struct plist *request,
                         struct err *err)
{
    (void)parameters;
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
            !keyd_sign_profile(action->fleet->keyd, owner, action->identity->authority, plain,
                               &profile, err))
            return false;
        plist_set_data(request, "Payload", profile);
        return true;
    }
    return err_set(err, ERR_PRECONDITION, "The policies of the device do not hold it any more.");
}

static bool remove_item(void *owner, const struct action *action,
                        const struct parameters *parameters, struct plist *request, struct err *err)
{
    (void)parameters;
    if (!action->command->item)
        return err_set(err, ERR_PRECONDITION, "The command names no item.");
    plist_set_text(request, "Identifier", apple_item_identifier(owner, action->command->item));
    return true;
}

/* With the tokens in it, a device that has it all already asks for nothing. */
static bool declare(void *owner, const struct action *action, const struct parameters *parameters,
                    struct plist *request, struct err *err)
{
    struct effective effective;
    struct apple_plan plan;
    (void)parameters;
    if (!fleet_effective(action->fleet, action->actor, owner, action->identity->device_id,
                         &effective, err) ||
        !apple_plan_make(owner, &effective, &plan, err))
        return false;
    int64_t at = effective.declarative.told_at;
    plist_set_data(request, "Data", bytes_text(apple_tokens_text(owner, &plan.declarations, at)));
    return true;
}

static bool query_device(void *owner, const struct action *action,
                         const struct parameters *parameters, struct plist *request,
                         struct err *err)
{
    (void)owner, (void)parameters, (void)err;
    apple_queries_add(plist_set_array(request, "Queries"),
                      (enum platform)action->identity->platform,
                      action->identity->mode == MODE_ACCOUNT              ? REACH_ACCOUNT
                      : action->identity->ownership == OWNERSHIP_PERSONAL ? REACH_PERSONAL
                                                                          : REACH_ALL);
    return true;
}

static bool attest(void *owner, const struct action *action, const struct parameters *parameters,
                   struct plist *request, struct err *err)
{
    struct bytes nonce;
    (void)parameters;
    if (!fleet_attestation_nonce(action->fleet, action->actor, owner, action->identity,
                                 action->command->id, &nonce, err))
        return false;
    apple_attest_ask(request, nonce);
    return true;
}

static bool query_apps(void *owner, const struct action *action,
                       const struct parameters *parameters, struct plist *request, struct err *err)
{
    (void)owner, (void)action, (void)parameters, (void)err;
    apple_app_keys_add(plist_set_array(request, "Items"));
    return true;
}

/* Of a personal device what came by other ways is not asked for (ManagedOnly: iOS 13, macOS 10.15;
 * an older one tells all, and what is not ours is not kept). */
static bool query_items(void *owner, const struct action *action,
                        const struct parameters *parameters, struct plist *request, struct err *err)
{
    (void)owner, (void)parameters, (void)err;
    if (action->identity->ownership == OWNERSHIP_PERSONAL)
        plist_set_boolean(request, "ManagedOnly", true);
    return true;
}

static bool renew_identity(void *owner, const struct action *action,
                           const struct parameters *parameters, struct plist *request,
                           struct err *err)
{
    (void)parameters;
    struct bytes profile;
    if (!apple_renewal_make(owner, action, &profile, err))
        return false;
    plist_set_data(request, "Payload", profile);
    return true;
}

/* Nothing to say but the type. */
static bool bare(void *owner, const struct action *action, const struct parameters *parameters,
                 struct plist *request, struct err *err)
{
    (void)owner, (void)action, (void)parameters, (void)request, (void)err;
    return true;
}

static bool lock(void *owner, const struct action *action, const struct parameters *parameters,
                 struct plist *request, struct err *err)
{
    (void)owner, (void)err;
    if (parameters->message)
        plist_set_text(request, "Message", parameters->message);
    if (parameters->phone)
        plist_set_text(request, "PhoneNumber", parameters->phone);
    if (action->identity->platform == PLATFORM_MACOS)
        plist_set_text(request, "PIN", parameters->pin);
    return true;
}

static bool wipe(void *owner, const struct action *action, const struct parameters *parameters,
                 struct plist *request, struct err *err)
{
    (void)owner, (void)err;
    if (action->identity->platform != PLATFORM_MACOS)
        return true;
    plist_set_text(request, "PIN", parameters->pin);
    /* By default a Mac that cannot erase its contents alone answers Error, and then erases all the
     * same: so it says that it will. Older ones have this one way. */
    int order = -1;
    if (version_compare(action->identity->os_version, "12.0.1", &order) && order >= 0)
        plist_set_text(request, "ObliterationBehavior", "ObliterateWithWarning");
    return true;
}

/* The device removes what came through management, and then us. */
static bool retire(void *owner, const struct action *action, const struct parameters *parameters,
                   struct plist *request, struct err *err)
{
    (void)owner, (void)action, (void)parameters, (void)err;
    plist_set_text(request, "Identifier", APPLE_ENROLMENT_IDENTIFIER);
    return true;
}

static bool clear_passcode(void *owner, const struct action *action,
                           const struct parameters *parameters, struct plist *request,
                           struct err *err)
{
    (void)parameters;
    struct bytes token;
    if (!fleet_unlock_token(action->fleet, owner, action->identity->enrolment_id, &token, err))
        return false;
    plist_set_data(request, "UnlockToken", token);
    return true;
}

/* Each setting of the list is answered by itself: handle.c looks. */
static bool rename_device(void *owner, const struct action *action,
                          const struct parameters *parameters, struct plist *request,
                          struct err *err)
{
    (void)owner, (void)action, (void)err;
    struct plist *setting = plist_set_dict(plist_set_array(request, "Settings"), NULL);
    plist_set_text(setting, "Item", "DeviceName");
    plist_set_text(setting, "DeviceName", parameters->name);
    return true;
}

static bool enable_lost_mode(void *owner, const struct action *action,
                             const struct parameters *parameters, struct plist *request,
                             struct err *err)
{
    (void)owner, (void)action, (void)err;
    if (parameters->message)
        plist_set_text(request, "Message", parameters->message);
    if (parameters->phone)
        plist_set_text(request, "PhoneNumber", parameters->phone);
    if (parameters->footnote)
        plist_set_text(request, "Footnote", parameters->footnote);
    return true;
}

/* ---- what a command must be given; NULL: nothing is missing ---- */

static const char NO_PIN[] = "A Mac needs a PIN of six digits for this.";

static const char *mac_needs_pin(const struct parameters *parameters, int platform)
{
    return platform == PLATFORM_MACOS && !is_pin(parameters->pin) ? NO_PIN : NULL;
}

static const char *needs_words(const struct parameters *parameters, int platform)
{
    (void)platform;
    return parameters->message || parameters->phone
               ? NULL
               : "Lost mode needs a message or a phone number to show.";
}

static const char *needs_name(const struct parameters *parameters, int platform)
{
    (void)platform;
    return parameters->name && *parameters->name ? NULL : "The new name is missing.";
}

enum {
    IOS = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS,
    EVERY = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS | 1 << PLATFORM_MACOS,
    MACOS = 1 << PLATFORM_MACOS,
};
/* Apple: MDM payload, AccessRights */
enum right {
    RIGHT_PROFILES = 1,
    RIGHT_LOCK = 4,
    RIGHT_ERASE = 8,
    RIGHT_APPS = 256,
    RIGHT_SETTINGS = 2048,
    RIGHT_MANAGED = 4096,
};
static const struct action_row {
    const char *request_type;
    action_render *render;
    unsigned platforms, unsupervised; /* that know it; that know it without supervision */
    int64_t right;                    /* that the device must have given; 0: none */
    bool is_company_only;             /* never of a personal device */
    const char *(*lacks)(const struct parameters *parameters, int platform);
    bool is_prompt; /* a locked device answers, too, and never NotNow (Apple, NotNow) */
} action_rows[] = {
    [COMMAND_INSTALL_ITEM] = {"InstallProfile", install_item, EVERY, EVERY, 0, false, NULL, false},
    [COMMAND_REMOVE_ITEM] = {"RemoveProfile", remove_item, EVERY, EVERY, 0, false, NULL, false},
    [COMMAND_QUERY_DEVICE] = {"DeviceInformation", query_device, EVERY, EVERY, 0, false, NULL,
                              true},
    [COMMAND_QUERY_SECURITY] = {"SecurityInfo", bare, EVERY, EVERY, 0, false, NULL, false},
    [COMMAND_QUERY_ITEMS] = {"ProfileList", query_items, EVERY, EVERY, 0, false, NULL, true},
    [COMMAND_LOCK] = {"DeviceLock", lock, EVERY, EVERY, RIGHT_LOCK, false, mac_needs_pin, true},
    [COMMAND_WIPE] = {"EraseDevice", wipe, EVERY, EVERY, RIGHT_ERASE, false, mac_needs_pin, true},
    [COMMAND_RETIRE] = {"RemoveProfile", retire, EVERY, EVERY, 0, false, NULL, false},
    [COMMAND_RESTART] = {"RestartDevice", bare, EVERY, MACOS, RIGHT_LOCK, false, NULL, false},
    [COMMAND_SHUT_DOWN] = {"ShutDownDevice", bare, EVERY, MACOS, RIGHT_LOCK, false, NULL, false},
    [COMMAND_CLEAR_PASSCODE] = {"ClearPasscode", clear_passcode, IOS, IOS, RIGHT_LOCK, false, NULL,
                                true},
    [COMMAND_RENAME] = {"Settings", rename_device, EVERY, MACOS, RIGHT_SETTINGS, true, needs_name,
                        false},
    [COMMAND_ENABLE_LOST_MODE] = {"EnableLostMode", enable_lost_mode, IOS, 0, 0, true, needs_words,
                                  true},
    [COMMAND_DISABLE_LOST_MODE] = {"DisableLostMode", bare, IOS, 0, 0, true, NULL, true},
    [COMMAND_PLAY_SOUND] = {"PlayLostModeSound", bare, IOS, 0, 0, true, NULL, true},
    [COMMAND_LOCATE] = {"DeviceLocation", bare, IOS, 0, 0, true, NULL, true},
    [COMMAND_ATTEST] = {"DeviceInformation", attest, EVERY, EVERY, 0, false, NULL, true},
    [COMMAND_QUERY_APPS] = {"InstalledApplicationList", query_apps, EVERY, EVERY, RIGHT_APPS, true,
                            NULL, true},
    [COMMAND_QUERY_MANAGED_APPS] = {"ManagedApplicationList", bare, EVERY, EVERY, RIGHT_MANAGED,
                                    false, NULL, false},
    [COMMAND_QUERY_CERTIFICATES] = {"CertificateList", bare, EVERY, EVERY, RIGHT_PROFILES, true,
                                    NULL, false},
    [COMMAND_QUERY_BYPASS_CODE] = {"ActivationLockBypassCode", bare, EVERY, 0, 0, true, NULL,
                                   false},
    [COMMAND_RENEW_IDENTITY] = {"InstallProfile", renew_identity, EVERY, EVERY, 0, false, NULL,
                                false},
    [COMMAND_DECLARE] = {"DeclarativeManagement", declare, EVERY, EVERY, 0, false, NULL, false},
    /* supervised they are, but say so in an answer that may not have come yet */
    [COMMAND_FINISH_SETUP] = {"DeviceConfigured", bare, EVERY, EVERY, 0, true, NULL, false},
    /* made of the queries before it comes here */
    [COMMAND_SYNC] = {NULL, NULL, EVERY, EVERY, 0, false, NULL, false},
};

static const struct action_row *row_of(int kind, int platform)
{
    bool is_known = kind >= 0 && (size_t)kind < COUNT(action_rows) &&
                    (action_rows[kind].platforms & 1U << platform);
    return is_known ? &action_rows[kind] : NULL;
}

static const char *lack_of(const struct action_row *row, int platform,
                           const struct parameters *parameters)
{
    return row->lacks ? row->lacks(parameters, platform) : NULL;
}

unsigned apple_prompt_kinds(void)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < COUNT(action_rows); i++)
        kinds |= action_rows[i].is_prompt ? 1U << i : 0;
    return kinds;
}

/* userenrollment.mode of the schema: what an account on somebody's own device does not carry. */
static bool is_of_whole_device(enum command_kind kind, int platform)
{
    return kind == COMMAND_WIPE || kind == COMMAND_RESTART || kind == COMMAND_SHUT_DOWN ||
           kind == COMMAND_CLEAR_PASSCODE || (kind == COMMAND_LOCK && platform == PLATFORM_MACOS);
}

static const char NO_SUCH_COMMAND[] = "This platform does not know the command.";

const char *apple_refuses(enum command_kind kind, const struct device *device,
                          const char *parameters)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct parameters read = {0};
    struct err ignored; /* what does not fit is for the one who asks to see */
    const struct action_row *row = row_of((int)kind, device->platform);
    if (!row)
        return NO_SUCH_COMMAND;
    if (device->enrolment_mode == MODE_ACCOUNT && is_of_whole_device(kind, device->platform))
        return "Only an account on the device is managed, not the device itself.";
    if (kind == COMMAND_ATTEST && fleet_attestation_refuses(device->platform, device->os_version))
        return fleet_attestation_refuses(device->platform, device->os_version);
    if (row->is_company_only && device->ownership == OWNERSHIP_PERSONAL)
        return "This is not done with a personal device.";
    if (!device->is_supervised && !(row->unsupervised & 1U << device->platform))
        return "The device must be supervised for this.";
    if ((apple_access_rights(device->ownership) & row->right) != row->right)
        return "The device did not give the right for this when it enrolled.";
    if (!parameters_read(owner, parameters, &read, &ignored))
        return "The parameters do not fit the command.";
    return lack_of(row, device->platform, &read);
}

bool apple_action_render(void *owner, const struct action *action, struct bytes *out,
                         struct err *err)
{
    const struct command *command = action->command;
    int platform = action->identity->platform;
    const struct action_row *row = row_of(command->kind, platform);
    struct parameters parameters = {0};
    if (!row || !row->render)
        return err_set(err, ERR_PRECONDITION, "%s", NO_SUCH_COMMAND);
    if (!parameters_read(owner, command->parameters, &parameters, err))
        return false;
    const char *lack = lack_of(row, platform, &parameters);
    if (lack) {
        (void)err_set(err, ERR_PRECONDITION, "%s", lack);
        err->remedy = "Give the command again with what is missing.";
        return false;
    }
    struct plist *request = NULL;
    CLEANUP(mem_free_at)
    struct plist *root = apple_command_new(NULL, command->id, row->request_type, &request);
    return row->render(owner, action, &parameters, request, err) &&
           plist_render(owner, root, ANSWER_SIZE_MAX, out, err);
}
