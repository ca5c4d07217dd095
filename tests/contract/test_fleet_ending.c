/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates found by what people know of them, counted by their end, and told of in time. */
#include <ctype.h>

#include "fleet/certificate.h"
#include "tests/contract/fleet_gear.h"
#include "tests/contract/renewal.h"

#define LATER 14 /* rows: ended, thirteen months, later */
#define BATCH 100

static struct certificate_ending *calendar(struct fixture *f)
{
    const struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_certificate_calendar(f->fleet, &admin, f->owner, &list, &err), err);
    assert_int_equal(list.count, LATER + 1);
    return list.items;
}

static size_t found(struct fixture *f, struct certificate_filter filter)
{
    const struct actor admin = fixture_admin(f);
    const struct page page = {.limit = LIST_LIMIT_MAX};
    struct list list;
    struct err err;
    assert_works(fleet_certificate_list(f->fleet, &admin, f->owner, &filter, &page, &list, &err),
                 err);
    return list.count;
}

static struct network_challenge gear_certified(struct fixture *f)
{
    const struct network_challenge made = gear_challenge(f, false);
    const struct certificate_asked asked = gear_asked(f, &made, 3);
    assert_false(fixture_issue(f, &asked).is_refused);
    return made;
}

static size_t warn(struct fixture *f)
{
    size_t count = 0;
    struct err err;
    assert_works(fleet_certificates_warn(f->fleet, f->now, BATCH, &count, &err), err);
    return count;
}

static void certificates_are_found_by_what_people_know(void **state)
{
    struct fixture *f = *state;
    const struct phone phone = phone_enrolled(f, 0, "Anna's phone");
    (void)gear_certified(f);
    const struct rows *rows = phone_certificates(f, &phone);
    const char *serial = rows_text(rows, 0, "serial");
    char *upper = mem_text(f->owner, serial);
    for (char *at = upper; *at; at++)
        *at = (char)toupper(*at);
    assert_int_equal(found(f, (struct certificate_filter){0}), 2);
    assert_int_equal(found(f, (struct certificate_filter){.text = "ANNA"}), 1);
    assert_int_equal(found(f, (struct certificate_filter){.text = upper}), 1);
    assert_int_equal(found(f, (struct certificate_filter){.text = "%"}), 0);
    assert_int_equal(found(f, (struct certificate_filter){.purpose = "network"}), 1);
    assert_int_equal(found(f, (struct certificate_filter){.state = "revoked"}), 0);
    assert_int_equal(found(f, (struct certificate_filter){.state = "issued"}), 2);
    assert_int_equal(found(f, (struct certificate_filter){.ends_before = f->now}), 0);
    assert_int_equal(found(f, (struct certificate_filter){.ends_before = f->now + 2 * LIFE}), 2);
}

static void the_calendar_counts_each_good_certificate_once(void **state)
{
    struct fixture *f = *state;
    const struct phone phone = phone_enrolled(f, 0, "A");
    const struct phone gone = phone_enrolled(f, 1, "B");
    struct actor admin = fixture_admin(f);
    struct err err;
    (void)gear_certified(f);
    assert_works(fleet_certificate_revoke(f->fleet, &admin,
                                          rows_text(phone_certificates(f, &gone), 0, "serial"),
                                          REASON_SUPERSEDED, &err),
                 err);
    int64_t identities = 0, others = 0;
    const struct certificate_ending *rows = calendar(f);
    for (size_t i = 0; i <= LATER; i++) {
        identities += rows[i].identities;
        others += rows[i].others;
    }
    assert_int_equal(identities, 1);
    assert_int_equal(others, 1);
    assert_int_equal(rows[0].identities, 0);
    assert_string_equal(rows[0].month, "ended");
    assert_string_equal(rows[LATER].month, "later");

    renewal_until_due(f, &phone);
    rows = calendar(f);
    for (size_t i = 0, unanswered = 0; i <= LATER; i++)
        if ((unanswered += (size_t)rows[i].unanswered) > 0 && i > 0 && i < LATER)
            identities = (int64_t)i;
    assert_in_range(identities, 1, LATER - 1);
    f->now += LIFE;
    assert_int_equal(calendar(f)[0].identities, 1);
}

/* 2026-01-31: the month after it is the one after it. */
static void months_follow_each_other(void **state)
{
    struct fixture *f = *state;
    f->now = 1769860800;
    const struct certificate_ending *rows = calendar(f);
    static const char *const months[] = {"2026-01", "2026-02", "2026-03", "2026-04", "2026-05",
                                         "2026-06", "2026-07", "2026-08", "2026-09", "2026-10",
                                         "2026-11", "2026-12", "2027-01"};
    for (size_t i = 0; i < COUNT(months); i++)
        assert_string_equal(rows[i + 1].month, months[i]);
}

static void each_end_is_told_once_and_in_time(void **state)
{
    struct fixture *f = *state;
    const struct phone phone = phone_enrolled(f, 0, "A");
    int64_t begun = f->now;
    assert_int_equal(warn(f), 0);
    f->now = begun + LIFE - 31 * DAY;
    assert_int_equal(warn(f), 0);
    f->now = begun + LIFE - 29 * DAY;
    assert_int_equal(warn(f), 1);
    assert_int_equal(warn(f), 0);
    assert_int_equal(fixture_events(f, "certificate.expires"), 1);
    assert_non_null(strstr(fixture_event(f, "certificate.expires"),
                           rows_text(phone_certificates(f, &phone), 0, "serial")));
}

static void what_was_renewed_or_is_revoked_is_not_told(void **state)
{
    struct fixture *f = *state;
    const struct phone phone = phone_enrolled(f, 0, "A");
    const struct phone gone = phone_enrolled(f, 1, "B");
    struct actor admin = fixture_admin(f);
    struct err err;
    int64_t begun = f->now;
    renewal_until_due(f, &phone);
    (void)phone_fetch_renewal(f, &phone);
    const struct phone renewed = phone_certified_again(f, &phone, 2);
    (void)phone_activate_at(f, &renewed, "token");
    phone_speaks(f, &renewed);
    assert_works(fleet_certificate_revoke(f->fleet, &admin,
                                          rows_text(phone_certificates(f, &gone), 0, "serial"),
                                          REASON_SUPERSEDED, &err),
                 err);
    f->now = begun + LIFE - 10 * DAY;
    assert_int_equal(warn(f), 0);
    assert_int_equal(fixture_events(f, "certificate.expires"), 0);
}

static void gear_that_has_renewed_alarms_nobody(void **state)
{
    struct fixture *f = *state;
    const struct network_challenge made = gear_challenge(f, false);
    struct certificate_asked asked = gear_asked(f, &made, 3);
    const struct issued first = fixture_issue(f, &asked);
    assert_false(first.is_refused);
    f->now += LIFE - 60 * DAY;
    asked = gear_asked(f, &made, 4);
    asked.challenge = NULL;
    asked.signer = first.der;
    asked.transaction_id = "renewal";
    assert_false(fixture_issue(f, &asked).is_refused);
    f->now += 40 * DAY;
    int64_t others = 0;
    const struct certificate_ending *rows = calendar(f);
    for (size_t i = 0; i <= LATER; i++)
        others += rows[i].others;
    assert_int_equal(others, 1); /* the new one */
    assert_int_equal(warn(f), 0);
}

FLEET_MAIN(FLEET_TEST(gear_that_has_renewed_alarms_nobody),
           FLEET_TEST(certificates_are_found_by_what_people_know),
           FLEET_TEST(the_calendar_counts_each_good_certificate_once),
           FLEET_TEST(months_follow_each_other), FLEET_TEST(each_end_is_told_once_and_in_time),
           FLEET_TEST(what_was_renewed_or_is_revoked_is_not_told))
