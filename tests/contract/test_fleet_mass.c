/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many devices at once: they enrol, renew when each one's moment comes, and enrol again, by several
 * threads and a clock that the test moves.  MUSTER_MASS says how many (300; `./dev soak`: 10,000).
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "fleet/certificate.h"
#include "fleet/push.h"
#include "fleet/renew.h"
#include "pki/digest.h"
#include "tests/contract/fleet_fixture.h"

#define THREADS 8
#define MASS_DEFAULT 300
#define CALL_LONGEST_MS 15000 /* of one use case: a convoy behind SQLite's writer lasts longer */
#define DAY INT64_C(86400)

struct member { /* one device */
    char udid[40], device_id[40];
    uint8_t sha256[32];
};

struct mass {
    struct fixture *f;
    struct member *members;
    size_t count;
    atomic_size_t next;
    atomic_int failures, renewed;
    atomic_llong slowest_ms;
    const char *topic;
    /* one device's part of the wave */
    bool (*step)(struct fleet *fleet, struct mass *mass, struct member *member, void *owner,
                 struct err *err);
};

#define MODULUS_AT 33 /* in the SubjectPublicKeyInfo of a key of 2048 bits */
#define MODULUS_SIZE 256

/* A public key that nobody has: its modulus is chance. Keys of 10,000 devices take hours to make.
 */
static struct bytes spki_make(struct mass *mass, void *owner)
{
    struct bytes like = fixture_key(mass->f, 0);
    uint8_t *der = mem_copy(owner, like.data, like.size);
    random_bytes(der + MODULUS_AT, MODULUS_SIZE);
    der[MODULUS_AT] |= 0x80;
    der[MODULUS_AT + MODULUS_SIZE - 1] |= 1;
    return (struct bytes){der, like.size};
}

static bool certify(struct fleet *fleet, struct mass *mass, const struct enrolment_start *start,
                    struct member *member, void *owner, struct err *err)
{
    const struct actor someone = fixture_public(mass->f);
    const struct asked_attribute attributes[] = {
        {"subject.CN", start->common_name},
        {"subject.O", start->organization},
        {"san.uri", start->san_uri},
        {"key.type", "RSA"},
        {"key.bits", "2048"},
    };
    const struct certificate_asked asked = {.challenge = start->challenge,
                                            .transaction_id = start->challenge,
                                            .spki = spki_make(mass, owner),
                                            .request = bytes_text("request"),
                                            .attributes = attributes,
                                            .attribute_count = COUNT(attributes)};
    struct issued issued;
    if (!fleet_issue(fleet, &someone, owner, &asked, &issued, err))
        return false;
    if (issued.is_refused)
        return err_set(err, ERR_FORBIDDEN, "no certificate");
    digest_sha256(issued.der, member->sha256);
    return true;
}

/* Authenticate and TokenUpdate with the newest certificate. */
static bool check_in(struct fleet *fleet, struct mass *mass, struct member *member, void *owner,
                     struct err *err)
{
    struct identity identity;
    const struct device_claims claims = {.udid = member->udid,
                                         .name = member->udid,
                                         .product = "iPhone15,2",
                                         .platform = PLATFORM_IOS,
                                         .topic = mass->topic};
    const struct push_address address = {
        .topic = mass->topic, .token = bytes_text(member->udid), .magic = bytes_text("magic")};
    bool first;
    if (!fleet_identify(fleet, owner, member->sha256, &identity, err))
        return false;
    struct actor actor = fleet_device_actor(&identity, "r", mass->f->now);
    if (!fleet_authenticate(fleet, &actor, &identity, &claims, err) ||
        !fleet_identify(fleet, owner, member->sha256, &identity, err) ||
        !fleet_activate(fleet, &actor, &identity, &address, &first, err))
        return false;
    (void)snprintf(member->device_id, sizeof(member->device_id), "%s", identity.device_id);
    return true;
}

/* Fetch and acknowledge everything; a renewal on the way. */
static bool obey(struct fleet *fleet, struct mass *mass, struct member *member, void *owner,
                 struct err *err)
{
    for (;;) {
        struct identity identity;
        struct command command;
        enum result_outcome outcome;
        if (!fleet_identify(fleet, owner, member->sha256, &identity, err))
            return false;
        struct actor actor = fleet_device_actor(&identity, "r", mass->f->now);
        if (!fleet_identity_used(fleet, &actor, &identity, err) ||
            !fleet_command_fetch(fleet, &actor, owner, &identity, COMMANDS_ALL, &command, err))
            return false;
        if (!command.id)
            return true;
        if (command.kind == COMMAND_RENEW_IDENTITY) {
            struct enrolment_start start;
            char *topic;
            if (!fleet_renewal_start(fleet, &actor, owner, &identity, &start, &topic, err) ||
                !certify(fleet, mass, &start, member, owner, err) ||
                !check_in(fleet, mass, member, owner, err) ||
                !fleet_identify(fleet, owner, member->sha256, &identity, err))
                return false;
            atomic_fetch_add(&mass->renewed, 1);
        }
        const struct command_result result = {.command_id = command.id, .answer = ANSWER_DONE};
        if (!fleet_command_finish(fleet, &actor, &identity, &result, &outcome, err))
            return false;
    }
}

static bool enrol(struct fleet *fleet, struct mass *mass, struct member *member, void *owner,
                  struct err *err)
{
    const struct actor admin = fixture_admin(mass->f), someone = fixture_public(mass->f);
    struct enrolment_link link, wish = {0};
    struct enrolment_start start;
    char *token;
    if (*member->device_id)
        wish.device_id = mem_text(owner, member->device_id);
    return fleet_link_create(fleet, &admin, owner, &wish, &link, &token, err) &&
           fleet_enrolment_start(fleet, &someone, owner, token, "apple", &start, err) &&
           certify(fleet, mass, &start, member, owner, err) &&
           check_in(fleet, mass, member, owner, err) && obey(fleet, mass, member, owner, err);
}

static void slowest_note(struct mass *mass, long long ms)
{
    long long before = atomic_load(&mass->slowest_ms);
    while (ms > before && !atomic_compare_exchange_weak(&mass->slowest_ms, &before, ms)) {
    }
}

static void work(struct fleet *fleet, void *context)
{
    struct mass *mass = *(struct mass **)context;
    for (size_t i; (i = atomic_fetch_add(&mass->next, 1)) < mass->count;) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        struct err err;
        int64_t begun = clock_monotonic_ms();
        if (!mass->step(fleet, mass, &mass->members[i], owner, &err) &&
            atomic_fetch_add(&mass->failures, 1) < 5)
            print_error("%s: %s\n", mass->members[i].udid, err.text);
        slowest_note(mass, clock_monotonic_ms() - begun);
    }
}

/* All of them, by all threads. */
static void wave(struct mass *mass, const char *what,
                 bool (*step)(struct fleet *, struct mass *, struct member *, void *, struct err *))
{
    struct mass *contexts[THREADS];
    int64_t begun = clock_monotonic_ms();
    for (size_t i = 0; i < THREADS; i++)
        contexts[i] = mass;
    mass->step = step;
    atomic_store(&mass->next, 0);
    atomic_store(&mass->slowest_ms, 0);
    fixture_clock(mass->f);
    fixture_race(mass->f, work, contexts, sizeof(contexts[0]), THREADS);
    int64_t ms = clock_monotonic_ms() - begun;
    print_message("%s: %zu devices, %lld ms, slowest %lld ms\n", what, mass->count, (long long)ms,
                  atomic_load(&mass->slowest_ms));
    assert_int_equal(atomic_load(&mass->failures), 0);
    assert_true(atomic_load(&mass->slowest_ms) < CALL_LONGEST_MS);
}

/* How many came to their moment since it was asked last. */
static int64_t queue_due(struct mass *mass)
{
    struct fixture *f = mass->f;
    int64_t before = fixture_events(f, "identity.renewal_due");
    size_t count = 0;
    struct err err;
    do
        assert_works(fleet_renewals_queue(f->fleet, f->now, 50, &count, &err), err);
    while (count == 50);
    return fixture_events(f, "identity.renewal_due") - before;
}

static int64_t active_count(struct fixture *f, const char *state)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENTS, NO_ARGS);
    int64_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += strcmp(rows_text(rows, i, "state"), state) == 0;
    return count;
}

/* The window day by day: what is due is spread, and every device is renewed once. */
static void renew_all(struct mass *mass)
{
    struct fixture *f = mass->f;
    int64_t most = 0, all = 0, even = (int64_t)mass->count / 20;
    int64_t from = renewal_opens_at(&f->settings, f->now, f->now + f->settings.certificate_seconds);
    int64_t half = (f->now + f->settings.certificate_seconds - from) / 2;
    enum { STEPS = 20 }; /* a few days each */
    f->now = from - DAY;
    assert_int_equal(queue_due(mass), 0);
    for (int i = 1; i <= STEPS; i++) {
        f->now = from + half * i / STEPS + (i == STEPS ? 3600 : 0);
        int64_t due = queue_due(mass);
        all += due;
        most = due > most ? due : most;
        if (i % 5 == 0)
            wave(mass, "renewal", obey);
    }
    assert_int_equal(all, mass->count);
    assert_true(most <= even * 3); /* no heap: three times the even share at most */
    assert_int_equal(atomic_load(&mass->renewed), (int)mass->count);
}

/* proves-partly: 4g-11 */
static void many_devices_enrol_renew_and_enrol_again(void **state)
{
    struct fixture *f = *state;
    const char *wish = getenv("MUSTER_MASS");
    struct mass *mass = mem_new(f->owner, struct mass);
    char *topic;
    struct err err;
    *mass = (struct mass){.f = f, .count = wish ? strtoul(wish, NULL, 10) : MASS_DEFAULT};
    mass->members = mem_array(f->owner, struct member, mass->count);
    for (size_t i = 0; i < mass->count; i++)
        (void)snprintf(mass->members[i].udid, sizeof(mass->members[i].udid), "00008110-%08zu", i);
    assert_works(fleet_push_topic(f->fleet, f->owner, &topic, &err), err);
    mass->topic = topic;
    (void)fixture_key(f, 0); /* made before the threads are */
    wave(mass, "enrolment", enrol);
    assert_int_equal(active_count(f, "active"), mass->count);
    renew_all(mass);
    assert_int_equal(active_count(f, "active"), mass->count);
    assert_int_equal(fixture_events(f, "identity.renewed"), mass->count);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 0);
    wave(mass, "enrolment again", enrol);
    assert_int_equal(active_count(f, "active"), mass->count);
    assert_int_equal(active_count(f, "superseded"), mass->count);
    assert_int_equal(fixture_look(f, &SQL_LOOK_DEVICES, NO_ARGS)->count, mass->count);
}

FLEET_MAIN(FLEET_TEST(many_devices_enrol_renew_and_enrol_again))
