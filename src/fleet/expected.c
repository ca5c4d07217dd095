/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/expected.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "fleet/alternatives.h"
#include "pki/request.h"

static const struct json_limits expectation_limits = {4096, 2, 64};
static const struct field expected_rows[] = {
    TEXT_FIELD(struct expected, common_name, FIELD_REQUIRED),
    TEXT_FIELD(struct expected, organization, 0),
    TEXT_FIELD(struct expected, san_uri, 0),
    TEXT_FIELD(struct expected, alternatives, 0),
    INTEGER_FIELD(struct expected, key_bits, 0),
    INTEGER_FIELD(struct expected, key_usage, 0),
};

bool expected_parse(void *owner, const char *text, struct expected *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (!json_parse(bytes_text(text), &expectation_limits, &json, err) ||
        !json_bind(owner, json, FIELDS(expected_rows), out, NULL, err))
        return false;
    if (out->alternatives)
        return alternatives_split(owner, out->alternatives, &out->alternative, err);
    return (out->organization && out->san_uri && out->key_bits > 0) ||
           err_set(err, ERR_INTERNAL, "an expectation of a device with gaps");
}

struct wanted_attribute {
    const char *name, *value;
    bool may_be_absent;
};

/* Apple's bits, in the certificate's. */
static unsigned usage_bits(int64_t mask)
{
    return (mask & 1 ? (unsigned)KEY_USAGE_DIGITAL_SIGNATURE : 0) |
           (mask & 4 ? (unsigned)KEY_USAGE_KEY_ENCIPHERMENT : 0);
}

static void row_add(json_t *rows, const char *name, const char *expected, const char *asked,
                    bool agrees)
{
    json_t *row = json_pack("{s:s, s:s?, s:s?, s:b}", "name", name, "expected", expected, "asked",
                            asked, "agrees", agrees);
    if (!row || json_array_append_new(rows, row) != 0)
        bug("no comparison");
}

/* The one value asked under this name; *count tells how many there were. */
static const char *asked_value(const struct certificate_asked *asked, const char *name,
                               size_t *count)
{
    const char *value = NULL;
    *count = 0;
    for (size_t i = 0; i < asked->attribute_count; i++)
        if (strcmp(asked->attributes[i].name, name) == 0) {
            value = asked->attributes[i].value;
            (*count)++;
        }
    return value;
}

static bool wanted_agrees(const struct wanted_attribute *wanted, const char *value, size_t count)
{
    if (count == 0)
        return wanted->may_be_absent;
    return count == 1 && strcmp(value, wanted->value) == 0;
}

static bool is_wanted(const struct wanted_attribute *wanted, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(wanted[i].name, name) == 0)
            return true;
    return false;
}

/* All that is wanted, compared with what is asked. */
static bool wanted_rows(json_t *rows, const struct wanted_attribute *wanted, size_t wanted_count,
                        const struct certificate_asked *asked)
{
    bool all = true;
    for (size_t i = 0; i < wanted_count; i++) {
        size_t count;
        const char *value = asked_value(asked, wanted[i].name, &count);
        bool one = wanted_agrees(&wanted[i], value, count);
        row_add(rows, wanted[i].name, wanted[i].value, count > 1 ? "more than one" : value, one);
        all = all && one;
    }
    return all;
}

/* ---- without a device ---- */

bool expected_is_network(const struct expected *expected)
{
    return expected->alternatives != NULL;
}

static bool list_has(const char *const *list, const char *value)
{
    for (; list && *list; list++)
        if (text_equal_nocase(*list, value))
            return true;
    return false;
}

/* What network gear may ask for beside its subject: anything that it gets anyway. */
static bool network_agrees(const struct expected *expected, const struct asked_attribute *a)
{
    static const char *const usages[] = {"digitalSignature", "keyEncipherment",
                                         "digitalSignature,keyEncipherment", NULL};
    static const char *const purposes[] = {"clientAuth", "serverAuth", NULL};
    if (strcmp(a->name, "san.dns") == 0)
        return list_has(expected->alternative.dns, a->value);
    if (strcmp(a->name, "san.ip") == 0)
        return list_has(expected->alternative.ip, a->value);
    if (strcmp(a->name, "san.uri") == 0)
        return text_equal(expected->alternative.uri, a->value);
    if (strcmp(a->name, "eku") == 0)
        return name_find(purposes, a->value) >= 0;
    if (strcmp(a->name, "key.usage") == 0)
        return name_find(usages, a->value) >= 0;
    return strcmp(a->name, "key.type") == 0 || strcmp(a->name, "key.bits") == 0;
}

static bool network_rows(json_t *rows, const struct expected *expected,
                         const struct certificate_asked *asked)
{
    const struct wanted_attribute subject[] = {{"subject.CN", expected->common_name, false},
                                               {"subject.O", expected->organization, false}};
    size_t wanted = expected->organization ? 2 : 1;
    bool all = wanted_rows(rows, subject, wanted, asked);
    for (size_t i = 0; i < asked->attribute_count; i++) {
        const struct asked_attribute *a = &asked->attributes[i];
        if (is_wanted(subject, wanted, a->name))
            continue;
        bool one = network_agrees(expected, a);
        row_add(rows, a->name, one ? a->value : NULL, a->value, one);
        all = all && one;
    }
    return all;
}

/* ---- of a device ---- */

static bool device_rows(void *owner, json_t *rows, const struct expected *expected,
                        const struct certificate_asked *asked)
{
    const char *bits = mem_format(owner, "%" PRId64, expected->key_bits);
    const struct wanted_attribute wanted[] = {
        {"subject.CN", expected->common_name, false},
        {"subject.O", expected->organization, false},
        {"san.uri", expected->san_uri, false},
        {"key.type", "RSA", false},
        {"key.bits", bits, false},
        {"key.usage", key_usage_text(owner, usage_bits(expected->key_usage)), true},
        {"eku", "clientAuth", true},
    };
    bool all = wanted_rows(rows, wanted, COUNT(wanted), asked);
    for (size_t i = 0; i < asked->attribute_count; i++) {
        const struct asked_attribute *a = &asked->attributes[i];
        if (is_wanted(wanted, COUNT(wanted), a->name))
            continue;
        row_add(rows, a->name, NULL, a->value, false);
        all = false;
    }
    return all;
}

void expected_compare(void *owner, const struct expected *expected,
                      const struct certificate_asked *asked, bool *agrees, char **detail)
{
    json_t *rows = json_array();
    bool all = expected_is_network(expected) ? network_rows(rows, expected, asked)
                                             : device_rows(owner, rows, expected, asked);
    CLEANUP(json_decref_at) json_t *json = json_pack("{s:o}", "attributes", rows);
    if (!json)
        bug("no comparison");
    *agrees = all;
    *detail = json_text(owner, json);
}
