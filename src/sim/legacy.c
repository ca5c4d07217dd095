/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/legacy.h"

#include "base/text.h"
#include "sim/channel.h"
#include "sim/declared.h"
#include "sim/signed.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"

static const struct fetched *same_find(const struct fetched *list, size_t count,
                                       const struct fetched *like)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(list[i].kind, like->kind) &&
            text_equal(list[i].identifier, like->identifier))
            return &list[i];
    return NULL;
}

static void profile_drop(struct phone *phone, struct fetched *one)
{
    struct installed *installed = one->profile ? phone_profile_find(phone, one->profile) : NULL;
    if (installed)
        phone_profile_drop(phone, installed);
    one->profile = NULL;
    one->is_carried = false;
}

void legacy_take_over(struct phone *phone, struct fetched *list, size_t count)
{
    for (size_t i = 0; i < phone->fetched_count; i++)
        if (!same_find(list, count, &phone->fetched[i]))
            profile_drop(phone, &phone->fetched[i]);
    for (size_t i = 0; i < count; i++) {
        const struct fetched *had = same_find(phone->fetched, phone->fetched_count, &list[i]);
        if (!had)
            continue;
        bool is_same = text_equal(had->token, list[i].token);
        list[i].profile = had->profile;
        list[i].problem = is_same ? had->problem : NULL;
        list[i].is_carried = is_same && had->is_carried;
    }
}

/* ---- installing ---- */

/* Read and judge what came; false: *err says why it is refused. */
static bool profile_take(struct phone *phone, struct fetched *one, struct bytes body,
                         struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct signed_content content;
    struct profile profile;
    if (!signed_open(scratch, body, phone->authority, &content, err) ||
        !profile_parse(scratch, content.content, &profile, err))
        return false;
    if (!text_equal(content.signer_sha256, phone->enrolment.signer))
        return err_set(err, ERR_FORBIDDEN, "the signer is not the one of the enrolment profile");
    bool is_held = phone_profile_find(phone, profile.identifier) &&
                   !text_equal(profile.identifier, one->profile);
    if (profile_payload(&profile, PAYLOAD_MDM) || is_held)
        return err_set(err, ERR_FORBIDDEN, "%s is there already by another way",
                       profile.identifier);
    if (!text_equal(profile.identifier, one->profile))
        profile_drop(phone, one);
    phone_profile_put(phone, &profile, content.content, content.signer_sha256);
    one->profile = mem_text(phone, profile.identifier);
    return true;
}

static bool profile_fetch(struct phone *phone, struct fetched *one, const char *url, json_t *report,
                          struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct web_reply reply;
    struct err why = {0};
    if (!channel_fetch(phone, scratch, "ProfileURL", url, &reply, err))
        return false;
    report_message(report, "ProfileURL", reply.status);
    if (reply.status == 503)
        return err_set(err, ERR_UNAVAILABLE, "the server answered %s with 503", url);
    bool is_profile = reply.status == 200 && text_equal(reply.content_type, PROFILE_TYPE);
    if (!is_profile)
        one->problem = mem_format(phone, "the server answered ProfileURL with %d", reply.status);
    else if (!profile_take(phone, one, reply.body, &why))
        one->problem = mem_text(phone, why.text);
    one->is_carried = true;
    return true;
}

bool legacy_settle(struct phone *phone, json_t *report, struct err *err)
{
    for (size_t i = 0; i < phone->fetched_count; i++) {
        struct fetched *one = &phone->fetched[i];
        if (one->problem) /* until there is another content */
            continue;
        CLEANUP(mem_free_at) char *url = declared_profile_url(NULL, phone, one);
        if (!url)
            profile_drop(phone, one);
        else if (!one->is_carried && !profile_fetch(phone, one, url, report, err))
            return false;
    }
    return true;
}

bool legacy_owns(const struct phone *phone, const char *identifier)
{
    for (size_t i = 0; i < phone->fetched_count; i++)
        if (text_equal(phone->fetched[i].profile, identifier))
            return true;
    return false;
}
