/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/resolve.h"

#include "random.h"
#include "tests/test.h"

#define CANDIDATES_MAX 24

/* A device that has no way for settings of the kind "a number of letters". */
static const char *no_letters(enum setting_id setting, const struct target_device *device)
{
    (void)device;
    return setting >= SETTING_PASSWORD_MIN_LETTERS && setting <= SETTING_PASSWORD_MIN_SYMBOLS
               ? "has no such rule"
               : NULL;
}

static const struct target_device phone = {.platform = PLATFORM_IOS,
                                           .os_version = "17.5",
                                           .ownership = "company",
                                           .unsupported = no_letters};

static struct candidate candidate(const char *policy, enum policy_kind kind, int64_t band,
                                  enum setting_id setting, int64_t value)
{
    return (struct candidate){.policy_id = policy,
                              .policy_name = policy,
                              .revision = 1,
                              .kind = kind,
                              .band = band,
                              .setting = setting,
                              .value = value};
}
#define CANDIDATE(policy, of_kind, of_band, id, asked)                                             \
    {                                                                                              \
        .policy_id = (policy), .policy_name = (policy), .revision = 1, .kind = (of_kind),          \
        .band = (of_band), .setting = SETTING_##id, .value = (asked)                               \
    }
#define CONFIGURES(policy, band, setting, value)                                                   \
    CANDIDATE(policy, POLICY_CONFIGURATION, band, setting, value)
#define COMPLIES(policy, band, setting, value)                                                     \
    CANDIDATE(policy, POLICY_COMPLIANCE, band, setting, value)

static void resolve(void *owner, const struct candidate *candidates, size_t count,
                    enum conflict_mode mode, struct resolution *out)
{
    const struct resolve_input input = {
        .candidates = candidates, .candidate_count = count, .device = &phone, .mode = mode};
    policy_resolve(owner, &input, out);
}

struct expected {
    const char *name;
    enum conflict_mode mode;
    struct candidate candidates[4];
    size_t count;
    int64_t value;
    const char *winner, *rule;
};

static const struct expected cases[] = {
    {"one alone",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 6)},
     1,
     6,
     "a",
     "only value"},
    {"two configurations",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 6), CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 8)},
     2,
     8,
     "b",
     "strictest: higher wins"},
    {"a stricter configuration is not weakened by compliance",
     CONFLICT_STRICTEST,
     {COMPLIES("a", 100, PASSWORD_MIN_LENGTH, 6), CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 10)},
     2,
     10,
     "b",
     "strictest: higher wins"},
    {"unless compliance comes first",
     CONFLICT_COMPLIANCE_FIRST,
     {COMPLIES("b", 100, PASSWORD_MIN_LENGTH, 6), CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 10)},
     2,
     6,
     "b",
     "compliance before configuration"},
    {"two compliance policies",
     CONFLICT_COMPLIANCE_FIRST,
     {COMPLIES("a", 100, PASSWORD_EXPIRATION_DAYS, 90),
      COMPLIES("b", 100, PASSWORD_EXPIRATION_DAYS, 30),
      CONFIGURES("c", 100, PASSWORD_EXPIRATION_DAYS, 10)},
     3,
     30,
     "b",
     "compliance before configuration, then strictest: lower wins"},
    {"a switch that is stricter off",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_ALLOW_SIMPLE, 1),
      CONFIGURES("b", 100, PASSWORD_ALLOW_SIMPLE, 0)},
     2,
     0,
     "b",
     "strictest: false wins"},
    {"a choice",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_TYPE, 2), CONFIGURES("b", 100, PASSWORD_TYPE, 1)},
     2,
     2,
     "a",
     "strictest: later in the list wins"},
    {"off is laxest",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_MAX_FAILURES_WIPE, 0),
      CONFIGURES("b", 100, PASSWORD_MAX_FAILURES_WIPE, 11)},
     2,
     11,
     "b",
     "strictest: lower wins"},
    {"the stronger band wins although laxer",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 12), CONFIGURES("b", 10, PASSWORD_MIN_LENGTH, 6)},
     2,
     6,
     "b",
     "band 10 before 100"},
    {"the strictest of the stronger band",
     CONFLICT_STRICTEST,
     {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 12), CONFIGURES("b", 10, PASSWORD_MIN_LENGTH, 6),
      CONFIGURES("c", 10, PASSWORD_MIN_LENGTH, 7)},
     3,
     7,
     "c",
     "band 10 before 100, then strictest: higher wins"},
    {"a band is stronger than a kind",
     CONFLICT_COMPLIANCE_FIRST,
     {CONFIGURES("a", 10, PASSWORD_MIN_LENGTH, 6), COMPLIES("b", 100, PASSWORD_MIN_LENGTH, 12)},
     2,
     6,
     "a",
     "band 10 before 100"},
    {"of equal values the lowest policy id is named",
     CONFLICT_STRICTEST,
     {CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 8), COMPLIES("a", 100, PASSWORD_MIN_LENGTH, 8)},
     2,
     8,
     "a",
     "same value everywhere"},
};

static void values_meet_by_the_documented_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
        struct resolution resolution;
        resolve(owner, cases[i].candidates, cases[i].count, cases[i].mode, &resolution);
        print_message("%s\n", cases[i].name);
        assert_int_equal(resolution.count, 1);
        const struct decision *decision = &resolution.decisions[0];
        assert_int_equal(decision->state, DECISION_SET);
        assert_int_equal(decision->value, cases[i].value);
        assert_string_equal(decision->winner->policy_id, cases[i].winner);
        assert_string_equal(decision->rule, cases[i].rule);
        assert_int_equal(decision->loser_count, cases[i].count - 1);
        assert_int_equal(decision->dropped_count, 0);
    }
}

static void what_the_device_cannot_do_is_dropped_with_its_reason(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct candidate candidates[] = {CONFIGURES("a", 100, PASSWORD_MIN_LETTERS, 2),
                                           CONFIGURES("b", 100, PASSWORD_MIN_LETTERS, 3),
                                           CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 8)};
    const struct setting_value *values;
    struct resolution resolution;
    (void)state;
    resolve(owner, candidates, COUNT(candidates), CONFLICT_STRICTEST, &resolution);
    assert_int_equal(resolution.count, 2);
    const struct decision *letters = &resolution.decisions[1];
    assert_int_equal(letters->state, DECISION_NOT_APPLICABLE);
    assert_null(letters->winner);
    assert_int_equal(letters->dropped_count, 2);
    assert_string_equal(letters->dropped_reasons[0], "has no such rule");
    assert_int_equal(resolution_values(owner, &resolution, &values), 1);
    assert_int_equal(values[0].id, SETTING_PASSWORD_MIN_LENGTH);
    assert_int_equal(values[0].value, 8);
}

static void a_value_out_of_range_never_wins(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct candidate candidates[] = {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 99),
                                           CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 8)};
    struct resolution resolution;
    (void)state;
    resolve(owner, candidates, COUNT(candidates), CONFLICT_STRICTEST, &resolution);
    assert_int_equal(resolution.decisions[0].value, 8);
    assert_int_equal(resolution.decisions[0].dropped_count, 1);
    assert_string_equal(resolution.decisions[0].dropped_reasons[0],
                        "password.min_length must be 4 to 16");
}

static void nothing_assigned_decides_nothing(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    struct resolution resolution;
    (void)state;
    resolve(owner, NULL, 0, CONFLICT_STRICTEST, &resolution);
    assert_int_equal(resolution.count, 0);
}

/* ---- properties ---- */

static size_t random_candidates(uint64_t *seed, struct candidate *out)
{
    static const char *const policies[] = {"p1", "p2", "p3", "p4", "p5"};
    size_t count = random_below(seed, CANDIDATES_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        enum setting_id setting = (enum setting_id)random_below(seed, 12);
        out[i] = candidate(policies[random_below(seed, COUNT(policies))],
                           (enum policy_kind)random_below(seed, POLICY_KIND_COUNT),
                           random_below(seed, 3) == 0 ? 10 : 100, setting,
                           random_value(seed, &settings[setting]));
        out[i].revision = (int64_t)random_below(seed, 3);
    }
    return count;
}

static void shuffle(uint64_t *seed, struct candidate *candidates, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(seed, i);
        struct candidate kept = candidates[i - 1];
        candidates[i - 1] = candidates[other];
        candidates[other] = kept;
    }
}

static void assert_same_candidate(const struct candidate *a, const struct candidate *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (!a)
        return;
    assert_string_equal(a->policy_id, b->policy_id);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->band, b->band);
    assert_int_equal(a->value, b->value);
}

static void assert_same_resolution(const struct resolution *a, const struct resolution *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct decision *x = &a->decisions[i], *y = &b->decisions[i];
        assert_int_equal(x->setting, y->setting);
        assert_int_equal(x->state, y->state);
        assert_int_equal(x->value, y->value);
        assert_string_equal(x->rule, y->rule);
        assert_same_candidate(x->winner, y->winner);
        assert_int_equal(x->loser_count, y->loser_count);
        assert_int_equal(x->dropped_count, y->dropped_count);
        for (size_t j = 0; j < x->loser_count; j++)
            assert_same_candidate(x->losers[j], y->losers[j]);
        for (size_t j = 0; j < x->dropped_count; j++)
            assert_same_candidate(x->dropped[j], y->dropped[j]);
    }
}

/* proves-partly: 4c-6 */
static void the_order_of_the_input_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 1500; round++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 65536);
        uint64_t seed = round;
        struct candidate candidates[CANDIDATES_MAX];
        struct candidate shuffled[CANDIDATES_MAX];
        struct resolution a, b;
        size_t count = random_candidates(&seed, candidates);
        enum conflict_mode mode = round % 2 ? CONFLICT_STRICTEST : CONFLICT_COMPLIANCE_FIRST;
        memcpy(shuffled, candidates, sizeof(shuffled));
        shuffle(&seed, shuffled, count);
        resolve(owner, candidates, count, mode, &a);
        resolve(owner, shuffled, count, mode, &b);
        assert_same_resolution(&a, &b);
    }
}

static size_t times_in(const struct candidate *wanted, const struct resolution *resolution)
{
    size_t times = 0;
    for (size_t i = 0; i < resolution->count; i++) {
        const struct decision *decision = &resolution->decisions[i];
        times += decision->winner == wanted;
        for (size_t j = 0; j < decision->loser_count; j++)
            times += decision->losers[j] == wanted;
        for (size_t j = 0; j < decision->dropped_count; j++)
            times += decision->dropped[j] == wanted && decision->dropped_reasons[j] != NULL;
    }
    return times;
}

/* proves: 4c-6 */
static void every_candidate_is_explained_exactly_once(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 1500; round++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 65536);
        uint64_t seed = round;
        struct candidate candidates[CANDIDATES_MAX];
        struct resolution resolution;
        size_t count = random_candidates(&seed, candidates);
        resolve(owner, candidates, count,
                round % 2 ? CONFLICT_STRICTEST : CONFLICT_COMPLIANCE_FIRST, &resolution);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(times_in(&candidates[i], &resolution), 1);
    }
}

static void resolving_the_winners_again_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 1000; round++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 65536);
        uint64_t seed = round;
        struct candidate candidates[CANDIDATES_MAX];
        struct candidate winners[CANDIDATES_MAX];
        const struct setting_value *before, *after;
        struct resolution first, second;
        size_t winner_count = 0;
        size_t count = random_candidates(&seed, candidates);
        resolve(owner, candidates, count, CONFLICT_STRICTEST, &first);
        size_t value_count = resolution_values(owner, &first, &before);
        for (size_t i = 0; i < first.count; i++)
            if (first.decisions[i].winner)
                winners[winner_count++] = *first.decisions[i].winner;
        const struct resolve_input again = {winners, winner_count, &phone, CONFLICT_STRICTEST,
                                            before,  value_count};
        policy_resolve(owner, &again, &second);
        assert_int_equal(resolution_values(owner, &second, &after), value_count);
        for (size_t i = 0; i < value_count; i++) {
            assert_int_equal(before[i].id, after[i].id);
            assert_int_equal(before[i].value, after[i].value);
        }
    }
}

static void another_policy_in_the_band_never_makes_a_value_laxer(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 1500; round++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 65536);
        uint64_t seed = round;
        struct candidate candidates[CANDIDATES_MAX];
        const struct setting_value *before, *after;
        struct resolution first, second;
        size_t count = random_candidates(&seed, candidates);
        for (size_t i = 0; i < count; i++)
            candidates[i].band = 100;
        resolve(owner, candidates, count, CONFLICT_STRICTEST, &first);
        size_t before_count = resolution_values(owner, &first, &before);
        enum setting_id more = (enum setting_id)random_below(&seed, 12);
        candidates[count] =
            candidate("p9", POLICY_CONFIGURATION, 100, more, random_value(&seed, &settings[more]));
        resolve(owner, candidates, count + 1, CONFLICT_STRICTEST, &second);
        size_t after_count = resolution_values(owner, &second, &after);
        assert_true(after_count >= before_count);
        for (size_t i = 0; i < before_count; i++)
            for (size_t j = 0; j < after_count; j++)
                if (before[i].id == after[j].id)
                    assert_true(setting_satisfied(&settings[before[i].id], before[i].value,
                                                  after[j].value));
    }
}

static int64_t at_most_six(enum setting_id setting, const struct target_device *device,
                           int64_t value)
{
    (void)setting;
    (void)device;
    return value > 6 ? 6 : value;
}

/* What holds is what the device was told, and the record says what was asked for. */
static void a_value_that_the_device_cannot_take_is_shown_as_the_one_it_takes(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    const struct candidate candidates[] = {CONFIGURES("a", 100, PASSWORD_MIN_LENGTH, 12),
                                           CONFIGURES("b", 100, PASSWORD_MIN_LENGTH, 4)};
    const struct target_device narrow = {.platform = PLATFORM_IOS, .nearest = at_most_six};
    const struct resolve_input input = {
        .candidates = candidates, .candidate_count = COUNT(candidates), .device = &narrow};
    struct resolution out;
    (void)state;
    policy_resolve(owner, &input, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.decisions[0].value, 6);
    assert_int_equal(out.decisions[0].winner->value, 12);
    assert_string_equal(out.decisions[0].rule,
                        "strictest: higher wins; the device takes at most 6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_the_device_cannot_take_is_shown_as_the_one_it_takes),
        cmocka_unit_test(values_meet_by_the_documented_rules),
        cmocka_unit_test(what_the_device_cannot_do_is_dropped_with_its_reason),
        cmocka_unit_test(a_value_out_of_range_never_wins),
        cmocka_unit_test(nothing_assigned_decides_nothing),
        cmocka_unit_test(the_order_of_the_input_does_not_matter),
        cmocka_unit_test(every_candidate_is_explained_exactly_once),
        cmocka_unit_test(resolving_the_winners_again_changes_nothing),
        cmocka_unit_test(another_policy_in_the_band_never_makes_a_value_laxer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
