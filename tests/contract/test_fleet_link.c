/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/fleet_fixture.h"

static struct enrolment_link make_link(struct fixture *f, int64_t expires_at, char **token)
{
    struct actor admin = fixture_admin(f);
    struct enrolment_link link, wish = {.name = mem_text(f->owner, "for Anna"),
                                        .ownership = OWNERSHIP_PERSONAL,
                                        .expires_at = expires_at};
    struct err err;
    assert_works(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, token, &err), err);
    return link;
}

static bool start(struct fleet *fleet, void *owner, const char *token, int64_t now, struct err *err)
{
    struct actor someone = {
        .kind = ACTOR_PUBLIC, .id = "a", .name = "a", .request_id = "r", .now = now};
    struct enrolment_start out;
    return fleet_enrolment_start(fleet, &someone, owner, token, "apple", &out, err);
}

/* What everybody hears who brings a link that is not usable. */
static const char *refusal(struct fixture *f, const char *token)
{
    struct err check, use;
    enum ownership whose;
    assert_fails(fleet_link_check(f->fleet, token, f->now, &whose, &check), check, ERR_NOT_FOUND);
    assert_fails(start(f->fleet, f->owner, token, f->now, &use), use, ERR_NOT_FOUND);
    assert_string_equal(check.text, use.text);
    return mem_text(f->owner, use.text);
}

static struct rows *refusals_of(struct fixture *f)
{
    return fixture_look(f, &SQL_LOOK_REFUSALS, ARGS(TEXT("enrolment_link.refused")));
}

/* proves-partly: 4c-5 */
static void a_link_serves_once(void **state)
{
    struct fixture *f = *state;
    char *token;
    enum ownership whose = OWNERSHIP_PERSONAL;
    struct err err;
    make_link(f, 0, &token);
    assert_works(fleet_link_check(f->fleet, token, f->now, &whose, &err), err);
    assert_works(fleet_link_check(f->fleet, token, f->now, &whose, &err), err);
    assert_works(start(f->fleet, f->owner, token, f->now, &err), err);
    (void)refusal(f, token);
    assert_int_equal(fixture_look(f, &SQL_LOOK_ENROLMENTS, NO_ARGS)->count, 1);
}

static void a_link_ends_with_its_time(void **state)
{
    struct fixture *f = *state;
    char *token;
    enum ownership whose;
    struct err err;
    make_link(f, f->now + 100, &token);
    f->now += 99;
    assert_works(fleet_link_check(f->fleet, token, f->now, &whose, &err), err);
    f->now += 1;
    (void)refusal(f, token);
}

static void a_link_without_a_wish_ends_after_the_configured_time(void **state)
{
    struct fixture *f = *state;
    char *token;
    assert_int_equal(make_link(f, 0, &token).expires_at, f->now + f->settings.link_seconds);
}

static void a_link_ends_within_a_year_and_not_in_the_past(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    const int64_t bad[] = {f->now, f->now - 1, f->now + 366 * 86400};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct enrolment_link link, wish = {.expires_at = bad[i]};
        char *token;
        struct err err;
        assert_fails(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err,
                     ERR_BAD_INPUT);
        assert_string_equal(err.where, "/expires_at");
    }
}

static void a_revoked_link_serves_nobody(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    char *token;
    struct err err;
    struct enrolment_link link = make_link(f, 0, &token);
    assert_works(fleet_link_revoke(f->fleet, &admin, link.id, &err), err);
    (void)refusal(f, token);
    assert_fails(fleet_link_revoke(f->fleet, &admin, link.id, &err), err, ERR_CONFLICT);
}

static void a_used_link_cannot_be_revoked(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    char *token;
    struct err err;
    struct enrolment_link link = make_link(f, 0, &token);
    assert_works(start(f->fleet, f->owner, token, f->now, &err), err);
    assert_fails(fleet_link_revoke(f->fleet, &admin, link.id, &err), err, ERR_CONFLICT);
    assert_int_equal(
        rows_integer(fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("enrolment_link.revoke"))), 0,
                     "count"),
        0);
}

static void used_expired_revoked_and_unknown_links_are_refused_alike(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    char *used, *expired, *revoked;
    struct err err;
    make_link(f, f->now + 1, &expired);
    make_link(f, 0, &used);
    struct enrolment_link link = make_link(f, 0, &revoked);
    assert_works(start(f->fleet, f->owner, used, f->now, &err), err);
    assert_works(fleet_link_revoke(f->fleet, &admin, link.id, &err), err);
    f->now += 1;
    const char *unknown = refusal(f, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_string_equal(refusal(f, used), unknown);
    assert_string_equal(refusal(f, expired), unknown);
    assert_string_equal(refusal(f, revoked), unknown);
    assert_string_equal(refusal(f, ""), unknown);
}

static void who_comes_with_a_link_that_is_over_is_noted(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    char *used, *revoked;
    struct err err;
    struct enrolment_link first = make_link(f, 0, &used), second = make_link(f, 0, &revoked);
    assert_works(start(f->fleet, f->owner, used, f->now, &err), err);
    assert_works(fleet_link_revoke(f->fleet, &admin, second.id, &err), err);
    assert_int_equal(refusals_of(f)->count, 0);
    (void)refusal(f, used);
    (void)refusal(f, used);
    struct rows *rows = refusals_of(f);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "subject"), first.id);
    assert_int_equal(rows_integer(rows, 0, "count"), 2);
    assert_non_null(strstr(rows_text(rows, 0, "detail"), "it was used before"));
    (void)refusal(f, revoked);
    (void)refusal(f, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"); /* a guess */
    assert_int_equal(refusals_of(f)->count, 2);
}

struct runner {
    const char *token;
    int64_t now;
    bool won;
    struct err err;
};

static void run_for_it(struct fleet *fleet, void *context)
{
    struct runner *runner = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    runner->won = start(fleet, owner, runner->token, runner->now, &runner->err);
}

static void of_racing_uses_one_wins(void **state)
{
    struct fixture *f = *state;
    for (int round = 1; round <= 5; round++) {
        struct runner runners[4];
        int won = 0;
        char *token = fixture_link(f);
        for (size_t i = 0; i < COUNT(runners); i++)
            runners[i] = (struct runner){.token = token, .now = f->now};
        fixture_race(f, run_for_it, runners, sizeof(runners[0]), COUNT(runners));
        for (size_t i = 0; i < COUNT(runners); i++) {
            won += runners[i].won;
            if (!runners[i].won)
                assert_int_equal(runners[i].err.kind, ERR_NOT_FOUND);
        }
        assert_int_equal(won, 1);
        assert_int_equal(fixture_look(f, &SQL_LOOK_ENROLMENTS, NO_ARGS)->count, round);
    }
}

static void the_secret_of_a_link_is_not_in_the_database(void **state)
{
    struct fixture *f = *state;
    char *token;
    struct enrolment_link link = make_link(f, 0, &token);
    struct rows *rows = fixture_look(f, &SQL_LOOK_LINK, ARGS(TEXT(link.id)));
    assert_int_equal(strlen(token), 32);
    assert_string_not_equal(rows_text(rows, 0, "id"), token);
    assert_int_equal(rows_value(rows, 0, "mac")->bytes.size, 32);
    assert_string_equal(rows_text(rows, 0, "name"), "for Anna");
    assert_string_equal(rows_text(rows, 0, "created_by"), "administrator");
}

static void links_are_listed_newest_first_page_by_page(void **state)
{
    struct fixture *f = *state;
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct enrolment_link links[3];
    struct list list;
    struct err err;
    char *token;
    for (size_t i = 0; i < COUNT(links); i++)
        links[i] = make_link(f, 0, &token);
    struct page page = {.limit = 2};
    assert_works(fleet_link_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    const struct enrolment_link *items = list.items;
    assert_int_equal(list.count, 2);
    assert_string_equal(items[0].id, links[2].id);
    assert_int_equal(items[0].ownership, OWNERSHIP_PERSONAL);
    assert_string_equal(items[1].id, links[1].id);
    page.cursor = list.next;
    assert_works(fleet_link_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 1);
    assert_string_equal(((struct enrolment_link *)list.items)->id, links[0].id);
    assert_null(list.next);
}

FLEET_MAIN(FLEET_TEST(a_link_serves_once), FLEET_TEST(a_link_ends_with_its_time),
           FLEET_TEST(a_link_without_a_wish_ends_after_the_configured_time),
           FLEET_TEST(a_link_ends_within_a_year_and_not_in_the_past),
           FLEET_TEST(a_revoked_link_serves_nobody), FLEET_TEST(a_used_link_cannot_be_revoked),
           FLEET_TEST(used_expired_revoked_and_unknown_links_are_refused_alike),
           FLEET_TEST(who_comes_with_a_link_that_is_over_is_noted),
           FLEET_TEST(of_racing_uses_one_wins),
           FLEET_TEST(the_secret_of_a_link_is_not_in_the_database),
           FLEET_TEST(links_are_listed_newest_first_page_by_page))
