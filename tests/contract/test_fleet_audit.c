/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: numbered without gaps, chained, signed; nothing can be changed unseen. */
#include "fleet/audit.h"
#include "tests/contract/fleet_fixture.h"

static void number(struct fixture *f)
{
    bool more = true;
    struct err err;
    while (more)
        assert_works(fleet_number(f->fleet, f->now, &more, &err), err);
}

static void sign(struct fixture *f)
{
    struct err err;
    assert_works(fleet_audit_sign(f->fleet, f->now, &err), err);
}

/* Part by part: the sum of what they say, up to the first that is broken. */
static struct audit_verdict verify_parts(struct fixture *f, const struct actor *auditor,
                                         int64_t most)
{
    struct audit_range range = {.most = most};
    struct audit_verdict sum = {.is_intact = true}, part;
    struct err err;
    do {
        assert_works(fleet_audit_verify(f->fleet, auditor, f->owner, &range, &part, &err), err);
        assert_true(part.entries <= most);
        sum.is_intact = part.is_intact;
        sum.problem = part.problem;
        sum.entries += part.entries;
        sum.signed_position = part.signed_position ? part.signed_position : sum.signed_position;
        range.after = part.next;
    } while (part.next);
    return sum;
}

/* Whatever the parts are, they find the same. */
static struct audit_verdict verify(struct fixture *f)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct audit_verdict whole = verify_parts(f, &auditor, AUDIT_WALK_MOST);
    for (int64_t count = 2; count <= 7; count += 5) {
        struct audit_verdict parts = verify_parts(f, &auditor, 1 + whole.entries / count);
        assert_int_equal(parts.is_intact, whole.is_intact);
        assert_int_equal(parts.entries, whole.entries);
        assert_int_equal(parts.signed_position, whole.signed_position);
        if (whole.problem)
            assert_string_equal(parts.problem, whole.problem);
    }
    return whole;
}

static void act(struct fixture *f, size_t times)
{
    for (size_t i = 0; i < times; i++)
        (void)fixture_link(f);
}

/* Five entries, all numbered, the fifth signed. */
static void prepare(struct fixture *f)
{
    act(f, 5);
    number(f);
    sign(f);
    struct audit_verdict verdict = verify(f);
    assert_true(verdict.is_intact);
    assert_int_equal(verdict.entries, 5);
    assert_int_equal(verdict.signed_position, 5);
    assert_null(verdict.problem);
}

static void assert_broken_at(struct fixture *f, const char *entry)
{
    struct audit_verdict verdict = verify(f);
    assert_false(verdict.is_intact);
    if (!strstr(verdict.problem, entry))
        fail_msg("%s instead of %s", verdict.problem, entry);
}

static void positions_have_no_gaps(void **state)
{
    struct fixture *f = *state;
    act(f, 3);
    number(f);
    act(f, 450); /* several batches */
    number(f);
    number(f);
    struct rows *rows = fixture_look(f, &SQL_LOOK_AUDIT, NO_ARGS);
    assert_int_equal(rows->count, 453);
    for (size_t i = 0; i < rows->count; i++)
        assert_int_equal(rows_integer(rows, i, "position"), i + 1);
    assert_int_equal(verify(f).entries, 453);
    assert_true(verify(f).is_intact);
}

struct numberer {
    int64_t now;
    bool worked;
    struct err err;
};

static void number_it(struct fleet *fleet, void *context)
{
    struct numberer *numberer = context;
    bool more = true;
    numberer->worked = true;
    while (more && numberer->worked) {
        numberer->worked = fleet_number(fleet, numberer->now, &more, &numberer->err);
        if (!numberer->worked) /* the other one numbered the same rows: look again */
            numberer->worked = numberer->err.kind == ERR_CONFLICT;
    }
}

static void two_that_number_at_once_make_one_chain(void **state)
{
    struct fixture *f = *state;
    struct numberer numberers[2] = {{.now = f->now}, {.now = f->now}};
    act(f, 250);
    fixture_race(f, number_it, numberers, sizeof(numberers[0]), COUNT(numberers));
    for (size_t i = 0; i < COUNT(numberers); i++)
        assert_works(numberers[i].worked, numberers[i].err);
    number(f);
    assert_int_equal(verify(f).entries, 250);
    assert_true(verify(f).is_intact);
}

static void what_people_do_stands_in_the_log(void **state)
{
    struct fixture *f = *state;
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct page page = {.limit = 2};
    struct list list;
    struct err err;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":6}");
    fixture_policy_change(f, policy.id, "{\"password.min_length\":8}");
    act(f, 1);
    number(f);
    assert_works(fleet_audit_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    const struct audit_entry *items = list.items;
    assert_int_equal(list.count, 2);
    assert_string_equal(items[0].action, "enrolment_link.create");
    assert_string_equal(items[1].action, "policy.update");
    assert_string_equal(items[1].actor_name, "administrator");
    assert_string_equal(items[1].subject_id, policy.id);
    assert_non_null(strstr(items[1].body, "\"before\":{\"password.min_length\":6}"));
    assert_non_null(strstr(items[1].body, "\"after\":{\"password.min_length\":8}"));
    page.cursor = list.next;
    assert_works(fleet_audit_list(f->fleet, &auditor, f->owner, &page, &list, &err), err);
    assert_int_equal(list.count, 1);
    assert_string_equal(((struct audit_entry *)list.items)->action, "policy.create");
    assert_null(list.next);
    page.cursor = "nonsense";
    assert_fails(fleet_audit_list(f->fleet, &auditor, f->owner, &page, &list, &err), err,
                 ERR_BAD_INPUT);
}

/* ---- tampering ---- */

static const struct statement *const tamperings[] = {
    &SQL_TAMPER_ACTOR_KIND,   &SQL_TAMPER_ACTOR_ID,   &SQL_TAMPER_ACTOR_NAME, &SQL_TAMPER_ACTION,
    &SQL_TAMPER_SUBJECT_KIND, &SQL_TAMPER_SUBJECT_ID, &SQL_TAMPER_BODY,       &SQL_TAMPER_REASON,
    &SQL_TAMPER_REQUEST_ID,   &SQL_TAMPER_AT,         &SQL_TAMPER_ID,         &SQL_TAMPER_HASH,
    &SQL_TAMPER_HASH_AWAY,
};

static void a_change_of_any_column_is_found(void **state)
{
    struct fixture *f = *state;
    (void)f;
    for (size_t i = 0; i < COUNT(tamperings); i++) {
        void *own = f->process;
        assert_int_equal(fixture_open(&own), 0); /* a fresh log for each */
        struct fixture *fresh = own;
        print_message("%s\n", tamperings[i]->name);
        prepare(fresh);
        fixture_write(fresh, tamperings[i], ARGS(INTEGER(3)));
        assert_broken_at(fresh, "entry 3");
        assert_int_equal(fixture_close(&own), 0);
    }
}

static void a_deleted_entry_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_DELETE, ARGS(INTEGER(2)));
    assert_broken_at(f, "entry 2");
}

static void a_deleted_beginning_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_DELETE, ARGS(INTEGER(1)));
    assert_broken_at(f, "entry 1");
}

static void swapped_entries_are_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_MOVE, ARGS(INTEGER(3), INTEGER(100)));
    fixture_write(f, &SQL_TAMPER_MOVE, ARGS(INTEGER(4), INTEGER(3)));
    fixture_write(f, &SQL_TAMPER_MOVE, ARGS(INTEGER(100), INTEGER(4)));
    assert_broken_at(f, "entry 3");
}

static void a_hidden_entry_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_MOVE, ARGS(INTEGER(1), INTEGER(-1)));
    assert_broken_at(f, "entry 1");
}

static void a_cut_off_end_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(3)));
    assert_broken_at(f, "up to 5");
}

static void an_emptied_log_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(0)));
    assert_broken_at(f, "up to 5");
}

static void a_rewritten_end_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_TRUNCATE, ARGS(INTEGER(3)));
    act(f, 4); /* the chain goes on by itself, and is whole */
    number(f);
    assert_broken_at(f, "entry 5");
}

/* ---- signed heads ---- */

static void a_head_is_signed_when_it_moved(void **state)
{
    struct fixture *f = *state;
    sign(f); /* nothing to sign yet */
    assert_int_equal(verify(f).signed_position, 0);
    prepare(f);
    act(f, 2);
    number(f);
    assert_int_equal(verify(f).signed_position, 5);
    assert_int_equal(verify(f).entries, 7);
    uint64_t before = database_transactions(f->contract->database);
    sign(f);
    sign(f);
    assert_int_equal(database_transactions(f->contract->database), before + 1);
    assert_int_equal(verify(f).signed_position, 7);
}

static void a_changed_head_is_found(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    fixture_write(f, &SQL_TAMPER_HEAD_AT, ARGS(INTEGER(5)));
    assert_broken_at(f, "signature");
    fixture_write(f, &SQL_TAMPER_HEAD_HASH, ARGS(INTEGER(5)));
    assert_broken_at(f, "differs from its signed head");
}

static void nothing_is_called_intact_while_keyd_is_away(void **state)
{
    struct fixture *f = *state;
    struct fleet alone = fixture_without_keyd(f);
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    const struct audit_range whole = {.most = AUDIT_WALK_MOST};
    struct audit_verdict verdict;
    struct err err;
    prepare(f);
    assert_fails(fleet_audit_verify(&alone, &auditor, f->owner, &whole, &verdict, &err), err,
                 ERR_UNAVAILABLE);
}

FLEET_MAIN(FLEET_TEST(positions_have_no_gaps), FLEET_TEST(two_that_number_at_once_make_one_chain),
           FLEET_TEST(what_people_do_stands_in_the_log),
           FLEET_TEST(a_change_of_any_column_is_found), FLEET_TEST(a_deleted_entry_is_found),
           FLEET_TEST(a_deleted_beginning_is_found), FLEET_TEST(swapped_entries_are_found),
           FLEET_TEST(a_hidden_entry_is_found), FLEET_TEST(a_cut_off_end_is_found),
           FLEET_TEST(an_emptied_log_is_found), FLEET_TEST(a_rewritten_end_is_found),
           FLEET_TEST(a_head_is_signed_when_it_moved), FLEET_TEST(a_changed_head_is_found),
           FLEET_TEST(nothing_is_called_intact_while_keyd_is_away))
