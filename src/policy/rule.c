/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rule.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The order is the order in lists. */
const struct rule policy_rules[] = {
    {.name = "os.minimum",
     .area = "os",
     .title = "Lowest version of the system",
     .help = "Devices with an older one are not compliant.",
     .type = RULE_VERSION,
     .is_condition = true,
     .kind = COMPLY_OS_MINIMUM,
     .stricter = "higher"},
    {.name = "os.maximum",
     .area = "os",
     .title = "Highest version of the system",
     .help = "Devices with a newer one are not compliant: it is not allowed yet.",
     .type = RULE_VERSION,
     .is_condition = true,
     .kind = COMPLY_OS_MAXIMUM,
     .stricter = "lower"},
    {.name = "integrity.attested",
     .area = "integrity",
     .title = "Attested by its hardware",
     .help = "The hardware of the device attests which one it is and what it runs; unknown on "
             "devices that cannot.",
     .type = RULE_TRUE,
     .is_condition = true,
     .kind = COMPLY_INTEGRITY,
     .stricter = "true"},
    {.name = "contact.max_days",
     .area = "contact",
     .title = "Longest time without contact",
     .help = "A device that was silent for as long is not compliant.",
     .unit = "days",
     .type = RULE_INTEGER,
     .is_condition = true,
     .kind = COMPLY_CONTACT_AGE,
     .lowest = 1,
     .highest = 120,
     .stricter = "lower"},
    {.name = RULE_GRACE,
     .area = "grace",
     .title = "Time to mend",
     .help = "For so long a device that breaks a rule of this policy is in its grace period; then "
             "it is not compliant. 0: at once.",
     .unit = "days",
     .type = RULE_INTEGER,
     .lowest = 0,
     .highest = 365,
     .stricter = "lower"},
    {.name = RULE_APPLY,
     .area = "settings",
     .title = "Apply what is asked for",
     .help = "true, or left out: the settings of this policy are sent to devices as those of a "
             "configuration policy are. false: they are only judged.",
     .type = RULE_BOOLEAN,
     .stricter = "none"},
};
const size_t policy_rule_count = COUNT(policy_rules);

const struct rule *rule_find(const char *name)
{
    for (size_t i = 0; i < COUNT(policy_rules); i++)
        if (strcmp(policy_rules[i].name, name) == 0)
            return &policy_rules[i];
    return NULL;
}

bool rule_check_version(const char *text, struct err *err)
{
    int order;
    return (text && version_compare(text, text, &order)) ||
           err_set(err, ERR_BAD_INPUT, "a version like \"17.4\" is expected");
}

bool rule_check_integer(const struct rule *rule, int64_t value, struct err *err)
{
    return (value >= rule->lowest && value <= rule->highest) ||
           err_set(err, ERR_BAD_INPUT, "must be %lld to %lld", (long long)rule->lowest,
                   (long long)rule->highest);
}
