/* SPDX-License-Identifier: Apache-2.0 */
/* The queue under haste: two at once, and what waits for a device that can be woken again. */
#include <stdio.h>

#include "fleet/certificate.h"
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

struct asker {
    struct actor actor;
    const char *device_id, *policy_id;
    bool won;
    struct err err;
};

static struct asker asker_of(struct fixture *f)
{
    return (struct asker){.actor = fixture_admin(f)};
}

/* One of all won, and the others heard that it is there already. */
static void assert_one_won(const struct asker *askers, size_t count, const char *sentence)
{
    size_t won = 0;
    for (size_t i = 0; i < count; i++) {
        won += askers[i].won;
        if (askers[i].won)
            continue;
        assert_int_equal(askers[i].err.kind, ERR_CONFLICT);
        assert_non_null(strstr(askers[i].err.text, sentence));
    }
    assert_int_equal(won, 1);
}

static void ask_lock(struct fleet *fleet, void *context)
{
    struct asker *asker = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct command command;
    asker->won = fleet_command_create(fleet, &asker->actor, owner, asker->device_id, COMMAND_LOCK,
                                      NULL, &command, &asker->err);
}

static void of_two_equal_commands_at_once_one_is_queued(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct asker askers[4];
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(f);
        askers[i].device_id = phone.device_id;
    }
    fixture_race(f, ask_lock, askers, sizeof(askers[0]), COUNT(askers));
    assert_one_won(askers, COUNT(askers), "is waiting for the device already");
}

static void make_policy(struct fleet *fleet, void *context)
{
    struct asker *asker = context;
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct policy policy = {0}, wish = {.name = mem_text(owner, "PIN"),
                                        .kind = mem_text(owner, "configuration"),
                                        .settings = mem_text(owner, "{}")};
    asker->won = fleet_policy_create(fleet, &asker->actor, owner, &wish, &policy, &asker->err);
}

static void of_two_policies_of_one_name_at_once_one_is_made(void **state)
{
    struct fixture *f = *state;
    struct asker askers[4];
    for (size_t i = 0; i < COUNT(askers); i++)
        askers[i] = asker_of(f);
    fixture_race(f, make_policy, askers, sizeof(askers[0]), COUNT(askers));
    assert_one_won(askers, COUNT(askers), "a policy with this name exists");
}

static void rename_policy(struct fleet *fleet, void *context)
{
    struct asker *asker = context;
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct policy policy = {0}, wish = {.name = mem_text(owner, "Same")};
    asker->won = fleet_policy_update(fleet, &asker->actor, owner, asker->policy_id, &wish, &policy,
                                     &asker->err);
}

static void of_two_policies_renamed_to_one_name_at_once_one_gets_it(void **state)
{
    struct fixture *f = *state;
    struct asker askers[4];
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(f);
        askers[i].policy_id =
            fixture_policy(f, mem_format(f->owner, "P%zu", i), "configuration", "{}").id;
    }
    fixture_race(f, rename_policy, askers, sizeof(askers[0]), COUNT(askers));
    assert_one_won(askers, COUNT(askers), "a policy with this name exists");
}

static void assign(struct fleet *fleet, void *context)
{
    struct asker *asker = context;
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct assignment made, wish = {.target = mem_text(owner, "all")};
    asker->won = fleet_assignment_create(fleet, &asker->actor, owner, asker->policy_id, &wish,
                                         &made, &asker->err);
}

static void of_two_equal_assignments_at_once_one_is_made(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct asker askers[4];
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(f);
        askers[i].policy_id = policy.id;
    }
    fixture_race(f, assign, askers, sizeof(askers[0]), COUNT(askers));
    assert_one_won(askers, COUNT(askers), "assigned there already");
}

struct caller { /* one connection of a device */
    struct identity identity;
    const char *id; /* of what it got, or answers */
    char got[64];
    enum result_outcome outcome;
    bool worked;
    int64_t now;
};

static void fetch_next(struct fleet *fleet, void *context)
{
    struct caller *caller = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor actor = fleet_device_actor(&caller->identity, "r", caller->now);
    struct command command = {0};
    struct err err;
    caller->worked = fleet_command_fetch(fleet, &actor, owner, &caller->identity, COMMANDS_ALL,
                                         &command, &err) &&
                     command.id;
    if (caller->worked)
        (void)snprintf(caller->got, sizeof(caller->got), "%s", command.id);
}

static void answer_it(struct fleet *fleet, void *context)
{
    struct caller *caller = context;
    const struct command_result result = {.command_id = caller->id, .answer = ANSWER_DONE};
    struct actor actor = fleet_device_actor(&caller->identity, "r", caller->now);
    struct err err;
    caller->worked =
        fleet_command_finish(fleet, &actor, &caller->identity, &result, &caller->outcome, &err);
}

/* Two connections of one device: both may get the same command, and one answer counts. */
static void two_calls_at_once_get_one_command_and_count_one_answer(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    for (int round = 0; round < 5; round++) {
        struct command lock = phone_order(f, &phone, COMMAND_LOCK);
        struct caller callers[2];
        size_t taken = 0;
        for (size_t i = 0; i < COUNT(callers); i++)
            callers[i] = (struct caller){
                .identity = phone_identity(f, &phone), .id = lock.id, .now = f->now};
        fixture_race(f, fetch_next, callers, sizeof(callers[0]), COUNT(callers));
        for (size_t i = 0; i < COUNT(callers); i++) {
            assert_true(callers[i].worked);
            assert_string_equal(callers[i].got, lock.id);
        }
        fixture_race(f, answer_it, callers, sizeof(callers[0]), COUNT(callers));
        for (size_t i = 0; i < COUNT(callers); i++) {
            assert_true(callers[i].worked);
            assert_true(callers[i].outcome != RESULT_UNKNOWN);
            taken += callers[i].outcome == RESULT_TAKEN;
        }
        assert_int_equal(taken, 1);
        assert_string_equal(fixture_command_state(f, lock.id), "applied");
    }
    assert_int_equal(fixture_events(f, "command.unknown"), 0);
}

static void a_new_address_wakes_for_what_waited(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    assert_false(phone_activate(f, &phone));
    assert_int_equal(fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("wake")))->count, 0);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS); /* the push service said that it is dead */
    assert_false(phone_activate(f, &phone));
    assert_int_equal(fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("wake")))->count, 1);
}

FLEET_MAIN(FLEET_TEST(of_two_equal_commands_at_once_one_is_queued),
           FLEET_TEST(of_two_policies_of_one_name_at_once_one_is_made),
           FLEET_TEST(of_two_policies_renamed_to_one_name_at_once_one_gets_it),
           FLEET_TEST(of_two_equal_assignments_at_once_one_is_made),
           FLEET_TEST(two_calls_at_once_get_one_command_and_count_one_answer),
           FLEET_TEST(a_new_address_wakes_for_what_waited))
