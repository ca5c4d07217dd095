/* SPDX-License-Identifier: Apache-2.0 */
/* Is all well? Each check is a line that says what was found and what to do. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/audit.h"
#include "cli/plain.h"
#include "cli/show.h"

#define DAY_SECONDS INT64_C(86400)
#define PUSH_WARN_DAYS 60       /* the day of the first reminder */
#define WARN_DAYS 30            /* before a certificate ends, at most */
#define WARN_PART 6             /* of its life, at most */
#define AUTHORITY_WARN_DAYS 548 /* 18 months: devices live with their identities for one year */
#define LIST_WARN_DAYS 2        /* since the revocation list was made */
#define CLOCK_WARN_SECONDS 60
#define CERTIFICATE_PAGES_MAX 200

struct visit {
    struct cli *cli;
    json_t *items;
    bool has_failed;
};

static void note(struct visit *visit, const char *state, const char *check, const char *found,
                 const char *remedy)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s?}", "state", state, "check", check, "found",
                             found, "remedy", remedy);
    if (!item || json_array_append_new(visit->items, item) != 0)
        bug("no finding");
    visit->has_failed = visit->has_failed || text_equal(state, "failed");
}

/* What cannot be asked is a failure, except where this account may not ask. */
static void refused(struct visit *visit, const char *check, const struct err *err)
{
    note(visit, err->kind == ERR_FORBIDDEN ? "skipped" : "failed", check,
         show_safe(visit->cli->owner, err->text), err->remedy);
}

/* New reference or NULL: noted. */
static json_t *ask(struct visit *visit, const char *check, const char *path)
{
    struct err err;
    json_t *answer = NULL;
    const struct api_call call = {.method = "GET", .path = path};
    if (api_send(visit->cli, &call, &answer, &err))
        return answer;
    refused(visit, check, &err);
    return NULL;
}

/* What is kept here does not know what ended there. */
static bool is_signed_out(struct cli *cli, struct err *err)
{
    CLEANUP(json_decref_at) json_t *answer = NULL;
    const struct api_call call = {.method = "GET", .path = "/status"};
    return !api_send(cli, &call, &answer, err) && err->kind == ERR_UNAUTHENTICATED;
}

static bool check_login(struct visit *visit)
{
    struct cli *cli = visit->cli;
    int64_t left = cli->context.expires_at - cli->now;
    struct err err = {0};
    if (!cli->context.server || !cli->context.token) {
        note(visit, "failed", "login", "there is none", "muster login");
        return false;
    }
    if (is_signed_out(cli, &err)) {
        note(visit, "failed", "login", show_safe(cli->owner, err.text), err.remedy);
        return false;
    }
    const char *who =
        mem_format(cli->owner, "%s at %s", cli->context.account ? cli->context.account : "a token",
                   cli->context.server);
    if (cli->context.expires_at == 0)
        note(visit, "ok", "login", who, NULL);
    else if (left <= 0)
        note(visit, "failed", "login", mem_format(cli->owner, "%s, expired", who), "muster login");
    else
        note(visit, "ok", "login",
             mem_format(cli->owner, "%s, until %s", who,
                        time_text(cli->owner, cli->context.expires_at)),
             NULL);
    return true;
}

/* Certificates, one-time links and sessions are judged by the server's clock. */
static void check_clock(struct visit *visit, const json_t *status)
{
    int64_t theirs;
    struct err err;
    struct cli *cli = visit->cli;
    const char *text = json_string_value(json_object_get(status, "time"));
    if (!text || !time_parse(text, &theirs, &err))
        return;
    int64_t apart = theirs > cli->now ? theirs - cli->now : cli->now - theirs;
    bool is_near = apart <= CLOCK_WARN_SECONDS;
    note(visit, is_near ? "ok" : "warning", "clock",
         mem_format(cli->owner, "%lld seconds between the server's and this one", (long long)apart),
         is_near ? NULL : "let both follow a time server");
}

/* People wait for them, and a request ends when nobody decides. */
static void check_requests(struct visit *visit, const json_t *status)
{
    json_int_t count = json_integer_value(json_object_get(status, "waiting_requests"));
    if (count > 0)
        note(visit, "warning", "certificate requests",
             mem_format(visit->cli->owner, "%lld wait for approval", (long long)count),
             "muster certificate requests, then muster certificate approve ID, or deny");
}

/* That there is an answer proves the server's certificate and name, too. */
static bool check_server(struct visit *visit)
{
    struct cli *cli = visit->cli;
    CLEANUP(json_decref_at) json_t *status = ask(visit, "server", "/status");
    if (!status)
        return false;
    const char *version = show_text(cli->owner, json_object_get(status, "version"));
    const char *devices = show_text(cli->owner, json_object_get(status, "devices"));
    bool is_same = text_equal(version, MUSTER_VERSION);
    note(visit, is_same ? "ok" : "warning", "server",
         mem_format(cli->owner, "version %s, %s devices", version, devices),
         is_same ? NULL : "use the muster of the server's version: this is " MUSTER_VERSION);
    check_clock(visit, status);
    check_requests(visit, status);
    return true;
}

/* Devices that enrolled before the certificate was there. */
static void check_reach(struct visit *visit, const json_t *push)
{
    json_int_t count = json_integer_value(json_object_get(push, "unreachable"));
    if (count > 0)
        note(visit, "warning", "push",
             mem_format(visit->cli->owner,
                        "devices that enrolled before the certificate and cannot be woken: %lld",
                        (long long)count),
             "enrol them again: muster enrol link --device NAME");
}

static void check_push(struct visit *visit)
{
    int64_t ends;
    struct err err;
    struct cli *cli = visit->cli;
    CLEANUP(json_decref_at)
    json_t *push = ask(visit, "push certificate", "/apple/push-certificate");
    if (!push)
        return;
    const char *state = json_string_value(json_object_get(push, "state"));
    const char *until = json_string_value(json_object_get(push, "not_after"));
    if (text_equal(state, "none") || text_equal(state, "requested") || !until ||
        !time_parse(until, &ends, &err)) {
        note(visit, "warning", "push certificate", "none: devices are managed when they call",
             "muster apple push-certificate request");
        return;
    }
    if (text_equal(state, "paused")) {
        note(visit, "failed", "push certificate",
             mem_format(cli->owner, "pushes rest: %s",
                        show_text(cli->owner, json_object_get(push, "pause_reason"))),
             "put that right, or import a renewed certificate");
        return;
    }
    bool is_over = ends <= cli->now;
    bool is_near = ends - cli->now < PUSH_WARN_DAYS * DAY_SECONDS;
    note(visit,
         is_over   ? "failed"
         : is_near ? "warning"
                   : "ok",
         "push certificate",
         mem_format(cli->owner, "%s %s", is_over ? "ended" : "until", time_text(cli->owner, ends)),
         is_near ? "renew it, never replace it: muster apple push-certificate request" : NULL);
    check_reach(visit, push);
}

/* Renewals are spread over the first half of the last third (lifetimes.renew_percent): what has not
 * been renewed behind that is worth a look, what waits for its turn is not. */
int64_t doctor_warn_seconds(int64_t not_before, int64_t not_after)
{
    int64_t part = not_after > not_before ? (not_after - not_before) / WARN_PART : 0;
    return part < WARN_DAYS * DAY_SECONDS ? part : WARN_DAYS * DAY_SECONDS;
}

/* Nothing to say where nobody uses it. */
static void check_enrolment_service(struct visit *visit)
{
    int64_t ends;
    struct err err;
    struct cli *cli = visit->cli;
    CLEANUP(json_decref_at)
    json_t *service = ask(visit, "enrolment service", "/apple/enrolment-service");
    const char *until = json_string_value(json_object_get(service, "expires_at"));
    const char *problem = json_string_value(json_object_get(service, "problem"));
    if (!until || !time_parse(until, &ends, &err))
        return;
    bool is_over = ends <= cli->now;
    bool is_near = ends - cli->now < WARN_DAYS * DAY_SECONDS;
    if (problem && !is_over) {
        note(visit, "failed", "enrolment service", show_safe(cli->owner, problem),
             show_text(cli->owner, json_object_get(service, "remedy")));
        return;
    }
    note(visit,
         is_over   ? "failed"
         : is_near ? "warning"
                   : "ok",
         "enrolment service",
         mem_format(cli->owner, "token %s %s", is_over ? "ended" : "until",
                    time_text(cli->owner, ends)),
         is_near ? "download a new token at Apple: muster apple enrolment-service import" : NULL);
}

struct ending { /* certificates of devices, in use */
    size_t near, over;
};

static void ending_count(const struct cli *cli, const json_t *items, struct ending *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        int64_t begins, ends;
        struct err err;
        const char *from = json_string_value(json_object_get(item, "not_before"));
        const char *until = json_string_value(json_object_get(item, "not_after"));
        if (!json_is_string(json_object_get(item, "device_id")) ||
            !text_equal(json_string_value(json_object_get(item, "state")), "issued") || !from ||
            !until || !time_parse(from, &begins, &err) || !time_parse(until, &ends, &err))
            continue;
        if (ends <= cli->now)
            out->over++;
        else if (ends - cli->now < doctor_warn_seconds(begins, ends))
            out->near++;
    }
}

static void check_certificates(struct visit *visit)
{
    struct cli *cli = visit->cli;
    struct ending ending = {0};
    const char *cursor = NULL;
    size_t pages = 0;
    const char *before = time_text(cli->owner, cli->now + WARN_DAYS * DAY_SECONDS);
    do {
        const char *path =
            api_query(cli->owner, "/certificates?limit=500&state=issued", "ends_before", before);
        path = api_query(cli->owner, path, "cursor", cursor);
        CLEANUP(json_decref_at) json_t *page = ask(visit, "device certificates", path);
        if (!page)
            return;
        ending_count(cli, json_object_get(page, "items"), &ending);
        const char *next = json_string_value(json_object_get(page, "next"));
        cursor = next ? mem_text(cli->owner, next) : NULL;
    } while (cursor && ++pages < CERTIFICATE_PAGES_MAX);
    bool is_well = ending.near == 0 && ending.over == 0;
    note(visit, is_well ? "ok" : "warning", "device certificates",
         mem_format(cli->owner, "%zu end soon, %zu have ended", ending.near, ending.over),
         is_well ? NULL : "muster certificate list --state issued --ends-within 30d names them");
}

/* It is made anew daily, and relying parties refuse one that has ended. */
static void check_revocation_list(struct visit *visit)
{
    int64_t made, ends;
    struct err err;
    struct cli *cli = visit->cli;
    CLEANUP(json_decref_at) json_t *list = ask(visit, "revocation list", "/revocation-list");
    if (!list)
        return;
    const char *from = json_string_value(json_object_get(list, "this_update"));
    const char *until = json_string_value(json_object_get(list, "next_update"));
    json_int_t entries = json_integer_value(json_object_get(list, "entries"));
    json_int_t limit = json_integer_value(json_object_get(list, "limit"));
    if (!from || !until || !time_parse(from, &made, &err) || !time_parse(until, &ends, &err))
        return;
    bool is_over = ends <= cli->now, is_old = cli->now - made > LIST_WARN_DAYS * DAY_SECONDS;
    bool is_long = entries > limit / 5 * 4;
    note(visit,
         is_over             ? "failed"
         : is_old || is_long ? "warning"
                             : "ok",
         "revocation list",
         mem_format(cli->owner, "of %s, %lld of %lld entries", time_text(cli->owner, made),
                    (long long)entries, (long long)limit),
         is_over || is_old ? "look into the log for revocation_list: the daily one is not made"
         : is_long
             ? "set revocation.partitions; shorten lifetimes.certificate_days: what has ended "
               "leaves the list"
             : NULL);
}

/* Managed, and refused whenever they call: they never mend it by themselves. */
static void check_shut_out(struct visit *visit)
{
    size_t i;
    json_t *item;
    void *owner = visit->cli->owner;
    CLEANUP(json_decref_at)
    json_t *list = ask(visit, "shut out", "/devices?shut_out=true&limit=10");
    if (!list)
        return;
    const char *names = NULL;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        const char *name = show_text(owner, json_object_get(item, "name"));
        names = names ? mem_format(owner, "%s, %s", names, name) : name;
    }
    bool has_more = json_is_string(json_object_get(list, "next"));
    note(visit, names ? "warning" : "ok", "shut out",
         names ? mem_format(owner, "their certificate was revoked: %s%s", names,
                            has_more ? ", ..." : "")
               : "no device is refused for a revoked certificate",
         names ? "enrol them again: muster enrol link --device NAME" : NULL);
}

/* One authority: until when, and what comes before that. */
static void check_authority(struct visit *visit, const json_t *item)
{
    struct cli *cli = visit->cli;
    int64_t root, issuing;
    struct err err;
    const char *role = show_text(cli->owner, json_object_get(item, "role"));
    const char *name = mem_format(cli->owner, "authority %s",
                                  show_text(cli->owner, json_object_get(item, "number")));
    const char *root_text = json_string_value(json_object_get(item, "root_not_after"));
    const char *issuing_text = json_string_value(json_object_get(item, "issuing_not_after"));
    json_int_t waiting = json_integer_value(json_object_get(item, "devices_waiting"));
    json_int_t devices = json_integer_value(json_object_get(item, "devices"));
    if (text_equal(role, "retired") || !root_text || !issuing_text ||
        !time_parse(root_text, &root, &err) || !time_parse(issuing_text, &issuing, &err))
        return;
    int64_t ends = root < issuing ? root : issuing;
    bool is_late =
        text_equal(role, "current") && ends - cli->now < AUTHORITY_WARN_DAYS * DAY_SECONDS;
    bool is_behind = text_equal(role, "earlier") && devices > 0;
    const char *told = mem_format(cli->owner, "%s, until %s, %lld devices", role,
                                  time_text(cli->owner, ends), (long long)devices);
    if (waiting > 0)
        told = mem_format(cli->owner, "%s, %lld have not confirmed its root", told,
                          (long long)waiting);
    note(visit,
         is_late && ends <= cli->now           ? "failed"
         : is_late || is_behind || waiting > 0 ? "warning"
                                               : "ok",
         name, told,
         waiting > 0 ? "wait for them before musterd authority serve: muster authority list"
         : is_late   ? "prepare the next one: musterd authority prepare, see the guide"
         : is_behind ? "they renew by themselves; then musterd authority retire"
                     : NULL);
}

static void check_authorities(struct visit *visit)
{
    size_t i;
    json_t *item;
    CLEANUP(json_decref_at) json_t *list = ask(visit, "authority", "/authorities");
    if (!list)
        return;
    json_array_foreach(json_object_get(list, "items"), i, item) check_authority(visit, item);
}

static void check_audit(struct visit *visit)
{
    struct cli *cli = visit->cli;
    CLEANUP(json_decref_at) json_t *verdict = NULL;
    struct err err;
    if (!audit_verdict_get(cli, &verdict, &err)) {
        refused(visit, "audit log", &err);
        return;
    }
    bool is_intact = json_is_true(json_object_get(verdict, "is_intact"));
    const char *entries = show_text(cli->owner, json_object_get(verdict, "entries"));
    note(visit, is_intact ? "ok" : "failed", "audit log",
         is_intact ? mem_format(cli->owner, "%s entries, intact", entries)
                   : show_text(cli->owner, json_object_get(verdict, "problem")),
         is_intact ? NULL : "keep a copy of the database and find out who changed it");
}

int doctor_run(struct cli *cli)
{
    struct visit visit = {.cli = cli, .items = json_array()};
    if (check_login(&visit) && check_server(&visit)) {
        check_push(&visit);
        check_enrolment_service(&visit);
        check_authorities(&visit);
        check_certificates(&visit);
        check_shut_out(&visit);
        check_revocation_list(&visit);
        check_audit(&visit);
    }
    plain_show(cli, json_pack("{s:o}", "items", visit.items));
    return visit.has_failed ? EXIT_ERROR : EXIT_DONE;
}

int version_run(struct cli *cli)
{
    buffer_text(&cli->out, "muster " MUSTER_VERSION "\n");
    return EXIT_DONE;
}
