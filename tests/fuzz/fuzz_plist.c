/* SPDX-License-Identifier: Apache-2.0 */
/* Property lists in both forms: what was read is rendered and comes back the same; binding. */
#include "tests/fuzz/fuzz.h"

#include "codec/plist.h"

#define OUTPUT_MOST (32 << 20)

static const struct plist_limits limits = {1 << 20, 24, 2000};
static const struct plist_limits rendered = {OUTPUT_MOST, 24, 2000};

struct message {
    char *type, *details;
    int64_t count, at;
    bool is_final;
    double level;
    struct bytes token;
    int kind;
};

static const char *const kinds[] = {"Idle", "NotNow", NULL};
static const struct field rows[] = {
    TEXT_AS("MessageType", struct message, type, 0, .highest = 64),
    RAW_FIELD(struct message, details, 0),
    INTEGER_AS("Count", struct message, count, 0, .lowest = 0, .highest = 100),
    TIME_FIELD(struct message, at, 0),
    BOOLEAN_AS("Final", struct message, is_final, 0),
    REAL_AS("Level", struct message, level, 0),
    BYTES_AS("Token", struct message, token, 0, .highest = 64),
    ENUM_FIELD(struct message, kind, 0, kinds),
};

static void compare(const struct plist *a, const struct plist *b)
{
    const struct plist *other = b->first;
    FUZZ_HOLDS(a->type == b->type && a->count == b->count && a->integer == b->integer);
    FUZZ_HOLDS(a->real == b->real && bytes_equal(a->data, b->data));
    FUZZ_HOLDS(!a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0));
    FUZZ_HOLDS(!a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0));
    for (const struct plist *child = a->first; child; child = child->next, other = other->next) {
        FUZZ_HOLDS(other);
        compare(child, other);
    }
    FUZZ_HOLDS(!other);
}

static void bind(void *owner, const struct plist *tree)
{
    struct message message = {.count = -1};
    uint64_t present = 0;
    struct err err;
    if (!plist_bind(owner, tree, FIELDS(rows), &message, &present, &err)) {
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT && message.count == -1);
        return;
    }
    FUZZ_HOLDS(!(present & 4) || (message.count >= 0 && message.count <= 100));
    FUZZ_HOLDS(!(present & 1) || strcmp(message.type, plist_text(tree, "MessageType")) == 0);
}

FUZZ_HARNESS(owner, in)
{
    struct plist *tree, *back;
    struct bytes out, again;
    struct err err;
    if (!plist_parse(owner, in, &limits, &tree, &err)) {
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE);
        return;
    }
    bind(owner, tree);
    if (!plist_render(owner, tree, OUTPUT_MOST, &out, &err)) {
        /* only the binary form carries what XML cannot */
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT && memcmp(in.data, "bplist", 6) == 0);
        return;
    }
    FUZZ_WORKS(plist_parse(owner, out, &rendered, &back, &err), err);
    compare(tree, back);
    FUZZ_WORKS(plist_render(owner, back, OUTPUT_MOST, &again, &err), err);
    FUZZ_HOLDS(bytes_equal(out, again));
}
