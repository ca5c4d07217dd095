/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, their revisions and assignments. */
#include "tests/contract/fleet_fixture.h"

static bool create(struct fixture *f, const char *name, const char *kind, const char *content,
                   struct err *err)
{
    struct actor admin = fixture_admin(f);
    struct policy out, wish = {.name = mem_text(f->owner, name),
                               .kind = kind ? mem_text(f->owner, kind) : NULL,
                               .settings = mem_text(f->owner, content)};
    return fleet_policy_create(f->fleet, &admin, f->owner, &wish, &out, err);
}

static bool update(struct fixture *f, const char *id, const struct policy *wish, struct policy *out,
                   struct err *err)
{
    struct actor admin = fixture_admin(f);
    return fleet_policy_update(f->fleet, &admin, f->owner, id, wish, out, err);
}

/* proves-partly: 4c-1 */
static void revisions_never_change(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":6}");
    assert_int_equal(policy.revision, 1);
    assert_int_equal(fixture_policy_change(f, policy.id, "{\"password.min_length\":7}").revision,
                     2);
    assert_int_equal(fixture_policy_change(f, policy.id, "{\"password.min_length\":8}").revision,
                     3);
    struct rows *rows = fixture_look(f, &SQL_LOOK_REVISIONS, ARGS(TEXT(policy.id)));
    assert_int_equal(rows->count, 3);
    assert_string_equal(rows_text(rows, 0, "settings"), "{\"password.min_length\":6}");
    assert_string_equal(rows_text(rows, 1, "settings"), "{\"password.min_length\":7}");
    assert_string_equal(rows_text(rows, 2, "settings"), "{\"password.min_length\":8}");
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct list list;
    struct err err;
    assert_works(fleet_policy_revisions(f->fleet, &auditor, f->owner, policy.id, &list, &err), err);
    const struct policy *items = list.items;
    assert_int_equal(list.count, 3);
    assert_int_equal(items[0].revision, 3);
    assert_string_equal(items[2].settings, "{\"password.min_length\":6}");
    assert_string_equal(items[2].created_by, fixture_admin(f).name);
}

static void equal_settings_are_stored_in_one_form(void **state)
{
    struct fixture *f = *state;
    struct policy one = fixture_policy(
        f, "One", "configuration", "{ \"password.required\":true, \"password.min_length\" : 6 }");
    struct policy two = fixture_policy(f, "Two", "configuration",
                                       "{\"password.min_length\":6,\"password.required\":true}");
    assert_string_equal(one.settings, two.settings);
}

static void a_change_of_something_old_is_refused(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}"), out;
    struct policy stale = {.revision = 1, .settings = mem_text(f->owner, "{}")};
    struct err err;
    fixture_policy_change(f, policy.id, "{\"password.min_length\":7}");
    assert_fails(update(f, policy.id, &stale, &out, &err), err, ERR_PRECONDITION);
    assert_fails(fleet_policy_delete(f->fleet, &admin, policy.id, 1, &err), err, ERR_PRECONDITION);
    assert_int_equal(fixture_look(f, &SQL_LOOK_REVISIONS, ARGS(TEXT(policy.id)))->count, 2);
    stale.revision = 2;
    assert_works(update(f, policy.id, &stale, &out, &err), err);
    assert_int_equal(out.revision, 3);
}

struct runner {
    const char *id;
    int64_t now;
    bool worked;
    struct err err;
};

static void run_for_it(struct fleet *fleet, void *context)
{
    struct runner *runner = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor admin = {.kind = ACTOR_ACCOUNT,
                          .id = "a",
                          .name = "a",
                          .role = ROLE_ADMINISTRATOR,
                          .request_id = "r",
                          .now = runner->now};
    struct policy out, wish = {.revision = 1, .settings = mem_text(owner, "{}")};
    runner->worked =
        fleet_policy_update(fleet, &admin, owner, runner->id, &wish, &out, &runner->err);
}

static void of_racing_changes_one_wins(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}");
    struct runner runners[4];
    int won = 0;
    for (size_t i = 0; i < COUNT(runners); i++)
        runners[i] = (struct runner){.id = policy.id, .now = f->now};
    fixture_race(f, run_for_it, runners, sizeof(runners[0]), COUNT(runners));
    for (size_t i = 0; i < COUNT(runners); i++) {
        won += runners[i].worked;
        if (!runners[i].worked)
            assert_int_equal(runners[i].err.kind, ERR_PRECONDITION);
    }
    assert_int_equal(won, 1);
    assert_int_equal(fixture_look(f, &SQL_LOOK_REVISIONS, ARGS(TEXT(policy.id)))->count, 2);
}

static const struct {
    const char *kind, *content, *where, *says;
} mistakes[] = {
    {"configuration", "{\"password.colour\":1}", "/settings/password.colour", "unknown setting"},
    {"configuration", "{\"password.min_length\":\"8\"}", "/settings/password.min_length",
     "whole number"},
    {"configuration", "{\"password.min_length\":8.0}", "/settings/password.min_length",
     "whole number"},
    {"configuration", "{\"password.min_length\":null}", "/settings/password.min_length",
     "whole number"},
    {"configuration", "{\"password.min_length\":3}", "/settings/password.min_length", "4"},
    {"configuration", "{\"password.min_length\":17}", "/settings/password.min_length", "16"},
    {"configuration", "{\"password.required\":1}", "/settings/password.required", "true or false"},
    {"configuration", "{\"password.type\":7}", "/settings/password.type", "choice"},
    {"configuration", "{\"password.type\":\"runes\"}", "/settings/password.type", ""},
    {"configuration", "{\"os.minimum\":\"17.4\"}", "/settings/os.minimum", "compliance policies"},
    {"configuration", "{\"integrity.attested\":true}", "/settings/integrity.attested",
     "compliance policies"},
    {"configuration", "{\"grace.days\":3}", "/settings/grace.days", "compliance policies"},
    {"compliance", "{\"os.minimum\":\"new\"}", "/settings/os.minimum", "version"},
    {"compliance", "{\"os.minimum\":17}", "/settings/os.minimum", "version"},
    {"compliance", "{\"integrity.attested\":false}", "/settings/integrity.attested", "only true"},
    {"compliance", "{\"contact.max_days\":0}", "/settings/contact.max_days", "1 to 120"},
    {"compliance", "{\"grace.days\":366}", "/settings/grace.days", "0 to 365"},
    {"compliance", "{\"grace.days\":\"3\"}", "/settings/grace.days", "whole number"},
    {"compliance", "{\"encryption.backup\":true}", "/settings/encryption.backup",
     "not for compliance"},
    {"configuration", "[]", "/settings", "object"},
    {"configuration", "{", "/settings", ""},
    {"configuration", "{\"password.required\":true,\"password.required\":false}", "/settings", ""},
    {"access", "{}", "/kind", "configuration or compliance"},
    {NULL, "{}", "/kind", "configuration or compliance"},
};

/* proves-partly: 4c-4 */
static void a_mistake_is_named_with_its_place(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct err err;
        print_message("%s\n", mistakes[i].content);
        assert_fails(create(f, "PIN", mistakes[i].kind, mistakes[i].content, &err), err,
                     ERR_BAD_INPUT);
        assert_string_equal(err.where, mistakes[i].where);
        assert_non_null(strstr(err.text, mistakes[i].says));
    }
}

static void a_mistaken_change_leaves_the_policy_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}"), out;
    struct policy wish = {.settings = mem_text(f->owner, "{\"os.minimum\":\"17\"}")};
    struct policy kind = {.kind = mem_text(f->owner, "compliance")};
    struct err err;
    assert_fails(update(f, policy.id, &wish, &out, &err), err, ERR_BAD_INPUT);
    assert_fails(update(f, policy.id, &kind, &out, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/kind");
    assert_int_equal(fixture_look(f, &SQL_LOOK_REVISIONS, ARGS(TEXT(policy.id)))->count, 1);
}

static void a_name_is_given_once_whatever_its_case(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "Straße", "configuration", "{}"), out;
    struct policy other = fixture_policy(f, "Other", "configuration", "{}");
    struct policy wish = {.name = mem_text(f->owner, "STRASSE")};
    struct err err;
    assert_fails(create(f, "STRASSE", "configuration", "{}", &err), err, ERR_CONFLICT);
    assert_string_equal(err.where, "/name");
    assert_fails(update(f, other.id, &wish, &out, &err), err, ERR_CONFLICT);
    assert_works(update(f, policy.id, &wish, &out, &err), err); /* its own name */
    assert_string_equal(out.name, "STRASSE");
}

static void the_name_of_a_deleted_policy_is_free_again(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}"), out;
    struct err err;
    assert_works(fleet_policy_delete(f->fleet, &admin, policy.id, 1, &err), err);
    assert_fails(fleet_policy_get(f->fleet, &admin, f->owner, policy.id, &out, &err), err,
                 ERR_NOT_FOUND);
    assert_works(create(f, "PIN", "configuration", "{}", &err), err);
    assert_int_equal(fixture_look(f, &SQL_LOOK_REVISIONS, ARGS(TEXT(policy.id)))->count, 1);
}

static void a_policy_is_found_by_its_name(void **state)
{
    struct fixture *f = *state;
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct policy policy = fixture_policy(f, "Field phones", "configuration", "{}"), out;
    struct err err;
    fixture_assign(f, policy.id, NULL);
    assert_works(fleet_policy_get(f->fleet, &auditor, f->owner, "FIELD PHONES", &out, &err), err);
    assert_string_equal(out.id, policy.id);
    assert_int_equal(out.assignment_count, 1);
}

/* ---- assignments ---- */

static void an_assignment_is_made_once(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}");
    struct assignment out, all = {.target = mem_text(f->owner, "all")};
    struct assignment one = {.target = mem_text(f->owner, "device"),
                             .device_id = mem_text(f->owner, phone.device_id)};
    const struct assignment *wishes[] = {&all, &one};
    for (size_t i = 0; i < COUNT(wishes); i++) {
        struct err err;
        assert_works(
            fleet_assignment_create(f->fleet, &admin, f->owner, policy.id, wishes[i], &out, &err),
            err);
        assert_int_equal(out.band, ASSIGNMENT_BAND);
        assert_fails(
            fleet_assignment_create(f->fleet, &admin, f->owner, policy.id, wishes[i], &out, &err),
            err, ERR_CONFLICT);
    }
}

static void an_assignment_needs_a_target_that_exists(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{}");
    static const struct {
        const char *target, *device_id, *where;
    } rows[] = {{"device", NULL, "/device_id"},
                {"device", "nothing", "/device_id"},
                {"group", NULL, "/target"},
                {"all", "nothing", "/target"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct assignment out,
            wish = {
                .target = mem_text(f->owner, rows[i].target),
                .device_id = rows[i].device_id ? mem_text(f->owner, rows[i].device_id) : NULL,
            };
        struct err err;
        assert_fails(
            fleet_assignment_create(f->fleet, &admin, f->owner, policy.id, &wish, &out, &err), err,
            ERR_BAD_INPUT);
        assert_string_equal(err.where, rows[i].where);
    }
}

static void an_assignment_of_another_policy_cannot_be_taken_away(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy one = fixture_policy(f, "One", "configuration", "{}");
    struct policy two = fixture_policy(f, "Two", "configuration", "{}");
    struct assignment assignment = fixture_assign(f, one.id, NULL);
    struct list list;
    struct err err;
    assert_false(fleet_assignment_delete(f->fleet, &admin, two.id, assignment.id, &err));
    assert_works(fleet_assignment_list(f->fleet, &admin, f->owner, one.id, &list, &err), err);
    assert_int_equal(list.count, 1);
    assert_works(fleet_assignment_delete(f->fleet, &admin, one.id, assignment.id, &err), err);
    assert_works(fleet_assignment_list(f->fleet, &admin, f->owner, one.id, &list, &err), err);
    assert_int_equal(list.count, 0);
}

/* ---- what wins ---- */

/* proves-partly: 4c-6 */
static void the_strictest_value_wins_and_is_explained(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy weak = fixture_policy(f, "Weak", "configuration", "{\"password.min_length\":6}");
    struct policy strong =
        fixture_policy(f, "Strong", "configuration", "{\"password.min_length\":12}");
    fixture_assign(f, strong.id, NULL);
    fixture_assign(f, weak.id, phone.device_id);
    fixture_work(f);
    assert_string_equal(fixture_value(f, phone.device_id, "password.min_length"), "12");
    const char *decisions = fixture_effective(f, phone.device_id).decisions;
    assert_non_null(strstr(decisions, "Strong"));
    assert_non_null(strstr(decisions, "Weak"));
    assert_non_null(strstr(decisions, "\"losers\""));
    assert_non_null(strstr(decisions, "strictest"));
}

/* proves-partly: 4c-7 */
static void a_compliance_policy_also_configures(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy policy = fixture_policy(f, "Rules", "compliance",
                                          "{\"password.min_length\":8,\"os.minimum\":\"17.0\"}");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    assert_string_equal(fixture_value(f, phone.device_id, "password.min_length"), "8");
    assert_int_equal(fixture_effective(f, phone.device_id).count, 1);
}

FLEET_MAIN(FLEET_TEST(revisions_never_change), FLEET_TEST(equal_settings_are_stored_in_one_form),
           FLEET_TEST(a_change_of_something_old_is_refused), FLEET_TEST(of_racing_changes_one_wins),
           FLEET_TEST(a_mistake_is_named_with_its_place),
           FLEET_TEST(a_mistaken_change_leaves_the_policy_as_it_was),
           FLEET_TEST(a_name_is_given_once_whatever_its_case),
           FLEET_TEST(the_name_of_a_deleted_policy_is_free_again),
           FLEET_TEST(a_policy_is_found_by_its_name), FLEET_TEST(an_assignment_is_made_once),
           FLEET_TEST(an_assignment_needs_a_target_that_exists),
           FLEET_TEST(an_assignment_of_another_policy_cannot_be_taken_away),
           FLEET_TEST(the_strictest_value_wins_and_is_explained),
           FLEET_TEST(a_compliance_policy_also_configures))
