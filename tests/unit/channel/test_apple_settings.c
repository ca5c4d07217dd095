/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/settings.h"

#include "base/config.h"
#include "base/text.h"
#include "codec/json.h"
#include "tests/test.h"

static const struct json_limits json_limits = {4096, 4, 64};
static const struct plist_limits plist_limits = {16384, 8, 256};

/* A list of at most 4 values; an id of SETTING_COUNT ends it. */
#define NO_VALUE                                                                                   \
    {                                                                                              \
        SETTING_COUNT, 0                                                                           \
    }

static struct effective effective_of(enum platform platform, const struct setting_value *values)
{
    size_t count = 0;
    while (count < 4 && values[count].id != SETTING_COUNT)
        count++;
    return (struct effective){.platform = (int)platform, .values = values, .count = count};
}

static const struct plist *content_of(void *owner, enum platform platform,
                                      const struct setting_value *values, const char *item)
{
    struct apple_payload *payloads = NULL;
    size_t count = 0;
    const struct effective effective = effective_of(platform, values);
    apple_payloads_make(owner, &effective, &payloads, &count);
    for (size_t i = 0; i < count; i++)
        if (text_equal(payloads[i].item, item))
            return payloads[i].content;
    return NULL;
}

struct expected {
    enum platform platform;
    struct setting_value values[4];
    const char *item, *key;
    int64_t value; /* -1: the key is absent */
};

static const struct expected cases[] = {
#define ONE(platform, id, asked, item, key, value)                                                 \
    {                                                                                              \
        PLATFORM_##platform, {{SETTING_##id, asked}, NO_VALUE}, item, key, value                   \
    }
    ONE(IOS, PASSWORD_REQUIRED, 1, "passcode", "forcePIN", 1),
    ONE(IOS, PASSWORD_REQUIRED, 0, "passcode", "forcePIN", 0),
    ONE(IOS, PASSWORD_TYPE, 0, "passcode", "requireAlphanumeric", 0),
    ONE(IOS, PASSWORD_TYPE, 0, "passcode", "forcePIN", -1),
    ONE(IOS, PASSWORD_TYPE, 1, "passcode", "requireAlphanumeric", 0),
    ONE(IOS, PASSWORD_TYPE, 1, "passcode", "forcePIN", 1),
    ONE(IOS, PASSWORD_TYPE, 2, "passcode", "requireAlphanumeric", 1),
    ONE(IOS, PASSWORD_MIN_CHAR_SETS, 1, "passcode", "minComplexChars", 1),
    ONE(IOS, PASSWORD_MIN_CHAR_SETS, 4, "passcode", "minComplexChars", 4),
    ONE(IOS, PASSWORD_MIN_LENGTH, 4, "passcode", "minLength", 4),
    ONE(IPADOS, PASSWORD_MIN_LENGTH, 16, "passcode", "minLength", 16),
    ONE(MACOS, PASSWORD_MIN_LENGTH, 8, "passcode", "minLength", 8),
    ONE(IOS, PASSWORD_MIN_SYMBOLS, 0, "passcode", "minComplexChars", 0),
    ONE(IOS, PASSWORD_MIN_SYMBOLS, 0, "passcode", "forcePIN", -1),
    ONE(IOS, PASSWORD_MIN_SYMBOLS, 3, "passcode", "forcePIN", 1),
    ONE(IOS, PASSWORD_MIN_SYMBOLS, 16, "passcode", "minComplexChars", 4),
    ONE(IOS, PASSWORD_ALLOW_SIMPLE, 0, "passcode", "allowSimple", 0),
    ONE(IOS, PASSWORD_ALLOW_SIMPLE, 1, "passcode", "allowSimple", 1),
    ONE(IOS, PASSWORD_MAX_FAILURES_WIPE, 0, "passcode", "maxFailedAttempts", -1),
    ONE(IOS, PASSWORD_MAX_FAILURES_WIPE, 4, "passcode", "maxFailedAttempts", 4),
    ONE(IOS, PASSWORD_MAX_FAILURES_WIPE, 11, "passcode", "maxFailedAttempts", 11),
    ONE(IOS, PASSWORD_SCREEN_OFF_MINUTES, 0, "passcode", "maxInactivity", -1),
    ONE(IOS, PASSWORD_SCREEN_OFF_MINUTES, 1, "passcode", "maxInactivity", 1),
    ONE(IOS, PASSWORD_SCREEN_OFF_MINUTES, 15, "passcode", "maxInactivity", 15),
    ONE(IOS, PASSWORD_SCREEN_OFF_MINUTES, 60, "passcode", "maxInactivity", 15),
    ONE(IOS, PASSWORD_GRACE_MINUTES, 0, "passcode", "maxGracePeriod", 0),
    ONE(IOS, PASSWORD_GRACE_MINUTES, 240, "passcode", "maxGracePeriod", 240),
    ONE(IOS, PASSWORD_EXPIRATION_DAYS, 1, "passcode", "maxPINAgeInDays", 1),
    ONE(IOS, PASSWORD_EXPIRATION_DAYS, 730, "passcode", "maxPINAgeInDays", 730),
    ONE(IOS, PASSWORD_HISTORY, 1, "passcode", "pinHistory", 1),
    ONE(IOS, PASSWORD_HISTORY, 50, "passcode", "pinHistory", 50),
    ONE(MACOS, PASSWORD_CHANGE_AT_NEXT_AUTH, 1, "passcode", "changeAtNextAuth", 1),
    ONE(MACOS, PASSWORD_SCREENSAVER_MINUTES, 10, "passcode", "maxInactivity", 10),
    ONE(MACOS, PASSWORD_FAILED_RESET_MINUTES, 5, "passcode", "minutesUntilFailedLoginReset", -1),
    ONE(IOS, PASSWORD_ALLOW_FINGERPRINT, 0, "restrictions", "allowFingerprintForUnlock", 0),
    ONE(IOS, PASSWORD_ALLOW_FACE, 1, "restrictions", "allowFingerprintForUnlock", 1),
    ONE(IOS, PASSWORD_ALLOW_MODIFICATION, 0, "restrictions", "allowPasscodeModification", 0),
    ONE(IOS, ENCRYPTION_DEVICE, 1, "passcode", "forcePIN", 1),
    ONE(IOS, ENCRYPTION_DEVICE, 0, "passcode", "forcePIN", -1),
    ONE(MACOS, ENCRYPTION_DEVICE, 1, "filevault", "Defer", 1),
    ONE(MACOS, ENCRYPTION_DEVICE, 0, "filevault", "Defer", -1),
    ONE(IOS, ENCRYPTION_BACKUP, 1, "restrictions", "forceEncryptedBackup", 1),
#undef ONE
    /* a room without a way says nothing */
    {PLATFORM_IOS, {{SETTING_PASSWORD_QUALITY, 3}, NO_VALUE}, "passcode", "minLength", -1},
    /* two settings, one key */
    {PLATFORM_IOS,
     {{SETTING_PASSWORD_ALLOW_FINGERPRINT, 1}, {SETTING_PASSWORD_ALLOW_FACE, 0}, NO_VALUE},
     "restrictions",
     "allowFingerprintForUnlock",
     0},
    {PLATFORM_IOS,
     {{SETTING_PASSWORD_MIN_CHAR_SETS, 1}, {SETTING_PASSWORD_MIN_SYMBOLS, 3}, NO_VALUE},
     "passcode",
     "minComplexChars",
     3},
    {PLATFORM_MACOS,
     {{SETTING_PASSWORD_SCREEN_OFF_MINUTES, 10},
      {SETTING_PASSWORD_SCREENSAVER_MINUTES, 5},
      NO_VALUE},
     "passcode",
     "maxInactivity",
     5},
    {PLATFORM_MACOS,
     {{SETTING_PASSWORD_MAX_FAILURES_WIPE, 6},
      {SETTING_PASSWORD_FAILED_RESET_MINUTES, 5},
      NO_VALUE},
     "passcode",
     "minutesUntilFailedLoginReset",
     5},
    /* whoever decides that no password is needed means it, but for encryption */
    {PLATFORM_IOS,
     {{SETTING_PASSWORD_MIN_LENGTH, 8}, {SETTING_PASSWORD_REQUIRED, 0}, NO_VALUE},
     "passcode",
     "forcePIN",
     0},
    {PLATFORM_IOS,
     {{SETTING_PASSWORD_REQUIRED, 0}, {SETTING_ENCRYPTION_DEVICE, 1}, NO_VALUE},
     "passcode",
     "forcePIN",
     1},
};

static void each_setting_becomes_its_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
        const struct expected *c = &cases[i];
        const struct plist *content = content_of(owner, c->platform, c->values, c->item);
        const struct plist *found = content ? plist_get(content, c->key) : NULL;
        print_message("%s: %s\n", settings[c->values[0].id].name, c->key);
        if (c->value < 0) {
            assert_null(found);
            continue;
        }
        assert_non_null(found);
        assert_true(found->type == PLIST_INTEGER || found->type == PLIST_BOOLEAN);
        assert_int_equal(found->integer, c->value);
    }
}

static const char *reason_for(enum setting_id setting, enum platform platform, bool is_supervised,
                              const char *os_version)
{
    const struct target_device device = {
        .platform = platform, .os_version = os_version, .is_supervised = is_supervised};
    return apple_unsupported(setting, &device);
}

/* The strictest value is one that every way has something to say about. */
static int64_t strict_value(const struct setting *setting)
{
    if (setting->type == SETTING_ENUM)
        return 2;
    return setting->rule == STRICTER_LOWER || setting->rule == STRICTER_FALSE ? setting->lowest
                                                                              : setting->highest;
}

static void a_value_that_no_key_can_carry_becomes_the_nearest(void **state)
{
    static const struct {
        enum setting_id setting;
        int64_t asked, nearest;
    } rows[] = {
        {SETTING_PASSWORD_MIN_SYMBOLS, 3, 3},
        {SETTING_PASSWORD_MIN_SYMBOLS, 9, 4}, /* minComplexChars: 0 to 4 */
        {SETTING_PASSWORD_MIN_CHAR_SETS, 4, 4},
        {SETTING_PASSWORD_MIN_LENGTH, 16, 16},
        {SETTING_PASSWORD_REQUIRED, 1, 1},
        {SETTING_PASSWORD_MIN_LETTERS, 9, 9}, /* not carried at all: dropped for its reason */
    };
    const struct target_device device = {.platform = PLATFORM_IOS, .os_version = "17.5"};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(apple_nearest(rows[i].setting, &device, rows[i].asked), rows[i].nearest);
}

/* Apple's schema marks what is ignored or forbidden there. */
static void an_account_carries_what_such_devices_obey(void **state)
{
    const struct target_device phone = {
        .platform = PLATFORM_IOS, .os_version = "17.5", .is_account = true};
    const struct target_device mac = {
        .platform = PLATFORM_MACOS, .os_version = "14.5", .is_account = true};
    (void)state;
    static const enum setting_id obeyed[] = {SETTING_PASSWORD_REQUIRED, SETTING_PASSWORD_MIN_LENGTH,
                                             SETTING_PASSWORD_ALLOW_SIMPLE,
                                             SETTING_ENCRYPTION_DEVICE, SETTING_ENCRYPTION_BACKUP};
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        bool is_obeyed = false;
        for (size_t i = 0; i < COUNT(obeyed); i++)
            is_obeyed = is_obeyed || obeyed[i] == id;
        assert_int_equal(apple_unsupported(id, &phone) == NULL, is_obeyed);
        assert_non_null(apple_unsupported(id, &mac));
    }
    assert_non_null(strstr(apple_unsupported(SETTING_PASSWORD_TYPE, &phone), "work account"));
    assert_int_equal(apple_nearest(SETTING_PASSWORD_MIN_LENGTH, &phone, 12), 6);
    assert_int_equal(apple_nearest(SETTING_PASSWORD_MIN_LENGTH, &phone, 4), 4);
}

/* What some need beside them; a limit of failures is no news by itself. */
static struct setting_value needed_by(enum setting_id id)
{
    static const struct setting_value by = {SETTING_SYSTEM_UPDATE_BY, 1798761600},
                                      version = {SETTING_SYSTEM_UPDATE_VERSION, 1800020001};
    if (id == SETTING_SYSTEM_UPDATE_VERSION || id == SETTING_SYSTEM_UPDATE_BY)
        return id == SETTING_SYSTEM_UPDATE_BY ? version : by;
    return (struct setting_value){SETTING_PASSWORD_MAX_FAILURES_WIPE, 5};
}

static void every_setting_is_spelled_or_has_a_reason(void **state)
{
    (void)state;
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        for (enum platform platform = 0; platform < PLATFORM_COUNT; platform++) {
            CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
            struct apple_payload *payloads = NULL;
            size_t count = 0;
            const struct setting_value values[4] = {
                {id, strict_value(&settings[id])}, needed_by(id), NO_VALUE};
            const struct effective effective = effective_of(platform, values);
            const char *reason = reason_for(id, platform, true, "17.0");
            apple_payloads_make(owner, &effective, &payloads, &count);
            size_t keys = 0;
            for (size_t i = 0; i < count; i++)
                keys += payloads[i].content->count;
            CLEANUP(json_decref_at) json_t *update = apple_update_declared(&effective);
            keys += json_object_size(update);
            if (id == SETTING_PASSWORD_MAX_FAILURES_WIPE)
                keys++;
            print_message("%s on %s\n", settings[id].name, platform_names[platform]);
            assert_int_equal(reason == NULL, keys > 1);
            if (reason)
                assert_int_equal(reason[strlen(reason) - 1], '.');
        }
    }
}

static void what_may_judge_compliance_can_be_carried(void **state)
{
    (void)state;
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        for (enum platform platform = 0; platform < PLATFORM_COUNT; platform++)
            if (settings[id].compliance & 1U << platform)
                assert_null(reason_for(id, platform, false, "17.0"));
}

static void supervision_and_version_decide(void **state)
{
    (void)state;
    assert_non_null(reason_for(SETTING_PASSWORD_ALLOW_MODIFICATION, PLATFORM_IOS, false, "17.0"));
    assert_null(reason_for(SETTING_PASSWORD_ALLOW_MODIFICATION, PLATFORM_IOS, true, "17.0"));
    assert_null(reason_for(SETTING_PASSWORD_ALLOW_MODIFICATION, PLATFORM_MACOS, false, "14.1"));
    assert_string_equal(
        reason_for(SETTING_PASSWORD_ALLOW_MODIFICATION, PLATFORM_MACOS, false, "10.12.6"),
        "Needs macOS 10.13 or later.");
    assert_null(reason_for(SETTING_PASSWORD_ALLOW_MODIFICATION, PLATFORM_MACOS, false, NULL));
    assert_null(reason_for(SETTING_SYSTEM_UPDATE_BY, PLATFORM_IPADOS, false, "17.0"));
    assert_string_equal(reason_for(SETTING_SYSTEM_UPDATE_BY, PLATFORM_IPADOS, true, "16.7.1"),
                        "Needs iOS or iPadOS 17 or later.");
    assert_string_equal(reason_for(SETTING_SYSTEM_UPDATE_VERSION, PLATFORM_MACOS, true, "13.6"),
                        "Needs macOS 14 or later.");
    assert_non_null(reason_for(SETTING_SYSTEM_UPDATE_VERSION, PLATFORM_MACOS, false, "15.1"));
}

static void an_empty_set_needs_no_payload(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    struct apple_payload *payloads = NULL;
    size_t count = 9;
    const struct effective effective = {.platform = PLATFORM_IOS};
    (void)state;
    apple_payloads_make(owner, &effective, &payloads, &count);
    assert_int_equal(count, 0);
}

static struct bytes payloads_render(void *owner, const struct effective *effective)
{
    struct err err = {0};
    struct bytes out = NO_BYTES;
    struct apple_payload *payloads = NULL;
    size_t count = 0;
    struct plist *array = plist_new_array(owner);
    apple_payloads_make(owner, effective, &payloads, &count);
    for (size_t i = 0; i < count; i++) {
        struct plist *payload = plist_set_dict(array, NULL);
        plist_set_text(payload, "PayloadType", payloads[i].type);
        for (const struct plist *key = payloads[i].content->first; key; key = key->next)
            plist_set_copy(payload, key->key, key);
    }
    assert_works(plist_render(owner, array, 65536, &out, &err), err);
    return out;
}

static void the_order_of_values_does_not_change_a_byte(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    const struct setting_value there[] = {{SETTING_PASSWORD_MIN_LENGTH, 8},
                                          {SETTING_PASSWORD_REQUIRED, 1},
                                          {SETTING_ENCRYPTION_BACKUP, 1},
                                          {SETTING_PASSWORD_MIN_SYMBOLS, 2}};
    const struct setting_value back[] = {there[3], there[2], there[1], there[0]};
    const struct effective a = effective_of(PLATFORM_IOS, there);
    const struct effective b = effective_of(PLATFORM_IOS, back);
    (void)state;
    assert_true(bytes_equal(payloads_render(owner, &a), payloads_render(owner, &b)));
}

static struct bytes vector_read(void *owner, const char *setting, const char *file)
{
    struct err err = {0};
    struct bytes out = NO_BYTES;
    const char *path = mem_format(owner, SETTING_VECTORS "/%s/%s", setting, file);
    assert_works(file_read(owner, path, 65536, &out, &err), err);
    return out;
}

static struct effective desired_read(const char *setting, json_t *desired,
                                     struct setting_value values[4])
{
    struct err err = {0};
    size_t count = 0;
    const char *name;
    json_t *value;
    bool is_there = false;
    json_object_foreach(json_object_get(desired, "settings"), name, value)
    {
        const struct setting *one = setting_find(name);
        assert_non_null(one);
        is_there = is_there || text_equal(name, setting);
        values[count].id = setting_id_of(one);
        assert_works(
            setting_value_parse(one, json_string_value(value), &values[count++].value, &err), err);
    }
    assert_true(is_there);
    int platform =
        name_find(platform_names, json_string_value(json_object_get(desired, "platform")));
    return effective_of((enum platform)platform, values);
}

static void vector_check(const char *setting)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 65536);
    CLEANUP(json_decref_at) json_t *desired = NULL;
    struct err err = {0};
    struct plist *expected = NULL;
    struct bytes rendered = NO_BYTES;
    struct setting_value values[4] = {NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE};
    print_message("%s\n", setting);
    assert_works(
        json_parse(vector_read(owner, setting, "desired.json"), &json_limits, &desired, &err), err);
    const struct effective effective = desired_read(setting, desired, values);
    assert_works(plist_parse(owner, vector_read(owner, setting, "apple.plist"), &plist_limits,
                             &expected, &err),
                 err);
    assert_works(plist_render(owner, expected, 65536, &rendered, &err), err);
    assert_true(bytes_equal(rendered, payloads_render(owner, &effective)));
    CLEANUP(json_decref_at) json_t *update = apple_update_declared(&effective);
    assert_int_equal(json_object_get(desired, "update") == NULL, update == NULL);
    assert_true(!update || json_equal(json_object_get(desired, "update"), update));
}

/* Each setting that some Apple device can carry has a folder; one that is missing fails. */
static void every_carried_setting_is_spelled_as_its_vector(void **state)
{
    (void)state;
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        bool is_carried = false;
        for (enum platform platform = 0; platform < PLATFORM_COUNT; platform++)
            is_carried = is_carried || !reason_for(id, platform, true, "17.0");
        if (is_carried)
            vector_check(settings[id].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_becomes_its_key),
        cmocka_unit_test(a_value_that_no_key_can_carry_becomes_the_nearest),
        cmocka_unit_test(an_account_carries_what_such_devices_obey),
        cmocka_unit_test(every_setting_is_spelled_or_has_a_reason),
        cmocka_unit_test(what_may_judge_compliance_can_be_carried),
        cmocka_unit_test(supervision_and_version_decide),
        cmocka_unit_test(an_empty_set_needs_no_payload),
        cmocka_unit_test(the_order_of_values_does_not_change_a_byte),
        cmocka_unit_test(every_carried_setting_is_spelled_as_its_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
