/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolment service: its token, its answers, and what a device says of itself. */
#include "base/text.h"
#include "channel/apple/machine.h"
#include "channel/apple/service_message.h"
#include "channel/apple/service_token.h"
#include "codec/json.h"
#include "tests/unit/channel/apple.h"

#define TOKEN                                                                                      \
    "{\"consumer_key\":\"CK_1\",\"consumer_secret\":\"CS\",\"access_token\":\"AT\","               \
    "\"access_secret\":\"AS\",\"access_token_expiry\":\"2027-01-02T03:04:05Z\",\"later\":1}"

/* ---- token ---- */

static void a_token_is_read_out_of_its_message(void **state)
{
    struct apple_token token, again;
    struct err err;
    const char *text =
        "Content-Type: text/plain;charset=UTF-8\r\n\r\n-----BEGIN MESSAGE-----\r\n" TOKEN
        "\r\n-----END MESSAGE-----\r\n";
    assert_works(apple_token_parse(*state, bytes_text(text), &token, &err), err);
    assert_string_equal(token.consumer_key, "CK_1");
    assert_string_equal(token.access_secret, "AS");
    assert_int_equal(token.expires_at, 1798859045);
    assert_works(apple_token_load(*state, apple_token_store(*state, &token), &again, &err), err);
    assert_string_equal(again.access_token, "AT");
}

static void a_text_that_holds_no_token_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      TOKEN,
                                      "-----BEGIN MESSAGE-----" TOKEN,
                                      "-----BEGIN MESSAGE-----{}-----END MESSAGE-----",
                                      "-----BEGIN MESSAGE-----[]-----END MESSAGE-----",
                                      "-----END MESSAGE----------BEGIN MESSAGE-----"};
    struct apple_token token;
    struct err err;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(apple_token_parse(*state, bytes_text(bad[i]), &token, &err), err,
                     ERR_BAD_INPUT);
}

static void the_file_may_be_a_mail_base64_or_plain_der(void **state)
{
    struct bytes out;
    struct err err;
    static const char *const good[] = {
        "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\nMAMC\nAQA=\n",
        "Content-Type: application/pkcs7-mime\r\n\r\nMAMCAQA=\r\n", "MAMCAQA=\n",
        "\x30\x03\x02\x01"};
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_works(apple_token_unwrap(*state, bytes_text(good[i]), &out, &err), err);
        assert_int_equal(out.data[0], 0x30);
    }
    assert_fails(apple_token_unwrap(*state, bytes_text("no token"), &out, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(apple_token_unwrap(*state, NO_BYTES, &out, &err), err, ERR_BAD_INPUT);
}

/* The signature was made by Python's hmac over the base string of RFC 5849. */
static void a_request_is_signed_as_oauth_wants(void **state)
{
    const struct apple_token token = {.consumer_key = (char *)(uintptr_t) "CK",
                                      .consumer_secret = (char *)(uintptr_t) "C&S",
                                      .access_token = (char *)(uintptr_t) "A T",
                                      .access_secret = (char *)(uintptr_t) "AS"};
    const char *line = apple_token_authorize(*state, &token, "GET", "https://example.org/session",
                                             "nonce", 1700000000);
    assert_non_null(strstr(line, "OAuth realm=\"ADM\", oauth_consumer_key=\"CK\""));
    assert_non_null(strstr(line, "oauth_token=\"A%20T\""));
    assert_non_null(strstr(line, "oauth_signature=\"SIFf1E%2BnofHZdwbzuxMuyHn4ZXk%3D\""));
}

/* ---- answers ---- */

static void a_page_of_devices_is_read(void **state)
{
    struct service_page page;
    struct err err;
    const char *text =
        "{\"cursor\":\"c1\",\"more_to_follow\":true,\"devices\":[{\"serial_number\":\"S1\","
        "\"model\":\"iPhone 14\",\"device_assigned_date\":\"2026-01-31T08:30:00Z\","
        "\"profile_status\":\"pushed\",\"op_type\":\"modified\",\"new\":{}},"
        "{\"serial_number\":\"S2\",\"op_type\":\"deleted\",\"model\":7,"
        "\"profile_push_time\":\"yesterday\"}]}";
    assert_works(apple_service_page_parse(*state, bytes_text(text), &page, &err), err);
    assert_int_equal(page.count, 2);
    assert_string_equal(page.cursor, "c1");
    assert_false(page.is_last);
    assert_string_equal(page.changes[0].device.model, "iPhone 14");
    assert_int_equal(page.changes[0].device.assigned_at, 1769848200);
    assert_false(page.changes[0].is_removed);
    assert_true(page.changes[1].is_removed);
    assert_null(page.changes[1].device.model);
    assert_int_equal(page.changes[1].device.profile_pushed_at, 0);
}

static void a_page_without_what_counts_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"devices\":[]}",
                                      "{\"cursor\":\"\",\"devices\":[]}",
                                      "{\"cursor\":\"c\",\"devices\":{}}",
                                      "{\"cursor\":\"c\",\"devices\":[1]}",
                                      "{\"cursor\":\"c\",\"devices\":[{}]}",
                                      "{\"cursor\":\"c\",\"devices\":[{\"serial_number\":\"\"}]}"};
    struct service_page page;
    struct err err;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(apple_service_page_parse(*state, bytes_text(bad[i]), &page, &err), err,
                     ERR_BAD_INPUT);
}

static void each_device_of_an_assignment_has_its_result(void **state)
{
    const char *serials[] = {"S1", "S2", "S3", "S4"};
    const char *reasons[4];
    const struct service_assignment assignment = {NULL, serials, 4};
    struct err err;
    const char *text =
        "{\"devices\":{\"S1\":\"SUCCESS\",\"S2\":\"NOT_ACCESSIBLE\",\"S3\":\"FAILED\"}}";
    assert_works(apple_service_results_parse(*state, bytes_text(text), &assignment, reasons, &err),
                 err);
    assert_null(reasons[0]);
    assert_non_null(strstr(reasons[1], "does not belong"));
    assert_non_null(reasons[2]);
    assert_non_null(strstr(reasons[3], "said nothing"));
}

static void a_refusal_is_a_word_however_it_is_wrapped(void **state)
{
    static const char *const wrapped[] = {"T_C_NOT_SIGNED", "\"T_C_NOT_SIGNED\"\n",
                                          "{\"code\":\"T_C_NOT_SIGNED\"}"};
    for (size_t i = 0; i < COUNT(wrapped); i++)
        assert_string_equal(apple_service_refusal(*state, bytes_text(wrapped[i])),
                            "T_C_NOT_SIGNED");
    assert_string_equal(apple_service_refusal(*state, NO_BYTES), "");
    assert_non_null(strstr(apple_service_advice(*state, 403, "T_C_NOT_SIGNED").problem, "terms"));
    assert_non_null(strstr(apple_service_advice(*state, 502, "").problem, "502"));
    assert_true(apple_service_cursor_is_gone("EXPIRED_CURSOR"));
    assert_false(apple_service_cursor_is_gone("T_C_NOT_SIGNED"));
}

/* ---- machine ---- */

#define PLIST(body) "<plist version=\"1.0\"><dict>" body "</dict></plist>"
#define WHO "<key>UDID</key><string>U</string><key>SERIAL</key><string>S</string>"

static void a_machine_says_what_it_is(void **state)
{
    struct apple_machine machine;
    struct err err;
    const char *text =
        PLIST(WHO "<key>OS_VERSION</key><string>17.1</string><key>IMEI</key>"
                  "<string>1</string><key>MDM_CAN_REQUEST_SOFTWARE_UPDATE</key><true/>");
    assert_works(apple_machine_parse(*state, bytes_text(text), &machine, &err), err);
    assert_string_equal(machine.serial, "S");
    assert_true(apple_machine_is_old(&machine, "17.10"));
    assert_false(apple_machine_is_old(&machine, "17.1"));
    assert_false(apple_machine_is_old(&machine, NULL));
    machine.can_update = false;
    assert_false(apple_machine_is_old(&machine, "17.10"));
}

static void a_machine_that_does_not_say_which_it_is_is_refused(void **state)
{
    static const char *const bad[] = {
        "", PLIST(""), PLIST("<key>UDID</key><string>U</string>"),
        PLIST("<key>UDID</key><string></string><key>SERIAL</key><string>S</string>"),
        PLIST(WHO "<key>MDM_CAN_REQUEST_SOFTWARE_UPDATE</key><string>yes</string>")};
    struct apple_machine machine;
    struct err err;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(apple_machine_parse(*state, bytes_text(bad[i]), &machine, &err), err,
                     ERR_BAD_INPUT);
}

static int set_up(void **state)
{
    *state = mem_new(NULL, char);
    return 0;
}
static int tear_down(void **state)
{
    mem_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_read_out_of_its_message),
        cmocka_unit_test(a_text_that_holds_no_token_is_refused),
        cmocka_unit_test(the_file_may_be_a_mail_base64_or_plain_der),
        cmocka_unit_test(a_request_is_signed_as_oauth_wants),
        cmocka_unit_test(a_page_of_devices_is_read),
        cmocka_unit_test(a_page_without_what_counts_is_refused),
        cmocka_unit_test(each_device_of_an_assignment_has_its_result),
        cmocka_unit_test(a_refusal_is_a_word_however_it_is_wrapped),
        cmocka_unit_test(a_machine_says_what_it_is),
        cmocka_unit_test(a_machine_that_does_not_say_which_it_is_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
