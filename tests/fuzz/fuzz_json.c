/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: a canonical text is its own canonical text; a struct bound from an object comes back. */
#include "tests/fuzz/fuzz.h"

#include "codec/json.h"

static const struct json_limits limits = {1 << 20, 24, 4000};

struct thing {
    char *name, *options;
    int64_t count, at;
    bool enabled;
    double level;
    struct bytes token;
    int mode;
};

static const char *const modes[] = {"slow", "fast", NULL};
static const struct field rows[] = {
    TEXT_FIELD(struct thing, name, FIELD_REQUIRED, .lowest = 1, .highest = 64),
    RAW_FIELD(struct thing, options, 0),
    INTEGER_FIELD(struct thing, count, 0, .lowest = 0, .highest = 100),
    TIME_FIELD(struct thing, at, 0),
    BOOLEAN_FIELD(struct thing, enabled, 0),
    REAL_FIELD(struct thing, level, 0),
    BYTES_FIELD(struct thing, token, 0, .highest = 64),
    ENUM_FIELD(struct thing, mode, 0, modes),
};

static void bind(void *owner, const json_t *object)
{
    struct thing thing = {0}, other = {0};
    uint64_t present = 0;
    struct err err;
    if (!json_bind(owner, object, FIELDS(rows), &thing, &present, &err)) {
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT && !thing.name);
        return;
    }
    FUZZ_HOLDS(present & 1 && thing.name && thing.count >= 0 && thing.count <= 100);
    CLEANUP(json_decref_at) json_t *shown = json_from(FIELDS(rows), &thing);
    FUZZ_WORKS(json_bind(owner, shown, FIELDS(rows), &other, &present, &err), err);
    CLEANUP(json_decref_at) json_t *again = json_from(FIELDS(rows), &other);
    FUZZ_HOLDS(json_equal(shown, again));
}

FUZZ_HARNESS(owner, in)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    CLEANUP(json_decref_at) json_t *back = NULL;
    struct err err;
    if (!json_parse(in, &limits, &json, &err)) {
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE);
        return;
    }
    char *text = json_canonical(owner, json);
    struct json_limits same = {strlen(text), limits.depth, limits.nodes};
    FUZZ_WORKS(json_parse(bytes_text(text), &same, &back, &err), err);
    FUZZ_HOLDS(json_equal(json, back));
    FUZZ_HOLDS(strcmp(json_canonical(owner, back), text) == 0);
    bind(owner, json);
}
