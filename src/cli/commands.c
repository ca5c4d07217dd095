/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command, in the order of the help.  To add one whose request and answer are plain: one row
 * here or in the file of its theme.  What needs more than one request has a function in a file of
 * its own (acts.h).
 */
#include "cli/commands.h"

#include "cli/acts.h"

static const struct command_row begin[] = {
    {"login", .help = "sign in and keep the token",
     .options = OPTION(USER) | OPTION(PASSWORD_STDIN), .run = login_run},
    {"logout", .help = "sign out and forget the token", .run = logout_run},
    {"context list", .help = "list the servers that one is signed in to",
     .columns = {{"SERVER", "server"},
                 {"ACCOUNT", "account"},
                 {"UNTIL", "expires_at"},
                 {"CURRENT", "is_current"}},
     .flags = COMMAND_LIST, .run = context_list_run},
    {"context use", .holes = "SERVER", .help = "let the following commands go to this server",
     .run = context_use_run},
};
static const struct command_row rules[] = {
    {"policy create", .holes = "[NAME]", .help = "make a policy",
     .options = OPTION(NAME) | OPTION(KIND) | OPTION(DESCRIPTION) | OPTION(SET) | OPTION(FILE),
     .run = policy_create_run},
    {"policy list", .help = "list policies", .options = PAGE_OPTIONS, .method = "GET",
     .path = "/policies",
     .columns = {{"NAME", "name"},
                 {"KIND", "kind"},
                 {"REVISION", "revision"},
                 {"ASSIGNED", "assignment_count"},
                 {"UPDATED", "updated_at"},
                 {"ID", "id"}},
     .flags = COMMAND_LIST},
    {"policy get", .holes = "POLICY", .help = "show a policy", .method = "GET",
     .path = "/policies/{}"},
    {"policy revisions", .holes = "POLICY", .help = "show what a policy was", .method = "GET",
     .path = "/policies/{}/revisions",
     .columns = {{"REVISION", "revision"},
                 {"SAVED", "updated_at"},
                 {"BY", "created_by"},
                 {"SETTINGS", "settings"}},
     .flags = COMMAND_LIST},
    {"policy edit", .holes = "POLICY", .help = "make a new revision of a policy",
     .options = OPTION(NAME) | OPTION(DESCRIPTION) | OPTION(SET) | OPTION(UNSET) | OPTION(FILE),
     .run = policy_edit_run},
    {"policy assign", .holes = "POLICY", .help = "assign a policy to all devices or to some",
     .options = OPTION(ALL) | OPTION(DEVICE) | OPTION(BAND), .run = policy_assign_run},
    {"policy assignments", .holes = "POLICY", .help = "list whom a policy is for", .method = "GET",
     .path = "/policies/{}/assignments",
     .columns = {{"ID", "id"},
                 {"TARGET", "target"},
                 {"DEVICE", "device_id"},
                 {"BAND", "band"},
                 {"CREATED", "created_at"},
                 {"BY", "created_by"}},
     .flags = COMMAND_LIST},
    {"policy unassign", .holes = "POLICY ASSIGNMENT", .help = "take an assignment back",
     .method = "DELETE", .path = "/policies/{}/assignments/{}", .flags = COMMAND_SILENT,
     .done = "%s has one assignment less."},
    {"policy delete", .holes = "POLICY...", .help = "delete policies", .method = "DELETE",
     .path = "/policies/{}", .flags = COMMAND_SILENT | COMMAND_ASKS,
     .consequence = "The policy %s goes, and devices lose what it set.", .done = "%s is deleted."},
    {"setting list", .help = "list the settings and rules that policies can hold",
     .columns =
         {{"NAME", "name"}, {"VALUES", "values"}, {"STRICTER", "stricter"}, {"TITLE", "title"}},
     .flags = COMMAND_LIST, .run = setting_list_run},
    {"setting get", .holes = "SETTING",
     .help = "show a setting: its values, which is stricter, what it does", .run = setting_get_run},
};
static const struct command_row house[] = {
    {"audit list", .help = "list who did what, newest first", .options = PAGE_OPTIONS,
     .method = "GET", .path = "/audit",
     .columns = {{"AT", "at"},
                 {"WHO", "actor_name"},
                 {"ACTION", "action"},
                 {"KIND", "subject_kind"},
                 {"SUBJECT", "subject_id"},
                 {"REASON", "reason"}},
     .flags = COMMAND_LIST},
    {"refusal list", .help = "list wrong sign-ins and refused requests, counted by hour",
     .options = PAGE_OPTIONS, .method = "GET", .path = "/refusals",
     .columns = {{"LAST", "last_at"},
                 {"COUNT", "count"},
                 {"KIND", "kind"},
                 {"PEER", "peer"},
                 {"SUBJECT", "subject"},
                 {"DETAILS", "detail"}},
     .flags = COMMAND_LIST},
    {"audit verify", .help = "check the chain of the audit log; fails when it was changed",
     .run = audit_verify_run},

    {"status", .help = "show how the installation fares", .method = "GET", .path = "/status"},
    {"doctor", .help = "look for what is missing or about to fail",
     .columns = {{"STATE", "state"}, {"CHECK", "check"}, {"FOUND", "found"}, {"REMEDY", "remedy"}},
     .run = doctor_run},
    {"version", .help = "print the version", .run = version_run},
};

const struct command_row *command_row_at(size_t number)
{
    static const struct command_table begin_table = TABLE(begin), rules_table = TABLE(rules),
                                      house_table = TABLE(house);
    static const struct command_table *const tables[] = {
        &begin_table, &command_device, &rules_table, &command_enrol, &command_people, &house_table,
    };
    for (size_t i = 0; i < COUNT(tables); i++) {
        if (number < tables[i]->count)
            return &tables[i]->rows[number];
        number -= tables[i]->count;
    }
    return NULL;
}
