/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/list.h"

#include <inttypes.h>

#include "base/id.h"
#include "base/text.h"
#include "store/store.h"

/* Before a text that can be anything: so that a cursor can be told from what is none. */
#define TEXT_MARK '>'

static const struct field *cursor_field(const struct listing *listing)
{
    return field_find(listing->fields, listing->cursor_field ? listing->cursor_field : "id");
}

static const char *cursor_text(void *owner, const struct listing *listing, const void *item)
{
    const struct field *field = cursor_field(listing);
    const void *member = field_in(field, item);
    if (field->type != FIELD_TEXT)
        return mem_format(owner, "%" PRId64, *(const int64_t *)member);
    const char *text = *(char *const *)member;
    return listing->cursor_field ? mem_format(owner, "%c%s", TEXT_MARK, text) : text;
}

static bool cursor_check(const struct listing *listing, const char *cursor, struct err *err)
{
    int64_t number;
    struct err ignored;
    bool fits = cursor_field(listing)->type != FIELD_TEXT
                    ? number_parse(bytes_text(cursor), 0, INT64_MAX, &number, &ignored)
                : listing->cursor_field ? cursor[0] == TEXT_MARK
                                        : id_is_valid(cursor);
    return fits || err_at(err, ERR_BAD_INPUT, "?cursor", "this is no cursor of this list");
}

const char *list_cursor_text(const struct page *page)
{
    return page->cursor && page->cursor[0] ? page->cursor + 1 : NULL;
}

int64_t list_cursor_number(const struct page *page, int64_t start)
{
    int64_t number = start;
    struct err ignored; /* list_read refuses it */
    return page->cursor && number_parse(bytes_text(page->cursor), 0, INT64_MAX, &number, &ignored)
               ? number
               : start;
}

bool list_read_ask(struct fleet *fleet, const struct actor *actor, void *owner,
                   const struct ask *ask, const struct paging *paging, struct list *out,
                   struct err *err)
{
    const struct listing *listing = paging->listing;
    void *items = NULL;
    size_t count = 0, limit = (size_t)paging->page->limit;
    if (!fleet_need(actor, listing->permission, err) ||
        (paging->page->cursor && !cursor_check(listing, paging->page->cursor, err)) ||
        !store_list(fleet->db, owner, *ask, listing->fields, listing->item_size, &items, &count,
                    err))
        return false;
    *out = (struct list){.items = items, .count = count};
    if (count > limit) {
        out->count = limit;
        out->next = cursor_text(owner, listing, (char *)items + (limit - 1) * listing->item_size);
    }
    return true;
}

char *list_like(void *owner, const char *text)
{
    struct buffer pattern;
    buffer_init(&pattern, owner, 4096);
    buffer_byte(&pattern, '%');
    for (; *text; text++) {
        if (*text == '%' || *text == '_' || *text == '!')
            buffer_byte(&pattern, '!');
        buffer_byte(&pattern, (uint8_t)*text);
    }
    buffer_byte(&pattern, '%');
    return mem_text(owner, buffer_string(&pattern));
}
