/* SPDX-License-Identifier: Apache-2.0 */
#include "http/query.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static bool enum_check(const struct field *field, const char *value, struct err *err)
{
    if (name_find(field->names, value) >= 0)
        return true;
    CLEANUP(mem_free_at) char *names = name_list(NULL, field->names);
    return err_set(err, ERR_BAD_INPUT, "%s must be %s", field->name, names);
}

static bool integer_check(const struct field *field, const char *value, struct err *err)
{
    int64_t number;
    bool has_range = field->highest > field->lowest;
    return number_parse(bytes_text(value), has_range ? field->lowest : INT64_MIN,
                        has_range ? field->highest : INT64_MAX, &number, err) ||
           (has_range ? err_set(err, ERR_BAD_INPUT, "%s must be %" PRId64 " to %" PRId64,
                                field->name, field->lowest, field->highest)
                      : err_context(err, "%s", field->name));
}

static bool time_check(const struct field *field, const char *value, struct err *err)
{
    int64_t at;
    return time_parse(value, &at, err) ||
           err_set(err, ERR_BAD_INPUT, "%s must be a time like 2026-01-31T12:00:00Z", field->name);
}

static bool value_check(const struct field *field, const char *value, struct err *err)
{
    switch (field->type) {
    case FIELD_ENUM: return enum_check(field, value, err);
    case FIELD_INTEGER: return integer_check(field, value, err);
    case FIELD_TEXT: {
        const struct field row = {.name = field->name,
                                  .type = FIELD_TEXT,
                                  .lowest = field->lowest,
                                  .highest = field->highest};
        return field_check(&row, &value, err);
    }
    case FIELD_TIME: return time_check(field, value, err);
    case FIELD_BOOLEAN:
    case FIELD_REAL:
    case FIELD_BYTES:
    case FIELD_RAW: break;
    }
    bug("%s cannot be asked in a query", field->name);
}

static bool pair_check(const struct route *route, const struct uri_pair *pair, struct err *err)
{
    const struct field *field = route->asks ? field_find(*route->asks, pair->name) : NULL;
    bool fits =
        field ? value_check(field, pair->value, err)
              : err_set(err, ERR_BAD_INPUT, "there is no query parameter '%.60s' here", pair->name);
    if (!fits)
        (void)snprintf(err->where, sizeof(err->where), "?%.60s", pair->name);
    return fits;
}

bool query_check(const struct request *request, struct err *err)
{
    const struct route *route = request->route;
    for (size_t i = 0; route->name && i < request->query.count; i++)
        if (!pair_check(route, &request->query.pairs[i], err))
            return false;
    return true;
}
