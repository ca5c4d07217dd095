/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations on Apple's wire: the question, the answer, and builds that belong to a version. */
#include "channel/apple/attest.h"

#include "channel/apple/plausible.h"
#include "tests/unit/channel/apple.h"

#define NOW INT64_C(1780272000) /* 2026-06-01 */

static void the_question_holds_the_nonce_and_asks_for_the_version(void **state)
{
    struct plist *request = plist_new_dict(*state);
    apple_attest_ask(request, bytes_text("0123456789abcdef0123456789abcdef"));
    const struct plist *nonce = plist_get(request, "DeviceAttestationNonce");
    const struct plist *queries = plist_get(request, "Queries");
    assert_int_equal(nonce->type, PLIST_DATA);
    assert_int_equal(nonce->data.size, ATTESTATION_NONCE_SIZE);
    assert_int_equal(queries->count, 3);
    assert_string_equal(queries->first->text, "OSVersion");
    assert_string_equal(queries->first->next->text, "BuildVersion");
    assert_string_equal(queries->first->next->next->text, "DevicePropertiesAttestation");
}

static struct plist *answer_of(void *owner, struct plist **responses)
{
    struct plist *answer = plist_new_dict(owner);
    *responses = plist_set_dict(answer, "QueryResponses");
    return answer;
}

static const struct apple_attest_roots no_roots = {.problem = "there are no roots"};

static void an_answer_without_one_says_nothing(void **state)
{
    struct plist *responses;
    struct attestation_answer read;
    const struct plist *answer = answer_of(*state, &responses);
    plist_set_text(responses, "OSVersion", "17.5.1");
    assert_false(apple_attest_told(answer));
    assert_false(apple_attest_read(*state, answer, &no_roots, NOW, &read));
    struct plist *odd = plist_new_dict(*state);
    plist_set_text(odd, "QueryResponses", "DevicePropertiesAttestation");
    assert_false(apple_attest_told(odd));
}

static const char *problem_with(void *owner, const struct plist *answer,
                                const struct apple_attest_roots *roots)
{
    struct attestation_answer read;
    assert_true(apple_attest_told(answer));
    assert_true(apple_attest_read(owner, answer, roots, NOW, &read));
    assert_null(read.proof);
    return read.problem;
}

static void whatever_is_no_chain_is_named(void **state)
{
    const struct apple_attest_roots roots = {.pem = bytes_text("no certificate")};
    struct plist *responses;
    const struct plist *answer = answer_of(*state, &responses);
    struct plist *list = plist_set_array(responses, "DevicePropertiesAttestation");
    assert_string_equal(problem_with(*state, answer, &no_roots), "there are no roots");
    assert_string_equal(problem_with(*state, answer, &roots),
                        "a chain of 0 certificates; 1 to 4 are expected");
    for (int i = 0; i < 4; i++)
        plist_set_data(list, NULL, bytes_text("0"));
    assert_string_equal(problem_with(*state, answer, &roots), "no certificate in PEM form");
    plist_set_data(list, NULL, bytes_text("0"));
    assert_string_equal(problem_with(*state, answer, &roots),
                        "a chain of more than 4 certificates");
    answer = answer_of(*state, &responses);
    plist_set_text(plist_set_array(responses, "DevicePropertiesAttestation"), NULL, "MII=");
    assert_string_equal(problem_with(*state, answer, &roots), "it is no list of certificates");
    answer = answer_of(*state, &responses);
    plist_set_data(responses, "DevicePropertiesAttestation", bytes_text("0"));
    assert_string_equal(problem_with(*state, answer, &roots), "it is no list of certificates");
}

/* proves-partly: 4c-17 */
static void builds_belong_to_versions(void **state)
{
    static const struct {
        enum platform platform;
        const char *version, *build;
        enum plausibility judged;
    } rows[] = {
        {PLATFORM_IOS, "17.5.1", "21F90", PLAUSIBLE},
        {PLATFORM_IOS, "17", "21A329", PLAUSIBLE},
        {PLATFORM_IPADOS, "16.1", "20B82", PLAUSIBLE},
        {PLATFORM_IOS, "26.0", "23A341", PLAUSIBLE},
        {PLATFORM_IOS, "9.3.6", "13G37", PLAUSIBLE},
        {PLATFORM_IOS, "17.4", "21E5184i", PLAUSIBLE},
        {PLATFORM_MACOS, "14.5", "23F79", PLAUSIBLE},
        {PLATFORM_MACOS, "10.15.7", "19H2026", PLAUSIBLE},
        {PLATFORM_MACOS, "26.1", "25B78", PLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "20F66", IMPLAUSIBLE},
        {PLATFORM_IOS, "18.0", "21F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "99.0", "21F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "99F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "19.0", "23A341", IMPLAUSIBLE},
        {PLATFORM_MACOS, "17.5.1", "21F90", IMPLAUSIBLE},
        {PLATFORM_MACOS, "14.5", "21F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "21", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "21F", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "21F90ii", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "21F900000", IMPLAUSIBLE},
        {PLATFORM_IOS, "17.5.1", "21F90 ", IMPLAUSIBLE},
        {PLATFORM_IOS, "", "21F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "17x", "21F90", IMPLAUSIBLE},
        {PLATFORM_IOS, "27.0", "24A100", PLAUSIBILITY_UNKNOWN},
        {PLATFORM_IOS, "40.0", "37A1", PLAUSIBILITY_UNKNOWN},
        {PLATFORM_MACOS, "27.0", "26A1", PLAUSIBILITY_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (apple_build_judge(rows[i].platform, rows[i].version, rows[i].build) != rows[i].judged)
            fail_msg("%s %s", rows[i].version, rows[i].build);
}

static struct fact fact_of(void *owner, const char *name, const char *value)
{
    return (struct fact){.name = mem_text(owner, name), .value = mem_text(owner, value)};
}

static void only_a_report_of_both_is_weighed(void **state)
{
    struct fact both[] = {fact_of(*state, "os.version", "17.5.1"),
                          fact_of(*state, "os.build", "20F66"),
                          fact_of(*state, "device.name", "Ada")};
    const struct fact *facts = both;
    size_t count = 1;
    apple_facts_weigh(*state, PLATFORM_IOS, NOW, &facts, &count);
    assert_int_equal(count, 1);
    count = COUNT(both);
    apple_facts_weigh(*state, PLATFORM_IOS, NOW, &facts, &count);
    assert_int_equal(count, 4);
    assert_string_equal(facts[2].value, "Ada");
    assert_string_equal(facts[3].name, FACT_OS_PLAUSIBLE);
    assert_string_equal(facts[3].value, "false");
    assert_int_equal(facts[3].reported_at, NOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_holds_the_nonce_and_asks_for_the_version),
        cmocka_unit_test(an_answer_without_one_says_nothing),
        cmocka_unit_test(whatever_is_no_chain_is_named),
        cmocka_unit_test(builds_belong_to_versions),
        cmocka_unit_test(only_a_report_of_both_is_weighed),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
