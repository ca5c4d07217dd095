/* SPDX-License-Identifier: Apache-2.0 */
/* XML property lists: Expat's events to the tree, strictly by Apple's plist 1.0 DTD. */
#include <math.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/plist_tree.h"
#include "codec/sax.h"

struct element {
    const char *name;
    enum plist_type type;
    int64_t integer; /* of true and false */
};

static const struct element elements[] = {
    {"dict", PLIST_DICT, 0},       {"array", PLIST_ARRAY, 0}, {"string", PLIST_TEXT, 0},
    {"integer", PLIST_INTEGER, 0}, {"real", PLIST_REAL, 0},   {"true", PLIST_BOOLEAN, 1},
    {"false", PLIST_BOOLEAN, 0},   {"date", PLIST_DATE, 0},   {"data", PLIST_DATA, 0},
};

enum place { BEFORE, BETWEEN, IN_KEY, IN_LEAF };

struct state {
    void *owner;
    const struct plist_limits *limits;
    enum place place;
    const struct element *leaf; /* IN_LEAF */
    struct buffer text, key;    /* of the leaf or key being read; of the value to come */
    bool has_key;
    struct plist *root;
    struct plist **open; /* containers not yet closed */
    size_t depth, room, nodes;
};

static const struct element *element_find(const char *name)
{
    for (size_t i = 0; i < COUNT(elements); i++)
        if (strcmp(elements[i].name, name) == 0)
            return &elements[i];
    return NULL;
}

static struct plist *container(const struct state *state)
{
    return state->depth > 0 ? state->open[state->depth - 1] : NULL;
}

static bool plist_start(struct state *state, const char *name, const char *const *attributes,
                        struct err *err)
{
    if (strcmp(name, "plist") != 0)
        return err_set(err, ERR_BAD_INPUT, "not a property list but <%.60s>", name);
    for (size_t i = 0; attributes[i]; i += 2)
        if (strcmp(attributes[i], "version") != 0 || strcmp(attributes[i + 1], "1.0") != 0)
            return err_set(err, ERR_BAD_INPUT, "property list of an unknown version");
    state->place = BETWEEN;
    return true;
}

static bool key_start(struct state *state, struct err *err)
{
    const struct plist *parent = container(state);
    if (!parent || parent->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "key outside of a dict");
    if (state->has_key)
        return err_set(err, ERR_BAD_INPUT, "key without value");
    state->place = IN_KEY;
    buffer_clear(&state->text);
    return true;
}

static struct plist *node_add(struct state *state, const struct element *element,
                              struct bytes content)
{
    const char *key = state->has_key ? buffer_string(&state->key) : NULL;
    struct plist *parent = container(state);
    struct plist *node = plist_node(state->owner, parent, element->type, key, content);
    node->integer = element->integer;
    state->has_key = false;
    if (!parent)
        state->root = node;
    return node;
}

static bool container_open(struct state *state, const struct element *element, struct err *err)
{
    size_t most = state->limits->depth < PLIST_DEPTH_MOST ? state->limits->depth : PLIST_DEPTH_MOST;
    if (state->depth == most)
        return err_set(err, ERR_TOO_LARGE, "containers nested deeper than %zu", most);
    struct plist *node = node_add(state, element, NO_BYTES);
    if (state->depth == state->room) {
        state->room = state->room * 2 + 8;
        state->open = mem_grow(state->owner, state->open, state->room);
    }
    state->open[state->depth++] = node;
    return true;
}

static bool value_start(struct state *state, const char *name, struct err *err)
{
    const struct element *element = element_find(name);
    const struct plist *parent = container(state);
    if (!element)
        return err_set(err, ERR_BAD_INPUT, "unknown element <%.60s>", name);
    if (!parent && state->root)
        return err_set(err, ERR_BAD_INPUT, "more than one value");
    if (parent && parent->type == PLIST_DICT && !state->has_key)
        return err_set(err, ERR_BAD_INPUT, "value without key");
    if (++state->nodes > state->limits->nodes)
        return err_set(err, ERR_TOO_LARGE, "more than %zu values", state->limits->nodes);
    if (element->type == PLIST_DICT || element->type == PLIST_ARRAY)
        return container_open(state, element, err);
    state->place = IN_LEAF;
    state->leaf = element;
    buffer_clear(&state->text);
    return true;
}

static bool on_start(void *context, const char *name, const char *const *attributes,
                     struct err *err)
{
    struct state *state = context;
    switch (state->place) {
    case BEFORE: return plist_start(state, name, attributes, err);
    case IN_KEY:
    case IN_LEAF: return err_set(err, ERR_BAD_INPUT, "<%.60s> inside of a simple value", name);
    case BETWEEN: break;
    }
    if (attributes[0])
        return err_set(err, ERR_BAD_INPUT, "<%.60s> with an attribute", name);
    if (strcmp(name, "key") == 0)
        return key_start(state, err);
    return value_start(state, name, err);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool on_text(void *context, struct bytes text, struct err *err)
{
    struct state *state = context;
    if (state->place == IN_KEY || state->place == IN_LEAF) {
        buffer_add(&state->text, text);
        return true;
    }
    for (size_t i = 0; i < text.size; i++)
        if (!is_space(text.data[i]))
            return err_set(err, ERR_BAD_INPUT, "text outside of a value");
    return true;
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Apple's reader takes a sign and 0x before the digits. */
static bool integer_parse(struct bytes text, int64_t *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = text.size > 0 && (negative || text.data[0] == '+') ? 1 : 0;
    int base = 10;
    int64_t sum = 0;
    if (text.size - at > 2 && text.data[at] == '0' && (text.data[at + 1] | 32) == 'x') {
        base = 16;
        at += 2;
    }
    if (at == text.size)
        return false;
    for (; at < text.size; at++) {
        int digit = hex_value(text.data[at]);
        if (digit < 0 || digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, negative ? -digit : digit, &sum))
            return false;
    }
    *out = sum;
    return true;
}

/* Decimal and finite; strtod alone would take hexadecimal, nan and infinity too. */
static bool real_parse(struct bytes text, double *out)
{
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (strspn(copy, "+-.eE0123456789") != text.size)
        return false;
    double real = strtod(copy, &end);
    if (*end != '\0' || !isfinite(real))
        return false;
    *out = real;
    return true;
}

static bool data_end(struct state *state, struct bytes text, struct err *err)
{
    struct bytes data;
    if (!base64_decode_spaced(state->owner, text, state->limits->size, &data, err))
        return false;
    (void)node_add(state, state->leaf, data);
    mem_free((void *)(uintptr_t)data.data);
    return true;
}

static bool leaf_end(struct state *state, struct bytes text, struct err *err)
{
    struct bytes word = trim(text);
    int64_t integer = state->leaf->integer;
    double real = 0;
    bool fits = true;
    switch (state->leaf->type) {
    case PLIST_DICT:
    case PLIST_ARRAY: bug("plist container as leaf");
    case PLIST_TEXT: (void)node_add(state, state->leaf, text); return true;
    case PLIST_DATA: return data_end(state, text, err);
    case PLIST_INTEGER: fits = integer_parse(word, &integer); break;
    case PLIST_REAL: fits = real_parse(word, &real); break;
    case PLIST_BOOLEAN: fits = text.size == 0; break;
    case PLIST_DATE: fits = date_parse(word, &integer); break;
    }
    if (!fits)
        return err_set(err, ERR_BAD_INPUT, "bad content of <%s>", state->leaf->name);
    struct plist *node = node_add(state, state->leaf, NO_BYTES);
    node->integer = integer;
    node->real = real;
    return true;
}

static bool container_end(struct state *state, struct err *err)
{
    const struct plist *parent = container(state);
    if (state->has_key)
        return err_set(err, ERR_BAD_INPUT, "key without value");
    if (!parent)
        return state->root || err_set(err, ERR_BAD_INPUT, "property list without value");
    state->depth--;
    return parent->type != PLIST_DICT || plist_keys_check(parent, err);
}

static bool on_end(void *context, struct err *err)
{
    struct state *state = context;
    struct buffer swap = state->key;
    struct bytes text;
    enum place place = state->place;
    state->place = BETWEEN;
    if (place == BETWEEN)
        return container_end(state, err);
    if (!buffer_done(&state->text, &text, err))
        return false;
    if (place == IN_LEAF)
        return leaf_end(state, text, err);
    state->key = state->text;
    state->text = swap;
    state->has_key = true;
    return true;
}

bool plist_xml_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                     struct plist **out, struct err *err)
{
    static const struct sax sax = {on_start, on_text, on_end};
    /* <plist> and a leaf around and inside the containers; every value may have a key. The exact
     * limits are counted above. */
    struct xml_limits outer = {limits->size, limits->depth + 2, limits->nodes * 2 + 2, 4};
    CLEANUP(mem_free_at) void *work = mem_text(NULL, "");
    struct state state = {.owner = work, .limits = limits};
    buffer_init(&state.text, work, in.size * 2); /* UTF-16 grows by half as UTF-8 */
    buffer_init(&state.key, work, in.size * 2);
    if (!sax_parse(in, &outer, &sax, &state, err))
        return false;
    *out = mem_give(owner, &state.root);
    return true;
}
