/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are no facts: positions, codes, settings that were refused one by one. */
#include "channel/apple/errors.h"
#include "channel/apple/found.h"
#include "tests/unit/channel/apple.h"

static struct apple_result read_text(void *owner, const char *body)
{
    struct apple_result message;
    struct err err;
    const char *text = mem_format(owner,
                                  "<plist version=\"1.0\"><dict><key>UDID</key><string>U"
                                  "</string><key>Status</key><string>Acknowledged</string>"
                                  "<key>CommandUUID</key><string>C</string>%s</dict></plist>",
                                  body);
    assert_works(apple_result_parse(owner, bytes_text(text), &message, &err), err);
    return message;
}

static void a_position_is_read(void **state)
{
    struct position position;
    struct apple_result message = read_text(
        *state, "<key>Latitude</key><real>52.25</real><key>Longitude</key><integer>-13</integer>"
                "<key>HorizontalAccuracy</key><real>7.5</real>"
                "<key>Timestamp</key><string>2026-01-31T08:30:00Z</string>");
    assert_true(apple_position_read(message.answer, &position));
    assert_true(position.latitude == 52.25 && position.longitude == -13 &&
                position.accuracy == 7.5);
    assert_int_equal(position.measured_at, 1769848200);
}

static void a_place_that_is_none_is_no_position(void **state)
{
    static const char *const bad[] = {
        "", "<key>Latitude</key><real>52</real>",
        "<key>Latitude</key><real>91</real><key>Longitude</key><real>1</real>",
        "<key>Latitude</key><real>1</real><key>Longitude</key><real>-180.5</real>",
        "<key>Latitude</key><string>1</string><key>Longitude</key><real>1</real>"};
    struct position position = {.latitude = 7};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(apple_position_read(read_text(*state, bad[i]).answer, &position));
    assert_true(position.latitude == 7);
    assert_true(apple_position_read(
        read_text(*state, "<key>Latitude</key><real>0</real><key>Longitude</key><real>0</real>"
                          "<key>HorizontalAccuracy</key><real>-1</real>"
                          "<key>Timestamp</key><string>yesterday</string>")
            .answer,
        &position));
    assert_true(position.accuracy == -1);
    assert_int_equal(position.measured_at, 0);
}

static void a_code_is_a_text_of_some_length(void **state)
{
    assert_string_equal(
        apple_bypass_code_read(
            read_text(*state, "<key>ActivationLockBypassCode</key><string>AB-C</string>").answer),
        "AB-C");
    assert_null(apple_bypass_code_read(
        read_text(*state, "<key>ActivationLockBypassCode</key><string></string>").answer));
    assert_null(apple_bypass_code_read(
        read_text(*state, "<key>ActivationLockBypassCode</key><true/>").answer));
}

static void a_setting_that_was_refused_is_a_failure(void **state)
{
    struct apple_result message = read_text(
        *state,
        "<key>Settings</key><array><dict><key>Status</key><string>Acknowledged</string></dict>"
        "<dict><key>Status</key><string>Error</string><key>ErrorChain</key><array><dict>"
        "<key>ErrorCode</key><integer>12078</integer>"
        "<key>ErrorDomain</key><string>MCMDMErrorDomain</string></dict></array></dict></array>");
    struct apple_refusal refusal;
    assert_int_equal(message.status, APPLE_ERROR);
    apple_error_explain(*state, &message, &refusal);
    assert_non_null(strstr(refusal.reason, "lost mode"));
    message = read_text(*state, "<key>Settings</key><array><dict><key>Status</key>"
                                "<string>Acknowledged</string></dict></array>");
    assert_int_equal(message.status, APPLE_ACKNOWLEDGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_is_read),
        cmocka_unit_test(a_place_that_is_none_is_no_position),
        cmocka_unit_test(a_code_is_a_text_of_some_length),
        cmocka_unit_test(a_setting_that_was_refused_is_a_failure),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
