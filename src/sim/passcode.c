/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/passcode.h"

#include <string.h>

#include "base/text.h"

#define SIMPLE_LENGTH 6
#define LENGTH_MAX 64

static void raise_to(const struct plist *payload, const char *key, int64_t *value)
{
    int64_t found = 0;
    if (plist_integer(payload, key, &found) && found > *value)
        *value = found;
}

/* unset: the value that means that nothing limits yet. */
static void lower_to(const struct plist *payload, const char *key, int64_t unset, int64_t *value)
{
    int64_t found = 0;
    if (plist_integer(payload, key, &found) && found != unset &&
        (*value == unset || found < *value))
        *value = found;
}

void passcode_rules_add(struct passcode_rules *rules, const struct plist *payload)
{
    bool flag = false;
    if (plist_boolean(payload, "forcePIN", &flag) && flag)
        rules->required = true;
    if (plist_boolean(payload, "allowSimple", &flag) && !flag)
        rules->no_simple = true;
    if (plist_boolean(payload, "requireAlphanumeric", &flag) && flag)
        rules->letters = true;
    raise_to(payload, "minLength", &rules->min_length);
    raise_to(payload, "minComplexChars", &rules->min_complex);
    lower_to(payload, "maxPINAgeInDays", 0, &rules->max_age_days);
    lower_to(payload, "maxGracePeriod", -1, &rules->max_grace);
    lower_to(payload, "maxInactivity", 0, &rules->max_inactivity);
    lower_to(payload, "maxFailedAttempts", 0, &rules->max_failed);
}

struct passcode_rules passcode_rules_of_account(const struct passcode_rules *rules)
{
    struct passcode_rules obeyed = PASSCODE_NO_RULES;
    if (rules->required || rules->no_simple || rules->letters || rules->min_length > 0) {
        obeyed.required = obeyed.no_simple = true;
        obeyed.min_length = SIMPLE_LENGTH;
    }
    return obeyed;
}

static int64_t declared_number(const json_t *payload, const char *name, int64_t unset)
{
    const json_t *value = json_object_get(payload, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : unset;
}

static void declared_raise(const json_t *payload, const char *name, int64_t *value)
{
    int64_t found = declared_number(payload, name, *value);
    *value = found > *value ? found : *value;
}

static void declared_lower(const json_t *payload, const char *name, int64_t unset, int64_t *value)
{
    int64_t found = declared_number(payload, name, unset);
    if (found != unset && (*value == unset || found < *value))
        *value = found;
}

void passcode_rules_declare(struct passcode_rules *rules, const json_t *payload)
{
    bool is_alone = json_object_size(payload) == 1 && json_object_get(payload, "RequirePasscode");
    if (is_alone ? json_is_true(json_object_get(payload, "RequirePasscode"))
                 : json_object_size(payload) > 0)
        rules->required = true;
    if (json_is_true(json_object_get(payload, "RequireComplexPasscode")))
        rules->no_simple = true;
    if (json_is_true(json_object_get(payload, "RequireAlphanumericPasscode")))
        rules->letters = true;
    declared_raise(payload, "MinimumLength", &rules->min_length);
    declared_raise(payload, "MinimumComplexCharacters", &rules->min_complex);
    declared_lower(payload, "MaximumPasscodeAgeInDays", 0, &rules->max_age_days);
    declared_lower(payload, "MaximumGracePeriodInMinutes", -1, &rules->max_grace);
    declared_lower(payload, "MaximumInactivityInMinutes", 0, &rules->max_inactivity);
    declared_lower(payload, "MaximumFailedAttempts", 0, &rules->max_failed);
}

bool passcode_complies(const struct passcode *passcode, const struct passcode_rules *rules)
{
    if (!passcode->present) /* the other rules hold only for a passcode that exists */
        return !rules->required;
    return passcode->length >= rules->min_length && passcode->complex >= rules->min_complex &&
           !(rules->no_simple && passcode->simple) &&
           !(rules->letters && !passcode->alphanumeric) &&
           !(rules->max_age_days > 0 && passcode->age_days > rules->max_age_days);
}

bool passcode_parse(const char *text, struct passcode *out, struct err *err)
{
    struct passcode made = {.present = true};
    size_t digits = strspn(text, "0123456789");
    if (text_equal(text, "none")) {
        *out = (struct passcode){0};
        return true;
    }
    if (text_equal(text, "simple")) {
        *out = (struct passcode){.present = true, .simple = true, .length = SIMPLE_LENGTH};
        return true;
    }
    if (!number_parse((struct bytes){(const uint8_t *)text, digits}, 1, LENGTH_MAX, &made.length,
                      err))
        return err_context(err, "passcode");
    for (const char *at = text + digits; *at; at++) {
        if (*at != 'a' && *at != 'c')
            return err_set(err, ERR_BAD_INPUT, "passcode: none, simple, LENGTH, LENGTHa, LENGTHc");
        made.alphanumeric = made.alphanumeric || *at == 'a';
        made.complex += *at == 'c' ? 1 : 0;
    }
    *out = made;
    return true;
}
