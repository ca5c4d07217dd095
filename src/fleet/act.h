/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: asked for by people, fetched by devices, finished by their answers. */
#pragma once

#include <limits.h>

#include "fleet/enrol.h"
#include "model/command.h"
#include "model/position.h"

/* What a person needs to ask for a command of this kind; NULL: nobody asks for it. */
const char *fleet_command_permission(enum command_kind kind);
/* parameters: JSON text for the kind, or NULL. Permission: the above. COMMAND_RETIRE and
 * COMMAND_WIPE also move the enrolment (retiring, wiping), cancel its other commands, revoke its
 * certificates at once (OCSP says so from now on) and leave the history. COMMAND_SYNC queues all
 * queries, and again every item that failed. ERR_PRECONDITION when the device has no active
 * enrolment, ERR_CONFLICT for a duplicate that is still open. */
MUST_CHECK bool fleet_command_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const char *device_id, enum command_kind kind,
                                     const char *parameters, struct command *out, struct err *err);
/* The second yes to a command that waits for one; permission device.<kind>. ERR_PRECONDITION when
 * it does not wait for one. */
MUST_CHECK bool fleet_command_confirm(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *id, struct command *out, struct err *err);
/* Only before it was delivered, and only what people ask for: ERR_PRECONDITION for items and
 * retire. A wipe turns into a retirement (fleet/departure.h). Permission command.cancel. */
MUST_CHECK bool fleet_command_cancel(struct fleet *fleet, const struct actor *actor, const char *id,
                                     struct err *err);
/* device_id NULL: of all devices. Permission device.read. */
MUST_CHECK bool fleet_command_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *device_id, const struct page *page, struct list *out,
                                   struct err *err);
MUST_CHECK bool fleet_command_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const char *id, struct command *out, struct err *err);

/* ---- the device's side ---- */
/* A new session begins: what was deferred may be offered again. Writes only when something was. */
MUST_CHECK bool fleet_session_begin(struct fleet *fleet, const struct actor *actor,
                                    const struct identity *identity, struct err *err);
struct put_off { /* what the device put off in this session */
    int64_t count;
    int64_t most; /* how often in a row, of that which it put off most often */
};
MUST_CHECK bool fleet_session_put_off(struct fleet *fleet, const struct identity *identity,
                                      struct put_off *out, struct err *err);
#define COMMANDS_ALL UINT_MAX /* sets of kinds: 1 << enum command_kind */
/*
 * The next open command of these kinds, marked delivered and durable before it returns; out->id
 * NULL = none. Retiring and wiping enrolments get only their one command. What destroys or locks
 * out and waited too long (confirmation_seconds) is held until somebody confirms it. The same
 * command is offered again with the same id until it is answered.
 */
MUST_CHECK bool fleet_command_fetch(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const struct identity *identity, unsigned kinds,
                                    struct command *out, struct err *err);
/* It could not be handed out now (the key process is away): not delivered, and offered again. */
MUST_CHECK bool fleet_command_put_back(struct fleet *fleet, const struct actor *actor,
                                       const struct identity *identity, const char *id,
                                       struct err *err);
/* The room cannot carry this command (any more): failed before sending, next one please. */
MUST_CHECK bool fleet_command_refuse(struct fleet *fleet, const struct actor *actor,
                                     const struct identity *identity, const char *id,
                                     const char *reason, const char *remedy, struct err *err);

/* ANSWER_NOT_NOW counts what was put off; another answer to such a command forgets all counts. */
enum command_answer { ANSWER_DONE, ANSWER_FAILED, ANSWER_NOT_NOW };
struct reported_list;      /* fleet/inventory.h */
struct attestation_answer; /* fleet/attest.h */
struct command_result {
    const char *command_id;
    enum command_answer answer;
    const char *reason, *remedy; /* of a failure */
    bool is_absent;  /* it failed because the thing is not there: for a removal that is success */
    bool is_unknown; /* it failed because the device does not know such commands */
    const char *item_hash;    /* ANSWER_DONE of install_item: what is on the device now */
    const struct fact *facts; /* what the answer reports, in catalogue words */
    size_t fact_count;
    const struct reported_item *items; /* ANSWER_DONE of query_items */
    size_t item_count;
    bool has_items;
    const struct reported_list *list; /* what is on the device; NULL: nothing was told */
    const struct attestation_answer *attestation; /* of attest; NULL: the device gave none */
    const struct position *position; /* of locate; kept for devices of the organisation alone */
    const char *secret;              /* of query_bypass_code: sealed before it is kept */
};
struct reported_item { /* what the device says it has */
    const char *item, *hash;
};
enum result_outcome { RESULT_TAKEN, RESULT_REPEATED, RESULT_UNKNOWN };
/*
 * One transaction: command, delivered items, facts, compliance, events. RESULT_UNKNOWN: no such
 * command was delivered to this enrolment (recorded, nothing changed); RESULT_REPEATED: it had
 * ended before (nothing changed). The caller answers 200 to all three.
 */
MUST_CHECK bool fleet_command_finish(struct fleet *fleet, const struct actor *actor,
                                     const struct identity *identity,
                                     const struct command_result *result,
                                     enum result_outcome *outcome, struct err *err);
/* Facts outside a command's answer. Evaluates compliance in the same transaction. */
MUST_CHECK bool fleet_observe(struct fleet *fleet, const struct actor *actor, const char *device_id,
                              const struct fact *facts, size_t count, struct err *err);
