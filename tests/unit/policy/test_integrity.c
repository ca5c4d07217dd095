/* SPDX-License-Identifier: Apache-2.0 */
/* How far a device is believed, by what is known of it. */
#include "policy/integrity.h"

#include <string.h>

#include "tests/test.h"

#define NOW ((int64_t)1790000000)
#define LIMIT ((int64_t)72 * 3600)
#define FACTS_MOST 6

struct known {
    const char *name, *value;
    enum evidence evidence;
    int64_t age;
};
#define VERSION(text)                                                                              \
    {                                                                                              \
        "os.version", text, EVIDENCE_MEASURED, 0                                                   \
    }
#define BUILD(text)                                                                                \
    {                                                                                              \
        FACT_OS_BUILD, text, EVIDENCE_MEASURED, 0                                                  \
    }
#define STATE(text, of, old)                                                                       \
    {                                                                                              \
        FACT_INTEGRITY, text, of, old                                                              \
    }
#define REASON(text)                                                                               \
    {                                                                                              \
        FACT_INTEGRITY_REASON, text, EVIDENCE_MEASURED, 0                                          \
    }
#define FITS(text, old)                                                                            \
    {                                                                                              \
        FACT_OS_PLAUSIBLE, text, EVIDENCE_MEASURED, old                                            \
    }

static const struct row {
    const char *what;
    struct known known[FACTS_MOST];
    enum integrity_state state;
    const char *says;
    int64_t counts; /* seconds from now; 0: for ever */
} rows[] = {
    {"nothing is known", {{0}}, INTEGRITY_UNKNOWN, "Nothing was reported", 0},
    {"attested",
     {STATE("intact", EVIDENCE_ATTESTED, 60), REASON("It attests.")},
     INTEGRITY_ATTESTED,
     "It attests.",
     LIMIT - 60},
    {"attested, the last second",
     {STATE("intact", EVIDENCE_ATTESTED, LIMIT - 1)},
     INTEGRITY_ATTESTED,
     "The hardware",
     1},
    {"attested too long ago",
     {STATE("intact", EVIDENCE_ATTESTED, LIMIT)},
     INTEGRITY_UNKNOWN,
     "too old: it counts for 72 hours",
     0},
    {"attested too long ago, and claimed now",
     {STATE("intact", EVIDENCE_ATTESTED, LIMIT), FITS("true", 0)},
     INTEGRITY_CLAIMED,
     "The word of the device alone",
     LIMIT},
    {"an app says so",
     {STATE("intact", EVIDENCE_CLAIMED, 10)},
     INTEGRITY_CLAIMED,
     "The word of the device alone",
     LIMIT - 10},
    {"the system says so",
     {STATE("intact", EVIDENCE_MEASURED, 10)},
     INTEGRITY_CLAIMED,
     "The word of the device alone",
     LIMIT - 10},
    {"hardware that cannot",
     {STATE("unanswered", EVIDENCE_MEASURED, 0), REASON("It did not."), FITS("true", 20)},
     INTEGRITY_CLAIMED,
     "stands for it. It did not.",
     LIMIT - 20},
    {"a proof that is none is worse than none",
     {STATE("unproven", EVIDENCE_MEASURED, 0), REASON("Forged."), FITS("true", 0)},
     INTEGRITY_UNKNOWN,
     "Forged.",
     0},
    {"a proof that was none, long ago",
     {STATE("unproven", EVIDENCE_MEASURED, LIMIT), REASON("Forged."), FITS("true", 0)},
     INTEGRITY_CLAIMED,
     "The word of the device alone",
     LIMIT},
    {"a claim too long ago", {FITS("true", LIMIT)}, INTEGRITY_UNKNOWN, "too old", 0},
    {"what contradicts itself",
     {VERSION("17.5.1"), BUILD("20F66"), FITS("false", 0)},
     INTEGRITY_UNKNOWN,
     "the version 17.5.1 with the build 20F66",
     0},
    {"what contradicts itself, attested",
     {STATE("intact", EVIDENCE_ATTESTED, 0), VERSION("17.5.1"), BUILD("20F66"), FITS("false", 0)},
     INTEGRITY_UNKNOWN,
     "one of the two is not true",
     0},
    {"weakened",
     {STATE("weakened", EVIDENCE_ATTESTED, 10 * LIMIT), REASON("Protection is off.")},
     INTEGRITY_WEAKENED,
     "Protection is off.",
     0},
    {"compromised",
     {STATE("compromised", EVIDENCE_MEASURED, 10 * LIMIT), FITS("true", 0)},
     INTEGRITY_COMPROMISED,
     "reported as compromised (measured)",
     0},
    {"a word that nobody knows",
     {STATE("splendid", EVIDENCE_ATTESTED, 0)},
     INTEGRITY_UNKNOWN,
     "proves nothing",
     0},
    {"evidence of no kind", {STATE("intact", EVIDENCE_NONE, 0)}, INTEGRITY_UNKNOWN, "Nothing", 0},
};

/* proves-partly: 4c-17 */
static void each_device_is_believed_as_far_as_it_is_proved(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct fact facts[FACTS_MOST];
        struct integrity integrity;
        size_t count = 0;
        for (; count < FACTS_MOST && row->known[count].name; count++)
            facts[count] = (struct fact){.name = mem_text(*state, row->known[count].name),
                                         .value = mem_text(*state, row->known[count].value),
                                         .evidence = (int)row->known[count].evidence,
                                         .source = mem_text(*state, "test"),
                                         .reported_at = NOW - row->known[count].age};
        policy_integrity(*state, facts, count, LIMIT, NOW, &integrity);
        if (integrity.state != (int)row->state || !strstr(integrity.reason, row->says))
            fail_msg("%s: %s: %s", row->what, integrity_state_names[integrity.state],
                     integrity.reason);
        assert_int_equal(integrity.counts_until, row->counts ? NOW + row->counts : 0);
    }
}

static void without_a_limit_nothing_grows_old(void **state)
{
    struct fact fact = {.name = mem_text(*state, FACT_INTEGRITY),
                        .value = mem_text(*state, "intact"),
                        .evidence = EVIDENCE_ATTESTED,
                        .source = mem_text(*state, "test"),
                        .reported_at = 1};
    struct integrity integrity;
    policy_integrity(*state, &fact, 1, 0, NOW, &integrity);
    assert_int_equal(integrity.state, INTEGRITY_ATTESTED);
    assert_int_equal(integrity.counts_until, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_is_believed_as_far_as_it_is_proved),
        cmocka_unit_test(without_a_limit_nothing_grows_old),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
