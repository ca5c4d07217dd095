/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet for a test: a fresh database, a key process shared by the program, a clock that stands
 * still until the test moves it, a room that carries every setting, and makers for what devices and
 * people do.  Makers fail the test when the thing does not work.
 *
 *     static void a_sentence(void **state) { struct fixture *f = *state; ... }
 *     FLEET_MAIN(FLEET_TEST(a_sentence))
 */
#pragma once

#include "fleet/act.h"
#include "fleet/desired.h"
#include "fleet/enrol.h"
#include "fleet/issue.h"
#include "fleet/policy.h"
#include "fleet/wake.h"
#include "model/account.h"
#include "model/certificate.h"
#include "model/fact.h"
#include "model/platform.h"
#include "tests/contract/contract.h"
#include "tests/contract/fleet_sql.h"
#include "tests/unit/keyd/process.h"

struct fixture {
    struct contract *contract;
    void *owner; /* freed after the test */
    struct process *process;
    struct fleet_settings settings;
    struct fleet_shared *shared;
    struct fleet *fleet; /* of the test's own thread */
    int64_t now;         /* what every actor made from here on says */
};

#define FLEET_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
#define FLEET_MAIN(...)                                                                            \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct CMUnitTest tests[] = {__VA_ARGS__};                                    \
        contract_begin(argc, argv);                                                                \
        return cmocka_run_group_tests(tests, fixture_begin, process_tear_down);                    \
    }
int fixture_begin(void **state); /* the key process, with a clock that tests can move */
int fixture_open(void **state);
int fixture_close(void **state);

/* The key process reads the clock by itself: let it read f->now. */
void fixture_clock(const struct fixture *f);

/* ---- who acts ---- */
struct actor fixture_account(const struct fixture *f, enum role role);
struct actor fixture_admin(const struct fixture *f);
struct actor fixture_public(const struct fixture *f);

/* ---- what stands in the database ---- */
struct rows *fixture_look(struct fixture *f, const struct statement *statement,
                          const struct value *args, size_t count);
void fixture_write(struct fixture *f, const struct statement *statement, const struct value *args,
                   size_t count);
int64_t fixture_events(struct fixture *f, const char *kind);
/* The body of the newest event of a kind. */
const char *fixture_event(struct fixture *f, const char *kind);
const char *fixture_enrolment_state(struct fixture *f, const char *enrolment_id);
const char *fixture_command_state(struct fixture *f, const char *command_id);

/* ---- threads: `racers` run at once, each with a fleet of its own ---- */
typedef void fixture_racer(struct fleet *fleet, void *context);
void fixture_race(struct fixture *f, fixture_racer *racer, void *contexts, size_t size,
                  size_t count);
/* A copy of the fleet whose key process is gone, and one whose goes away when it is asked to do
 * this (enum keyd_operation). */
struct fleet fixture_without_keyd(struct fixture *f);
struct fleet fixture_keyd_dies_at(struct fixture *f, int operation);

/* ---- links and certificates ---- */
char *fixture_link(struct fixture *f);
struct enrolment_start fixture_start(struct fixture *f);
/* By a link made for this device; NULL: for any that is not enrolled. */
struct enrolment_start fixture_start_for(struct fixture *f, const char *device_id);
/* SubjectPublicKeyInfo of RSA key `number`, made once per program. */
struct bytes fixture_key(struct fixture *f, size_t number);
/* What a device that obeys its profile asks for: 7 attributes that the test may change. */
struct certificate_asked fixture_asked(struct fixture *f, const struct enrolment_start *start,
                                       size_t key);
#define ASKED_COUNT 7
struct issued fixture_issue(struct fixture *f, const struct certificate_asked *asked);

/* ---- devices ---- */
struct phone {
    struct enrolment_start start;
    struct bytes der; /* its certificate */
    uint8_t sha256[32];
    const char *udid;
    const char *topic;                    /* of its profile */
    const char *enrolment_id, *device_id; /* the last after authenticate */
};
/* A certificate, but no contact yet. For a UDID that is known the link is made for the device. */
struct phone phone_certified(struct fixture *f, size_t key, const char *udid);
/* Authenticated and reachable; its first queries answered. */
struct phone phone_enrolled(struct fixture *f, size_t key, const char *udid);
void phone_authenticate(struct fixture *f, struct phone *phone);
bool phone_activate(struct fixture *f, const struct phone *phone); /* the first time? */
struct device_claims phone_claims(const struct phone *phone);
struct identity phone_identity(struct fixture *f, const struct phone *phone);
/* What an administrator asks of it. */
struct command phone_order(struct fixture *f, const struct phone *phone, enum command_kind kind);
bool phone_order_try(struct fixture *f, const struct phone *phone, enum command_kind kind,
                     const char *parameters, struct command *out, struct err *err);
struct command phone_fetch(struct fixture *f, const struct phone *phone);
enum result_outcome phone_answer(struct fixture *f, const struct phone *phone, const char *id,
                                 enum command_answer answer);
enum result_outcome phone_finish(struct fixture *f, const struct phone *phone,
                                 const struct command_result *result);
/* Fetch and acknowledge until nothing is left, as a willing device does; installs report their
 * hash, queries of items what `has` lists. Returns how many commands it got. */
size_t phone_obey(struct fixture *f, const struct phone *phone);
void phone_report(struct fixture *f, const struct phone *phone, const char *fact, const char *value,
                  enum evidence evidence);

/* ---- pushes ---- */
/* Ask for a push certificate of this topic and import what Apple makes of it. */
/* What Apple's portal makes of a request. */
struct bytes fixture_push_sign(struct fixture *f, struct bytes request, const char *topic,
                               int64_t days);
bool fixture_push_import(struct fixture *f, const char *topic, int64_t days, struct err *err);
struct wake *fixture_claim(struct fixture *f, size_t most, size_t *count);
void fixture_settle(struct fixture *f, struct wake *wake, enum wake_outcome outcome,
                    int64_t dead_since, const char *reason);
/* Schedule and claim; false: it cannot be woken, or nothing waits. out may be NULL. */
bool phone_wake(struct fixture *f, const struct phone *phone, struct wake *out);
/* The same, and this is what came of it. */
bool phone_push(struct fixture *f, const struct phone *phone, enum wake_outcome outcome,
                int64_t dead_since);

/* ---- policies ---- */
struct policy fixture_policy(struct fixture *f, const char *name, const char *kind,
                             const char *settings);
struct policy fixture_policy_change(struct fixture *f, const char *id, const char *settings);
struct assignment fixture_assign(struct fixture *f, const char *policy_id, const char *device_id);
/* What background jobs do: resolve and evaluate what is scheduled, split variants into one item per
 * area, plan. */
void fixture_work(struct fixture *f);
struct effective fixture_effective(struct fixture *f, const char *device_id);
/* "16" or NULL. */
const char *fixture_value(struct fixture *f, const char *device_id, const char *setting);
const char *fixture_compliance(struct fixture *f, const char *device_id);
