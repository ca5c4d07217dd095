/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/page.h"

#include <string.h>

#include "base/mem.h"
#include "codec/xml.h"

#define PAGE_SIZE_MAX (512 * 1024)

static const char style[] =
    "body{font:1.06rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto 2rem;"
    "padding:0 1.2rem;color:#1d1d1f;background:#fff}"
    "h1{font-size:1.6rem;line-height:1.2}"
    "button{margin:1rem 0;padding:.7rem 1.4rem;border:0;border-radius:.7rem;font:inherit;"
    "background:#0a5cc2;color:#fff;font-weight:600}"
    "button:hover{background:#084a9c}"
    "label{display:block;margin:1rem 0;font-weight:600}"
    "input{display:block;box-sizing:border-box;width:100%;margin-top:.3rem;padding:.65rem .8rem;"
    "border:1px solid #86868b;border-radius:.6rem;font:inherit;color:inherit;background:#fff}"
    "label.pick{display:flex;gap:.7rem;align-items:flex-start;padding:.7rem .8rem;"
    "border:1px solid #86868b;border-radius:.6rem}"
    "label.pick input{width:1.3rem;height:1.3rem;margin:.1rem 0 0;flex:none}"
    "fieldset{border:0;margin:0;padding:0}"
    ":focus-visible{outline:3px solid #5aa0f2;outline-offset:2px}"
    "[role=alert]{padding:.7rem 1rem;border-radius:.6rem;border-left:.3rem solid #b3261e;"
    "background:#fdecea;color:#601410}"
    "section{max-height:40vh;overflow:auto;padding:.2rem 1rem;border:1px solid #86868b;"
    "border-radius:.6rem;overflow-wrap:anywhere}"
    "h2{font-size:1.15rem}"
    "small{color:#5c5c61}"
    "@media (prefers-color-scheme:dark){body{color:#f2f2f4;background:#1c1c1e}"
    "input{background:#2c2c2e}small{color:#aaaab0}"
    "[role=alert]{background:#3b1512;color:#ffdad6}}";

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

static const char *const input_types[] = {
    [PAGE_TEXT] = "text",      [PAGE_PASSWORD] = "password", [PAGE_HIDDEN] = "hidden",
    [PAGE_CHECK] = "checkbox", [PAGE_CHOICE] = "radio",
};

static void input_add(struct xml_writer *writer, const struct page_field *field)
{
    xml_open(writer, "input");
    xml_attribute_add(writer, "type", input_types[field->input]);
    xml_attribute_add(writer, "name", field->name);
    if (field->value)
        xml_attribute_add(writer, "value", field->value);
    if (field->input != PAGE_HIDDEN)
        xml_attribute_add(writer, "required", "required");
    if (field->complete)
        xml_attribute_add(writer, "autocomplete", field->complete);
    if (field->input == PAGE_TEXT) { /* names, not words */
        xml_attribute_add(writer, "autocapitalize", "none");
        xml_attribute_add(writer, "spellcheck", "false");
    }
    if (field->longest) {
        CLEANUP(mem_free_at) char *longest = mem_format(NULL, "%zu", field->longest);
        xml_attribute_add(writer, "maxlength", longest);
    }
    xml_close(writer);
}

static void field_add(struct xml_writer *writer, const struct page_field *field)
{
    if (field->input == PAGE_HIDDEN) {
        input_add(writer, field);
        return;
    }
    bool is_pick = field->input == PAGE_CHECK || field->input == PAGE_CHOICE;
    xml_open(writer, "label");
    if (is_pick) {
        xml_attribute_add(writer, "class", "pick");
        input_add(writer, field);
        xml_leaf(writer, "span", field->label);
    } else {
        xml_text_add(writer, field->label);
        input_add(writer, field);
    }
    xml_close(writer);
}

static void form_add(struct xml_writer *writer, const struct html_page *page)
{
    xml_open(writer, "form");
    xml_attribute_add(writer, "method", "post");
    for (size_t i = 0; i < page->field_count; i++)
        field_add(writer, &page->fields[i]);
    xml_leaf(writer, "button", page->button);
    xml_close(writer);
}

/* One that scrolls can be reached by the keyboard and has a name for those who hear it. */
static void document_add(struct xml_writer *writer, const struct html_page *page)
{
    xml_open(writer, "section");
    xml_attribute_add(writer, "tabindex", "0");
    xml_attribute_add(writer, "aria-label", page->document_title);
    xml_leaf(writer, "h2", page->document_title);
    for (const char *at = page->document; *at;) {
        const char *end = strstr(at, "\n\n");
        size_t size = end ? (size_t)(end - at) : strlen(at);
        CLEANUP(mem_free_at) char *paragraph = mem_format(NULL, "%.*s", (int)size, at);
        if (size)
            xml_leaf(writer, "p", paragraph);
        at += size + (end ? 2 : 0);
    }
    xml_close(writer);
}

static void body_add(struct xml_writer *writer, const struct html_page *page)
{
    xml_open(writer, "body");
    xml_open(writer, "main");
    xml_leaf(writer, "h1", page->title);
    if (page->problem) {
        xml_open(writer, "p");
        xml_attribute_add(writer, "role", "alert");
        xml_text_add(writer, page->problem);
        xml_close(writer);
    }
    for (size_t i = 0; page->paragraphs && page->paragraphs[i]; i++)
        xml_leaf(writer, "p", page->paragraphs[i]);
    if (page->document)
        document_add(writer, page);
    if (page->button)
        form_add(writer, page);
    if (page->note) {
        xml_open(writer, "p");
        xml_leaf(writer, "small", page->note);
        xml_close(writer);
    }
    xml_close(writer);
    xml_close(writer);
}

static const char *policy_of(const struct request *request, const struct html_page *page)
{
    return mem_format(request->owner,
                      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                      "base-uri 'none'; form-action 'self'%s%s",
                      page->scheme ? " " : "", page->scheme ? page->scheme : "");
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
    reply_header(reply, "Content-Security-Policy", policy_of(request, page));
    reply_header(reply, "Referrer-Policy", "no-referrer");
    reply_header(reply, "X-Content-Type-Options", "nosniff");
    return true;
}
