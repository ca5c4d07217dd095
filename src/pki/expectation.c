/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/expectation.h"

#include "base/field.h"
#include "base/mem.h"
#include "base/text.h"

#define ATTRIBUTES 5 /* what is compared below */

struct comparison {
    void *owner;
    struct difference *items;
    size_t count;
};

static void differ(struct comparison *found, const char *attribute, const char *expected,
                   const char *asked)
{
    found->items[found->count++] = (struct difference){attribute, expected, asked};
}

/* ---- texts for people ---- */

static const char *or_none(void *owner, const char *text)
{
    return *text ? text : mem_text(owner, "none");
}

static const char *alternatives_text(void *owner, const struct alternatives *list)
{
    char *text = mem_text(owner, "");
    for (size_t i = 0; i < list->count; i++)
        text = mem_format(owner, "%s%s%s:%s", text, i ? ", " : "",
                          alternative_kind_name(list->items[i].kind), list->items[i].value);
    return or_none(owner, text);
}

static const char *purposes_text(void *owner, const char *const *list)
{
    char *text = mem_text(owner, "");
    for (size_t i = 0; list && list[i]; i++)
        text = mem_format(owner, "%s%s%s", text, i ? ", " : "", list[i]);
    return or_none(owner, text);
}

static const char *key_usage_text(void *owner, unsigned usage)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{0x80, "digitalSignature"}, {0x40, "nonRepudiation"}, {0x20, "keyEncipherment"},
                 {0x10, "dataEncipherment"}, {0x08, "keyAgreement"},   {0x04, "keyCertSign"},
                 {0x02, "cRLSign"},          {0x01, "encipherOnly"},   {0x8000, "decipherOnly"}};
    char *text = mem_text(owner, "");
    for (size_t i = 0; i < COUNT(names); i++)
        if (usage & names[i].bit)
            text = mem_format(owner, "%s%s%s", text, *text ? ", " : "", names[i].name);
    return or_none(owner, text);
}

/* ---- sets ---- */

static bool name_equal(const struct name *a, const struct name *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!text_equal(a->parts[i].type, b->parts[i].type) ||
            !text_equal(a->parts[i].value, b->parts[i].value))
            return false;
    return true;
}

static bool alternatives_hold(const struct alternatives *list, const struct alternative *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == item->kind && text_equal(list->items[i].value, item->value))
            return true;
    return false;
}

static bool alternatives_within(const struct alternatives *a, const struct alternatives *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!alternatives_hold(b, &a->items[i]))
            return false;
    return true;
}

static bool purposes_within(const char *const *a, const char *const *b)
{
    for (; *a; a++)
        if (!b || name_find(b, *a) < 0)
            return false;
    return true;
}

/* ---- the attributes ---- */

static void compare_alternatives(struct comparison *found, const struct expectation *expected,
                                 const struct certificate_request *asked)
{
    const struct alternatives *want = &expected->alternatives, *have = &asked->alternatives;
    if (have->count == 0 && expected->alternatives_may_be_absent)
        return;
    if (have->count != want->count || !alternatives_within(want, have) ||
        !alternatives_within(have, want))
        differ(found, "alternative names", alternatives_text(found->owner, want),
               alternatives_text(found->owner, have));
}

static void compare_usage(struct comparison *found, const struct expectation *expected,
                          const struct certificate_request *asked)
{
    void *owner = found->owner;
    if (asked->has_key_usage && expected->key_usage && asked->key_usage != expected->key_usage)
        differ(found, "key usage", key_usage_text(owner, expected->key_usage),
               key_usage_text(owner, asked->key_usage));
    static const char *const nothing[] = {NULL};
    const char *const *want = expected->purposes ? expected->purposes : nothing;
    if (asked->has_purposes &&
        (!purposes_within(want, asked->purposes) || !purposes_within(asked->purposes, want)))
        differ(found, "extended key usage", purposes_text(owner, want),
               purposes_text(owner, asked->purposes));
}

static void compare_key(struct comparison *found, const struct expectation *expected,
                        const struct certificate_request *asked)
{
    void *owner = found->owner;
    int most = expected->bits_max ? expected->bits_max : asked->key.bits;
    bool fits = asked->key.kind != KEY_RSA ||
                (asked->key.bits >= expected->bits_min && asked->key.bits <= most);
    if (asked->key.kind == expected->key && fits)
        return;
    const char *want = key_kind_name(expected->key);
    if (expected->key == KEY_RSA)
        want = mem_format(owner, "RSA, %d to %d bits", expected->bits_min, expected->bits_max);
    differ(found, "key", want,
           mem_format(owner, "%s, %d bits", key_kind_name(asked->key.kind), asked->key.bits));
}

struct differences expectation_compare(void *owner, const struct expectation *expected,
                                       const struct certificate_request *asked)
{
    struct comparison found = {.owner = owner,
                               .items = mem_array(owner, struct difference, ATTRIBUTES)};
    if (!name_equal(&expected->subject, &asked->subject))
        differ(&found, "subject", or_none(owner, name_text(owner, &expected->subject)),
               or_none(owner, name_text(owner, &asked->subject)));
    compare_alternatives(&found, expected, asked);
    compare_usage(&found, expected, asked);
    compare_key(&found, expected, asked);
    return (struct differences){found.items, found.count};
}
