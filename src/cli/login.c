/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and out. The token is kept; the password never is. */
#include "base/clock.h"

#include "base/text.h"
#include "cli/acts.h"
#include "cli/client.h"
#include "cli/prompt.h"

/* What the server takes. */
#define NEW_PASSWORD_SHORTEST 12
#define NEW_PASSWORD_LONGEST 256

static void secret_wipe(char **text)
{
    if (*text)
        bytes_wipe(*text, strlen(*text));
}

/* The server: as asked, as of the last login, or as typed now. */
static bool server_choose(struct cli *cli, struct err *err)
{
    char *typed = NULL;
    if (cli->context.server)
        return true;
    if (!cli->is_interactive)
        return err_set(err, ERR_BAD_INPUT, "which server? add --server URL");
    return prompt_line(cli->owner, "Server (https://mdm.example.org:8443): ", false, &typed, err) &&
           server_normalise(cli->owner, typed, &cli->context.server, err);
}

static bool account_choose(struct cli *cli, char **out, struct err *err)
{
    const char *user = words_option(cli->words, OPTION_USER);
    if (user || cli->context.account) {
        *out = mem_text(cli->owner, user ? user : cli->context.account);
        return true;
    }
    if (!cli->is_interactive)
        return err_set(err, ERR_BAD_INPUT, "who? add --user NAME");
    return prompt_line(cli->owner, "Name: ", false, out, err);
}

static bool password_ask(struct cli *cli, const char *question, char **out, struct err *err)
{
    if (words_has(cli->words, OPTION_PASSWORD_STDIN))
        return input_line(cli->owner, out, err);
    if (!cli->is_interactive)
        return err_set(err, ERR_BAD_INPUT, "add --password-stdin where there is no terminal");
    return prompt_line(cli->owner, question, true, out, err);
}

/* Asks until it fits: what the server would refuse is not worth three more answers. */
static bool new_password_ask(struct cli *cli, const char *old, char **out, struct err *err)
{
    CLEANUP(secret_wipe) char *again = NULL;
    if (words_has(cli->words, OPTION_PASSWORD_STDIN)) /* the second line, where there is one */
        return input_line(cli->owner, out, err);
    for (;;) {
        if (!prompt_line(cli->owner, "New password: ", true, out, err))
            return false;
        size_t length = text_length(*out);
        if (length < NEW_PASSWORD_SHORTEST || length > NEW_PASSWORD_LONGEST)
            cli_say("It has %zu characters; 12 to 256 are needed.", length);
        else if (text_equal(*out, old))
            cli_say("It must differ from the old one.");
        else if (!prompt_line(cli->owner, "New password again: ", true, &again, err))
            return false;
        else if (text_equal(*out, again))
            return true;
        else
            cli_say("The two are not the same.");
        secret_wipe(out);
        secret_wipe(&again);
    }
}

static bool session_make(struct cli *cli, const char *account, const char *password,
                         const char *new_password, json_t **out, struct err *err)
{
    CLEANUP(json_decref_at)
    json_t *body = json_pack("{s:s, s:s, s:s*}", "name", account, "password", password,
                             "new_password", new_password);
    const struct api_call call = {.method = "POST", .path = "/sessions", .body = body};
    cli->context.token = NULL;
    return body ? api_send(cli, &call, out, err)
                : err_set(err, ERR_BAD_INPUT, "name and password must be UTF-8");
}

/* A one-time password is refused until a new one comes with it. */
static bool sign_in(struct cli *cli, const char *account, json_t **out, struct err *err)
{
    CLEANUP(secret_wipe) char *password = NULL;
    CLEANUP(secret_wipe) char *new_password = NULL;
    if (!password_ask(cli, "Password: ", &password, err))
        return false;
    if (session_make(cli, account, password, NULL, out, err))
        return true;
    if (err->kind != ERR_PRECONDITION)
        return false;
    cli_say("This password was for one time: choose a new one, of 12 to 256 characters.");
    return new_password_ask(cli, password, &new_password, err) &&
           session_make(cli, account, password, new_password, out, err);
}

static bool context_keep(struct cli *cli, const char *account, const json_t *session,
                         struct err *err)
{
    const char *token = json_string_value(json_object_get(session, "token"));
    const char *expires = json_string_value(json_object_get(session, "expires_at"));
    if (!token)
        return err_set(err, ERR_UNAVAILABLE, "the server gave no token");
    if (expires && !time_parse(expires, &cli->context.expires_at, err))
        return false;
    cli->context.token = mem_text(cli->owner, token);
    cli->context.account = mem_text(cli->owner, account);
    contexts_put(cli->owner, &cli->contexts, &cli->context);
    return contexts_save(cli->contexts_path, &cli->contexts, err);
}

int login_run(struct cli *cli)
{
    struct err err;
    char *account = NULL;
    CLEANUP(json_decref_at) json_t *session = NULL;
    if (!server_choose(cli, &err) || !account_choose(cli, &account, &err))
        return cli_usage(cli, &err);
    if (!sign_in(cli, account, &session, &err) || !context_keep(cli, account, session, &err))
        return cli_fail(cli, &err);
    cli_say("Signed in to %s as %s.", cli->context.server, account);
    return EXIT_DONE;
}

int account_password_run(struct cli *cli)
{
    struct err err;
    CLEANUP(secret_wipe) char *old = NULL;
    CLEANUP(secret_wipe) char *chosen = NULL;
    CLEANUP(json_decref_at) json_t *answer = NULL;
    if (!password_ask(cli, "Present password: ", &old, &err) ||
        !new_password_ask(cli, old, &chosen, &err))
        return err.kind == ERR_BAD_INPUT ? cli_usage(cli, &err) : cli_fail(cli, &err);
    CLEANUP(json_decref_at)
    json_t *body = json_pack("{s:s, s:s}", "password", old, "new_password", chosen);
    const struct api_call call = {.method = "PUT", .path = "/password", .body = body};
    if (!body) {
        (void)err_set(&err, ERR_BAD_INPUT, "passwords must be UTF-8");
        return cli_usage(cli, &err);
    }
    if (!api_send(cli, &call, &answer, &err))
        return cli_fail(cli, &err);
    cli_say("The password is changed; other sessions have ended, API tokens stay.");
    return EXIT_DONE;
}

int logout_run(struct cli *cli)
{
    struct err err;
    CLEANUP(json_decref_at) json_t *answer = NULL;
    const struct api_call call = {.method = "DELETE", .path = "/sessions/current"};
    if (!cli->context.server) {
        cli_say("There is no login.");
        return EXIT_DONE;
    }
    bool is_ended = api_send(cli, &call, &answer, &err) || err.kind == ERR_UNAUTHENTICATED;
    int code = is_ended ? EXIT_DONE : cli_fail(cli, &err);
    contexts_remove(&cli->contexts, cli->context.server);
    if (!contexts_save(cli->contexts_path, &cli->contexts, &err))
        return cli_fail(cli, &err);
    cli_say(is_ended ? "Signed out of %s."
                     : "The token is forgotten here, but still valid at %s: revoke it there.",
            cli->context.server);
    return code;
}
