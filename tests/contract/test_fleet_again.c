/* SPDX-License-Identifier: Apache-2.0 */
/* The same device again: by a new link, by a message sent twice, by one that comes out of nowhere.
 */
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "tests/contract/fleet_fixture.h"

static bool authenticate(struct fixture *f, const struct phone *phone, struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = phone_claims(phone);
    return fleet_authenticate(f->fleet, &actor, &identity, &claims, err);
}

static bool tell_address(struct fixture *f, const struct phone *phone, bool *first, struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {
        .topic = phone->topic, .token = bytes_text("token"), .magic = bytes_text("magic")};
    return fleet_activate(f->fleet, &actor, &identity, &address, first, err);
}

/* A removal that survived would unenrol the device once more, right after it came back. */
static void a_removal_that_waited_is_not_delivered_to_the_next_enrolment(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct phone new = phone_certified(f, 1, "A"); /* the link was made before */
    struct command removal = phone_order(f, &old, COMMAND_RETIRE);
    size_t commands = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(old.enrolment_id)))->count;
    phone_authenticate(f, &new);
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "retiring");
    assert_true(phone_activate(f, &new));
    assert_string_equal(fixture_command_state(f, removal.id), "cancelled");
    for (struct command c = phone_fetch(f, &new); c.id; c = phone_fetch(f, &new)) {
        assert_int_not_equal(c.kind, COMMAND_RETIRE);
        assert_int_equal(phone_answer(f, &new, c.id, ANSWER_DONE), RESULT_TAKEN);
    }
    assert_string_equal(fixture_enrolment_state(f, new.enrolment_id), "active");
    /* and the history is still there */
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(old.enrolment_id)))->count,
                     commands);
    assert_int_equal(fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(old.enrolment_id)))->count,
                     1);
}

static void a_renewal_that_waited_is_not_delivered_to_the_next_enrolment(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct command renewal = phone_order(f, &old, COMMAND_RENEW_IDENTITY);
    struct phone new = phone_enrolled(f, 1, "A");
    assert_string_equal(fixture_command_state(f, renewal.id), "cancelled");
    assert_null(phone_fetch(f, &new).id);
}

static void an_enrolment_that_is_never_completed_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    struct command lock = phone_order(f, &old, COMMAND_LOCK);
    assert_string_equal(phone_fetch(f, &old).id, lock.id);
    assert_int_equal(phone_identity(f, &old).certificate_state, CERTIFICATE_ISSUED);
    assert_int_equal(fixture_events(f, "device.reenrolled"), 0);
}

static void a_first_message_sent_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct err err;
    for (int i = 0; i < 2; i++)
        assert_works(authenticate(f, &phone, &err), err);
    assert_string_equal(fixture_command_state(f, lock.id), "queued");
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "active");
    assert_int_equal(fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id)))->count,
                     1);
}

/* The server fell between commit and answer: the device says it all again. */
static void what_was_taken_and_not_answered_is_taken_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    bool first = false;
    phone_authenticate(f, &phone);
    assert_works(tell_address(f, &phone, &first, &err), err);
    assert_true(first);
    size_t commands = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count;
    assert_works(tell_address(f, &phone, &first, &err), err);
    assert_false(first);
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count,
                     commands);
    struct command command = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_REPEATED);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_FAILED), RESULT_REPEATED);
    assert_string_equal(fixture_command_state(f, command.id), "applied");
    assert_int_equal(fixture_events(f, "command.failed"), 0);
}

/* Restored onto the same device, it tells its address without a first message. */
static void an_address_out_of_nowhere_counts_only_where_the_enrolment_goes_on(void **state)
{
    struct fixture *f = *state;
    struct phone active = phone_enrolled(f, 0, "A"), left = phone_enrolled(f, 1, "B");
    struct phone new = phone_certified(f, 2, "C");
    struct identity identity = phone_identity(f, &left);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    bool first = true;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    assert_works(tell_address(f, &active, &first, &err), err);
    assert_false(first);
    assert_fails(tell_address(f, &left, &first, &err), err, ERR_FORBIDDEN);
    assert_fails(tell_address(f, &new, &first, &err), err, ERR_FORBIDDEN);
    assert_string_equal(fixture_enrolment_state(f, left.enrolment_id), "checked_out");
    assert_string_equal(fixture_enrolment_state(f, new.enrolment_id), "pending");
}

static const char *fact_of(struct fixture *f, const struct phone *phone, const char *name)
{
    struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_fact_list(f->fleet, &admin, f->owner, phone->device_id, &list, &err), err);
    const struct fact *facts = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(facts[i].name, name) == 0)
            return facts[i].value;
    return NULL;
}

static struct phone phone_with_password(struct fixture *f)
{
    struct policy policy = fixture_policy(f, "Rules", "compliance", "{\"password.required\":true}");
    fixture_assign(f, policy.id, NULL);
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_work(f);
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    return phone;
}

/* Whoever claims the UDID of a device that left begins with nothing. */
static void what_was_known_of_the_enrolment_before_does_not_count(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_with_password(f);
    struct identity identity = phone_identity(f, &old);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    assert_string_equal(fact_of(f, &old, "password.present"), "true"); /* what was known last */
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, new.device_id), "not_evaluated");
    assert_true(phone_activate(f, &new));
    assert_string_equal(fixture_compliance(f, new.device_id), "unknown");
    assert_null(fact_of(f, &new, "password.present"));
    phone_report(f, &new, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, new.device_id), "compliant");
}

static void a_device_that_is_replaced_is_judged_anew(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_with_password(f);
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    /* until it is reachable the one before goes on, with what it reports */
    phone_report(f, &old, "password.compliant", "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, old.device_id), "compliant");
    assert_true(phone_activate(f, &new));
    assert_string_equal(fixture_compliance(f, new.device_id), "unknown");
    assert_null(fact_of(f, &new, "password.present"));
    assert_null(fact_of(f, &new, "password.compliant"));
    size_t kept = fixture_look(f, &SQL_LOOK_FACTS, ARGS(TEXT(old.enrolment_id)))->count;
    assert_true(kept > 0); /* as history */
}

static void what_the_device_says_when_it_enrols_counts(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "Rules", "compliance", "{\"os.minimum\":\"17.4\"}");
    fixture_assign(f, policy.id, NULL);
    struct phone phone = phone_certified(f, 0, "A");
    phone_authenticate(f, &phone);
    assert_true(phone_activate(f, &phone));
    assert_string_equal(fact_of(f, &phone, "os.version"), "17.5.1");
    assert_string_equal(fact_of(f, &phone, "device.product"), "iPhone15,2");
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
}

static void what_is_known_survives_what_is_said_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with_password(f);
    struct err err;
    bool first = true;
    assert_works(authenticate(f, &phone, &err), err);
    assert_works(tell_address(f, &phone, &first, &err), err);
    assert_false(first);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
}

/* The certificate of an attempt speaks for the attempt alone. */
static void who_gives_up_an_attempt_stays_managed_and_judged(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_with_password(f);
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    struct identity identity = phone_identity(f, &new);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    assert_string_equal(fixture_enrolment_state(f, new.enrolment_id), "checked_out");
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    assert_string_equal(fixture_compliance(f, old.device_id), "compliant");
    assert_int_equal(fixture_events(f, "device.left"), 0);
}

FLEET_MAIN(FLEET_TEST(what_was_known_of_the_enrolment_before_does_not_count),
           FLEET_TEST(a_device_that_is_replaced_is_judged_anew),
           FLEET_TEST(what_the_device_says_when_it_enrols_counts),
           FLEET_TEST(what_is_known_survives_what_is_said_again),
           FLEET_TEST(a_removal_that_waited_is_not_delivered_to_the_next_enrolment),
           FLEET_TEST(a_renewal_that_waited_is_not_delivered_to_the_next_enrolment),
           FLEET_TEST(an_enrolment_that_is_never_completed_replaces_nothing),
           FLEET_TEST(a_first_message_sent_again_changes_nothing),
           FLEET_TEST(what_was_taken_and_not_answered_is_taken_once),
           FLEET_TEST(an_address_out_of_nowhere_counts_only_where_the_enrolment_goes_on),
           FLEET_TEST(who_gives_up_an_attempt_stays_managed_and_judged))
