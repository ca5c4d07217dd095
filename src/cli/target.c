/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include "base/text.h"
#include "cli/prompt.h"
#include "cli/show.h"

bool target_find(struct cli *cli, const char *typed, struct target *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *device = NULL;
    const struct api_call call = {.method = "GET",
                                  .path = api_path(cli->owner, "/devices/{}", &typed, 1)};
    if (!api_send(cli, &call, &device, err))
        return false;
    const char *id = json_string_value(json_object_get(device, "id"));
    const char *name = json_string_value(json_object_get(device, "name"));
    if (!id)
        return err_set(err, ERR_UNAVAILABLE, "the server named no device");
    *out = (struct target){.id = mem_text(cli->owner, id),
                           .name = show_safe(cli->owner, name && *name ? name : id),
                           .serial = show_text(cli->owner, json_object_get(device, "serial")),
                           .platform = show_text(cli->owner, json_object_get(device, "platform")),
                           .ownership = show_text(cli->owner, json_object_get(device, "ownership")),
                           .last_contact =
                               show_text(cli->owner, json_object_get(device, "last_contact_at"))};
    return true;
}

bool target_id(struct cli *cli, const char *typed, const char **out, struct err *err)
{
    struct target target;
    if (!target_find(cli, typed, &target, err))
        return false;
    *out = target.id;
    return true;
}

static bool is_asked(const struct cli *cli)
{
    return cli->words->command->flags & COMMAND_ASKS && !words_has(cli->words, OPTION_YES);
}

bool target_can_ask(const struct cli *cli, struct err *err)
{
    if (!is_asked(cli) || cli->is_interactive)
        return true;
    (void)err_set(err, ERR_BAD_INPUT, "muster %s asks first, and nobody can answer",
                  cli->words->command->words);
    err->remedy = "add --yes when you are sure";
    return false;
}

static void target_show(const struct target *target)
{
    if (!target->serial)
        return;
    cli_say("device         %s", target->name);
    cli_say("serial number  %s", target->serial);
    cli_say("platform       %s", target->platform);
    cli_say("ownership      %s", target->ownership);
    cli_say("last contact   %s", target->last_contact);
}

bool target_confirm(const struct cli *cli, const struct target *target, struct err *err)
{
    char *typed = NULL;
    const struct command_row *command = cli->words->command;
    if (!is_asked(cli))
        return true;
    cli_say("server         %s", cli->context.server ? cli->context.server : "-");
    target_show(target);
    /* a constant of commands.c with one %s: the compiler cannot see it */
    const char *hole = strstr(command->consequence, "%s");
    cli_say("%.*s%s%s", (int)(hole - command->consequence), command->consequence, target->name,
            hole + 2);
    bool by_name = command->flags & COMMAND_ASKS_NAME;
    const char *question = by_name ? "Type its name to go on: " : "Go on? [y/N] ";
    if (prompt_line(cli->owner, question, false, &typed, err) &&
        (by_name ? text_equal(typed, target->name)
                 : text_equal_nocase(typed, "y") || text_equal_nocase(typed, "yes")))
        return true;
    return err_set(err, ERR_PRECONDITION, "nothing was done");
}
