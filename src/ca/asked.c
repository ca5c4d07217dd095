/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/asked.h"

#include <string.h>

#include "base/mem.h"

static void attribute_add(struct attribute_list *list, const char *name, const char *value)
{
    list->items[list->count++] = (struct asked_attribute){name, value};
}

static const char *alternative_word(enum alternative_kind kind)
{
    switch (kind) {
    case ALTERNATIVE_DNS: return "san.dns";
    case ALTERNATIVE_EMAIL: return "san.email";
    case ALTERNATIVE_URI: return "san.uri";
    case ALTERNATIVE_IP: return "san.ip";
    case ALTERNATIVE_UPN: return "san.upn";
    }
    bug("alternative name kind %d", (int)kind);
}

static const char *purpose_word(void *owner, const char *oid)
{
    static const char client_auth[] = "1.3.6.1.5.5.7.3.2", server_auth[] = "1.3.6.1.5.5.7.3.1";
    return strcmp(oid, client_auth) == 0   ? "clientAuth"
           : strcmp(oid, server_auth) == 0 ? "serverAuth"
                                           : mem_text(owner, oid);
}

void asked_subject(void *owner, const struct name *subject, struct attribute_list *list)
{
    for (size_t i = 0; i < subject->count; i++)
        attribute_add(list, mem_format(owner, "subject.%s", subject->parts[i].type),
                      subject->parts[i].value);
}

static void asked_fill(void *owner, const struct certificate_request *asked,
                       struct attribute_list *list)
{
    asked_subject(owner, &asked->subject, list);
    for (size_t i = 0; i < asked->alternatives.count; i++)
        attribute_add(list, alternative_word(asked->alternatives.items[i].kind),
                      asked->alternatives.items[i].value);
    attribute_add(list, "key.type", key_kind_name(asked->key.kind));
    attribute_add(list, "key.bits", mem_format(owner, "%d", asked->key.bits));
    if (asked->has_key_usage)
        attribute_add(list, "key.usage", key_usage_text(owner, asked->key_usage));
    for (size_t i = 0; asked->has_purposes && asked->purposes[i]; i++)
        attribute_add(list, "eku", purpose_word(owner, asked->purposes[i]));
}

struct certificate_asked asked_request(void *owner, const struct certificate_request *asked,
                                       struct attribute_list *list)
{
    asked_fill(owner, asked, list);
    return (struct certificate_asked){.challenge = asked->challenge,
                                      .spki = asked->spki,
                                      .request = asked->der,
                                      .attributes = list->items,
                                      .attribute_count = list->count};
}

struct actor asked_actor(const struct request *request)
{
    return fleet_public_actor(request->peer, request->id, request->now);
}
