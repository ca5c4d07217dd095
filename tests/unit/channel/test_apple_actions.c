/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in Apple's words: those that need nothing but themselves. */
#include "channel/apple/actions.h"

#include "channel/apple/profile.h"
#include "model/platform.h"
#include "tests/test.h"

struct asked {
    enum command_kind kind;
    int platform;
    const char *parameters;
    const char *os_version; /* NULL: 14.5 */
};

static bool render(void *owner, struct asked asked, struct bytes *out, struct err *err)
{
    struct command command = {
        .id = mem_text(owner, "C-1"),
        .kind = (int)asked.kind,
        .item = mem_text(owner, "passcode"),
        .parameters = asked.parameters ? mem_text(owner, asked.parameters) : NULL,
    };
    struct identity identity = {.platform = asked.platform,
                                .os_version =
                                    mem_text(owner, asked.os_version ? asked.os_version : "14.5")};
    const struct action action = {NULL, NULL, &identity, &command};
    return apple_action_render(owner, &action, out, err);
}

/* The command's dictionary, read back. */
static const struct plist *command_of(void *owner, struct asked asked)
{
    const struct plist_limits limits = {65536, 8, 500};
    struct plist *root = NULL;
    struct bytes body = {0};
    struct err err;
    assert_works(render(owner, asked, &body, &err), err);
    assert_works(plist_parse(owner, body, &limits, &root, &err), err);
    assert_string_equal(plist_text(root, "CommandUUID"), "C-1");
    return plist_get(root, "Command");
}

static void each_kind_has_its_request_type(void **state)
{
    static const struct {
        enum command_kind kind;
        const char *type;
    } rows[] = {
        {COMMAND_REMOVE_ITEM, "RemoveProfile"},
        {COMMAND_QUERY_DEVICE, "DeviceInformation"},
        {COMMAND_QUERY_SECURITY, "SecurityInfo"},
        {COMMAND_QUERY_ITEMS, "ProfileList"},
        {COMMAND_LOCK, "DeviceLock"},
        {COMMAND_WIPE, "EraseDevice"},
        {COMMAND_RETIRE, "RemoveProfile"},
        {COMMAND_RESTART, "RestartDevice"},
        {COMMAND_SHUT_DOWN, "ShutDownDevice"},
        {COMMAND_DISABLE_LOST_MODE, "DisableLostMode"},
        {COMMAND_PLAY_SOUND, "PlayLostModeSound"},
        {COMMAND_LOCATE, "DeviceLocation"},
        {COMMAND_QUERY_BYPASS_CODE, "ActivationLockBypassCode"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(
            plist_text(command_of(*state, (struct asked){rows[i].kind, PLATFORM_IOS, NULL}),
                       "RequestType"),
            rows[i].type);
}

static void removing_names_the_profile(void **state)
{
    const struct plist *remove =
        command_of(*state, (struct asked){COMMAND_REMOVE_ITEM, PLATFORM_IOS, NULL});
    assert_string_equal(plist_text(remove, "Identifier"), "org.muster.policy.passcode");
    const struct plist *retire =
        command_of(*state, (struct asked){COMMAND_RETIRE, PLATFORM_IOS, NULL});
    assert_string_equal(plist_text(retire, "Identifier"), APPLE_ENROLMENT_IDENTIFIER);
}

static void a_lock_shows_message_and_phone(void **state)
{
    const struct plist *lock = command_of(
        *state, (struct asked){COMMAND_LOCK, PLATFORM_IOS,
                               "{\"message\": \"Lost & <found>\", \"phone\": \"+49 30 1\"}"});
    assert_string_equal(plist_text(lock, "Message"), "Lost & <found>");
    assert_string_equal(plist_text(lock, "PhoneNumber"), "+49 30 1");
    assert_null(plist_get(lock, "PIN"));
}

static void a_mac_needs_a_pin(void **state)
{
    struct bytes body;
    struct err err = {0};
    assert_fails(render(*state, (struct asked){COMMAND_WIPE, PLATFORM_MACOS, NULL}, &body, &err),
                 err, ERR_PRECONDITION);
    assert_non_null(err.remedy);
    assert_fails(render(*state,
                        (struct asked){COMMAND_LOCK, PLATFORM_MACOS, "{\"pin\":\"12a456\"}"}, &body,
                        &err),
                 err, ERR_PRECONDITION);
    const struct plist *wipe =
        command_of(*state, (struct asked){COMMAND_WIPE, PLATFORM_MACOS, "{\"pin\": \"123456\"}"});
    assert_string_equal(plist_text(wipe, "PIN"), "123456");
}

/* Else its Error would mean either that nothing happens or that all goes. */
static void a_mac_says_that_it_erases_itself_either_way(void **state)
{
    static const struct {
        int platform;
        const char *os_version, *behaviour;
    } rows[] = {{PLATFORM_MACOS, "14.5", "ObliterateWithWarning"},
                {PLATFORM_MACOS, "12.0.1", "ObliterateWithWarning"},
                {PLATFORM_MACOS, "11.7", NULL},
                {PLATFORM_IOS, "17.5", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct plist *wipe =
            command_of(*state, (struct asked){COMMAND_WIPE, rows[i].platform,
                                              "{\"pin\": \"123456\"}", rows[i].os_version});
        const char *found = plist_text(wipe, "ObliterationBehavior");
        assert_true(rows[i].behaviour ? found && strcmp(found, rows[i].behaviour) == 0 : !found);
    }
}

static void an_iphone_is_erased_without_a_pin(void **state)
{
    const struct plist *wipe =
        command_of(*state, (struct asked){COMMAND_WIPE, PLATFORM_IOS, "{\"pin\": \"123456\"}"});
    assert_null(plist_get(wipe, "PIN"));
}

static void parameters_that_do_not_fit_are_refused_before_sending(void **state)
{
    static const char *const bad[] = {"{\"massage\": \"x\"}", "{\"message\": 1}", "[]", "{"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes body;
        struct err err = {0};
        assert_fails(
            render(*state, (struct asked){COMMAND_LOCK, PLATFORM_IOS, bad[i]}, &body, &err), err,
            ERR_PRECONDITION);
    }
}

static const char *refusal(enum command_kind kind, int platform, const char *parameters)
{
    struct device device = {.platform = platform};
    return apple_refuses(kind, &device, parameters);
}

static void what_cannot_be_carried_is_said_before(void **state)
{
    (void)state;
    struct device supervised = {.platform = PLATFORM_IOS, .is_supervised = true};
    assert_non_null(refusal(COMMAND_RESTART, PLATFORM_IOS, NULL));
    assert_null(apple_refuses(COMMAND_RESTART, &supervised, NULL));
    assert_null(refusal(COMMAND_RESTART, PLATFORM_MACOS, NULL));
    assert_null(refusal(COMMAND_SYNC, PLATFORM_IPADOS, NULL));
    assert_non_null(refusal(COMMAND_WIPE, PLATFORM_MACOS, NULL));
    assert_null(refusal(COMMAND_WIPE, PLATFORM_MACOS, "{\"pin\": \"123456\"}"));
    assert_null(refusal(COMMAND_WIPE, PLATFORM_IOS, NULL));
    assert_non_null(refusal(COMMAND_LOCK, PLATFORM_IOS, "{\"massage\": \"x\"}"));
}

static void lost_mode_needs_words(void **state)
{
    struct bytes body;
    struct err err = {0};
    const struct asked silent = {COMMAND_ENABLE_LOST_MODE, PLATFORM_IOS, "{\"footnote\": \"x\"}"};
    assert_fails(render(*state, silent, &body, &err), err, ERR_PRECONDITION);
    const struct plist *lost =
        command_of(*state, (struct asked){COMMAND_ENABLE_LOST_MODE, PLATFORM_IOS,
                                          "{\"phone\": \"+49 30 1\", \"footnote\": \"Thanks\"}"});
    assert_string_equal(plist_text(lost, "PhoneNumber"), "+49 30 1");
    assert_string_equal(plist_text(lost, "Footnote"), "Thanks");
    assert_null(plist_get(lost, "Message"));
}

static void a_name_is_a_setting(void **state)
{
    struct bytes body;
    struct err err = {0};
    assert_fails(render(*state, (struct asked){COMMAND_RENAME, PLATFORM_IOS, NULL}, &body, &err),
                 err, ERR_PRECONDITION);
    const struct plist *rename = command_of(
        *state, (struct asked){COMMAND_RENAME, PLATFORM_MACOS, "{\"name\": \"Till <3>\"}"});
    const struct plist *list = plist_get(rename, "Settings");
    assert_int_equal(list->count, 1);
    assert_string_equal(plist_text(list->first, "Item"), "DeviceName");
    assert_string_equal(plist_text(list->first, "DeviceName"), "Till <3>");
}

static void personal_devices_are_not_searched_for(void **state)
{
    (void)state;
    static const struct {
        enum command_kind kind;
        const char *parameters;
        bool is_refused;
    } rows[] = {
        {COMMAND_LOCATE, NULL, true},
        {COMMAND_ENABLE_LOST_MODE, "{\"message\": \"x\"}", true},
        {COMMAND_PLAY_SOUND, NULL, true},
        {COMMAND_RENAME, "{\"name\": \"x\"}", true},
        {COMMAND_QUERY_BYPASS_CODE, NULL, true},
        {COMMAND_LOCK, NULL, false},
        {COMMAND_CLEAR_PASSCODE, NULL, false},
    };
    struct device device = {.platform = PLATFORM_IOS, .is_supervised = true};
    for (size_t i = 0; i < COUNT(rows); i++) {
        device.ownership = OWNERSHIP_PERSONAL;
        assert_int_equal(apple_refuses(rows[i].kind, &device, rows[i].parameters) != NULL,
                         rows[i].is_refused);
        device.ownership = OWNERSHIP_COMPANY;
        assert_null(apple_refuses(rows[i].kind, &device, rows[i].parameters));
    }
}

static void what_needs_supervision_or_an_iphone_is_said_before(void **state)
{
    (void)state;
    assert_non_null(refusal(COMMAND_LOCATE, PLATFORM_IOS, NULL));
    assert_non_null(refusal(COMMAND_RENAME, PLATFORM_IOS, "{\"name\": \"x\"}"));
    assert_null(refusal(COMMAND_RENAME, PLATFORM_MACOS, "{\"name\": \"x\"}"));
    assert_non_null(refusal(COMMAND_RENAME, PLATFORM_MACOS, "{\"name\": \"\"}"));
    assert_non_null(refusal(COMMAND_LOCATE, PLATFORM_MACOS, NULL));
    assert_non_null(refusal(COMMAND_CLEAR_PASSCODE, PLATFORM_MACOS, NULL));
    assert_non_null(refusal(COMMAND_SHUT_DOWN, PLATFORM_IPADOS, NULL));
    assert_null(refusal(COMMAND_SHUT_DOWN, PLATFORM_MACOS, NULL));
    assert_null(refusal(COMMAND_FINISH_SETUP, PLATFORM_IOS, NULL)); /* before it told that it is */
}

static void an_account_does_not_reach_the_whole_device(void **state)
{
    (void)state;
    static const struct {
        enum command_kind kind;
        enum platform platform;
        bool is_refused;
    } rows[] = {
        {COMMAND_WIPE, PLATFORM_IOS, true},        {COMMAND_RESTART, PLATFORM_MACOS, true},
        {COMMAND_SHUT_DOWN, PLATFORM_MACOS, true}, {COMMAND_CLEAR_PASSCODE, PLATFORM_IOS, true},
        {COMMAND_LOCK, PLATFORM_MACOS, true},      {COMMAND_LOCK, PLATFORM_IPADOS, false},
        {COMMAND_RETIRE, PLATFORM_MACOS, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct device device = {.platform = (int)rows[i].platform,
                                      .ownership = OWNERSHIP_PERSONAL,
                                      .enrolment_mode = MODE_ACCOUNT};
        assert_int_equal(apple_refuses(rows[i].kind, &device, "{\"pin\": \"123456\"}") != NULL,
                         rows[i].is_refused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_request_type),
        cmocka_unit_test(removing_names_the_profile),
        cmocka_unit_test(a_lock_shows_message_and_phone),
        cmocka_unit_test(a_mac_needs_a_pin),
        cmocka_unit_test(a_mac_says_that_it_erases_itself_either_way),
        cmocka_unit_test(an_iphone_is_erased_without_a_pin),
        cmocka_unit_test(parameters_that_do_not_fit_are_refused_before_sending),
        cmocka_unit_test(what_cannot_be_carried_is_said_before),
        cmocka_unit_test(lost_mode_needs_words),
        cmocka_unit_test(a_name_is_a_setting),
        cmocka_unit_test(personal_devices_are_not_searched_for),
        cmocka_unit_test(what_needs_supervision_or_an_iphone_is_said_before),
        cmocka_unit_test(an_account_does_not_reach_the_whole_device),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
