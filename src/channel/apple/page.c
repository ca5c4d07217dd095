/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/page.h"

#include "codec/xml.h"

#define PAGE_SIZE_MAX (32 * 1024)

static const char style[] =
    "body{font:1.06rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto 2rem;"
    "padding:0 1.2rem;color:#1d1d1f;background:#fff}"
    "h1{font-size:1.6rem;line-height:1.2}"
    "button{margin:1rem 0;padding:.7rem 1.4rem;border:0;border-radius:.7rem;font:inherit;"
    "background:#0a5cc2;color:#fff;font-weight:600}"
    "small{color:#5c5c61}"
    "@media (prefers-color-scheme:dark){body{color:#f2f2f4;background:#1c1c1e}"
    "small{color:#aaaab0}}";

static void head_add(struct xml_writer *writer, const struct html_page *page)
{
    xml_open(writer, "head");
    xml_open(writer, "meta");
    xml_attribute_add(writer, "name", "viewport");
    xml_attribute_add(writer, "content", "width=device-width, initial-scale=1");
    xml_close(writer);
    xml_leaf(writer, "title", page->title);
    xml_leaf(writer, "style", style);
    xml_close(writer);
}

static void body_add(struct xml_writer *writer, const struct html_page *page)
{
    xml_open(writer, "body");
    xml_leaf(writer, "h1", page->title);
    for (size_t i = 0; page->paragraphs[i]; i++)
        xml_leaf(writer, "p", page->paragraphs[i]);
    if (page->button) {
        xml_open(writer, "form");
        xml_attribute_add(writer, "method", "post");
        xml_leaf(writer, "button", page->button);
        xml_close(writer);
    }
    if (page->note) {
        xml_open(writer, "p");
        xml_leaf(writer, "small", page->note);
        xml_close(writer);
    }
    xml_close(writer);
}

bool page_render(const struct request *request, const struct html_page *page, int status,
                 struct reply *reply, struct err *err)
{
    struct xml_writer writer;
    struct bytes body;
    xml_writer_init(&writer, request->owner, PAGE_SIZE_MAX);
    xml_open(&writer, "html");
    xml_attribute_add(&writer, "xmlns", "http://www.w3.org/1999/xhtml");
    xml_attribute_add(&writer, "lang", "en");
    head_add(&writer, page);
    body_add(&writer, page);
    xml_close(&writer);
    if (!xml_done(&writer, &body, err))
        return false;
    /* As XML: a page without a DOCTYPE line is in standards mode only then. */
    reply_bytes(reply, status, "application/xhtml+xml; charset=utf-8", body);
    reply_header(reply, "Cache-Control", "no-store");
    reply_header(reply, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                 "base-uri 'none'; form-action 'self'");
    reply_header(reply, "Referrer-Policy", "no-referrer");
    reply_header(reply, "X-Content-Type-Options", "nosniff");
    return true;
}
