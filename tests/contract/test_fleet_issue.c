/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/certificate.h"
#include "pki/digest.h"
#include "pki/keyd_wire.h"
#include "tests/contract/fleet_fixture.h"

/* ---- what became of it ---- */

static struct rows *certificates_of(struct fixture *f, const struct enrolment_start *start)
{
    return fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(start->enrolment_id)));
}

static const char *challenge_state(struct fixture *f, const struct enrolment_start *start)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(start->enrolment_id)));
    assert_int_equal(rows->count, 1);
    return rows_text(rows, 0, "state");
}

/* Step n of the making, the newest of this number; NULL = it did not happen. */
static const char *step_outcome(struct fixture *f, const struct enrolment_start *start, int step,
                                const char **detail)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_STEPS, ARGS(TEXT(start->enrolment_id)));
    const char *outcome = NULL;
    for (size_t i = 0; i < rows->count; i++)
        if (rows_integer(rows, i, "step") == step) {
            outcome = rows_text(rows, i, "outcome");
            *detail = rows_text(rows, i, "detail");
        }
    return outcome;
}

static void assert_refused(struct fixture *f, const struct certificate_asked *asked)
{
    struct issued issued = fixture_issue(f, asked);
    assert_true(issued.is_refused);
    assert_int_equal(issued.der.size, 0);
}

/* ---- the right request ---- */

/* proves: 4g-7 */
/* proves-partly: 4g-8, 4g-14 */
static void a_right_request_gets_its_certificate(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    struct rows *rows = certificates_of(f, &start);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "state"), "issued");
    assert_int_equal(strlen(rows_text(rows, 0, "serial")), 32);
    assert_true(bytes_equal(rows_value(rows, 0, "der")->bytes, issued.der));
    assert_string_equal(challenge_state(f, &start), "used");
    assert_int_equal(fixture_events(f, "certificate.issued"), 1);
    const char *detail = NULL;
    for (int step = STEP_PROFILE_MADE; step <= STEP_ISSUED; step++)
        assert_string_equal(step_outcome(f, &start, step, &detail), "ok");
    assert_null(step_outcome(f, &start, STEP_RECEIVED, &detail));
}

/* The challenge was in the request. */
static void of_a_request_its_digest_is_kept(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    asked.request = bytes_text(mem_format(f->owner, "a request with %s in it", start.challenge));
    assert_false(fixture_issue(f, &asked).is_refused);
    uint8_t digest[32];
    digest_sha256(asked.request, digest);
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATE_ALL, ARGS(TEXT(start.enrolment_id)));
    assert_true(bytes_equal(rows_value(rows, 0, "request_sha256")->bytes, BYTES_OF(digest)));
    for (size_t i = 0; i < rows->columns; i++) {
        const struct value *value = &rows->values[i];
        struct bytes all = value->type == VALUE_TEXT ? bytes_text(value->text) : value->bytes;
        if (value->type == VALUE_TEXT || value->type == VALUE_BYTES)
            assert_null(memmem(all.data, all.size, start.challenge, strlen(start.challenge)));
    }
}

static void key_usage_and_eku_may_be_left_out(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    asked.attribute_count = ASKED_COUNT - 2;
    assert_false(fixture_issue(f, &asked).is_refused);
}

/* proves-partly: 4g-6 */
static void a_lost_answer_can_be_asked_for_again(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct issued first = fixture_issue(f, &asked);
    f->now += CHALLENGE_REPEAT_SECONDS - 1;
    struct issued again = fixture_issue(f, &asked);
    assert_false(again.is_refused);
    assert_true(bytes_equal(first.der, again.der));
    assert_int_equal(certificates_of(f, &start)->count, 1);
    f->now += 1;
    assert_refused(f, &asked);
}

static void a_used_challenge_serves_no_other_key(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    assert_false(fixture_issue(f, &asked).is_refused);
    struct certificate_asked other = fixture_asked(f, &start, 1);
    other.transaction_id = asked.transaction_id;
    assert_refused(f, &other);
    assert_int_equal(fixture_events(f, "certificate.replay"), 1);
    asked.transaction_id = "another transaction";
    assert_refused(f, &asked);
    assert_int_equal(fixture_events(f, "certificate.replay"), 2);
    assert_int_equal(certificates_of(f, &start)->count, 1);
}

static void a_revoked_certificate_is_not_handed_out_again(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct err err;
    assert_false(fixture_issue(f, &asked).is_refused);
    const char *id = rows_text(certificates_of(f, &start), 0, "id");
    assert_works(fleet_certificate_revoke(f->fleet, &admin, id, 1, &err), err);
    assert_refused(f, &asked);
}

/* ---- challenges that are no good ---- */

static void an_unknown_challenge_is_refused(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    static const char *const strange[] = {"", "AAAA", NULL};
    for (size_t i = 0; i < COUNT(strange); i++) {
        asked.challenge = strange[i];
        assert_refused(f, &asked);
    }
    assert_int_equal(fixture_events(f, "certificate.refused"), COUNT(strange));
    assert_string_equal(challenge_state(f, &start), "delivered");
}

static void an_expired_challenge_is_refused_and_stays_so(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    f->now += f->settings.challenge_seconds;
    assert_refused(f, &asked);
    assert_string_equal(challenge_state(f, &start), "expired");
    f->now -= 100; /* a clock that went back does not help */
    assert_refused(f, &asked);
    assert_int_equal(certificates_of(f, &start)->count, 0);
}

static void the_challenge_of_an_ended_enrolment_is_refused(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct enrolment_start start = fixture_start(f);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    identity.enrolment_id = start.enrolment_id;
    identity.device_id = NULL;
    identity.enrolment_state = ENROLMENT_PENDING;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    struct certificate_asked asked = fixture_asked(f, &start, 1);
    assert_refused(f, &asked);
    assert_string_equal(challenge_state(f, &start), "cancelled");
}

/* ---- requests that differ ---- */

struct difference {
    const char *what;
    size_t row; /* of fixture_asked, or ASKED_COUNT: one more */
    struct asked_attribute asked;
    const char *recorded; /* in the comparison */
};

static struct certificate_asked asked_with(struct fixture *f, const struct enrolment_start *start,
                                           const struct difference *difference)
{
    struct certificate_asked asked = fixture_asked(f, start, 0);
    struct asked_attribute *attributes =
        mem_array(f->owner, struct asked_attribute, ASKED_COUNT + 1);
    memcpy(attributes, asked.attributes, ASKED_COUNT * sizeof(*attributes));
    attributes[difference->row] = difference->asked;
    asked.attributes = attributes;
    asked.attribute_count = ASKED_COUNT + (difference->row == ASKED_COUNT);
    if (!difference->asked.name)
        attributes[difference->row] = attributes[--asked.attribute_count];
    return asked;
}

static void three_differing_requests_burn_a_challenge(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    const struct difference name = {"another name", 0, {"subject.CN", "somebody else"}, NULL};
    struct certificate_asked wrong = asked_with(f, &start, &name);
    for (int i = 1; i <= CHALLENGE_TRIES; i++) {
        assert_string_equal(challenge_state(f, &start), "delivered");
        assert_refused(f, &wrong);
    }
    assert_int_equal(fixture_events(f, "certificate.mismatch"), CHALLENGE_TRIES);
    assert_string_equal(challenge_state(f, &start), "burnt");
    struct certificate_asked right = fixture_asked(f, &start, 0);
    assert_refused(f, &right);
    assert_int_equal(certificates_of(f, &start)->count, 0);
}

static void a_device_may_correct_itself(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    const struct difference bits = {"too few bits", 4, {"key.bits", "1024"}, NULL};
    struct certificate_asked wrong = asked_with(f, &start, &bits);
    for (int i = 1; i < CHALLENGE_TRIES; i++)
        assert_refused(f, &wrong);
    struct certificate_asked right = fixture_asked(f, &start, 0);
    assert_false(fixture_issue(f, &right).is_refused);
}

static const struct difference differences[] = {
    {"another name", 0, {"subject.CN", "anna"}, "\"asked\":\"anna\""},
    {"no name", 0, {NULL, NULL}, "\"asked\":null"},
    {"another organization", 1, {"subject.O", "Other Works"}, "\"asked\":\"Other Works\""},
    {"no organization", 1, {NULL, NULL}, "\"asked\":null"},
    {"no alternative name", 2, {NULL, NULL}, "\"asked\":null"},
    {"another alternative name", 2, {"san.uri", "urn:uuid:1"}, "\"asked\":\"urn:uuid:1\""},
    {"two alternative names", ASKED_COUNT, {"san.uri", "urn:uuid:1"}, "more than one"},
    {"a DNS name", ASKED_COUNT, {"san.dns", "mdm.example"}, "\"name\":\"san.dns\""},
    {"a mail address", ASKED_COUNT, {"san.email", "a@example.org"}, "\"name\":\"san.email\""},
    {"a second name", ASKED_COUNT, {"subject.CN", "anna"}, "more than one"},
    {"a unit", ASKED_COUNT, {"subject.OU", "Sales"}, "\"name\":\"subject.OU\""},
    {"an authority", ASKED_COUNT, {"basicConstraints", "CA"}, "\"name\":\"basicConstraints\""},
    {"too few bits", 4, {"key.bits", "1024"}, "\"asked\":\"1024\""},
    {"too many bits", 4, {"key.bits", "4096"}, "\"asked\":\"4096\""},
    {"another kind of key", 3, {"key.type", "P-256"}, "\"asked\":\"P-256\""},
    {"signing of certificates", 5, {"key.usage", "keyCertSign"}, "\"asked\":\"keyCertSign\""},
    {"half of the usage", 5, {"key.usage", "digitalSignature"}, "\"asked\":\"digitalSignature\""},
    {"a server", 6, {"eku", "serverAuth"}, "\"asked\":\"serverAuth\""},
    {"a server as well", ASKED_COUNT, {"eku", "serverAuth"}, "more than one"},
};

/* proves: 4g-7 */
static void each_difference_is_refused_and_recorded(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(differences); i++) {
        struct enrolment_start start = fixture_start(f);
        struct certificate_asked asked = asked_with(f, &start, &differences[i]);
        const char *detail = "";
        print_message("asks for %s\n", differences[i].what);
        assert_refused(f, &asked);
        assert_string_equal(step_outcome(f, &start, STEP_COMPARED, &detail), "refused");
        assert_non_null(strstr(detail, differences[i].recorded));
        assert_non_null(strstr(detail, "\"agrees\":false"));
        assert_string_equal(step_outcome(f, &start, STEP_CONFIRMED, &detail), "refused");
        assert_null(step_outcome(f, &start, STEP_ISSUED, &detail));
        assert_int_equal(certificates_of(f, &start)->count, 0);
    }
    assert_int_equal(fixture_events(f, "certificate.mismatch"), COUNT(differences));
}

static void a_key_certified_for_somebody_else_is_refused(void **state)
{
    struct fixture *f = *state;
    (void)phone_certified(f, 0, "A");
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    assert_refused(f, &asked);
    assert_non_null(strstr(fixture_event(f, "certificate.refused"), "another device"));
    struct certificate_asked own = fixture_asked(f, &start, 1);
    assert_false(fixture_issue(f, &own).is_refused);
}

/* ---- accidents ---- */

static void nothing_is_used_up_while_keyd_is_away(void **state)
{
    struct fixture *f = *state;
    struct fleet alone = fixture_without_keyd(f);
    struct actor someone = fixture_public(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct issued issued;
    struct err err;
    assert_fails(fleet_issue(&alone, &someone, f->owner, &asked, &issued, &err), err,
                 ERR_UNAVAILABLE);
    assert_string_equal(challenge_state(f, &start), "delivered");
    assert_false(fixture_issue(f, &asked).is_refused);
}

static void a_crash_between_reserving_and_signing_is_made_good(void **state)
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
    struct rows *reserved = certificates_of(f, &start);
    assert_int_equal(reserved->count, 1);
    assert_string_equal(rows_text(reserved, 0, "state"), "reserved");
    assert_string_equal(challenge_state(f, &start), "used");
    f->now += 5;
    assert_false(fixture_issue(f, &asked).is_refused);
    struct rows *rows = certificates_of(f, &start);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "state"), "issued");
    assert_string_equal(rows_text(rows, 0, "serial"), rows_text(reserved, 0, "serial"));
}

static void a_reserved_certificate_is_not_known_to_anybody(void **state)
{
    struct fixture *f = *state;
    struct fleet fleet = fixture_keyd_dies_at(f, KEYD_OP_ISSUE);
    struct actor someone = fixture_public(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    struct certificate_status status;
    struct issued issued;
    struct err err;
    assert_fails(fleet_issue(&fleet, &someone, f->owner, &asked, &issued, &err), err,
                 ERR_UNAVAILABLE);
    const char *serial = rows_text(certificates_of(f, &start), 0, "serial");
    assert_works(fleet_certificate_status(f->fleet, serial, &status, &err), err);
    assert_false(status.is_known);
}

/* ---- racing ---- */

struct runner {
    struct certificate_asked asked;
    int64_t now;
    bool worked;
    bool is_refused;
    uint8_t der[2048];
    size_t size;
    struct err err;
};

static void run_for_it(struct fleet *fleet, void *context)
{
    struct runner *runner = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor someone = {
        .kind = ACTOR_PUBLIC, .id = "a", .name = "a", .request_id = "r", .now = runner->now};
    struct issued issued;
    runner->worked = fleet_issue(fleet, &someone, owner, &runner->asked, &issued, &runner->err);
    if (!runner->worked)
        return;
    runner->is_refused = issued.is_refused;
    runner->size = issued.der.size < sizeof(runner->der) ? issued.der.size : 0;
    if (runner->size > 0)
        memcpy(runner->der, issued.der.data, runner->size);
}

static void of_racing_requests_with_different_keys_one_wins(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct runner runners[4];
    int won = 0;
    for (size_t i = 0; i < COUNT(runners); i++)
        runners[i] = (struct runner){.asked = fixture_asked(f, &start, i), .now = f->now};
    fixture_race(f, run_for_it, runners, sizeof(runners[0]), COUNT(runners));
    for (size_t i = 0; i < COUNT(runners); i++) {
        assert_works(runners[i].worked, runners[i].err);
        won += !runners[i].is_refused;
    }
    assert_int_equal(won, 1);
    assert_int_equal(certificates_of(f, &start)->count, 1);
    assert_int_equal(fixture_events(f, "certificate.replay"), COUNT(runners) - 1);
}

static void a_request_sent_twice_at_once_gets_one_certificate_twice(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        struct enrolment_start start = fixture_start(f);
        struct runner runners[3];
        fixture_write(f, &SQL_FORGET_KEYS, NO_ARGS);
        for (size_t i = 0; i < COUNT(runners); i++)
            runners[i] = (struct runner){.asked = fixture_asked(f, &start, 0), .now = f->now};
        fixture_race(f, run_for_it, runners, sizeof(runners[0]), COUNT(runners));
        for (size_t i = 0; i < COUNT(runners); i++) {
            assert_works(runners[i].worked, runners[i].err);
            assert_false(runners[i].is_refused);
            assert_int_equal(runners[i].size, runners[0].size);
            assert_memory_equal(runners[i].der, runners[0].der, runners[0].size);
        }
        assert_int_equal(certificates_of(f, &start)->count, 1);
    }
}

/* ---- the trace ---- */

/* proves-partly: 4g-4, 4g-5 */
static void the_trace_shows_the_seven_steps(void **state)
{
    struct fixture *f = *state;
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct phone phone = phone_certified(f, 0, "A");
    struct list list;
    struct err err;
    phone_authenticate(f, &phone);
    const char *id = rows_text(certificates_of(f, &phone.start), 0, "serial");
    assert_works(fleet_certificate_trace(f->fleet, &auditor, f->owner, id, &list, &err), err);
    const struct certificate_step *steps = list.items;
    assert_int_equal(list.count, 7);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(steps[i].step, i + 1);
        assert_string_equal(steps[i].outcome, "ok");
        assert_string_equal(steps[i].title, certificate_step_titles[i + 1]);
    }
}

FLEET_MAIN(FLEET_TEST(a_right_request_gets_its_certificate),
           FLEET_TEST(of_a_request_its_digest_is_kept),
           FLEET_TEST(key_usage_and_eku_may_be_left_out),
           FLEET_TEST(a_lost_answer_can_be_asked_for_again),
           FLEET_TEST(a_used_challenge_serves_no_other_key),
           FLEET_TEST(a_revoked_certificate_is_not_handed_out_again),
           FLEET_TEST(an_unknown_challenge_is_refused),
           FLEET_TEST(an_expired_challenge_is_refused_and_stays_so),
           FLEET_TEST(the_challenge_of_an_ended_enrolment_is_refused),
           FLEET_TEST(three_differing_requests_burn_a_challenge),
           FLEET_TEST(a_device_may_correct_itself),
           FLEET_TEST(each_difference_is_refused_and_recorded),
           FLEET_TEST(a_key_certified_for_somebody_else_is_refused),
           FLEET_TEST(nothing_is_used_up_while_keyd_is_away),
           FLEET_TEST(a_crash_between_reserving_and_signing_is_made_good),
           FLEET_TEST(a_reserved_certificate_is_not_known_to_anybody),
           FLEET_TEST(of_racing_requests_with_different_keys_one_wins),
           FLEET_TEST(a_request_sent_twice_at_once_gets_one_certificate_twice),
           FLEET_TEST(the_trace_shows_the_seven_steps))
