/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/words.h"

#include "base/field.h"
#include "base/mem.h"
#include "base/text.h"

#define NEEDS_LONGEST 400 /* bytes of the options that a command needs one of */

static const char *const outputs[] = {"table", "wide", "json", "yaml", NULL};
static const char *const states[] = {
    "not_evaluated", "not_applicable", "compliant", "in_grace_period",
    "unknown",       "non_compliant",  "error",     NULL};
static const char *const ownerships[] = {"company", "personal", NULL};
static const char *const roles[] = {"administrator", "help_desk", "auditor", NULL};
static const char *const certificate_states[] = {"issued", "revoked", "held", "reserved", NULL};
static const char *const purposes[] = {"mdm-identity", "network", NULL};
static const char *const codes[] = {"unspecified", "key_compromise",         "affiliation_changed",
                                    "superseded",  "cessation_of_operation", NULL};

const struct option_row option_rows[OPTION_COUNT] = {
    [OPTION_OUTPUT] = {"output", 'o', "FORMAT", outputs, false,
                       "table (default), wide, json or yaml"},
    [OPTION_SERVER] = {"server", 0, "URL", NULL, false,
                       "the server, instead of the one of the last login"},
    [OPTION_CA_FILE] = {"ca", 0, "FILE", NULL, false,
                        "trust these certificates (PEM) instead of the system's"},
    [OPTION_TIMEOUT] = {"timeout", 0, "SECONDS", NULL, false,
                        "give a request up after this long (default 30)"},
    [OPTION_YES] = {"yes", 'y', NULL, NULL, false, "do not ask before an act"},
    [OPTION_HELP] = {"help", 'h', NULL, NULL, false, "say what can be typed"},
    [OPTION_VERSION] = {"version", 0, NULL, NULL, false, "print the version"},
    [OPTION_REASON] = {"reason", 0, "TEXT", NULL, false, "why: kept in the audit log"},
    [OPTION_QUERY] = {"query", 'q', "TEXT", NULL, false,
                      "part of a name, a serial number or a UDID"},
    [OPTION_COMPLIANCE] = {"compliance", 0, "STATE", states, false,
                           "only this state: compliant, non_compliant, unknown, ..."},
    [OPTION_LEFT] = {"left", 0, NULL, NULL, false, "those that left management, too"},
    [OPTION_SHUT_OUT] = {"shut-out", 0, NULL, NULL, false,
                         "only those that are refused whenever they call"},
    [OPTION_REFUSED] = {"refused", 0, NULL, NULL, false,
                        "only those of which a request was refused"},
    [OPTION_LIMIT] = {"limit", 0, "NUMBER", NULL, false, "at most this many rows (default 50)"},
    [OPTION_CURSOR] = {"cursor", 0, "TEXT", NULL, false, "go on behind an earlier page"},
    [OPTION_ALL] = {"all", 0, NULL, NULL, false, "all of them"},
    [OPTION_DEVICE] = {"device", 0, "DEVICE", NULL, true,
                       "this device: id, name, serial number or UDID"},
    [OPTION_NAME] = {"name", 0, "TEXT", NULL, false, "its name"},
    [OPTION_KIND] = {"kind", 0, "KIND", NULL, false,
                     "of a policy: configuration (default) or compliance; of an event: its name"},
    [OPTION_DESCRIPTION] = {"description", 0, "TEXT", NULL, false, "what it is for"},
    [OPTION_SET] = {"set", 0, "NAME=VALUE", NULL, true, "set a setting"},
    [OPTION_UNSET] = {"unset", 0, "NAME", NULL, true, "no longer set a setting"},
    [OPTION_FILE] = {"file", 'f', "FILE", NULL, false,
                     "settings as a JSON object, or a text; - is standard input"},
    [OPTION_SINCE] = {"since", 0, "DURATION", NULL, false, "only the last 12h, 7d, ..."},
    [OPTION_DRY_RUN] = {"dry-run", 0, NULL, NULL, false, "show what would go, and do nothing"},
    [OPTION_BAND] = {"band", 0, "NUMBER", NULL, false,
                     "lower is stronger than the strictest value (default 100)"},
    [OPTION_MESSAGE] = {"message", 0, "TEXT", NULL, false, "shown on the locked device"},
    [OPTION_PHONE] = {"phone", 0, "NUMBER", NULL, false, "shown on the locked device"},
    [OPTION_FOOTNOTE] = {"footnote", 0, "TEXT", NULL, false, "shown small on the lost device"},
    [OPTION_PIN] = {"pin", 0, "DIGITS", NULL, false, "six digits that unlock a Mac again"},
    [OPTION_OWNERSHIP] = {"ownership", 0, "WHOSE", ownerships, false, "company or personal"},
    [OPTION_EXPIRES] = {"expires", 0, "DURATION", NULL, false,
                        "valid for this long: 12h, 7d, 4w; for API tokens never, too"},
    [OPTION_EMAIL] = {"email", 0, "ADDRESS", NULL, false, "address in the request"},
    [OPTION_ROLE] = {"role", 0, "ROLE", roles, false, "administrator, help_desk or auditor"},
    [OPTION_CODE] = {"code", 0, "CODE", codes, false,
                     "reason in the revocation list: key_compromise, superseded, ..."},
    [OPTION_SUBJECT] = {"subject", 0, "SUBJECT", NULL, false, "CN=NAME or CN=NAME, O=ORGANIZATION"},
    [OPTION_SAN] = {"san", 0, "NAMES", NULL, false,
                    "dns:HOST, ip:ADDRESS, uri:URI; commas between"},
    [OPTION_APPROVE] = {"approve", 0, NULL, NULL, false, "somebody has to approve the request"},
    [OPTION_REPLACE] = {"replace", 0, NULL, NULL, false,
                        "it is of another server: forget the devices of the one before"},
    [OPTION_PROFILE] = {"profile", 0, "PROFILE", NULL, false, "a profile of the service"},
    [OPTION_USER] = {"user", 'u', "NAME", NULL, false, "name of the account or user"},
    [OPTION_FULL_NAME] = {"full-name", 0, "TEXT", NULL, false, "name for people"},
    [OPTION_MAIL] = {"mail", 0, "ADDRESS", NULL, false, "mail address"},
    [OPTION_APPLE_ACCOUNT] = {"apple-account", 0, "ADDRESS", NULL, false,
                              "Managed Apple Account, where it is not the mail address"},
    [OPTION_PASSWORD_STDIN] = {"password-stdin", 0, NULL, NULL, false,
                               "read the password from standard input"},
    [OPTION_STATE] = {"state", 0, "STATE", certificate_states, false,
                      "only in this state: issued, revoked, held, reserved"},
    [OPTION_PURPOSE] = {"purpose", 0, "PURPOSE", purposes, false,
                        "only for this: mdm-identity or network"},
    [OPTION_ENDS_WITHIN] = {"ends-within", 0, "DURATION", NULL, false,
                            "only those that end within 30d, ... or have ended"},
};

/* ---- options ---- */

struct parsing {
    void *owner;
    struct words *words;
    const char **plain; /* what is no option, in order */
    size_t plain_count;
};

static bool option_find(const char *text, size_t size, enum option_id *out, struct err *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        bool is_name = text[1] == '-' && strlen(row->name) == size - 2 &&
                       strncmp(row->name, text + 2, size - 2) == 0;
        if (is_name || (size == 2 && row->letter && text[1] == row->letter)) {
            *out = (enum option_id)i;
            return true;
        }
    }
    return err_set(err, ERR_BAD_INPUT, "there is no option %.*s", (int)size, text);
}

static bool option_add(struct parsing *parsing, enum option_id option, const char *value,
                       struct err *err)
{
    struct words *words = parsing->words;
    const struct option_row *row = &option_rows[option];
    size_t *count = &words->given_count[option];
    if (*count > 0 && !row->repeats)
        return err_set(err, ERR_BAD_INPUT, "--%s is given twice", row->name);
    if (row->choices && name_find(row->choices, value) < 0) {
        CLEANUP(mem_free_at) char *list = name_list(NULL, row->choices);
        return err_set(err, ERR_BAD_INPUT, "--%s is %s", row->name, list);
    }
    words->given[option] = mem_grow(parsing->owner, words->given[option], *count + 1);
    words->given[option][(*count)++] = value;
    return true;
}

/* One option at arguments[*at], which may take the next argument as its value. */
static bool option_parse(struct parsing *parsing, size_t count, const char *const *arguments,
                         size_t *at, struct err *err)
{
    enum option_id option;
    const char *text = arguments[*at];
    bool is_long = text[1] == '-';
    const char *equals = is_long ? strchr(text, '=') : NULL;
    size_t size = equals ? (size_t)(equals - text) : is_long ? strlen(text) : 2;
    const char *attached = equals ? equals + 1 : !is_long && text[2] ? text + 2 : NULL;
    if (!option_find(text, size, &option, err))
        return false;
    const struct option_row *row = &option_rows[option];
    if (!row->value)
        return attached ? err_set(err, ERR_BAD_INPUT, "--%s takes no value", row->name)
                        : option_add(parsing, option, "", err);
    if (!attached) {
        if (*at + 1 == count)
            return err_set(err, ERR_BAD_INPUT, "--%s needs a value: %s", row->name, row->value);
        attached = arguments[++*at];
    }
    return option_add(parsing, option, attached, err);
}

/* ---- commands and their holes ---- */

bool words_begin(const char *words, const char *beginning)
{
    size_t size = strlen(beginning);
    return size == 0 ||
           (strncmp(words, beginning, size) == 0 && (words[size] == '\0' || words[size] == ' '));
}

static size_t word_count(const char *words)
{
    size_t count = 1;
    for (const char *at = words; *at; at++)
        count += *at == ' ';
    return count;
}

static char *plain_join(const struct parsing *parsing, size_t count)
{
    char *joined = mem_text(parsing->owner, count > 0 ? parsing->plain[0] : "");
    for (size_t i = 1; i < count; i++)
        joined = mem_format(parsing->owner, "%s %s", joined, parsing->plain[i]);
    return joined;
}

/* The command whose words come first; the longest one when there are several. */
static const struct command_row *command_find(const struct parsing *parsing)
{
    const struct command_row *found = NULL;
    const struct command_row *row = NULL;
    for (size_t i = 0; (row = command_row_at(i)); i++) {
        size_t count = word_count(row->words);
        if (count > parsing->plain_count || !text_equal(row->words, plain_join(parsing, count)))
            continue;
        if (!found || count > word_count(found->words))
            found = row;
    }
    return found;
}

/* The longest beginning of a command in what was typed: the topic of a help. */
static const char *topic_of(const struct parsing *parsing)
{
    for (size_t count = parsing->plain_count; count > 0; count--) {
        const char *topic = plain_join(parsing, count);
        const struct command_row *row = NULL;
        for (size_t i = 0; (row = command_row_at(i)); i++)
            if (words_begin(row->words, topic))
                return topic;
    }
    return "";
}

static bool holes_check(const struct command_row *command, size_t count, struct err *err)
{
    const char *holes = command->holes ? command->holes : "";
    size_t most = holes[0] ? word_count(holes) : 0;
    size_t least = most;
    for (const char *at = holes; *at; at++)
        least -= *at == '[';
    if (strstr(holes, "..."))
        most = HOLES_MAX;
    if (count >= least && count <= most)
        return true;
    return err_set(err, ERR_BAD_INPUT, "usage: muster %s%s%s", command->words, holes[0] ? " " : "",
                   holes);
}

/* "--message TEXT or --phone NUMBER" of what a command needs one of. */
static bool needs_check(const struct words *words, struct err *err)
{
    struct buffer out;
    uint64_t needs = words->command->needs;
    CLEANUP(mem_free_at) char *scratch = mem_text(NULL, "");
    buffer_init(&out, scratch, NEEDS_LONGEST);
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++) {
        if (!(needs & UINT64_C(1) << i))
            continue;
        if (words->given_count[i] > 0)
            return true;
        buffer_format(&out, "%s--%s %s", buffer_string(&out)[0] ? " or " : "", option_rows[i].name,
                      option_rows[i].value);
    }
    return needs == 0 || err_set(err, ERR_BAD_INPUT, "muster %s needs %s", words->command->words,
                                 buffer_string(&out));
}

static bool options_check(const struct words *words, struct err *err)
{
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++)
        if (words->given_count[i] > 0 && !(words->command->options & UINT64_C(1) << i))
            return err_set(err, ERR_BAD_INPUT, "muster %s takes no --%s", words->command->words,
                           option_rows[i].name);
    return needs_check(words, err);
}

static bool command_parse(struct parsing *parsing, struct err *err)
{
    struct words *words = parsing->words;
    if (words_has(words, OPTION_VERSION)) { /* whatever else was typed */
        parsing->plain[0] = "version";
        parsing->plain_count = 1;
    }
    bool asks_help = parsing->plain_count > 0 && text_equal(parsing->plain[0], "help");
    if (asks_help) {
        parsing->plain++;
        parsing->plain_count--;
    }
    words->topic = topic_of(parsing);
    words->asks_help = asks_help || words_has(words, OPTION_HELP);
    if (words->asks_help || parsing->plain_count == 0)
        return true;
    const struct command_row *command = command_find(parsing);
    if (!command && text_equal(words->topic, plain_join(parsing, parsing->plain_count)))
        return true; /* "muster device": what can follow */
    if (!command) {
        const char *typed =
            plain_join(parsing, parsing->plain_count < 3 ? parsing->plain_count : 3);
        return err_set(err, ERR_BAD_INPUT, "there is no command \"%.100s\"; try muster %s%s--help",
                       typed, words->topic, words->topic[0] ? " " : "");
    }
    words->command = command;
    words->holes = parsing->plain + word_count(command->words);
    words->hole_count = parsing->plain_count - word_count(command->words);
    return holes_check(command, words->hole_count, err) && options_check(words, err);
}

bool words_parse(void *owner, size_t count, const char *const *arguments, struct words *out,
                 struct err *err)
{
    struct words words = {.topic = ""};
    struct parsing parsing = {owner, &words, mem_array(owner, const char *, count + 1), 0};
    bool only_plain = false;
    for (size_t i = 0; i < count; i++) {
        const char *text = arguments[i];
        if (!only_plain && text_equal(text, "--"))
            only_plain = true;
        else if (only_plain || text[0] != '-' || text[1] == '\0')
            parsing.plain[parsing.plain_count++] = text;
        else if (!option_parse(&parsing, count, arguments, &i, err))
            return false;
    }
    if (!command_parse(&parsing, err))
        return false;
    *out = words;
    return true;
}

const char *words_option(const struct words *words, enum option_id option)
{
    size_t count = words->given_count[option];
    return count > 0 ? words->given[option][count - 1] : NULL;
}

bool words_has(const struct words *words, enum option_id option)
{
    return words->given_count[option] > 0;
}

bool duration_parse(const char *text, int64_t *out, struct err *err)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    static const int64_t longest = INT64_C(10) * 366 * 86400;
    size_t size = strlen(text);
    int64_t number;
    bool is_number = size > 1;
    for (size_t i = 0; i + 1 < size; i++)
        is_number = is_number && text[i] >= '0' && text[i] <= '9';
    for (size_t i = 0; size > 1 && i < COUNT(units); i++) {
        struct bytes digits = {(const uint8_t *)text, size - 1};
        if (text[size - 1] != units[i].letter)
            continue;
        if (!number_parse(digits, 1, longest / units[i].seconds, &number, err)) {
            if (is_number)
                return err_set(err, ERR_BAD_INPUT, "\"%.40s\" must be 1%c to %lld%c", text,
                               units[i].letter, (long long)(longest / units[i].seconds),
                               units[i].letter);
            continue;
        }
        *out = number * units[i].seconds;
        return true;
    }
    return err_set(err, ERR_BAD_INPUT, "\"%.40s\" is no duration like 90m, 12h, 7d or 4w", text);
}
