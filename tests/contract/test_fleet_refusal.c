/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused is counted: a peer, or many, cannot fill the database. */
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/audit.h"
#include "fleet/certificate.h"
#include "fleet/refusal.h"
#include "fleet/upkeep.h"
#include "tests/contract/fleet_fixture.h"

#define HOUR 3600
#define DAY (24 * HOUR)
#define PASSWORD "correct horse battery"

/* A request with a challenge that nobody minted, or with another one. */
static void ask_from(struct fixture *f, const struct enrolment_start *start, const char *challenge,
                     const char *peer)
{
    struct actor stranger = fixture_public(f);
    struct certificate_asked asked = fixture_asked(f, start, 0);
    struct issued issued;
    struct err err;
    stranger.id = stranger.name = peer;
    asked.challenge = challenge;
    assert_works(fleet_issue(f->fleet, &stranger, f->owner, &asked, &issued, &err), err);
    assert_true(issued.is_refused);
}

static struct rows *refusals(struct fixture *f, const char *kind)
{
    return fixture_look(f, &SQL_LOOK_REFUSALS, ARGS(TEXT(kind)));
}

static int64_t counted(struct fixture *f, const char *kind)
{
    struct rows *rows = refusals(f, kind);
    int64_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += rows_integer(rows, i, "count");
    return count;
}

/* ---- strangers ---- */

static void a_stranger_who_asks_again_adds_to_a_number(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    for (int i = 0; i < 40; i++)
        ask_from(f, &start, "AAAA", "198.51.100.1");
    struct rows *rows = refusals(f, "certificate.refused");
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "count"), 40);
    assert_string_equal(rows_text(rows, 0, "peer"), "198.51.100.1");
    assert_string_equal(rows_text(rows, 0, "subject"), "");
    assert_non_null(strstr(rows_text(rows, 0, "detail"), "the challenge is unknown"));
    assert_int_equal(fixture_events(f, "certificate.refused"), REFUSAL_EVENTS);
}

static void every_hour_counts_anew(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    int64_t begin = f->now;
    for (int i = 0; i < 10; i++)
        ask_from(f, &start, "AAAA", "198.51.100.1");
    f->now += HOUR;
    ask_from(f, &start, "AAAA", "198.51.100.1");
    struct rows *rows = refusals(f, "certificate.refused");
    assert_int_equal(rows->count, 2);
    assert_int_equal(rows_integer(rows, 0, "first_at"), begin);
    assert_int_equal(rows_integer(rows, 0, "last_at"), begin);
    assert_int_equal(rows_integer(rows, 1, "first_at"), begin + HOUR);
    assert_int_equal(fixture_events(f, "certificate.refused"), REFUSAL_EVENTS + 1);
}

static void many_addresses_share_one_row_behind_the_limit(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    for (int i = 0; i < REFUSAL_PEERS + 20; i++)
        ask_from(f, &start, "AAAA", mem_format(f->owner, "198.51.100.%d", i));
    struct rows *rows = refusals(f, "certificate.refused");
    assert_int_equal(rows->count, REFUSAL_PEERS + 1);
    assert_string_equal(rows_text(rows, REFUSAL_PEERS, "peer"), "others");
    assert_int_equal(rows_integer(rows, REFUSAL_PEERS, "count"), 20);
    assert_int_equal(fixture_events(f, "certificate.refused"), REFUSAL_PEERS + REFUSAL_EVENTS);
    ask_from(f, &start, "AAAA", "198.51.100.0"); /* one that has a row keeps it */
    rows = refusals(f, "certificate.refused");
    assert_int_equal(rows_integer(rows, 0, "count"), 2);
    assert_int_equal(rows_integer(rows, REFUSAL_PEERS, "count"), 20);
}

static void a_network_of_version_six_is_one_peer(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"2001:db8:1:2::7", "2001:db8:1:2::/64"},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::7", "2001:db8:1:3::/64"},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.7"},
        {"192.0.2.7", "192.0.2.7"},
        {"", "unknown"},
        {NULL, "unknown"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        char peer[REFUSAL_PEER_SIZE];
        refusal_peer(pairs[i][0], peer);
        assert_string_equal(peer, pairs[i][1]);
    }
}

struct asker {
    struct certificate_asked asked;
    int64_t now;
    bool worked;
    struct err err;
};

static void ask_at_once(struct fleet *fleet, void *context)
{
    struct asker *asker = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor stranger = {
        .kind = ACTOR_PUBLIC, .id = "a", .name = "a", .request_id = "r", .now = asker->now};
    struct issued issued;
    asker->worked = fleet_issue(fleet, &stranger, owner, &asker->asked, &issued, &asker->err);
}

static void requests_at_once_are_all_counted(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct asker askers[6];
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = (struct asker){.asked = fixture_asked(f, &start, 0), .now = f->now};
        askers[i].asked.challenge = "AAAA";
    }
    fixture_race(f, ask_at_once, askers, sizeof(askers[0]), COUNT(askers));
    for (size_t i = 0; i < COUNT(askers); i++)
        assert_works(askers[i].worked, askers[i].err);
    assert_int_equal(refusals(f, "certificate.refused")->count, 1);
    assert_int_equal(counted(f, "certificate.refused"), COUNT(askers));
}

/* Whoever has a challenge that is good no more can do no harm with it; the trace tells the last. */
static void a_trace_does_not_grow_without_end(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    f->now += f->settings.challenge_seconds;
    for (int i = 0; i < 80; i++)
        ask_from(f, &start, start.challenge, "198.51.100.1");
    f->now += HOUR;
    ask_from(f, &start, start.challenge, "198.51.100.9");
    struct rows *challenges = fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(start.enrolment_id)));
    const char *id = rows_text(challenges, 0, "id");
    assert_works(fleet_certificate_trace(f->fleet, &admin, f->owner, id, &list, &err), err);
    assert_in_range(list.count, 60, 62);
    const struct certificate_step *last = (const struct certificate_step *)list.items + list.count;
    assert_int_equal(last[-1].at, f->now);
    assert_non_null(strstr(last[-1].detail, "198.51.100.9"));
    struct rows *rows = refusals(f, "certificate.refused");
    assert_int_equal(rows->count, 2);
    assert_string_equal(rows_text(rows, 0, "subject"), id);
    assert_int_equal(counted(f, "certificate.refused"), 81);
}

/* ---- devices ---- */

static void a_device_that_answers_what_nobody_asked_is_counted_too(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    for (int i = 0; i < 20; i++)
        assert_int_equal(phone_answer(f, &phone, "never heard of", ANSWER_DONE), RESULT_UNKNOWN);
    assert_int_equal(fixture_events(f, "command.unknown"), REFUSAL_EVENTS);
    struct rows *rows = refusals(f, "command.unknown");
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "count"), 20);
    assert_string_equal(rows_text(rows, 0, "peer"), phone.enrolment_id);
}

/* ---- wrong sign-ins ---- */

static bool sign_in(struct fixture *f, const char *name, const char *password, const char *peer,
                    struct err *err)
{
    struct actor someone = fixture_public(f);
    struct session session;
    const struct sign_in wish = {
        .name = name, .password = password, .new_password = NULL, .peer = peer};
    return fleet_sign_in(f->fleet, &someone, f->owner, &wish, &session, err);
}

static void account_make(struct fixture *f, const char *name)
{
    struct actor system = fleet_system_actor(f->now), someone = fixture_public(f);
    struct sign_in wish = {.name = name, .new_password = PASSWORD, .peer = "192.0.2.7"};
    struct session session;
    char *password;
    struct err err;
    assert_works(fleet_account_reset(f->fleet, &system, f->owner, name, NULL, &password, &err),
                 err);
    wish.password = password;
    assert_works(fleet_sign_in(f->fleet, &someone, f->owner, &wish, &session, &err), err);
}

static void assert_nowhere(struct fixture *f, const char *secret)
{
    static const struct statement *const places[] = {&SQL_LOOK_REFUSALS_ALL, &SQL_LOOK_EVENTS,
                                                     &SQL_LOOK_AUDIT_ALL};
    for (size_t k = 0; k < COUNT(places); k++) {
        struct rows *rows = fixture_look(f, places[k], NO_ARGS);
        for (size_t i = 0; i < rows->count * rows->columns; i++)
            if (rows->values[i].type == VALUE_TEXT)
                assert_null(strstr(rows->values[i].text, secret));
    }
}

static void a_wrong_sign_in_is_counted_for_its_account(void **state)
{
    struct fixture *f = *state;
    struct err err;
    account_make(f, "anna");
    assert_int_equal(counted(f, "sign_in.refused"), 0);
    for (int i = 0; i < 4; i++)
        assert_fails(sign_in(f, "anna", "a wrong secret", "192.0.2.7", &err), err,
                     ERR_UNAUTHENTICATED);
    struct rows *rows = refusals(f, "sign_in.refused");
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "count"), 4);
    assert_string_equal(rows_text(rows, 0, "peer"), "192.0.2.7");
    assert_string_equal(rows_text(rows, 0, "subject"), "anna");
    assert_non_null(strstr(rows_text(rows, 0, "detail"), "the password is wrong"));
    assert_non_null(strstr(fixture_event(f, "sign_in.refused"), "anna"));
    assert_nowhere(f, "a wrong secret");
}

/* People type passwords where the name belongs. */
static void a_name_that_is_no_accounts_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct err err;
    account_make(f, "anna");
    for (int i = 0; i < 3; i++)
        assert_fails(sign_in(f, mem_format(f->owner, "my secret %d", i), "anna", "192.0.2.8", &err),
                     err, ERR_UNAUTHENTICATED);
    struct rows *rows = refusals(f, "sign_in.refused");
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "count"), 3);
    assert_string_equal(rows_text(rows, 0, "subject"), "");
    assert_nowhere(f, "my secret");
}

static void many_addresses_cannot_guess_one_password_for_long(void **state)
{
    struct fixture *f = *state;
    struct err err;
    account_make(f, "anna"); /* from 192.0.2.7 */
    account_make(f, "bert");
    static const char *const names[] = {"anna", "nobody"};
    for (size_t k = 0; k < COUNT(names); k++) {
        for (int i = 0; i < 60; i++)
            assert_fails(
                sign_in(f, names[k], "wrong", mem_format(f->owner, "198.51.100.%d", i), &err), err,
                ERR_UNAUTHENTICATED);
        /* whether it exists or not: the answer is the same */
        assert_fails(sign_in(f, names[k], PASSWORD, "203.0.113.1", &err), err, ERR_TOO_MANY);
    }
    assert_works(sign_in(f, "anna", PASSWORD, "192.0.2.7", &err), err); /* where she works */
    assert_works(sign_in(f, "bert", PASSWORD, "203.0.113.1", &err), err);
    f->now += 60;
    assert_works(sign_in(f, "anna", PASSWORD, "203.0.113.1", &err), err);
}

/* ---- reading it ---- */

static void refusals_are_for_those_who_read_the_audit(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct actor desk = fixture_account(f, ROLE_HELP_DESK);
    struct page page = {.limit = 2};
    struct list list;
    struct err err;
    for (int i = 1; i <= 3; i++)
        ask_from(f, &start, "AAAA", mem_format(f->owner, "198.51.100.%d", i));
    assert_fails(fleet_refusal_list(f->fleet, &desk, f->owner, &page, &list, &err), err,
                 ERR_FORBIDDEN);
    assert_works(fleet_refusal_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 2);
    assert_string_equal(((struct refusal *)list.items)->peer, "198.51.100.3");
    page.cursor = list.next;
    assert_works(fleet_refusal_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 1);
    assert_string_equal(((struct refusal *)list.items)->peer, "198.51.100.1");
    assert_null(list.next);
}

static void refusals_go_with_the_events(void **state)
{
    struct fixture *f = *state;
    struct enrolment_start start = fixture_start(f);
    struct err err;
    f->settings.retention.event_seconds = 90 * DAY;
    ask_from(f, &start, "AAAA", "198.51.100.1");
    f->now += 90 * DAY;
    ask_from(f, &start, "AAAA", "198.51.100.1");
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(refusals(f, "certificate.refused")->count, 2 - turn);
        f->now += 1;
        for (size_t i = 0; i < fleet_prune_rules(); i++) {
            struct pruned pruned;
            assert_works(fleet_prune(f->fleet, i, f->now, &pruned, &err), err);
        }
    }
    assert_int_equal(refusals(f, "certificate.refused")->count, 1);
}

FLEET_MAIN(FLEET_TEST(a_stranger_who_asks_again_adds_to_a_number),
           FLEET_TEST(every_hour_counts_anew),
           FLEET_TEST(many_addresses_share_one_row_behind_the_limit),
           FLEET_TEST(a_network_of_version_six_is_one_peer),
           FLEET_TEST(requests_at_once_are_all_counted),
           FLEET_TEST(a_trace_does_not_grow_without_end),
           FLEET_TEST(a_device_that_answers_what_nobody_asked_is_counted_too),
           FLEET_TEST(a_wrong_sign_in_is_counted_for_its_account),
           FLEET_TEST(a_name_that_is_no_accounts_is_not_kept),
           FLEET_TEST(many_addresses_cannot_guess_one_password_for_long),
           FLEET_TEST(refusals_are_for_those_who_read_the_audit),
           FLEET_TEST(refusals_go_with_the_events))
