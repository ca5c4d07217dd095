/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/expected.h"

#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "pki/request.h"

static const struct json_limits expectation_limits = {4096, 2, 64};
static const struct field expected_rows[] = {
    TEXT_FIELD(struct expected, common_name, FIELD_REQUIRED),
    TEXT_FIELD(struct expected, organization, FIELD_REQUIRED),
    TEXT_FIELD(struct expected, san_uri, FIELD_REQUIRED),
    INTEGER_FIELD(struct expected, key_bits, FIELD_REQUIRED),
    INTEGER_FIELD(struct expected, key_usage, FIELD_REQUIRED),
};

bool expected_parse(void *owner, const char *text, struct expected *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    return json_parse(bytes_text(text), &expectation_limits, &json, err) &&
           json_bind(owner, json, FIELDS(expected_rows), out, NULL, err);
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

void expected_compare(void *owner, const struct expected *expected,
                      const struct certificate_asked *asked, bool *agrees, char **detail)
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
    json_t *rows = json_array();
    bool all = true;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        size_t count;
        const char *value = asked_value(asked, wanted[i].name, &count);
        bool one = wanted_agrees(&wanted[i], value, count);
        row_add(rows, wanted[i].name, wanted[i].value, count > 1 ? "more than one" : value, one);
        all = all && one;
    }
    for (size_t i = 0; i < asked->attribute_count; i++) {
        const struct asked_attribute *a = &asked->attributes[i];
        if (is_wanted(wanted, COUNT(wanted), a->name))
            continue;
        row_add(rows, a->name, NULL, a->value, false);
        all = false;
    }
    CLEANUP(json_decref_at) json_t *json = json_pack("{s:o}", "attributes", rows);
    if (!json)
        bug("no comparison");
    *agrees = all;
    *detail = json_text(owner, json);
}
