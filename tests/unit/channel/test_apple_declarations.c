/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/mem.h"
#include "channel/apple/carriers.h"

#define ABLE                                                                                       \
    "[\"com.apple.configuration.management.status-subscriptions\","                                \
    "\"com.apple.configuration.passcode.settings\",\"passcode.is-compliant\"]"
#define PASSCODE "declaration.passcode"

static const struct setting_value eight[] = {{SETTING_PASSWORD_MIN_LENGTH, 8}};

static struct effective effective_of(const struct setting_value *values, size_t count)
{
    return (struct effective){.platform = PLATFORM_IOS,
                              .values = values,
                              .count = count,
                              .os_version = "17.5.1",
                              .organization = "Example",
                              .declarative = {.capabilities = (char *)(uintptr_t)ABLE}};
}

static struct apple_plan plan_of(void *owner, const struct effective *effective)
{
    struct apple_plan plan;
    struct err err;
    assert_works(apple_plan_make(owner, effective, &plan, &err), err);
    return plan;
}

static const struct apple_declaration *find(const struct apple_plan *plan, const char *item)
{
    for (size_t i = 0; i < plan->declarations.count; i++)
        if (plan->declarations.list[i].item && strcmp(plan->declarations.list[i].item, item) == 0)
            return &plan->declarations.list[i];
    return NULL;
}

static bool by_profile(const struct apple_plan *plan)
{
    return plan->profile_count > 0 && strcmp(plan->profiles[0].name, "passcode") == 0;
}

static void equal_sets_have_equal_tokens(void **state)
{
    struct effective one = effective_of(eight, 1), other = effective_of(eight, 1);
    other.device_id = (char *)(uintptr_t) "another";
    struct apple_plan a = plan_of(*state, &one), b = plan_of(*state, &other);
    assert_string_equal(a.declarations.token, b.declarations.token);
    assert_string_equal(find(&a, PASSCODE)->text, find(&b, PASSCODE)->text);
}

static void another_content_has_another_token(void **state)
{
    static const struct setting_value nine[] = {{SETTING_PASSWORD_MIN_LENGTH, 9}};
    struct effective one = effective_of(eight, 1), other = effective_of(nine, 1);
    struct apple_plan a = plan_of(*state, &one), b = plan_of(*state, &other);
    assert_string_not_equal(a.declarations.token, b.declarations.token);
    assert_string_not_equal(find(&a, PASSCODE)->token, find(&b, PASSCODE)->token);
    assert_string_equal(a.declarations.list[0].token, b.declarations.list[0].token);
    other = effective_of(eight, 1);
    other.organization = "Another";
    b = plan_of(*state, &other);
    assert_string_not_equal(a.declarations.token, b.declarations.token);
}

static bool is_subscribed(void *owner, const struct effective *effective, const char *name)
{
    struct apple_plan plan = plan_of(owner, effective);
    for (size_t i = 0; i < plan.declarations.count; i++)
        if (strstr(plan.declarations.list[i].text, "management.status-subscriptions"))
            return strstr(plan.declarations.list[i].text, name) != NULL;
    fail_msg("nothing is subscribed to");
    return false;
}

static void the_serial_number_of_a_person_s_own_device_is_not_asked_for(void **state)
{
    struct effective effective = effective_of(eight, 1);
    effective.declarative.capabilities =
        (char *)(uintptr_t) "[\"com.apple.configuration.management.status-subscriptions\","
                            "\"device.identifier.serial-number\",\"passcode.is-compliant\"]";
    assert_true(is_subscribed(*state, &effective, "serial-number"));
    effective.by_account = true;
    assert_false(is_subscribed(*state, &effective, "serial-number"));
    assert_true(is_subscribed(*state, &effective, "passcode.is-compliant"));
}

static void a_device_that_does_not_say_so_gets_the_profile(void **state)
{
    static const struct {
        const char *capabilities, *version, *refused;
    } rows[] = {{NULL, "17.5.1", NULL},
                {"[\"passcode.is-compliant\"]", "17.5.1", NULL},
                {ABLE, "16.1", NULL}, /* the declaration lacks keys there */
                {ABLE, "17.5.1", "17.5.1"},
                {ABLE, NULL, NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct effective effective = effective_of(eight, 1);
        effective.declarative.capabilities = (char *)(uintptr_t)rows[i].capabilities;
        effective.declarative.refused_version = (char *)(uintptr_t)rows[i].refused;
        effective.os_version = rows[i].version;
        struct apple_plan plan = plan_of(*state, &effective);
        assert_true(by_profile(&plan));
        assert_null(find(&plan, PASSCODE));
    }
}

static void a_rule_that_forces_no_passcode_stays_a_profile(void **state)
{
    static const struct setting_value idle[] = {{SETTING_PASSWORD_SCREEN_OFF_MINUTES, 5}};
    struct effective effective = effective_of(idle, 1);
    struct apple_plan plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan));
    assert_null(find(&plan, PASSCODE));
}

static void the_profile_goes_when_the_declaration_is_in_force(void **state)
{
    struct effective effective = effective_of(eight, 1);
    struct apple_plan plan = plan_of(*state, &effective);
    char *token = (char *)(uintptr_t)find(&plan, PASSCODE)->token;
    char *old = (char *)(uintptr_t) "old";
    struct delivered rows[] = {
        {.item = (char *)(uintptr_t) "passcode",
         .hash = old,
         .wanted_hash = old,
         .state = COMMAND_VERIFIED},
        {.item = (char *)(uintptr_t)PASSCODE,
         .hash = (char *)(uintptr_t) "",
         .wanted_hash = token,
         .state = COMMAND_DELIVERED,
         .carrier = CARRIER_DECLARATION},
    };
    assert_false(by_profile(&plan));
    effective.items = rows;
    effective.item_count = 2;
    plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan) && find(&plan, PASSCODE));
    rows[1].state = COMMAND_VERIFIED;
    rows[1].hash = old; /* of an older content */
    plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan));
    rows[1].hash = token;
    plan = plan_of(*state, &effective);
    assert_false(by_profile(&plan));
    rows[1].state = COMMAND_FAILED;
    effective.items = &rows[1];
    effective.item_count = 1;
    plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan) && find(&plan, PASSCODE));
}

static void the_declaration_goes_when_the_profile_is_in_force(void **state)
{
    struct effective effective = effective_of(eight, 1);
    struct apple_plan plan = plan_of(*state, &effective);
    char *token = (char *)(uintptr_t)find(&plan, PASSCODE)->token;
    struct delivered rows[] = {
        {.item = (char *)(uintptr_t)PASSCODE,
         .hash = token,
         .wanted_hash = token,
         .state = COMMAND_VERIFIED,
         .carrier = CARRIER_DECLARATION},
        {.item = (char *)(uintptr_t) "passcode",
         .hash = (char *)(uintptr_t) "",
         .wanted_hash = (char *)(uintptr_t) "",
         .state = COMMAND_DELIVERED},
    };
    effective.declarative.capabilities = (char *)(uintptr_t) "[]";
    effective.items = rows;
    effective.item_count = 2;
    plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan) && find(&plan, PASSCODE));
    rows[1].hash = rows[1].wanted_hash = (char *)(uintptr_t)plan.profiles[0].hash;
    rows[1].state = COMMAND_VERIFIED;
    plan = plan_of(*state, &effective);
    assert_true(by_profile(&plan));
    assert_null(find(&plan, PASSCODE));
}

static void an_update_is_asked_of_who_knows_how(void **state)
{
    static const struct setting_value both[] = {{SETTING_SYSTEM_UPDATE_VERSION, 1800020000},
                                                {SETTING_SYSTEM_UPDATE_BY, 1798761600}};
    struct effective effective = effective_of(both, 2);
    struct apple_plan plan = plan_of(*state, &effective);
    assert_null(find(&plan, APPLE_UPDATE_DECLARED));
    effective.declarative.capabilities = (char *)(uintptr_t) "[\"" APPLE_UPDATE_TYPE "\"]";
    plan = plan_of(*state, &effective);
    const struct apple_declaration *update = find(&plan, APPLE_UPDATE_DECLARED);
    assert_non_null(update);
    assert_non_null(strstr(update->text, "\"TargetOSVersion\":\"18.2\""));
    assert_non_null(strstr(update->text, "\"TargetLocalDateTime\":\"2027-01-01T00:00:00\""));
    effective.count = 1; /* without a time it is no demand */
    plan = plan_of(*state, &effective);
    assert_null(find(&plan, APPLE_UPDATE_DECLARED));
}

#define FINGERS "declaration.legacy.restrictions"

static struct effective fingers_of(const struct setting_value *values)
{
    struct effective effective = effective_of(values, 1);
    effective.declarative.capabilities = (char *)(uintptr_t) "[\"" APPLE_LEGACY_TYPE "\"]";
    effective.device_url = "https://mdm.example:8444";
    effective.declared_profiles = true;
    return effective;
}

static void a_profile_is_declared_where_that_is_wanted(void **state)
{
    static const struct setting_value off[] = {{SETTING_PASSWORD_ALLOW_FINGERPRINT, 0}};
    struct effective effective = fingers_of(off);
    struct apple_plan plan = plan_of(*state, &effective);
    const struct apple_declaration *declared = find(&plan, FINGERS);
    assert_int_equal(plan.profile_count, 0);
    assert_int_equal(plan.fetched_count, 1);
    assert_non_null(declared);
    assert_in_range(strlen(declared->identifier), 1, 64);
    assert_string_equal(plist_text(plan.fetched[0].profile, "PayloadIdentifier"),
                        "org.muster.declared.restrictions");
    const char *url = mem_format(*state, "https://mdm.example:8444/apple/profile/restrictions/%s",
                                 plan.fetched[0].hash);
    assert_non_null(strstr(declared->text, url));
    effective.declared_profiles = false;
    plan = plan_of(*state, &effective);
    assert_int_equal(plan.profile_count, 1);
    assert_int_equal(plan.fetched_count, 0);
    assert_null(find(&plan, FINGERS));
}

static void a_declared_profile_stays_until_the_sent_one_is_in_force(void **state)
{
    static const struct setting_value off[] = {{SETTING_PASSWORD_ALLOW_FINGERPRINT, 0}};
    struct effective effective = fingers_of(off);
    struct apple_plan plan = plan_of(*state, &effective);
    char *token = (char *)(uintptr_t)find(&plan, FINGERS)->token;
    struct delivered rows[] = {
        {.item = (char *)(uintptr_t)FINGERS,
         .hash = token,
         .wanted_hash = token,
         .state = COMMAND_VERIFIED,
         .carrier = CARRIER_DECLARATION},
        {.item = (char *)(uintptr_t) "restrictions", .state = COMMAND_VERIFIED}};
    effective.declared_profiles = false;
    effective.items = rows;
    effective.item_count = 1;
    plan = plan_of(*state, &effective);
    assert_true(plan.profile_count == 1 && plan.fetched_count == 1 && find(&plan, FINGERS));
    rows[1].hash = rows[1].wanted_hash = (char *)(uintptr_t)plan.profiles[0].hash;
    effective.item_count = 2;
    plan = plan_of(*state, &effective);
    assert_true(plan.profile_count == 1 && plan.fetched_count == 0);
    assert_null(find(&plan, FINGERS));
}

/* FileVault may be on a Mac once: two ways at a time would be one too many. */
static void disk_encryption_is_never_declared(void **state)
{
    static const struct setting_value on[] = {{SETTING_ENCRYPTION_DEVICE, 1}};
    struct effective effective = fingers_of(on);
    effective.platform = PLATFORM_MACOS;
    effective.os_version = "14.5";
    struct apple_plan plan = plan_of(*state, &effective);
    assert_int_equal(plan.profile_count, 1);
    assert_string_equal(plan.profiles[0].name, "filevault");
    assert_int_equal(plan.fetched_count, 0);
}

static void nothing_is_subscribed_that_cannot_be_reported(void **state)
{
    struct effective effective = effective_of(eight, 1);
    struct apple_plan plan = plan_of(*state, &effective);
    const char *text = NULL;
    for (size_t i = 0; i < plan.declarations.count; i++)
        if (strcmp(plan.declarations.list[i].identifier, "org.muster.status") == 0)
            text = plan.declarations.list[i].text;
    assert_true(text && strstr(text, "passcode.is-compliant"));
    assert_false(text && strstr(text, "passcode.is-present"));
}

static void every_name_fits_the_schema(void **state)
{
    struct effective effective = effective_of(eight, 1);
    struct apple_plan plan = plan_of(*state, &effective);
    assert_int_equal(plan.declarations.count, 5);
    for (size_t i = 0; i < plan.declarations.count; i++) {
        assert_in_range(strlen(plan.declarations.list[i].identifier), 1, 64);
        assert_in_range(strlen(plan.declarations.list[i].token), 1, 64);
    }
}

static void all_groups_are_there_even_if_empty(void **state)
{
    struct apple_declarations none;
    apple_declarations_none(*state, &none);
    assert_string_equal(apple_declaration_items_text(*state, &none),
                        mem_format(*state,
                                   "{\"Declarations\":{\"Activations\":[],\"Assets\":[],"
                                   "\"Configurations\":[],\"Management\":[]},"
                                   "\"DeclarationsToken\":\"%s\"}",
                                   none.token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sets_have_equal_tokens),
        cmocka_unit_test(another_content_has_another_token),
        cmocka_unit_test(a_device_that_does_not_say_so_gets_the_profile),
        cmocka_unit_test(a_rule_that_forces_no_passcode_stays_a_profile),
        cmocka_unit_test(the_profile_goes_when_the_declaration_is_in_force),
        cmocka_unit_test(the_declaration_goes_when_the_profile_is_in_force),
        cmocka_unit_test(an_update_is_asked_of_who_knows_how),
        cmocka_unit_test(a_profile_is_declared_where_that_is_wanted),
        cmocka_unit_test(a_declared_profile_stays_until_the_sent_one_is_in_force),
        cmocka_unit_test(disk_encryption_is_never_declared),
        cmocka_unit_test(nothing_is_subscribed_that_cannot_be_reported),
        cmocka_unit_test(the_serial_number_of_a_person_s_own_device_is_not_asked_for),
        cmocka_unit_test(every_name_fits_the_schema),
        cmocka_unit_test(all_groups_are_there_even_if_empty),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
