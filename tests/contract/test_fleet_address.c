/* SPDX-License-Identifier: Apache-2.0 */
/* Push addresses: the newest counts, the one before helps out when that was an old one sent again.
 */
#include "base/text.h"
#include "tests/contract/fleet_fixture.h"

static void tell(struct fixture *f, const struct phone *phone, const char *token, const char *magic)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {.topic = phone->topic,
                                   .token = token ? bytes_text(token) : NO_BYTES,
                                   .magic = bytes_text(magic)};
    bool first;
    struct err err;
    f->now += 10;
    actor.now = f->now;
    assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
    assert_false(first);
}

static void call(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct err err;
    f->now += 10;
    fleet_contact(f->fleet, &identity, f->now);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
}

static struct wake target_of(struct fixture *f, const struct phone *phone)
{
    struct wake target;
    assert_true(phone_wake(f, phone, &target));
    return target;
}

static void is_address(struct bytes token, struct bytes magic, const char *wanted_token,
                       const char *wanted_magic)
{
    assert_true(bytes_equal(token, wanted_token ? bytes_text(wanted_token) : NO_BYTES));
    assert_true(bytes_equal(magic, wanted_magic ? bytes_text(wanted_magic) : NO_BYTES));
}

static void die(struct fixture *f, const struct phone *phone)
{
    f->now += 10;
    assert_true(phone_push(f, phone, WAKE_DEAD, f->now));
}

/* Reachable at "token", "magic", with something to fetch. */
static struct phone waiting_phone(struct fixture *f)
{
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_LOCK);
    return phone;
}

static void a_device_that_is_silent_since_its_new_address_is_called_at_both(void **state)
{
    struct fixture *f = *state;
    struct phone phone = waiting_phone(f);
    call(f, &phone);
    is_address(target_of(f, &phone).token_before, target_of(f, &phone).magic_before, NULL, NULL);
    tell(f, &phone, "token", "replayed magic");
    struct wake target = target_of(f, &phone);
    is_address(target.token, target.magic, "token", "replayed magic");
    is_address(target.token_before, target.magic_before, "token", "magic");
    call(f, &phone); /* it heard us */
    target = target_of(f, &phone);
    is_address(target.token, target.magic, "token", "replayed magic");
    is_address(target.token_before, target.magic_before, NULL, NULL);
}

static void the_same_address_again_is_not_the_one_before(void **state)
{
    struct fixture *f = *state;
    struct phone phone = waiting_phone(f);
    tell(f, &phone, "token 2", "magic 2");
    tell(f, &phone, "token 2", "magic 2");
    tell(f, &phone, NULL, "magic 2");
    struct wake target = target_of(f, &phone);
    is_address(target.token_before, target.magic_before, "token", "magic");
}

static void a_dead_address_gives_way_to_the_one_before(void **state)
{
    struct fixture *f = *state;
    struct phone phone = waiting_phone(f);
    struct wake target;
    tell(f, &phone, "old token", "old magic");
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    die(f, &phone);
    target = target_of(f, &phone);
    is_address(target.token, target.magic, "token", "magic");
    assert_int_equal(fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("wake")))->count, 1);
    assert_int_equal(fixture_events(f, "push.put_back"), 1);
    assert_int_equal(fixture_events(f, "push.dead"), 0);
    die(f, &phone); /* and that was the last one */
    assert_false(phone_wake(f, &phone, NULL));
    assert_int_equal(fixture_events(f, "push.dead"), 1);
}

static void a_dead_address_is_not_kept_as_the_one_before(void **state)
{
    struct fixture *f = *state;
    struct phone phone = waiting_phone(f);
    die(f, &phone);
    tell(f, &phone, "token 2", "magic 2");
    is_address(target_of(f, &phone).token_before, target_of(f, &phone).magic_before, NULL, NULL);
}

static void the_one_before_is_forgotten_when_it_is_dead(void **state)
{
    struct fixture *f = *state;
    struct phone phone = waiting_phone(f);
    struct err err;
    tell(f, &phone, "token 2", "magic 2");
    assert_works(fleet_wake_forget_before(f->fleet, phone.enrolment_id, &err), err);
    struct wake target = target_of(f, &phone);
    is_address(target.token, target.magic, "token 2", "magic 2");
    is_address(target.token_before, target.magic_before, NULL, NULL);
}

FLEET_MAIN(FLEET_TEST(a_device_that_is_silent_since_its_new_address_is_called_at_both),
           FLEET_TEST(the_same_address_again_is_not_the_one_before),
           FLEET_TEST(a_dead_address_gives_way_to_the_one_before),
           FLEET_TEST(a_dead_address_is_not_kept_as_the_one_before),
           FLEET_TEST(the_one_before_is_forgotten_when_it_is_dead))
