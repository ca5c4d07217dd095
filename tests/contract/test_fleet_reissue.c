/* SPDX-License-Identifier: Apache-2.0 */
/* A client that renews by itself: its certificate of ours stands for the challenge. */
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "fleet/renew.h"
#include "pki/digest.h"
#include "tests/contract/fleet_fixture.h"

#define DAY INT64_C(86400)

/* A phone at the beginning of the last part of its certificate's life. */
static struct phone ripe_phone(struct fixture *f)
{
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    f->now = renewal_opens_at(&f->settings, identity.not_before, identity.not_after);
    return phone;
}

static struct certificate_asked renewal_of(struct fixture *f, const struct phone *phone, size_t key)
{
    struct certificate_asked asked = fixture_asked(f, &phone->start, key);
    asked.challenge = NULL;
    asked.signer = phone->der;
    return asked;
}

static void is_refused(struct fixture *f, const struct certificate_asked *asked, const char *why)
{
    size_t before = fixture_look(f, &SQL_LOOK_REFUSALS_ALL, NO_ARGS)->count;
    assert_true(fixture_issue(f, asked).is_refused);
    struct rows *rows = fixture_look(f, &SQL_LOOK_REFUSALS_ALL, NO_ARGS);
    assert_true(rows->count >= before);
    for (size_t i = 0; i < rows->count; i++)
        if (strstr(rows_text(rows, i, "detail"), why))
            return;
    fail_msg("nobody was told: %s", why);
}

static struct phone with(const struct phone *phone, struct bytes der)
{
    struct phone other = *phone;
    other.der = der;
    digest_sha256(der, other.sha256);
    return other;
}

static void a_signer_of_ours_gets_another_certificate_of_its_enrolment(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    for (size_t key = 0; key < 2; key++) { /* the same key, and a new one */
        struct certificate_asked asked = renewal_of(f, &phone, key);
        struct issued issued = fixture_issue(f, &asked);
        assert_false(issued.is_refused);
        struct phone renewed = with(&phone, issued.der);
        assert_string_equal(phone_identity(f, &renewed).enrolment_id, phone.enrolment_id);
        assert_true(phone_identity(f, &renewed).not_after > phone_identity(f, &phone).not_after);
    }
    assert_int_equal(phone_identity(f, &phone).certificate_state, CERTIFICATE_ISSUED);
}

static void a_lost_answer_is_given_again_at_any_time(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    struct issued first = fixture_issue(f, &asked);
    f->now += 30 * DAY; /* gear that keeps key and transaction, and was off */
    struct issued second = fixture_issue(f, &asked);
    assert_false(second.is_refused);
    assert_true(bytes_equal(first.der, second.der));
    asked.transaction_id = "another one";
    assert_false(fixture_issue(f, &asked).is_refused);
}

static void the_old_challenge_in_a_renewal_does_not_count(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 0); /* certmonger: all as before */
    asked.challenge = phone.start.challenge;
    struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    assert_false(bytes_equal(issued.der, phone.der));
}

static void nothing_is_renewed_before_its_time_or_after_its_end(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    int64_t ends_at = phone_identity(f, &phone).not_after;
    f->now--;
    is_refused(f, &asked, "too early");
    f->now = ends_at + 1;
    is_refused(f, &asked, "not valid now");
    f->now = ends_at;
    assert_false(fixture_issue(f, &asked).is_refused);
}

static void a_signer_that_is_revoked_or_held_renews_nothing(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    struct err err;
    assert_works(fleet_device_block(f->fleet, &admin, phone.device_id, &err), err);
    is_refused(f, &asked, "the signer is revoked");
    assert_works(fleet_device_unblock(f->fleet, &admin, phone.device_id, &err), err);
    assert_false(fixture_issue(f, &asked).is_refused);
    assert_works(fleet_certificate_revoke(f->fleet, &admin,
                                          phone_identity(f, &phone).certificate_id,
                                          REASON_KEY_COMPROMISE, &err),
                 err);
    is_refused(f, &asked, "the signer is revoked"); /* the repeat, too */
}

static void only_an_active_enrolment_renews(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    f->now = identity.not_after - DAY;
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    is_refused(f, &asked, "not active");
}

static void a_certificate_that_is_not_ours_byte_for_byte_is_a_stranger(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    uint8_t *changed = mem_copy(f->owner, phone.der.data, phone.der.size);
    changed[phone.der.size - 1] ^= 1;
    asked.signer.data = changed;
    is_refused(f, &asked, "no certificate of ours");
    asked.signer = (struct bytes){phone.der.data, phone.der.size - 1};
    is_refused(f, &asked, "no certificate of ours");
}

static void a_renewal_asks_for_what_the_first_one_asked(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {"somebody else", "Other Works", "urn:uuid:0"};
    struct phone phone = ripe_phone(f);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct certificate_asked asked = renewal_of(f, &phone, 1);
        struct asked_attribute *attributes = mem_copy(
            f->owner, asked.attributes, asked.attribute_count * sizeof(struct asked_attribute));
        attributes[i].value = wrong[i];
        asked.attributes = attributes;
        is_refused(f, &asked, "something else than expected");
    }
    struct certificate_asked foreign = renewal_of(f, &phone, 2);
    (void)phone_certified(f, 2, "B");
    is_refused(f, &foreign, "certified for another device");
}

static void a_signer_does_not_multiply(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked;
    for (size_t i = 0; i < 3; i++) {
        asked = renewal_of(f, &phone, i);
        assert_false(fixture_issue(f, &asked).is_refused);
    }
    struct certificate_asked more = renewal_of(f, &phone, 3);
    is_refused(f, &more, "renewed before");
    assert_false(fixture_issue(f, &asked).is_refused); /* the last one's answer was lost */
}

struct racer {
    const struct certificate_asked *asked;
    const struct phone *leaves; /* instead: this one leaves */
    struct actor admin;
    int64_t now;
    uint8_t sha256[32];
    bool worked;
};

static bool leave(struct fleet *fleet, void *owner, const struct racer *racer)
{
    struct command command;
    struct err err;
    return fleet_command_create(fleet, &racer->admin, owner, racer->leaves->device_id,
                                COMMAND_RETIRE, NULL, &command, &err);
}

static void race(struct fleet *fleet, void *context)
{
    struct racer *racer = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct actor actor = {.kind = ACTOR_PUBLIC, .id = "p", .name = "p", .now = racer->now};
    struct issued issued;
    struct err err;
    if (racer->leaves) {
        racer->worked = leave(fleet, owner, racer);
        return;
    }
    for (int i = 0; i < 50 && !racer->worked; i++) /* "being issued": the client comes again */
        racer->worked = fleet_issue(fleet, &actor, owner, racer->asked, &issued, &err);
    racer->worked = racer->worked && !issued.is_refused;
    if (racer->worked)
        digest_sha256(issued.der, racer->sha256);
}

static void the_same_renewal_at_once_is_one(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked = renewal_of(f, &phone, 1);
    struct racer racers[4] = {0};
    fixture_clock(f);
    for (size_t i = 0; i < COUNT(racers); i++)
        racers[i] = (struct racer){.asked = &asked, .now = f->now};
    fixture_race(f, race, racers, sizeof(racers[0]), COUNT(racers));
    for (size_t i = 0; i < COUNT(racers); i++) {
        assert_true(racers[i].worked);
        assert_memory_equal(racers[i].sha256, racers[0].sha256, 32);
    }
}

/* Six keys at once: no more than the signer may renew. */
static void renewals_at_once_do_not_multiply(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked[6];
    struct racer racers[COUNT(asked)] = {0};
    size_t worked = 0;
    fixture_clock(f);
    for (size_t i = 0; i < COUNT(asked); i++) {
        asked[i] = renewal_of(f, &phone, i);
        racers[i] = (struct racer){.asked = &asked[i], .now = f->now};
    }
    fixture_race(f, race, racers, sizeof(racers[0]), COUNT(racers));
    for (size_t i = 0; i < COUNT(racers); i++)
        worked += racers[i].worked;
    assert_int_equal(worked, 3);
}

/* Whoever comes first: in the end nothing of the enrolment is good. */
static void a_renewal_beside_a_departure_leaves_nothing_good(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ripe_phone(f);
    struct certificate_asked asked[3];
    struct racer racers[COUNT(asked) + 1] = {0};
    fixture_clock(f);
    for (size_t i = 0; i < COUNT(asked); i++) {
        asked[i] = renewal_of(f, &phone, i);
        racers[i] = (struct racer){.asked = &asked[i], .now = f->now};
    }
    racers[COUNT(asked)] = (struct racer){.leaves = &phone, .admin = fixture_admin(f)};
    fixture_race(f, race, racers, sizeof(racers[0]), COUNT(racers));
    assert_true(racers[COUNT(asked)].worked);
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id)));
    assert_true(rows->count > 0);
    for (size_t i = 0; i < rows->count; i++)
        assert_string_equal(rows_text(rows, i, "state"), "revoked");
}

FLEET_MAIN(FLEET_TEST(a_signer_of_ours_gets_another_certificate_of_its_enrolment),
           FLEET_TEST(a_lost_answer_is_given_again_at_any_time),
           FLEET_TEST(the_old_challenge_in_a_renewal_does_not_count),
           FLEET_TEST(nothing_is_renewed_before_its_time_or_after_its_end),
           FLEET_TEST(a_signer_that_is_revoked_or_held_renews_nothing),
           FLEET_TEST(only_an_active_enrolment_renews),
           FLEET_TEST(a_certificate_that_is_not_ours_byte_for_byte_is_a_stranger),
           FLEET_TEST(a_renewal_asks_for_what_the_first_one_asked),
           FLEET_TEST(a_signer_does_not_multiply), FLEET_TEST(the_same_renewal_at_once_is_one),
           FLEET_TEST(renewals_at_once_do_not_multiply),
           FLEET_TEST(a_renewal_beside_a_departure_leaves_nothing_good))
