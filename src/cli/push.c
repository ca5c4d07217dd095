/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the push certificate in. */
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/prompt.h"

#define PEM_SIZE_MAX 65536 /* bytes */

static bool body_make(struct cli *cli, const char *path, json_t **out, struct err *err)
{
    struct bytes content;
    if (!input_read(cli->owner, path, PEM_SIZE_MAX, &content, err))
        return false;
    char *pem = bytes_to_text(cli->owner, content);
    if (!pem || !strstr(pem, "-----BEGIN CERTIFICATE-----"))
        return err_set(err, ERR_BAD_INPUT, "%s holds no certificate in PEM form", input_name(path));
    *out = json_pack("{s:s}", "certificate", pem);
    return *out ? true : err_set(err, ERR_INTERNAL, "no body");
}

int push_import_run(struct cli *cli)
{
    struct err err;
    json_t *answer = NULL;
    CLEANUP(json_decref_at) json_t *body = NULL;
    if (!body_make(cli, cli->words->holes[0], &body, &err))
        return cli_usage(cli, &err);
    const struct api_call call = {.method = "PUT", .path = "/apple/push-certificate", .body = body};
    if (!api_send(cli, &call, &answer, &err))
        return cli_fail(cli, &err);
    plain_show(cli, answer);
    return EXIT_DONE;
}
