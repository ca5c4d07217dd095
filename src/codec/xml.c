/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml.h"

#include "base/mem.h"
#include "codec/sax.h"

struct state {
    void *owner; /* of all nodes but the root: the root */
    size_t size_limit;
    struct xml *root, *current;
    struct buffer *texts; /* one per open element; the room is used again */
    size_t depth, texts_count;
};

/* The strings lie behind the array in the same allocation. */
static const struct xml_attribute *attributes_copy(void *owner, const char *const *pairs,
                                                   size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count * 2; i++)
        size += strlen(pairs[i]) + 1;
    char *memory = mem_items(owner, 1, count * sizeof(struct xml_attribute) + size);
    struct xml_attribute *attributes = (struct xml_attribute *)(void *)memory;
    char *to = memory + count * sizeof(struct xml_attribute);
    for (size_t i = 0; i < count; i++) {
        attributes[i].name = to;
        to = stpcpy(to, pairs[2 * i]) + 1;
        attributes[i].value = to;
        to = stpcpy(to, pairs[2 * i + 1]) + 1;
    }
    return attributes;
}

static struct xml *element_make(void *owner, const char *name, const char *const *pairs)
{
    size_t size = strlen(name) + 1, count = 0;
    struct xml *element = mem_items(owner, 1, sizeof(struct xml) + size);
    char *copy = (char *)(element + 1);
    memcpy(copy, name, size);
    element->name = copy;
    element->text = "";
    while (pairs[2 * count])
        count++;
    element->attribute_count = count;
    if (count > 0)
        element->attributes = attributes_copy(element, pairs, count);
    return element;
}

static struct buffer *text_push(struct state *state)
{
    if (state->depth == state->texts_count) {
        state->texts = mem_grow(state->owner, state->texts, state->depth + 1);
        buffer_init(&state->texts[state->depth], state->owner, state->size_limit);
        state->texts_count++;
    }
    return &state->texts[state->depth++];
}

static bool on_start(void *context, const char *name, const char *const *attributes,
                     struct err *err)
{
    struct state *state = context;
    struct xml *parent = state->current;
    struct xml *element =
        element_make(parent ? (void *)state->root : state->owner, name, attributes);
    (void)err;
    element->parent = parent;
    if (!parent)
        state->root = element;
    else if (parent->last)
        parent->last->next = element;
    else
        parent->first = element;
    if (parent)
        parent->last = element;
    state->current = element;
    buffer_clear(text_push(state));
    return true;
}

static bool on_text(void *context, struct bytes text, struct err *err)
{
    struct state *state = context;
    (void)err;
    buffer_add(&state->texts[state->depth - 1], text);
    return true;
}

static bool on_end(void *context, struct err *err)
{
    struct state *state = context;
    struct bytes text = NO_BYTES;
    if (!buffer_done(&state->texts[--state->depth], &text, err))
        return false;
    if (text.size > 0)
        state->current->text = mem_text_part(state->root, (const char *)text.data, text.size);
    state->current->text_size = text.size;
    state->current = state->current->parent;
    return true;
}

bool xml_parse(void *owner, struct bytes in, const struct xml_limits *limits, struct xml **out,
               struct err *err)
{
    static const struct sax sax = {on_start, on_text, on_end};
    CLEANUP(mem_free_at) void *work = mem_text(NULL, "");
    /* UTF-16 grows by half when it becomes UTF-8 */
    struct state state = {.owner = work, .size_limit = in.size * 2 + 1};
    if (!sax_parse(in, limits, &sax, &state, err))
        return false;
    *out = mem_give(owner, &state.root);
    return true;
}

const struct xml *xml_child(const struct xml *element, const char *name)
{
    for (const struct xml *child = element ? element->first : NULL; child; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child;
    return NULL;
}

const char *xml_attribute_get(const struct xml *element, const char *name)
{
    for (size_t i = 0; element && i < element->attribute_count; i++)
        if (strcmp(element->attributes[i].name, name) == 0)
            return element->attributes[i].value;
    return NULL;
}
