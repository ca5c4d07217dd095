/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/signin.h"

#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "channel/consent.h"
#include "channel/form.h"
#include "channel/page.h"
#include "channel/steps.h"

#define COOKIE_BITS 160
#define FORM_TYPE "application/x-www-form-urlencoded"

static const char *const form_names[] = {"token",        "step",     "name",  "password",
                                         "new_password", "repeated", "terms", "version",
                                         "ownership",    NULL};
static const char *const step_names[] = {
    [VISIT_PASSWORD] = "password",
    [VISIT_TERMS] = "terms",
    [VISIT_OWNERSHIP] = "ownership",
    [VISIT_READY] = "ready",
    NULL,
};
#define STEP_SIGN_IN "sign_in"

struct sitting { /* one request to a sign-in page */
    struct request *request;
    const struct way *way;
    char *secret;       /* of the cookie */
    char *token;        /* that forms for it have */
    bool has_visit;     /* signed in */
    struct visit visit; /* then */
    struct uri_query form;
};

/* ---- who sits there ---- */

static void cookie_set(const struct sitting *s, const char *secret, struct reply *reply)
{
    /* 15 minutes: as long as a visit */
    reply_header(reply, "Set-Cookie",
                 mem_format(s->request->owner,
                            "%s=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Strict",
                            s->way->cookie, secret, VISIT_SECONDS));
}

static bool visit_find(struct sitting *s, struct err *err)
{
    struct request *request = s->request;
    const struct visit_wish wish = {.way = s->way->name};
    struct err missing;
    s->has_visit = fleet_visit_find(fleet_of(request), request->owner, &wish, s->secret,
                                    request->now, &s->visit, &missing);
    if (s->has_visit || missing.kind == ERR_UNAUTHENTICATED)
        return true;
    *err = missing;
    return false;
}

static bool token_make(struct sitting *s, struct err *err)
{
    return fleet_visit_form(fleet_of(s->request), s->request->owner, s->secret, &s->token, err);
}

static bool sitting_begin(struct request *request, const struct way *way, struct sitting *out,
                          struct err *err)
{
    struct sitting s = {.request = request, .way = way};
    s.secret = cookie_find(request->owner, request_header(request, "Cookie"), way->cookie);
    if (s.secret && (!visit_find(&s, err) || !token_make(&s, err)))
        return false;
    *out = s;
    return true;
}

/* ---- pages ---- */

static bool show(const struct sitting *s, const char *step, const struct html_page *wish,
                 const struct page_field *fields, int status, struct reply *reply, struct err *err)
{
    struct page_field all[6] = {{.input = PAGE_HIDDEN, .name = "token", .value = s->token},
                                {.input = PAGE_HIDDEN, .name = "step", .value = step}};
    size_t count = 2;
    for (size_t i = 0; fields && fields[i].name && count < COUNT(all); i++)
        all[count++] = fields[i];
    struct html_page page = *wish;
    page.fields = all;
    page.field_count = count;
    page.scheme = s->way->scheme;
    return page_render(s->request, &page, status, reply, err);
}

static bool show_sign_in(struct sitting *s, const char *problem, int status, struct reply *reply,
                         struct err *err)
{
    static const char *const paragraphs[] = {
        "Sign in with the name and the password that your organisation gave you.", NULL};
    const char *typed = uri_query_get(&s->form, "name");
    if (!typed && s->way->hint)
        typed = request_query(s->request, s->way->hint);
    const struct page_field fields[] = {{.input = PAGE_TEXT,
                                         .name = "name",
                                         .label = "Name or mail address",
                                         .value = typed,
                                         .complete = "username",
                                         .longest = 254},
                                        {.input = PAGE_PASSWORD,
                                         .name = "password",
                                         .label = "Password",
                                         .complete = "current-password",
                                         .longest = 256},
                                        {.name = NULL}};
    struct html_page page = {.title = "Enrol this device",
                             .problem = problem,
                             .paragraphs = paragraphs,
                             .button = "Sign in",
                             .note = "Open this page on the device itself."};
    if (!s->secret) {
        s->secret = random_text(s->request->owner, COOKIE_BITS);
        if (!token_make(s, err))
            return false;
    }
    if (!show(s, STEP_SIGN_IN, &page, fields, status, reply, err))
        return false;
    cookie_set(s, s->secret, reply);
    return true;
}

static bool show_password(struct sitting *s, const char *problem, int status, struct reply *reply,
                          struct err *err)
{
    static const char *const paragraphs[] = {
        "Your password was for the first time only. Choose one of at least 12 characters.", NULL};
    static const struct page_field fields[] = {{.input = PAGE_PASSWORD,
                                                .name = "new_password",
                                                .label = "New password",
                                                .complete = "new-password",
                                                .longest = 256},
                                               {.input = PAGE_PASSWORD,
                                                .name = "repeated",
                                                .label = "The same again",
                                                .complete = "new-password",
                                                .longest = 256},
                                               {.name = NULL}};
    struct html_page page = {.title = "Choose a password",
                             .problem = problem,
                             .paragraphs = paragraphs,
                             .button = "Keep it"};
    return show(s, step_names[VISIT_PASSWORD], &page, fields, status, reply, err);
}

static bool show_terms(struct sitting *s, const char *problem, int status, struct reply *reply,
                       struct err *err)
{
    const struct terms *terms = &s->visit.terms;
    static const char *const paragraphs[] = {"Please read what holds for managed devices.", NULL};
    const struct page_field fields[] = {
        {.input = PAGE_HIDDEN,
         .name = "version",
         .value = mem_format(s->request->owner, "%lld", (long long)terms->version)},
        {.input = PAGE_CHECK,
         .name = "terms",
         .label = "I have read this and agree",
         .value = "yes"},
        {.name = NULL}};
    struct html_page page = {.title = "Terms and conditions",
                             .problem = problem,
                             .paragraphs = paragraphs,
                             .document_title = terms->title,
                             .document = terms->body,
                             .button = "Agree",
                             .note = "Who does not agree closes this page: nothing is managed."};
    return show(s, step_names[VISIT_TERMS], &page, fields, status, reply, err);
}

static bool show_ownership(struct sitting *s, const char *problem, int status, struct reply *reply,
                           struct err *err)
{
    static const char *const paragraphs[] = {
        "Of a device of your own the organisation asks less, and it is never located.", NULL};
    static const struct page_field fields[] = {
        {.input = PAGE_CHOICE, .name = "ownership", .label = "It is mine", .value = "personal"},
        {.input = PAGE_CHOICE,
         .name = "ownership",
         .label = "It belongs to the organisation",
         .value = "company"},
        {.name = NULL}};
    struct html_page page = {.title = "Whose is this device?",
                             .problem = problem,
                             .paragraphs = paragraphs,
                             .button = "Go on"};
    return show(s, step_names[VISIT_OWNERSHIP], &page, fields, status, reply, err);
}

static bool show_ready(struct sitting *s, const char *problem, int status, struct reply *reply,
                       struct err *err)
{
    bool is_personal = text_equal(s->visit.ownership, ownership_names[OWNERSHIP_PERSONAL]);
    struct html_page page = {
        .title = "Ready",
        .problem = problem,
        .paragraphs =
            consent_words(s->way->mode, is_personal ? OWNERSHIP_PERSONAL : OWNERSHIP_COMPANY),
        .button = s->way->button};
    return show(s, step_names[VISIT_READY], &page, NULL, status, reply, err);
}

typedef bool step_show(struct sitting *s, const char *problem, int status, struct reply *reply,
                       struct err *err);
static step_show *const shows[] = {
    [VISIT_PASSWORD] = show_password,
    [VISIT_TERMS] = show_terms,
    [VISIT_OWNERSHIP] = show_ownership,
    [VISIT_READY] = show_ready,
};

/* Where the settings or the way decide whose it is, nobody is asked. */
static bool ownership_settle(struct sitting *s, struct err *err)
{
    struct request *request = s->request;
    int decided = s->way->ownership;
    if (decided < 0)
        decided = fleet_of(request)->settings->self_ownership;
    if (!s->has_visit || s->visit.step != VISIT_OWNERSHIP || decided < 0)
        return true;
    const struct actor actor = fleet_visit_actor(&s->visit, request->id, request->now);
    return fleet_visit_own(fleet_of(request), &actor, &s->visit, (enum ownership)decided, err) &&
           visit_find(s, err);
}

bool signin_show(struct request *request, const struct way *way, struct reply *reply,
                 struct err *err)
{
    struct sitting s;
    if (!sitting_begin(request, way, &s, err) || !ownership_settle(&s, err))
        return false;
    if (!s.has_visit)
        return show_sign_in(&s, NULL, 200, reply, err);
    return shows[s.visit.step](&s, NULL, 200, reply, err);
}

/* ---- what is sent ---- */

/* What a person can do something about is said on the page where it was typed. */
static const char *problem_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_UNAUTHENTICATED: return "The name or the password is wrong.";
    case ERR_TOO_MANY: return "There were too many wrong attempts. Please wait some minutes.";
    case ERR_UNAVAILABLE: return "The server is busy. Please try again in a minute.";
    case ERR_CONFLICT: return "Something has changed meanwhile. Please look again.";
    case ERR_BAD_INPUT:
    case ERR_NOT_FOUND:
    case ERR_FORBIDDEN:
    case ERR_PRECONDITION:
    case ERR_TOO_LARGE:
    case ERR_INTERNAL: break;
    }
    return NULL;
}

static bool see(const struct sitting *s, struct reply *reply)
{
    reply_empty(reply, 303);
    reply_header(reply, "Location", s->way->path);
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

static const char *sent(const struct sitting *s, const char *name)
{
    const char *value = uri_query_get(&s->form, name);
    return value ? value : "";
}

static bool take_sign_in(struct sitting *s, struct reply *reply, struct err *err)
{
    struct request *request = s->request;
    const char *peer = request->peer ? request->peer : "unknown";
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    const struct visit_wish wish = {sent(s, "name"), sent(s, "password"), peer, s->way->name};
    struct err refused;
    char *secret = NULL;
    if (fleet_visit_begin(fleet_of(request), &actor, request->owner, &wish, &secret, &refused)) {
        cookie_set(s, secret,
                   reply); /* another one: what was known before the sign-in is worthless */
        return see(s, reply);
    }
    const char *problem = problem_of(&refused);
    if (problem)
        return show_sign_in(
            s, problem, refused.kind == ERR_UNAUTHENTICATED ? 403 : http_status_of(refused.kind),
            reply, err);
    *err = refused;
    return false;
}

static bool take_password(struct sitting *s, const struct actor *actor, struct err *err)
{
    if (!text_equal(sent(s, "new_password"), sent(s, "repeated")))
        return err_at(err, ERR_BAD_INPUT, "/repeated", "The two passwords are not the same.");
    return fleet_visit_password(fleet_of(s->request), actor, &s->visit, sent(s, "new_password"),
                                err);
}

static bool take_terms(struct sitting *s, const struct actor *actor, struct err *err)
{
    int64_t version = 0;
    if (!text_equal(sent(s, "terms"), "yes"))
        return err_at(err, ERR_BAD_INPUT, "/terms", "Without your agreement it does not go on.");
    return number_parse(bytes_text(sent(s, "version")), 1, INT64_MAX, &version, err) &&
           fleet_visit_accept(fleet_of(s->request), actor, &s->visit, version, err);
}

static bool take_ownership(struct sitting *s, const struct actor *actor, struct err *err)
{
    int ownership = name_find(ownership_names, sent(s, "ownership"));
    if (ownership < 0)
        return err_at(err, ERR_BAD_INPUT, "/ownership", "Please say whose it is.");
    return fleet_visit_own(fleet_of(s->request), actor, &s->visit, (enum ownership)ownership, err);
}

typedef bool step_take(struct sitting *s, const struct actor *actor, struct err *err);
static step_take *const takes[] = {
    [VISIT_PASSWORD] = take_password,
    [VISIT_TERMS] = take_terms,
    [VISIT_OWNERSHIP] = take_ownership,
    [VISIT_READY] = NULL, /* hands out instead */
};

/* A form of a step that is done already, sent again, shows where the person is. */
static bool take_step(struct sitting *s, struct reply *reply, struct err *err)
{
    struct request *request = s->request;
    enum visit_step step = s->visit.step;
    struct err refused;
    if (!text_equal(sent(s, "step"), step_names[step]))
        return see(s, reply);
    const struct actor actor = fleet_visit_actor(&s->visit, request->id, request->now);
    if (step == VISIT_READY)
        return s->way->hand_out(request, &s->visit, reply, err);
    if (takes[step](s, &actor, &refused))
        return see(s, reply);
    if (refused.kind == ERR_CONFLICT)
        return visit_find(s, err) && see(s, reply);
    const char *problem = refused.kind == ERR_BAD_INPUT ? refused.text : problem_of(&refused);
    if (problem)
        return shows[step](s, problem, http_status_of(refused.kind), reply, err);
    *err = refused;
    return false;
}

/* The form was made by us, for who sends it: another site knows neither token nor cookie. */
static bool is_ours(const struct sitting *s)
{
    const char *token = sent(s, "token");
    return s->secret && bytes_equal(bytes_text(token), bytes_text(s->token));
}

bool signin_post(struct request *request, const struct way *way, struct reply *reply,
                 struct err *err)
{
    struct sitting s;
    const char *type = request_header(request, "Content-Type");
    if (!type || !text_starts(type, FORM_TYPE))
        return err_set(err, ERR_BAD_INPUT, "this takes a form");
    if (!sitting_begin(request, way, &s, err) ||
        !form_parse(request->owner, request->body, form_names, &s.form, err))
        return false;
    if (!is_ours(&s))
        return err_set(err, ERR_FORBIDDEN, "the form was not made for this browser");
    if (s.has_visit)
        return ownership_settle(&s, err) && take_step(&s, reply, err);
    if (!text_equal(sent(&s, "step"), STEP_SIGN_IN))
        return see(&s, reply); /* the visit has ended: sign in again */
    return take_sign_in(&s, reply, err);
}

void signin_error(const struct request *request, const struct err *err, struct reply *reply)
{
    static const char *const again[] = {"Go back to the first page and sign in again.",
                                        "The browser must accept cookies for that.", NULL};
    static const char *const later[] = {"The server cannot go on right now.",
                                        "Please try again in a minute.", NULL};
    int status = http_status_of(err->kind);
    const struct html_page page = {.title = "This did not work",
                                   .problem = err->kind == ERR_PRECONDITION ? err->text : NULL,
                                   .paragraphs = status >= 500 ? later : again};
    struct err ignored;
    if (!page_render(request, &page, status, reply, &ignored))
        problem_render(request, err, reply);
}
