/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/expectation.h"
#include "tests/test.h"

static const struct name_part subject_parts[] = {{"O", "Example"}, {"CN", "phone 1"}};
static const struct alternative san_items[] = {{ALTERNATIVE_URI, "urn:uuid:1"},
                                               {ALTERNATIVE_UPN, "a@example.org"}};
static const char *const client_auth[] = {"1.3.6.1.5.5.7.3.2", NULL};

static struct expectation policy(void)
{
    return (struct expectation){.subject = {subject_parts, 2},
                                .alternatives = {san_items, 2},
                                .key_usage = 0xa0,
                                .purposes = client_auth,
                                .key = KEY_RSA,
                                .bits_min = 2048,
                                .bits_max = 2048};
}

static struct certificate_request as_expected(void)
{
    return (struct certificate_request){
        .subject = {subject_parts, 2}, .alternatives = {san_items, 2}, .key = {KEY_RSA, 2048}};
}

/* One difference, in this attribute. */
static void differs(const struct expectation *expected, const struct certificate_request *asked,
                    const char *attribute)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct differences found = expectation_compare(owner, expected, asked);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0].attribute, attribute);
    assert_string_not_equal(found.items[0].expected, found.items[0].asked);
}

static void is_the_same(const struct expectation *expected, const struct certificate_request *asked)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct differences found = expectation_compare(owner, expected, asked);
    if (found.count)
        fail_msg("%s: %s against %s", found.items[0].attribute, found.items[0].expected,
                 found.items[0].asked);
}

static void a_request_as_expected_has_no_differences(void **state)
{
    (void)state;
    struct expectation expected = policy();
    struct certificate_request asked = as_expected();
    is_the_same(&expected, &asked); /* key usages absent: the policy gives them */
    asked.has_key_usage = true, asked.key_usage = 0xa0;
    asked.has_purposes = true, asked.purposes = client_auth;
    is_the_same(&expected, &asked);
    const struct alternative turned[] = {san_items[1], san_items[0]};
    asked.alternatives.items = turned; /* a set has no order */
    is_the_same(&expected, &asked);
}

static void a_subject_differs_in_value_order_or_number(void **state)
{
    (void)state;
    struct expectation expected = policy();
    const struct name_part other[] = {{"O", "Example"}, {"CN", "phone 2"}},
                           turned[] = {{"CN", "phone 1"}, {"O", "Example"}},
                           more[] = {{"O", "Example"}, {"CN", "phone 1"}, {"CN", "admin"}},
                           homoglyph[] = {{"O", "Ex\xd0\xb0mple"}, {"CN", "phone 1"}};
    const struct name names[] = {{other, 2}, {turned, 2}, {more, 3}, {homoglyph, 2}, {other, 0}};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct certificate_request asked = as_expected();
        asked.subject = names[i];
        differs(&expected, &asked, "subject");
    }
}

static void alternative_names_differ_when_missing_added_or_changed(void **state)
{
    (void)state;
    struct expectation expected = policy();
    const struct alternative other[] = {{ALTERNATIVE_URI, "urn:uuid:1"},
                                        {ALTERNATIVE_UPN, "root@example.org"}},
                             kind[] = {{ALTERNATIVE_DNS, "urn:uuid:1"}, san_items[1]},
                             twice[] = {san_items[0], san_items[0]},
                             more[] = {san_items[0], san_items[1], {ALTERNATIVE_DNS, "x"}};
    const struct alternatives lists[] = {{other, 2}, {kind, 2}, {twice, 2}, {more, 3}, {NULL, 0}};
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct certificate_request asked = as_expected();
        asked.alternatives = lists[i];
        differs(&expected, &asked, "alternative names");
    }
    struct certificate_request asked = as_expected();
    asked.alternatives = (struct alternatives){NULL, 0};
    expected.alternatives_may_be_absent = true;
    is_the_same(&expected, &asked);
    asked.alternatives = lists[0]; /* absent is allowed, different is not */
    differs(&expected, &asked, "alternative names");
}

static void usages_differ_when_present_and_other(void **state)
{
    (void)state;
    struct expectation expected = policy();
    struct certificate_request asked = as_expected();
    asked.has_key_usage = true, asked.key_usage = 0x04;
    differs(&expected, &asked, "key usage");
    const char *const any[] = {"1.3.6.1.5.5.7.3.2", "2.5.29.37.0", NULL}, *const none[] = {NULL};
    asked = as_expected(), asked.has_purposes = true, asked.purposes = any;
    differs(&expected, &asked, "extended key usage");
    asked.purposes = none;
    differs(&expected, &asked, "extended key usage");
}

static void a_key_differs_in_kind_or_size(void **state)
{
    (void)state;
    struct expectation expected = policy();
    struct certificate_request asked = as_expected();
    asked.key = (struct key_facts){KEY_RSA, 4096};
    differs(&expected, &asked, "key");
    asked.key = (struct key_facts){KEY_P256, 256};
    differs(&expected, &asked, "key");
    expected.key = KEY_P256, expected.bits_min = expected.bits_max = 0;
    is_the_same(&expected, &asked);
}

static void every_difference_is_told(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct expectation expected = policy();
    struct certificate_request asked = {
        .key = {KEY_P384, 384}, .has_key_usage = true, .key_usage = 0x8001, .has_purposes = true};
    const char *const none[] = {NULL};
    asked.purposes = none;
    struct differences found = expectation_compare(owner, &expected, &asked);
    assert_int_equal(found.count, 5);
    assert_string_equal(found.items[0].expected, "O=Example, CN=phone 1");
    assert_string_equal(found.items[0].asked, "none");
    assert_string_equal(found.items[1].expected, "URI:urn:uuid:1, UPN:a@example.org");
    assert_string_equal(found.items[2].expected, "digitalSignature, keyEncipherment");
    assert_string_equal(found.items[2].asked, "encipherOnly, decipherOnly");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_as_expected_has_no_differences),
        cmocka_unit_test(a_subject_differs_in_value_order_or_number),
        cmocka_unit_test(alternative_names_differ_when_missing_added_or_changed),
        cmocka_unit_test(usages_differ_when_present_and_other),
        cmocka_unit_test(a_key_differs_in_kind_or_size),
        cmocka_unit_test(every_difference_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
