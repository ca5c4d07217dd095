/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a property list: looking up, building. */
#include "codec/plist.h"

#include "base/mem.h"
#include "codec/plist_tree.h"

#define PAIRWISE_MOST 8 /* keys: below this comparing all pairs is cheaper than sorting */

static void append(struct plist *parent, struct plist *node)
{
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
}

/* One allocation holds the node, its key and its content. */
struct plist *plist_node(void *owner, struct plist *parent, enum plist_type type, const char *key,
                         struct bytes content)
{
    size_t key_size = key ? strlen(key) + 1 : 0;
    size_t size = sizeof(struct plist) + key_size + content.size + 1;
    struct plist *node = mem_items(parent ? (void *)parent : owner, 1, size);
    char *key_copy = (char *)(node + 1), *copy = key_copy + key_size;
    node->type = type;
    if (key) {
        memcpy(key_copy, key, key_size);
        node->key = key_copy;
    }
    if (content.size > 0)
        memcpy(copy, content.data, content.size);
    if (type == PLIST_TEXT)
        node->text = copy;
    if (type == PLIST_DATA)
        node->data = (struct bytes){(const uint8_t *)copy, content.size};
    if (parent)
        append(parent, node);
    return node;
}

static int keys_compare(const void *a, const void *b)
{
    const struct plist *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static const struct plist *doubled_sorted(const struct plist *dict)
{
    CLEANUP(mem_free_at)
    const struct plist **nodes = mem_array(NULL, const struct plist *, dict->count);
    size_t count = 0;
    for (const struct plist *node = dict->first; node; node = node->next)
        nodes[count++] = node;
    qsort(nodes, count, sizeof(*nodes), keys_compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(nodes[i - 1]->key, nodes[i]->key) == 0)
            return nodes[i];
    return NULL;
}

static const struct plist *doubled_pairwise(const struct plist *dict)
{
    for (const struct plist *node = dict->first; node; node = node->next)
        for (const struct plist *other = node->next; other; other = other->next)
            if (strcmp(node->key, other->key) == 0)
                return other;
    return NULL;
}

bool plist_keys_check(const struct plist *dict, struct err *err)
{
    const struct plist *doubled =
        dict->count <= PAIRWISE_MOST ? doubled_pairwise(dict) : doubled_sorted(dict);
    return !doubled || err_set(err, ERR_BAD_INPUT, "key '%.100s' stands twice", doubled->key);
}

bool plist_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                 struct plist **out, struct err *err)
{
    static const char magic[] = "bplist";
    if (in.size > limits->size)
        return err_set(err, ERR_TOO_LARGE, "property list of %zu bytes, at most %zu allowed",
                       in.size, limits->size);
    bool is_binary = in.size >= strlen(magic) && memcmp(in.data, magic, strlen(magic)) == 0;
    return is_binary ? plist_binary_parse(owner, in, limits, out, err)
                     : plist_xml_parse(owner, in, limits, out, err);
}

const struct plist *plist_get(const struct plist *dict, const char *key)
{
    if (!dict || dict->type != PLIST_DICT)
        return NULL;
    for (const struct plist *node = dict->first; node; node = node->next)
        if (strcmp(node->key, key) == 0)
            return node;
    return NULL;
}

static const struct plist *typed_get(const struct plist *dict, const char *key,
                                     enum plist_type type)
{
    const struct plist *node = plist_get(dict, key);
    return node && node->type == type ? node : NULL;
}

const char *plist_text(const struct plist *dict, const char *key)
{
    const struct plist *node = typed_get(dict, key, PLIST_TEXT);
    return node ? node->text : NULL;
}

bool plist_integer(const struct plist *dict, const char *key, int64_t *out)
{
    const struct plist *node = typed_get(dict, key, PLIST_INTEGER);
    if (node)
        *out = node->integer;
    return node != NULL;
}

bool plist_boolean(const struct plist *dict, const char *key, bool *out)
{
    const struct plist *node = typed_get(dict, key, PLIST_BOOLEAN);
    if (node)
        *out = node->integer != 0;
    return node != NULL;
}

/* ---- building ---- */

struct plist *plist_new_dict(void *owner)
{
    return plist_node(owner, NULL, PLIST_DICT, NULL, NO_BYTES);
}

struct plist *plist_new_array(void *owner)
{
    return plist_node(owner, NULL, PLIST_ARRAY, NULL, NO_BYTES);
}

/* Take an older value with the key of `newest` out of the dict and free it. Comes last in every
 * setter: what is set may lie inside the value that it replaces. */
static void older_remove(struct plist *dict, const struct plist *newest)
{
    struct plist *before = NULL;
    for (struct plist *node = dict->first; node != newest; before = node, node = node->next) {
        if (strcmp(node->key, newest->key) != 0)
            continue;
        if (before)
            before->next = node->next;
        else
            dict->first = node->next;
        dict->count--;
        mem_free(node);
        return;
    }
}

static struct plist *add(struct plist *parent, enum plist_type type, const char *key,
                         struct bytes content)
{
    if (parent->type != (key ? PLIST_DICT : PLIST_ARRAY))
        bug("plist value %s in a container of another kind", key ? key : "without key");
    struct plist *node = plist_node(NULL, parent, type, key, content);
    if (key)
        older_remove(parent, node);
    return node;
}

struct plist *plist_set_dict(struct plist *dict, const char *key)
{
    return add(dict, PLIST_DICT, key, NO_BYTES);
}

struct plist *plist_set_array(struct plist *dict, const char *key)
{
    return add(dict, PLIST_ARRAY, key, NO_BYTES);
}

void plist_set_text(struct plist *dict, const char *key, const char *text)
{
    (void)add(dict, PLIST_TEXT, key, bytes_text(text));
}

void plist_set_integer(struct plist *dict, const char *key, int64_t integer)
{
    add(dict, PLIST_INTEGER, key, NO_BYTES)->integer = integer;
}

void plist_set_real(struct plist *dict, const char *key, double real)
{
    add(dict, PLIST_REAL, key, NO_BYTES)->real = real;
}

void plist_set_boolean(struct plist *dict, const char *key, bool boolean)
{
    add(dict, PLIST_BOOLEAN, key, NO_BYTES)->integer = boolean;
}

void plist_set_date(struct plist *dict, const char *key, int64_t at)
{
    add(dict, PLIST_DATE, key, NO_BYTES)->integer = at;
}

void plist_set_data(struct plist *dict, const char *key, struct bytes data)
{
    (void)add(dict, PLIST_DATA, key, data);
}

static struct plist *copy_below(struct plist *parent, const char *key, const struct plist *value)
{
    struct bytes content = value->type == PLIST_TEXT ? bytes_text(value->text) : value->data;
    struct plist *copy = plist_node(NULL, parent, value->type, key, content);
    copy->integer = value->integer;
    copy->real = value->real;
    for (const struct plist *child = value->first; child; child = child->next)
        (void)copy_below(copy, child->key, child);
    return copy;
}

void plist_set_copy(struct plist *dict, const char *key, const struct plist *value)
{
    if (dict->type != (key ? PLIST_DICT : PLIST_ARRAY))
        bug("plist copy %s in a container of another kind", key ? key : "without key");
    struct plist *copy = copy_below(dict, key, value);
    if (key)
        older_remove(dict, copy);
}
