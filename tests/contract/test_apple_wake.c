/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of Apple's answers and the queue, together. */
#include "channel/apple/wake_judge.h"
#include "tests/contract/fleet_fixture.h"

#define PROBE_SECONDS (15 * 60)

/* One push while pushing is paused; `bad` is the enrolment that the service refuses. */
static enum wake_turn probe(struct fixture *f, struct wake_judge *judge, const char *bad)
{
    size_t count = 0;
    struct wake *wakes = fixture_claim(f, 1, &count);
    struct wake_answer answer;
    struct err err;
    assert_int_equal(count, 1);
    bool is_bad = strcmp(wakes[0].enrolment_id, bad) == 0;
    const struct apns_answer said = {.outcome = is_bad ? APNS_WRONG : APNS_SENT,
                                     .reason = is_bad ? "BadDeviceToken" : NULL};
    enum wake_turn turn = wake_judge_take(judge, &said, f->now, &answer);
    answer.wake = &wakes[0];
    assert_works(fleet_wake_settle(f->fleet, &answer, 1, f->now, &err), err);
    return turn;
}

static void one_bad_address_does_not_make_a_pause_last(void **state)
{
    struct fixture *f = *state;
    struct wake_judge judge = {.is_paused = true, .is_probing = true};
    struct phone bad = phone_enrolled(f, 0, "A"), good = phone_enrolled(f, 1, "B");
    struct actor admin = fixture_admin(f);
    struct command command;
    struct err err;
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    const char *devices[] = {bad.device_id, good.device_id};
    for (size_t i = 0; i < COUNT(devices); i++) {
        admin.now += 1;
        assert_works(fleet_command_create(f->fleet, &admin, f->owner, devices[i], COMMAND_LOCK,
                                          NULL, &command, &err),
                     err);
    }
    f->now += PROBE_SECONDS;
    assert_int_equal(probe(f, &judge, bad.enrolment_id), TURN_NONE);
    f->now += PROBE_SECONDS;
    assert_int_equal(probe(f, &judge, bad.enrolment_id), TURN_RESUME);
    assert_false(judge.is_paused);
}

FLEET_MAIN(FLEET_TEST(one_bad_address_does_not_make_a_pause_last))
