/* SPDX-License-Identifier: Apache-2.0 */
/* muster: read the command line, find the server, run the command, write what it said. */
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/help.h"

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static bool ca_choose(struct cli *cli, struct err *err)
{
    char path[PATH_MAX];
    const char *option = words_option(cli->words, OPTION_CA_FILE);
    const char *file = option ? option : environment("MUSTER_CA");
    if (!file)
        return true;
    if (!realpath(file, path)) /* kept with the login: it must not depend on where we are */
        return err_set(err, ERR_NOT_FOUND, "there is no file %s", file);
    cli->context.ca_file = mem_text(cli->owner, path);
    return true;
}

/* Option, environment, latest login: the first that names a server. */
static bool context_choose(struct cli *cli, struct err *err)
{
    char *server = NULL;
    const char *option = words_option(cli->words, OPTION_SERVER);
    const char *wanted = option ? option : environment("MUSTER_SERVER");
    const char *token = environment("MUSTER_TOKEN");
    if (!contexts_path(cli->owner, &cli->contexts_path, err) ||
        !contexts_load(cli->owner, cli->contexts_path, &cli->contexts, err) ||
        (wanted && !server_normalise(cli->owner, wanted, &server, err)))
        return false;
    const struct context *known = contexts_find(&cli->contexts, server);
    if (known)
        cli->context = *known;
    else
        cli->context.server = server;
    if (token) {
        cli->context.token = mem_text(cli->owner, token);
        cli->context.expires_at = 0;
        cli->is_token_given = true;
    }
    return ca_choose(cli, err);
}

static int command_run(struct cli *cli)
{
    struct err err;
    const struct command_row *command = cli->words->command;
    if (!context_choose(cli, &err))
        return err.kind == ERR_BAD_INPUT ? cli_usage(cli, &err) : cli_fail(cli, &err);
    return command->run ? command->run(cli) : plain_run(cli);
}

static int output_flush(struct cli *cli, int code)
{
    struct err err;
    struct bytes text;
    if (!buffer_done(&cli->out, &text, &err))
        return cli_fail(cli, &err);
    if (text.size == 0 ||
        (fwrite(text.data, 1, text.size, stdout) == text.size && fflush(stdout) == 0))
        return code;
    (void)err_set(&err, ERR_UNAVAILABLE, "standard output cannot be written");
    return cli_fail(cli, &err);
}

int main(int count, char **arguments)
{
    struct err err;
    struct words words;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct cli cli = {.owner = owner, .words = &words, .now = clock_now()};
    const char *const *typed = (const char *const *)arguments + 1;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        cli_say("muster: there is no locale C.UTF-8: tables may look odd");
    if (!words_parse(owner, count > 0 ? (size_t)count - 1 : 0, typed, &words, &err))
        return cli_usage(&cli, &err);
    cli.is_interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    cli.has_colour = isatty(STDOUT_FILENO) && !environment("NO_COLOR");
    buffer_init(&cli.out, owner, OUTPUT_SIZE_MAX);
    if (!words.command) {
        help_write(&cli.out, words.topic);
        return output_flush(&cli, words.asks_help ? EXIT_DONE : EXIT_USAGE);
    }
    int code = command_run(&cli);
    if (cli.context.token)
        bytes_wipe(cli.context.token, strlen(cli.context.token));
    return output_flush(&cli, code);
}
