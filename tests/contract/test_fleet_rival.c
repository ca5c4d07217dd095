/* SPDX-License-Identifier: Apache-2.0 */
/* Two identities of one enrolment: which one counts, what a failed renewal leaves, what a restored
 * backup does not know, and what the revocation list says of them. */
#include "base/text.h"
#include "fleet/adopt.h"
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "pki/keyd.h"
#include "store/store.h"
#include "tests/contract/renewal.h"

/* ---- what can fail ---- */

static void a_device_that_refuses_keeps_what_it_had(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct command renewal = phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    struct enrolment_start unused = renewal_start(f, &old);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_FAILED), RESULT_TAKEN);
    phone_is_good(f, &old, true);
    phone_is_good(f, &new, false);
    struct certificate_asked asked = fixture_asked(f, &unused, 2);
    assert_true(fixture_issue(f, &asked).is_refused);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 1);
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    (void)phone_ask_renewal(f, &old);
}

/* Our answer to TokenUpdate was lost: the device has put its old profile back. */
static void a_device_that_goes_on_as_before_is_not_locked_out(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct wake target;
    (void)phone_ask_renewal(f, &old);
    f->now += 60;
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "another token");
    f->now += 60;
    phone_speaks(f, &old);
    phone_is_good(f, &new, true);              /* not yet: one message decides nothing */
    assert_true(phone_wake(f, &old, &target)); /* called at both addresses meanwhile */
    assert_true(bytes_equal(target.token, bytes_text("another token")));
    assert_true(bytes_equal(target.token_before, bytes_text("token")));
    f->now += PUT_BACK_SECONDS;
    phone_speaks(f, &old);
    phone_is_good(f, &old, true);
    phone_is_good(f, &new, false);
    assert_int_equal(fixture_events(f, "identity.put_back"), 1);
    assert_true(phone_wake(f, &old, &target));
    assert_true(bytes_equal(target.token, bytes_text("token")));
    (void)phone_fetch_renewal(f, &old); /* it is still open */
    struct phone again = phone_certified_again(f, &old, 2);
    phone_authenticate(f, &again);
    (void)phone_activate_at(f, &again, "a third token");
    phone_speaks(f, &again);
    phone_is_good(f, &old, false);
    phone_is_good(f, &again, true);
}

/* The connection was open before: the answer to the command still comes with the old one. */
static void one_message_with_the_old_identity_locks_nobody_out(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct err err;
    struct wake target;
    f->now += 60;
    struct command renewal = phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "another token");
    struct identity late = phone_identity(f, &old);
    f->now += 1;
    fleet_contact(f->fleet, &late, f->now);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    uint64_t before = database_transactions(f->contract->database);
    phone_speaks(f, &old);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    phone_is_good(f, &old, true);
    phone_is_good(f, &new, true);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 0);
    (void)phone_ask_renewal(f, &old);          /* something to wake it for */
    assert_true(phone_wake(f, &new, &target)); /* it may have put the old address back */
    assert_true(bytes_equal(target.token_before, bytes_text("token")));
    f->now += 30 * DAY;
    phone_speaks(f, &new);
    phone_is_good(f, &new, true);
    phone_is_good(f, &old, false);
    assert_int_equal(fixture_events(f, "identity.put_back"), 0);
}

static void an_identity_whose_successor_was_shown_is_not_renewed(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    renewal_until_due(f, &old);
    struct command renewal = phone_fetch_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    f->now += DAY;
    assert_int_equal(renewals_look(f), 0);
    phone_speaks(f, &old); /* put back: now it is */
    assert_int_equal(renewals_look(f), 1);
}

/* The profile was refused after Authenticate: the address is the one that it was. */
static void an_identity_that_was_only_shown_moves_no_address(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct wake target;
    f->now += 60;
    (void)phone_activate_at(f, &old, "a newer token");
    f->now += 60;
    (void)phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    f->now += PUT_BACK_SECONDS;
    phone_speaks(f, &old);
    phone_is_good(f, &new, false);
    assert_true(phone_wake(f, &old, &target));
    assert_true(bytes_equal(target.token, bytes_text("a newer token")));
}

static void a_yes_without_a_new_identity_is_no_renewal(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    f->now += 60;
    struct command renewal = phone_ask_renewal(f, &phone);
    assert_int_equal(phone_answer(f, &phone, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    phone_is_good(f, &phone, true);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 1);
}

static void a_device_blocked_in_its_renewal_is_let_in_by_either(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone old = phone_enrolled(f, 0, "A");
    struct err err;
    (void)phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_works(fleet_device_block(f->fleet, &admin, old.device_id, &err), err);
    assert_int_equal(phone_identity(f, &new).certificate_state, CERTIFICATE_HELD);
    assert_int_equal(phone_identity(f, &old).certificate_state, CERTIFICATE_HELD);
    assert_works(fleet_device_unblock(f->fleet, &admin, old.device_id, &err), err);
    (void)phone_activate_at(f, &new, "token");
    phone_speaks(f, &new);
    phone_is_good(f, &old, false);
    phone_is_good(f, &new, true);
}

enum ending { RETIRED, WIPED, CHECKED_OUT, BLOCKED, SUPERSEDED, ENDINGS };

static void end_by(struct fixture *f, const struct phone *phone, enum ending ending)
{
    struct actor admin = fixture_admin(f);
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    switch (ending) {
    case RETIRED: (void)phone_order(f, phone, COMMAND_RETIRE); break;
    case WIPED: (void)phone_order(f, phone, COMMAND_WIPE); break;
    case CHECKED_OUT: assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err); break;
    case BLOCKED:
        assert_works(fleet_device_block(f->fleet, &admin, phone->device_id, &err), err);
        break;
    case SUPERSEDED: (void)phone_enrolled(f, 2 * ENDINGS, phone->udid); break;
    case ENDINGS: bug("no ending");
    }
}

/* proves-partly: 4c-18, 4g-12 */
static void who_leaves_loses_both_and_every_challenge(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ENDINGS; i++) {
        struct phone old = phone_enrolled(f, 2 * i, mem_format(f->owner, "%zu", i));
        (void)phone_ask_renewal(f, &old);
        struct phone new = phone_certified_again(f, &old, 2 * i + 1);
        phone_authenticate(f, &new);
        struct enrolment_start unused = renewal_start(f, &old);
        struct rows *before = fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(old.enrolment_id)));
        end_by(f, &old, (enum ending)i);
        enum certificate_state wanted = i == BLOCKED ? CERTIFICATE_HELD : CERTIFICATE_REVOKED;
        assert_int_equal(phone_identity(f, &old).certificate_state, wanted);
        assert_int_equal(phone_identity(f, &new).certificate_state, wanted);
        struct rows *rows = fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(old.enrolment_id)));
        assert_int_equal(rows->count, before->count);
        size_t cancelled = 0;
        for (size_t j = 0; j < rows->count; j++) {
            bool was_open = strcmp(rows_text(before, j, "state"), "delivered") == 0;
            assert_string_equal(rows_text(rows, j, "state"), was_open ? "cancelled" : "used");
            cancelled += was_open;
        }
        assert_int_equal(cancelled, 1);
        struct certificate_asked asked = fixture_asked(f, &unused, 2 * i + 1);
        assert_true(fixture_issue(f, &asked).is_refused);
        phone_speaks(f, &new); /* decides nothing any more */
        assert_int_equal(phone_identity(f, &new).certificate_state, wanted);
    }
}

/* ---- the database is older than the certificate ---- */

/* As a restored backup does; was it taken nevertheless? */
static bool adopted(struct fixture *f, const struct phone *phone)
{
    struct actor actor = {.kind = ACTOR_PUBLIC, .id = "public", .name = "peer", .now = f->now};
    struct certificate certificate;
    bool taken = false;
    struct err err;
    assert_works(certificate_parse(f->owner, phone->der, &certificate, &err), err);
    fixture_write(f, &SQL_FORGET_CERTIFICATE, ARGS(TEXT(certificate.serial)));
    assert_works(fleet_certificate_adopt(f->fleet, &actor, &certificate, &taken, &err), err);
    if (!taken)
        return false;
    bool again = true;
    assert_works(fleet_certificate_adopt(f->fleet, &actor, &certificate, &again, &err), err);
    assert_false(again); /* it is known now */
    return true;
}

static void a_device_that_renewed_after_the_backup_goes_on(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct command renewal = phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_true(adopted(f, &new));
    phone_is_good(f, &new, true);
    assert_string_equal(phone_identity(f, &new).enrolment_id, old.enrolment_id);
    phone_speaks(f, &new);
    phone_is_good(f, &new, true);
    phone_is_good(f, &old, false);
    (void)phone_fetch_renewal(f, &new); /* so that it tells its push address */
    assert_int_equal(fixture_events(f, "identity.adopted"), 1);
    struct rows *rows = fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("certificate.adopt")));
    assert_int_equal(rows_integer(rows, 0, "count"), 1);
}

static void nothing_else_that_is_unknown_is_taken(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone old = phone_enrolled(f, 0, "A"), blocked = phone_enrolled(f, 3, "B");
    struct phone pending = phone_certified(f, 4, "C");
    struct err err;
    (void)phone_ask_renewal(f, &old);
    f->now += DAY;
    struct phone new = phone_certified_again(f, &old, 1);
    assert_false(adopted(f, &old)); /* something newer is known: it was forgotten for a reason */
    assert_works(fleet_device_block(f->fleet, &admin, blocked.device_id, &err), err);
    assert_false(adopted(f, &blocked));
    assert_false(adopted(f, &pending));
    phone_is_good(f, &new, true);
    assert_int_equal(fixture_events(f, "identity.adopted"), 0);
}

/* ---- the revocation list ---- */

static int64_t listed(struct fixture *f)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct revocation_list about;
    struct err err;
    assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
    assert_works(fleet_revocation_list_about(f->fleet, &auditor, f->owner, &about, &err), err);
    return about.entries;
}

static void renewals_do_not_fill_the_revocation_list(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct certificate_status status;
    struct err err;
    int64_t before = listed(f);
    struct command renewal = phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "token");
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    phone_speaks(f, &new);
    assert_int_equal(phone_answer(f, &new, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("revocation_list")))->count, 0);
    assert_int_equal(listed(f), before);
    const char *serial = rows_text(phone_certificates(f, &old), 0, "serial");
    assert_works(fleet_certificate_status(f->fleet, serial, &status, &err), err);
    assert_true(status.is_revoked);
    (void)phone_enrolled(f, 2, "A");
    assert_int_equal(listed(f), before + 2); /* the device has another enrolment: none stands */
}

static void a_full_revocation_list_lacks_what_matters_least(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct phone blocked = phone_enrolled(f, 1, "B");
    struct revocation_list list;
    struct err err;
    fixture_write(f, &SQL_FLOOD_REVOKED,
                  ARGS(INTEGER(KEYD_CRL_ENTRIES_MAX), TEXT(phone.enrolment_id),
                       INTEGER(f->now + DAY), INTEGER(f->now + LIFE),
                       BYTES(((struct bytes){phone.sha256, 32}))));
    assert_works(fleet_device_block(f->fleet, &admin, blocked.device_id, &err), err);
    assert_int_equal(listed(f), KEYD_CRL_ENTRIES_MAX);
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &list, &err), err);
    struct bytes held;
    assert_works(
        text_unhex(f->owner, rows_text(phone_certificates(f, &blocked), 0, "serial"), &held, &err),
        err);
    assert_non_null(memmem(list.der.data, list.der.size, held.data, held.size));
}

FLEET_MAIN(FLEET_TEST(renewals_do_not_fill_the_revocation_list),
           FLEET_TEST(a_full_revocation_list_lacks_what_matters_least),
           FLEET_TEST(a_device_that_refuses_keeps_what_it_had),
           FLEET_TEST(a_device_that_goes_on_as_before_is_not_locked_out),
           FLEET_TEST(one_message_with_the_old_identity_locks_nobody_out),
           FLEET_TEST(an_identity_whose_successor_was_shown_is_not_renewed),
           FLEET_TEST(an_identity_that_was_only_shown_moves_no_address),
           FLEET_TEST(a_yes_without_a_new_identity_is_no_renewal),
           FLEET_TEST(a_device_blocked_in_its_renewal_is_let_in_by_either),
           FLEET_TEST(who_leaves_loses_both_and_every_challenge),
           FLEET_TEST(a_device_that_renewed_after_the_backup_goes_on),
           FLEET_TEST(nothing_else_that_is_unknown_is_taken))
