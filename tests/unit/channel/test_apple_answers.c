/* SPDX-License-Identifier: Apache-2.0 */
/* What answers of devices mean: facts, items, refusals. */
#include "channel/apple/errors.h"
#include "channel/apple/facts.h"
#include "tests/unit/channel/apple.h"

#define NOW 1790000000

static struct apple_result read_result(void *owner, const char *name)
{
    struct apple_result message;
    struct err err;
    assert_works(apple_result_parse(owner, vector_read(owner, name), &message, &err), err);
    return message;
}

struct told {
    struct fact *facts;
    size_t count;
};
static struct told facts_of(void *owner, const char *name)
{
    struct told told = {0};
    apple_facts_read(owner, read_result(owner, name).answer, NOW, &told.facts, &told.count);
    return told;
}
static const char *value_of(const struct told *told, const char *name)
{
    for (size_t i = 0; i < told->count; i++)
        if (strcmp(told->facts[i].name, name) == 0)
            return told->facts[i].value;
    return NULL;
}

static void device_information_becomes_facts(void **state)
{
    struct told told = facts_of(*state, "device-information");
    assert_string_equal(value_of(&told, "os.version"), "17.5.1");
    assert_string_equal(value_of(&told, "device.name"), "Ann's iPhone");
    assert_string_equal(value_of(&told, "device.supervised"), "false");
    assert_string_equal(value_of(&told, "storage.available_gb"), "61.25");
    assert_string_equal(value_of(&told, "backup.cloud_last_at"), "2026-01-31T08:30:00Z");
    assert_int_equal(told.facts[0].evidence, EVIDENCE_MEASURED);
    assert_string_equal(told.facts[0].source, "DeviceInformation");
    assert_int_equal(told.facts[0].reported_at, NOW);
}

static void security_info_becomes_facts(void **state)
{
    struct told told = facts_of(*state, "security-info");
    assert_string_equal(value_of(&told, "password.present"), "true");
    assert_string_equal(value_of(&told, "password.compliant"), "false");
    assert_string_equal(value_of(&told, "password.compliant_with_profiles"), "false");
    assert_string_equal(value_of(&told, "encryption.hardware"), "3");
    assert_string_equal(told.facts[0].source, "SecurityInfo");
}

static void nested_security_keys_are_found(void **state)
{
    struct told told = facts_of(*state, "security-info-mac");
    assert_string_equal(value_of(&told, "encryption.enabled"), "true");
    assert_string_equal(value_of(&told, "firewall.enabled"), "false");
    assert_string_equal(value_of(&told, "secure_boot.level"), "full");
    assert_string_equal(value_of(&told, "enrolment.user_approved"), "true");
}

static void what_is_missing_is_unknown_and_not_false(void **state)
{
    struct told told = facts_of(*state, "security-info-mac");
    assert_null(value_of(&told, "password.present"));
    assert_null(value_of(&told, "password.compliant"));
    assert_int_equal(facts_of(*state, "acknowledged").count, 0);
}

static void integrity_is_never_claimed(void **state)
{
    static const char *const names[] = {"device-information", "security-info", "security-info-mac"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct told told = facts_of(*state, names[i]);
        assert_null(value_of(&told, "integrity.state"));
    }
}

static void a_value_of_another_type_says_nothing(void **state)
{
    struct told told = {0};
    struct plist *answer = plist_new_dict(*state);
    struct plist *security = plist_set_dict(answer, "SecurityInfo");
    plist_set_text(security, "PasscodePresent", "true");
    plist_set_integer(security, "PasscodeCompliant", 1);
    plist_set_text(security, "FirewallSettings", "on");
    plist_set_text(answer, "QueryResponses", "none");
    apple_facts_read(*state, answer, NOW, &told.facts, &told.count);
    assert_int_equal(told.count, 0);
}

static void an_unknown_battery_is_left_out(void **state)
{
    struct told told = {0};
    struct plist *answer = plist_new_dict(*state);
    plist_set_real(plist_set_dict(answer, "QueryResponses"), "BatteryLevel", -1.0);
    apple_facts_read(*state, answer, NOW, &told.facts, &told.count);
    assert_int_equal(told.count, 0);
}

static bool asks(const struct plist *queries, const char *name)
{
    for (const struct plist *at = queries->first; at; at = at->next)
        if (strcmp(at->text, name) == 0)
            return true;
    return false;
}

static void each_platform_is_asked_what_it_knows(void **state)
{
    struct plist *phone = plist_new_array(*state), *mac = plist_new_array(*state);
    apple_queries_add(phone, PLATFORM_IOS, false);
    apple_queries_add(mac, PLATFORM_MACOS, false);
    assert_true(asks(phone, "OSVersion") && asks(mac, "OSVersion"));
    assert_true(asks(phone, "IsCloudBackupEnabled") && !asks(mac, "IsCloudBackupEnabled"));
    assert_true(asks(mac, "HostName") && !asks(phone, "HostName"));
    assert_false(asks(phone, "PasscodePresent"));
}

static void only_our_profiles_are_items(void **state)
{
    struct reported_item *items = NULL;
    size_t count = 0;
    struct apple_result message = read_result(*state, "profile-list");
    assert_true(apple_items_read(*state, message.answer, &items, &count));
    assert_int_equal(count, 1);
    assert_string_equal(items[0].item, "passcode");
    assert_string_equal(items[0].hash, "0A1B2C3D-4E5F-8607-9809-0A1B2C3D4E5F");
    message = read_result(*state, "security-info");
    assert_false(apple_items_read(*state, message.answer, &items, &count));
}

static struct apple_refusal refusal_of(void *owner, const char *name)
{
    struct apple_refusal refusal;
    struct apple_result message = read_result(owner, name);
    apple_error_explain(owner, &message, &refusal);
    return refusal;
}

static void the_innermost_known_error_is_the_reason(void **state)
{
    struct apple_refusal refusal = refusal_of(*state, "error");
    assert_string_equal(refusal.reason,
                        "The device must be supervised for this. (MCInstallationErrorDomain 4025)");
    assert_non_null(refusal.remedy);
    assert_false(refusal.is_absent);
}

/* Apple: Device Location, Disable Lost Mode */
static void errors_of_lost_mode_say_what_apple_says(void **state)
{
    static const struct {
        int64_t code;
        const char *says;
    } rows[] = {
        {12066, "in lost mode already"},
        {12067, "not in lost mode"},
        {12068, "not know where it is"},
        {12069, "not leave lost mode"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct apple_error error = {.domain = mem_text(*state, "MCMDMErrorDomain"),
                                    .code = rows[i].code};
        const struct apple_result result = {
            .status = APPLE_ERROR, .errors = &error, .error_count = 1};
        struct apple_refusal refusal;
        apple_error_explain(*state, &result, &refusal);
        assert_non_null(strstr(refusal.reason, rows[i].says));
    }
}

static void an_unknown_error_speaks_for_itself(void **state)
{
    struct apple_refusal refusal = refusal_of(*state, "error-unknown");
    assert_string_equal(refusal.reason, "Something new (FutureErrorDomain 99999)");
    assert_null(refusal.remedy);
}

static void what_is_absent_counts_as_removed(void **state)
{
    assert_true(refusal_of(*state, "error-absent").is_absent);
}

static void a_format_error_needs_no_chain(void **state)
{
    assert_string_equal(refusal_of(*state, "format-error").reason,
                        "The device did not understand the command.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_information_becomes_facts),
        cmocka_unit_test(security_info_becomes_facts),
        cmocka_unit_test(nested_security_keys_are_found),
        cmocka_unit_test(what_is_missing_is_unknown_and_not_false),
        cmocka_unit_test(integrity_is_never_claimed),
        cmocka_unit_test(a_value_of_another_type_says_nothing),
        cmocka_unit_test(an_unknown_battery_is_left_out),
        cmocka_unit_test(each_platform_is_asked_what_it_knows),
        cmocka_unit_test(only_our_profiles_are_items),
        cmocka_unit_test(the_innermost_known_error_is_the_reason),
        cmocka_unit_test(errors_of_lost_mode_say_what_apple_says),
        cmocka_unit_test(an_unknown_error_speaks_for_itself),
        cmocka_unit_test(what_is_absent_counts_as_removed),
        cmocka_unit_test(a_format_error_needs_no_chain),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
