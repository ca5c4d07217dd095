/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of a device come to together, and over time. */
#include "tests/unit/policy/comply.h"

/* proves-partly: 4c-7 */
static void a_device_without_policy_is_not_evaluated(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct comply_input input = {.device = &phone, .now = NOW, .last_contact_at = NOW};
    struct compliance compliance;
    (void)state;
    policy_comply(owner, &input, &compliance);
    assert_int_equal(compliance.state, COMPLIANCE_NOT_EVALUATED);
    assert_int_equal(compliance.count, 0);
    assert_int_equal(compliance.recheck_at, 0);
}

static void the_most_severe_rule_is_the_state_of_the_device(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    struct fact facts[4];
    const struct told told[] = {PRESENT, RUNS("17.5"), {NULL, NULL, 0, 0}};
    (void)state;
    const struct comply_rule all[] = {
        {.policy_id = "a", .kind = COMPLY_SETTING, .setting = SETTING_PASSWORD_QUALITY, .value = 3},
        {.policy_id = "a",
         .kind = COMPLY_SETTING,
         .setting = SETTING_PASSWORD_REQUIRED,
         .value = 1},
        {.policy_id = "a", .kind = COMPLY_OS_MINIMUM, .text = "18", .grace_seconds = DAY},
        {.policy_id = "a", .kind = COMPLY_INTEGRITY},
        {.policy_id = "a", .kind = COMPLY_OS_MAXIMUM, .text = "16"},
        {.policy_id = "a", .kind = COMPLY_OS_MAXIMUM, .text = "x"},
    };
    static const enum compliance_state states[] = {
        COMPLIANCE_NOT_EVALUATED,   COMPLIANCE_NOT_APPLICABLE, COMPLIANCE_COMPLIANT,
        COMPLIANCE_IN_GRACE_PERIOD, COMPLIANCE_UNKNOWN,        COMPLIANCE_NON_COMPLIANT,
        COMPLIANCE_ERROR,
    };
    for (size_t count = 0; count <= COUNT(all); count++) {
        struct compliance compliance;
        const struct comply_input input = {.device = &phone,
                                           .rules = all,
                                           .rule_count = count,
                                           .facts = facts,
                                           .fact_count = facts_of(owner, told, facts),
                                           .now = NOW};
        policy_comply(owner, &input, &compliance);
        assert_int_equal(compliance.state, states[count]);
    }
}

/* One failing rule with what was before; the facts say version 15. */
static struct compliance after(void *owner, const struct comply_previous *previous, int64_t grace,
                               int64_t assigned_at, int64_t now)
{
    struct comply_rule *rule = mem_new(owner, struct comply_rule);
    struct fact *facts = mem_array(owner, struct fact, 4);
    struct compliance compliance;
    const struct told told[] = {RUNS("15.0"), {NULL, NULL, 0, 0}};
    *rule = (struct comply_rule){.policy_id = "p1",
                                 .kind = COMPLY_OS_MINIMUM,
                                 .text = "17",
                                 .grace_seconds = grace,
                                 .assigned_at = assigned_at};
    const struct comply_input input = {.device = &phone,
                                       .rules = rule,
                                       .rule_count = 1,
                                       .facts = facts,
                                       .fact_count = facts_of(owner, told, facts),
                                       .previous = previous,
                                       .previous_count = previous ? 1 : 0,
                                       .now = now};
    policy_comply(owner, &input, &compliance);
    return compliance;
}

static void a_failure_has_its_grace_period_and_no_second_one(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    struct comply_previous previous = {"p1", "os.minimum", COMPLIANCE_COMPLIANT, NOW - 9 * DAY};
    (void)state;
    struct compliance first = after(owner, &previous, 2 * DAY, NOW - 30 * DAY, NOW);
    assert_int_equal(first.state, COMPLIANCE_IN_GRACE_PERIOD);
    assert_int_equal(first.results[0].since, NOW);
    assert_int_equal(first.results[0].grace_until, NOW + 2 * DAY);
    assert_int_equal(first.recheck_at, NOW + 2 * DAY);

    previous.state = first.state;
    previous.since = first.results[0].since;
    struct compliance last_second =
        after(owner, &previous, 2 * DAY, NOW - 30 * DAY, NOW + 2 * DAY - 1);
    assert_int_equal(last_second.state, COMPLIANCE_IN_GRACE_PERIOD);
    assert_int_equal(last_second.results[0].since, NOW);

    struct compliance over = after(owner, &previous, 2 * DAY, NOW - 30 * DAY, NOW + 2 * DAY);
    assert_int_equal(over.state, COMPLIANCE_NON_COMPLIANT);
    assert_int_equal(over.results[0].since, NOW);
    assert_int_equal(over.recheck_at, 0);

    previous.state = over.state;
    struct compliance later = after(owner, &previous, 2 * DAY, NOW - 30 * DAY, NOW + 3 * DAY);
    assert_int_equal(later.state, COMPLIANCE_NON_COMPLIANT);
    assert_int_equal(later.results[0].since, NOW);
}

static void without_grace_a_failure_counts_at_once(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    (void)state;
    struct compliance compliance = after(owner, NULL, 0, 0, NOW);
    assert_int_equal(compliance.state, COMPLIANCE_NON_COMPLIANT);
    assert_int_equal(compliance.results[0].grace_until, 0);
}

static void a_policy_assigned_anew_grants_its_grace_anew(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    const struct comply_previous previous = {"p1", "os.minimum", COMPLIANCE_NON_COMPLIANT,
                                             NOW - 9 * DAY};
    (void)state;
    struct compliance compliance = after(owner, &previous, 2 * DAY, NOW - DAY, NOW);
    assert_int_equal(compliance.state, COMPLIANCE_IN_GRACE_PERIOD);
    assert_int_equal(compliance.results[0].since, NOW - DAY);
    assert_int_equal(compliance.results[0].grace_until, NOW + DAY);
}

static void a_clock_set_back_or_a_huge_grace_do_no_harm(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    const struct comply_previous previous = {"p1", "os.minimum", COMPLIANCE_IN_GRACE_PERIOD,
                                             NOW + 9 * DAY};
    (void)state;
    struct compliance compliance = after(owner, &previous, INT64_MAX, 0, NOW);
    assert_int_equal(compliance.state, COMPLIANCE_IN_GRACE_PERIOD);
    assert_int_equal(compliance.results[0].since, NOW);
    assert_int_equal(compliance.results[0].grace_until, INT64_MAX);
}

static void a_silent_device_becomes_non_compliant(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    static const struct {
        int64_t last, value;
        enum compliance_state state;
        int64_t recheck_at;
    } table[] = {
        {NOW - 29 * DAY, 30, COMPLIANCE_COMPLIANT, NOW + DAY},
        {NOW - 30 * DAY, 30, COMPLIANCE_NON_COMPLIANT, 0},
        {NOW - 31 * DAY, 30, COMPLIANCE_NON_COMPLIANT, 0},
        {0, 30, COMPLIANCE_UNKNOWN, 0},
        {NOW + DAY, 30, COMPLIANCE_COMPLIANT, NOW + 31 * DAY},
        {NOW, INT64_MAX, COMPLIANCE_COMPLIANT, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct compliance compliance;
        const struct comply_rule rule = {
            .policy_id = "p1", .kind = COMPLY_CONTACT_AGE, .value = table[i].value};
        const struct comply_input input = {.device = &phone,
                                           .rules = &rule,
                                           .rule_count = 1,
                                           .last_contact_at = table[i].last,
                                           .now = NOW};
        policy_comply(owner, &input, &compliance);
        assert_int_equal(compliance.state, table[i].state);
        assert_int_equal(compliance.recheck_at, table[i].recheck_at);
        assert_string_equal(compliance.results[0].name, "contact.max_days");
    }
}

/* Of several facts the oldest decides; a breach stays one; a limit of 0 is none. */
static void old_evidence_makes_nobody_compliant(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 32768);
    static const struct {
        int64_t hardware_at, password_at, limit;
        const char *password;
        enum compliance_state state;
        int64_t recheck_at;
    } table[] = {
        {NOW, NOW, 30 * DAY, "true", COMPLIANCE_COMPLIANT, NOW + 30 * DAY},
        {NOW - 29 * DAY, NOW, 30 * DAY, "true", COMPLIANCE_COMPLIANT, NOW + DAY},
        {NOW, NOW - 29 * DAY, 30 * DAY, "true", COMPLIANCE_COMPLIANT, NOW + DAY},
        {NOW, NOW - 30 * DAY, 30 * DAY, "true", COMPLIANCE_UNKNOWN, 0},
        {NOW - 30 * DAY, NOW, 30 * DAY, "true", COMPLIANCE_UNKNOWN, 0},
        {NOW - 30 * DAY, NOW - 30 * DAY, 30 * DAY, "false", COMPLIANCE_NON_COMPLIANT, 0},
        {NOW - 900 * DAY, NOW - 900 * DAY, 0, "true", COMPLIANCE_COMPLIANT, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct compliance compliance;
        char hardware[] = "encryption.hardware", three[] = "3", password[] = "password.present";
        char *value = mem_text(owner, table[i].password);
        const struct fact facts[] = {
            {hardware, three, EVIDENCE_MEASURED, three, table[i].hardware_at},
            {password, value, EVIDENCE_MEASURED, three, table[i].password_at}};
        const struct comply_rule rule = {.policy_id = "p1",
                                         .kind = COMPLY_SETTING,
                                         .setting = SETTING_ENCRYPTION_DEVICE,
                                         .value = 1};
        const struct comply_input input = {.device = &phone,
                                           .rules = &rule,
                                           .rule_count = 1,
                                           .facts = facts,
                                           .fact_count = 2,
                                           .evidence_seconds = table[i].limit,
                                           .integrity_seconds = DAY,
                                           .now = NOW};
        policy_comply(owner, &input, &compliance);
        assert_int_equal(compliance.state, table[i].state);
        assert_int_equal(compliance.recheck_at, table[i].recheck_at);
    }
}

static void the_order_of_facts_does_not_matter(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    const struct comply_rule rule = {.policy_id = "p1", .kind = COMPLY_OS_MINIMUM, .text = "17"};
    const struct told there[] = {RUNS("15.0"), RUNS("17.0"), PRESENT, {NULL, NULL, 0, 0}};
    const struct told back[] = {PRESENT, RUNS("17.0"), RUNS("15.0"), {NULL, NULL, 0, 0}};
    struct compliance results[2];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fact facts[4];
        const struct comply_input input = {.device = &phone,
                                           .rules = &rule,
                                           .rule_count = 1,
                                           .facts = facts,
                                           .fact_count = facts_of(owner, i ? back : there, facts),
                                           .now = NOW};
        policy_comply(owner, &input, &results[i]);
    }
    assert_int_equal(results[0].state, results[1].state);
    assert_string_equal(results[0].results[0].reason, results[1].results[0].reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_without_policy_is_not_evaluated),
        cmocka_unit_test(the_most_severe_rule_is_the_state_of_the_device),
        cmocka_unit_test(a_failure_has_its_grace_period_and_no_second_one),
        cmocka_unit_test(without_grace_a_failure_counts_at_once),
        cmocka_unit_test(a_policy_assigned_anew_grants_its_grace_anew),
        cmocka_unit_test(a_clock_set_back_or_a_huge_grace_do_no_harm),
        cmocka_unit_test(a_silent_device_becomes_non_compliant),
        cmocka_unit_test(old_evidence_makes_nobody_compliant),
        cmocka_unit_test(the_order_of_facts_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
