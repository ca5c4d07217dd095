/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that a person who enrols may see: no scripts, nothing from elsewhere. */
#pragma once

#include "http/http.h"

enum page_input {
    PAGE_TEXT,
    PAGE_PASSWORD,
    PAGE_HIDDEN,
    PAGE_CHECK,  /* must be ticked */
    PAGE_CHOICE, /* one of those with the same name must be taken */
};
struct page_field {
    enum page_input input;
    const char *name;
    const char *label;    /* NULL: hidden */
    const char *value;    /* what stands in it, or is sent for it; NULL: nothing */
    const char *complete; /* what a browser may fill in ("username"); NULL: nothing */
    size_t longest;       /* characters; 0: as the browser likes */
};
struct html_page {
    const char *title;
    const char *problem;           /* why the last try did not do, or NULL */
    const char *const *paragraphs; /* NULL-terminated */
    const char *document_title;    /* of a text to be read in a frame of its own, or NULL */
    const char *document;          /* its paragraphs are parted by empty lines */
    const struct page_field *fields;
    size_t field_count;
    const char *button; /* a form that posts to the page's own address; NULL: none */
    const char *note;   /* small print, or NULL */
    const char *scheme; /* where the answer to the form may lead beside here ("x:"), or NULL */
};
/* XHTML, not to be stored or framed. Belongs to request->owner. */
MUST_CHECK bool page_render(const struct request *request, const struct html_page *page, int status,
                            struct reply *reply, struct err *err);
