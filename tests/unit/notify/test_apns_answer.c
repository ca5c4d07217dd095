/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/apns_answer.h"

#include "base/mem.h"
#include "tests/test.h"

static struct apns_answer weigh(void *owner, int status, const char *body, int64_t retry_after)
{
    const struct http_answer http = {
        .status = status, .body = bytes_text(body), .retry_after = retry_after};
    return apns_answer_weigh(owner, &http);
}

static void each_reason_has_its_meaning(void **state)
{
    static const struct {
        int status;
        const char *reason;
        enum apns_outcome outcome;
    } rows[] = {
        {400, "BadDeviceToken", APNS_WRONG},
        {400, "DeviceTokenNotForTopic", APNS_WRONG},
        {400, "TopicDisallowed", APNS_CERTIFICATE},
        {400, "BadExpirationDate", APNS_REFUSED},
        {400, "PayloadEmpty", APNS_REFUSED},
        {403, "BadCertificate", APNS_CERTIFICATE},
        {403, "BadCertificateEnvironment", APNS_CERTIFICATE},
        {403, "Forbidden", APNS_CERTIFICATE},
        {404, "BadPath", APNS_REFUSED},
        {405, "MethodNotAllowed", APNS_REFUSED},
        {410, "Unregistered", APNS_DEAD},
        {410, "ExpiredToken", APNS_DEAD},
        {413, "PayloadTooLarge", APNS_REFUSED},
        {429, "TooManyRequests", APNS_LATER},
        {500, "InternalServerError", APNS_LATER},
        {503, "ServiceUnavailable", APNS_AWAY},
        {503, "Shutdown", APNS_AWAY},
        {302, "Elsewhere", APNS_LATER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
        struct apns_answer answer = weigh(
            owner, rows[i].status, mem_format(owner, "{\"reason\":\"%s\"}", rows[i].reason), 0);
        assert_int_equal(answer.outcome, rows[i].outcome);
        assert_string_equal(answer.reason, rows[i].reason);
    }
}

static void a_success_says_nothing_more(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
    struct apns_answer answer = weigh(owner, 200, "", 0);
    assert_int_equal(answer.outcome, APNS_SENT);
    assert_null(answer.reason);
}

static void the_time_of_a_death_is_told_in_milliseconds(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
    static const char told[] = "{\"reason\":\"Unregistered\",\"timestamp\":1700000000999}";
    assert_int_equal(weigh(owner, 410, told, 0).dead_since, 1700000000);
    assert_int_equal(weigh(owner, 410, "{\"reason\":\"Unregistered\"}", 0).dead_since, 0);
    assert_int_equal(weigh(owner, 410, "{\"timestamp\":-5000}", 0).dead_since, 0);
    assert_int_equal(weigh(owner, 400, told, 0).dead_since, 0);
}

static void a_wish_for_patience_is_heard_within_reason(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
    assert_int_equal(weigh(owner, 429, "", 17).retry_seconds, 17);
    assert_int_equal(weigh(owner, 503, "", 0).retry_seconds, 0);
    assert_int_equal(weigh(owner, 503, "", INT64_MAX).retry_seconds, 24 * 3600);
    assert_int_equal(weigh(owner, 503, "", -1).retry_seconds, 0);
}

static void a_body_that_is_none_leaves_the_status(void **state)
{
    static const char *const bodies[] = {
        "", "<html>", "[]", "{", "{\"reason\":5}", "{\"reason\":\"a\",\"reason\":1}", "null"};
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
        struct apns_answer answer = weigh(owner, 410, bodies[i], 0);
        assert_int_equal(answer.outcome, APNS_DEAD);
        assert_string_equal(answer.reason, "the push service answered 410");
    }
}

static void a_refused_certificate_is_no_lost_connection(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) char *owner = mem_text(NULL, "");
    struct err err;
    (void)err_set(&err, ERR_FORBIDDEN, "certificate expired");
    assert_int_equal(apns_failure_weigh(owner, &err).outcome, APNS_CERTIFICATE);
    (void)err_set(&err, ERR_UNAVAILABLE, "no route");
    assert_int_equal(apns_failure_weigh(owner, &err).outcome, APNS_AWAY);
    assert_string_equal(apns_failure_weigh(owner, &err).reason, "no route");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_has_its_meaning),
        cmocka_unit_test(a_success_says_nothing_more),
        cmocka_unit_test(the_time_of_a_death_is_told_in_milliseconds),
        cmocka_unit_test(a_wish_for_patience_is_heard_within_reason),
        cmocka_unit_test(a_body_that_is_none_leaves_the_status),
        cmocka_unit_test(a_refused_certificate_is_no_lost_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
