/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that policies can hold, for people. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"

#define VALUES_WIDEST 25 /* of choices in a table: `setting get` has all of them */

/* "4\u201316 characters", "a, b, c", "a version: 17.4.1" or "true or false". Belongs to owner. */
static char *values_text(void *owner, const json_t *setting)
{
    const json_t *range = json_object_get(setting, "range");
    const json_t *choices = json_object_get(setting, "choices");
    const json_t *unit = json_object_get(setting, "unit");
    char *list = mem_text(owner, "");
    for (size_t i = 0; i < json_array_size(choices); i++)
        list = mem_format(owner, "%s%s%s", list, i > 0 ? ", " : "",
                          show_text(owner, json_array_get(choices, i)));
    if (list[0])
        return list;
    if (json_is_object(range))
        return mem_format(
            owner, "%s\u2013%s%s%s", show_text(owner, json_object_get(range, "lowest")),
            show_text(owner, json_object_get(range, "highest")), json_is_string(unit) ? " " : "",
            json_is_string(unit) ? show_text(owner, unit) : "");
    bool is_version = text_equal(show_text(owner, json_object_get(setting, "type")), "version");
    return mem_text(owner, is_version ? "a version: 17.4.1" : "true or false");
}

/* Which of two values wins, in words. Belongs to owner. */
static char *stricter_text(void *owner, const json_t *setting)
{
    const char *stricter = show_text(owner, json_object_get(setting, "stricter"));
    if (json_array_size(json_object_get(setting, "choices")) > 0)
        return mem_text(owner, "later");
    return mem_text(owner, text_equal(stricter, "none") ? "neither" : stricter);
}

static bool settings_get(struct cli *cli, json_t **out, struct err *err)
{
    const struct api_call call = {.method = "GET", .path = "/settings"};
    return api_send(cli, &call, out, err);
}

static void row_add(struct cli *cli, json_t *setting)
{
    char *values = values_text(cli->owner, setting);
    size_t count = json_array_size(json_object_get(setting, "choices"));
    if (show_width(values) > VALUES_WIDEST && count > 0)
        values = mem_format(cli->owner, "one of %zu words", count);
    json_set(setting, "values", json_string(values));
    json_set(setting, "stricter", json_string(stricter_text(cli->owner, setting)));
    if (text_equal(json_string_value(json_object_get(setting, "use")), "compliance")) {
        const char *title = show_text(cli->owner, json_object_get(setting, "title"));
        json_set(setting, "title", json_string(mem_format(cli->owner, "%s (compliance)", title)));
    }
}

/* One setting, all of it. New reference. */
static json_t *page_of(struct cli *cli, const json_t *setting)
{
    void *owner = cli->owner;
    const json_t *off = json_object_get(json_object_get(setting, "range"), "off");
    bool has_choices = json_array_size(json_object_get(setting, "choices")) > 0;
    json_t *page = json_object();
    json_set(page, "name", json_string(show_text(owner, json_object_get(setting, "name"))));
    json_set(page, "title", json_string(show_text(owner, json_object_get(setting, "title"))));
    json_set(page, "help", json_string(show_text(owner, json_object_get(setting, "help"))));
    json_set(page, "values", json_string(values_text(owner, setting)));
    json_set(page, "use", json_string(show_text(owner, json_object_get(setting, "use"))));
    json_set(page, "stricter",
             json_string(has_choices ? "what stands later among the values"
                                     : stricter_text(owner, setting)));
    if (json_is_integer(off))
        json_set(page, "off",
                 json_string(mem_format(owner, "%s: no limit", show_text(owner, off))));
    return page;
}

int setting_list_run(struct cli *cli)
{
    struct err err;
    json_t *list = NULL, *setting;
    size_t index;
    if (!settings_get(cli, &list, &err))
        return cli_fail(cli, &err);
    json_array_foreach(json_object_get(list, "items"), index, setting)
    {
        if (plain_is_table(cli))
            row_add(cli, setting);
    }
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
        plain_show(cli, plain_is_table(cli) ? page_of(cli, setting) : json_incref(setting));
        return EXIT_DONE;
    }
    (void)err_set(&err, ERR_NOT_FOUND, "there is no setting %.100s", cli->words->holes[0]);
    err.remedy = "muster setting list";
    return cli_fail(cli, &err);
}
