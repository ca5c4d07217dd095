/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap tokens: kept for one enrolment, given back to it alone, gone with it. */
#include "fleet/block.h"
#include "fleet/bootstrap.h"
#include "fleet/device.h"
#include "pki/keyd.h"
#include "tests/contract/fleet_fixture.h"

#define TOKEN "open this volume"

static bool keep(struct fixture *f, const struct phone *phone, const char *token, struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "test", f->now);
    return fleet_bootstrap_keep(f->fleet, &actor, &identity, bytes_text(token), err);
}

static struct bytes give(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "test", f->now);
    struct bytes token;
    struct err err;
    assert_works(fleet_bootstrap_give(f->fleet, &actor, f->owner, &identity, &token, &err), err);
    return token;
}

static int64_t audits(struct fixture *f, const char *action)
{
    return rows_integer(fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT(action))), 0, "count");
}

static struct device device_of(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, phone->device_id, &device, &err),
                 err);
    return device;
}

static struct bytes sealed(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_ESCROW, ARGS(TEXT(phone->device_id)));
    assert_true(rows->count <= 1);
    return rows->count ? rows_value(rows, 0, "sealed")->bytes : NO_BYTES;
}

static void what_a_mac_left_comes_back_to_it(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct phone other = phone_enrolled(f, 1, "B");
    struct err err;
    assert_int_equal(give(f, &phone).size, 0);
    assert_int_equal(device_of(f, &phone).bootstrap_token_at, 0);
    assert_works(keep(f, &phone, TOKEN, &err), err);
    assert_true(bytes_equal(give(f, &phone), bytes_text(TOKEN)));
    assert_int_equal(give(f, &other).size, 0);
    assert_int_equal(device_of(f, &phone).bootstrap_token_at, f->now);
    assert_int_equal(device_of(f, &other).bootstrap_token_at, 0);
    f->now += 60;
    assert_works(keep(f, &phone, "another", &err), err);
    assert_true(bytes_equal(give(f, &phone), bytes_text("another")));
    assert_int_equal(device_of(f, &phone).bootstrap_token_at, f->now);
    assert_works(keep(f, &phone, "", &err), err);
    assert_int_equal(give(f, &phone).size, 0);
    assert_int_equal(device_of(f, &phone).bootstrap_token_at, 0);
    assert_int_equal(audits(f, "bootstrap_token.keep"), 2);
    assert_int_equal(audits(f, "bootstrap_token.remove"), 1);
    assert_int_equal(audits(f, "bootstrap_token.give"), 2);
}

static void it_lies_sealed_in_the_database(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    assert_works(keep(f, &phone, TOKEN, &err), err);
    struct bytes kept = sealed(f, &phone);
    assert_true(kept.size > strlen(TOKEN));
    assert_null(memmem(kept.data, kept.size, TOKEN, strlen(TOKEN)));
}

/* Audited first: a token that could not be opened is one that was asked for. */
static void without_the_key_process_nothing_is_kept_or_given(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "test", f->now);
    struct fleet lame = fixture_without_keyd(f);
    struct bytes token;
    struct err err;
    assert_works(keep(f, &phone, TOKEN, &err), err);
    assert_fails(fleet_bootstrap_keep(&lame, &actor, &identity, bytes_text("x"), &err), err,
                 ERR_UNAVAILABLE);
    assert_fails(fleet_bootstrap_give(&lame, &actor, f->owner, &identity, &token, &err), err,
                 ERR_UNAVAILABLE);
    assert_int_equal(audits(f, "bootstrap_token.give"), 1);
    assert_true(bytes_equal(give(f, &phone), bytes_text(TOKEN)));
}

static void a_device_that_is_not_there_yet_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    assert_fails(keep(f, &phone, TOKEN, &err), err, ERR_FORBIDDEN);
    phone_authenticate(f, &phone);
    assert_fails(keep(f, &phone, TOKEN, &err), err, ERR_FORBIDDEN);
    assert_int_equal(sealed(f, &phone).size, 0);
    assert_true(phone_activate(f, &phone));
    assert_works(keep(f, &phone, TOKEN, &err), err);
}

static void a_new_enrolment_is_not_given_what_the_old_one_left(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct identity before = phone_identity(f, &old);
    struct actor actor = fleet_device_actor(&before, "test", f->now);
    struct err err;
    assert_works(keep(f, &old, TOKEN, &err), err);
    struct phone next = phone_certified(f, 1, "A");
    phone_authenticate(f, &next);
    assert_int_equal(give(f, &next).size, 0); /* not while it is pending */
    assert_true(bytes_equal(give(f, &old), bytes_text(TOKEN)));
    assert_true(phone_activate(f, &next));
    assert_int_equal(give(f, &next).size, 0);
    assert_int_equal(sealed(f, &next).size, 0); /* it ended with its enrolment */
    assert_int_equal(device_of(f, &next).bootstrap_token_at, 0);
    /* what the old one still says was admitted before it ended */
    assert_fails(fleet_bootstrap_keep(f->fleet, &actor, &before, bytes_text("late"), &err), err,
                 ERR_FORBIDDEN);
    assert_works(keep(f, &next, "of the new one", &err), err);
    assert_fails(fleet_bootstrap_keep(f->fleet, &actor, &before, NO_BYTES, &err), err,
                 ERR_FORBIDDEN);
    assert_true(bytes_equal(give(f, &next), bytes_text("of the new one")));
}

static void it_ends_with_its_enrolment(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    assert_works(keep(f, &phone, TOKEN, &err), err);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "test", f->now);
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    assert_int_equal(sealed(f, &phone).size, 0);
}

/* An erasure that may not have happened: the device may turn up with everything on it. */
static void a_blocked_device_and_one_that_is_erased_keep_it(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct err err;
    admin.reason = "reported as lost";
    assert_works(keep(f, &phone, TOKEN, &err), err);
    assert_works(fleet_device_block(f->fleet, &admin, phone.device_id, &err), err);
    assert_works(keep(f, &phone, "rotated", &err), err);
    assert_works(fleet_device_unblock(f->fleet, &admin, phone.device_id, &err), err);
    (void)phone_order(f, &phone, COMMAND_WIPE);
    assert_true(bytes_equal(give(f, &phone), bytes_text("rotated")));
}

FLEET_MAIN(FLEET_TEST(what_a_mac_left_comes_back_to_it), FLEET_TEST(it_lies_sealed_in_the_database),
           FLEET_TEST(without_the_key_process_nothing_is_kept_or_given),
           FLEET_TEST(a_device_that_is_not_there_yet_leaves_nothing),
           FLEET_TEST(a_new_enrolment_is_not_given_what_the_old_one_left),
           FLEET_TEST(it_ends_with_its_enrolment),
           FLEET_TEST(a_blocked_device_and_one_that_is_erased_keep_it))
