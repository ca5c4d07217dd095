/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Account-driven enrolment of personal devices (Apple: "Account-driven enrollment methods"): the
 * device finds us by the account that was typed in Settings, is sent to the sign-in page, comes
 * back with a token, and gets a profile that manages the account alone.
 *
 * The message of the device is signed by Apple's certificate and says language, model and build.
 * Nothing is decided by what it says. Where it is known who certifies devices, the signature has to
 * be good before anybody is asked to sign in.
 */
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/anchors.h"
#include "channel/apple/apple.h"
#include "channel/apple/machine.h"
#include "channel/apple/renew.h"
#include "channel/signin.h"
#include "codec/json.h"
#include "codec/plist.h"
#include "codec/uri.h"
#include "pki/signed.h"

#define JSON_TYPE "application/json"
#define BEARER "Bearer "
#define TOKEN_LONGEST 200
/* Where the web view of the enrolment ends (fixed by Apple). */
#define RESULT_SCHEME "apple-remotemanagement-user-login:"
#define RESULT_URL RESULT_SCHEME "//authentication-results?access-token="

/* Told as model-family; what we do not manage by account is sent away. */
static const char *const families[] = {"iPhone", "iPad", "Mac", NULL};

static bool json_reply(const struct request *request, struct reply *reply, int status, json_t *json)
{
    CLEANUP(json_decref_at) json_t *body = json;
    if (!body)
        bug("no JSON out of constants");
    reply_bytes(reply, status, JSON_TYPE, bytes_text(json_text(request->owner, body)));
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

/* The same for every account: who has one here is nobody's business. */
bool apple_account_discover(struct request *request, struct reply *reply, struct err *err)
{
    const char *family = request_query(request, "model-family");
    (void)err;
    if (family && name_find(families, family) < 0)
        return json_reply(request, reply, 403,
                          json_pack("{s:s, s:s}", "code", "com.apple.well-known.failed",
                                    "description", "This kind of device is not managed here."));
    const char *url = mem_format(request->owner, "%s/apple/account/enrol",
                                 fleet_of(request)->settings->front_url);
    return json_reply(
        request, reply, 200,
        json_pack("{s:[{s:s, s:s}]}", "Servers", "Version", "mdm-byod", "BaseURL", url));
}

/* ---- the way of the person ---- */

static bool token_hand_out(struct request *request, const struct visit *visit, struct reply *reply,
                           struct err *err)
{
    const struct actor actor = fleet_visit_actor(visit, request->id, request->now);
    char *token = NULL;
    if (!visit->user.apple_account && !visit->user.mail)
        return err_set(err, ERR_PRECONDITION,
                       "Your organisation has noted no Managed Apple Account for you: please tell "
                       "the people who look after devices.");
    if (!fleet_visit_end(fleet_of(request), &actor, request->owner, visit, MODE_ACCOUNT, &token,
                         err))
        return false;
    reply_empty(reply, 308);
    reply_header(reply, "Location", mem_format(request->owner, RESULT_URL "%s", token));
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

static const struct way account_way = {
    .name = "account",
    .path = "/apple/account/sign-in",
    .cookie = "__Host-muster-account",
    .scheme = RESULT_SCHEME,
    .button = "Go on",
    .hint = "user-identifier",
    .mode = MODE_ACCOUNT,
    .ownership = OWNERSHIP_PERSONAL,
    .hand_out = token_hand_out,
};

bool apple_account_show(struct request *request, struct reply *reply, struct err *err)
{
    return signin_show(request, &account_way, reply, err);
}

bool apple_account_post(struct request *request, struct reply *reply, struct err *err)
{
    return signin_post(request, &account_way, reply, err);
}

/* ---- the way of the device ---- */

static bool ask_to_sign_in(struct request *request, struct reply *reply)
{
    reply_empty(reply, 401);
    reply_header(reply, "WWW-Authenticate",
                 mem_format(request->owner, "Bearer method=\"apple-as-web\", url=\"%s%s\"",
                            fleet_of(request)->settings->front_url, account_way.path));
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

static const char *bearer_of(const struct request *request)
{
    const char *header = request_header(request, "Authorization");
    if (!header || !text_starts(header, BEARER))
        return NULL;
    const char *token = header + sizeof(BEARER) - 1;
    return *token && strlen(token) <= TOKEN_LONGEST ? token : NULL;
}

/* Of a device that its maker has certified; no setting: nobody can tell. */
static bool machine_prove(struct request *request, struct err *err)
{
    const struct plist_limits limits = {MACHINE_SIZE_MAX, 8, 200};
    const char *path = fleet_of(request)->settings->device_ca_file;
    struct bytes anchors, content;
    struct plist *told = NULL;
    if (!path || !*path)
        return true;
    if (!apple_anchors_read(request->owner, "apple.device_ca_file", path,
                            "no device can prove that it is one", &anchors, err))
        return false;
    if (!signed_verify(request->owner, request->body, anchors, &content, err)) {
        if (err->kind == ERR_PRECONDITION) /* the file is ours, not the device's */
            err->kind = ERR_UNAVAILABLE;
        return false;
    }
    if (!plist_parse(request->owner, content, &limits, &told, err))
        return false;
    return told->type == PLIST_DICT ||
           err_set(err, ERR_BAD_INPUT, "the message is not a dictionary");
}

bool apple_account_enrol(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    const char *token = bearer_of(request);
    struct apple_issuer issuer;
    struct enrolment_start start = {0};
    if (!machine_prove(request, err))
        return false;
    if (!token)
        return ask_to_sign_in(request, reply);
    if (!apple_issuer_get(fleet, request->owner, &issuer, err))
        return false;
    if (!fleet_enrolment_start_account(fleet, &actor, request->owner, token, "apple", &start, err))
        return err->kind == ERR_NOT_FOUND && ask_to_sign_in(request, reply);
    return apple_profile_reply(request, &issuer, &start, reply, err);
}
