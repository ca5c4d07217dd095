/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that policies can hold, for people. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"

#define VALUES_WIDEST 30 /* of choices in a table: `setting get` has all of them */

/* "4\u201316", "a, b, c" or the type. Belongs to owner. */
static char *values_text(void *owner, const json_t *setting)
{
    const json_t *range = json_object_get(setting, "range");
    const json_t *choices = json_object_get(setting, "choices");
    char *list = mem_text(owner, "");
    for (size_t i = 0; i < json_array_size(choices); i++)
        list = mem_format(owner, "%s%s%s", list, i > 0 ? ", " : "",
                          show_text(owner, json_array_get(choices, i)));
    size_t count = json_array_size(choices);
    if (show_width(list) > VALUES_WIDEST)
        return mem_format(owner, "one of %zu words", count);
    if (list[0])
        return list;
    if (json_is_object(range))
        return mem_format(owner, "%s\u2013%s", show_text(owner, json_object_get(range, "lowest")),
                          show_text(owner, json_object_get(range, "highest")));
    return show_text(owner, json_object_get(setting, "type"));
}

static bool settings_get(struct cli *cli, json_t **out, struct err *err)
{
    const struct api_call call = {.method = "GET", .path = "/settings"};
    return api_send(cli, &call, out, err);
}

/* JSON and YAML are the interface's own documents: a table alone gets what is made for people. */
static void values_add(struct cli *cli, json_t *setting)
{
    const char *output = words_option(cli->words, OPTION_OUTPUT);
    if (!output || text_equal(output, "table"))
        json_set(setting, "values", json_string(values_text(cli->owner, setting)));
}

int setting_list_run(struct cli *cli)
{
    struct err err;
    json_t *list = NULL, *setting;
    size_t index;
    if (!settings_get(cli, &list, &err))
        return cli_fail(cli, &err);
    json_array_foreach(json_object_get(list, "items"), index, setting) values_add(cli, setting);
    plain_show(cli, list);
    return EXIT_DONE;
}

int setting_get_run(struct cli *cli)
{
    struct err err;
    CLEANUP(json_decref_at) json_t *list = NULL;
    json_t *setting;
    size_t index;
    if (!settings_get(cli, &list, &err))
        return cli_fail(cli, &err);
    json_array_foreach(json_object_get(list, "items"), index, setting)
    {
        if (!text_equal(json_string_value(json_object_get(setting, "name")), cli->words->holes[0]))
            continue;
        plain_show(cli, json_incref(setting));
        return EXIT_DONE;
    }
    (void)err_set(&err, ERR_NOT_FOUND, "there is no setting %.100s", cli->words->holes[0]);
    err.remedy = "muster setting list";
    return cli_fail(cli, &err);
}
