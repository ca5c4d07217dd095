/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about devices, what they are told and what happened. */
#include "cli/acts.h"
#include "cli/commands.h"

#define DEVICE_COLUMNS                                                                             \
    {                                                                                              \
        {"NAME", "name"}, {"PLATFORM", "platform"}, {"VERSION", "os_version"},                     \
            {"SERIAL", "serial"}, {"USER", "user_name"}, {"ENROLMENT", "enrolment_state"},         \
            {"COMPLIANCE", "compliance"}, {"LAST CONTACT", "last_contact_at"},                     \
            {"SHUT OUT", "shut_out"},                                                              \
    }
#define COMMAND_COLUMNS                                                                            \
    {                                                                                              \
        {"ID", "id"}, {"DEVICE", "device_name"}, {"KIND", "kind"}, {"STATE", "state"},             \
            {"CREATED", "created_at"}, {"ITEM", "item", COLUMN_WIDE},                              \
            {"BY", "created_by", COLUMN_WIDE}, {"FINISHED", "finished_at", COLUMN_WIDE},           \
            {"REASON", "reason", COLUMN_WIDE},                                                     \
    }
#define ORDER_COLUMNS                                                                              \
    {                                                                                              \
        {"ID", "id"}, {"KIND", "kind"}, {"STATE", "state"}, {"CREATED", "created_at"},             \
    }
#define SYNC_COLUMNS                                                                               \
    { /* several questions: none has an identifier for all */                                      \
        {"KIND", "kind"}, {"STATE", "state"}, {"CREATED", "created_at"},                           \
    }
/* POST /devices/{}/commands of one kind */
#define ORDERS(of_kind, ...) .holes = "DEVICE...", ORDERS_ONE(of_kind, __VA_ARGS__)
#define ORDERS_ONE(of_kind, ...) ORDERS_OF(ORDER_COLUMNS, of_kind, __VA_ARGS__)
#define ORDERS_OF(shown, of_kind, ...)                                                             \
    .method = "POST", .path = "/devices/{}/commands", .columns = shown,                            \
    .body = {                                                                                      \
        {"kind", 0, of_kind, PART_TEXT}, {"reason", OPTION_REASON, NULL, PART_TEXT}, __VA_ARGS__}
/* POST /devices/{}/block or unblock */
#define TURNS(word)                                                                                \
    .holes = "DEVICE...", .method = "POST", .path = "/devices/{}/" word,                           \
    .columns = {{"NAME", "name"}, {"ENROLMENT", "enrolment_state"}, {"ID", "id"}},                 \
    .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}}

static const struct command_row rows[] = {
    {"device list", .help = "list devices",
     .options = OPTION(QUERY) | OPTION(COMPLIANCE) | OPTION(LEFT) | OPTION(SHUT_OUT) | PAGE_OPTIONS,
     .method = "GET", .path = "/devices", .columns = DEVICE_COLUMNS, .flags = COMMAND_LIST},
    {"device get", .holes = "DEVICE", .help = "show a device", .method = "GET",
     .path = "/devices/{}"},
    {"device edit", .holes = "DEVICE", .help = "note who carries a device; --user '' for nobody",
     .options = OPTION(USER) | OPTION(REASON), .needs = OPTION(USER), .flags = COMMAND_DEVICE,
     .method = "PATCH", .path = "/devices/{}",
     .body = {{"user", OPTION_USER, NULL, PART_TEXT}, {"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = {{"NAME", "name"}, {"USER", "user_name"}, {"ID", "id"}}},
    {"device facts", .holes = "DEVICE",
     .help = "show what a device reported, and how far it can be trusted", .method = "GET",
     .path = "/devices/{}/facts",
     .columns = {{"NAME", "name"},
                 {"VALUE", "value"},
                 {"EVIDENCE", "evidence"},
                 {"SOURCE", "source"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device integrity", .holes = "DEVICE",
     .help = "show how far a device can be believed: attested, claimed or unknown, and why",
     .method = "GET", .path = "/devices/{}/integrity"},
    {"device users", .holes = "DEVICE", .help = "list the people of a Mac that have a channel",
     .method = "GET", .path = "/devices/{}/users",
     .columns = {{"NAME", "name"},
                 {"STATE", "state"},
                 {"LAST CONTACT", "last_contact_at"},
                 {"OPEN", "open_commands"},
                 {"PROFILES", "profile_count"},
                 {"ID", "id"}},
     .flags = COMMAND_LIST},
    {"device user-sync", .holes = "DEVICE CHANNEL",
     .help = "ask the channel of one person for its profiles", .method = "POST",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, .path = "/devices/{}/users/{}/sync",
     .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = {{"NAME", "name"}, {"STATE", "state"}, {"OPEN", "open_commands"}}},
    {"device attest", .help = "ask the hardware of devices to attest who they are",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, ORDERS("attest")},
    {"device inventory", .holes = "DEVICE",
     .help = "show which lists a device told; one that is missing is unknown, not empty",
     .method = "GET", .path = "/devices/{}/inventory",
     .columns = {{"LIST", "kind"},
                 {"COUNT", "count"},
                 {"CUT", "is_cut"},
                 {"EVIDENCE", "evidence"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device apps", .holes = "DEVICE", .help = "show the apps on a device", .options = PAGE_OPTIONS,
     .run = device_things_run,
     .columns = {{"NAME", "name"},
                 {"VERSION", "version"},
                 {"MANAGED", "state"},
                 {"IDENTIFIER", "identifier"},
                 {"SINCE", "changed_at"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device certificates", .holes = "DEVICE", .help = "show the certificates on a device",
     .options = PAGE_OPTIONS, .run = device_things_run,
     .columns = {{"NAME", "name"},
                 {"STATE", "state"},
                 {"VALID UNTIL", "expires_at"},
                 {"REPORTED", "reported_at"},
                 {"SHA-256", "identifier", COLUMN_WIDE | COLUMN_FINGERPRINT}},
     .flags = COMMAND_LIST},
    {"device profiles", .holes = "DEVICE", .help = "show the configuration profiles on a device",
     .options = PAGE_OPTIONS, .run = device_things_run,
     .columns = {{"NAME", "name"},
                 {"STATE", "state"},
                 {"IDENTIFIER", "identifier"},
                 {"SINCE", "changed_at"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device events", .holes = "DEVICE", .help = "show what happened with a device",
     .options = OPTION(KIND) | OPTION(SINCE) | PAGE_OPTIONS,
     .columns = {{"AT", "at"}, {"EVENT", "kind"}, {"DETAILS", "body"}}, .flags = COMMAND_LIST,
     .run = event_list_run},
    {"device declarations", .holes = "DEVICE",
     .help = "show what a device says of the settings that it fetches by itself", .method = "GET",
     .path = "/devices/{}/declarations",
     .columns = {{"KIND", "kind"},
                 {"IDENTIFIER", "identifier"},
                 {"VALIDITY", "validity"},
                 {"ACTIVE", "is_active"},
                 {"REASON", "reason"},
                 {"REPORTED", "reported_at"}},
     .flags = COMMAND_LIST},
    {"device sync", .help = "ask devices to report everything now", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE, .holes = "DEVICE...", ORDERS_OF(SYNC_COLUMNS, "sync")},
    {"device lock", .help = "lock devices",
     .options = OPTION(REASON) | OPTION(MESSAGE) | OPTION(PHONE) | OPTION(PIN),
     .flags = COMMAND_DEVICE,
     ORDERS("lock", {"message", OPTION_MESSAGE, NULL, PART_TEXT},
            {"phone", OPTION_PHONE, NULL, PART_TEXT}, {"pin", OPTION_PIN, NULL, PART_TEXT})},
    {"device renew", .help = "give devices a new identity now, long before theirs ends",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, ORDERS("renew_identity")},
    {"device clear-passcode",
     .help = "take the passcode off devices, so that their owners can set a new one",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence =
         "%s can be opened by whoever holds it, and its data is not protected, until a new "
         "passcode is set. Do not do this to a lost device.",
     ORDERS("clear_passcode")},
    {"device rename", .holes = "DEVICE NAME", .help = "give a device another name",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE,
     ORDERS_ONE("rename", {"name", 0, "{2}", PART_TEXT})},
    {"device lost-mode enable",
     .help = "lock devices until they are found, with words on their screens",
     .options = OPTION(REASON) | OPTION(MESSAGE) | OPTION(PHONE) | OPTION(FOOTNOTE),
     .needs = OPTION(MESSAGE) | OPTION(PHONE), .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s cannot be used until lost mode is disabled.",
     ORDERS("enable_lost_mode", {"message", OPTION_MESSAGE, NULL, PART_TEXT},
            {"phone", OPTION_PHONE, NULL, PART_TEXT},
            {"footnote", OPTION_FOOTNOTE, NULL, PART_TEXT})},
    {"device lost-mode disable", .help = "let devices that were lost be used again",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, ORDERS("disable_lost_mode")},
    {"device lost-mode sound", .help = "make devices in lost mode play a sound",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, ORDERS("play_sound")},
    {"device locate", .help = "ask devices in lost mode where they are", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s is asked where it is; that it was, and by whom, is in the audit log.",
     ORDERS("locate")},
    {"device position", .holes = "DEVICE",
     .help = "show where a lost device was last; the look is in the audit log", .method = "GET",
     .path = "/devices/{}/position"},
    {"device bypass-code", .holes = "DEVICE",
     .help = "show what opens the activation lock; the look is in the audit log", .method = "GET",
     .path = "/devices/{}/bypass-code",
     .columns = {{"", "secret"}, {"Told by the device", "kept_at"}}, .flags = COMMAND_PLAIN},
    {"device finish-setup", .help = "let new devices go on that wait in their assistant",
     .options = OPTION(REASON), .flags = COMMAND_DEVICE, ORDERS("finish_setup")},
    {"device shut-down", .help = "switch devices off", .options = OPTION(REASON),
     .flags = COMMAND_DEVICE | COMMAND_ASKS,
     .consequence = "%s is off until somebody switches it on by hand; what is open on it and not "
                    "saved is lost.",
     ORDERS("shut_down")},
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
    {"device wipe", .holes = "DEVICE", .help = "erase a device; --dry-run only shows what would go",
     .options = OPTION(REASON) | OPTION(PIN) | OPTION(DRY_RUN), .run = device_wipe_run,
     .flags = COMMAND_DEVICE | COMMAND_ASKS | COMMAND_ASKS_NAME,
     .consequence = "EVERYTHING on %s is erased, private data too. This cannot be undone.",
     ORDERS_ONE("wipe", {"pin", OPTION_PIN, NULL, PART_TEXT})},

    {"event list", .help = "list what happened, with devices and with the house, newest first",
     .options = OPTION(KIND) | OPTION(DEVICE) | OPTION(SINCE) | PAGE_OPTIONS,
     .columns = {{"AT", "at"}, {"EVENT", "kind"}, {"DEVICE", "device_name"}, {"DETAILS", "body"}},
     .flags = COMMAND_LIST, .run = event_list_run},

    {"explain", .holes = "DEVICE [SETTING]",
     .help = "say what holds for a device, how it complies, and why", .run = explain_run},

    {"command list", .help = "list commands, newest first",
     .options = OPTION(DEVICE) | PAGE_OPTIONS, .columns = COMMAND_COLUMNS, .flags = COMMAND_LIST,
     .run = command_list_run},
    {"command get", .holes = "COMMAND", .help = "show a command", .method = "GET",
     .path = "/commands/{}"},
    {"command confirm", .holes = "COMMAND...",
     .help = "say yes again to commands that waited too long for their devices",
     .options = OPTION(REASON), .flags = COMMAND_ASKS,
     .consequence = "The command %s is given to its device when it calls.", .method = "POST",
     .path = "/commands/{}/confirmation", .body = {{"reason", OPTION_REASON, NULL, PART_TEXT}},
     .columns = {{"ID", "id"}, {"KIND", "kind"}, {"STATE", "state"}, {"CREATED", "created_at"}}},
    {"command cancel", .holes = "COMMAND...",
     .help = "cancel commands that no device has fetched; a wipe becomes a retirement",
     .method = "DELETE", .path = "/commands/{}", .flags = COMMAND_SILENT,
     .done = "%s is cancelled."},
};
const struct command_table command_device = TABLE(rows);
