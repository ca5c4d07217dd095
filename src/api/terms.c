/* SPDX-License-Identifier: Apache-2.0 */
/* Terms and conditions, and who agreed to them. */
#include "fleet/terms.h"
#include "api/answer.h"
#include "api/resources.h"
#include "base/text.h"

#define TERMS_BODY_MAX ((size_t)512 * 1024) /* bytes: a text of 4-byte characters, escaped */

static bool terms_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_terms_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, terms_fields, sizeof(struct terms), &list);
    return true;
}

static bool version_of(const struct request *request, int64_t *out, struct err *err)
{
    return number_parse(bytes_text(request->params[0]), 1, INT64_MAX, out, err) ||
           err_set(err, ERR_NOT_FOUND, "no such version of the terms");
}

static bool terms_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct terms terms;
    int64_t version;
    if (!version_of(request, &version, err) ||
        !fleet_terms_get(api_fleet(request), &actor, request->owner, version, &terms, err))
        return false;
    api_reply(request, reply, 200, terms_fields, &terms);
    return true;
}

static bool terms_acceptances(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    int64_t version;
    if (!api_page(request, &page, err) || !version_of(request, &version, err) ||
        !fleet_terms_acceptances(api_fleet(request), &actor, request->owner, version, &page, &list,
                                 err))
        return false;
    api_reply_list(request, reply, terms_acceptance_fields, sizeof(struct terms_acceptance), &list);
    return true;
}

static const struct field terms_wish_rows[] = {
    TEXT_FIELD(struct terms, title, FIELD_REQUIRED, .lowest = 1, .highest = 200, .help = "Title"),
    TEXT_FIELD(struct terms, body, FIELD_REQUIRED, .lowest = 1, .highest = TERMS_SIZE_MAX,
               .help = "Text; empty lines part its paragraphs"),
};
static const struct fields terms_wish_fields = FIELDS(terms_wish_rows);

static bool terms_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct terms wish = {0}, terms;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_terms_create(api_fleet(request), &actor, request->owner, &wish, &terms, err))
        return false;
    api_reply(request, reply, 201, terms_fields, &terms);
    return true;
}

static bool terms_withdraw(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct terms terms;
    int64_t version;
    if (!api_body_reason(request, &actor, err) || !version_of(request, &version, err) ||
        !fleet_terms_withdraw(api_fleet(request), &actor, request->owner, version, &terms, err))
        return false;
    api_reply(request, reply, 200, terms_fields, &terms);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/terms",
     terms_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "terms_list",
     .summary = "List the versions of the terms and conditions, newest first",
     .permission = "terms.read",
     .gives = &terms_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/terms",
     terms_create,
     {need_account},
     DOOR_FRONT,
     TERMS_BODY_MAX,
     .name = "terms_create",
     .summary = "Write a new version of the terms and conditions",
     .permission = "terms.write",
     .takes = &terms_wish_fields,
     .gives = &terms_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/terms/{version}",
     terms_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "terms_get",
     .summary = "One version of the terms and conditions",
     .permission = "terms.read",
     .gives = &terms_fields},
    {HTTP_GET,
     API "/terms/{version}/acceptances",
     terms_acceptances,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "terms_acceptances",
     .summary = "Who agreed to a version, and when",
     .permission = "terms.read",
     .gives = &terms_acceptance_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/terms/{version}/withdraw",
     terms_withdraw,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "terms_withdraw",
     .summary = "Ask nobody for a version any more",
     .permission = "terms.write",
     .takes = &reason_fields,
     .gives = &terms_fields},
};
const struct routes terms_routes = {rows, COUNT(rows)};
