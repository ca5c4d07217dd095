/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/list.h"

#include <inttypes.h>

#include "store/store.h"

static const char *cursor_text(void *owner, const struct listing *listing, const void *item)
{
    const struct field *field =
        field_find(listing->fields, listing->cursor_field ? listing->cursor_field : "id");
    const void *member = field_in(field, item);
    if (field->type == FIELD_TEXT)
        return *(char *const *)member;
    return mem_format(owner, "%" PRId64, *(const int64_t *)member);
}

bool list_read_ask(struct fleet *fleet, const struct actor *actor, void *owner,
                   const struct ask *ask, const struct paging *paging, struct list *out,
                   struct err *err)
{
    const struct listing *listing = paging->listing;
    void *items = NULL;
    size_t count = 0, limit = (size_t)paging->page->limit;
    if (!fleet_need(actor, listing->permission, err) ||
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
