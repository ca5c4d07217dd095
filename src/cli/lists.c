/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that a device narrows, and the trace of its certificate. */
#include "cli/acts.h"
#include "cli/plain.h"

static bool device_id(struct cli *cli, const char *name, const char **out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *device = NULL;
    const struct api_call call = {.method = "GET",
                                  .path = api_path(cli->owner, "/devices/{}", &name, 1)};
    if (!api_send(cli, &call, &device, err))
        return false;
    const char *id = json_string_value(json_object_get(device, "id"));
    if (!id)
        return err_set(err, ERR_UNAVAILABLE, "the server named no device");
    *out = mem_text(cli->owner, id);
    return true;
}

static int list_show(struct cli *cli, const char *path)
{
    struct err err;
    json_t *list = NULL;
    if (!plain_list(cli, path, &list, &err))
        return cli_fail(cli, &err);
    plain_show(cli, list);
    return EXIT_DONE;
}

int command_list_run(struct cli *cli)
{
    const char *device = words_option(cli->words, OPTION_DEVICE);
    return list_show(cli, device ? api_path(cli->owner, "/devices/{}/commands", &device, 1)
                                 : "/commands");
}

int certificate_list_run(struct cli *cli)
{
    struct err err;
    const char *id = NULL;
    const char *device = words_option(cli->words, OPTION_DEVICE);
    if (device && !device_id(cli, device, &id, &err))
        return cli_fail(cli, &err);
    return list_show(cli, api_query(cli->owner, "/certificates", "device", id));
}

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
    if (!device_id(cli, device, &id, err))
        return false;
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
    plain_show(cli, trace);
    return EXIT_DONE;
}
