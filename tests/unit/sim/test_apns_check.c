/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "sim/apns_check.h"

#define TOPIC "com.apple.mgmt.External.1"
#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

static struct push good_push(void)
{
    return (struct push){.method = "POST",
                         .path = "/3/device/" TOKEN,
                         .topic = TOPIC,
                         .push_type = "mdm",
                         .expiration = "1700000000",
                         .priority = "10",
                         .body = bytes_text("{\"mdm\":\"MAGIC\"}")};
}

static void refused(const struct push *push, int status, const char *reason)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    const char *token = NULL, *magic = NULL;
    struct push_verdict verdict = push_check(owner, push, TOPIC, &token, &magic);
    assert_int_equal(verdict.status, status);
    assert_string_equal(verdict.reason, reason);
    assert_null(token);
}

static void a_good_push_names_token_and_magic(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    const char *token = NULL, *magic = NULL;
    struct push push = good_push();
    (void)state;
    assert_int_equal(push_check(owner, &push, TOPIC, &token, &magic).status, 200);
    assert_string_equal(token, TOKEN);
    assert_string_equal(magic, "MAGIC");
}

#define REFUSED(member, value, status, reason)                                                     \
    do {                                                                                           \
        struct push push = good_push();                                                            \
        push.member = (value);                                                                     \
        refused(&push, status, reason);                                                            \
    } while (0)

static void each_header_has_its_reason(void **state)
{
    (void)state;
    REFUSED(method, "GET", 405, "MethodNotAllowed");
    REFUSED(path, "/3/devices/x", 404, "BadPath");
    REFUSED(path, "/3/device/", 400, "MissingDeviceToken");
    REFUSED(path, "/3/device/0123", 400, "BadDeviceToken");
    REFUSED(topic, NULL, 400, "MissingTopic");
    REFUSED(topic, "com.apple.mgmt.other", 400, "TopicDisallowed");
    REFUSED(push_type, NULL, 400, "InvalidPushType");
    REFUSED(push_type, "background", 400, "InvalidPushType");
    REFUSED(expiration, "tomorrow", 400, "BadExpirationDate");
    REFUSED(priority, "11", 400, "BadPriority");
    REFUSED(id, "7", 400, "BadMessageId");
}

static void the_body_is_one_magic_and_nothing_else(void **state)
{
    static const char *const bodies[] = {
        "{\"mdm\":\"\"}",        "{\"mdm\":7}", "{\"mdm\":\"x\",\"aps\":{}}", "{}",
        "{\"mdm\":\"a\"} trail", "mdm"};
    char large[PUSH_BODY_MAX + 1];
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++)
        REFUSED(body, bytes_text(bodies[i]), 400, "BadPayload");
    REFUSED(body, NO_BYTES, 400, "PayloadEmpty");
    memset(large, ' ', sizeof(large));
    REFUSED(body, BYTES_OF(large), 413, "PayloadTooLarge");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_push_names_token_and_magic),
        cmocka_unit_test(each_header_has_its_reason),
        cmocka_unit_test(the_body_is_one_magic_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
