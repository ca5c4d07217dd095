/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit.h"

#include <inttypes.h>

#include "base/mem.h"
#include "cli/acts.h"
#include "cli/client.h"
#include "cli/plain.h"

static int64_t number_of(const json_t *part, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(part, name));
}

bool audit_verdict_get(struct cli *cli, json_t **out, struct err *err)
{
    int64_t entries = 0, position = 0, after = 0;
    for (;;) {
        const struct api_call call = {
            .method = "GET",
            .path = mem_format(cli->owner, "/audit/verification?after=%" PRId64, after)};
        CLEANUP(json_decref_at) json_t *part = NULL;
        if (!api_send(cli, &call, &part, err))
            return false;
        int64_t next = number_of(part, "next");
        entries += number_of(part, "entries");
        if (number_of(part, "signed_position"))
            position = number_of(part, "signed_position");
        if (json_is_true(json_object_get(part, "is_intact")) && next > after) {
            after = next;
            continue;
        }
        json_set(part, "entries", json_integer(entries));
        json_set(part, "signed_position", json_integer(position));
        (void)json_object_del(part, "next");
        *out = json_incref(part);
        return true;
    }
}

int audit_verify_run(struct cli *cli)
{
    struct err err;
    json_t *verdict = NULL;
    if (!audit_verdict_get(cli, &verdict, &err))
        return cli_fail(cli, &err);
    bool is_intact = json_is_true(json_object_get(verdict, "is_intact"));
    plain_show(cli, verdict);
    return is_intact ? EXIT_DONE : EXIT_ERROR;
}
