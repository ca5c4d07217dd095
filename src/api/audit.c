/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log, and what was refused. */
#include "fleet/audit.h"

#include <inttypes.h>

#include "api/answer.h"
#include "api/resources.h"
#include "base/mem.h"
#include "base/text.h"

static bool audit_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_audit_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, audit_fields, sizeof(struct audit_entry), &list);
    return true;
}

static const struct field verdict_rows[] = {
    BOOLEAN_FIELD(struct audit_verdict, is_intact, FIELD_READ_ONLY,
                  .help = "Every entry and every signed head agrees"),
    INTEGER_FIELD(struct audit_verdict, entries, FIELD_READ_ONLY, .help = "Entries walked"),
    INTEGER_FIELD(struct audit_verdict, signed_position, FIELD_READ_ONLY,
                  .help = "Newest entry walked whose signature was checked; 0: none"),
    INTEGER_FIELD(struct audit_verdict, next, FIELD_READ_ONLY,
                  .help = "`after` of the next part; 0: the log ends here"),
    TEXT_FIELD(struct audit_verdict, problem, FIELD_READ_ONLY, .help = "What is wrong"),
};
static const struct fields verdict_fields = FIELDS(verdict_rows);

static const struct field range_rows[] = {
    INTEGER_FIELD(struct audit_range, after, 0, .lowest = 0, .highest = INT64_MAX - 1,
                  .help = "`next` of the part before this one"),
    INTEGER_FIELD(struct audit_range, most, 0, .lowest = 1, .highest = AUDIT_WALK_MOST,
                  .help = "Entries to walk, at most"),
};
static const struct fields range_fields = FIELDS(range_rows);

static bool range_number(const struct request *request, const struct field *row, int64_t *out,
                         struct err *err)
{
    const char *text = request_query(request, row->name);
    return !text || number_parse(bytes_text(text), row->lowest, row->highest, out, err) ||
           err_at(err, ERR_BAD_INPUT, mem_format(request->owner, "?%s", row->name),
                  "%s must be %" PRId64 " to %" PRId64, row->name, row->lowest, row->highest);
}

static bool audit_verify(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct audit_range range = {.most = AUDIT_WALK_MOST};
    struct audit_verdict verdict;
    if (!range_number(request, &range_rows[0], &range.after, err) ||
        !range_number(request, &range_rows[1], &range.most, err) ||
        !fleet_audit_verify(api_fleet(request), &actor, request->owner, &range, &verdict, err))
        return false;
    api_reply(request, reply, 200, verdict_fields, &verdict);
    return true;
}

static bool refusal_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_refusal_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, refusal_fields, sizeof(struct refusal), &list);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/refusals",
     refusal_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "refusal_list",
     .summary = "What was refused to strangers and devices, counted by hour, newest first",
     .permission = "audit.read",
     .gives = &refusal_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/audit",
     audit_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "audit_list",
     .summary = "Who did what, newest first",
     .permission = "audit.read",
     .gives = &audit_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/audit/verification",
     audit_verify,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "audit_verify",
     .summary = "Check the hash chain and its signed heads, from its start or part by part",
     .permission = "audit.read",
     .asks = &range_fields,
     .gives = &verdict_fields},
};
const struct routes audit_routes = {rows, COUNT(rows)};
