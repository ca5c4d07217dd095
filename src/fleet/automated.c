/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/automated.h"

#include "base/id.h"
#include "base/text.h"
#include "fleet/automated_own.h"
#include "fleet/challenge.h"
#include "fleet/door.h"
#include "fleet/queue.h"
#include "fleet/refusal.h"
#include "fleet/service.h"
#include "store/store.h"

#define SETUP_JOB "setup"
#define AWAIT_MOST_SECONDS (15 * 60) /* then the device goes on, whatever is missing */
#define LOOK_SECONDS 1
#define RELEASE_LOOK_SECONDS 5   /* it was told to go on, and has not said yes */
#define RELEASE_AGAIN_SECONDS 60 /* after it said no */
#define BLOCKED_LOOK_SECONDS 60

/* ---- may it? ---- */

static bool refuse_run(struct db *tx, void *context, struct err *err)
{
    return refusal_add(tx, context, err);
}

/* Says who was refused; false always. */
static bool refused(struct fleet *fleet, const struct actor *actor, const struct machine *machine,
                    const char *why, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct err ignored; /* the refusal is what the caller needs to hear */
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(actor->name, peer);
    struct refusal_wish wish = {.kind = "enrolment.refused",
                                .peer = peer,
                                .detail = json_pairs(owner, "reason", why, "serial",
                                                     machine->serial, "udid", machine->udid, NULL),
                                .now = actor->now};
    struct change change = {.actor = actor, .work = refuse_run, .context = &wish};
    bool kept = fleet_change(fleet, &change, &ignored);
    (void)kept;
    return err_set(err, ERR_FORBIDDEN, "%s", why);
}

bool fleet_automated_terms(struct fleet *fleet, const struct actor *actor, void *owner,
                           const struct machine *machine, struct service_profile *out,
                           struct err *err)
{
    struct service_device device = {0};
    struct service_profile profile = fleet_service_profile_new("");
    bool found = false;
    bool has_profile = false;
    if (!store_find(fleet->db, owner, ASK(SERVICE_DEVICE_GET, TEXT(machine->serial)),
                    service_device_fields, &device, &found, err))
        return false;
    if (!found || device.removed_at)
        return refused(fleet, actor, machine, "the enrolment service named no such device", err);
    if (!store_find(fleet->db, owner, ASK(SERVICE_PROFILE_OF, TEXT(machine->serial)),
                    service_profile_fields, &profile, &has_profile, err))
        return false;
    *out = profile;
    return true;
}

/* ---- let it in ---- */

struct letting { /* in */
    const struct machine *machine;
    const struct challenge_wish *challenge;
    const char *link_id, *link_name, *device_id, *channel;
    uint8_t mac[32]; /* of no secret: the link cannot be used again */
};

static bool start_run(struct db *tx, void *context, struct err *err)
{
    const struct letting *l = context;
    const struct challenge_wish *challenge = l->challenge;
    return store_change(tx,
                        ASK(ENROLMENT_LINK_OF_SERVICE, TEXT(l->link_id), BYTES(BYTES_OF(l->mac)),
                            TEXT(l->link_name), TEXT(ownership_names[OWNERSHIP_COMPANY]),
                            TEXT(l->device_id), INTEGER(challenge->now), TEXT("enrolment service"),
                            INTEGER(challenge->expires_at)),
                        NULL, err) &&
           store_change(tx,
                        ASK(ENROLMENT_INSERT, TEXT(challenge->enrolment_id), TEXT(l->link_id),
                            TEXT(l->channel), TEXT(enrolment_state_names[ENROLMENT_PENDING]),
                            INTEGER(challenge->now), INTEGER(challenge->authority)),
                        NULL, err) &&
           store_change(tx,
                        ASK(ENROLMENT_EXPECT, TEXT(challenge->enrolment_id), TEXT(l->machine->udid),
                            TEXT(l->machine->serial)),
                        NULL, err) &&
           challenge_insert(tx, challenge, err);
}

/* The device as we know it, if we do. */
static bool known_find(struct fleet *fleet, void *owner, const char *udid, struct device *out,
                       bool *found, struct err *err)
{
    *out = (struct device){0};
    return store_find(fleet->db, owner, ASK(DEVICE_BY_UDID, TEXT(udid)), device_fields, out, found,
                      err);
}

static bool blocked_check(struct fleet *fleet, void *owner, const char *device_id, bool *is_blocked,
                          struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(ENROLMENT_CURRENT, TEXT(device_id)), &rows, err))
        return false;
    *is_blocked = rows->count > 0 &&
                  text_equal(rows_text(rows, 0, "state"), enrolment_state_names[ENROLMENT_BLOCKED]);
    return true;
}

bool fleet_automated_start(struct fleet *fleet, const struct actor *actor, void *owner,
                           const struct machine *machine, const char *channel,
                           struct enrolment_start *out, struct err *err)
{
    struct device device;
    struct enrolment_start start;
    struct challenge_wish challenge;
    bool known = false;
    bool is_blocked = false;
    if (!known_find(fleet, owner, machine->udid, &device, &known, err) ||
        (known && !blocked_check(fleet, owner, device.id, &is_blocked, err)))
        return false;
    /* the serial number says who may come in, the UDID which device that is: they belong together
     */
    if (known && !text_equal(device.serial, machine->serial))
        return refused(fleet, actor, machine, "a device with another serial number has this UDID",
                       err);
    if (is_blocked)
        return refused(fleet, actor, machine, "the device is blocked", err);
    if (!challenge_prepare(fleet, owner, id_make(owner), actor->now, &start, &challenge, err))
        return false;
    start.ownership = OWNERSHIP_COMPANY;
    start.takes_users = true;
    struct letting letting = {.machine = machine,
                              .challenge = &challenge,
                              .link_id = id_make(owner),
                              .link_name = mem_format(owner, "Automated: %s", machine->serial),
                              .device_id = known ? device.id : NULL,
                              .channel = channel};
    random_bytes(letting.mac, sizeof(letting.mac));
    struct change change = {.actor = actor,
                            .action = "enrolment.start",
                            .subject_kind = "enrolment",
                            .subject_id = start.enrolment_id,
                            .detail = json_pairs(owner, "way", "enrolment service", "serial",
                                                 machine->serial, "channel", channel, NULL),
                            .work = start_run,
                            .context = &letting};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = start;
    return true;
}

/* ---- first contact ---- */

bool automated_meet(struct db *tx, const char *enrolment_id, const struct device_claims *claims,
                    struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(ENROLMENT_EXPECTED, TEXT(enrolment_id)), &rows, err))
        return false;
    const char *udid = rows->count ? rows_text(rows, 0, "expected_udid") : NULL;
    if (!udid)
        return true;
    return (text_equal(udid, claims->udid) &&
            text_equal(rows_text(rows, 0, "expected_serial"), claims->serial)) ||
           err_set(err, ERR_FORBIDDEN, "the profile was made for another device");
}

/* ---- waiting ---- */

bool automated_await(struct db *tx, const char *enrolment_id, bool awaits, int64_t now,
                     struct err *err)
{
    if (!awaits)
        return store_change(tx, ASK(ENROLMENT_CONFIGURED, TEXT(enrolment_id), INTEGER(now)), NULL,
                            err);
    return store_change(tx,
                        ASK(ENROLMENT_AWAIT, TEXT(enrolment_id), INTEGER(now + AWAIT_MOST_SECONDS)),
                        NULL, err) &&
           job_add(tx, SETUP_JOB, enrolment_id, now + LOOK_SECONDS, err);
}

struct stepping {
    const char *enrolment_id, *device_id;
    int64_t awaits_until, now, missing;
    int64_t again_at;
};

static bool release(struct db *tx, const struct stepping *s, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct queued queued = {.enrolment_id = s->enrolment_id,
                                  .kind = COMMAND_FINISH_SETUP,
                                  .created_by = "system",
                                  .now = s->now};
    const char *missing = mem_format(owner, "%lld", (long long)s->missing);
    return command_queue(tx, &queued, err) &&
           (s->missing == 0 || event_add(tx, "device.setup_cut_short", s->device_id,
                                         json_pairs(owner, "missing", missing, NULL), s->now, err));
}

static bool configured(struct db *tx, const struct stepping *s, struct err *err)
{
    return store_change(tx, ASK(ENROLMENT_CONFIGURED, TEXT(s->enrolment_id), INTEGER(s->now)), NULL,
                        err) &&
           event_add(tx, "device.setup_finished", s->device_id, "{}", s->now, err);
}

/* What became of telling it: *done, *open, and *refused_at when it said no. */
static bool release_look(struct db *tx, const struct stepping *s, int64_t *done, int64_t *open,
                         int64_t *refused_at, struct err *err)
{
    int64_t since = s->awaits_until - AWAIT_MOST_SECONDS;
    return store_number(tx, ASK(COMMAND_RELEASE_DONE, TEXT(s->enrolment_id), INTEGER(since)),
                        "count", done, err) &&
           store_number(tx, ASK(COMMAND_RELEASE_OPEN, TEXT(s->enrolment_id)), "count", open, err) &&
           store_number(tx, ASK(COMMAND_RELEASE_REFUSED, TEXT(s->enrolment_id), INTEGER(since)),
                        "at", refused_at, err);
}

static bool step_run(struct db *tx, void *context, struct err *err)
{
    struct stepping *s = context;
    int64_t open = 0, done = 0, refused_at = 0;
    s->again_at = 0;
    if (!release_look(tx, s, &done, &open, &refused_at, err) ||
        !store_number(tx, ASK(ENROLMENT_UNCONFIGURED, TEXT(s->enrolment_id)), "count", &s->missing,
                      err))
        return false;
    if (done > 0)
        return configured(tx, s, err);
    s->again_at = s->now + (open > 0 ? RELEASE_LOOK_SECONDS : LOOK_SECONDS);
    if (open > 0 || (s->missing > 0 && s->now < s->awaits_until) ||
        s->now < refused_at + RELEASE_AGAIN_SECONDS)
        return true;
    return release(tx, s, err);
}

bool fleet_setup_step(struct fleet *fleet, const char *enrolment_id, int64_t now, int64_t *again_at,
                      struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(ENROLMENT_EXPECTED, TEXT(enrolment_id)), &rows, err))
        return false;
    if (rows->count == 0 || rows_integer(rows, 0, "configured_at") ||
        !rows_integer(rows, 0, "awaits_until"))
        return true;
    int state = name_find(enrolment_state_names, rows_text(rows, 0, "state"));
    if (state != ENROLMENT_ACTIVE) {
        *again_at = state == ENROLMENT_BLOCKED ? now + BLOCKED_LOOK_SECONDS : 0;
        return true;
    }
    struct stepping stepping = {.enrolment_id = enrolment_id,
                                .device_id = rows_text(rows, 0, "device_id"),
                                .awaits_until = rows_integer(rows, 0, "awaits_until"),
                                .now = now};
    const struct actor system = fleet_system_actor(now);
    const struct change change = {.actor = &system,
                                  .work = step_run,
                                  .context = &stepping,
                                  .forget = enrolment_id, /* the device may have work now */
                                  .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    *again_at = stepping.again_at;
    return true;
}
