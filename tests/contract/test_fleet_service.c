/* SPDX-License-Identifier: Apache-2.0 */
/* Automated enrolment: what the service told, who is let in by it, and who waits. */
#include "fleet/automated.h"
#include "fleet/device.h"
#include "fleet/service.h"
#include "pki/digest.h"
#include "tests/contract/fleet_fixture.h"

static struct service connected(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct bytes certificate, plain;
    struct service service;
    struct err err;
    bool found = false;
    const struct service_token token = {
        .consumer = "CK", .expires_at = f->now + 365 * 86400, .plain = bytes_text("secret")};
    assert_works(fleet_service_key(f->fleet, &admin, f->owner, &certificate, &err), err);
    assert_works(fleet_service_token_set(f->fleet, &admin, &token, &err), err);
    assert_works(fleet_service_open(f->fleet, f->owner, &service, &plain, &found, &err), err);
    assert_true(found && bytes_equal(plain, bytes_text("secret")));
    return service;
}

static void tell(struct fixture *f, const char *serial, bool is_removed)
{
    struct service service;
    struct bytes plain;
    struct err err;
    bool found = false;
    struct service_change change = {.is_removed = is_removed};
    change.device.serial = mem_text(f->owner, serial);
    change.device.profile_status = mem_text(f->owner, "empty");
    const struct service_page page = {
        .changes = &change, .count = 1, .cursor = "c", .is_last = true};
    assert_works(fleet_service_open(f->fleet, f->owner, &service, &plain, &found, &err), err);
    assert_works(fleet_service_page_take(f->fleet, &service, &page, f->now, &err), err);
}

static struct service_profile profile(struct fixture *f, const char *name, bool is_automatic)
{
    struct actor admin = fixture_admin(f);
    struct service_profile wish = fleet_service_profile_new(name), saved;
    struct err err;
    wish.is_automatic = is_automatic;
    assert_works(fleet_service_profile_save(f->fleet, &admin, f->owner, &wish, &saved, &err), err);
    return saved;
}

static const struct machine machine = {.udid = "U1", .serial = "S1", .os_version = "17.1"};

static struct enrolment_start let_in(struct fixture *f)
{
    struct actor someone = fixture_public(f);
    struct enrolment_start start;
    struct err err;
    assert_works(
        fleet_automated_start(f->fleet, &someone, f->owner, &machine, "apple", &start, &err), err);
    return start;
}

static void the_token_of_another_server_is_taken_only_when_that_is_meant(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct service_token token = {
        .consumer = "other", .expires_at = f->now + 86400, .plain = bytes_text("x")};
    struct err err;
    connected(f);
    tell(f, "S1", false);
    assert_fails(fleet_service_token_set(f->fleet, &admin, &token, &err), err, ERR_CONFLICT);
    token.replaces = true;
    assert_works(fleet_service_token_set(f->fleet, &admin, &token, &err), err);
    struct service_view view;
    assert_works(fleet_service_get(f->fleet, &admin, f->owner, &view, &err), err);
    assert_int_equal(view.device_count, 0);
    assert_null(view.service.cursor);
    token.expires_at = f->now;
    assert_fails(fleet_service_token_set(f->fleet, &admin, &token, &err), err, ERR_BAD_INPUT);
}

static void the_token_of_another_organisation_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct service service = connected(f);
    const struct service_account mine = {.server_id = "1", .organization_id = "100"};
    const struct service_account other = {.server_id = "2", .organization_id = "200"};
    struct err err;
    assert_works(fleet_service_account_set(f->fleet, &service, &mine, f->now, &err), err);
    service.organization_id = mem_text(f->owner, "100");
    assert_fails(fleet_service_account_set(f->fleet, &service, &other, f->now, &err), err,
                 ERR_CONFLICT);
}

static void the_end_of_the_token_is_told_once_at_each_step(void **state)
{
    struct fixture *f = *state;
    struct service service = connected(f);
    struct err err;
    static const int64_t days[] = {100, 60, 59, 30, 14, 7, 6, 1, 0, -1};
    static const int64_t told[] = {0, 1, 1, 2, 3, 4, 4, 5, 5, 5};
    for (size_t i = 0; i < COUNT(days); i++) {
        assert_works(fleet_service_warn(f->fleet, service.expires_at - days[i] * 86400, &err), err);
        assert_int_equal(fixture_events(f, "enrolment_service.expires"), told[i]);
    }
}

static void a_fetch_of_everything_notices_what_went(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct service service = connected(f);
    struct service_change change = {0};
    struct page page = {.limit = 10};
    struct list list;
    struct err err;
    tell(f, "S1", false);
    f->now += 10;
    change.device.serial = mem_text(f->owner, "S2");
    const struct service_page fetched = {
        .changes = &change, .count = 1, .cursor = "d", .is_fetch = true, .is_last = true};
    assert_works(fleet_service_page_take(f->fleet, &service, &fetched, f->now, &err), err);
    admin = fixture_admin(f);
    assert_works(fleet_service_device_list(f->fleet, &admin, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 1);
    assert_string_equal(((struct service_device *)list.items)->serial, "S2");
}

static void
devices_get_the_automatic_profile_and_are_assigned_until_the_service_has_it(void **state)
{
    struct fixture *f = *state;
    connected(f);
    struct service_profile all = profile(f, "All", true);
    struct service_assignment next;
    struct err err;
    const char *failed[] = {"no"}, *done[] = {NULL};
    tell(f, "S1", false);
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 0); /* the service does not know the profile yet */
    assert_works(fleet_service_profile_told(f->fleet, &all, "P1", NULL, f->now, &err), err);
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 1);
    assert_string_equal(next.uuid, "P1");
    assert_works(fleet_service_assignment_told(f->fleet, &next, failed, f->now, &err), err);
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 0); /* not at once again */
    f->now += 3601;
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 1);
    assert_works(fleet_service_assignment_told(f->fleet, &next, done, f->now, &err), err);
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 0);
    tell(f, "S1", false); /* the service says that it has none: somebody took it away */
    assert_works(fleet_service_assignment_next(f->fleet, f->owner, 10, f->now, &next, &err), err);
    assert_int_equal(next.count, 1);
}

static void one_profile_at_most_is_automatic(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct service_profile found;
    struct err err;
    connected(f);
    (void)profile(f, "One", true);
    (void)profile(f, "Two", true);
    assert_works(fleet_service_profile_get(f->fleet, &admin, f->owner, "One", &found, &err), err);
    assert_false(found.is_automatic);
}

static void a_device_that_nobody_named_is_refused_and_counted(void **state)
{
    struct fixture *f = *state;
    struct actor someone = fixture_public(f);
    struct service_profile terms;
    struct err err;
    connected(f);
    assert_fails(fleet_automated_terms(f->fleet, &someone, f->owner, &machine, &terms, &err), err,
                 ERR_FORBIDDEN);
    assert_int_equal(fixture_events(f, "enrolment.refused"), 1);
    tell(f, "S1", false);
    assert_works(fleet_automated_terms(f->fleet, &someone, f->owner, &machine, &terms, &err), err);
    assert_true(terms.awaits_configuration);
    tell(f, "S1", true);
    assert_fails(fleet_automated_terms(f->fleet, &someone, f->owner, &machine, &terms, &err), err,
                 ERR_FORBIDDEN);
}

/* The certificate of a start, as phone_certified() makes it of a link. */
static struct identity certified(struct fixture *f, size_t key, const struct enrolment_start *start,
                                 uint8_t sha256[32])
{
    struct certificate_asked asked = fixture_asked(f, start, key);
    struct issued issued = fixture_issue(f, &asked);
    struct identity identity;
    struct err err;
    digest_sha256(issued.der, sha256);
    assert_works(fleet_identify(f->fleet, f->owner, sha256, &identity, &err), err);
    return identity;
}

static bool authenticate(struct fixture *f, const struct identity *identity, const char *udid,
                         const char *serial, struct err *err)
{
    struct actor device = fleet_device_actor(identity, "r", f->now);
    const struct device_claims claims = {
        .udid = udid, .serial = serial, .platform = PLATFORM_IOS, .model = "iPhone"};
    return fleet_authenticate(f->fleet, &device, identity, &claims, err);
}

static void what_was_made_for_one_device_lets_no_other_in(void **state)
{
    struct fixture *f = *state;
    struct err err;
    connected(f);
    tell(f, "S1", false);
    uint8_t sha256[32];
    struct enrolment_start start = let_in(f);
    struct identity identity = certified(f, 1, &start, sha256);
    assert_fails(authenticate(f, &identity, "U2", "S1", &err), err, ERR_FORBIDDEN);
    assert_fails(authenticate(f, &identity, "U1", "S2", &err), err, ERR_FORBIDDEN);
    assert_fails(authenticate(f, &identity, "U1", NULL, &err), err, ERR_FORBIDDEN);
    assert_works(authenticate(f, &identity, "U1", "S1", &err), err);
}

/* A machine that the service named may not say that it is a device with another serial number. */
static void the_udid_of_another_device_lets_nobody_in(void **state)
{
    struct fixture *f = *state;
    struct actor someone = fixture_public(f);
    uint8_t sha256[32];
    struct enrolment_start start = fixture_start(f);
    struct identity managed = certified(f, 0, &start, sha256);
    struct err err;
    connected(f);
    tell(f, "S1", false);
    assert_works(authenticate(f, &managed, "U1", "S9", &err), err);
    assert_fails(
        fleet_automated_start(f->fleet, &someone, f->owner, &machine, "apple", &start, &err), err,
        ERR_FORBIDDEN);
    assert_int_equal(fixture_events(f, "enrolment.refused"), 1);
}

static struct enrolment_start start_as(struct fixture *f, enum ownership ownership)
{
    struct actor admin = fixture_admin(f), someone = fixture_public(f);
    struct enrolment_link link, wish = {.ownership = (int)ownership};
    struct enrolment_start start;
    struct err err;
    char *token;
    assert_works(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err);
    assert_works(fleet_enrolment_start(f->fleet, &someone, f->owner, token, "apple", &start, &err),
                 err);
    return start;
}

static void activate(struct fixture *f, const struct identity *identity, bool awaits)
{
    struct actor device = fleet_device_actor(identity, "r", f->now);
    const struct push_address address = {
        .token = bytes_text("token"), .magic = bytes_text("magic"), .awaits = awaits};
    struct err err;
    bool first = false;
    assert_works(fleet_activate(f->fleet, &device, identity, &address, &first, &err), err);
    assert_true(first);
}

/* What begins may never end; and whose a device is is written down when it changes. */
static void a_personal_device_becomes_the_companys_when_it_is_enrolled(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct enrolment_start start = start_as(f, OWNERSHIP_PERSONAL);
    struct phone own = {.sha256 = {0}};
    struct device device;
    struct err err;
    connected(f);
    tell(f, "S1", false);
    struct identity identity = certified(f, 0, &start, own.sha256);
    assert_works(authenticate(f, &identity, "U1", "S1", &err), err);
    identity = phone_identity(f, &own);
    activate(f, &identity, false);
    start = let_in(f);
    identity = certified(f, 1, &start, own.sha256);
    assert_works(authenticate(f, &identity, "U1", "S1", &err), err);
    identity = phone_identity(f, &own);
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, identity.device_id, &device, &err),
                 err);
    assert_int_equal(device.ownership, OWNERSHIP_PERSONAL);
    activate(f, &identity, false);
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, identity.device_id, &device, &err),
                 err);
    assert_int_equal(device.ownership, OWNERSHIP_COMPANY);
    assert_non_null(strstr(fixture_event(f, "device.ownership"), "company"));
}

static bool let_go(struct fixture *f, const struct identity *identity, struct err *err)
{
    struct actor admin = fixture_admin(f);
    struct command command;
    return fleet_command_create(f->fleet, &admin, f->owner, identity->device_id,
                                COMMAND_FINISH_SETUP, NULL, &command, err);
}

static void only_who_waits_is_let_go_on(void **state)
{
    struct fixture *f = *state;
    struct phone phone = {.sha256 = {0}}, other = phone_enrolled(f, 2, "B");
    struct err err;
    connected(f);
    tell(f, "S1", false);
    struct enrolment_start start = let_in(f);
    struct identity identity = certified(f, 0, &start, phone.sha256);
    assert_works(authenticate(f, &identity, "U1", "S1", &err), err);
    identity = phone_identity(f, &phone);
    activate(f, &identity, true);
    assert_works(let_go(f, &identity, &err), err);
    identity = phone_identity(f, &other);
    assert_fails(let_go(f, &identity, &err), err, ERR_PRECONDITION);
}

static bool is_let_go(struct fixture *f, const struct identity *identity)
{
    int64_t again_at = 0;
    struct err err;
    size_t before = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(identity->enrolment_id)))->count;
    assert_works(fleet_setup_step(f->fleet, identity->enrolment_id, f->now, &again_at, &err), err);
    assert_true(again_at > f->now);
    return fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(identity->enrolment_id)))->count > before;
}

/* The server may have ended between the device's word and the plan. */
static void who_waits_is_kept_until_its_policies_were_planned(void **state)
{
    struct fixture *f = *state;
    struct phone phone = {.sha256 = {0}};
    struct policy policy =
        fixture_policy(f, "Rules", "configuration", "{\"password.required\":true}");
    struct err err;
    fixture_assign(f, policy.id, NULL);
    connected(f);
    tell(f, "S1", false);
    struct enrolment_start start = let_in(f);
    struct identity identity = certified(f, 0, &start, phone.sha256);
    assert_works(authenticate(f, &identity, "U1", "S1", &err), err);
    identity = phone_identity(f, &phone);
    phone.device_id = identity.device_id;
    activate(f, &identity, true);
    assert_false(is_let_go(f, &identity));
    fixture_work(f);
    assert_false(is_let_go(f, &identity)); /* it has not got it yet */
    assert_true(phone_obey(f, &phone) > 0);
    assert_true(is_let_go(f, &identity));
}

FLEET_MAIN(FLEET_TEST(the_token_of_another_server_is_taken_only_when_that_is_meant),
           FLEET_TEST(the_token_of_another_organisation_is_a_conflict),
           FLEET_TEST(the_end_of_the_token_is_told_once_at_each_step),
           FLEET_TEST(a_fetch_of_everything_notices_what_went),
           FLEET_TEST(devices_get_the_automatic_profile_and_are_assigned_until_the_service_has_it),
           FLEET_TEST(one_profile_at_most_is_automatic),
           FLEET_TEST(a_device_that_nobody_named_is_refused_and_counted),
           FLEET_TEST(what_was_made_for_one_device_lets_no_other_in),
           FLEET_TEST(the_udid_of_another_device_lets_nobody_in),
           FLEET_TEST(a_personal_device_becomes_the_companys_when_it_is_enrolled),
           FLEET_TEST(only_who_waits_is_let_go_on),
           FLEET_TEST(who_waits_is_kept_until_its_policies_were_planned))
