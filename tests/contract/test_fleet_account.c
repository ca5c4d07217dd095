/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators: passwords, sessions, API tokens. */
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/roster.h"
#include "tests/contract/fleet_fixture.h"

#define PASSWORD "correct horse battery"

static char *reset(struct fixture *f, const char *name, enum role role)
{
    struct actor system = fleet_system_actor(f->now);
    char *password;
    struct err err;
    assert_works(
        fleet_account_reset(f->fleet, &system, f->owner, name, role_names[role], &password, &err),
        err);
    return password;
}

static bool sign_in(struct fixture *f, const char *name, const char *password, const char *new,
                    struct session *out, struct err *err)
{
    struct actor someone = fixture_public(f);
    struct sign_in wish = {
        .name = name, .password = password, .new_password = new, .peer = "192.0.2.7"};
    return fleet_sign_in(f->fleet, &someone, f->owner, &wish, out, err);
}

/* ---- what happens while somebody signs in: the program is linked with --wrap=keyd_mac, which is
 * asked between the look at the password and the session ---- */

bool __real_keyd_mac(struct keyd *keyd, enum keyd_mac use, struct bytes message, uint8_t out[32],
                     struct err *err);
bool __wrap_keyd_mac(struct keyd *keyd, enum keyd_mac use, struct bytes message, uint8_t out[32],
                     struct err *err);

static struct meanwhile {
    struct fixture *f;
    void (*happens)(struct fixture *f);
} meanwhile;
static size_t macs_asked;

bool __wrap_keyd_mac(struct keyd *keyd, enum keyd_mac use, struct bytes message, uint8_t out[32],
                     struct err *err)
{
    const struct meanwhile now = meanwhile;
    meanwhile = (struct meanwhile){0};
    macs_asked++;
    if (now.happens)
        now.happens(now.f);
    return __real_keyd_mac(keyd, use, message, out, err);
}

static void anna_is_reset(struct fixture *f)
{
    (void)reset(f, "anna", ROLE_ADMINISTRATOR);
}

static void anna_is_disabled(struct fixture *f)
{
    struct actor system = fleet_system_actor(f->now);
    struct account account;
    struct err err;
    assert_works(fleet_account_disable(f->fleet, &system, f->owner, "anna", &account, &err), err);
}

static void anna_is_disabled_and_enabled(struct fixture *f)
{
    struct actor system = fleet_system_actor(f->now);
    struct account account;
    struct err err;
    anna_is_disabled(f);
    assert_works(fleet_account_enable(f->fleet, &system, f->owner, "anna", &account, &err), err);
}

static void anna_gets_another_role(struct fixture *f)
{
    struct actor system = fleet_system_actor(f->now);
    struct account account;
    struct err err;
    assert_works(
        fleet_account_set_role(f->fleet, &system, f->owner, "anna", ROLE_AUDITOR, &account, &err),
        err);
}

static struct session session_of(struct fixture *f, const char *name, enum role role)
{
    struct session session;
    struct err err;
    assert_works(sign_in(f, name, reset(f, name, role), PASSWORD, &session, &err), err);
    return session;
}

static bool is_known(struct fixture *f, const char *secret, struct actor *out)
{
    struct err err;
    if (fleet_token_actor(f->fleet, f->owner, secret, f->now, out, &err))
        return true;
    assert_int_equal(err.kind, ERR_UNAUTHENTICATED);
    return false;
}

/* ---- tokens ---- */

static void a_token_in_use_does_not_wait_for_the_key_process(void **state)
{
    struct fixture *f = *state;
    struct actor actor;
    struct err err;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR);
    assert_true(is_known(f, session.secret, &actor));
    size_t asked = macs_asked;
    for (int i = 0; i < 5; i++)
        assert_true(is_known(f, session.secret, &actor));
    assert_int_equal(macs_asked, asked);
    session.secret[strlen(session.secret) - 1] ^= 1;
    assert_false(is_known(f, session.secret, &actor));
    assert_false(is_known(f, session.secret, &actor));
    assert_int_equal(macs_asked, asked + 2); /* what is unknown is not remembered */
    session.secret[strlen(session.secret) - 1] ^= 1;
    assert_works(fleet_token_revoke(f->fleet, &actor, actor.token_id, &err), err);
    assert_false(is_known(f, session.secret, &actor)); /* nor is it believed */
}

/* ---- passwords ---- */

static void a_session_that_was_under_way_does_not_outlive_its_password(void **state)
{
    static void (*const cases[])(struct fixture * f) = {anna_is_reset, anna_is_disabled};
    struct fixture *f = *state;
    struct session session;
    struct err err;
    (void)session_of(f, "other", ROLE_ADMINISTRATOR);
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)session_of(f, "anna", ROLE_ADMINISTRATOR);
        meanwhile = (struct meanwhile){f, cases[i]};
        assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_UNAUTHENTICATED);
        assert_null(meanwhile.happens);
    }
}

static void a_one_time_password_must_be_changed(void **state)
{
    struct fixture *f = *state;
    char *password = reset(f, "anna", ROLE_ADMINISTRATOR);
    struct session session;
    struct err err;
    assert_fails(sign_in(f, "anna", password, NULL, &session, &err), err, ERR_PRECONDITION);
    assert_fails(sign_in(f, "anna", password, password, &session, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/new_password");
    assert_fails(sign_in(f, "anna", password, "short", &session, &err), err, ERR_BAD_INPUT);
    assert_works(sign_in(f, "anna", password, PASSWORD, &session, &err), err);
    assert_fails(sign_in(f, "anna", password, NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
    assert_string_equal(session.token.account_name, "anna");
}

static void a_wrong_name_and_a_wrong_password_sound_alike(void **state)
{
    struct fixture *f = *state;
    struct session session;
    struct err name, password;
    session_of(f, "anna", ROLE_ADMINISTRATOR);
    assert_fails(sign_in(f, "bert", PASSWORD, NULL, &session, &name), name, ERR_UNAUTHENTICATED);
    assert_fails(sign_in(f, "anna", "wrong", NULL, &session, &password), password,
                 ERR_UNAUTHENTICATED);
    assert_string_equal(name.text, password.text);
}

static void five_wrong_attempts_have_to_wait(void **state)
{
    struct fixture *f = *state;
    struct session session;
    struct err err;
    session_of(f, "anna", ROLE_ADMINISTRATOR);
    for (int i = 0; i < 5; i++)
        assert_fails(sign_in(f, "anna", "wrong", NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_TOO_MANY);
    f->now += 59;
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_TOO_MANY);
    f->now += 1;
    assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
}

static void wrong_names_from_one_address_have_to_wait_too(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct session session;
    struct err err;
    session_of(f, "anna", ROLE_ADMINISTRATOR);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_fails(sign_in(f, names[i], "wrong", NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_TOO_MANY);
}

static void a_right_attempt_costs_nothing_and_forgives_nothing(void **state)
{
    struct fixture *f = *state;
    struct session session;
    struct err err;
    session_of(f, "anna", ROLE_ADMINISTRATOR);
    for (int i = 0; i < 5; i++) {
        assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
        assert_works(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err);
        assert_fails(sign_in(f, "anna", "wrong", NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    }
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_TOO_MANY);
}

static void a_new_one_time_password_ends_all_sessions(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR);
    struct actor who;
    assert_true(is_known(f, session.secret, &who));
    (void)reset(f, "anna", ROLE_ADMINISTRATOR);
    assert_false(is_known(f, session.secret, &who));
    struct err err;
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &session, &err), err, ERR_UNAUTHENTICATED);
    assert_int_equal(fixture_look(f, &SQL_LOOK_ACCOUNTS, NO_ARGS)->count, 1);
}

static void a_new_password_leaves_the_role(void **state)
{
    struct fixture *f = *state;
    const struct actor system = fleet_system_actor(f->now);
    char *password = NULL;
    struct err err;
    (void)reset(f, "bert", ROLE_AUDITOR);
    assert_works(fleet_account_reset(f->fleet, &system, f->owner, "bert", NULL, &password, &err),
                 err);
    assert_fails(fleet_account_reset(f->fleet, &system, f->owner, "bert",
                                     role_names[ROLE_HELP_DESK], &password, &err),
                 err, ERR_CONFLICT);
}

static void people_cannot_give_themselves_a_password(void **state)
{
    struct fixture *f = *state;
    for (enum role role = ROLE_ADMINISTRATOR; role <= ROLE_AUDITOR; role++) {
        struct actor actor = fixture_account(f, role);
        char *password;
        struct err err;
        assert_fails(fleet_account_reset(f->fleet, &actor, f->owner, "anna",
                                         role_names[ROLE_ADMINISTRATOR], &password, &err),
                     err, ERR_FORBIDDEN);
    }
    assert_int_equal(fixture_look(f, &SQL_LOOK_ACCOUNTS, NO_ARGS)->count, 0);
}

/* ---- sessions and tokens ---- */

/* proves-partly: 4c-33 */
static void a_session_acts_for_its_account(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_HELP_DESK);
    struct actor who;
    assert_true(is_known(f, session.secret, &who));
    assert_int_equal(who.kind, ACTOR_ACCOUNT);
    assert_string_equal(who.name, "anna");
    assert_int_equal(who.role, ROLE_HELP_DESK);
    assert_true(fleet_may(&who, "device.lock"));
    assert_false(fleet_may(&who, "device.wipe"));
}

static void a_session_ends_with_its_time(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR);
    struct actor who;
    assert_int_equal(session.token.expires_at, f->now + f->settings.session_seconds);
    f->now += f->settings.session_seconds - 1;
    assert_true(is_known(f, session.secret, &who));
    f->now += 1;
    assert_false(is_known(f, session.secret, &who));
}

static void strange_secrets_are_nobody(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR);
    struct actor who;
    char *other = mem_text(f->owner, session.secret);
    size_t last = strlen(other) - 1;
    other[last] = other[last] == 'A' ? 'B' : 'A';
    assert_false(is_known(f, other, &who));
    other[last] = '\0';
    assert_false(is_known(f, other, &who));
    assert_false(is_known(f, "", &who));
    assert_false(is_known(f, mem_format(f->owner, "%sA", session.secret), &who));
}

static void everybody_ends_their_own_session(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_AUDITOR), other = session_of(f, "bert", 0);
    struct actor anna, who;
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    assert_fails(fleet_token_revoke(f->fleet, &anna, other.token.id, &err), err, ERR_FORBIDDEN);
    assert_works(fleet_token_revoke(f->fleet, &anna, session.token.id, &err), err);
    assert_false(is_known(f, session.secret, &who));
    assert_true(is_known(f, other.secret, &who));
}

static bool token_create(struct fixture *f, const struct actor *actor, enum role role,
                         int64_t expires_at, struct session *out, struct err *err)
{
    struct token wish = {
        .name = mem_text(f->owner, "script"), .role = role, .expires_at = expires_at};
    return fleet_token_create(f->fleet, actor, f->owner, &wish, out, err);
}

static void a_token_can_do_no_more_than_its_maker(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR), weak, none;
    struct actor anna, script;
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    assert_works(token_create(f, &anna, ROLE_AUDITOR, 0, &weak, &err), err);
    assert_true(is_known(f, weak.secret, &script));
    assert_int_equal(script.role, ROLE_AUDITOR);
    assert_fails(token_create(f, &script, ROLE_ADMINISTRATOR, 0, &none, &err), err, ERR_FORBIDDEN);
    assert_fails(token_create(f, &script, ROLE_AUDITOR, 0, &none, &err), err, ERR_FORBIDDEN);
}

static void a_token_ends_when_it_was_wished_or_revoked(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR), short_one, long_one;
    struct actor anna, who;
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    assert_fails(token_create(f, &anna, ROLE_AUDITOR, f->now, &short_one, &err), err,
                 ERR_BAD_INPUT);
    assert_string_equal(err.where, "/expires_at");
    assert_works(token_create(f, &anna, ROLE_AUDITOR, f->now + 10, &short_one, &err), err);
    assert_works(token_create(f, &anna, ROLE_AUDITOR, 0, &long_one, &err), err);
    f->now += 10;
    assert_false(is_known(f, short_one.secret, &who));
    assert_true(is_known(f, long_one.secret, &who));
    assert_works(fleet_token_revoke(f->fleet, &anna, long_one.token.id, &err), err);
    assert_false(is_known(f, long_one.secret, &who));
    assert_fails(fleet_token_revoke(f->fleet, &anna, long_one.token.id, &err), err, ERR_NOT_FOUND);
}

/* What ends all sessions and tokens of an account ends the one that is being made, too. */
static void a_token_that_was_under_way_does_not_outlive_its_maker(void **state)
{
    static void (*const cases[])(struct fixture * f) = {anna_is_reset, anna_is_disabled_and_enabled,
                                                        anna_gets_another_role};
    struct fixture *f = *state;
    struct session session, token;
    struct actor anna;
    struct err err;
    (void)session_of(f, "other", ROLE_ADMINISTRATOR);
    for (size_t i = 0; i < COUNT(cases); i++) {
        session = session_of(f, "anna", ROLE_ADMINISTRATOR);
        assert_true(is_known(f, session.secret, &anna));
        int64_t before = (int64_t)fixture_look(f, &SQL_LOOK_TOKENS, NO_ARGS)->count;
        meanwhile = (struct meanwhile){f, cases[i]};
        assert_fails(token_create(f, &anna, ROLE_AUDITOR, 0, &token, &err), err,
                     ERR_UNAUTHENTICATED);
        assert_null(meanwhile.happens);
        assert_int_equal(fixture_look(f, &SQL_LOOK_TOKENS, NO_ARGS)->count, before);
    }
}

static void changing_the_password_ends_sessions_but_not_tokens(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR), token, newer;
    struct actor anna, who;
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    assert_works(token_create(f, &anna, ROLE_AUDITOR, 0, &token, &err), err);
    assert_works(sign_in(f, "anna", PASSWORD, "another long password", &newer, &err), err);
    assert_false(is_known(f, session.secret, &who));
    assert_true(is_known(f, newer.secret, &who));
    assert_true(is_known(f, token.secret, &who));
}

static bool change_own(struct fixture *f, const struct actor *who, const char *old, const char *new,
                       struct err *err)
{
    const struct sign_in wish = {NULL, old, new, "192.0.2.9"};
    return fleet_account_password(f->fleet, who, f->owner, &wish, err);
}

static void people_change_their_own_password(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_ADMINISTRATOR), other, token;
    const char *chosen = "another long password";
    struct actor anna, who, system = fleet_system_actor(f->now);
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    assert_works(sign_in(f, "anna", PASSWORD, NULL, &other, &err), err);
    assert_works(token_create(f, &anna, ROLE_AUDITOR, 0, &token, &err), err);
    assert_fails(change_own(f, &anna, "not the password", chosen, &err), err, ERR_FORBIDDEN);
    assert_string_equal(err.where, "/password");
    assert_fails(change_own(f, &anna, PASSWORD, "short", &err), err, ERR_BAD_INPUT);
    assert_fails(change_own(f, &anna, PASSWORD, PASSWORD, &err), err, ERR_BAD_INPUT);
    assert_fails(change_own(f, &system, PASSWORD, chosen, &err), err, ERR_FORBIDDEN);
    assert_true(is_known(f, other.secret, &who));
    assert_works(change_own(f, &anna, PASSWORD, chosen, &err), err);
    assert_true(is_known(f, session.secret, &who)); /* the one that asked */
    assert_false(is_known(f, other.secret, &who));
    assert_true(is_known(f, token.secret, &who));
    assert_fails(sign_in(f, "anna", PASSWORD, NULL, &other, &err), err, ERR_UNAUTHENTICATED);
    assert_works(sign_in(f, "anna", chosen, NULL, &other, &err), err);
}

/* Whoever found a session open cannot try passwords with it for long. */
static void a_session_guesses_no_password(void **state)
{
    struct fixture *f = *state;
    struct session session = session_of(f, "anna", ROLE_AUDITOR);
    struct actor anna;
    struct err err;
    assert_true(is_known(f, session.secret, &anna));
    for (int i = 0; i < 5; i++)
        assert_fails(change_own(f, &anna, "not the password", "another long password", &err), err,
                     ERR_FORBIDDEN);
    assert_fails(change_own(f, &anna, PASSWORD, "another long password", &err), err, ERR_TOO_MANY);
}

/* ---- what the database knows ---- */

static void assert_nowhere(const struct rows *rows, const char *secret)
{
    size_t size = strlen(secret);
    for (size_t i = 0; i < rows->count * rows->columns; i++) {
        const struct value *value = &rows->values[i];
        if (value->type == VALUE_TEXT)
            assert_null(strstr(value->text, secret));
        if (value->type == VALUE_BYTES)
            assert_null(memmem(value->bytes.data, value->bytes.size, secret, size));
    }
}

static void the_database_holds_no_secret(void **state)
{
    struct fixture *f = *state;
    char *password = reset(f, "anna", ROLE_ADMINISTRATOR);
    struct session session, token;
    struct actor anna;
    struct err err;
    assert_nowhere(fixture_look(f, &SQL_LOOK_ACCOUNTS, NO_ARGS), password);
    assert_works(sign_in(f, "anna", password, PASSWORD, &session, &err), err);
    assert_true(is_known(f, session.secret, &anna));
    assert_works(token_create(f, &anna, ROLE_AUDITOR, 0, &token, &err), err);
    struct rows *tokens = fixture_look(f, &SQL_LOOK_TOKENS, NO_ARGS);
    struct rows *audit = fixture_look(f, &SQL_LOOK_AUDIT_ALL, NO_ARGS);
    assert_int_equal(tokens->count, 2);
    assert_int_equal(rows_value(tokens, 0, "mac")->bytes.size, 32);
    const char *const secrets[] = {password, PASSWORD, session.secret, token.secret,
                                   session.secret + strlen("muster_")};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        assert_nowhere(tokens, secrets[i]);
        assert_nowhere(audit, secrets[i]);
        assert_nowhere(fixture_look(f, &SQL_LOOK_ACCOUNTS, NO_ARGS), secrets[i]);
    }
    const char *hash = rows_text(fixture_look(f, &SQL_LOOK_ACCOUNTS, NO_ARGS), 0, "password_hash");
    assert_true(text_starts(hash, "$argon2id$"));
}

FLEET_MAIN(FLEET_TEST(a_token_in_use_does_not_wait_for_the_key_process),
           FLEET_TEST(people_change_their_own_password), FLEET_TEST(a_session_guesses_no_password),
           FLEET_TEST(a_one_time_password_must_be_changed),
           FLEET_TEST(a_wrong_name_and_a_wrong_password_sound_alike),
           FLEET_TEST(five_wrong_attempts_have_to_wait),
           FLEET_TEST(wrong_names_from_one_address_have_to_wait_too),
           FLEET_TEST(a_right_attempt_costs_nothing_and_forgives_nothing),
           FLEET_TEST(a_new_one_time_password_ends_all_sessions),
           FLEET_TEST(a_new_password_leaves_the_role),
           FLEET_TEST(a_session_that_was_under_way_does_not_outlive_its_password),
           FLEET_TEST(people_cannot_give_themselves_a_password),
           FLEET_TEST(a_session_acts_for_its_account), FLEET_TEST(a_session_ends_with_its_time),
           FLEET_TEST(strange_secrets_are_nobody), FLEET_TEST(everybody_ends_their_own_session),
           FLEET_TEST(a_token_can_do_no_more_than_its_maker),
           FLEET_TEST(a_token_ends_when_it_was_wished_or_revoked),
           FLEET_TEST(a_token_that_was_under_way_does_not_outlive_its_maker),
           FLEET_TEST(changing_the_password_ends_sessions_but_not_tokens),
           FLEET_TEST(the_database_holds_no_secret))
