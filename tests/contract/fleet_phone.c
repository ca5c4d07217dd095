/* SPDX-License-Identifier: Apache-2.0 */
/* What devices and people do in the tests of fleet/. */
#include <stdio.h>

#include "base/text.h"
#include "fleet/job.h"
#include "fleet/push.h"
#include "pki/digest.h"
#include "policy/setting.h"
#include "tests/contract/fleet_fixture.h"

/* ---- links and certificates ---- */

static char *link_for(struct fixture *f, const char *device_id)
{
    struct actor admin = fixture_admin(f);
    struct enrolment_link link, wish = {0};
    char *token;
    struct err err;
    if (device_id)
        wish.device_id = mem_text(f->owner, device_id);
    assert_works(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err);
    return token;
}

char *fixture_link(struct fixture *f)
{
    return link_for(f, NULL);
}

struct enrolment_start fixture_start_for(struct fixture *f, const char *device_id)
{
    struct actor someone = fixture_public(f);
    struct enrolment_start start;
    struct err err;
    assert_works(fleet_enrolment_start(f->fleet, &someone, f->owner, link_for(f, device_id),
                                       "apple", &start, &err),
                 err);
    return start;
}

struct enrolment_start fixture_start(struct fixture *f)
{
    return fixture_start_for(f, NULL);
}

struct certificate_asked fixture_asked(struct fixture *f, const struct enrolment_start *start,
                                       size_t key)
{
    const struct asked_attribute attributes[ASKED_COUNT] = {
        {"subject.CN", start->common_name},
        {"subject.O", start->organization},
        {"san.uri", start->san_uri},
        {"key.type", "RSA"},
        {"key.bits", "2048"},
        {"key.usage", "digitalSignature,keyEncipherment"},
        {"eku", "clientAuth"},
    };
    return (struct certificate_asked){
        .challenge = start->challenge,
        .transaction_id = mem_format(f->owner, "transaction %zu", key),
        .spki = fixture_key(f, key),
        .request = bytes_text("request"),
        .attributes = mem_copy(f->owner, attributes, sizeof(attributes)),
        .attribute_count = ASKED_COUNT};
}

struct issued fixture_issue(struct fixture *f, const struct certificate_asked *asked)
{
    struct actor someone = fixture_public(f);
    struct issued issued;
    struct err err;
    fixture_clock(f);
    assert_works(fleet_issue(f->fleet, &someone, f->owner, asked, &issued, &err), err);
    return issued;
}

/* ---- devices ---- */

static const char *device_of(struct fixture *f, const char *udid)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_DEVICES, NO_ARGS);
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows_text(rows, i, "udid"), udid) == 0)
            return rows_text(rows, i, "id");
    return NULL;
}

struct phone phone_certified(struct fixture *f, size_t key, const char *udid)
{
    struct phone phone = {.start = fixture_start_for(f, device_of(f, udid)), .udid = udid};
    char *topic;
    struct err err;
    assert_works(fleet_push_topic(f->fleet, f->owner, &topic, &err), err);
    phone.topic = topic;
    struct certificate_asked asked = fixture_asked(f, &phone.start, key);
    struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    phone.der = issued.der;
    digest_sha256(issued.der, phone.sha256);
    phone.enrolment_id = phone.start.enrolment_id;
    return phone;
}

struct device_claims phone_claims(const struct phone *phone)
{
    return (struct device_claims){.udid = phone->udid,
                                  .name = "Anna's iPhone",
                                  .model = "iPhone",
                                  .product = "iPhone15,2",
                                  .os_version = "17.5.1",
                                  .os_build = "21F90",
                                  .platform = PLATFORM_IOS,
                                  .topic = phone->topic};
}

struct identity phone_identity(struct fixture *f, const struct phone *phone)
{
    struct identity identity;
    struct err err;
    assert_works(fleet_identify(f->fleet, f->owner, phone->sha256, &identity, &err), err);
    return identity;
}

static struct actor phone_actor(struct fixture *f, const struct identity *identity)
{
    return fleet_device_actor(identity, "r3", f->now);
}

void phone_authenticate(struct fixture *f, struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = phone_actor(f, &identity);
    struct device_claims claims = phone_claims(phone);
    struct err err;
    assert_works(fleet_authenticate(f->fleet, &actor, &identity, &claims, &err), err);
    phone->device_id = phone_identity(f, phone).device_id;
    assert_non_null(phone->device_id);
}

bool phone_activate(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = phone_actor(f, &identity);
    struct push_address address = {
        .topic = phone->topic, .token = bytes_text("token"), .magic = bytes_text("magic")};
    bool first = false;
    struct err err;
    assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
    return first;
}

struct phone phone_enrolled(struct fixture *f, size_t key, const char *udid)
{
    struct phone phone = phone_certified(f, key, udid);
    phone_authenticate(f, &phone);
    assert_true(phone_activate(f, &phone));
    (void)phone_obey(f, &phone);
    return phone;
}

bool phone_order_try(struct fixture *f, const struct phone *phone, enum command_kind kind,
                     const char *parameters, struct command *out, struct err *err)
{
    struct actor admin = fixture_admin(f);
    return fleet_command_create(f->fleet, &admin, f->owner, phone->device_id, kind, parameters, out,
                                err);
}

struct command phone_order(struct fixture *f, const struct phone *phone, enum command_kind kind)
{
    struct command command;
    struct err err;
    assert_works(phone_order_try(f, phone, kind, NULL, &command, &err), err);
    return command;
}

struct command phone_fetch(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = phone_actor(f, &identity);
    struct command command;
    struct err err;
    assert_works(
        fleet_command_fetch(f->fleet, &actor, f->owner, &identity, COMMANDS_ALL, &command, &err),
        err);
    return command;
}

enum result_outcome phone_finish(struct fixture *f, const struct phone *phone,
                                 const struct command_result *result)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = phone_actor(f, &identity);
    enum result_outcome outcome;
    struct err err;
    assert_works(fleet_command_finish(f->fleet, &actor, &identity, result, &outcome, &err), err);
    return outcome;
}

enum result_outcome phone_answer(struct fixture *f, const struct phone *phone, const char *id,
                                 enum command_answer answer)
{
    struct command_result result = {.command_id = id, .answer = answer};
    if (answer == ANSWER_FAILED) {
        result.reason = "the device says no";
        result.remedy = "ask it nicely";
    }
    return phone_finish(f, phone, &result);
}

void phone_report(struct fixture *f, const struct phone *phone, const char *name, const char *value,
                  enum evidence evidence)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = phone_actor(f, &identity);
    struct fact fact = {.name = mem_text(f->owner, name),
                        .value = mem_text(f->owner, value),
                        .evidence = evidence,
                        .source = mem_text(f->owner, "test"),
                        .reported_at = f->now};
    struct err err;
    assert_works(fleet_observe(f->fleet, &actor, phone->device_id, &fact, 1, &err), err);
}

/* ---- a room that makes one item of each area ---- */

struct split {
    struct wanted_item items[16];
    size_t count;
};

static bool is_listed(const struct split *split, const char *item)
{
    for (size_t i = 0; i < split->count; i++)
        if (strcmp(split->items[i].item, item) == 0)
            return true;
    return false;
}

static const char *area_hash(struct fixture *f, const struct effective *effective, const char *area)
{
    char *text = mem_text(f->owner, area);
    for (size_t i = 0; i < effective->count; i++) {
        const struct setting *setting = &settings[effective->values[i].id];
        if (strcmp(setting->area, area) == 0)
            text = mem_format(f->owner, "%s %s=%lld", text, setting->name,
                              (long long)effective->values[i].value);
    }
    return digest_sha256_hex(f->owner, bytes_text(text));
}

static struct split room_split(struct fixture *f, const struct effective *effective)
{
    struct split split = {0};
    for (size_t i = 0; i < effective->count; i++) {
        const char *area = settings[effective->values[i].id].area;
        if (is_listed(&split, area))
            continue;
        assert_true(split.count < COUNT(split.items));
        split.items[split.count++] =
            (struct wanted_item){area, area_hash(f, effective, area), CARRIER_COMMAND};
    }
    return split;
}

struct effective fixture_effective(struct fixture *f, const char *device_id)
{
    struct actor system = fleet_system_actor(f->now);
    struct effective effective;
    struct err err;
    assert_works(fleet_effective(f->fleet, &system, f->owner, device_id, &effective, &err), err);
    return effective;
}

static const char *item_hash(struct fixture *f, const char *device_id, const char *item)
{
    struct effective effective = fixture_effective(f, device_id);
    return area_hash(f, &effective, item);
}

/* What the device acknowledged is what it says it has. */
static void items_list(struct fixture *f, const struct phone *phone, struct command_result *result)
{
    struct effective effective = fixture_effective(f, phone->device_id);
    struct reported_item *items =
        mem_array(f->owner, struct reported_item, effective.item_count + 1);
    for (size_t i = 0; i < effective.item_count; i++)
        if (*effective.items[i].hash)
            items[result->item_count++] =
                (struct reported_item){effective.items[i].item, effective.items[i].hash};
    result->items = items;
    result->has_items = true;
}

size_t phone_obey(struct fixture *f, const struct phone *phone)
{
    for (size_t count = 0; count < 50; count++) {
        struct command command = phone_fetch(f, phone);
        struct command_result result = {.command_id = command.id, .answer = ANSWER_DONE};
        if (!command.id)
            return count;
        if (command.kind == COMMAND_INSTALL_ITEM)
            result.item_hash = item_hash(f, phone->device_id, command.item);
        if (command.kind == COMMAND_QUERY_ITEMS)
            items_list(f, phone, &result);
        assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
    }
    fail_msg("the commands do not end");
    return 0;
}

/* ---- policies ---- */

struct policy fixture_policy(struct fixture *f, const char *name, const char *kind,
                             const char *content)
{
    struct actor admin = fixture_admin(f);
    struct policy policy = {0}, wish = {.name = mem_text(f->owner, name),
                                        .kind = mem_text(f->owner, kind),
                                        .settings = mem_text(f->owner, content)};
    struct err err;
    assert_works(fleet_policy_create(f->fleet, &admin, f->owner, &wish, &policy, &err), err);
    return policy;
}

struct policy fixture_policy_change(struct fixture *f, const char *id, const char *content)
{
    struct actor admin = fixture_admin(f);
    struct policy policy = {0}, wish = {.settings = mem_text(f->owner, content)};
    struct err err;
    assert_works(fleet_policy_update(f->fleet, &admin, f->owner, id, &wish, &policy, &err), err);
    return policy;
}

struct assignment fixture_assign(struct fixture *f, const char *policy_id, const char *device_id)
{
    struct actor admin = fixture_admin(f);
    struct assignment made, wish = {.target = mem_text(f->owner, device_id ? "device" : "all"),
                                    .device_id = device_id ? mem_text(f->owner, device_id) : NULL};
    struct err err;
    assert_works(fleet_assignment_create(f->fleet, &admin, f->owner, policy_id, &wish, &made, &err),
                 err);
    return made;
}

static void work_resolve(struct fixture *f)
{
    struct job job = {0};
    struct err err;
    do {
        assert_works(fleet_job_claim(f->fleet, f->owner, "resolve", f->now, &job, &err), err);
        if (job.kind) {
            assert_works(fleet_resolve(f->fleet, job.subject, f->now, &err), err);
            assert_works(fleet_job_done(f->fleet, &job, &err), err);
        }
    } while (job.kind);
}

static void work_plan(struct fixture *f)
{
    struct actor system = fleet_system_actor(f->now);
    char **ids;
    size_t count;
    struct err err;
    assert_works(fleet_unplanned(f->fleet, f->owner, NULL, 100, &ids, &count, &err), err);
    for (size_t i = 0; i < count; i++) {
        struct effective effective = fixture_effective(f, ids[i]);
        struct split split = room_split(f, &effective);
        assert_works(fleet_plan(f->fleet, &system, ids[i], effective.variant_hash, split.items,
                                split.count, NULL, &err),
                     err);
    }
    assert_works(fleet_unplanned(f->fleet, f->owner, NULL, 100, &ids, &count, &err), err);
    assert_int_equal(count, 0);
}

void fixture_work(struct fixture *f)
{
    size_t count;
    struct err err;
    work_resolve(f);
    work_plan(f);
    assert_works(fleet_evaluate_due(f->fleet, f->now, 100, &count, &err), err);
}

const char *fixture_value(struct fixture *f, const char *device_id, const char *name)
{
    struct effective effective = fixture_effective(f, device_id);
    for (size_t i = 0; i < effective.count; i++) {
        const struct setting *setting = &settings[effective.values[i].id];
        if (strcmp(setting->name, name) == 0)
            return setting_value_text(f->owner, setting, effective.values[i].value);
    }
    return NULL;
}

const char *fixture_compliance(struct fixture *f, const char *device_id)
{
    struct actor admin = fixture_admin(f);
    struct compliance_view view;
    struct err err;
    assert_works(fleet_compliance_get(f->fleet, &admin, f->owner, device_id, &view, &err), err);
    return view.state;
}
