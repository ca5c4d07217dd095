/* SPDX-License-Identifier: Apache-2.0 */
/* How each kind of rule judges what a device has told. */
#include "policy/comply.h"

#include "tests/unit/policy/comply.h"

struct expected {
    const char *name;
    struct comply_rule rule;
    struct told facts[4];
    struct setting_value enforced; /* value 0: none */
    enum compliance_state state;
    const char *reason;
};

static const struct expected cases[] = {
    {"no fact is unknown",
     SETS(PASSWORD_REQUIRED, 1),
     {{0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device has not reported whether a password is set."},
    {"a password is there",
     SETS(PASSWORD_REQUIRED, 1),
     {PRESENT},
     {0},
     COMPLIANCE_COMPLIANT,
     "A password is set."},
    {"a password is missing",
     SETS(PASSWORD_REQUIRED, 1),
     {ABSENT},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "No password is set; the policy asks for a password."},
    {"a claim is not enough",
     SETS(PASSWORD_REQUIRED, 1),
     {{FACT_PASSWORD_PRESENT, "true", EVIDENCE_CLAIMED, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "Not measured, only claimed: A password is set."},
    {"the better evidence counts",
     SETS(PASSWORD_REQUIRED, 1),
     {{FACT_PASSWORD_PRESENT, "true", EVIDENCE_CLAIMED, 0},
      {FACT_PASSWORD_PRESENT, "false", 0, 99}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "No password is set; the policy asks for a password."},
    {"the later of equals counts",
     SETS(PASSWORD_REQUIRED, 1),
     {{FACT_PASSWORD_PRESENT, "true", 0, 5}, {FACT_PASSWORD_PRESENT, "false", 0, 99}},
     {0},
     COMPLIANCE_COMPLIANT,
     "A password is set."},
    {"neither true nor false is unknown",
     SETS(PASSWORD_REQUIRED, 1),
     {{FACT_PASSWORD_PRESENT, "maybe", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device has not reported whether a password is set."},
    {"asking for nothing",
     SETS(PASSWORD_REQUIRED, 0),
     {{0}},
     {0},
     COMPLIANCE_COMPLIANT,
     "The policy accepts any value."},
    {"no password has no length",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {ABSENT, OBEYS},
     {SETTING_PASSWORD_MIN_LENGTH, 8},
     COMPLIANCE_NON_COMPLIANT,
     "No password is set; the policy asks for at least 8 characters (minimum password length)."},
    {"length not confirmed",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, OBEYS},
     {0},
     COMPLIANCE_UNKNOWN,
     "Waiting for the device to confirm this rule."},
    {"length confirmed and obeyed",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, OBEYS},
     {SETTING_PASSWORD_MIN_LENGTH, 8},
     COMPLIANCE_COMPLIANT,
     "The device has the rule and says that its password meets it."},
    {"a stricter length confirmed",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, OBEYS},
     {SETTING_PASSWORD_MIN_LENGTH, 10},
     COMPLIANCE_COMPLIANT,
     "The device has the rule and says that its password meets it."},
    {"a laxer length confirmed",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, OBEYS},
     {SETTING_PASSWORD_MIN_LENGTH, 6},
     COMPLIANCE_UNKNOWN,
     "Waiting for the device to confirm this rule."},
    {"length confirmed and not obeyed",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, FAILS},
     {SETTING_PASSWORD_MIN_LENGTH, 8},
     COMPLIANCE_NON_COMPLIANT,
     "The device says that its password does not meet its rules; the policy asks for at least 8 "
     "characters (minimum password length)."},
    {"length confirmed, password not judged",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT},
     {SETTING_PASSWORD_MIN_LENGTH, 8},
     COMPLIANCE_UNKNOWN,
     "The device has the rule but has not yet said whether its password meets it."},
    {"judged before the rule arrived",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {PRESENT, {FACT_PASSWORD_COMPLIANT, "true", 0, 2 * HOUR}},
     {SETTING_PASSWORD_MIN_LENGTH, 8},
     COMPLIANCE_UNKNOWN,
     "The device has the rule but has not yet said whether its password meets it."},
    {"a length by value",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {{"password.min_length", "9", 0, 0}},
     {0},
     COMPLIANCE_COMPLIANT,
     "The device reports 9 characters."},
    {"too short by value",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {{"password.min_length", "6", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device reports 6 characters; the policy asks for at least 8 characters (minimum password "
     "length)."},
    {"a value that is none",
     SETS(PASSWORD_MIN_LENGTH, 8),
     {{"password.min_length", "x", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     NULL},
    {"off by value",
     SETS(PASSWORD_SCREEN_OFF_MINUTES, 5),
     {{"password.screen_off_minutes", "off", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device reports off; the policy asks for at most 5 minutes (minutes of inactivity before "
     "the screen locks)."},
    {"simple passwords",
     SETS(PASSWORD_ALLOW_SIMPLE, 0),
     {ABSENT},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "No password is set; the policy asks not to allow simple passwords."},
    {"not for compliance here",
     SETS(PASSWORD_QUALITY, 3),
     {PRESENT},
     {0},
     COMPLIANCE_NOT_APPLICABLE,
     "iOS devices are not judged by it."},
    {"a value out of range",
     SETS(PASSWORD_MIN_LENGTH, 99),
     {PRESENT},
     {0},
     COMPLIANCE_ERROR,
     "The policy asks for a value that does not exist: password.min_length must be 4 to 16."},

    {"encryption not reported",
     SETS(ENCRYPTION_DEVICE, 1),
     {PRESENT},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device has not reported whether it is encrypted."},
    {"hardware encryption with a password",
     SETS(ENCRYPTION_DEVICE, 1),
     {PRESENT, {FACT_ENCRYPTION_HARDWARE, "3", 0, 0}},
     {0},
     COMPLIANCE_COMPLIANT,
     "The hardware encrypts, and a password is set."},
    {"hardware encryption without a password",
     SETS(ENCRYPTION_DEVICE, 1),
     {ABSENT, {FACT_ENCRYPTION_HARDWARE, "3", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device encrypts only while a password is set, and none is."},
    {"hardware encryption, password unknown",
     SETS(ENCRYPTION_DEVICE, 1),
     {{FACT_ENCRYPTION_HARDWARE, "3", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     NULL},
    {"files but not blocks",
     SETS(ENCRYPTION_DEVICE, 1),
     {PRESENT, {FACT_ENCRYPTION_HARDWARE, "2", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     NULL},
    {"hardware in other words",
     SETS(ENCRYPTION_DEVICE, 1),
     {PRESENT, {FACT_ENCRYPTION_HARDWARE, "both", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     NULL},
    {"a password only claimed",
     SETS(ENCRYPTION_DEVICE, 1),
     {{FACT_PASSWORD_PRESENT, "true", EVIDENCE_CLAIMED, 0}, {FACT_ENCRYPTION_HARDWARE, "3", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     NULL},
    {"disk encrypted",
     SETS(ENCRYPTION_DEVICE, 1),
     {{FACT_ENCRYPTION_ENABLED, "true", 0, 0}},
     {0},
     COMPLIANCE_COMPLIANT,
     "The device is encrypted."},
    {"disk not encrypted",
     SETS(ENCRYPTION_DEVICE, 1),
     {{FACT_ENCRYPTION_ENABLED, "false", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device is not encrypted; the policy asks for encryption."},

    {"version not reported",
     {.kind = COMPLY_OS_MINIMUM, .text = "17.0"},
     {PRESENT},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device has not reported its version."},
    {"version too old",
     {.kind = COMPLY_OS_MINIMUM, .text = "17.0"},
     {RUNS("15.8")},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device runs iOS 15.8; the policy asks for at least 17.0."},
    {"ten is more than nine",
     {.kind = COMPLY_OS_MINIMUM, .text = "9.3"},
     {RUNS("10.0")},
     {0},
     COMPLIANCE_COMPLIANT,
     "The device runs iOS 10.0."},
    {"exactly the minimum",
     {.kind = COMPLY_OS_MINIMUM, .text = "17"},
     {RUNS("17.0.0")},
     {0},
     COMPLIANCE_COMPLIANT,
     "The device runs iOS 17.0.0."},
    {"version not understood",
     {.kind = COMPLY_OS_MINIMUM, .text = "17"},
     {RUNS("17 beta")},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device reports a version that is not understood."},
    {"version too new",
     {.kind = COMPLY_OS_MAXIMUM, .text = "17.9"},
     {RUNS("18.0")},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device runs iOS 18.0; the policy allows at most 17.9."},
    {"version within",
     {.kind = COMPLY_OS_MAXIMUM, .text = "17.9"},
     {RUNS("17.9")},
     {0},
     COMPLIANCE_COMPLIANT,
     "The device runs iOS 17.9."},
    {"policy without version",
     {.kind = COMPLY_OS_MINIMUM, .text = "new"},
     {RUNS("18.0")},
     {0},
     COMPLIANCE_ERROR,
     "The policy names no version of the form 17.4.1."},
    {"policy with no text",
     {.kind = COMPLY_OS_MINIMUM, .text = NULL},
     {RUNS("18.0")},
     {0},
     COMPLIANCE_ERROR,
     "The policy names no version of the form 17.4.1."},

    {"integrity not reported",
     {.kind = COMPLY_INTEGRITY},
     {PRESENT},
     {0},
     COMPLIANCE_UNKNOWN,
     "Not attested: there is no evidence from the hardware that the device is intact."},
    {"integrity measured is not attested",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "intact", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "Not attested: there is no evidence from the hardware that the device is intact."},
    {"integrity attested",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "intact", EVIDENCE_ATTESTED, 0}},
     {0},
     COMPLIANCE_COMPLIANT,
     "The hardware of the device attests that it is intact."},
    {"compromise is believed",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "compromised", EVIDENCE_CLAIMED, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "The device is reported as compromised (claimed)."},
    {"a proof that is none",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "unproven", 0, 0}, {FACT_INTEGRITY_REASON, "It has expired.", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "Not attested: It has expired."},
    {"a Mac whose protection is off",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "weakened", EVIDENCE_ATTESTED, 0},
      {FACT_INTEGRITY_REASON, "Protection is off.", EVIDENCE_ATTESTED, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     "Protection is off."},
    {"attested by a system that contradicts itself",
     {.kind = COMPLY_INTEGRITY},
     {{FACT_INTEGRITY, "intact", EVIDENCE_ATTESTED, 0},
      {FACT_OS_PLAUSIBLE, "false", 0, 0},
      RUNS("17.5"),
      {FACT_OS_BUILD, "20F66", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "Not attested: The device reports the version 17.5 with the build 20F66, which does not "
     "belong "
     "to it: one of the two is not true."},
    {"a version that its build contradicts",
     {.kind = COMPLY_OS_MINIMUM, .text = "17.4"},
     {RUNS("17.5"), {FACT_OS_BUILD, "20F66", 0, 0}, {FACT_OS_PLAUSIBLE, "false", 0, 0}},
     {0},
     COMPLIANCE_UNKNOWN,
     "The device reports the version 17.5 with the build 20F66, which does not belong to it: one "
     "of "
     "the two is not true."},
    {"a version too old that its build contradicts",
     {.kind = COMPLY_OS_MINIMUM, .text = "18.0"},
     {RUNS("17.5"), {FACT_OS_BUILD, "20F66", 0, 0}, {FACT_OS_PLAUSIBLE, "false", 0, 0}},
     {0},
     COMPLIANCE_NON_COMPLIANT,
     NULL},
    {"a contact age of nothing",
     {.kind = COMPLY_CONTACT_AGE, .value = 0},
     {{0}},
     {0},
     COMPLIANCE_ERROR,
     "The policy names no number of days."},
};

/* proves-partly: 4c-7 */
static void each_rule_is_judged_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
        const struct expected *expected = &cases[i];
        struct comply_rule rule = expected->rule;
        struct fact facts[4];
        struct compliance compliance;
        rule.policy_id = rule.policy_name = "p1";
        const struct comply_input input = {.device = &phone,
                                           .rules = &rule,
                                           .rule_count = 1,
                                           .facts = facts,
                                           .fact_count = facts_of(owner, expected->facts, facts),
                                           .enforced = &expected->enforced,
                                           .enforced_count = expected->enforced.value ? 1 : 0,
                                           .enforced_at = NOW - HOUR,
                                           .now = NOW};
        policy_comply(owner, &input, &compliance);
        print_message("%s\n", expected->name);
        assert_int_equal(compliance.count, 1);
        const struct comply_result *result = &compliance.results[0];
        assert_string_equal(compliance_state_names[result->state],
                            compliance_state_names[expected->state]);
        assert_int_equal(compliance.state, expected->state);
        if (expected->reason)
            assert_string_equal(result->reason, expected->reason);
        assert_non_null(result->name);
        assert_non_null(result->expected);
        assert_non_null(result->actual);
        assert_int_equal(result->since, NOW);
        if (result->state == COMPLIANCE_NON_COMPLIANT || result->state == COMPLIANCE_UNKNOWN)
            assert_non_null(result->remedy);
    }
}

static const char *has_no_way(enum setting_id setting, const struct target_device *device)
{
    (void)setting;
    (void)device;
    return "The device has no way.";
}

static void what_the_device_has_no_way_for_is_not_applicable(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct target_device device = {.platform = PLATFORM_MACOS, .unsupported = has_no_way};
    const struct comply_rule rules[] = {SETS(PASSWORD_MIN_LENGTH, 8), SETS(ENCRYPTION_DEVICE, 1)};
    const struct comply_input input = {
        .device = &device, .rules = rules, .rule_count = COUNT(rules), .now = NOW};
    struct compliance compliance;
    (void)state;
    policy_comply(owner, &input, &compliance);
    assert_int_equal(compliance.state, COMPLIANCE_NOT_APPLICABLE);
    assert_string_equal(compliance.results[0].reason, "The device has no way.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_judged_with_its_reason),
        cmocka_unit_test(what_the_device_has_no_way_for_is_not_applicable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
