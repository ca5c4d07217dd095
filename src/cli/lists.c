/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that a device narrows. */
#include "cli/acts.h"
#include "cli/plain.h"
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
    return list_show(cli, api_query(cli->owner, "/certificates", "device", id));
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
    return list_show(cli, api_query(cli->owner, path, "device", id));
}
