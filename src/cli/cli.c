/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

#include "cli/show.h"

void cli_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments); /* where else would a failure be told? */
    (void)fputc('\n', stderr);
    va_end(arguments);
}

static void error_say(const struct cli *cli, const struct err *err)
{
    cli_say("muster: %s", show_safe(cli->owner, err->text));
    if (err->remedy)
        cli_say("        %s", show_safe(cli->owner, err->remedy));
}

int cli_fail(const struct cli *cli, const struct err *err)
{
    error_say(cli, err);
    if (cli->is_late)
        return EXIT_TIMEOUT;
    if (cli->is_usage)
        return EXIT_USAGE;
    switch (err->kind) {
    case ERR_NOT_FOUND: return EXIT_NOT_FOUND;
    case ERR_UNAUTHENTICATED:
    case ERR_FORBIDDEN: return EXIT_DENIED;
    case ERR_CONFLICT:
    case ERR_PRECONDITION: return EXIT_CONFLICT;
    case ERR_BAD_INPUT:
    case ERR_TOO_LARGE:
    case ERR_TOO_MANY:
    case ERR_UNAVAILABLE:
    case ERR_INTERNAL: break;
    }
    return EXIT_ERROR;
}

int cli_usage(const struct cli *cli, const struct err *err)
{
    error_say(cli, err);
    return EXIT_USAGE;
}
