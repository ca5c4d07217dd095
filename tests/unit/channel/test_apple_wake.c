/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/wake_judge.h"

#include "tests/test.h"

#define NOW 1000000

static enum wake_turn take(struct wake_judge *judge, enum apns_outcome outcome, int64_t retry,
                           int64_t now, struct wake_answer *out)
{
    const struct apns_answer answer = {
        .outcome = outcome, .retry_seconds = retry, .reason = "so it says"};
    enum wake_turn turn = wake_judge_take(judge, &answer, now, out);
    assert_string_equal(out->reason, "so it says");
    return turn;
}

static void what_failed_together_rests_once(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(take(&judge, APNS_AWAY, 0, NOW, &out), TURN_NONE);
        assert_int_equal(out.outcome, WAKE_HELD);
    }
    assert_int_equal(judge.failures, 1);
    assert_in_range(judge.rest_until, NOW + 1, NOW + 2);
}

static void rests_grow_to_a_limit_and_end_with_a_success(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    int64_t now = NOW;
    (void)state;
    for (int i = 0; i < 20; i++) {
        (void)take(&judge, APNS_AWAY, 0, now, &out);
        assert_in_range(judge.rest_until - now, 1, 375);
        now = judge.rest_until;
    }
    (void)take(&judge, APNS_AWAY, 0, now, &out);
    assert_in_range(judge.rest_until - now, 225, 375);
    assert_int_equal(take(&judge, APNS_SENT, 0, now, &out), TURN_NONE); /* was under way before */
    assert_in_range(judge.rest_until - now, 225, 375);
    assert_true(judge.failures > 0);
    assert_int_equal(take(&judge, APNS_SENT, 0, judge.rest_until, &out), TURN_NONE);
    assert_int_equal(judge.failures, 0);
}

static void the_rest_is_at_least_what_the_service_asks_for(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    (void)take(&judge, APNS_AWAY, 0, NOW, &out);
    (void)take(&judge, APNS_AWAY, 600, NOW, &out); /* while it rests already */
    assert_int_equal(judge.rest_until, NOW + 600);
}

static void one_device_that_is_pushed_too_often_holds_up_no_other(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    assert_int_equal(take(&judge, APNS_LATER, 0, NOW, &out), TURN_NONE);
    assert_int_equal(out.outcome, WAKE_LATER);
    assert_int_equal(out.retry_seconds, 60);
    (void)take(&judge, APNS_LATER, 900, NOW, &out);
    assert_int_equal(out.retry_seconds, 900);
    (void)take(&judge, APNS_REFUSED, 0, NOW, &out);
    assert_int_equal(out.outcome, WAKE_LATER);
    assert_int_equal(out.retry_seconds, 3600);
    assert_int_equal(judge.rest_until, 0);
}

static void a_certificate_that_is_not_taken_pauses_once(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    assert_int_equal(take(&judge, APNS_CERTIFICATE, 0, NOW, &out), TURN_PAUSE);
    assert_int_equal(out.outcome, WAKE_HELD);
    assert_int_equal(take(&judge, APNS_CERTIFICATE, 0, NOW, &out), TURN_NONE);
    assert_true(judge.is_paused);
    assert_int_equal(take(&judge, APNS_SENT, 0, NOW, &out), TURN_NONE); /* sent before the pause */
    assert_true(judge.is_paused);
    judge.is_probing = true;
    assert_int_equal(take(&judge, APNS_DEAD, 0, NOW, &out), TURN_RESUME);
    assert_int_equal(out.outcome, WAKE_DEAD);
    assert_false(judge.is_paused);
}

static void wrong_addresses_one_after_the_other_are_the_certificate_s_fault(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < WRONG_IN_A_ROW_MOST; i++) {
            assert_int_equal(take(&judge, APNS_WRONG, 0, NOW, &out), TURN_NONE);
            assert_int_equal(out.outcome, WAKE_WRONG);
        }
        assert_int_equal(take(&judge, APNS_SENT, 0, NOW, &out), TURN_NONE); /* not in a row */
    }
    for (int i = 1; i < WRONG_IN_A_ROW_MOST; i++)
        (void)take(&judge, APNS_WRONG, 0, NOW, &out);
    assert_int_equal(take(&judge, APNS_WRONG, 0, NOW, &out), TURN_PAUSE);
    assert_int_equal(out.outcome, WAKE_HELD); /* from here on no device is marked */
    assert_int_equal(take(&judge, APNS_WRONG, 0, NOW, &out), TURN_NONE);
    assert_int_equal(out.outcome, WAKE_LATER); /* the next push tries another device */
}

static void a_pause_is_due_until_it_is_stored(void **state)
{
    struct wake_judge judge = {0};
    struct wake_answer out;
    (void)state;
    assert_int_equal(wake_judge_due(&judge, false), TURN_NONE);
    (void)take(&judge, APNS_CERTIFICATE, 0, NOW, &out);
    for (int i = 0; i < 2; i++) /* the database was away */
        assert_int_equal(wake_judge_due(&judge, false), TURN_PAUSE);
    assert_int_equal(wake_judge_due(&judge, true), TURN_NONE);
    judge.is_probing = true;
    (void)take(&judge, APNS_SENT, 0, NOW, &out);
    assert_int_equal(wake_judge_due(&judge, true), TURN_RESUME);
    assert_int_equal(wake_judge_due(&judge, false), TURN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_together_rests_once),
        cmocka_unit_test(rests_grow_to_a_limit_and_end_with_a_success),
        cmocka_unit_test(the_rest_is_at_least_what_the_service_asks_for),
        cmocka_unit_test(one_device_that_is_pushed_too_often_holds_up_no_other),
        cmocka_unit_test(a_certificate_that_is_not_taken_pauses_once),
        cmocka_unit_test(wrong_addresses_one_after_the_other_are_the_certificate_s_fault),
        cmocka_unit_test(a_pause_is_due_until_it_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
