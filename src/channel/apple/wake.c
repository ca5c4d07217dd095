/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/wake.h"

#include "base/mem.h"
#include "base/text.h"
#include "fleet/push.h"
#include "notify/apns.h"

/* One notification per device is kept by the service; a device that is off for longer is woken by
 * the next command. */
#define PUSH_LIFE_SECONDS (7 * 24 * 3600)
/* Until an administrator has put something right. */
#define NO_CERTIFICATE_SECONDS (10 * 60)
#define REFUSED_SECONDS (60 * 60)

struct waker {
    const struct channel_settings *options;
    struct apns *apns;
    int64_t revision; /* of the certificate that apns was opened with */
    char *reason;     /* of the last answer: what wake_result points to */
};

bool apple_wake_open(void *owner, const struct channel_settings *options, void **state,
                     struct err *err)
{
    (void)err;
    struct waker *waker = mem_new(owner, struct waker);
    waker->options = options;
    *state = waker;
    return true;
}

static bool connection_open(struct fleet *fleet, struct waker *waker, void *owner, struct err *err)
{
    struct push_credentials credentials = {0};
    if (!fleet_push_credentials(fleet, owner, &credentials, err))
        return false;
    const struct apns_settings apns = {
        .url = waker->options->apns_url,
        .ca_file = waker->options->apns_ca_file,
        .certificate_pem = credentials.certificate_pem,
        .key_pem = credentials.key_pem,
    };
    bool ok = apns_open(waker, &apns, &waker->apns, err);
    bytes_wipe(credentials.key_pem, strlen(credentials.key_pem));
    waker->revision = credentials.revision;
    return ok;
}

/* A new certificate makes a new connection: the old one would go on with the old certificate. The
 * key is opened for a new connection alone. */
static bool connection_ready(struct fleet *fleet, struct waker *waker, void *owner, struct err *err)
{
    int64_t revision;
    if (!fleet_push_revision(fleet, owner, &revision, err))
        return false;
    if (waker->apns && waker->revision == revision)
        return true;
    mem_free(waker->apns);
    waker->apns = NULL;
    return connection_open(fleet, waker, owner, err);
}

static void later(struct wake_result *result, int64_t seconds, const char *reason)
{
    *result =
        (struct wake_result){.outcome = WAKE_LATER, .retry_seconds = seconds, .reason = reason};
}

static void result_of(const struct apns_answer *answer, const char *reason, int64_t now,
                      struct wake_result *result)
{
    *result = (struct wake_result){.reason = reason};
    switch (answer->outcome) {
    case APNS_SENT: result->outcome = WAKE_SENT; break;
    case APNS_LATER: later(result, answer->retry_seconds, reason); break;
    case APNS_REFUSED: later(result, REFUSED_SECONDS, reason); break;
    case APNS_DEAD:
        result->outcome = WAKE_DEAD;
        result->dead_since = answer->dead_since ? answer->dead_since : now;
        break;
    }
}

/* Told once more, an old address looks like a new one: a device that is silent since it told the
 * newer one is called at the one before too. That comes first, for the service keeps only the last
 * notification for a device that is off. */
static bool push_before(struct fleet *fleet, struct waker *waker, const struct push_target *target,
                        int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct apns_answer answer;
    const struct apns_push push = {target->topic, target->token_before, target->magic_before,
                                   now + PUSH_LIFE_SECONDS};
    if (!push.token.data || !push.magic.data)
        return true;
    apns_send(waker->apns, owner, &push, &answer);
    return answer.outcome != APNS_DEAD || fleet_push_before_dead(fleet, target->enrolment_id, err);
}

bool apple_wake(struct fleet *fleet, void *state, const char *enrolment_id, int64_t now,
                struct wake_result *result, struct err *err)
{
    struct waker *waker = state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct push_target target = {0};
    struct apns_answer answer;
    if (!fleet_push_target(fleet, owner, enrolment_id, &target, err)) {
        if (err->kind != ERR_NOT_FOUND)
            return false;
        *result = (struct wake_result){.outcome = WAKE_IMPOSSIBLE, .reason = "no push address"};
        return true;
    }
    if (!connection_ready(fleet, waker, owner, err)) {
        if (err->kind != ERR_PRECONDITION)
            return false;
        later(result, NO_CERTIFICATE_SECONDS, "there is no push certificate");
        return true;
    }
    if (!push_before(fleet, waker, &target, now, err))
        return false;
    const struct apns_push push = {target.topic, target.token, target.magic,
                                   now + PUSH_LIFE_SECONDS};
    apns_send(waker->apns, owner, &push, &answer);
    mem_free(waker->reason);
    waker->reason = answer.reason ? mem_text(waker, answer.reason) : NULL;
    result_of(&answer, waker->reason, now, result);
    return true;
}
