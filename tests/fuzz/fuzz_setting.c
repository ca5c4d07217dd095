/* SPDX-License-Identifier: Apache-2.0 */
/* Settings and versions as typed: "name=value" per setting, else two versions between spaces. What
 * is accepted is printed and read back; comparing is antisymmetric. */
#include "tests/fuzz/fuzz.h"

#include "policy/setting.h"
#include "policy/version.h"

static void value(void *owner, const char *name, const char *text)
{
    struct err err;
    int64_t found = INT64_MIN, back = INT64_MIN;
    const struct setting *setting = setting_find(name);
    if (!setting)
        return;
    if (!setting_value_parse(setting, text, &found, &err)) {
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT && found == INT64_MIN);
        return;
    }
    FUZZ_WORKS(setting_check(setting, found, &err), err);
    FUZZ_WORKS(setting_value_parse(setting, setting_value_text(owner, setting, found), &back, &err),
               err);
    FUZZ_HOLDS(back == found);
    FUZZ_HOLDS(setting_satisfied(setting, found, back));
}

static void versions(const char *a, const char *b)
{
    int forth = 9, back = 9;
    bool is_known = version_compare(a, b, &forth);
    FUZZ_HOLDS(version_compare(b, a, &back) == is_known);
    FUZZ_HOLDS(is_known ? forth == -back : forth == 9 && back == 9);
}

FUZZ_HARNESS(owner, in)
{
    char *text = bytes_to_text(owner, in);
    char *middle = text ? strpbrk(text, "= ") : NULL;
    if (!middle)
        return;
    bool is_setting = *middle == '=';
    *middle = '\0';
    if (is_setting)
        value(owner, text, middle + 1);
    else
        versions(text, middle + 1);
}
