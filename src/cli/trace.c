/* SPDX-License-Identifier: Apache-2.0 */
/* How a certificate came about, for people: what was expected against what was asked. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"
#include "cli/target.h"

static bool trace_get(struct cli *cli, const char *certificate, json_t **out, struct err *err)
{
    const struct api_call call = {
        .method = "GET", .path = api_path(cli->owner, "/certificates/{}/trace", &certificate, 1)};
    return api_send(cli, &call, out, err);
}

/* The newest certificate of a device. */
static bool certificate_of(struct cli *cli, const char *device, const char **out, struct err *err)
{
    const char *id;
    CLEANUP(json_decref_at) json_t *list = NULL;
    if (!target_id(cli, device, &id, err))
        return err->kind == ERR_NOT_FOUND
                   ? err_set(err, ERR_NOT_FOUND,
                             "there is no certificate, no request and no device %.100s", device)
                   : false;
    const struct api_call call = {
        .method = "GET", .path = api_query(cli->owner, "/certificates?limit=1", "device", id)};
    if (!api_send(cli, &call, &list, err))
        return false;
    const json_t *first = json_array_get(json_object_get(list, "items"), 0);
    const char *certificate = json_string_value(json_object_get(first, "id"));
    if (!certificate)
        return err_set(err, ERR_NOT_FOUND, "%.100s has no certificate", device);
    *out = mem_text(cli->owner, certificate);
    return true;
}

/* ---- for people ---- */

static const char *member(struct cli *cli, const json_t *object, const char *name)
{
    return show_text(cli->owner, json_object_get(object, name));
}

static void attribute_show(struct cli *cli, const json_t *attribute)
{
    bool agrees = json_is_true(json_object_get(attribute, "agrees"));
    buffer_format(&cli->out, "    %-12s  ", member(cli, attribute, "name"));
    if (agrees)
        buffer_format(&cli->out, "%s\n", member(cli, attribute, "asked"));
    else
        buffer_format(&cli->out, "%s, but %s was asked for\n", member(cli, attribute, "expected"),
                      member(cli, attribute, "asked"));
}

static void detail_show(struct cli *cli, const json_t *detail)
{
    const char *name;
    json_t *value;
    size_t index;
    json_object_foreach((json_t *)(uintptr_t)detail, name, value)
    {
        json_t *attribute;
        if (!text_equal(name, "attributes"))
            buffer_format(&cli->out, "    %-12s  %s\n", show_safe(cli->owner, name),
                          show_text(cli->owner, value));
        else
            json_array_foreach(value, index, attribute) attribute_show(cli, attribute);
    }
}

static void trace_show(struct cli *cli, const json_t *trace)
{
    size_t index;
    json_t *step;
    json_array_foreach(json_object_get(trace, "items"), index, step)
    {
        buffer_format(&cli->out, "%s  %s: ", member(cli, step, "step"), member(cli, step, "title"));
        show_state(&cli->out, member(cli, step, "outcome"), cli->has_colour);
        buffer_format(&cli->out, ", %s\n", member(cli, step, "at"));
        detail_show(cli, json_object_get(step, "detail"));
    }
}

int certificate_trace_run(struct cli *cli)
{
    struct err err;
    json_t *trace = NULL;
    const char *name = cli->words->holes[0];
    bool found = trace_get(cli, name, &trace, &err);
    if (!found && err.kind == ERR_NOT_FOUND)
        found = certificate_of(cli, name, &name, &err) && trace_get(cli, name, &trace, &err);
    if (!found)
        return cli_fail(cli, &err);
    if (!plain_is_table(cli)) {
        plain_show(cli, trace);
        return EXIT_DONE;
    }
    trace_show(cli, trace);
    json_decref(trace);
    return EXIT_DONE;
}
