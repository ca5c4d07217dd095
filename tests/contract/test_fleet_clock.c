/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that is put back by an hour, or ahead by a day: nothing is lost, nobody is locked out,
 * and what was revoked stays so. */
#include "fleet/account.h"
#include "fleet/certificate.h"
#include "fleet/job.h"
#include "pki/keyd.h"
#include "pki/keyd_wire.h"
#include "pki/openssl.h"
#include "tests/contract/renewal.h"

#define HOUR INT64_C(3600)

static const int64_t jumps[] = {-HOUR, DAY};

static void jump(struct fixture *f, int64_t seconds)
{
    f->now += seconds;
    fixture_clock(f);
}

/* The authority is no older than this program: no certificate begins before it. */
static struct fixture *some_days_later(void **state)
{
    struct fixture *f = *state;
    jump(f, 3 * DAY);
    return f;
}

/* ---- certificates ---- */

static const char *serial_of(struct fixture *f, const char *enrolment_id)
{
    return rows_text(fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(enrolment_id))), 0,
                     "serial");
}

static struct certificate_status status_of(struct fixture *f, const char *enrolment_id)
{
    struct certificate_status status;
    struct err err;
    assert_works(fleet_certificate_status(f->fleet, serial_of(f, enrolment_id), &status, &err),
                 err);
    return status;
}

static void certificates_are_issued_across_a_jump(void **state)
{
    struct fixture *f = some_days_later(state);
    for (size_t i = 0; i < COUNT(jumps); i++) {
        struct enrolment_start before = fixture_start(f);
        struct certificate_asked asked = fixture_asked(f, &before, 2 * i);
        jump(f, jumps[i]);
        /* a challenge lives for an hour, by whatever clock there is */
        assert_int_equal(fixture_issue(f, &asked).is_refused, jumps[i] > 0);
        struct enrolment_start after = fixture_start(f);
        asked = fixture_asked(f, &after, 2 * i + 1);
        struct issued issued = fixture_issue(f, &asked);
        assert_false(issued.is_refused);
        struct rows *rows =
            fixture_look(f, &SQL_LOOK_CERTIFICATE_ALL, ARGS(TEXT(after.enrolment_id)));
        assert_in_range(rows_integer(rows, 0, "not_before"), f->now - 3600, f->now);
        assert_int_equal(rows_integer(rows, 0, "not_after"),
                         f->now + f->settings.certificate_seconds);
    }
}

/* Reserved before the jump, signed after it: keyd believes a time that is two days off. */
static void what_was_reserved_before_the_clock_was_put_back_is_signed_after_it(void **state)
{
    struct fixture *f = *state;
    struct fleet fleet = fixture_keyd_dies_at(f, KEYD_OP_ISSUE);
    struct actor someone = fixture_public(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct issued issued;
    struct err err;
    assert_fails(fleet_issue(&fleet, &someone, f->owner, &asked, &issued, &err), err,
                 ERR_UNAVAILABLE);
    const char *serial = serial_of(f, start.enrolment_id);
    jump(f, -HOUR);
    assert_false(fixture_issue(f, &asked).is_refused);
    assert_string_equal(serial_of(f, start.enrolment_id), serial);
    assert_true(status_of(f, start.enrolment_id).is_known);
}

static X509_CRL *list_of(struct fixture *f, struct revocation_list *list)
{
    struct err err;
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, list, &err), err);
    X509_CRL *crl = DER_READ(d2i_X509_CRL, list->der);
    assert_non_null(crl);
    time_t now = (time_t)f->now;
    assert_true(X509_cmp_time(X509_CRL_get0_lastUpdate(crl), &now) < 0);
    assert_true(X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &now) > 0);
    return crl;
}

static int revoked_in(struct fixture *f, struct revocation_list *list)
{
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = list_of(f, list);
    int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
    return count > 0 ? count : 0;
}

/* proves-partly: 4g-12 */
static void what_is_revoked_stays_so(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    for (size_t i = 0; i < COUNT(jumps); i++) {
        jump(f, jumps[i]);
        assert_true(status_of(f, phone.enrolment_id).is_revoked);
    }
}

/* proves-partly: 4g-12 */
static void revocation_lists_hold_now_and_their_numbers_only_grow(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct revocation_list before, after;
    struct err err;
    f->settings.delta_seconds = 3600;
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
    assert_int_equal(revoked_in(f, &before), 1);
    static const int64_t all[] = {-HOUR, DAY, -DAY, -HOUR};
    for (size_t i = 0; i < COUNT(all); i++) {
        jump(f, all[i]);
        assert_int_equal(revoked_in(f, &after), 1);
        assert_true(after.this_update <= f->now);
        /* who was ahead has signed lists that nobody believes yet: they are made again */
        assert_true(after.number >= before.number + (all[i] < 0));
        before = after;
        assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
        assert_int_equal(revoked_in(f, &after), 1);
        assert_true(after.number > before.number);
        assert_int_equal(after.this_update, f->now);
        before = after;
        assert_works(fleet_revocation_delta_get(f->fleet, f->owner, 0, f->now, &after, &err), err);
        assert_int_equal(after.number, before.number);
        assert_true(after.this_update <= f->now && after.next_update > f->now);
    }
    jump(f, -HOUR);
    assert_works(fleet_revocation_delta_get(f->fleet, f->owner, 0, f->now, &after, &err), err);
    assert_true(after.this_update <= f->now && after.number > before.number);
}

/* ---- sessions ---- */

static bool is_known(struct fixture *f, const char *secret)
{
    struct actor actor;
    struct err err;
    if (fleet_token_actor(f->fleet, f->owner, secret, f->now, &actor, &err))
        return true;
    assert_int_equal(err.kind, ERR_UNAUTHENTICATED);
    return false;
}

static char *session_of(struct fixture *f, const char *name)
{
    struct actor system = fleet_system_actor(f->now), someone = fixture_public(f);
    struct session session;
    char *password;
    struct err err;
    assert_works(
        fleet_account_reset(f->fleet, &system, f->owner, name, "administrator", &password, &err),
        err);
    struct sign_in wish = {.name = name,
                           .password = password,
                           .new_password = "a long password of the test",
                           .peer = "192.0.2.7"};
    assert_works(fleet_sign_in(f->fleet, &someone, f->owner, &wish, &session, &err), err);
    return session.secret;
}

static void sessions_end_by_the_clock_and_come_to_life_by_none(void **state)
{
    struct fixture *f = *state;
    const char *first = session_of(f, "anna");
    jump(f, -HOUR);
    assert_true(is_known(f, first));
    const char *second = session_of(f, "bert");
    assert_true(is_known(f, second));
    f->now += f->settings.session_seconds - 1; /* it was not made longer */
    assert_true(is_known(f, second));
    f->now++;
    assert_false(is_known(f, second));
    jump(f, DAY);
    assert_false(is_known(f, first));
    assert_true(is_known(f, session_of(f, "carl")));
}

/* ---- work ---- */

static size_t claimed(struct fixture *f)
{
    size_t count = 0;
    struct wake *wakes = fixture_claim(f, WAKE_CLAIM_MOST, &count);
    for (size_t i = 0; i < count; i++)
        fixture_settle(f, &wakes[i], WAKE_SENT, 0, NULL);
    return count;
}

static struct phone phone_idle(struct fixture *f, size_t key, const char *udid)
{
    struct phone phone = phone_enrolled(f, key, udid);
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    return phone;
}

static void devices_are_woken_after_a_jump(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(jumps); i++) {
        struct phone phone = phone_idle(f, i, i ? "A" : "B");
        struct command waiting = phone_order(f, &phone, COMMAND_RESTART);
        jump(f, jumps[i]);
        if (jumps[i] < 0) { /* due by the old clock: whatever comes now takes it along */
            assert_int_equal(claimed(f), 0);
            (void)phone_order(f, &phone, COMMAND_LOCK);
        }
        assert_int_equal(claimed(f), 1);
        assert_string_equal(fixture_command_state(f, waiting.id), "sent");
        assert_int_equal(phone_obey(f, &phone), jumps[i] < 0 ? 2 : 1);
        fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    }
}

static void work_that_was_taken_before_a_jump_is_taken_again_after_a_start(void **state)
{
    struct fixture *f = *state;
    struct job job;
    struct err err;
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    assert_works(fleet_job_schedule(f->fleet, "plan", "all", f->now, &err), err);
    assert_works(fleet_job_claim(f->fleet, f->owner, "plan", f->now, &job, &err), err);
    assert_non_null(job.kind);
    jump(f, -HOUR);
    assert_works(fleet_jobs_release(f->fleet, &err), err);
    assert_works(fleet_job_schedule(f->fleet, "plan", "all", f->now, &err), err);
    assert_works(fleet_job_claim(f->fleet, f->owner, "plan", f->now, &job, &err), err);
    assert_non_null(job.kind);
    jump(f, DAY); /* the lease has ended */
    assert_works(fleet_job_claim(f->fleet, f->owner, "plan", f->now, &job, &err), err);
    assert_non_null(job.kind);
}

static void an_identity_is_renewed_once_whatever_the_clock_does(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    renewal_until_due(f, &old);
    struct command renewal = phone_fetch_renewal(f, &old);
    jump(f, -HOUR);
    assert_int_equal(renewals_look(f), 0);
    jump(f, HOUR);
    assert_int_equal(renewals_look(f), 0);
    jump(f, DAY);
    (void)renewals_look(f); /* still open: it waits for the device, there is no second one */
    assert_string_equal(phone_fetch_renewal(f, &old).id, renewal.id);
    struct phone new = phone_certified_again(f, &old, 1);
    jump(f, -HOUR); /* between the certificate and its first use */
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "token");
    phone_speaks(f, &new);
    phone_is_good(f, &new, true);
    phone_is_good(f, &old, false);
    assert_int_equal(phone_answer(f, &new, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
    jump(f, DAY);
    assert_int_equal(renewals_look(f), 0);
    assert_null(phone_fetch(f, &new).id);
}

FLEET_MAIN(FLEET_TEST(certificates_are_issued_across_a_jump),
           FLEET_TEST(what_was_reserved_before_the_clock_was_put_back_is_signed_after_it),
           FLEET_TEST(what_is_revoked_stays_so),
           FLEET_TEST(revocation_lists_hold_now_and_their_numbers_only_grow),
           FLEET_TEST(sessions_end_by_the_clock_and_come_to_life_by_none),
           FLEET_TEST(devices_are_woken_after_a_jump),
           FLEET_TEST(work_that_was_taken_before_a_jump_is_taken_again_after_a_start),
           FLEET_TEST(an_identity_is_renewed_once_whatever_the_clock_does))
