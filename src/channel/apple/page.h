/* SPDX-License-Identifier: Apache-2.0 */
/* The two pages that a person who enrols may see: no scripts, nothing from elsewhere. */
#pragma once

#include "http/http.h"

struct html_page {
    const char *title;
    const char *const *paragraphs; /* NULL-terminated */
    const char *button;            /* a form that posts to the page's own address; NULL: none */
    const char *note;              /* small print, or NULL */
};
/* XHTML, not to be stored or framed. Belongs to request->owner. */
MUST_CHECK bool page_render(const struct request *request, const struct html_page *page, int status,
                            struct reply *reply, struct err *err);
