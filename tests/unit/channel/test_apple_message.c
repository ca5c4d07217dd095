/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/message.h"

#include "tests/unit/channel/apple.h"

static const char PHONE[] = "00008110-000A1B2C3D4E5F60";

static struct apple_checkin checkin(void *owner, const char *name)
{
    struct apple_checkin message;
    struct err err;
    assert_works(apple_checkin_parse(owner, vector_read(owner, name), &message, &err), err);
    return message;
}

static struct apple_result result(void *owner, const char *name)
{
    struct apple_result message;
    struct err err;
    assert_works(apple_result_parse(owner, vector_read(owner, name), &message, &err), err);
    return message;
}

static void authenticate_tells_who_the_device_is(void **state)
{
    struct apple_checkin message = checkin(*state, "authenticate");
    assert_int_equal(message.kind, CHECKIN_AUTHENTICATE);
    assert_string_equal(message.sender.udid, PHONE);
    assert_null(message.sender.user_id);
    assert_string_equal(message.authenticate.product_name, "iPhone15,2");
    assert_string_equal(message.authenticate.os_version, "17.5.1");
    assert_string_equal(message.authenticate.serial_number, "F2LXQ0ABCD");
    assert_string_equal(message.authenticate.device_name, "Ann's iPhone");
}

static void a_binary_message_means_the_same(void **state)
{
    struct apple_checkin message = checkin(*state, "authenticate-binary");
    assert_string_equal(message.sender.udid, PHONE);
    assert_string_equal(message.authenticate.device_name, "K\xc3\xa4thes iPhone");
}

static void token_update_carries_the_push_address(void **state)
{
    struct apple_checkin message = checkin(*state, "token-update");
    assert_int_equal(message.kind, CHECKIN_TOKEN_UPDATE);
    assert_int_equal(message.token_update.token.size, 32);
    assert_int_equal(message.token_update.unlock_token.size, 280);
    assert_string_equal(message.token_update.push_magic, "6E0A51F2-35C3-4E5E-B3B2-7E1B9A4C8D10");
}

static void a_missing_unlock_token_is_no_unlock_token(void **state)
{
    struct apple_checkin message = checkin(*state, "token-update-again");
    assert_null(message.token_update.unlock_token.data);
}

static void a_magic_is_kept_as_it_is(void **state)
{
    struct apple_checkin message = checkin(*state, "token-update-hostile-magic");
    assert_string_equal(message.token_update.push_magic, "\"},\"aps\":{\"alert\":\"x");
}

static void a_user_of_the_device_is_seen(void **state)
{
    struct apple_checkin message = checkin(*state, "token-update-user");
    assert_string_equal(message.sender.user_id, "5B6C1A0E-1111-4B9A-8F6D-0F3B2A1C4D5E");
    assert_string_equal(message.sender.user_name, "ann");
    assert_false(message.token_update.off_console);
    assert_int_equal(checkin(*state, "user-authenticate").kind, CHECKIN_USER_AUTHENTICATE);
}

static void a_bootstrap_token_is_taken_and_an_empty_one_is_none(void **state)
{
    struct apple_checkin message = checkin(*state, "set-bootstrap-token");
    assert_int_equal(message.kind, CHECKIN_SET_BOOTSTRAP_TOKEN);
    assert_true(bytes_equal(message.bootstrap_token, bytes_text("secret")));
    message = checkin(*state, "set-bootstrap-token-empty");
    assert_int_equal(message.kind, CHECKIN_SET_BOOTSTRAP_TOKEN);
    assert_int_equal(message.bootstrap_token.size, 0);
    message = checkin(*state, "set-bootstrap-token-none");
    assert_int_equal(message.kind, CHECKIN_SET_BOOTSTRAP_TOKEN);
    assert_int_equal(message.bootstrap_token.size, 0);
    assert_int_equal(checkin(*state, "get-bootstrap-token").kind, CHECKIN_GET_BOOTSTRAP_TOKEN);
}

static void what_we_did_not_announce_is_unsupported(void **state)
{
    struct apple_checkin message = checkin(*state, "return-to-service");
    assert_int_equal(message.kind, CHECKIN_UNSUPPORTED);
    assert_string_equal(message.message_type, "ReturnToService");
    assert_int_equal(checkin(*state, "declarative-management").kind, CHECKIN_DECLARATIVE);
    assert_string_equal(checkin(*state, "declarative-management").declarative.endpoint, "tokens");
}

static void each_status_is_told_apart(void **state)
{
    assert_int_equal(result(*state, "idle").status, APPLE_IDLE);
    assert_null(result(*state, "idle").command_uuid);
    assert_int_equal(result(*state, "acknowledged").status, APPLE_ACKNOWLEDGED);
    assert_int_equal(result(*state, "error").status, APPLE_ERROR);
    assert_int_equal(result(*state, "format-error").status, APPLE_COMMAND_FORMAT_ERROR);
    assert_int_equal(result(*state, "not-now").status, APPLE_NOT_NOW);
    assert_string_equal(result(*state, "not-now").command_uuid,
                        "0E6B5B0A-3E0D-4F5B-9C53-6C1D8F2A7B90");
}

static void an_error_chain_keeps_its_order(void **state)
{
    struct apple_result message = result(*state, "error");
    assert_int_equal(message.error_count, 2);
    assert_int_equal(message.errors[0].code, 4001);
    assert_int_equal(message.errors[1].code, 4025);
    assert_string_equal(message.errors[1].domain, "MCInstallationErrorDomain");
    assert_string_equal(message.errors[1].description, "The device is not supervised");
}

/* Refused with an error, a result comes again for ever. */
static void what_a_device_says_unusually_is_kept(void **state)
{
    assert_int_equal(result(*state, "bad-status").status, APPLE_UNKNOWN);
    assert_string_equal(result(*state, "bad-status").status_text, "Fine");
    assert_int_equal(result(*state, "bad-no-command").status, APPLE_UNKNOWN);
    assert_int_equal(result(*state, "bad-chain").status, APPLE_ERROR);
    assert_int_equal(result(*state, "bad-chain").error_count, 0);
    struct apple_result message = result(*state, "error-unusual");
    assert_int_equal(message.error_count, 2);
    assert_string_equal(message.errors[0].domain, "no domain");
    assert_int_equal(strlen(message.errors[0].description), 1024);
    assert_int_equal(message.errors[1].code, 0);
    assert_null(message.errors[1].description);
}

static void what_is_no_message_is_refused(void **state)
{
    static const char *const names[] = {
        "hostile-entity",   "hostile-external",  "hostile-doubled-key",
        "hostile-trailing", "hostile-array",     "bad-no-udid",
        "bad-empty-udid",   "bad-enrollment-id", "bad-status-type",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct apple_result message;
        struct err err;
        print_message("%s\n", names[i]);
        assert_fails(apple_result_parse(*state, vector_read(*state, names[i]), &message, &err), err,
                     ERR_BAD_INPUT);
    }
}

static void what_is_no_checkin_is_refused(void **state)
{
    static const char *const names[] = {
        "bad-checkin-no-type",      "bad-checkin-long-udid",
        "bad-token-empty",          "bad-token-long",
        "bad-token-text",           "bad-magic-empty",
        "bad-unlock-long",          "bad-no-topic",
        "hostile-entity",           "hostile-array",
        "bad-user-empty",           "bad-user-shared",
        "bad-user-authenticate",    "bad-bootstrap-token-long",
        "bad-bootstrap-token-text",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct apple_checkin message;
        struct err err;
        print_message("%s\n", names[i]);
        assert_fails(apple_checkin_parse(*state, vector_read(*state, names[i]), &message, &err),
                     err, ERR_BAD_INPUT);
    }
}

static struct bytes nested(void *owner, size_t depth)
{
    struct buffer out;
    struct bytes text;
    struct err err;
    buffer_init(&out, owner, (size_t)4 << 20);
    buffer_text(&out, "<plist version=\"1.0\"><dict><key>Status</key><string>Idle</string>"
                      "<key>UDID</key><string>a</string><key>x</key>");
    for (size_t i = 0; i < depth; i++)
        buffer_text(&out, "<array>");
    for (size_t i = 0; i < depth; i++)
        buffer_text(&out, "</array>");
    buffer_text(&out, "</dict></plist>");
    assert_works(buffer_done(&out, &text, &err), err);
    return text;
}

static void a_hundred_thousand_arrays_are_too_many(void **state)
{
    struct apple_result message;
    struct err err;
    assert_fails(apple_result_parse(*state, nested(*state, 100000), &message, &err), err,
                 ERR_TOO_LARGE);
    assert_works(apple_result_parse(*state, nested(*state, MESSAGE_DEPTH_MAX - 2), &message, &err),
                 err);
}

static void a_body_above_its_limit_is_not_read(void **state)
{
    struct apple_checkin message;
    struct apple_result answer;
    struct err err;
    struct bytes body = {mem_array(*state, uint8_t, CONNECT_SIZE_MAX + 1), CHECKIN_SIZE_MAX + 1};
    assert_fails(apple_checkin_parse(*state, body, &message, &err), err, ERR_TOO_LARGE);
    body.size = CONNECT_SIZE_MAX + 1;
    assert_fails(apple_result_parse(*state, body, &answer, &err), err, ERR_TOO_LARGE);
}

static void a_command_has_its_uuid_and_its_type(void **state)
{
    struct plist *command = NULL;
    struct plist *root = apple_command_new(*state, "C-1", "SecurityInfo", &command);
    assert_string_equal(plist_text(root, "CommandUUID"), "C-1");
    assert_string_equal(plist_text(plist_get(root, "Command"), "RequestType"), "SecurityInfo");
    assert_ptr_equal(plist_get(root, "Command"), command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authenticate_tells_who_the_device_is),
        cmocka_unit_test(a_binary_message_means_the_same),
        cmocka_unit_test(token_update_carries_the_push_address),
        cmocka_unit_test(a_missing_unlock_token_is_no_unlock_token),
        cmocka_unit_test(a_magic_is_kept_as_it_is),
        cmocka_unit_test(a_user_of_the_device_is_seen),
        cmocka_unit_test(a_bootstrap_token_is_taken_and_an_empty_one_is_none),
        cmocka_unit_test(what_we_did_not_announce_is_unsupported),
        cmocka_unit_test(each_status_is_told_apart),
        cmocka_unit_test(what_a_device_says_unusually_is_kept),
        cmocka_unit_test(an_error_chain_keeps_its_order),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(what_is_no_checkin_is_refused),
        cmocka_unit_test(a_hundred_thousand_arrays_are_too_many),
        cmocka_unit_test(a_body_above_its_limit_is_not_read),
        cmocka_unit_test(a_command_has_its_uuid_and_its_type),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
