/* SPDX-License-Identifier: Apache-2.0 */
/* Check-in of devices that manage themselves: one function per endpoint. */
#include "base/text.h"
#include "channel/apple/apple.h"
#include "channel/apple/carriers.h"
#include "channel/apple/plausible.h"
#include "channel/apple/status.h"
#include "channel/channel.h"

bool apple_plan_of(struct request *request, struct effective *effective, struct apple_plan *plan,
                   bool *found, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    const struct identity *identity = &caller->identity;
    *found = false;
    if (identity->enrolment_state != ENROLMENT_ACTIVE || !identity->device_id)
        return true;
    if (!fleet_effective(fleet_of(request), &caller->actor, request->owner, identity->device_id,
                         effective, err))
        return err->kind == ERR_NOT_FOUND; /* nothing was resolved yet */
    *found = true;
    return apple_plan_make(request->owner, effective, plan, err);
}

/* A device that leaves, or that is not there yet, is declared nothing. */
static bool declarations_of(struct request *request, struct effective *effective,
                            struct apple_declarations *out, struct err *err)
{
    struct apple_plan plan;
    bool found;
    apple_declarations_none(request->owner, out);
    if (!apple_plan_of(request, effective, &plan, &found, err))
        return false;
    if (found)
        *out = plan.declarations;
    return true;
}

static void answer(struct reply *reply, const char *text)
{
    reply_bytes(reply, 200, "application/json", bytes_text(text));
}

static bool give_tokens(struct request *request, const struct apple_declarative *message,
                        struct reply *reply, struct err *err)
{
    struct effective effective = {0};
    struct apple_declarations declarations;
    (void)message;
    if (!declarations_of(request, &effective, &declarations, err))
        return false;
    int64_t at = effective.declarative.told_at ? effective.declarative.told_at : request->now;
    answer(reply, apple_tokens_text(request->owner, &declarations, at));
    return true;
}

static bool give_items(struct request *request, const struct apple_declarative *message,
                       struct reply *reply, struct err *err)
{
    struct effective effective = {0};
    struct apple_declarations declarations;
    (void)message;
    if (!declarations_of(request, &effective, &declarations, err))
        return false;
    answer(reply, apple_declaration_items_text(request->owner, &declarations));
    return true;
}

static const struct apple_declaration *find(const struct apple_declarations *declarations,
                                            const char *kind, const char *identifier)
{
    for (size_t i = 0; i < declarations->count; i++) {
        const struct apple_declaration *one = &declarations->list[i];
        if (text_equal(declaration_kind_names[one->kind], kind) &&
            text_equal(one->identifier, identifier))
            return one;
    }
    return NULL;
}

/* "declaration/<kind>/<identifier>": nothing is made out of the path, it names one of this device's
 * own or none. */
static bool give_declaration(struct request *request, const struct apple_declarative *message,
                             struct reply *reply, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    struct effective effective = {0};
    struct apple_declarations declarations;
    const char *rest = message->endpoint + strlen("declaration/");
    size_t size = strcspn(rest, "/");
    if (rest[size] != '/') {
        reply_empty(reply, 404);
        return true;
    }
    const char *kind = mem_format(request->owner, "%.*s", (int)size, rest);
    if (!declarations_of(request, &effective, &declarations, err))
        return false;
    const struct apple_declaration *one = find(&declarations, kind, rest + size + 1);
    if (!one) {
        reply_empty(reply, 404);
        return true;
    }
    if (one->item && !fleet_declaration_fetched(fleet_of(request), &caller->actor,
                                                &caller->identity, one->item, err))
        return false;
    answer(reply, one->text);
    return true;
}

/* A report that cannot be read is kept as an event, and taken: refused, it would come again. */
static bool take_unreadable(struct request *request, const struct err *why, struct reply *reply,
                            struct err *err)
{
    if (!apple_anomaly(request, "device.status_unreadable", "reason", why->text, err))
        return false;
    reply_empty(reply, 200);
    return true;
}

static bool take_status(struct request *request, const struct apple_declarative *message,
                        struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    const struct device_caller *caller = device_of(request);
    struct declared_report report;
    struct err why;
    bool replan = false;
    reply_empty(reply, 200);
    if (caller->identity.enrolment_state != ENROLMENT_ACTIVE || !caller->identity.device_id)
        return true; /* nothing was declared to it */
    if (!apple_status_parse(request->owner, message->data, request->now, &report, &why))
        return take_unreadable(request, &why, reply, err);
    apple_facts_weigh(request->owner, (enum platform)caller->identity.platform, request->now,
                      &report.facts, &report.fact_count);
    if (!fleet_declared(fleet, &caller->actor, &caller->identity, &report, &replan, err))
        return false;
    /* So that the session that is on carries it. What fails here the planning job does later. */
    bool is_planned =
        replan && channel_plan(fleet, &caller->actor, caller->identity.device_id, &why);
    (void)is_planned;
    return true;
}

static const struct endpoint {
    const char *name;
    bool is_prefix;
    bool (*handle)(struct request *request, const struct apple_declarative *message,
                   struct reply *reply, struct err *err);
} endpoints[] = {{"tokens", false, give_tokens},
                 {"declaration-items", false, give_items},
                 {"declaration/", true, give_declaration},
                 {"status", false, take_status}};

bool apple_declarative(struct request *request, const struct apple_declarative *message,
                       struct reply *reply, struct err *err)
{
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        if (endpoint->is_prefix ? text_starts(message->endpoint, endpoint->name)
                                : text_equal(message->endpoint, endpoint->name))
            return endpoint->handle(request, message, reply, err);
    }
    reply_empty(reply, 404);
    return true;
}
