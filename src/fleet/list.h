/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: one way to read a page. */
#pragma once

#include "fleet/fleet.h"

struct ask; /* store/store.h */
struct listing {
    struct fields fields;
    size_t item_size;
    const char *permission;
    const char *cursor_field; /* NULL = "id" */
};
/* The statement asks for page->limit + 1 rows: the extra one tells that there is a next page. */
#define list_read(fleet, actor, owner, question, page, listing, out, err)                          \
    list_read_ask(fleet, actor, owner, &(question), &(struct paging){page, listing}, out, err)
struct paging {
    const struct page *page;
    const struct listing *listing;
};
MUST_CHECK bool list_read_ask(struct fleet *fleet, const struct actor *actor, void *owner,
                              const struct ask *ask, const struct paging *paging, struct list *out,
                              struct err *err);
/* "%part%" for LIKE ... ESCAPE '!', its wildcards taken literally. Belongs to owner. */
char *list_like(void *owner, const char *part);
