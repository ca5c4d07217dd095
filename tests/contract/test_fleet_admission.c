/* SPDX-License-Identifier: Apache-2.0 */
/* Who may enrol as what: devices that are enrolled already, and topics of push. */

#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

/* A device of this UDID with a certificate out of a link that is not made for it. */
static struct phone phone_by_any_link(struct fixture *f, size_t key, const char *udid)
{
    struct phone phone = phone_certified(f, key, "of nobody else");
    phone.udid = udid;
    return phone;
}

static bool authenticate(struct fixture *f, const struct phone *phone, const char *topic,
                         struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = phone_claims(phone);
    claims.topic = topic;
    return fleet_authenticate(f->fleet, &actor, &identity, &claims, err);
}

static bool activate(struct fixture *f, const struct phone *phone, const char *topic,
                     struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {
        .topic = topic, .token = bytes_text("token"), .magic = bytes_text("magic")};
    bool first = false;
    return fleet_activate(f->fleet, &actor, &identity, &address, &first, err);
}

/* ---- devices that are enrolled ---- */

static void an_enrolled_device_is_not_replaced_by_any_link(void **state)
{
    struct fixture *f = *state;
    struct phone victim = phone_enrolled(f, 0, "A");
    struct phone thief = phone_by_any_link(f, 1, "A");
    struct err err;
    assert_fails(authenticate(f, &thief, thief.topic, &err), err, ERR_FORBIDDEN);
    assert_non_null(strstr(err.text, "make a link for it"));
    assert_non_null(strstr(fixture_event(f, "enrolment.refused"), "make a link for it"));
    assert_string_equal(fixture_enrolment_state(f, victim.enrolment_id), "active");
    assert_null(phone_identity(f, &thief).device_id);
}

static void a_device_that_became_enrolled_meanwhile_is_not_replaced_either(void **state)
{
    struct fixture *f = *state;
    struct phone first = phone_by_any_link(f, 0, "A"), second = phone_by_any_link(f, 1, "A");
    struct err err;
    phone_authenticate(f, &first);
    phone_authenticate(f, &second);
    assert_true(phone_activate(f, &second));
    assert_string_equal(fixture_enrolment_state(f, first.enrolment_id), "superseded");
    struct phone third = phone_certified(f, 2, "A"); /* a link for it */
    phone_authenticate(f, &third);
    assert_true(phone_activate(f, &third));
    assert_fails(activate(f, &second, second.topic, &err), err, ERR_FORBIDDEN);
    assert_string_equal(fixture_enrolment_state(f, third.enrolment_id), "active");
}

static void of_two_that_claim_one_device_the_later_is_refused(void **state)
{
    struct fixture *f = *state;
    struct phone enrolled = phone_by_any_link(f, 0, "A"), waiting = phone_by_any_link(f, 1, "A");
    struct err err;
    phone_authenticate(f, &waiting);
    phone_authenticate(f, &enrolled);
    struct identity identity = phone_identity(f, &waiting); /* as it was before */
    assert_true(phone_activate(f, &enrolled));
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {.token = bytes_text("t"), .magic = bytes_text("m")};
    bool first = false;
    assert_fails(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err,
                 ERR_FORBIDDEN);
    assert_string_equal(fixture_enrolment_state(f, enrolled.enrolment_id), "active");
}

static void a_link_for_a_device_serves_no_other(void **state)
{
    struct fixture *f = *state;
    (void)phone_enrolled(f, 0, "A");
    struct phone other = phone_certified(f, 1, "A");
    struct err err;
    other.udid = "B";
    assert_fails(authenticate(f, &other, other.topic, &err), err, ERR_FORBIDDEN);
    assert_non_null(strstr(err.text, "another device"));
}

static void a_link_for_an_unknown_device_is_not_made(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct enrolment_link link, wish = {.device_id = mem_text(f->owner, "nobody")};
    char *token;
    struct err err;
    assert_fails(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err,
                 ERR_BAD_INPUT);
    assert_string_equal(err.where, "/device");
}

static void a_replaced_enrolment_is_audited(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A"), new = phone_enrolled(f, 1, "A");
    const char *body = fixture_event(f, "device.reenrolled");
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "superseded");
    assert_non_null(strstr(body, old.enrolment_id));
    assert_non_null(strstr(body, new.enrolment_id));
    assert_non_null(strstr(body, "\"link\":\""));
    struct rows *rows = fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("enrolment.supersede")));
    assert_int_equal(rows_integer(rows, 0, "count"), 1);
}

/* ---- topics ---- */

static void a_topic_that_no_profile_gave_is_refused(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    assert_fails(authenticate(f, &phone, "com.apple.mgmt.External.foreign", &err), err,
                 ERR_FORBIDDEN);
    phone_authenticate(f, &phone);
    assert_fails(activate(f, &phone, "com.apple.mgmt.External.foreign", &err), err, ERR_FORBIDDEN);
    assert_int_equal(fixture_events(f, "enrolment.refused"), 2);
    assert_true(phone_activate(f, &phone));
}

static int64_t unreachable(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct push_certificate_view view;
    struct err err;
    assert_works(fleet_push_get(f->fleet, &admin, f->owner, &view, &err), err);
    return view.unreachable;
}

static void the_first_push_certificate_may_come_after_the_first_device(void **state)
{
    struct fixture *f = *state;
    struct phone early = phone_enrolled(f, 0, "A");
    struct err err;
    assert_int_equal(unreachable(f), 0);
    assert_works(fixture_push_import(f, "com.apple.mgmt.External.real", 1, &err), err);
    assert_int_equal(unreachable(f), 1);
    (void)phone_order(f, &early, COMMAND_LOCK);
    assert_false(phone_wake(f, &early, NULL));
    struct phone again = phone_enrolled(f, 1, "A");
    assert_string_equal(again.topic, "com.apple.mgmt.External.real");
    assert_int_equal(unreachable(f), 0);
    assert_fails(fixture_push_import(f, "com.apple.mgmt.External.other", 1, &err), err,
                 ERR_CONFLICT);
    assert_non_null(err.remedy);
    assert_works(fixture_push_import(f, "com.apple.mgmt.External.real", 1, &err), err);
}

FLEET_MAIN(FLEET_TEST(an_enrolled_device_is_not_replaced_by_any_link),
           FLEET_TEST(a_device_that_became_enrolled_meanwhile_is_not_replaced_either),
           FLEET_TEST(of_two_that_claim_one_device_the_later_is_refused),
           FLEET_TEST(a_link_for_a_device_serves_no_other),
           FLEET_TEST(a_link_for_an_unknown_device_is_not_made),
           FLEET_TEST(a_replaced_enrolment_is_audited),
           FLEET_TEST(a_topic_that_no_profile_gave_is_refused),
           FLEET_TEST(the_first_push_certificate_may_come_after_the_first_device))
