/* SPDX-License-Identifier: Apache-2.0 */
/* An effective set as profiles, and their hashes. */
#include "channel/apple/items.h"

#include "base/id.h"
#include "base/text.h"
#include "model/platform.h"
#include "tests/test.h"

static const struct setting_value length_8[] = {{SETTING_PASSWORD_MIN_LENGTH, 8}};
static const struct setting_value length_9[] = {{SETTING_PASSWORD_MIN_LENGTH, 9}};
static const struct setting_value both[] = {{SETTING_PASSWORD_MIN_LENGTH, 8},
                                            {SETTING_ENCRYPTION_BACKUP, 1}};

struct made {
    struct apple_item *items;
    size_t count;
};
static struct made made_of(void *owner, const struct setting_value *values, size_t count)
{
    const struct effective effective = {.platform = PLATFORM_IOS, .values = values, .count = count};
    struct made made = {0};
    struct err err;
    assert_works(apple_items_make(owner, &effective, &made.items, &made.count, &err), err);
    return made;
}

static void one_payload_is_one_profile(void **state)
{
    struct made made = made_of(*state, both, COUNT(both));
    assert_int_equal(made.count, 2);
    assert_string_equal(made.items[0].name, "passcode");
    assert_string_equal(made.items[1].name, "restrictions");
    const struct plist *profile = made.items[0].profile;
    assert_string_equal(plist_text(profile, "PayloadType"), "Configuration");
    assert_string_equal(plist_text(profile, "PayloadIdentifier"), "org.muster.policy.passcode");
    const struct plist *payload = plist_get(profile, "PayloadContent")->first;
    int64_t length = 0;
    assert_string_equal(plist_text(payload, "PayloadType"),
                        "com.apple.mobiledevice.passwordpolicy");
    assert_true(plist_integer(payload, "minLength", &length) && length == 8);
    assert_null(payload->next);
}

static void the_hash_is_the_uuid_of_the_profile(void **state)
{
    struct made made = made_of(*state, length_8, COUNT(length_8));
    const struct plist *profile = made.items[0].profile;
    const struct plist *payload = plist_get(profile, "PayloadContent")->first;
    assert_true(id_is_valid(made.items[0].hash));
    assert_string_equal(plist_text(profile, "PayloadUUID"), made.items[0].hash);
    assert_true(id_is_valid(plist_text(payload, "PayloadUUID")));
    assert_string_not_equal(plist_text(payload, "PayloadUUID"), made.items[0].hash);
}

static void equal_values_give_equal_bytes(void **state)
{
    struct bytes first, second;
    struct err err;
    struct made one = made_of(*state, length_8, COUNT(length_8));
    struct made other = made_of(*state, both, COUNT(both));
    assert_works(plist_render(*state, one.items[0].profile, 65536, &first, &err), err);
    assert_works(plist_render(*state, other.items[0].profile, 65536, &second, &err), err);
    assert_true(bytes_equal(first, second));
}

static void another_value_gives_another_hash(void **state)
{
    assert_string_not_equal(made_of(*state, length_8, COUNT(length_8)).items[0].hash,
                            made_of(*state, length_9, COUNT(length_9)).items[0].hash);
}

/* Devices out there carry this UUID: changing it installs every profile once more. */
static void the_hash_of_a_known_set_stays(void **state)
{
    assert_string_equal(made_of(*state, length_8, COUNT(length_8)).items[0].hash,
                        "4239529A-D877-8224-B0C1-2D17D63919C8");
}

static void nothing_asked_is_nothing_to_deliver(void **state)
{
    assert_int_equal(made_of(*state, NULL, 0).count, 0);
}

static void an_identifier_leads_back_to_its_item(void **state)
{
    char *identifier = apple_item_identifier(*state, "passcode");
    assert_string_equal(apple_item_of_identifier(identifier), "passcode");
    assert_null(apple_item_of_identifier("org.muster.policy."));
    assert_null(apple_item_of_identifier("org.muster.enrolment"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_payload_is_one_profile),
        cmocka_unit_test(the_hash_is_the_uuid_of_the_profile),
        cmocka_unit_test(equal_values_give_equal_bytes),
        cmocka_unit_test(another_value_gives_another_hash),
        cmocka_unit_test(the_hash_of_a_known_set_stays),
        cmocka_unit_test(nothing_asked_is_nothing_to_deliver),
        cmocka_unit_test(an_identifier_leads_back_to_its_item),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
