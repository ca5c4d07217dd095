/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/options.h"

#include "base/mem.h"
#include "base/text.h"

#define TEXT_OPTION(wire, member, text) TEXT_AS(wire, struct options, member, 0, .help = (text))
#define NUMBER_OPTION(wire, member, from, to, text)                                                \
    INTEGER_AS(wire, struct options, member, 0, .lowest = (from), .highest = (to), .help = (text))
#define FLAG_OPTION(wire, member, text) BOOLEAN_AS(wire, struct options, member, 0, .help = (text))

static const struct field option_fields[] = {
    TEXT_OPTION("link", link, "enrolment link"),
    TEXT_OPTION("sign-in", sign_in, "page to sign in at, instead of a link"),
    TEXT_OPTION("account", account, "Managed Apple Account to enrol with, instead of a link"),
    TEXT_OPTION("account-host", account_host, "https://HOST:PORT that serves its domain"),
    TEXT_OPTION("user", user, "who signs in"),
    TEXT_OPTION("password", password, "with this password"),
    TEXT_OPTION("new-password", new_password, "what is chosen where the page asks for a new one"),
    TEXT_OPTION("ownership", ownership, "whose the device is: personal (default) or company"),
    TEXT_OPTION("state", state, "the phone's directory"),
    TEXT_OPTION("name", name, "what its user calls it"),
    TEXT_OPTION("model", model, "product, such as iPhone15,2"),
    TEXT_OPTION("os", os, "version of the operating system"),
    TEXT_OPTION("build", build, "its build"),
    TEXT_OPTION("serial", serial, "serial number"),
    TEXT_OPTION("udid", udid, "identifier of the device"),
    TEXT_OPTION("passcode", passcode, "none, simple, 8, 8a (with letters), 8c (one symbol)"),
    TEXT_OPTION("ca", ca, "roots in PEM to trust instead of the system's"),
    TEXT_OPTION("keys", keys, "key pool to take keys from"),
    TEXT_OPTION("push-host", push_host, "control URL of a simulated APNs"),
    TEXT_OPTION("misbehave", misbehave, "scripts, separated by commas"),
    TEXT_OPTION("scep-misbehave", scep_misbehave, "one wrong way to ask for a certificate"),
    TEXT_OPTION("out", out, "file or directory to write"),
    TEXT_OPTION("ledger", ledger, "file to append JSON lines to"),
    TEXT_OPTION("link-file", link_file, "one enrolment link a line"),
    TEXT_OPTION("apns", apns, "control URL of a simulated APNs"),
    TEXT_OPTION("cert", cert, "certificate in PEM: of the server, or what a token is encrypted to"),
    TEXT_OPTION("key", key, "its key in PEM"),
    TEXT_OPTION("client-ca", client_ca, "authority of the push certificates"),
    TEXT_OPTION("ready-file", ready_file, "written once everything listens"),
    TEXT_OPTION("csr", csr, "certificate request in PEM"),
    TEXT_OPTION("topic", topic, "topic of the push certificate"),
    TEXT_OPTION("dir", dir, "directory of a simulated service's authority"),
    TEXT_OPTION("service", service, "URL of a simulated enrolment service"),
    TEXT_OPTION("consumer", consumer, "consumer key of the token: names a server there"),
    NUMBER_OPTION("count", count, 0, 100000, "how many keys"),
    NUMBER_OPTION("bits", bits, 1024, 8192, "size of the keys"),
    NUMBER_OPTION("port", port, 0, 65535, "of HTTP/2; 0: any"),
    NUMBER_OPTION("control-port", control_port, 0, 65535, "of the control listener; 0: any"),
    NUMBER_OPTION("devices", devices, 1, 100000, "how many phones"),
    NUMBER_OPTION("connections", connections, 1, 20000, "how many at a time"),
    NUMBER_OPTION("seconds", seconds, 0, 1000000, "how long"),
    NUMBER_OPTION("interval", interval, 1, 86400, "seconds between sessions without a push"),
    NUMBER_OPTION("streams", streams, 1, 100000, "pushes at once on one connection"),
    NUMBER_OPTION("delay-ms", delay_ms, 0, 60000, "milliseconds until a push is answered"),
    NUMBER_OPTION("patience", patience, 0, 86400, "seconds to go on trying a request"),
    NUMBER_OPTION("days", days, -3650, 3650, "days until the token ends"),
    NUMBER_OPTION("page-size", page_size, 1, 1000, "devices of one page"),
    NUMBER_OPTION("session-calls", session_calls, 1, 100000, "calls until a session ends"),
    NUMBER_OPTION("locked-every", locked_every, 2, 100000,
                  "one session in so many finds the phone locked: it puts things off"),
    NUMBER_OPTION("leave-after", leave_after, 2, 100000,
                  "sessions after which its user removes management"),
    FLAG_OPTION("rotate", rotate, "another session with each answer"),
    FLAG_OPTION("without-declarations", without_declarations,
                "a phone that does not know declarative management"),
    FLAG_OPTION("fresh-tls", fresh_tls, "a new connection for every request"),
    FLAG_OPTION("strict-tokens", strict_tokens, "refuse tokens that were not registered"),
};

/* '\0': not taken, ' ': optional, '!': required. */
static char how_taken(const char *takes, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = takes; at && *at;) {
        size_t word = strcspn(at, " ");
        if (word == size && strncmp(at, name, size) == 0)
            return ' ';
        if (word == size + 1 && strncmp(at, name, size) == 0 && at[size] == '!')
            return '!';
        at += word + strspn(at + word, " ");
    }
    return '\0';
}

static bool value_set(void *owner, const struct field *field, const char *value, void *target,
                      struct err *err)
{
    if (field->type == FIELD_INTEGER)
        return number_parse(bytes_text(value), field->lowest, field->highest,
                            field_at(field, target), err) ||
               err_context(err, "--%s", field->name);
    *(char **)field_at(field, target) = mem_text(owner, value);
    return true;
}

static bool required_check(const char *takes, uint64_t given, struct err *err)
{
    for (size_t i = 0; i < COUNT(option_fields); i++)
        if (how_taken(takes, option_fields[i].name) == '!' && !(given & (UINT64_C(1) << i)))
            return err_set(err, ERR_BAD_INPUT, "--%s is missing", option_fields[i].name);
    return true;
}

/* One option with its value; *at moves behind it. */
static bool option_take(void *owner, char *const **at, const char *takes, struct options *made,
                        uint64_t *given, struct err *err)
{
    const char *name = **at + 2;
    const struct field *field = field_find(FIELDS(option_fields), name);
    if (!field || !how_taken(takes, name))
        return err_set(err, ERR_BAD_INPUT, "--%s is not an option here", name);
    uint64_t bit = UINT64_C(1) << (field - option_fields);
    if (*given & bit)
        return err_set(err, ERR_BAD_INPUT, "--%s is given twice", name);
    *given |= bit;
    (*at)++;
    if (field->type == FIELD_BOOLEAN) {
        *(bool *)field_at(field, made) = true;
        return true;
    }
    if (!**at)
        return err_set(err, ERR_BAD_INPUT, "--%s needs a value", name);
    return value_set(owner, field, *(*at)++, made, err);
}

bool options_parse(void *owner, char *const *arguments, const char *takes, struct options *out,
                   struct err *err)
{
    struct options made = *out; /* holds the defaults */
    uint64_t given = 0;
    size_t rest = 0;
    made.rest = mem_array(owner, char *, 1);
    for (char *const *at = arguments; *at;) {
        if (text_starts(*at, "--")) {
            if (!option_take(owner, &at, takes, &made, &given, err))
                return false;
            continue;
        }
        if (!how_taken(takes, "..."))
            return err_set(err, ERR_BAD_INPUT, "'%s' is not expected here", *at);
        made.rest = mem_grow(owner, made.rest, rest + 2);
        made.rest[rest++] = mem_text(owner, *at++);
        made.rest[rest] = NULL;
    }
    if (!required_check(takes, given, err))
        return false;
    *out = made;
    return true;
}

void options_help(struct buffer *out)
{
    static const char *const values[] = {
        [FIELD_TEXT] = " TEXT", [FIELD_INTEGER] = " NUMBER", [FIELD_BOOLEAN] = ""};
    for (size_t i = 0; i < COUNT(option_fields); i++)
        buffer_format(out, "  --%s%s\n      %s\n", option_fields[i].name,
                      values[option_fields[i].type], option_fields[i].help);
}
