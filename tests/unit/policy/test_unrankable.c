/* SPDX-License-Identifier: Apache-2.0 */
/* Values that cannot be ranked, with a catalogue of our own: the real one has none yet. */
#include "policy/resolve.h"

#include "tests/test.h"

static const char *const sites[] = {"north", "east", "south", NULL};
const struct setting settings[SETTING_COUNT] = {
    [SETTING_PASSWORD_TYPE] = {.name = "site.list",
                               .area = "site",
                               .title = "Site list",
                               .type = SETTING_ENUM,
                               .rule = STRICTER_CONFLICT,
                               .off = -1,
                               .choices = sites},
};

static const struct target_device phone = {.platform = PLATFORM_IOS, .os_version = "17.5"};
static const struct candidate candidates[] = {
    {"b", "B", 1, POLICY_CONFIGURATION, 100, SETTING_PASSWORD_TYPE, 0},
    {"a", "A", 1, POLICY_CONFIGURATION, 100, SETTING_PASSWORD_TYPE, 2},
    {"c", "C", 1, POLICY_CONFIGURATION, 100, SETTING_PASSWORD_TYPE, 1},
    {"d", "D", 1, POLICY_CONFIGURATION, 200, SETTING_PASSWORD_TYPE, 1},
};

static struct decision resolve(void *owner, size_t count, const struct setting_value *current)
{
    struct resolution resolution;
    const struct resolve_input input = {candidates,         count,   &phone,
                                        CONFLICT_STRICTEST, current, current ? 1 : 0};
    policy_resolve(owner, &input, &resolution);
    assert_int_equal(resolution.count, 1);
    return resolution.decisions[0];
}

static void without_a_value_on_the_device_the_lowest_policy_id_decides(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    (void)state;
    struct decision decision = resolve(owner, 3, NULL);
    assert_int_equal(decision.state, DECISION_CONFLICT);
    assert_string_equal(decision.winner->policy_id, "a");
    assert_int_equal(decision.value, 2);
    assert_int_equal(decision.loser_count, 2);
    assert_string_equal(decision.rule, "not comparable: lowest policy id");
}

static void the_value_on_the_device_stays_where_a_policy_asks_for_it(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct setting_value current = {SETTING_PASSWORD_TYPE, 1};
    (void)state;
    struct decision decision = resolve(owner, 4, &current);
    assert_int_equal(decision.state, DECISION_CONFLICT);
    assert_string_equal(decision.winner->policy_id, "c");
    assert_int_equal(decision.loser_count, 3);
    assert_string_equal(decision.rule,
                        "band 100 before 200, then not comparable: the value on the device stays");
}

static void a_value_that_nobody_asks_for_does_not_stay(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct setting_value current = {SETTING_PASSWORD_TYPE, 1};
    (void)state;
    struct decision decision = resolve(owner, 2, &current);
    assert_string_equal(decision.winner->policy_id, "a");
}

static void one_value_alone_is_no_conflict(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct setting_value current = {SETTING_PASSWORD_TYPE, 1};
    (void)state;
    struct decision decision = resolve(owner, 1, &current);
    assert_int_equal(decision.state, DECISION_SET);
    assert_int_equal(decision.value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_value_on_the_device_the_lowest_policy_id_decides),
        cmocka_unit_test(the_value_on_the_device_stays_where_a_policy_asks_for_it),
        cmocka_unit_test(a_value_that_nobody_asks_for_does_not_stay),
        cmocka_unit_test(one_value_alone_is_no_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
