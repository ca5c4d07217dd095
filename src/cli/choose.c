/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the servers that one is signed in to. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"

int context_list_run(struct cli *cli)
{
    const struct contexts *contexts = &cli->contexts;
    CLEANUP(json_decref_at) json_t *items = json_array();
    for (size_t i = 0; i < contexts->count; i++) {
        const struct context *one = &contexts->items[i];
        const char *until = one->expires_at ? time_text(cli->owner, one->expires_at) : NULL;
        json_t *item = json_pack("{s:s, s:s?, s:s?, s:b}", "server", one->server, "account",
                                 one->account, "expires_at", until, "is_current",
                                 text_equal(contexts->current, one->server));
        if (!item || json_array_append_new(items, item) != 0)
            bug("no context");
    }
    plain_show(cli, json_pack("{s:O}", "items", items));
    return EXIT_DONE;
}

int context_use_run(struct cli *cli)
{
    struct err err;
    char *server = NULL;
    if (!server_normalise(cli->owner, cli->words->holes[0], &server, &err))
        return cli_usage(cli, &err);
    if (!contexts_use(&cli->contexts, server)) {
        (void)err_set(&err, ERR_NOT_FOUND, "there is no login at %.200s", server);
        err.remedy = "muster context list names them; muster login --server makes one";
        return cli_fail(cli, &err);
    }
    if (!contexts_save(cli->contexts_path, &cli->contexts, &err))
        return cli_fail(cli, &err);
    cli_say("Commands go to %s from now on.", server);
    return EXIT_DONE;
}
