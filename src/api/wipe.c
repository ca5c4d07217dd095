/* SPDX-License-Identifier: Apache-2.0 */
/* What a wipe would take: looked at, with nothing changed. */
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "channel/channel.h"
#include "fleet/act.h"

struct preview {
    char *id, *name, *serial, *user_name, *refused, *erases, *irreversible, *open_commands;
    int platform, ownership, enrolment_state;
    int64_t last_contact_at;
};
static const struct field preview_rows[] = {
    TEXT_FIELD(struct preview, id, FIELD_READ_ONLY, .help = "Identifier of the device"),
    TEXT_FIELD(struct preview, name, FIELD_READ_ONLY, .help = "Its name"),
    TEXT_FIELD(struct preview, serial, FIELD_READ_ONLY, .help = "Its serial number"),
    ENUM_FIELD(struct preview, platform, FIELD_READ_ONLY, platform_names, .help = "Platform"),
    ENUM_FIELD(struct preview, ownership, FIELD_READ_ONLY, ownership_names, .help = "Whose it is"),
    TEXT_FIELD(struct preview, user_name, FIELD_READ_ONLY, .help = "Who carries it"),
    ENUM_FIELD(struct preview, enrolment_state, FIELD_READ_ONLY, enrolment_state_names,
               .help = "State of the enrolment"),
    TIME_FIELD(struct preview, last_contact_at, FIELD_READ_ONLY, .help = "When it called last"),
    TEXT_FIELD(struct preview, refused, FIELD_READ_ONLY,
               .help = "Why a wipe without a PIN would be refused; null: it would not"),
    RAW_FIELD(struct preview, erases, FIELD_READ_ONLY | FIELD_LIST,
              .help = "What goes: a list of sentences"),
    RAW_FIELD(struct preview, irreversible, FIELD_READ_ONLY | FIELD_LIST,
              .help = "What cannot be undone: a list of sentences"),
    RAW_FIELD(struct preview, open_commands, FIELD_READ_ONLY | FIELD_LIST,
              .help = "Other commands that have not ended: their id, kind and state"),
};
static const struct fields preview_fields = FIELDS(preview_rows);

static const char *const company_erases[] = {
    "Everything on the device: apps, accounts, messages, photos and files, private ones too",
    "Settings, profiles and certificates that management brought",
    "Other commands that it has not fetched", NULL};
static const char *const personal_erases[] = {
    "EVERYTHING ON A PERSON'S OWN DEVICE: their apps, accounts, messages, photos and files",
    "Settings, profiles and certificates that management brought",
    "Other commands that it has not fetched", NULL};
static const char *const irreversible[] = {
    "What is erased is gone, unless there is a copy elsewhere",
    "Until the device fetches the command it can be cancelled; the device leaves management then",
    "To be managed again the device has to enrol again", NULL};

static char *sentences(void *owner, const char *const *list)
{
    CLEANUP(json_decref_at) json_t *json = json_array();
    for (size_t i = 0; list[i]; i++)
        if (json_array_append_new(json, json_string(list[i])) != 0)
            bug("no sentence");
    return json_text(owner, json);
}

static bool open_commands(const struct request *request, const char *device_id, char **out,
                          struct err *err)
{
    struct actor actor = api_actor(request);
    const struct page page = {.limit = LIST_LIMIT_MAX};
    struct list list;
    CLEANUP(json_decref_at) json_t *json = json_array();
    if (!fleet_command_list(api_fleet(request), &actor, request->owner, device_id, &page, &list,
                            err))
        return false;
    const struct command *commands = list.items;
    for (size_t i = 0; i < list.count; i++) {
        const struct command *one = &commands[i];
        if (one->finished_at)
            continue;
        json_t *item =
            json_pack("{s:s, s:s, s:s}", "id", one->id, "kind", command_kind_names[one->kind],
                      "state", command_state_names[one->state]);
        if (!item || json_array_append_new(json, item) != 0)
            bug("no command");
    }
    *out = json_text(request->owner, json);
    return true;
}

static bool wipe_preview(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    char *commands;
    if (!fleet_need(&actor, "device.wipe", err) || !api_device(request, &device, err) ||
        !open_commands(request, device.id, &commands, err))
        return false;
    const struct channel *channel = channel_of_platform(device.platform);
    const char *why = channel ? channel->refuses(COMMAND_WIPE, &device, NULL) : NULL;
    struct preview preview = {.id = device.id,
                              .name = device.name,
                              .serial = device.serial,
                              .user_name = device.user_name,
                              .platform = device.platform,
                              .ownership = device.ownership,
                              .enrolment_state = device.enrolment_state,
                              .last_contact_at = device.last_contact_at,
                              .refused = why ? mem_text(request->owner, why) : NULL,
                              .erases =
                                  sentences(request->owner, device.ownership == OWNERSHIP_PERSONAL
                                                                ? personal_erases
                                                                : company_erases),
                              .irreversible = sentences(request->owner, irreversible),
                              .open_commands = commands};
    api_reply(request, reply, 200, preview_fields, &preview);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices/{device}/wipe-preview",
     wipe_preview,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "wipe_preview",
     .summary = "What a wipe would take, with nothing done",
     .permission = "device.wipe",
     .gives = &preview_fields},
};
const struct routes wipe_routes = {rows, COUNT(rows)};
