/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: what people ask of devices. */
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "base/text.h"
#include "channel/channel.h"
#include "fleet/act.h"

struct command_wish {
    int kind;
    char *reason, *message, *phone, *footnote, *pin, *name;
};
static const struct field command_wish_rows[] = {
    ENUM_FIELD(
        struct command_wish, kind, FIELD_REQUIRED, command_asked_names,
        .help = "What to do; each needs a permission of its own beside device.act: device.<kind>, "
                "for lost mode and its sound device.lost_mode"),
    TEXT_FIELD(struct command_wish, reason, 0, .highest = 500, .help = "Why: for the audit log"),
    TEXT_FIELD(struct command_wish, message, 0, .highest = COMMAND_MESSAGE_LONGEST,
               .help = "Shown on a locked or lost device"),
    TEXT_FIELD(struct command_wish, phone, 0, .highest = COMMAND_PHONE_LONGEST,
               .help = "Shown on a locked or lost device"),
    TEXT_FIELD(struct command_wish, footnote, 0, .highest = COMMAND_MESSAGE_LONGEST,
               .help = "Shown on a lost device"),
    TEXT_FIELD(struct command_wish, name, 0, .highest = COMMAND_NAME_LONGEST,
               .help = "What the device is to be called"),
    TEXT_FIELD(struct command_wish, pin, FIELD_SECRET, .lowest = 6, .highest = 6,
               .help = "Six digits that unlock a Mac again"),
};
static const struct fields command_wish_fields = FIELDS(command_wish_rows);

static enum command_kind kind_of(const struct command_wish *wish)
{
    return (enum command_kind)(COMMAND_ASKED_FIRST + wish->kind);
}

static bool pin_check(const char *pin, struct err *err)
{
    int64_t number;
    if (!pin || number_parse(bytes_text(pin), 0, 999999, &number, err))
        return true;
    return err_at(err, ERR_BAD_INPUT, "/pin", "six digits are expected");
}

static char *parameters_of(const struct request *request, const struct command_wish *wish)
{
    const struct {
        const char *name, *value;
    } parts[] = {{"message", wish->message},
                 {"phone", wish->phone},
                 {"footnote", wish->footnote},
                 {"pin", wish->pin},
                 {"name", wish->name}};
    CLEANUP(json_decref_at) json_t *json = json_object();
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].value)
            json_set(json, parts[i].name, json_string(parts[i].value));
    return json_object_size(json) > 0 ? json_canonical(request->owner, json) : NULL;
}

/* What the device cannot carry is said before anything is queued. */
static bool carry_check(const struct device *device, enum command_kind kind, const char *parameters,
                        struct err *err)
{
    const struct channel *channel = channel_of_platform(device->platform);
    const char *why = channel ? channel->refuses(kind, device, parameters) : NULL;
    return !why || err_set(err, ERR_PRECONDITION, "%s", why);
}

static bool command_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct command_wish wish = {0};
    struct device device;
    struct command command;
    /* the permission first: what a device is called is not for everybody */
    if (!api_body(request, &wish, NULL, err) || !pin_check(wish.pin, err) ||
        !fleet_need(&actor, fleet_command_permission(kind_of(&wish)), err) ||
        !api_device(request, &device, err))
        return false;
    actor.reason = wish.reason;
    const char *parameters = parameters_of(request, &wish);
    if (!carry_check(&device, kind_of(&wish), parameters, err) ||
        !fleet_command_create(api_fleet(request), &actor, request->owner, device.id, kind_of(&wish),
                              parameters, &command, err))
        return false;
    api_reply(request, reply, 201, command_fields, &command);
    return true;
}

static bool list_of(struct request *request, const char *device_id, struct reply *reply,
                    struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_command_list(api_fleet(request), &actor, request->owner, device_id, &page, &list,
                            err))
        return false;
    api_reply_list(request, reply, command_fields, sizeof(struct command), &list);
    return true;
}

static bool command_list(struct request *request, struct reply *reply, struct err *err)
{
    return list_of(request, NULL, reply, err);
}

static bool device_command_list(struct request *request, struct reply *reply, struct err *err)
{
    struct device device;
    return api_device(request, &device, err) && list_of(request, device.id, reply, err);
}

static bool command_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct command command;
    if (!fleet_command_get(api_fleet(request), &actor, request->owner, request->params[0], &command,
                           err))
        return false;
    api_reply(request, reply, 200, command_fields, &command);
    return true;
}

static bool command_confirm(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct command command;
    if (!api_body_reason(request, &actor, err) ||
        !fleet_command_confirm(api_fleet(request), &actor, request->owner, request->params[0],
                               &command, err))
        return false;
    api_reply(request, reply, 200, command_fields, &command);
    return true;
}

static bool command_cancel(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_command_cancel(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static const struct route rows[] = {
    {HTTP_POST,
     API "/devices/{device}/commands",
     command_create,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "command_create",
     .summary = "Ask something of a device",
     .permission = "device.act",
     .takes = &command_wish_fields,
     .gives = &command_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/devices/{device}/commands",
     device_command_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_command_list",
     .summary = "List the commands of a device",
     .permission = "device.read",
     .gives = &command_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/commands",
     command_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "command_list",
     .summary = "List commands, newest first",
     .permission = "device.read",
     .gives = &command_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/commands/{id}",
     command_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "command_get",
     .summary = "One command",
     .permission = "device.read",
     .gives = &command_fields},
    {HTTP_POST,
     API "/commands/{id}/confirmation",
     command_confirm,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "command_confirm",
     .summary = "Say yes again to a command that waited too long for its device",
     .permission = "device.act",
     .takes = &reason_fields,
     .gives = &command_fields},
    {HTTP_DELETE,
     API "/commands/{id}",
     command_cancel,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "command_cancel",
     .summary = "Cancel a command that the device has not fetched",
     .permission = "command.cancel"},
};
const struct routes command_routes = {rows, COUNT(rows)};
