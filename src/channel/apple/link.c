/* SPDX-License-Identifier: Apache-2.0 */
/* The way in: a one-time link shows a page, and its button gives one signed profile, once. */
#include "base/mem.h"
#include "channel/apple/apple.h"
#include "channel/apple/renew.h"
#include "channel/consent.h"
#include "channel/page.h"

static bool is_browser(const struct request *request)
{
    const char *accept = request_header(request, "Accept");
    return accept && strstr(accept, "text/html");
}

void apple_page_error(const struct request *request, const struct err *err, struct reply *reply)
{
    static const char *const gone[] = {
        "It was used already, it has expired, or it was withdrawn.",
        "Each link enrols one device. Ask the people who sent it to you for a new one.", NULL};
    static const char *const later[] = {
        "The server cannot prepare the profile right now. The link was not used up.",
        "Please try again in a minute.", NULL};
    struct err ignored;
    bool is_gone = err->kind == ERR_NOT_FOUND;
    const struct html_page page = {
        .title = is_gone ? "This link cannot be used" : "Something is not ready",
        .paragraphs = is_gone ? gone : later,
    };
    if (!is_browser(request) ||
        !page_render(request, &page, http_status_of(err->kind), reply, &ignored))
        problem_render(request, err, reply);
}

bool apple_link_show(struct request *request, struct reply *reply, struct err *err)
{
    enum ownership ownership;
    if (!fleet_link_check(fleet_of(request), request->params[0], request->now, &ownership, err))
        return false;
    const struct html_page page = {
        .title = "Enrol this device",
        .paragraphs = consent_words(MODE_DEVICE, ownership),
        .button = "Download the profile",
        .note = "The link works once, for one device. Open this page on the device itself, in "
                "Safari.",
    };
    return page_render(request, &page, 200, reply, err);
}

/* What can fail for reasons of ours is asked before the link is consumed. */
bool apple_link_profile(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    void *owner = request->owner;
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    struct apple_issuer issuer;
    struct enrolment_start start = {0};
    return apple_issuer_get(fleet, owner, &issuer, err) &&
           fleet_enrolment_start(fleet, &actor, owner, request->params[0], "apple", &start, err) &&
           apple_profile_reply(request, &issuer, &start, reply, err);
}
