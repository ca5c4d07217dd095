/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing devices, and looking first at what would go. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"

static const struct column open_columns[COMMAND_COLUMNS_MAX] = {
    {"ID", "id", 0}, {"KIND", "kind", 0}, {"STATE", "state", 0}};

static void list_add(struct cli *cli, const char *title, const json_t *list)
{
    json_t *item;
    size_t index;
    buffer_format(&cli->out, "\n%s\n", title);
    json_array_foreach(list, index, item)
        buffer_format(&cli->out, "  %s\n", show_text(cli->owner, item));
}

static void preview_show(struct cli *cli, json_t *preview)
{
    static const char *const members[] = {
        "name",      "id",        "serial",          "platform",
        "ownership", "user_name", "enrolment_state", "last_contact_at",
        "refused"};
    const json_t *commands = json_object_get(preview, "open_commands");
    for (size_t i = 0; i < COUNT(members); i++)
        buffer_format(&cli->out, "%-15s  %s\n", members[i],
                      show_text(cli->owner, json_object_get(preview, members[i])));
    list_add(cli, "Goes:", json_object_get(preview, "erases"));
    list_add(cli, "Cannot be undone:", json_object_get(preview, "irreversible"));
    buffer_format(&cli->out, "\nOther open commands: %s\n",
                  json_array_size(commands) > 0 ? "" : "none");
    if (json_array_size(commands) > 0)
        show_table(&cli->out, commands, open_columns, 0);
}

static bool preview_get(struct cli *cli, const char *device, json_t **out, struct err *err)
{
    const struct api_call call = {
        .method = "GET", .path = api_path(cli->owner, "/devices/{}/wipe-preview", &device, 1)};
    return api_send(cli, &call, out, err);
}

int device_wipe_run(struct cli *cli)
{
    int code = EXIT_DONE;
    size_t failed = 0, count = cli->words->hole_count;
    if (!words_has(cli->words, OPTION_DRY_RUN))
        return plain_run(cli);
    CLEANUP(json_decref_at) json_t *items = json_array();
    for (size_t i = 0; i < count; i++) {
        struct err err;
        json_t *preview = NULL;
        if (!preview_get(cli, cli->words->holes[i], &preview, &err)) {
            failed++;
            code = cli_fail(cli, &err);
        } else if (json_array_append_new(items, preview) != 0) {
            bug("no preview");
        }
    }
    for (size_t i = 0; plain_is_table(cli) && i < json_array_size(items); i++)
        preview_show(cli, json_array_get(items, i));
    if (!plain_is_table(cli) && count == 1 && failed == 0)
        plain_show(cli, json_incref(json_array_get(items, 0)));
    else if (!plain_is_table(cli) && failed < count)
        plain_show(cli, json_pack("{s:O}", "items", items));
    cli_say("Nothing was done.");
    return plain_result(count, failed, code);
}
