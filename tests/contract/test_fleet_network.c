/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of what is no device: the end of their time, whoever asks again or decides then. */
#include "fleet/certificate.h"
#include "fleet/upkeep.h"
#include "model/certificate.h"
#include "pki/certificate.h"
#include "tests/contract/fleet_gear.h"

#define DAY (24 * 3600)
#define BATCH 100 /* challenges: more than fleet_requests_expire() takes at once in these tests */

/* As the list shows it. */
static struct certificate_request_record request_of(struct fixture *f, const char *id)
{
    const struct actor admin = fixture_admin(f);
    const struct page page = {.limit = LIST_LIMIT_MAX};
    struct list list;
    struct err err;
    assert_works(
        fleet_certificate_request_list(f->fleet, &admin, f->owner, NULL, false, &page, &list, &err),
        err);
    const struct certificate_request_record *items = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(items[i].id, id) == 0)
            return items[i];
    fail_msg("the list has no %s", id);
    return (struct certificate_request_record){0};
}

static size_t expire(struct fixture *f)
{
    size_t count = 0;
    struct err err;
    assert_works(fleet_requests_expire(f->fleet, f->now, BATCH, &count, &err), err);
    return count;
}

static void decide_fails(struct fixture *f, const char *id, bool is_approved)
{
    const struct actor admin = fixture_admin(f);
    struct err err;
    assert_fails(is_approved ? fleet_request_approve(f->fleet, &admin, id, &err)
                             : fleet_request_deny(f->fleet, &admin, id, &err),
                 err, ERR_CONFLICT);
}

static void a_request_that_nobody_decides_expires_and_says_so(void **state)
{
    struct fixture *f = *state;
    const struct network_challenge made = gear_challenge(f, true);
    const struct certificate_asked asked = gear_asked(f, &made, 0);
    assert_true(fixture_issue(f, &asked).is_pending);
    f->now += APPROVAL_SECONDS - 1;
    assert_int_equal(expire(f), 0);
    assert_true(gear_poll(f, &asked).is_pending);
    f->now += 1;
    assert_true(gear_poll(f, &asked).is_refused); /* a moment before the work comes round */
    assert_int_equal(expire(f), 1);
    assert_int_equal(expire(f), 0);
    assert_true(gear_poll(f, &asked).is_refused);
    assert_true(fixture_issue(f, &asked).is_refused);
    const struct certificate_request_record record = request_of(f, made.id);
    assert_int_equal(record.state, CHALLENGE_EXPIRED);
    assert_int_equal(fixture_events(f, "certificate.request_expired"), 1);
    assert_non_null(strstr(fixture_event(f, "certificate.request_expired"), made.id));
    assert_non_null(
        strstr(fixture_event(f, "certificate.request_expired"), "nobody has decided in time"));
    decide_fails(f, made.id, true);
    decide_fails(f, made.id, false);
}

static void an_approval_that_nobody_fetches_expires(void **state)
{
    struct fixture *f = *state;
    const struct actor admin = fixture_admin(f);
    const struct network_challenge made = gear_challenge(f, true);
    const struct certificate_asked asked = gear_asked(f, &made, 0);
    struct err err;
    assert_true(fixture_issue(f, &asked).is_pending);
    assert_works(fleet_request_approve(f->fleet, &admin, made.id, &err), err);
    f->now += APPROVAL_SECONDS;
    assert_int_equal(expire(f), 1);
    assert_true(gear_poll(f, &asked).is_refused);
    const struct certificate_request_record record = request_of(f, made.id);
    assert_int_equal(record.state, CHALLENGE_EXPIRED);
    assert_non_null(strstr(fixture_event(f, "certificate.request_expired"), "not fetched in time"));
}

/* Nobody waits for it: the list says so, and that is all. */
static void a_challenge_that_nobody_used_expires_quietly(void **state)
{
    struct fixture *f = *state;
    const struct network_challenge made = gear_challenge(f, false);
    const struct certificate_asked asked = gear_asked(f, &made, 0);
    struct enrolment_start start = fixture_start(f);
    f->now += DAY - 1;
    assert_int_equal(expire(f), 1); /* the device's */
    assert_int_equal(request_of(f, made.id).state, CHALLENGE_DELIVERED);
    f->now += 1;
    assert_int_equal(expire(f), 1);
    assert_int_equal(request_of(f, made.id).state, CHALLENGE_EXPIRED);
    assert_int_equal(fixture_events(f, "certificate.request_expired"), 0);
    const struct certificate_asked late = fixture_asked(f, &start, 1);
    assert_true(fixture_issue(f, &asked).is_refused);
    assert_true(fixture_issue(f, &late).is_refused);
    assert_non_null(strstr(fixture_event(f, "certificate.refused"), "the challenge has expired"));
}

static void what_has_come_to_an_end_does_not_expire(void **state)
{
    struct fixture *f = *state;
    const struct actor admin = fixture_admin(f);
    const struct network_challenge used = gear_challenge(f, false),
                                   denied = gear_challenge(f, true);
    const struct certificate_asked asked = gear_asked(f, &used, 0);
    struct err err;
    assert_false(fixture_issue(f, &asked).is_refused);
    assert_works(fleet_request_deny(f->fleet, &admin, denied.id, &err), err);
    f->now += 90 * DAY;
    assert_int_equal(expire(f), 0);
    assert_int_equal(request_of(f, used.id).state, CHALLENGE_USED);
    assert_int_equal(request_of(f, denied.id).state, CHALLENGE_DENIED);
}

static void many_expire_a_batch_at_a_time(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < BATCH + 1; i++)
        (void)gear_challenge(f, false);
    f->now += DAY;
    uint64_t before = database_transactions(f->contract->database);
    assert_int_equal(expire(f), BATCH);
    assert_int_equal(expire(f), 1);
    assert_int_equal(database_transactions(f->contract->database), before + 2);
    assert_int_equal(expire(f), 0);
    assert_int_equal(database_transactions(f->contract->database), before + 2);
}

/* A host's certificate is shorter than ours may be: the row says what is in it. */
static void what_is_recorded_is_what_was_signed(void **state)
{
    struct fixture *f = *state;
    const struct actor admin = fixture_admin(f);
    const struct network_challenge wish = {.subject = mem_text(f->owner, "CN=gear"),
                                           .alternative_names =
                                               mem_text(f->owner, "dns:gear.example.org")};
    struct network_challenge made;
    struct certificate in;
    struct err err;
    f->settings.certificate_seconds = 825 * (int64_t)DAY;
    assert_works(fleet_network_challenge_make(f->fleet, &admin, f->owner, &wish, &made, &err), err);
    struct certificate_asked asked = gear_asked(f, &made, 0);
    struct asked_attribute attributes[8];
    memcpy(attributes, asked.attributes, asked.attribute_count * sizeof(attributes[0]));
    attributes[asked.attribute_count++] = (struct asked_attribute){"san.dns", "gear.example.org"};
    asked.attributes = attributes;
    const struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    assert_works(certificate_parse(f->owner, issued.der, &in, &err), err);
    assert_true(in.not_after - in.not_before < 400 * (int64_t)DAY);
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATE_ENDS, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "not_before"), in.not_before);
    assert_int_equal(rows_integer(rows, 0, "not_after"), in.not_after);
}

FLEET_MAIN(FLEET_TEST(what_is_recorded_is_what_was_signed),
           FLEET_TEST(a_request_that_nobody_decides_expires_and_says_so),
           FLEET_TEST(an_approval_that_nobody_fetches_expires),
           FLEET_TEST(a_challenge_that_nobody_used_expires_quietly),
           FLEET_TEST(what_has_come_to_an_end_does_not_expire),
           FLEET_TEST(many_expire_a_batch_at_a_time))
