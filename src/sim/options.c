/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/options.h"

#include "base/mem.h"
#include "base/text.h"

#define TEXT_OPTION(wire, member) TEXT_AS(wire, struct options, member, 0)
#define NUMBER_OPTION(wire, member, from, to)                                                      \
    INTEGER_AS(wire, struct options, member, 0, .lowest = (from), .highest = (to))

static const struct field option_fields[] = {
    TEXT_OPTION("link", link),
    TEXT_OPTION("state", state),
    TEXT_OPTION("name", name),
    TEXT_OPTION("model", model),
    TEXT_OPTION("os", os),
    TEXT_OPTION("build", build),
    TEXT_OPTION("serial", serial),
    TEXT_OPTION("udid", udid),
    TEXT_OPTION("passcode", passcode),
    TEXT_OPTION("ca", ca),
    TEXT_OPTION("keys", keys),
    TEXT_OPTION("push-host", push_host),
    TEXT_OPTION("misbehave", misbehave),
    TEXT_OPTION("scep-misbehave", scep_misbehave),
    TEXT_OPTION("out", out),
    TEXT_OPTION("ledger", ledger),
    TEXT_OPTION("link-file", link_file),
    TEXT_OPTION("apns", apns),
    TEXT_OPTION("cert", cert),
    TEXT_OPTION("key", key),
    TEXT_OPTION("client-ca", client_ca),
    TEXT_OPTION("ready-file", ready_file),
    TEXT_OPTION("csr", csr),
    TEXT_OPTION("topic", topic),
    TEXT_OPTION("dir", dir),
    NUMBER_OPTION("count", count, 0, 100000),
    NUMBER_OPTION("bits", bits, 1024, 8192),
    NUMBER_OPTION("port", port, 0, 65535),
    NUMBER_OPTION("control-port", control_port, 0, 65535),
    NUMBER_OPTION("devices", devices, 1, 100000),
    NUMBER_OPTION("connections", connections, 1, 20000),
    NUMBER_OPTION("seconds", seconds, 0, 1000000),
    NUMBER_OPTION("interval", interval, 1, 86400),
    NUMBER_OPTION("patience", patience, 0, 86400),
    BOOLEAN_AS("fresh-tls", struct options, fresh_tls, 0),
    BOOLEAN_AS("strict-tokens", struct options, strict_tokens, 0),
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
