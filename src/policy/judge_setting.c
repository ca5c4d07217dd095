/* SPDX-License-Identifier: Apache-2.0 */
/* Compliance rules that are settings of the catalogue: values reported, or confirmed and obeyed. */
#include <ctype.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/judge.h"

#define HARDWARE_ENCRYPTS_ALL 3 /* blocks and files */

static const char no_password_remedy[] = "Set a password in the settings of the device.";

/* "8 characters", "1 day" */
static char *amount_text(void *owner, const struct setting *setting, int64_t value)
{
    const char *unit = setting->unit ? setting->unit : "";
    size_t size = strlen(unit);
    if (value == 1 && size > 0 && unit[size - 1] == 's')
        size--;
    return mem_format(owner, "%" PRId64 "%s%.*s", value, size > 0 ? " " : "", (int)size, unit);
}

/* "at least 8 characters", "at most 5 minutes", "yes" */
static char *expected_text(void *owner, const struct setting *setting, int64_t value)
{
    if (setting_is_laxest(setting, value))
        return mem_text(owner, "anything");
    switch (setting->type) {
    case SETTING_BOOLEAN: return mem_text(owner, value ? "yes" : "no");
    case SETTING_ENUM:
    case SETTING_VERSION:
    case SETTING_TIME: break;
    case SETTING_INTEGER: {
        CLEANUP(mem_free_at) char *amount = amount_text(NULL, setting, value);
        const char *bound = setting->rule == STRICTER_LOWER ? "at most" : "at least";
        return mem_format(owner, "%s %s", bound, amount);
    }
    }
    CLEANUP(mem_free_at) char *choice = setting_value_text(NULL, setting, value);
    return mem_format(owner, "at least %s", choice);
}

/* "the policy asks for at least 8 characters (minimum password length)" */
static char *demand_text(const struct judging *judging, const struct setting *setting)
{
    static const char require[] = "Require ";
    const char *title = setting->title;
    int first = tolower((unsigned char)title[0]);
    if (setting->rule == STRICTER_TRUE && text_starts(title, require))
        return mem_format(judging->owner, "the policy asks for %s", title + strlen(require));
    if (setting->type == SETTING_BOOLEAN)
        return mem_format(judging->owner, "the policy asks %s %c%s",
                          setting->rule == STRICTER_FALSE ? "not to" : "to", first, title + 1);
    return mem_format(judging->owner, "the policy asks for %s (%c%s)", judging->result->expected,
                      first, title + 1);
}

/* The device says by value what it enforces. */
static void judge_reported(struct judging *judging, const struct setting *setting,
                           const struct fact *fact)
{
    int64_t found;
    struct err err;
    if (!setting_value_parse(setting, fact->value, &found, &err)) {
        judge_unknown(judging, fact,
                      mem_format(judging->owner,
                                 "Reported in a form that is not "
                                 "understood: %s.",
                                 err.text));
        return;
    }
    char *shown = setting->type == SETTING_INTEGER && !setting_is_laxest(setting, found)
                      ? amount_text(judging->owner, setting, found)
                      : setting_value_text(judging->owner, setting, found);
    judging->result->actual = shown;
    if (setting_satisfied(setting, judging->rule->value, found))
        judge_met(judging, fact, mem_format(judging->owner, "The device reports %s.", shown));
    else
        judge_broken(judging, fact,
                     mem_format(judging->owner, "The device reports %s; %s.", shown,
                                demand_text(judging, setting)),
                     "Sync the device so that it receives its policy again.");
}

static bool is_confirmed(const struct judging *judging)
{
    const struct comply_input *input = judging->input;
    const struct comply_rule *rule = judging->rule;
    for (size_t i = 0; i < input->enforced_count; i++)
        if (input->enforced[i].id == rule->setting &&
            setting_satisfied(&settings[rule->setting], rule->value, input->enforced[i].value))
            return true;
    return false;
}

/* A password is set: does it obey a rule that the device cannot report by value? */
static void judge_obeyed(struct judging *judging, const struct setting *setting)
{
    const struct fact *fact = judge_fact(judging, FACT_PASSWORD_COMPLIANT);
    int compliant = judge_truth(fact);
    if (!is_confirmed(judging)) {
        judging->result->actual = "password set, rule not confirmed";
        judge_unknown(judging, fact, "Waiting for the device to confirm this rule.");
    } else if (compliant < 0 || fact->reported_at < judging->input->enforced_at) {
        judging->result->actual = "password set, not yet judged by the device";
        judge_unknown(
            judging, fact,
            "The device has the rule but has not yet said whether its password meets it.");
    } else if (compliant) {
        judging->result->actual = "password set and compliant";
        judge_met(judging, fact, "The device has the rule and says that its password meets it.");
    } else {
        judging->result->actual = "password set, not compliant";
        judge_broken(judging, fact,
                     mem_format(judging->owner,
                                "The device says that its password does not meet its rules; %s.",
                                demand_text(judging, setting)),
                     "Choose a new password that meets the rules which the device shows.");
    }
}

static void judge_password(struct judging *judging, const struct setting *setting)
{
    const struct fact *fact = judge_fact(judging, FACT_PASSWORD_PRESENT);
    switch (judge_truth(fact)) {
    case 0:
        judging->result->actual = "no password set";
        judge_broken(
            judging, fact,
            mem_format(judging->owner, "No password is set; %s.", demand_text(judging, setting)),
            no_password_remedy);
        return;
    case 1:
        judging->result->actual = "password set";
        if (judging->rule->setting == SETTING_PASSWORD_REQUIRED)
            judge_met(judging, fact, "A password is set.");
        else
            judge_obeyed(judging, setting);
        return;
    default: judge_unknown(judging, fact, "The device has not reported whether a password is set.");
    }
}

/* The hardware can encrypt, and does so while there is a password. */
static void judge_hardware(struct judging *judging, const struct fact *hardware)
{
    int64_t capabilities;
    struct err err;
    const struct fact *password = judge_fact(judging, FACT_PASSWORD_PRESENT);
    int has_password = judge_truth(password);
    if (!number_parse(bytes_text(hardware->value), 0, HARDWARE_ENCRYPTS_ALL, &capabilities, &err)) {
        judge_unknown(judging, hardware,
                      "The device reports its encryption in a form that is not "
                      "understood.");
    } else if (capabilities != HARDWARE_ENCRYPTS_ALL) {
        judging->result->actual = "hardware does not encrypt everything";
        judge_broken(judging, hardware,
                     "The hardware of the device does not encrypt everything that it stores.",
                     "Replace the device by one whose hardware encrypts.");
    } else if (has_password < 0) {
        judge_unknown(judging, hardware,
                      "The device can encrypt, but has not reported whether a "
                      "password is set, without which it does not.");
    } else if (has_password) {
        judging->result->actual = "hardware encrypts, password set";
        judge_met(judging, password->evidence < hardware->evidence ? password : hardware,
                  "The hardware encrypts, and a password is set.");
    } else {
        judging->result->actual = "no password set";
        judge_broken(judging, password,
                     "The device encrypts only while a password is set, and none is.",
                     no_password_remedy);
    }
}

static void judge_encryption(struct judging *judging)
{
    const struct fact *enabled = judge_fact(judging, FACT_ENCRYPTION_ENABLED);
    const struct fact *hardware = NULL;
    switch (judge_truth(enabled)) {
    case 0:
        judging->result->actual = "not encrypted";
        judge_broken(judging, enabled,
                     "The device is not encrypted; the policy asks for encryption.",
                     "Turn encryption on in the security settings of the device.");
        return;
    case 1:
        judging->result->actual = "encrypted";
        judge_met(judging, enabled, "The device is encrypted.");
        return;
    default:
        hardware = judge_fact(judging, FACT_ENCRYPTION_HARDWARE);
        if (hardware)
            judge_hardware(judging, hardware);
        else
            judge_unknown(judging, enabled, "The device has not reported whether it is encrypted.");
    }
}

/* False when the rule was settled without looking at facts. */
static bool is_judgeable(struct judging *judging, const struct setting *setting)
{
    const struct target_device *device = judging->input->device;
    const char *unsupported =
        device->unsupported ? device->unsupported(judging->rule->setting, device) : NULL;
    struct err err;
    if (!setting_check(setting, judging->rule->value, &err))
        judge_error(judging, mem_format(judging->owner,
                                        "The policy asks for a value that does not "
                                        "exist: %s.",
                                        err.text));
    else if (!(setting->compliance & 1U << device->platform))
        judge_not_applicable(judging, mem_format(judging->owner, "%s devices are not judged by it.",
                                                 judge_platform(judging)));
    else if (unsupported)
        judge_not_applicable(judging, unsupported);
    else if (setting_is_laxest(setting, judging->rule->value))
        judge_met(judging, NULL, "The policy accepts any value.");
    else
        return true;
    return false;
}

void judge_setting(struct judging *judging)
{
    const struct setting *setting = &settings[judging->rule->setting];
    judging->result->expected = expected_text(judging->owner, setting, judging->rule->value);
    if (!is_judgeable(judging, setting))
        return;
    const struct fact *reported = judge_fact(judging, setting->name);
    if (reported)
        judge_reported(judging, setting, reported);
    else if (judging->rule->setting == SETTING_ENCRYPTION_DEVICE)
        judge_encryption(judging);
    else if (text_equal(setting->area, "password"))
        judge_password(judging, setting);
    else
        judge_unknown(judging, NULL, "The device has not reported it.");
}
