/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that a device narrows. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"
#include "cli/target.h"

static int list_show(struct cli *cli, const char *path)
{
    struct err err;
    json_t *list = NULL;
    if (!plain_list(cli, path, &list, &err))
        return cli_fail(cli, &err);
    plain_show(cli, list);
    return EXIT_DONE;
}

/* "--since 7d": as a time so long before now (sign -1) or after it; NULL when it was not given. */
static bool time_of(struct cli *cli, enum option_id option, int sign, const char **out,
                    struct err *err)
{
    int64_t seconds;
    const char *typed = words_option(cli->words, option);
    *out = NULL;
    if (!typed)
        return true;
    if (!duration_parse(typed, &seconds, err))
        return err_context(err, "--%s", option_rows[option].name);
    *out = time_text(cli->owner, cli->now + sign * seconds);
    return true;
}

int event_list_run(struct cli *cli)
{
    struct err err;
    const char *since;
    const struct words *words = cli->words;
    if (!time_of(cli, OPTION_SINCE, -1, &since, &err))
        return cli_usage(cli, &err);
    const char *path = words->hole_count > 0
                           ? api_path(cli->owner, "/devices/{}/events", words->holes, 1)
                           : "/events";
    path = api_query(cli->owner, path, "kind", words_option(words, OPTION_KIND));
    path = api_query(cli->owner, path, "since", since);
    return list_show(cli,
                     api_query(cli->owner, path, "device", words_option(words, OPTION_DEVICE)));
}

/* An empty list says that nothing is there: only where the device told it. */
static bool was_told(struct cli *cli, const char *kind, bool *out, struct err *err)
{
    json_t *item;
    size_t index;
    CLEANUP(json_decref_at) json_t *inventory = NULL;
    const struct api_call call = {
        .method = "GET",
        .path = api_path(cli->owner, "/devices/{}/inventory", cli->words->holes, 1)};
    if (!api_send(cli, &call, &inventory, err))
        return false;
    *out = false;
    json_array_foreach(json_object_get(inventory, "items"), index, item) *out =
        *out || text_equal(json_string_value(json_object_get(item, "kind")), kind);
    return true;
}

int device_things_run(struct cli *cli)
{
    static const struct {
        const char *words, *path, *kind;
    } lists[] = {{"device apps", "/devices/{}/apps", "app"},
                 {"device certificates", "/devices/{}/installed-certificates", "certificate"},
                 {"device profiles", "/devices/{}/profiles", "profile"}};
    size_t which = 0;
    struct err err;
    bool is_told = true;
    json_t *list = NULL;
    while (!text_equal(lists[which].words, cli->words->command->words))
        which++;
    const char *path = api_path(cli->owner, lists[which].path, cli->words->holes, 1);
    if (!plain_list(cli, path, &list, &err))
        return cli_fail(cli, &err);
    bool is_empty = json_array_size(json_object_get(list, "items")) == 0;
    if (is_empty && !was_told(cli, lists[which].kind, &is_told, &err)) {
        json_decref(list);
        return cli_fail(cli, &err);
    }
    if (!is_told)
        cli_say("%s never told its %s; muster device inventory says what it told.",
                show_safe(cli->owner, cli->words->holes[0]), lists[which].words + sizeof("device"));
    if (is_told || !plain_is_table(cli))
        plain_show(cli, list);
    else
        json_decref(list);
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
    if (device && !target_id(cli, device, &id, &err))
        return cli_fail(cli, &err);
    const struct words *words = cli->words;
    const char *before;
    if (!time_of(cli, OPTION_ENDS_WITHIN, 1, &before, &err))
        return cli_usage(cli, &err);
    const char *path = api_query(cli->owner, "/certificates", "device", id);
    path = api_query(cli->owner, path, "q", words_option(words, OPTION_QUERY));
    path = api_query(cli->owner, path, "state", words_option(words, OPTION_STATE));
    path = api_query(cli->owner, path, "purpose", words_option(words, OPTION_PURPOSE));
    return list_show(cli, api_query(cli->owner, path, "ends_before", before));
}

/* Whom a request is for: the device, else what it is to name, else the link it came by. */
static char *whose(void *owner, const json_t *request)
{
    const char *device = json_string_value(json_object_get(request, "device_name"));
    const char *subject = json_string_value(json_object_get(request, "subject"));
    const char *link = json_string_value(json_object_get(request, "link_name"));
    if (device || subject)
        return show_safe(owner, device ? device : subject);
    return link ? mem_format(owner, "link %s", show_safe(owner, link)) : mem_text(owner, "-");
}

int certificate_requests_run(struct cli *cli)
{
    struct err err;
    const char *id = NULL;
    const char *device = words_option(cli->words, OPTION_DEVICE);
    const char *refused = words_has(cli->words, OPTION_REFUSED) ? "true" : NULL;
    if (device && !target_id(cli, device, &id, &err))
        return cli_fail(cli, &err);
    const char *path = api_query(cli->owner, "/certificate-requests", "refused", refused);
    json_t *list = NULL;
    if (!plain_list(cli, api_query(cli->owner, path, "device", id), &list, &err))
        return cli_fail(cli, &err);
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), index, item)
    {
        if (plain_is_table(cli))
            json_set(item, "for", json_string(whose(cli->owner, item)));
    }
    plain_show(cli, list);
    return EXIT_DONE;
}
