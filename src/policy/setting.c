/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/setting.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/version.h"

const struct setting *setting_find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (text_equal(settings[i].name, name))
            return &settings[i];
    return NULL;
}

enum setting_id setting_id_of(const struct setting *setting)
{
    return (enum setting_id)(setting - settings);
}

static bool is_off(const struct setting *setting, int64_t value)
{
    return setting->off >= 0 && value == setting->off;
}

static int64_t choice_count(const struct setting *setting)
{
    int64_t count = 0;
    while (setting->choices[count])
        count++;
    return count;
}

/* Times and versions: their ends are those of their texts. */
static bool range_check(const struct setting *setting, int64_t value, struct err *err)
{
    if (value >= setting->lowest && value <= setting->highest)
        return true;
    CLEANUP(mem_free_at) char *lowest = setting_value_text(NULL, setting, setting->lowest);
    CLEANUP(mem_free_at) char *highest = setting_value_text(NULL, setting, setting->highest);
    return err_set(err, ERR_BAD_INPUT, "%s must be %s to %s", setting->name, lowest, highest);
}

static bool integer_check(const struct setting *setting, int64_t value, struct err *err)
{
    if (is_off(setting, value) || (value >= setting->lowest && value <= setting->highest))
        return true;
    if (setting->off < 0)
        return err_set(err, ERR_BAD_INPUT, "%s must be %" PRId64 " to %" PRId64, setting->name,
                       setting->lowest, setting->highest);
    return err_set(err, ERR_BAD_INPUT,
                   "%s must be %" PRId64 " to %" PRId64 ", or %" PRId64 " (off)", setting->name,
                   setting->lowest, setting->highest, setting->off);
}

bool setting_check(const struct setting *setting, int64_t value, struct err *err)
{
    switch (setting->type) {
    case SETTING_BOOLEAN:
        if (value == 0 || value == 1)
            return true;
        return err_set(err, ERR_BAD_INPUT, "%s must be true or false", setting->name);
    case SETTING_INTEGER: return integer_check(setting, value, err);
    case SETTING_VERSION:
    case SETTING_TIME: return range_check(setting, value, err);
    case SETTING_ENUM: {
        if (value >= 0 && value < choice_count(setting))
            return true;
        CLEANUP(mem_free_at) char *list = name_list(NULL, setting->choices);
        return err_set(err, ERR_BAD_INPUT, "%s must be %s", setting->name, list);
    }
    }
    bug("setting %s has no type", setting->name);
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int setting_compare(const struct setting *setting, int64_t a, int64_t b, bool *comparable)
{
    *comparable = true;
    if (a == b)
        return 0;
    if (is_off(setting, a) || is_off(setting, b))
        return is_off(setting, a) ? -1 : 1;
    switch (setting->rule) {
    case STRICTER_HIGHER:
    case STRICTER_TRUE:
    case STRICTER_RANK: return sign(a, b);
    case STRICTER_LOWER:
    case STRICTER_FALSE: return sign(b, a);
    case STRICTER_CONFLICT: break;
    }
    *comparable = false;
    return 0;
}

bool setting_satisfied(const struct setting *setting, int64_t asked, int64_t found)
{
    bool comparable;
    return setting_compare(setting, found, asked, &comparable) >= 0 && comparable;
}

bool setting_is_laxest(const struct setting *setting, int64_t value)
{
    if (setting->rule == STRICTER_CONFLICT)
        return false;
    switch (setting->type) {
    case SETTING_BOOLEAN: return value == (setting->rule == STRICTER_FALSE);
    case SETTING_INTEGER:
        return is_off(setting, value) || (setting->rule == STRICTER_HIGHER && value == 0);
    case SETTING_ENUM: return value == 0;
    case SETTING_VERSION:
    case SETTING_TIME: return false; /* there is always an older one */
    }
    return false;
}

char *setting_value_text(void *owner, const struct setting *setting, int64_t value)
{
    switch (setting->type) {
    case SETTING_BOOLEAN: return mem_text(owner, value ? "true" : "false");
    case SETTING_VERSION: return version_number_text(owner, value);
    case SETTING_TIME: return time_local_text(owner, value);
    case SETTING_ENUM:
        if (value >= 0 && value < choice_count(setting))
            return mem_text(owner, setting->choices[value]);
        break;
    case SETTING_INTEGER:
        if (is_off(setting, value))
            return mem_text(owner, "off");
        break;
    }
    return mem_format(owner, "%" PRId64, value);
}

static bool words_parse(const struct setting *setting, const char *text, int64_t *out,
                        struct err *err)
{
    static const char *const truths[] = {"false", "true", NULL};
    const char *const *words = setting->type == SETTING_ENUM ? setting->choices : truths;
    int found = name_find(words, text);
    if (found < 0) {
        CLEANUP(mem_free_at) char *list = name_list(NULL, words);
        return err_set(err, ERR_BAD_INPUT, "%s must be %s", setting->name, list);
    }
    *out = found;
    return true;
}

static bool integer_parse(const struct setting *setting, const char *text, int64_t *out,
                          struct err *err)
{
    if (setting->off >= 0 && strcmp(text, "off") == 0) {
        *out = setting->off;
        return true;
    }
    return number_parse(bytes_text(text), INT64_MIN, INT64_MAX, out, err) ||
           err_context(err, "%s", setting->name);
}

bool setting_value_parse(const struct setting *setting, const char *text, int64_t *out,
                         struct err *err)
{
    int64_t value = 0;
    bool is_read = false;
    switch (setting->type) {
    case SETTING_BOOLEAN:
    case SETTING_ENUM: is_read = words_parse(setting, text, &value, err); break;
    case SETTING_INTEGER: is_read = integer_parse(setting, text, &value, err); break;
    case SETTING_VERSION:
        is_read = version_number(text, &value, err) || err_context(err, "%s", setting->name);
        break;
    case SETTING_TIME:
        is_read = time_local_parse(text, &value, err) || err_context(err, "%s", setting->name);
        break;
    }
    if (!is_read || !setting_check(setting, value, err))
        return false;
    *out = value;
    return true;
}
