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
/* The statement asks for page->limit + 1 rows: the extra one tells that there is a next page.
 * ERR_BAD_INPUT at "?cursor" for a cursor that no page of such a list gave. */
#define list_read(fleet, actor, owner, question, page, listing, out, err)                          \
    list_read_ask(fleet, actor, owner, &(question), &(struct paging){page, listing}, out, err)
struct paging {
    const struct page *page;
    const struct listing *listing;
};
MUST_CHECK bool list_read_ask(struct fleet *fleet, const struct actor *actor, void *owner,
                              const struct ask *ask, const struct paging *paging, struct list *out,
                              struct err *err);
/* The place in a list whose cursor_field is a text; NULL: the start. */
const char *list_cursor_text(const struct page *page);
/* The same for a number. What is no number is the start here, and refused by list_read. */
int64_t list_cursor_number(const struct page *page, int64_t start);
/* "%text%" for LIKE ... ESCAPE '!', its wildcards taken literally. Belongs to owner. */
char *list_like(void *owner, const char *text);
