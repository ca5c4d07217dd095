/* SPDX-License-Identifier: Apache-2.0 */
/* Every section and key with its default and meaning, and the texts that are made of them. */
#include "server/options_table.h"

#include "base/log.h"
#include "base/mem.h"

#define HELP_SIZE (64 * 1024)
#define RETENTION_DAYS_MAX 36500

static const char *const edge_modes[] = {"embedded", "external", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};

#define TEXT_KEY(key, member, text) TEXT_AS(key, struct options, member, 0, .help = (text))
#define ADDRESS_KEY(member)                                                                        \
    TEXT_KEY("address", member,                                                                    \
             "Addresses to listen on, between spaces; :: alone: all, of IPv4 and IPv6.")
#define CERTIFICATE_KEYS(door)                                                                     \
    TEXT_KEY("certificate", door##_certificate,                                                    \
             "PEM file: certificate and chain of another authority; empty: this server's own."),   \
        TEXT_KEY("key", door##_key, "PEM file: its key, readable by user."),                       \
        TEXT_KEY("certificate_2", door##_certificate_2,                                            \
                 "A second one with another kind of key (RSA beside P-256), for old clients."),    \
        TEXT_KEY("key_2", door##_key_2, "Its key.")
#define PORT_KEY(key, member, low, text)                                                           \
    INTEGER_AS(key, struct options, member, 0, .lowest = (low), .highest = 65535, .help = (text))
#define NUMBER_KEY(key, member, low, high, text)                                                   \
    INTEGER_AS(key, struct options, member, 0, .lowest = (low), .highest = (high), .help = (text))
#define CHOICE_KEY(key, member, list, text)                                                        \
    {                                                                                              \
        .name = (key), .type = FIELD_ENUM, .names = (list),                                        \
        .offset = offsetof(struct options, member), .help = (text)                                 \
    }

static const struct field server_keys[] = {
    TEXT_KEY("data_dir", data_dir, "Where everything is kept that must outlive a restart."),
    TEXT_KEY("run_dir", run_dir, "Sockets and the files of the edge; at most 80 bytes."),
    TEXT_KEY("database", database,
             "sqlite:FILE or postgres:CONNINFO; empty: sqlite:<data_dir>/db/muster.db."),
    TEXT_KEY("organization", organization,
             "The name that devices and certificates show; taken at the first start, then kept."),
    TEXT_KEY("names", names,
             "Host names and addresses of this server, the first for URLs; empty: the host name."),
    CHOICE_KEY("log", log, log_level_names, "The least important line that is logged."),
    NUMBER_KEY("workers", workers, 1, 256, "Threads that handle requests."),
    NUMBER_KEY("queue", queue, 1, 100000, "Requests that may wait for a thread."),
    NUMBER_KEY("stop_seconds", stop_seconds, 1, 600, "Time to finish what is under way at a stop."),
    NUMBER_KEY("claim_seconds", claim_seconds, 0, 3600,
               "How long to wait for another server to let go of the database."),
};
static const struct field front_keys[] = {
    ADDRESS_KEY(front_address),
    PORT_KEY("port", front_port, 1, "Console, portal, API, enrolment pages (TLS)."),
    TEXT_KEY("url", front_url, "How others reach it; empty: https://<first name>:<port>."),
    CERTIFICATE_KEYS(front),
};
static const struct field device_keys[] = {
    ADDRESS_KEY(device_address),
    PORT_KEY("port", device_port, 1, "Managed devices (TLS with client certificates)."),
    TEXT_KEY("url", device_url, "How devices reach it; empty: https://<first name>:<port>."),
    CERTIFICATE_KEYS(device),
};
static const struct field plain_keys[] = {
    ADDRESS_KEY(plain_address),
    PORT_KEY("port", plain_port, 1, "SCEP, CRL, OCSP: signed messages without TLS."),
    TEXT_KEY("url", plain_url, "How devices reach it; empty: http://<first name>:<port>."),
};
static const struct field metrics_keys[] = {
    PORT_KEY("port", metrics_port, 0, "Loopback port of /livez and /readyz; 0: none."),
};
static const struct field edge_keys[] = {
    CHOICE_KEY("mode", edge_mode, edge_modes,
               "embedded: musterd runs nginx; external: see musterd edge-config."),
    TEXT_KEY("program", edge_program, "The nginx to run."),
    NUMBER_KEY("workers", edge_workers, 0, 256, "Processes of the edge; 0: one per core."),
    NUMBER_KEY("connections", edge_connections, 64, 1000000, "Connections of each of them."),
};
static const struct field limit_keys[] = {
    NUMBER_KEY("front_connections", front_connections, 1, 1000000,
               "Requests that one address may have under way at the front."),
    NUMBER_KEY("device_connections", device_connections, 1, 1000000,
               "The same at the device door: many devices share an address behind a NAT."),
    NUMBER_KEY("plain_connections", plain_connections, 1, 1000000, "The same at the plain door."),
    NUMBER_KEY("authority_rate", authority_rate, 1, 100000,
               "SCEP and OCSP requests of one address in a second."),
    NUMBER_KEY("authority_burst", authority_burst, 1, 1000000, "How many more may come at once."),
    NUMBER_KEY("session_rate", session_rate, 1, 100000, "Sign-ins of one address in a second."),
    NUMBER_KEY("session_burst", session_burst, 1, 1000000, "How many more may come at once."),
};
static const struct field user_keys[] = {
    TEXT_KEY("user", user, "Runs the server when started as root; empty: nobody else."),
    TEXT_KEY("keyd_user", keyd_user, "Runs the key process."),
    TEXT_KEY("edge_user", edge_user, "Runs the edge; its group may read the edge's files."),
};

static const char *const self_ownerships[] = {"company", "personal", "choice", NULL};
static const struct field enrolment_keys[] = {
    CHOICE_KEY("ownership", self_ownership, self_ownerships,
               "Whose a device is that a person enrols by signing in; choice: the person says so."),
};

static const struct field lifetime_keys[] = {
    NUMBER_KEY("link_hours", link_hours, 1, 8760, "How long an enrolment link can be used."),
    NUMBER_KEY("challenge_minutes", challenge_minutes, 1, 10080,
               "How long a device may take from its profile to its certificate request."),
    NUMBER_KEY("certificate_days", certificate_days, 1, 825,
               "How long a device identity lives; applies to those issued later."),
    NUMBER_KEY("renew_percent", renew_percent, 1, 100,
               "The last part of its life in which an identity is renewed, in percent; applies to "
               "those issued later."),
    NUMBER_KEY("rollover_days", rollover_days, 0, 365,
               "Within which devices get identities from another authority, after a switch."),
    NUMBER_KEY("session_hours", session_hours, 1, 720, "How long a sign-in lasts."),
    NUMBER_KEY(
        "confirmation_days", confirmation_days, 1, 365,
        "How long a wipe, a lock or the clearing of a passcode may wait for its device; then "
        "somebody has to confirm it before it is delivered."),
};
static const struct field network_keys[] = {
    CHOICE_KEY("legacy_algorithms", legacy_algorithms, no_yes,
               "At /scep/network alone: take SHA-1 and 3DES of gear that knows nothing better, and "
               "answer with them."),
};
static const struct field revocation_keys[] = {
    NUMBER_KEY("partitions", revocation_parts, 1, 64,
               "Revocation lists that share new certificates; 1: the list of all; applies to those "
               "issued later."),
    NUMBER_KEY("delta_hours", delta_hours, 0, 24,
               "Beside each revocation list one of its changes, to be fetched again after so many "
               "hours; 0: none."),
};
static const struct field compliance_keys[] = {
    NUMBER_KEY("evidence_days", evidence_days, 1, 120,
               "How long what a device reported makes it compliant; then it is unknown."),
    NUMBER_KEY("integrity_hours", integrity_hours, 1, 2880,
               "The same of evidence that it is intact, where that is shorter."),
};
static const struct field retention_keys[] = {
    NUMBER_KEY("event_days", event_days, 0, RETENTION_DAYS_MAX,
               "How long the history of devices is kept; 0: for ever."),
    NUMBER_KEY("command_days", command_days, 0, RETENTION_DAYS_MAX,
               "How long finished commands are kept; of a managed device the last one of each kind "
               "stays; 0: for ever."),
    NUMBER_KEY("attempt_days", attempt_days, 0, RETENTION_DAYS_MAX,
               "How long enrolments that were never completed are kept when their link has ended, "
               "and links; 0: for ever."),
    NUMBER_KEY("token_days", token_days, 0, RETENTION_DAYS_MAX,
               "How long sessions and API tokens stay listed when they have ended; 0: for ever."),
    NUMBER_KEY("position_days", position_days, 1, 365,
               "How long the last position of a lost device is kept."),
};
static const struct field apple_keys[] = {
    TEXT_KEY("apns_url", apns_url, "Apple's push service."),
    TEXT_KEY("apns_ca_file", apns_ca_file,
             "Roots to trust for it, PEM; empty: those of the system."),
    TEXT_KEY("enrolment_service_url", service_url, "Apple's device enrolment service."),
    TEXT_KEY("enrolment_service_ca_file", service_ca_file,
             "Roots to trust for it, PEM; empty: those of the system."),
    TEXT_KEY("device_ca_file", device_ca_file,
             "Authorities that certify Apple's devices, PEM; empty: no automated enrolment, and "
             "enrolment by account without a look at the signature."),
    TEXT_KEY("attestation_ca_file", attestation_ca_file,
             "Roots that vouch for what the hardware of Apple's devices attests, PEM; empty: "
             "devices are not asked."),
    NUMBER_KEY("pushes_per_second", pushes_per_second, 1, 10000,
               "The most pushes in a second: how fast devices come in after a change for many."),
    NUMBER_KEY("silent_hours", silent_hours, 0, 8760,
               "A device that was not heard of for this long is woken once a day; 0: never."),
    CHOICE_KEY("signed_messages", signed_messages, no_yes,
               "yes: devices sign each message (Mdm-Signature), and a proxy in front may end their "
               "TLS; applies to those that enrol or renew later."),
    CHOICE_KEY("declared_profiles", declared_profiles, no_yes,
               "yes: devices that know declarations fetch their profiles by themselves, with their "
               "certificate; no: profiles are commands."),
    CHOICE_KEY("network_users", network_users, no_yes,
               "yes: accounts of a directory that sign in to a Mac get a channel of their own, "
               "like its local account."),
};

const struct config_section options_sections[] = {
    {"server", FIELDS(server_keys)},         {"front", FIELDS(front_keys)},
    {"device", FIELDS(device_keys)},         {"plain", FIELDS(plain_keys)},
    {"metrics", FIELDS(metrics_keys)},       {"edge", FIELDS(edge_keys)},
    {"limits", FIELDS(limit_keys)},          {"users", FIELDS(user_keys)},
    {"enrolment", FIELDS(enrolment_keys)},   {"lifetimes", FIELDS(lifetime_keys)},
    {"network", FIELDS(network_keys)},       {"revocation", FIELDS(revocation_keys)},
    {"compliance", FIELDS(compliance_keys)}, {"retention", FIELDS(retention_keys)},
    {"apple", FIELDS(apple_keys)},
};

const size_t options_section_count = COUNT(options_sections);

static const struct options default_numbers = {
    .log = LOG_INFO,
    .workers = 16,
    .queue = 1024,
    .stop_seconds = 20,
    .claim_seconds = 30,
    .self_ownership = 2, /* choice */
    .front_port = 8443,
    .device_port = 8444,
    .plain_port = 8080,
    .metrics_port = 9464,
    .edge_mode = EDGE_MODE_EMBEDDED,
    .edge_connections = 4096,
    .front_connections = 256,
    .device_connections = 1024,
    .plain_connections = 256,
    .authority_rate = 50,
    .authority_burst = 200,
    .session_rate = 2,
    .session_burst = 20,
    .link_hours = 24,
    .challenge_minutes = 60,
    .certificate_days = 365,
    .renew_percent = 33,
    .rollover_days = 30,
    .session_hours = 12,
    .revocation_parts = 1,
    .confirmation_days = 7,
    .evidence_days = 30,
    .integrity_hours = 72,
    .event_days = 90,
    .command_days = 90,
    .attempt_days = 30,
    .token_days = 30,
    .position_days = 7,
    .pushes_per_second = 200,
    .silent_hours = 24,
};

/* Every text that is not set by the table is empty, never NULL. */
static void texts_empty(void *owner, struct options *options)
{
    for (size_t i = 0; i < COUNT(options_sections); i++)
        for (size_t k = 0; k < options_sections[i].fields.count; k++) {
            const struct field *field = &options_sections[i].fields.list[k];
            if (field->type == FIELD_TEXT)
                *(char **)field_at(field, options) = mem_text(owner, "");
        }
}

struct options options_defaults(void *owner)
{
    struct options options = default_numbers;
    texts_empty(owner, &options);
    options.data_dir = mem_text(owner, "/var/lib/muster");
    options.run_dir = mem_text(owner, "/run/muster");
    options.organization = mem_text(owner, "Muster");
    options.edge_program = mem_text(owner, "/usr/sbin/nginx");
    options.apns_url = mem_text(owner, "https://api.push.apple.com");
    options.service_url = mem_text(owner, "https://mdmenrollment.apple.com");
    options.front_address = mem_text(owner, "0.0.0.0");
    options.device_address = mem_text(owner, "0.0.0.0");
    options.plain_address = mem_text(owner, "0.0.0.0");
    return options;
}

/* ---- as texts ---- */

static void value_put(struct buffer *out, const struct field *field, const struct options *options)
{
    const void *member = field_in(field, options);
    if (field->type == FIELD_TEXT)
        buffer_text(out, *(char *const *)member);
    else if (field->type == FIELD_ENUM)
        buffer_text(out, field->names[*(const int *)member]);
    else
        buffer_format(out, "%lld", (long long)*(const int64_t *)member);
}

char *options_help(void *owner)
{
    struct options defaults = options_defaults(owner);
    struct buffer out;
    buffer_init(&out, owner, HELP_SIZE);
    for (size_t i = 0; i < options_section_count; i++) {
        buffer_format(&out, "\n[%s]\n", options_sections[i].name);
        for (size_t k = 0; k < options_sections[i].fields.count; k++) {
            const struct field *field = &options_sections[i].fields.list[k];
            buffer_format(&out, "  %s = ", field->name);
            value_put(&out, field, &defaults);
            buffer_format(&out, "\n      %s", field->help);
            if (field->type == FIELD_ENUM)
                buffer_format(&out, " (%s)", name_list(owner, field->names));
            buffer_text(&out, "\n");
        }
    }
    return mem_text(owner, buffer_string(&out));
}

char *options_render(void *owner, const struct options *options)
{
    struct buffer out;
    buffer_init(&out, owner, CONFIG_SIZE_MAX);
    for (size_t i = 0; i < options_section_count; i++) {
        buffer_format(&out, "[%s]\n", options_sections[i].name);
        for (size_t k = 0; k < options_sections[i].fields.count; k++) {
            const struct field *field = &options_sections[i].fields.list[k];
            buffer_format(&out, "%s = ", field->name);
            value_put(&out, field, options);
            buffer_text(&out, "\n");
        }
    }
    return mem_text(owner, buffer_string(&out));
}
