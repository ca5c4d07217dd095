/* SPDX-License-Identifier: Apache-2.0 */
/* People of a device: their channels, and what is brought to them beside the device. */
#include <stdio.h>

#include "base/text.h"
#include "fleet/block.h"
#include "fleet/inventory.h"
#include "fleet/push.h"
#include "fleet/shared.h"
#include "fleet/user_channel.h"
#include "policy/comply.h"
#include "store/store.h"
#include "tests/contract/fleet_fixture.h"

#define DEVICE_ITEM(hash)                                                                          \
    {                                                                                              \
        "passcode", hash, CARRIER_COMMAND                                                          \
    }
#define PEOPLE_ITEM(hash)                                                                          \
    {                                                                                              \
        "screensaver", hash, CARRIER_USER_CHANNEL                                                  \
    }

/* ---- what people and rooms do ---- */

struct person {
    struct phone *phone;
    const char *user;
};

static bool told(struct fixture *f, const struct person *person, struct err *err)
{
    struct identity identity = phone_identity(f, person->phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    const struct user_claims claims = {person->user, person->user, person->user, true};
    const struct push_address address = {person->phone->topic, bytes_text("their token"),
                                         bytes_text("their magic"), NO_BYTES};
    return fleet_user_channel_told(f->fleet, &actor, &identity, &claims, &address, err);
}

static struct person begin(struct fixture *f, struct phone *phone, const char *user)
{
    struct person person = {phone, user};
    struct err err;
    assert_works(told(f, &person, &err), err);
    return person;
}

static bool channel_of(struct fixture *f, const struct person *person, struct identity *out)
{
    struct identity identity = phone_identity(f, person->phone);
    bool found = false;
    struct err err;
    assert_works(
        fleet_user_channel_find(f->fleet, f->owner, &identity, person->user, out, &found, &err),
        err);
    return found;
}

static struct identity channel(struct fixture *f, const struct person *person)
{
    struct identity identity;
    assert_true(channel_of(f, person, &identity));
    assert_true(identity.is_person);
    assert_string_equal(identity.device_id, person->phone->device_id);
    return identity;
}

static void leave(struct fixture *f, const struct person *person)
{
    struct identity identity = channel(f, person);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_user_channel_leave(f->fleet, &actor, &identity, &err), err);
}

static struct command fetch(struct fixture *f, const struct person *person)
{
    struct identity identity = channel(f, person);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct command command;
    struct err err;
    assert_works(
        fleet_command_fetch(f->fleet, &actor, f->owner, &identity, COMMANDS_ALL, &command, &err),
        err);
    return command;
}

static enum result_outcome finish(struct fixture *f, const struct identity *identity,
                                  const struct command_result *result)
{
    struct actor actor = fleet_device_actor(identity, "r", f->now);
    enum result_outcome outcome;
    struct err err;
    assert_works(fleet_command_finish(f->fleet, &actor, identity, result, &outcome, &err), err);
    return outcome;
}

static enum result_outcome answer(struct fixture *f, const struct person *person, const char *id,
                                  enum command_answer said)
{
    struct identity identity = channel(f, person);
    const struct command_result result = {
        .command_id = id, .answer = said, .reason = said == ANSWER_FAILED ? "no" : NULL};
    return finish(f, &identity, &result);
}

/* All that waits, as somebody does whose Mac has the item with this hash afterwards (NULL: has
 * none). How many commands there were. */
static size_t obey(struct fixture *f, const struct person *person, const char *hash)
{
    const struct reported_item has = {"screensaver", hash};
    for (size_t count = 0; count < 10; count++) {
        struct identity identity = channel(f, person);
        struct command command = fetch(f, person);
        struct command_result result = {.command_id = command.id, .answer = ANSWER_DONE};
        if (!command.id)
            return count;
        if (command.kind == COMMAND_QUERY_ITEMS) {
            result.has_items = true;
            result.items = &has;
            result.item_count = hash ? 1 : 0;
        }
        assert_int_equal(finish(f, &identity, &result), RESULT_TAKEN);
    }
    fail_msg("the commands do not end");
    return 0;
}

static struct phone desk(struct fixture *f)
{
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_work(f);
    return phone;
}

static void plan(struct fixture *f, const struct phone *phone, const struct wanted_item *items,
                 size_t count)
{
    struct actor system = fleet_system_actor(f->now);
    struct effective effective = fixture_effective(f, phone->device_id);
    struct err err;
    assert_works(fleet_plan(f->fleet, &system, phone->device_id, effective.variant_hash, items,
                            count, NULL, &err),
                 err);
}

/* As when something changed that resolution looks at. */
static void plan_anew(struct fixture *f, const struct phone *phone, const struct wanted_item *items,
                      size_t count)
{
    fixture_write(f, &SQL_DESIRED_UNPLAN, ARGS(TEXT(phone->device_id)));
    plan(f, phone, items, count);
}

static void wish(struct fixture *f, const struct phone *phone, const char *hash)
{
    const struct wanted_item items[] = {DEVICE_ITEM("1"), PEOPLE_ITEM(hash)};
    plan(f, phone, items, COUNT(items));
}

/* The row as people see it; user NULL: of nobody yet. */
static const struct delivered *shown(struct fixture *f, const struct phone *phone, const char *item,
                                     const char *user)
{
    struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_effective_items(f->fleet, &admin, f->owner, phone->device_id, &list, &err),
                 err);
    const struct delivered *rows = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(rows[i].item, item) == 0 && text_equal(rows[i].user, user))
            return &rows[i];
    return NULL;
}

static void assert_shown(struct fixture *f, const struct person *person, const char *state)
{
    const struct delivered *row = shown(f, person->phone, "screensaver", person->user);
    assert_non_null(row);
    assert_int_equal(row->carrier, CARRIER_USER_CHANNEL);
    assert_string_equal(command_state_names[row->state], state);
}

static size_t commands(struct fixture *f, const char *enrolment_id, bool open_only)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(enrolment_id)));
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += !open_only || rows_integer(rows, i, "finished_at") == 0;
    return count;
}

static bool is_due(struct fixture *f, const char *enrolment_id)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("wake")));
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows_text(rows, i, "subject"), enrolment_id) == 0)
            return true;
    return false;
}

static struct user_channel listed(struct fixture *f, const struct phone *phone, size_t index,
                                  size_t wanted)
{
    struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_user_channel_list(f->fleet, &admin, f->owner, phone->device_id, &list, &err),
                 err);
    assert_int_equal(list.count, wanted);
    return wanted ? ((const struct user_channel *)list.items)[index] : (struct user_channel){0};
}

/* ---- two channels, two queues ---- */

/* proves-partly: 4c-3 */
static void what_is_for_people_waits_for_somebody_with_a_reason(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    wish(f, &phone, "A");
    const struct delivered *row = shown(f, &phone, "screensaver", NULL);
    assert_non_null(row);
    assert_int_equal(row->state, COMMAND_QUEUED);
    assert_non_null(strstr(row->reason, "signed in"));
    assert_true(phone_push(f, &phone, WAKE_SENT, 0));
    assert_int_equal(shown(f, &phone, "passcode", NULL)->state, COMMAND_SENT);
    assert_int_equal(shown(f, &phone, "screensaver", NULL)->state, COMMAND_QUEUED);
    struct command command = phone_fetch(f, &phone);
    assert_string_equal(command.item, "passcode");
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(commands(f, phone.enrolment_id, true), 2);
}

static void each_person_gets_it_from_the_first_sign_in_on(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    wish(f, &phone, "A");
    struct person ann = begin(f, &phone, "ann");
    struct identity own = channel(f, &ann);
    assert_true(own.has_work && is_due(f, own.enrolment_id));
    assert_null(shown(f, &phone, "screensaver", NULL));
    assert_shown(f, &ann, "queued");
    struct command install = fetch(f, &ann);
    assert_int_equal(install.kind, COMMAND_INSTALL_ITEM);
    assert_string_equal(install.item, "screensaver");
    struct person bob = begin(f, &phone, "bob");
    assert_shown(f, &bob, "queued");
    assert_shown(f, &ann, "delivered");
    begin(f, &phone, "ann"); /* a new address, and nothing else */
    assert_int_equal(commands(f, own.enrolment_id, false), 1);
    assert_int_equal(fixture_events(f, "device.user_enrolled"), 2);
}

static void an_item_of_a_person_goes_from_queued_to_verified(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann");
    struct identity own = channel(f, &ann);
    size_t count = 0;
    wish(f, &phone, "A");
    assert_shown(f, &ann, "queued");
    struct wake *wakes = fixture_claim(f, WAKE_CLAIM_MOST, &count);
    for (size_t i = 0; i < count; i++)
        fixture_settle(f, &wakes[i], WAKE_SENT, 0, NULL);
    assert_shown(f, &ann, "sent");
    struct command install = fetch(f, &ann);
    assert_shown(f, &ann, "delivered");
    assert_int_equal(answer(f, &ann, install.id, ANSWER_DONE), RESULT_TAKEN);
    assert_shown(f, &ann, "applied");
    assert_int_equal(commands(f, own.enrolment_id, true), 1); /* ProfileList, and no SecurityInfo */
    assert_int_equal(obey(f, &ann, "A"), 1);
    assert_shown(f, &ann, "verified");
    assert_string_equal(fixture_command_state(f, install.id), "verified");
    assert_int_equal(fetch(f, &ann).kind, 0);
    assert_null(fetch(f, &ann).id);
}

static void commands_and_answers_stay_on_their_channel(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann"), bob = begin(f, &phone, "bob");
    wish(f, &phone, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct command hers = fetch(f, &ann);
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_int_equal(answer(f, &bob, hers.id, ANSWER_DONE), RESULT_UNKNOWN);
    assert_int_equal(phone_answer(f, &phone, hers.id, ANSWER_DONE), RESULT_UNKNOWN);
    assert_int_equal(answer(f, &ann, lock.id, ANSWER_DONE), RESULT_UNKNOWN);
    assert_string_equal(fixture_command_state(f, lock.id), "delivered");
    assert_shown(f, &ann, "delivered");
    assert_shown(f, &bob, "queued");
    assert_int_equal(answer(f, &ann, hers.id, ANSWER_NOT_NOW), RESULT_TAKEN);
    assert_true(channel(f, &ann).has_deferred);
    assert_false(channel(f, &bob).has_deferred);
    assert_false(phone_identity(f, &phone).has_deferred);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
}

/* The list of a device's commands names the person. */
static void commands_of_people_are_listed_with_their_device(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f), other = phone_enrolled(f, 1, "B");
    struct person ann = begin(f, &phone, "ann");
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 100};
    struct list list;
    struct err err;
    wish(f, &phone, "A");
    struct command hers = fetch(f, &ann);
    assert_works(
        fleet_command_list(f->fleet, &admin, f->owner, phone.device_id, &page, &list, &err), err);
    const struct command *rows = list.items;
    size_t found = 0;
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(rows[i].device_id, phone.device_id);
        found += text_equal(rows[i].user, "ann") && strcmp(rows[i].id, hers.id) == 0;
    }
    assert_int_equal(found, 1);
    assert_works(
        fleet_command_list(f->fleet, &admin, f->owner, other.device_id, &page, &list, &err), err);
    for (size_t i = 0; i < list.count; i++)
        assert_null(((const struct command *)list.items)[i].user);
}

/* ---- differences ---- */

static void a_change_is_sent_to_all_and_what_nobody_wants_is_removed(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann"), bob = begin(f, &phone, "bob");
    const struct wanted_item without[] = {DEVICE_ITEM("1")};
    wish(f, &phone, "A");
    (void)obey(f, &ann, "A");
    wish(f, &phone, "A"); /* nothing changed */
    assert_null(fetch(f, &ann).id);
    wish(f, &phone, "B");
    assert_shown(f, &ann, "queued");
    assert_int_equal(obey(f, &ann, "B"), 2);
    assert_shown(f, &ann, "verified");
    plan(f, &phone, without, COUNT(without));
    struct command removal = fetch(f, &ann);
    assert_int_equal(removal.kind, COMMAND_REMOVE_ITEM);
    assert_string_equal(removal.item, "screensaver");
    assert_int_equal(answer(f, &ann, removal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_null(shown(f, &phone, "screensaver", "ann"));
    assert_null(fetch(f, &bob).id); /* he never got it: the wish alone goes */
    assert_null(shown(f, &phone, "screensaver", "bob"));
    assert_null(shown(f, &phone, "screensaver", NULL));
    struct person eve = begin(f, &phone, "eve");
    assert_null(fetch(f, &eve).id);
}

static void what_failed_is_tried_again_when_something_changed(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann");
    const struct wanted_item items[] = {PEOPLE_ITEM("A")};
    struct actor admin = fixture_admin(f);
    struct user_channel out;
    struct err err;
    wish(f, &phone, "A");
    assert_int_equal(answer(f, &ann, fetch(f, &ann).id, ANSWER_FAILED), RESULT_TAKEN);
    assert_shown(f, &ann, "failed");
    assert_string_equal(shown(f, &phone, "screensaver", "ann")->reason, "no");
    assert_non_null(fixture_event(f, "command.failed"));
    wish(f, &phone, "A");
    begin(f, &phone, "ann");
    assert_null(fetch(f, &ann).id);
    plan_anew(f, &phone, items, COUNT(items));
    assert_int_equal(answer(f, &ann, fetch(f, &ann).id, ANSWER_FAILED), RESULT_TAKEN);
    assert_works(fleet_user_channel_sync(f->fleet, &admin, f->owner, phone.device_id,
                                         channel(f, &ann).enrolment_id, &out, &err),
                 err);
    assert_int_equal(out.open_commands, 2);
    assert_int_equal(obey(f, &ann, "A"), 2);
    assert_shown(f, &ann, "verified");
}

static void what_a_person_lost_is_sent_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann"), bob = begin(f, &phone, "bob");
    struct actor admin = fixture_admin(f);
    struct user_channel out;
    struct err err;
    wish(f, &phone, "A");
    (void)obey(f, &ann, "A");
    (void)obey(f, &bob, "A");
    assert_works(fleet_user_channel_sync(f->fleet, &admin, f->owner, phone.device_id,
                                         channel(f, &ann).enrolment_id, &out, &err),
                 err);
    struct command query = fetch(f, &ann);
    struct identity own = channel(f, &ann);
    const struct command_result none = {
        .command_id = query.id, .answer = ANSWER_DONE, .has_items = true};
    assert_int_equal(finish(f, &own, &none), RESULT_TAKEN);
    assert_shown(f, &ann, "queued");
    assert_shown(f, &bob, "verified");
    assert_int_equal(fixture_events(f, "item.missing"), 1);
    assert_int_equal(obey(f, &ann, "A"), 2);
    assert_shown(f, &ann, "verified");
}

/* ---- who comes and goes ---- */

static void who_leaves_and_comes_back_gets_it_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann"), bob = begin(f, &phone, "bob");
    struct identity gone;
    wish(f, &phone, "A");
    (void)obey(f, &ann, "A");
    leave(f, &ann);
    assert_false(channel_of(f, &ann, &gone));
    assert_null(shown(f, &phone, "screensaver", "ann"));
    assert_shown(f, &bob, "queued");
    leave(f, &bob); /* nobody is there */
    assert_int_equal(shown(f, &phone, "screensaver", NULL)->state, COMMAND_QUEUED);
    assert_int_equal(fixture_events(f, "device.user_left"), 2);
    wish(f, &phone, "B");
    begin(f, &phone, "ann");
    assert_int_equal(fetch(f, &ann).kind, COMMAND_INSTALL_ITEM);
    assert_string_equal(shown(f, &phone, "screensaver", "ann")->wanted_hash, "B");
    assert_int_equal(fixture_events(f, "device.user_enrolled"), 3);
    assert_int_equal(listed(f, &phone, 0, 2).state, ENROLMENT_ACTIVE);
}

static void a_person_is_one_of_their_own_device(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f), other = phone_enrolled(f, 1, "B");
    struct person ann = begin(f, &phone, "ann"), elsewhere = {&other, "ann"};
    struct actor admin = fixture_admin(f);
    struct identity none;
    struct user_channel out;
    struct err err;
    assert_false(channel_of(f, &elsewhere, &none));
    const char *id = channel(f, &ann).enrolment_id;
    assert_fails(
        fleet_user_channel_sync(f->fleet, &admin, f->owner, other.device_id, id, &out, &err), err,
        ERR_NOT_FOUND);
    assert_string_equal(listed(f, &phone, 0, 1).id, id);
    (void)listed(f, &other, 0, 0);
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    assert_fails(
        fleet_user_channel_sync(f->fleet, &auditor, f->owner, phone.device_id, id, &out, &err), err,
        ERR_FORBIDDEN);
}

static void a_device_has_no_more_than_its_people(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct err err;
    for (int i = 0; i < USER_CHANNELS_MOST; i++)
        begin(f, &phone, mem_format(f->owner, "p%d", i));
    assert_fails(told(f, &(struct person){&phone, "one more"}, &err), err, ERR_PRECONDITION);
    struct person first = begin(f, &phone, "p0");
    (void)listed(f, &phone, 0, USER_CHANNELS_MOST);
    leave(f, &first); /* there is room for another */
    begin(f, &phone, "one more");
    assert_fails(told(f, &(struct person){&phone, "another"}, &err), err, ERR_PRECONDITION);
}

/* ---- with the device ---- */

static void all_ends_when_the_device_is_asked_to_leave(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann");
    struct identity gone;
    struct err err;
    wish(f, &phone, "A");
    (void)obey(f, &ann, "A");
    wish(f, &phone, "B");
    const char *id = channel(f, &ann).enrolment_id;
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    assert_false(channel_of(f, &ann, &gone));
    assert_string_equal(fixture_enrolment_state(f, id), "checked_out");
    assert_int_equal(commands(f, id, true), 0);
    assert_int_equal(fixture_look(f, &SQL_DELIVERED_LIST, ARGS(TEXT(id)))->count, 0);
    assert_fails(told(f, &ann, &err), err, ERR_FORBIDDEN);
    assert_int_equal(phone_obey(f, &phone), 1);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "retired");
    assert_int_equal(fixture_look(f, &SQL_DELIVERED_LIST, ARGS(TEXT(phone.enrolment_id)))->count,
                     0);
}

static void a_device_that_enrols_again_begins_without_people(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann");
    wish(f, &phone, "A");
    (void)obey(f, &ann, "A");
    const char *before = channel(f, &ann).enrolment_id;
    struct phone again = phone_enrolled(f, 1, "A");
    fixture_work(f);
    wish(f, &again, "A");
    assert_string_equal(fixture_enrolment_state(f, before), "checked_out");
    (void)listed(f, &again, 0, 0);
    assert_non_null(shown(f, &again, "screensaver", NULL));
    struct person returned = begin(f, &again, "ann");
    assert_string_not_equal(channel(f, &returned).enrolment_id, before);
    assert_shown(f, &returned, "queued");
}

/* proves-partly: 4g-12 */
static void a_blocked_device_keeps_its_people_waiting(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann"), bob = begin(f, &phone, "bob");
    struct actor admin = fixture_admin(f);
    struct err err;
    wish(f, &phone, "A");
    (void)obey(f, &bob, "A");
    const char *hers = channel(f, &ann).enrolment_id, *his = channel(f, &bob).enrolment_id;
    assert_works(fleet_device_block(f->fleet, &admin, phone.device_id, &err), err);
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    assert_works(fleet_device_unblock(f->fleet, &admin, phone.device_id, &err), err);
    assert_true(is_due(f, hers));
    assert_false(is_due(f, his)); /* nothing waits for him */
    assert_true(is_due(f, phone.enrolment_id));
    assert_int_equal(obey(f, &ann, "A"), 2);
    assert_shown(f, &ann, "verified");
}

static void a_device_without_channels_for_people_says_so(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct err err;
    fixture_write(f, &SQL_FORBID_USERS, ARGS(TEXT(phone.enrolment_id)));
    wish(f, &phone, "A");
    const struct delivered *row = shown(f, &phone, "screensaver", NULL);
    assert_int_equal(row->state, COMMAND_FAILED);
    assert_non_null(strstr(row->reason, "without channels"));
    assert_non_null(row->remedy);
    assert_fails(told(f, &(struct person){&phone, "ann"}, &err), err, ERR_PRECONDITION);
}

/* One that is a person's own has one person, and is asked for less. */
static void a_device_of_an_account_has_no_people(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    assert_false(fixture_effective(f, phone.device_id).by_account);
    fixture_write(f, &SQL_LINK_BY_ACCOUNT, NULL, 0);
    fleet_forget_all(f->shared);
    assert_true(fixture_effective(f, phone.device_id).by_account);
    wish(f, &phone, "A");
    assert_int_equal(shown(f, &phone, "screensaver", NULL)->state, COMMAND_FAILED);
    struct err err;
    assert_fails(told(f, &(struct person){&phone, "ann"}, &err), err, ERR_PRECONDITION);
}

/* What people have, or lack, says nothing of whether the device does as it should. */
static void people_do_not_decide_how_their_device_complies(void **state)
{
    struct fixture *f = *state;
    struct policy rules = fixture_policy(f, "Rules", "compliance", "{\"password.min_length\":6}");
    struct policy base = fixture_policy(f, "Base", "configuration", "{\"password.min_length\":8}");
    struct phone phone = desk(f);
    fixture_assign(f, base.id, NULL);
    fixture_assign(f, rules.id, NULL);
    fixture_work(f);
    (void)phone_obey(f, &phone);
    f->now += 60;
    phone_report(f, &phone, FACT_PASSWORD_PRESENT, "true", EVIDENCE_MEASURED);
    phone_report(f, &phone, FACT_PASSWORD_COMPLIANT, "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    struct effective effective = fixture_effective(f, phone.device_id);
    const struct wanted_item items[] = {
        {"password", effective.items[0].wanted_hash, CARRIER_COMMAND}, PEOPLE_ITEM("A")};
    plan(f, &phone, items, COUNT(items));
    phone_report(f, &phone, FACT_PASSWORD_PRESENT, "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    struct person ann = begin(f, &phone, "ann");
    assert_int_equal(answer(f, &ann, fetch(f, &ann).id, ANSWER_FAILED), RESULT_TAKEN);
    phone_report(f, &phone, FACT_PASSWORD_PRESENT, "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
}

/* ---- pushes ---- */

static struct wake woken(struct fixture *f, const char *enrolment_id)
{
    size_t count = 0;
    struct wake *wakes = fixture_claim(f, WAKE_CLAIM_MOST, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(wakes[i].enrolment_id, enrolment_id) == 0)
            return wakes[i];
    fail_msg("nobody is woken");
    return (struct wake){0};
}

static void a_dead_address_of_a_person_names_device_and_person(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct person ann = begin(f, &phone, "ann");
    wish(f, &phone, "A");
    struct wake wake = woken(f, channel(f, &ann).enrolment_id);
    fixture_settle(f, &wake, WAKE_DEAD, f->now + 1, "Unregistered");
    struct rows *rows = fixture_look(f, &SQL_LOOK_EVENT_LAST, ARGS(TEXT("push.dead")));
    assert_string_equal(rows_text(rows, 0, "device_id"), phone.device_id);
    assert_non_null(strstr(rows_text(rows, 0, "body"), "\"ann\""));
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    f->now += 60;
    begin(f, &phone, "ann"); /* with an address that works */
    assert_true(is_due(f, channel(f, &ann).enrolment_id));
}

static int64_t unreachable(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct push_certificate_view view;
    struct err err;
    assert_works(fleet_push_get(f->fleet, &admin, f->owner, &view, &err), err);
    return view.unreachable;
}

static void devices_are_counted_as_unreachable_and_not_their_people(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    struct err err;
    begin(f, &phone, "ann");
    begin(f, &phone, "bob");
    assert_works(fixture_push_import(f, "com.apple.mgmt.External.other", 365, &err), err);
    assert_int_equal(unreachable(f), 1);
}

/* ---- at once ---- */

struct racer {
    struct fixture *f;
    const struct phone *phone;
    const char *user; /* NULL: plans */
    const char *variant;
    struct identity identity;
    bool worked;
    struct err err;
};

static void run_for_it(struct fleet *fleet, void *context)
{
    struct racer *r = context;
    static const struct wanted_item items[] = {PEOPLE_ITEM("B")};
    if (!r->user) {
        struct actor system = fleet_system_actor(r->f->now);
        r->worked = fleet_plan(fleet, &system, r->phone->device_id, r->variant, items, COUNT(items),
                               NULL, &r->err);
        return;
    }
    struct actor actor = fleet_device_actor(&r->identity, "r", r->f->now);
    const struct user_claims claims = {r->user, r->user, NULL, true};
    const struct push_address address = {r->phone->topic, bytes_text("t"), bytes_text("m"),
                                         NO_BYTES};
    r->worked = fleet_user_channel_told(fleet, &actor, &r->identity, &claims, &address, &r->err);
}

static void who_begins_while_it_changes_gets_what_holds_in_the_end(void **state)
{
    struct fixture *f = *state;
    struct phone phone = desk(f);
    static const char *const users[] = {"ann", "ann", NULL, "bob", "eve"};
    for (size_t round = 0; round < 5; round++) {
        struct racer racers[COUNT(users)] = {0};
        wish(f, &phone, "A");
        for (size_t i = 0; i < COUNT(users); i++)
            racers[i] = (struct racer){
                .f = f,
                .phone = &phone,
                .user = users[i] ? mem_format(f->owner, "%s%zu", users[i], round) : NULL,
                .variant = fixture_effective(f, phone.device_id).variant_hash,
                .identity = phone_identity(f, &phone)};
        fixture_race(f, run_for_it, racers, sizeof(racers[0]), COUNT(racers));
        for (size_t i = 0; i < COUNT(users); i++) {
            assert_works(racers[i].worked, racers[i].err);
            if (!users[i])
                continue;
            const struct delivered *row = shown(f, &phone, "screensaver", racers[i].user);
            assert_non_null(row);
            assert_string_equal(row->wanted_hash, "B");
            struct person person = {&phone, racers[i].user};
            assert_int_equal(commands(f, channel(f, &person).enrolment_id, true), 1);
        }
    }
}

FLEET_MAIN(FLEET_TEST(what_is_for_people_waits_for_somebody_with_a_reason),
           FLEET_TEST(each_person_gets_it_from_the_first_sign_in_on),
           FLEET_TEST(an_item_of_a_person_goes_from_queued_to_verified),
           FLEET_TEST(commands_and_answers_stay_on_their_channel),
           FLEET_TEST(commands_of_people_are_listed_with_their_device),
           FLEET_TEST(a_change_is_sent_to_all_and_what_nobody_wants_is_removed),
           FLEET_TEST(what_failed_is_tried_again_when_something_changed),
           FLEET_TEST(what_a_person_lost_is_sent_again),
           FLEET_TEST(who_leaves_and_comes_back_gets_it_again),
           FLEET_TEST(a_person_is_one_of_their_own_device),
           FLEET_TEST(a_device_has_no_more_than_its_people),
           FLEET_TEST(all_ends_when_the_device_is_asked_to_leave),
           FLEET_TEST(a_device_that_enrols_again_begins_without_people),
           FLEET_TEST(a_blocked_device_keeps_its_people_waiting),
           FLEET_TEST(a_device_without_channels_for_people_says_so),
           FLEET_TEST(a_device_of_an_account_has_no_people),
           FLEET_TEST(people_do_not_decide_how_their_device_complies),
           FLEET_TEST(a_dead_address_of_a_person_names_device_and_person),
           FLEET_TEST(devices_are_counted_as_unreachable_and_not_their_people),
           FLEET_TEST(who_begins_while_it_changes_gets_what_holds_in_the_end))
