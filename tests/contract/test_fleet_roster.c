/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: made, given another role, ended. */
#include "fleet/roster.h"

#include "fleet/account.h"
#include "tests/contract/fleet_fixture.h"

#define PASSWORD "correct horse battery"

static struct account create(struct fixture *f, const char *name, enum role role, char **password)
{
    struct actor admin = fixture_admin(f);
    const struct account wish = {.name = mem_text(f->owner, name), .role = role};
    struct account account;
    struct err err;
    assert_works(fleet_account_create(f->fleet, &admin, f->owner, &wish, &account, password, &err),
                 err);
    assert_string_equal(account.name, name);
    assert_int_equal(account.role, role);
    return account;
}

static bool sign_in(struct fixture *f, const char *name, const char *password, const char *new,
                    struct session *out, struct err *err)
{
    struct actor someone = fixture_public(f);
    const struct sign_in wish = {name, password, new, "192.0.2.7"};
    return fleet_sign_in(f->fleet, &someone, f->owner, &wish, out, err);
}

struct person { /* signed in, with a token for a script */
    struct account account;
    struct session session, token;
};

static struct person person_make(struct fixture *f, const char *name, enum role role)
{
    char *password;
    struct person person = {.account = create(f, name, role, &password)};
    struct actor actor;
    struct err err;
    assert_works(sign_in(f, name, password, PASSWORD, &person.session, &err), err);
    assert_works(fleet_token_actor(f->fleet, f->owner, person.session.secret, f->now, &actor, &err),
                 err);
    if (role != ROLE_ADMINISTRATOR)
        return person;
    const struct token wish = {.name = mem_text(f->owner, "script"), .role = role};
    assert_works(fleet_token_create(f->fleet, &actor, f->owner, &wish, &person.token, &err), err);
    return person;
}

static bool is_known(struct fixture *f, const struct session *session, struct actor *out)
{
    struct err err;
    return fleet_token_actor(f->fleet, f->owner, session->secret, f->now, out, &err);
}

static bool disable(struct fixture *f, const char *which, struct err *err)
{
    struct actor admin = fixture_admin(f);
    struct account account;
    return fleet_account_disable(f->fleet, &admin, f->owner, which, &account, err);
}

static bool set_role(struct fixture *f, const char *which, enum role role, struct err *err)
{
    struct actor admin = fixture_admin(f);
    struct account account;
    return fleet_account_set_role(f->fleet, &admin, f->owner, which, role, &account, err);
}

static int64_t audited(struct fixture *f, const char *action)
{
    return rows_integer(fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT(action))), 0, "count");
}

/* proves-partly: 4c-33 */
static void an_account_is_made_with_a_password_for_one_time(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    char *password;
    struct session session;
    struct account again;
    struct err err;
    struct account anna = create(f, "anna", ROLE_HELP_DESK, &password);
    assert_true(anna.must_change);
    assert_fails(sign_in(f, "anna", password, NULL, &session, &err), err, ERR_PRECONDITION);
    assert_works(sign_in(f, "anna", password, PASSWORD, &session, &err), err);
    assert_int_equal(session.token.role, ROLE_HELP_DESK);
    const struct account wish = {.name = mem_text(f->owner, "anna"), .role = ROLE_ADMINISTRATOR};
    assert_fails(fleet_account_create(f->fleet, &admin, f->owner, &wish, &again, &password, &err),
                 err, ERR_CONFLICT);
    assert_string_equal(err.where, "/name");
    assert_int_equal(audited(f, "account.create"), 1);
}

/* proves-partly: 4c-33 */
static void sessions_and_tokens_end_with_the_account(void **state)
{
    struct fixture *f = *state;
    struct person anna = person_make(f, "anna", ROLE_ADMINISTRATOR);
    struct person bert = person_make(f, "bert", ROLE_ADMINISTRATOR);
    struct actor who, admin = fixture_admin(f);
    struct account account;
    struct session session;
    struct err err;
    assert_works(disable(f, "anna", &err), err);
    assert_false(is_known(f, &anna.session, &who));
    assert_false(is_known(f, &anna.token, &who));
    assert_true(is_known(f, &bert.session, &who));
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_fails(disable(f, anna.account.id, &err), err, ERR_PRECONDITION);
    assert_works(fleet_account_enable(f->fleet, &admin, f->owner, anna.account.id, &account, &err),
                 err);
    assert_int_equal(account.disabled_at, 0);
    assert_false(is_known(f, &anna.session, &who)); /* what ended does not come back */
    assert_false(is_known(f, &anna.token, &who));
    assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
    assert_int_equal(audited(f, "account.disable"), 1);
    assert_int_equal(audited(f, "account.enable"), 1);
}

static void another_role_ends_what_the_old_one_opened(void **state)
{
    struct fixture *f = *state;
    struct person anna = person_make(f, "anna", ROLE_ADMINISTRATOR);
    (void)person_make(f, "bert", ROLE_ADMINISTRATOR);
    struct actor who;
    struct session session;
    struct err err;
    assert_works(set_role(f, "anna", ROLE_AUDITOR, &err), err);
    assert_false(is_known(f, &anna.session, &who));
    assert_false(is_known(f, &anna.token, &who));
    assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
    assert_int_equal(session.token.role, ROLE_AUDITOR);
    assert_int_equal(audited(f, "account.role"), 1);
    assert_works(set_role(f, "anna", ROLE_AUDITOR, &err), err);
    assert_true(is_known(f, &session, &who)); /* nothing changed, nothing ended */
}

/* One that was written while the role changed must not keep the old one. */
static void no_token_can_do_more_than_its_account(void **state)
{
    static const enum role expected[3][3] = {/* of the account, of the token */
                                             {ROLE_ADMINISTRATOR, ROLE_HELP_DESK, ROLE_AUDITOR},
                                             {ROLE_HELP_DESK, ROLE_HELP_DESK, ROLE_AUDITOR},
                                             {ROLE_AUDITOR, ROLE_AUDITOR, ROLE_AUDITOR}};
    struct fixture *f = *state;
    struct person anna = person_make(f, "anna", ROLE_ADMINISTRATOR);
    for (enum role account = ROLE_ADMINISTRATOR; account <= ROLE_AUDITOR; account++) {
        for (enum role token = ROLE_ADMINISTRATOR; token <= ROLE_AUDITOR; token++) {
            struct actor who;
            fixture_write(f, &SQL_TAMPER_ACCOUNT_ROLES, ARGS(TEXT(role_names[account])));
            fixture_write(f, &SQL_TAMPER_TOKEN_ROLES, ARGS(TEXT(role_names[token])));
            assert_true(is_known(f, &anna.token, &who));
            assert_int_equal(who.role, expected[account][token]);
        }
    }
}

static void the_last_enabled_administrator_stays(void **state)
{
    struct fixture *f = *state;
    struct person anna = person_make(f, "anna", ROLE_ADMINISTRATOR);
    (void)person_make(f, "bert", ROLE_ADMINISTRATOR);
    (void)person_make(f, "carl", ROLE_HELP_DESK);
    const struct actor system = fleet_system_actor(f->now);
    struct account account;
    struct actor who;
    struct err err;
    assert_works(disable(f, "bert", &err), err);
    assert_fails(disable(f, "anna", &err), err, ERR_PRECONDITION);
    assert_non_null(err.remedy);
    assert_fails(set_role(f, "anna", ROLE_HELP_DESK, &err), err, ERR_PRECONDITION);
    assert_fails(fleet_account_disable(f->fleet, &system, f->owner, "anna", &account, &err), err,
                 ERR_PRECONDITION);
    assert_true(is_known(f, &anna.session, &who));
    assert_works(disable(f, "carl", &err), err);
    assert_works(set_role(f, "bert", ROLE_AUDITOR, &err), err); /* disabled: counts for nothing */
}

struct duel {
    const char *other;
    int64_t now;
    bool won;
};

static void disable_the_other(struct fleet *fleet, void *context)
{
    struct duel *duel = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct actor actor = fleet_system_actor(duel->now);
    struct account account;
    struct err err;
    duel->won = fleet_account_disable(fleet, &actor, owner, duel->other, &account, &err);
}

static void two_who_disable_each_other_leave_one(void **state)
{
    struct fixture *f = *state;
    char *password;
    (void)create(f, "anna", ROLE_ADMINISTRATOR, &password);
    (void)create(f, "bert", ROLE_ADMINISTRATOR, &password);
    struct duel duels[] = {{"anna", f->now, false}, {"bert", f->now, false}};
    fixture_race(f, disable_the_other, duels, sizeof(duels[0]), COUNT(duels));
    assert_int_equal(duels[0].won + duels[1].won, 1);
}

static void a_disabled_account_gets_no_new_password(void **state)
{
    struct fixture *f = *state;
    const struct actor system = fleet_system_actor(f->now);
    char *password;
    struct err err;
    (void)create(f, "anna", ROLE_ADMINISTRATOR, &password);
    (void)create(f, "bert", ROLE_ADMINISTRATOR, &password);
    assert_works(disable(f, "anna", &err), err);
    assert_fails(fleet_account_reset(f->fleet, &system, f->owner, "anna", NULL, &password, &err),
                 err, ERR_PRECONDITION);
}

static void a_given_password_ends_what_the_old_one_opened(void **state)
{
    struct fixture *f = *state;
    struct person anna = person_make(f, "anna", ROLE_ADMINISTRATOR);
    struct person bert = person_make(f, "bert", ROLE_ADMINISTRATOR);
    struct actor who, admin, auditor = fixture_account(f, ROLE_AUDITOR);
    struct account account;
    struct session session;
    char *password;
    struct err err;
    assert_true(is_known(f, &bert.session, &admin));
    assert_fails(fleet_account_give_password(f->fleet, &auditor, f->owner, "anna", &account,
                                             &password, &err),
                 err, ERR_FORBIDDEN);
    assert_works(
        fleet_account_give_password(f->fleet, &admin, f->owner, "anna", &account, &password, &err),
        err);
    assert_true(account.must_change);
    assert_false(is_known(f, &anna.session, &who));
    assert_false(is_known(f, &anna.token, &who));
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_fails(sign_in(f, "anna", password, NULL, &session, &err), err, ERR_PRECONDITION);
    assert_works(sign_in(f, "anna", password, PASSWORD, &session, &err), err);
    assert_int_equal(audited(f, "account.reset"), 1);
    assert_fails(
        fleet_account_give_password(f->fleet, &admin, f->owner, "bert", &account, &password, &err),
        err, ERR_PRECONDITION);
    assert_works(disable(f, "anna", &err), err);
    assert_fails(
        fleet_account_give_password(f->fleet, &admin, f->owner, "anna", &account, &password, &err),
        err, ERR_PRECONDITION);
}

static void accounts_are_listed_and_found(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 2};
    struct account found;
    struct list list;
    char *password;
    struct err err;
    struct account anna = create(f, "anna", ROLE_AUDITOR, &password);
    (void)create(f, "bert", ROLE_AUDITOR, &password);
    struct account imposter = create(f, anna.id, ROLE_AUDITOR, &password);
    assert_works(fleet_account_list(f->fleet, &admin, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 2);
    assert_non_null(list.next);
    assert_works(fleet_account_get(f->fleet, &admin, f->owner, anna.id, &found, &err), err);
    assert_string_equal(found.name, "anna"); /* a name never hides an identifier */
    assert_works(fleet_account_get(f->fleet, &admin, f->owner, imposter.id, &found, &err), err);
    assert_fails(fleet_account_get(f->fleet, &admin, f->owner, "carl", &found, &err), err,
                 ERR_NOT_FOUND);
}

FLEET_MAIN(FLEET_TEST(a_given_password_ends_what_the_old_one_opened),
           FLEET_TEST(an_account_is_made_with_a_password_for_one_time),
           FLEET_TEST(sessions_and_tokens_end_with_the_account),
           FLEET_TEST(another_role_ends_what_the_old_one_opened),
           FLEET_TEST(no_token_can_do_more_than_its_account),
           FLEET_TEST(the_last_enabled_administrator_stays),
           FLEET_TEST(two_who_disable_each_other_leave_one),
           FLEET_TEST(a_disabled_account_gets_no_new_password),
           FLEET_TEST(accounts_are_listed_and_found))
