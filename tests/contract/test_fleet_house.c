/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked, limited and kept going beside the devices: the audit, sign-in, jobs, lists. */
#include "tests/contract/fleet_fixture.h"

#include "fleet/account.h"
#include "fleet/audit.h"
#include "fleet/authority.h"
#include "fleet/certificate.h"
#include "fleet/job.h"
#include "fleet/upkeep.h"

/* ---- the audit ---- */

static void audit_grow(struct fixture *f, const char *names, int count)
{
    struct err err;
    bool more = true;
    for (int i = 0; i < count; i++)
        (void)fixture_policy(f, mem_format(f->owner, "%s %d", names, i), "configuration", "{}");
    while (more)
        assert_works(fleet_number(f->fleet, f->now, &more, &err), err);
}

static struct audit_verdict audit_verdict_of(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    const struct audit_range whole = {.most = AUDIT_WALK_MOST};
    struct audit_verdict verdict = {0};
    struct err err;
    assert_works(fleet_audit_verify(f->fleet, &admin, f->owner, &whole, &verdict, &err), err);
    return verdict;
}

static void an_audit_without_its_end_is_not_intact(void **state)
{
    struct fixture *f = *state;
    struct err err;
    audit_grow(f, "First", 5);
    assert_works(fleet_audit_sign(f->fleet, f->now, &err), err);
    assert_true(audit_verdict_of(f).is_intact);
    fixture_write(f, &SQL_TAMPER_HEADS_DELETE, NO_ARGS);
    assert_false(audit_verdict_of(f).is_intact);
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(3)));
    struct audit_verdict verdict = audit_verdict_of(f);
    assert_false(verdict.is_intact);
    assert_non_null(strstr(verdict.problem, "were signed and are missing"));
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(0)));
    assert_false(audit_verdict_of(f).is_intact);
}

static void an_audit_that_grew_again_behind_a_cut_is_not_signed(void **state)
{
    struct fixture *f = *state;
    struct err err;
    audit_grow(f, "First", 3);
    assert_works(fleet_audit_sign(f->fleet, f->now, &err), err);
    fixture_write(f, &SQL_TAMPER_HEADS_DELETE, NO_ARGS);
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(2)));
    audit_grow(f, "Second", 4);
    assert_fails(fleet_audit_sign(f->fleet, f->now, &err), err, ERR_CONFLICT);
    assert_false(audit_verdict_of(f).is_intact);
}

static void a_database_refuses_keys_of_another_authority(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_works(fleet_authority_check(f->fleet, f->now, &err),
                 err); /* a new one takes what is there */
    assert_works(fleet_authority_check(f->fleet, f->now, &err), err);
    fixture_write(f, &SQL_TAMPER_AUTHORITY, NO_ARGS);
    assert_fails(fleet_authority_check(f->fleet, f->now, &err), err, ERR_PRECONDITION);
    assert_non_null(strstr(err.text, "00ff"));
    assert_non_null(err.remedy);
}

/* ---- signing in ---- */

#define PASSWORD "correct horse battery"

static struct session account_new(struct fixture *f, const char *name)
{
    struct actor system = fleet_system_actor(f->now);
    struct session session;
    struct err err;
    char *once;
    assert_works(fleet_account_reset(f->fleet, &system, f->owner, name, NULL, &once, &err), err);
    struct actor nobody = fixture_public(f);
    struct sign_in first = {name, once, PASSWORD, "198.51.100.1"};
    assert_works(fleet_sign_in(f->fleet, &nobody, f->owner, &first, &session, &err), err);
    return session;
}

static bool sign_in_as(struct fixture *f, const char *name, const char *password, const char *peer,
                       struct err *err)
{
    struct actor nobody = fixture_public(f);
    struct session session;
    struct sign_in sign_in = {name, password, NULL, peer};
    return fleet_sign_in(f->fleet, &nobody, f->owner, &sign_in, &session, err);
}

static void wrong_passwords_lock_their_address_and_not_the_account(void **state)
{
    struct fixture *f = *state;
    struct err err;
    (void)account_new(f, "anna");
    for (int i = 0; i < 5; i++)
        assert_fails(sign_in_as(f, "anna", "wrong wrong wrong", "203.0.113.9", &err), err,
                     ERR_UNAUTHENTICATED);
    assert_fails(sign_in_as(f, "anna", PASSWORD, "203.0.113.9", &err), err, ERR_TOO_MANY);
    assert_works(sign_in_as(f, "anna", PASSWORD, "203.0.113.10", &err), err);
    f->now += 60; /* one is forgiven */
    assert_works(sign_in_as(f, "anna", PASSWORD, "203.0.113.9", &err), err);
    assert_fails(sign_in_as(f, "anna", "wrong wrong wrong", "203.0.113.9", &err), err,
                 ERR_UNAUTHENTICATED);
    assert_fails(sign_in_as(f, "anna", PASSWORD, "203.0.113.9", &err), err, ERR_TOO_MANY);
}

static void addresses_of_one_ipv6_network_share_their_attempts(void **state)
{
    struct fixture *f = *state;
    struct err err;
    (void)account_new(f, "anna");
    for (int i = 0; i < 5; i++)
        assert_fails(sign_in_as(f, "anna", "wrong wrong wrong",
                                mem_format(f->owner, "2001:db8:1:2::%d", i + 1), &err),
                     err, ERR_UNAUTHENTICATED);
    assert_fails(sign_in_as(f, "anna", PASSWORD, "2001:db8:1:2:ffff::1", &err), err, ERR_TOO_MANY);
    assert_works(sign_in_as(f, "anna", PASSWORD, "2001:db8:1:3::1", &err), err);
}

static void a_password_reset_ends_api_tokens_too(void **state)
{
    struct fixture *f = *state;
    struct actor system = fleet_system_actor(f->now), who;
    struct session session = account_new(f, "anna"), made;
    struct err err;
    char *once;
    assert_works(fleet_token_actor(f->fleet, f->owner, session.secret, f->now, &who, &err), err);
    struct token wish = {.name = mem_text(f->owner, "ci"), .role = ROLE_ADMINISTRATOR};
    assert_works(fleet_token_create(f->fleet, &who, f->owner, &wish, &made, &err), err);
    assert_works(fleet_token_actor(f->fleet, f->owner, made.secret, f->now, &who, &err), err);
    assert_works(fleet_account_reset(f->fleet, &system, f->owner, "anna", NULL, &once, &err), err);
    assert_fails(fleet_token_actor(f->fleet, f->owner, made.secret, f->now, &who, &err), err,
                 ERR_UNAUTHENTICATED);
    assert_fails(fleet_token_actor(f->fleet, f->owner, session.secret, f->now, &who, &err), err,
                 ERR_UNAUTHENTICATED);
}

/* ---- jobs ---- */

static struct job job_claimed(struct fixture *f, const char *kind)
{
    struct job job = {0};
    struct err err;
    assert_works(fleet_job_claim(f->fleet, f->owner, kind, f->now, &job, &err), err);
    return job;
}

static void a_lease_of_a_server_that_died_ends_at_the_next_start(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_works(fleet_job_schedule(f->fleet, "trial", "x", f->now, &err), err);
    assert_non_null(job_claimed(f, "trial").kind);
    assert_null(job_claimed(f, "trial").kind);
    assert_works(fleet_jobs_release(f->fleet, &err), err);
    assert_non_null(job_claimed(f, "trial").kind);
}

static void a_job_that_did_its_part_starts_its_tries_anew(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_works(fleet_job_schedule(f->fleet, "trial", "x", f->now, &err), err);
    struct job job = job_claimed(f, "trial");
    assert_works(fleet_job_retry(f->fleet, &job, f->now, "it failed", &err), err);
    job = job_claimed(f, "trial");
    assert_int_equal(job.tries, 2);
    assert_works(fleet_job_retry(f->fleet, &job, f->now, NULL, &err), err);
    assert_int_equal(job_claimed(f, "trial").tries, 1);
}

/* ---- one bad device ---- */

static void heard_of(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct err err;
    fleet_contact(f->fleet, &identity, f->now);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
}

static void a_device_that_cannot_be_weighed_does_not_stop_the_others(void **state)
{
    struct fixture *f = *state;
    struct err err;
    size_t count = 0;
    struct phone bad = phone_enrolled(f, 0, "U-1"), good = phone_enrolled(f, 1, "U-2");
    struct policy policy = fixture_policy(f, "Rules", "compliance", "{\"contact.max_days\": 5}");
    heard_of(f, &bad);
    heard_of(f, &good);
    (void)fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    fixture_write(f, &SQL_TAMPER_RESULTS, ARGS(TEXT(bad.device_id), TEXT("[broken")));
    f->now += 6 * 86400;
    assert_works(fleet_evaluate_due(f->fleet, f->now, 100, &count, &err), err);
    assert_string_equal(fixture_compliance(f, good.device_id), "non_compliant");
    assert_int_equal(fixture_events(f, "device.unresolved"), 1);
    assert_works(fleet_evaluate_due(f->fleet, f->now, 100, &count, &err), err);
    assert_int_equal(count, 0); /* not again at once */
    assert_works(fleet_resolve(f->fleet, "all", f->now, &err), err);
    assert_int_equal(fixture_events(f, "device.unresolved"), 1);
    f->now += 3600;
    struct job job = job_claimed(f, "resolve");
    assert_string_equal(job.subject, mem_format(f->owner, "device:%s", bad.device_id));
}

static void a_setting_of_a_newer_program_is_skipped(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "U-1");
    struct policy policy =
        fixture_policy(f, "Codes", "configuration", "{\"password.min_length\": 8}");
    fixture_write(
        f, &SQL_TAMPER_SETTINGS,
        ARGS(TEXT(policy.id), TEXT("{\"future.thing\": {\"a\": 1}, \"password.min_length\": 8}")));
    (void)fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    assert_string_equal(fixture_value(f, phone.device_id, "password.min_length"), "8");
}

static void a_grace_period_without_a_rule_is_no_policy(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy, wish = {.name = mem_text(f->owner, "Empty"),
                                  .kind = mem_text(f->owner, "compliance"),
                                  .settings = mem_text(f->owner, "{\"grace.days\": 3}")};
    struct err err;
    assert_fails(fleet_policy_create(f->fleet, &admin, f->owner, &wish, &policy, &err), err,
                 ERR_BAD_INPUT);
}

/* ---- contacts ---- */

static void contacts_survive_a_database_that_is_away(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct phone phone = phone_enrolled(f, 0, "U-1");
    struct identity identity = phone_identity(f, &phone);
    f->now += 1000;
    fixture_write(f, &SQL_TAMPER_ENROLMENT_HIDE, NO_ARGS);
    fleet_contact(f->fleet, &identity, f->now);
    assert_false(fleet_contacts_flush(f->fleet, &err));
    fixture_write(f, &SQL_TAMPER_ENROLMENT_SHOW, NO_ARGS);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(phone.enrolment_id)));
    assert_int_equal(rows_integer(rows, 0, "last_contact_at"), f->now);
}

/* ---- the revocation list ---- */

static void list_racer(struct fleet *fleet, void *context)
{
    struct err err;
    int64_t *now = context;
    if (!fleet_revocation_list_make(fleet, *now, &err))
        *now = 0;
}

static void lists_made_at_once_all_hold_what_was_revoked(void **state)
{
    struct fixture *f = *state;
    int64_t nows[2] = {f->now, f->now};
    fixture_race(f, list_racer, nows, sizeof(nows[0]), 2);
    assert_true(nows[0] && nows[1]);
    struct revocation_list list = {0};
    struct err err;
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &list, &err), err);
    assert_int_equal(list.number, f->now + 1); /* nobody relied on another's list */
}

FLEET_MAIN(FLEET_TEST(an_audit_without_its_end_is_not_intact),
           FLEET_TEST(an_audit_that_grew_again_behind_a_cut_is_not_signed),
           FLEET_TEST(a_database_refuses_keys_of_another_authority),
           FLEET_TEST(wrong_passwords_lock_their_address_and_not_the_account),
           FLEET_TEST(addresses_of_one_ipv6_network_share_their_attempts),
           FLEET_TEST(a_password_reset_ends_api_tokens_too),
           FLEET_TEST(a_lease_of_a_server_that_died_ends_at_the_next_start),
           FLEET_TEST(a_job_that_did_its_part_starts_its_tries_anew),
           FLEET_TEST(a_device_that_cannot_be_weighed_does_not_stop_the_others),
           FLEET_TEST(a_setting_of_a_newer_program_is_skipped),
           FLEET_TEST(a_grace_period_without_a_rule_is_no_policy),
           FLEET_TEST(contacts_survive_a_database_that_is_away),
           FLEET_TEST(lists_made_at_once_all_hold_what_was_revoked))
