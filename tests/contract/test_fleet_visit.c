/* SPDX-License-Identifier: Apache-2.0 */
/* People who sign in to enrol a device: what they are led through, and what ends it. */
#include "fleet/visit.h"

#include "fleet/link.h"
#include "fleet/terms.h"
#include "fleet/user.h"
#include "tests/contract/fleet_fixture.h"

#define CHOSEN "a long enough phrase"
#define DOOR "page"

struct guest {
    struct user user;
    char *once; /* password */
};

static struct guest guest_make(struct fixture *f, const char *name)
{
    struct actor admin = fixture_admin(f);
    const struct user wish = {.name = mem_text(f->owner, name)};
    struct guest guest;
    struct err err;
    assert_works(
        fleet_user_create(f->fleet, &admin, f->owner, &wish, &guest.user, &guest.once, &err), err);
    return guest;
}

static bool sign_in_from(struct fixture *f, const char *peer, const char *name,
                         const char *password, char **secret, struct err *err)
{
    struct actor nobody = fixture_public(f);
    const struct visit_wish wish = {name, password, peer, DOOR};
    return fleet_visit_begin(f->fleet, &nobody, f->owner, &wish, secret, err);
}

static char *sign_in(struct fixture *f, const char *name, const char *password)
{
    char *secret;
    struct err err;
    assert_works(sign_in_from(f, "192.0.2.1", name, password, &secret, &err), err);
    return secret;
}

static bool find_at(struct fixture *f, const char *door, const char *secret, struct visit *out,
                    struct err *err)
{
    const struct visit_wish wish = {.way = door};
    return fleet_visit_find(f->fleet, f->owner, &wish, secret, f->now, out, err);
}

static struct visit find(struct fixture *f, const char *secret)
{
    struct visit visit;
    struct err err;
    assert_works(find_at(f, DOOR, secret, &visit, &err), err);
    return visit;
}

static void assert_ended(struct fixture *f, const char *secret)
{
    struct visit visit;
    struct err err;
    assert_fails(find_at(f, DOOR, secret, &visit, &err), err, ERR_UNAUTHENTICATED);
}

static bool choose(struct fixture *f, const struct visit *visit, const char *password,
                   struct err *err)
{
    struct actor actor = fleet_visit_actor(visit, NULL, f->now);
    return fleet_visit_password(f->fleet, &actor, visit, password, err);
}

static bool accept(struct fixture *f, const struct visit *visit, int64_t version, struct err *err)
{
    struct actor actor = fleet_visit_actor(visit, NULL, f->now);
    return fleet_visit_accept(f->fleet, &actor, visit, version, err);
}

static bool own(struct fixture *f, const struct visit *visit, struct err *err)
{
    struct actor actor = fleet_visit_actor(visit, NULL, f->now);
    return fleet_visit_own(f->fleet, &actor, visit, OWNERSHIP_PERSONAL, err);
}

static bool end(struct fixture *f, const struct visit *visit, char **token, struct err *err)
{
    struct actor actor = fleet_visit_actor(visit, NULL, f->now);
    return fleet_visit_end(f->fleet, &actor, f->owner, visit, MODE_DEVICE, token, err);
}

static int64_t terms_make(struct fixture *f, const char *title)
{
    struct actor admin = fixture_admin(f);
    const struct terms wish = {.title = mem_text(f->owner, title),
                               .body = mem_text(f->owner, "Be kind to your phone.")};
    struct terms terms;
    struct err err;
    assert_works(fleet_terms_create(f->fleet, &admin, f->owner, &wish, &terms, &err), err);
    return terms.version;
}

/* A person with a password of their own who has accepted what there is and said whose it is. */
static char *ready(struct fixture *f, const char *name)
{
    struct guest guest = guest_make(f, name);
    char *secret = sign_in(f, name, guest.once);
    struct visit visit = find(f, secret);
    struct err err;
    assert_works(choose(f, &visit, CHOSEN, &err), err);
    visit = find(f, secret);
    if (visit.step == VISIT_TERMS)
        assert_works(accept(f, &visit, visit.terms.version, &err), err);
    assert_works(own(f, &visit, &err), err);
    return secret;
}

/* ---- tests ---- */

static void a_person_is_led_from_step_to_step(void **state)
{
    struct fixture *f = *state;
    struct guest anna = guest_make(f, "anna");
    int64_t version = terms_make(f, "Phones");
    char *token = NULL, *secret = sign_in(f, "ANNA", anna.once);
    struct visit visit = find(f, secret);
    struct err err;
    assert_int_equal(visit.step, VISIT_PASSWORD);
    assert_fails(choose(f, &visit, anna.once, &err), err, ERR_BAD_INPUT);
    assert_fails(choose(f, &visit, "short", &err), err, ERR_BAD_INPUT);
    assert_works(choose(f, &visit, CHOSEN, &err), err);
    visit = find(f, secret);
    assert_int_equal(visit.step, VISIT_TERMS);
    assert_string_equal(visit.terms.title, "Phones");
    assert_works(accept(f, &visit, version, &err), err);
    visit = find(f, secret);
    assert_int_equal(visit.step, VISIT_OWNERSHIP);
    assert_fails(end(f, &visit, &token, &err), err, ERR_PRECONDITION);
    assert_works(own(f, &visit, &err), err);
    visit = find(f, secret);
    assert_int_equal(visit.step, VISIT_READY);
    assert_works(end(f, &visit, &token, &err), err);
    assert_true(strlen(token) > 20);
    assert_ended(f, secret);
    assert_fails(end(f, &visit, &token, &err), err, ERR_CONFLICT);
    assert_int_equal(find(f, sign_in(f, "anna", CHOSEN)).step,
                     VISIT_OWNERSHIP); /* of each device */
}

static void nobody_learns_which_part_was_wrong(void **state)
{
    struct fixture *f = *state;
    struct guest anna = guest_make(f, "anna");
    struct guest gone = guest_make(f, "gone");
    struct actor admin = fixture_admin(f);
    struct user out;
    char *secret;
    struct err err;
    assert_works(fleet_user_disable(f->fleet, &admin, f->owner, gone.user.id, &out, &err), err);
    const char *const tries[][2] = {
        {"anna", "wrong"}, {"nobody", anna.once}, {"gone", gone.once}, {"", ""}};
    for (size_t i = 0; i < COUNT(tries); i++) {
        char *peer = mem_format(f->owner, "192.0.2.%zu", i + 1);
        assert_fails(sign_in_from(f, peer, tries[i][0], tries[i][1], &secret, &err), err,
                     ERR_UNAUTHENTICATED);
        assert_string_equal(err.text, "name or password is wrong");
    }
}

static void guessing_is_slowed_down_and_does_no_harm_to_the_one_who_knows(void **state)
{
    struct fixture *f = *state;
    struct guest anna = guest_make(f, "anna");
    (void)sign_in(f, "anna", anna.once); /* from here she is known */
    char *secret;
    struct err err = {0};
    size_t wrong = 0;
    for (; wrong < 100 && err.kind != ERR_TOO_MANY; wrong++)
        assert_false(sign_in_from(f, "198.51.100.7", "anna", "guess", &secret, &err));
    assert_in_range(wrong, 2, 20);
    assert_fails(sign_in_from(f, "198.51.100.7", "anna", anna.once, &secret, &err), err,
                 ERR_TOO_MANY);
    assert_works(sign_in_from(f, "192.0.2.1", "anna", anna.once, &secret, &err), err);
}

static void a_visit_lasts_minutes_and_is_good_at_its_own_door(void **state)
{
    struct fixture *f = *state;
    struct guest anna = guest_make(f, "anna");
    char *secret = sign_in(f, "anna", anna.once);
    struct visit visit;
    struct err err;
    assert_fails(find_at(f, "account", secret, &visit, &err), err, ERR_UNAUTHENTICATED);
    assert_fails(find_at(f, DOOR, "somebody else's", &visit, &err), err, ERR_UNAUTHENTICATED);
    f->now += VISIT_SECONDS - 1;
    (void)find(f, secret);
    f->now += 1;
    assert_ended(f, secret);
}

static void a_disabled_person_goes_no_further(void **state)
{
    struct fixture *f = *state;
    char *token, *secret = ready(f, "anna");
    struct visit visit = find(f, secret);
    struct actor admin = fixture_admin(f);
    struct user out;
    struct err err;
    assert_works(fleet_user_disable(f->fleet, &admin, f->owner, visit.user.id, &out, &err), err);
    assert_ended(f, secret);
    assert_false(end(f, &visit, &token, &err)); /* what was read before helps nobody */
}

static void newer_terms_are_asked_for_again(void **state)
{
    struct fixture *f = *state;
    int64_t first = terms_make(f, "Phones");
    char *token, *secret = ready(f, "anna");
    struct visit before = find(f, secret), visit;
    struct err err;
    assert_int_equal(before.step, VISIT_READY);
    int64_t second = terms_make(f, "Phones and tablets");
    assert_true(second > first);
    visit = find(f, secret);
    assert_int_equal(visit.step, VISIT_TERMS);
    assert_int_equal(visit.terms.version, second);
    assert_fails(end(f, &before, &token, &err), err, ERR_PRECONDITION);
    assert_fails(accept(f, &visit, first, &err), err, ERR_CONFLICT);
    assert_works(accept(f, &visit, second, &err), err);
    assert_int_equal(find(f, secret).step, VISIT_READY);
}

static void withdrawn_terms_are_asked_of_nobody(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    int64_t first = terms_make(f, "Phones");
    char *secret = ready(f, "anna");
    int64_t second = terms_make(f, "Too strict");
    struct terms terms;
    struct err err;
    assert_works(fleet_terms_withdraw(f->fleet, &admin, f->owner, second, &terms, &err), err);
    assert_true(terms.withdrawn_at > 0);
    assert_fails(fleet_terms_withdraw(f->fleet, &admin, f->owner, second, &terms, &err), err,
                 ERR_CONFLICT);
    assert_int_equal(find(f, secret).step, VISIT_READY); /* the first was accepted */
    struct page page = {.limit = 10};
    struct list list;
    assert_works(fleet_terms_acceptances(f->fleet, &admin, f->owner, first, &page, &list, &err),
                 err);
    assert_int_equal(list.count, 1);
    assert_string_equal(((struct terms_acceptance *)list.items)->user_name, "anna");
}

static void only_administrators_write_terms(void **state)
{
    struct fixture *f = *state;
    struct actor desk = fixture_account(f, ROLE_HELP_DESK);
    const struct terms wish = {.title = mem_text(f->owner, "Mine"),
                               .body = mem_text(f->owner, "All.")};
    struct terms terms;
    struct err err;
    int64_t version = terms_make(f, "Phones");
    assert_fails(fleet_terms_create(f->fleet, &desk, f->owner, &wish, &terms, &err), err,
                 ERR_FORBIDDEN);
    assert_fails(fleet_terms_withdraw(f->fleet, &desk, f->owner, version, &terms, &err), err,
                 ERR_FORBIDDEN);
}

static void a_form_belongs_to_its_visit(void **state)
{
    struct fixture *f = *state;
    struct guest anna = guest_make(f, "anna");
    char *one = sign_in(f, "anna", anna.once), *other = sign_in(f, "anna", anna.once);
    char *forms[3];
    struct err err;
    assert_works(fleet_visit_form(f->fleet, f->owner, one, &forms[0], &err), err);
    assert_works(fleet_visit_form(f->fleet, f->owner, one, &forms[1], &err), err);
    assert_works(fleet_visit_form(f->fleet, f->owner, other, &forms[2], &err), err);
    assert_string_equal(forms[0], forms[1]);
    assert_string_not_equal(forms[0], forms[2]);
}

FLEET_MAIN(FLEET_TEST(a_person_is_led_from_step_to_step),
           FLEET_TEST(nobody_learns_which_part_was_wrong),
           FLEET_TEST(guessing_is_slowed_down_and_does_no_harm_to_the_one_who_knows),
           FLEET_TEST(a_visit_lasts_minutes_and_is_good_at_its_own_door),
           FLEET_TEST(a_disabled_person_goes_no_further),
           FLEET_TEST(newer_terms_are_asked_for_again),
           FLEET_TEST(withdrawn_terms_are_asked_of_nobody),
           FLEET_TEST(only_administrators_write_terms), FLEET_TEST(a_form_belongs_to_its_visit))
