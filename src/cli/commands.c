/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command, in the order of the help.  To add one whose request and answer are plain: one row
 * here.  What needs more than one request has a function in a file of its own (acts.h).
 */
#include "base/mem.h"
#include "cli/acts.h"

#define PAGE_OPTIONS (OPTION(LIMIT) | OPTION(CURSOR) | OPTION(ALL))

#define DEVICE_COLUMNS                                                                             \
    {                                                                                              \
        {"NAME", "name"}, {"PLATFORM", "platform"}, {"VERSION", "os_version"},                     \
            {"SERIAL", "serial"}, {"ENROLMENT", "enrolment_state"}, {"COMPLIANCE", "compliance"},  \
            {"LAST CONTACT", "last_contact_at"},                                                   \
    }
#define COMMAND_COLUMNS                                                                            \
    {                                                                                              \
        {"ID", "id"}, {"KIND", "kind"}, {"ITEM", "item"}, {"STATE", "state"},                      \
            {"CREATED", "created_at"}, {"BY", "created_by"}, {"FINISHED", "finished_at"},          \
            {"REASON", "reason"},                                                                  \
    }
/* POST /devices/{}/commands of one kind */
#define ORDERS(of_kind, ...)                                                                       \
    .holes = "DEVICE...", .method = "POST", .path = "/devices/{}/commands",                        \
    .columns = {{"ID", "id"}, {"KIND", "kind"}, {"STATE", "state"}, {"CREATED", "created_at"}},    \
    .body = {                                                                                      \
        {"kind", 0, of_kind, PART_TEXT}, {"reason", OPTION_REASON, NULL, PART_TEXT}, __VA_ARGS__}

/* POST /devices/{}/block or unblock */
#define TURNS(word)                                                                                \
    .holes = "DEVICE...", .method = "POST", .path = "/devices/{}/" word,                           \
    .columns = {{"NAME", "name"}, {"ENROLMENT", "enrolment_state"}, {"ID", "id"}},                 \
    .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}

const struct command_row command_rows[] = {
    {"login", .help = "sign in and keep the token",
     .options = OPTION(USER) | OPTION(PASSWORD_STDIN), .run = login_run},
    {"logout", .help = "sign out and forget the token", .run = logout_run},

    {"device list", .help = "list devices",
     .options = OPTION(QUERY) | OPTION(COMPLIANCE) | OPTION(LEFT) | PAGE_OPTIONS, .method = "GET",
     .path = "/devices", .columns = DEVICE_COLUMNS, .flags = COMMAND_LIST},
    {"device get", .holes = "DEVICE", .help = "show a device", .method = "GET",
     .path = "/devices/{}"},
    {"device facts", .holes = "DEVICE",
     .help = "show what a device reported, and how far it can be trusted", .method = "GET",
     .path = "/devices/{}/facts",
     .columns = {{"NAME", "name"},
                 {"VALUE", "value"},
                 {"EVIDENCE", "evidence"},
                 {"SOURCE", "source"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device events", .holes = "DEVICE", .help = "show what happened with a device",
     .options = PAGE_OPTIONS, .method = "GET", .path = "/devices/{}/events",
     .columns = {{"AT", "at"}, {"EVENT", "kind"}, {"DETAILS", "body"}}, .flags = COMMAND_LIST},
    {"device sync", .help = "ask devices to report everything now", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE, ORDERS("sync")},
    {"device lock", .help = "lock devices",
     .options = OPTION(REASON) | OPTION(MESSAGE) | OPTION(PHONE) | OPTION(PIN),
     .flags = COMMAND_DEVICE,
     ORDERS("lock", {"message", OPTION_MESSAGE, NULL, PART_TEXT},
            {"phone", OPTION_PHONE, NULL, PART_TEXT}, {"pin", OPTION_PIN, NULL, PART_TEXT})},
    {"device restart", .help = "restart devices", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s restarts; what is open on it and not saved is lost.", ORDERS("restart")},
    {"device block",
     .help =
         "shut devices out: they stay enrolled, but get nothing, and their certificates are held",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s is refused from now on, and whoever checks its certificate hears so.",
     TURNS("block")},
    {"device unblock", .help = "let blocked devices in again", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE, TURNS("unblock")},
    {"device retire", .help = "take devices out of management: their policies and certificates go",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s leaves management: what policies brought is removed, its certificate is "
                    "revoked at once.",
     ORDERS("retire")},
    {"device wipe", .help = "erase devices", .options = OPTION(REASON) | OPTION(PIN),
     .flags = COMMAND_DEVICE | COMMAND_ASKS | COMMAND_ASKS_NAME,
     .consequence = "EVERYTHING on %s is erased, private data too. This cannot be undone.",
     ORDERS("wipe", {"pin", OPTION_PIN, NULL, PART_TEXT})},

    {"explain", .holes = "DEVICE [SETTING]",
     .help = "say what holds for a device, how it complies, and why", .run = explain_run},

    {"command list", .help = "list commands, newest first",
     .options = OPTION(DEVICE) | PAGE_OPTIONS, .columns = COMMAND_COLUMNS, .flags = COMMAND_LIST,
     .run = command_list_run},
    {"command get", .holes = "COMMAND", .help = "show a command", .method = "GET",
     .path = "/commands/{}"},
    {"command cancel", .holes = "COMMAND...", .help = "cancel commands that no device has fetched",
     .method = "DELETE", .path = "/commands/{}", .flags = COMMAND_SILENT,
     .done = "%s is cancelled."},

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
     .columns = {{"REVISION", "revision"}, {"UPDATED", "updated_at"}, {"SETTINGS", "settings"}},
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
    {"setting list", .help = "list the settings that policies can hold", .method = "GET",
     .path = "/settings",
     .columns = {{"NAME", "name"},
                 {"TYPE", "type"},
                 {"RANGE", "range"},
                 {"CHOICES", "choices"},
                 {"UNIT", "unit"},
                 {"STRICTER", "stricter"},
                 {"TITLE", "title"}},
     .flags = COMMAND_LIST},

    {"enrol link", .help = "make a one-time link that lets a device in",
     .options = OPTION(NAME) | OPTION(OWNERSHIP) | OPTION(DEVICE) | OPTION(EXPIRES),
     .method = "POST", .path = "/enrolment-links",
     .body = {{"name", OPTION_NAME, NULL, PART_TEXT},
              {"ownership", OPTION_OWNERSHIP, NULL, PART_TEXT},
              {"device", OPTION_DEVICE, NULL, PART_TEXT},
              {"expires_at", OPTION_EXPIRES, NULL, PART_EXPIRY}},
     .columns = {{"", "url"}, {"To be opened on the device once, before", "expires_at"}},
     .flags = COMMAND_PLAIN},
    {"enrol list", .help = "list enrolment links", .options = PAGE_OPTIONS, .method = "GET",
     .path = "/enrolment-links",
     .columns = {{"ID", "id"},
                 {"NAME", "name"},
                 {"OWNERSHIP", "ownership"},
                 {"DEVICE", "device_id"},
                 {"CREATED", "created_at"},
                 {"EXPIRES", "expires_at"},
                 {"USED", "used_at"},
                 {"REVOKED", "revoked_at"}},
     .flags = COMMAND_LIST},
    {"enrol revoke", .holes = "LINK...", .help = "revoke enrolment links", .method = "DELETE",
     .path = "/enrolment-links/{}", .flags = COMMAND_SILENT, .done = "%s is revoked."},

    {"certificate list", .help = "list certificates, newest first",
     .options = OPTION(DEVICE) | PAGE_OPTIONS,
     .columns = {{"SERIAL", "serial"},
                 {"STATE", "state"},
                 {"SUBJECT", "subject"},
                 {"PURPOSE", "purpose"},
                 {"VALID UNTIL", "not_after"},
                 {"REVOKED", "revoked_at"}},
     .flags = COMMAND_LIST, .run = certificate_list_run},
    {"certificate get", .holes = "CERTIFICATE",
     .help = "show a certificate, by id or serial number", .method = "GET",
     .path = "/certificates/{}"},
    {"certificate trace", .holes = "CERTIFICATE|DEVICE",
     .help = "show how a certificate came about, step by step",
     .columns = {{"STEP", "step"},
                 {"WHAT", "title"},
                 {"OUTCOME", "outcome"},
                 {"AT", "at"},
                 {"DETAILS", "detail"}},
     .flags = COMMAND_LIST, .run = certificate_trace_run},
    {"certificate revoke", .holes = "CERTIFICATE...", .help = "revoke certificates",
     .options = OPTION(REASON) | OPTION(CODE), .method = "POST",
     .path = "/certificates/{}/revocation",
     .body = {{"reason", OPTION_CODE, NULL, PART_TEXT}, {"note", OPTION_REASON, NULL, PART_TEXT}},
     .columns = {{"SERIAL", "serial"}, {"STATE", "state"}, {"REVOKED", "revoked_at"}},
     .flags = COMMAND_ASKS,
     .consequence =
         "The certificate %s is worth nothing from now on; the device has to enrol again."},

    {"apple push-certificate get", .help = "show the state of the push certificate",
     .method = "GET", .path = "/apple/push-certificate"},
    {"apple push-certificate request", .help = "print a request for Apple to certify",
     .options = OPTION(EMAIL), .method = "POST", .path = "/apple/push-certificate/request",
     .body = {{"email", OPTION_EMAIL, NULL, PART_TEXT}}, .columns = {{"", "request"}},
     .flags = COMMAND_PLAIN},
    {"apple push-certificate import", .holes = "FILE",
     .help = "take the certificate that Apple made (PEM); - is standard input",
     .columns = {{"STATE", "state"}, {"TOPIC", "topic"}, {"VALID UNTIL", "not_after"}},
     .run = push_import_run},

    {"token create", .holes = "NAME", .help = "make an API token",
     .options = OPTION(ROLE) | OPTION(EXPIRES), .method = "POST", .path = "/tokens",
     .body = {{"name", 0, "{}", PART_TEXT},
              {"role", OPTION_ROLE, NULL, PART_TEXT},
              {"expires_at", OPTION_EXPIRES, NULL, PART_EXPIRY}},
     .columns = {{"", "token"}, {"Shown this once. Id", "id"}, {"Ends", "expires_at"}},
     .flags = COMMAND_PLAIN},
    {"token list", .help = "list sessions and API tokens", .options = PAGE_OPTIONS, .method = "GET",
     .path = "/tokens",
     .columns = {{"ID", "id"},
                 {"KIND", "kind"},
                 {"NAME", "name"},
                 {"ACCOUNT", "account_name"},
                 {"ROLE", "role"},
                 {"CREATED", "created_at"},
                 {"EXPIRES", "expires_at"},
                 {"REVOKED", "revoked_at"}},
     .flags = COMMAND_LIST},
    {"token revoke", .holes = "TOKEN...", .help = "revoke sessions or API tokens",
     .method = "DELETE", .path = "/tokens/{}", .flags = COMMAND_SILENT, .done = "%s is revoked."},

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
                 {"DETAIL", "detail"}},
     .flags = COMMAND_LIST},
    {"audit verify", .help = "check the chain of the audit log; fails when it was changed",
     .run = audit_verify_run},

    {"status", .help = "show how the installation fares", .method = "GET", .path = "/status"},
    {"doctor", .help = "look for what is missing or about to fail",
     .columns = {{"STATE", "state"}, {"CHECK", "check"}, {"FOUND", "found"}, {"REMEDY", "remedy"}},
     .run = doctor_run},
    {"version", .help = "print the version", .run = version_run},
};
const size_t command_row_count = COUNT(command_rows);
