/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about who acts: tokens, accounts, and the people who carry devices. */
#include "cli/acts.h"
#include "cli/commands.h"

#define ACCOUNT_COLUMNS                                                                            \
    {                                                                                              \
        {"NAME", "name"}, {"ROLE", "role"}, {"CREATED", "created_at"},                             \
            {"DISABLED", "disabled_at"}, {"ID", "id"},                                             \
    }
#define USER_COLUMNS                                                                               \
    {                                                                                              \
        {"NAME", "name"}, {"FULL NAME", "full_name"}, {"MAIL", "mail"}, {"CREATED", "created_at"}, \
            {"DISABLED", "disabled_at"}, {"ID", "id"},                                             \
    }
#define PASSWORD_COLUMNS                                                                           \
    {                                                                                              \
        {"", "password"}, {"Shown this once: the first sign-in asks for a new one. User", "name"}, \
    }
#define TERMS_COLUMNS                                                                              \
    {                                                                                              \
        {"VERSION", "version"}, {"TITLE", "title"}, {"CREATED", "created_at"},                     \
            {"BY", "created_by"}, {"WITHDRAWN", "withdrawn_at"},                                   \
    }

static const struct command_row rows[] = {
    {"token create", .holes = "NAME",
     .help = "make an API token: an auditor's where no role is named, for 90 days where no end is",
     .options = OPTION(ROLE) | OPTION(EXPIRES), .method = "POST", .path = "/tokens",
     .body = {{"name", 0, "{}", PART_TEXT},
              {"role", OPTION_ROLE, NULL, PART_TEXT},
              {"expires_at", OPTION_EXPIRES, NULL, PART_EXPIRY_OR_NEVER},
              {"never_expires", OPTION_EXPIRES, NULL, PART_NEVER}},
     .columns = {{"", "token"},
                 {"Shown this once. Id", "id"},
                 {"Role", "role"},
                 {"Ends", "expires_at", COLUMN_NEVER}},
     .flags = COMMAND_PLAIN},
    {"token list", .help = "list sessions and API tokens", .options = PAGE_OPTIONS, .method = "GET",
     .path = "/tokens",
     .columns = {{"ID", "id"},
                 {"KIND", "kind", COLUMN_WIDE},
                 {"NAME", "name"},
                 {"ACCOUNT", "account_name"},
                 {"ROLE", "role"},
                 {"CREATED", "created_at", COLUMN_WIDE},
                 {"EXPIRES", "expires_at"},
                 {"REVOKED", "revoked_at"}},
     .flags = COMMAND_LIST},
    {"token revoke", .holes = "TOKEN...", .help = "revoke sessions or API tokens",
     .method = "DELETE", .path = "/tokens/{}", .flags = COMMAND_SILENT, .done = "%s is revoked."},

    {"account list", .help = "list accounts", .options = PAGE_OPTIONS, .method = "GET",
     .path = "/accounts", .columns = ACCOUNT_COLUMNS, .flags = COMMAND_LIST},
    {"account get", .holes = "ACCOUNT", .help = "show an account, by id or name", .method = "GET",
     .path = "/accounts/{}"},
    {"account create", .holes = "NAME", .help = "make an account with a one-time password",
     .options = OPTION(ROLE), .needs = OPTION(ROLE), .method = "POST", .path = "/accounts",
     .body = {{"name", 0, "{}", PART_TEXT}, {"role", OPTION_ROLE, NULL, PART_TEXT}},
     .columns = {{"", "password"},
                 {"Shown this once: the first sign-in asks for a new one. Account", "name"},
                 {"Role", "role"}},
     .flags = COMMAND_PLAIN},
    {"account edit", .holes = "ACCOUNT",
     .help = "give an account another role; its sessions and tokens end",
     .options = OPTION(ROLE) | OPTION(REASON), .needs = OPTION(ROLE), .method = "PATCH",
     .path = "/accounts/{}",
     .body = {{"role", OPTION_ROLE, NULL, PART_TEXT}, {"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = ACCOUNT_COLUMNS},
    {"account password", .help = "change one's own password; the other sessions end",
     .options = OPTION(PASSWORD_STDIN), .run = account_password_run},
    {"account reset", .holes = "ACCOUNT",
     .help = "give an account another one-time password; its sessions and tokens end",
     .options = OPTION(REASON), .method = "POST", .path = "/accounts/{}/password",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = {{"", "password"},
                 {"Shown this once: the first sign-in asks for a new one. Account", "name"}},
     .flags = COMMAND_PLAIN | COMMAND_ASKS,
     .consequence =
         "The password of %s ends, with every session and token; a new one is shown once."},
    {"account disable", .holes = "ACCOUNT...",
     .help = "end accounts with their sessions and tokens", .options = OPTION(REASON),
     .method = "POST", .path = "/accounts/{}/disable",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = ACCOUNT_COLUMNS,
     .flags = COMMAND_ASKS,
     .consequence = "%s cannot sign in any more; every session and token of the account ends."},
    {"account enable", .holes = "ACCOUNT...", .help = "let disabled accounts sign in again",
     .options = OPTION(REASON), .method = "POST", .path = "/accounts/{}/enable",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = ACCOUNT_COLUMNS},

    {"user list", .help = "list the people who carry devices",
     .options = OPTION(QUERY) | PAGE_OPTIONS, .method = "GET", .path = "/users",
     .columns = USER_COLUMNS, .flags = COMMAND_LIST},
    {"user get", .holes = "USER", .help = "show a person, by id, name, mail address or account",
     .method = "GET", .path = "/users/{}"},
    {"user create", .holes = "NAME", .help = "note a person, with a one-time password",
     .options = OPTION(FULL_NAME) | OPTION(MAIL) | OPTION(APPLE_ACCOUNT), .method = "POST",
     .path = "/users",
     .body = {{"name", 0, "{}", PART_TEXT},
              {"full_name", OPTION_FULL_NAME, NULL, PART_TEXT},
              {"mail", OPTION_MAIL, NULL, PART_TEXT},
              {"apple_account", OPTION_APPLE_ACCOUNT, NULL, PART_TEXT}},
     .columns = PASSWORD_COLUMNS, .flags = COMMAND_PLAIN},
    {"user edit", .holes = "USER", .help = "change a person's names and addresses; '' removes one",
     .options =
         OPTION(NAME) | OPTION(FULL_NAME) | OPTION(MAIL) | OPTION(APPLE_ACCOUNT) | OPTION(REASON),
     .method = "PATCH", .path = "/users/{}",
     .body = {{"name", OPTION_NAME, NULL, PART_TEXT},
              {"full_name", OPTION_FULL_NAME, NULL, PART_TEXT},
              {"mail", OPTION_MAIL, NULL, PART_TEXT},
              {"apple_account", OPTION_APPLE_ACCOUNT, NULL, PART_TEXT},
              {"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = USER_COLUMNS},
    {"user password", .holes = "USER", .help = "give a person another one-time password",
     .options = OPTION(REASON), .method = "POST", .path = "/users/{}/password",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = PASSWORD_COLUMNS,
     .flags = COMMAND_PLAIN | COMMAND_ASKS,
     .consequence = "The password of %s ends; a new one is shown once."},
    {"user disable", .holes = "USER...", .help = "let people enrol no more devices",
     .options = OPTION(REASON), .method = "POST", .path = "/users/{}/disable",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = USER_COLUMNS,
     .flags = COMMAND_ASKS,
     .consequence = "%s cannot sign in any more; devices that are enrolled stay managed."},
    {"user enable", .holes = "USER...", .help = "let disabled people sign in again",
     .options = OPTION(REASON), .method = "POST", .path = "/users/{}/enable",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = USER_COLUMNS},

    {"terms list", .help = "list the versions of the terms and conditions, newest first",
     .options = PAGE_OPTIONS, .method = "GET", .path = "/terms", .columns = TERMS_COLUMNS,
     .flags = COMMAND_LIST},
    {"terms get", .holes = "VERSION", .help = "show a version of the terms and conditions",
     .method = "GET", .path = "/terms/{}"},
    {"terms create", .holes = "TITLE", .help = "write a new version: people are asked again",
     .options = OPTION(FILE), .method = "POST", .path = "/terms",
     .body = {{"title", 0, "{}", PART_TEXT}, {"body", OPTION_FILE, NULL, PART_FILE}},
     .columns = TERMS_COLUMNS},
    {"terms accepted", .holes = "VERSION", .help = "show who agreed to a version, and when",
     .options = PAGE_OPTIONS, .method = "GET", .path = "/terms/{}/acceptances",
     .columns = {{"USER", "user_name"}, {"ACCEPTED", "accepted_at"}, {"USER ID", "user_id"}},
     .flags = COMMAND_LIST},
    {"terms withdraw", .holes = "VERSION", .help = "ask nobody for a version any more",
     .options = OPTION(REASON), .method = "POST", .path = "/terms/{}/withdraw",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}, .columns = TERMS_COLUMNS,
     .flags = COMMAND_ASKS, .consequence = "Nobody is asked for version %s any more."},
};
const struct command_table command_people = TABLE(rows);
