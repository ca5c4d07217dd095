/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/way.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/uri.h"
#include "codec/xml.h"

#define XHTML "http://www.w3.org/1999/xhtml|"
#define PAGES_MAX 12
#define PAGE_TYPE "application/xhtml+xml"
#define FORM_TYPE "application/x-www-form-urlencoded"
#define FORM_SIZE_MAX ((size_t)64 * 1024)

static const struct xml_limits page_limits = {(size_t)1 << 20, 40, 10000, 20};

/* The first element of this name behind or below `from`; NULL: there is none. */
static const struct xml *element_find(const struct xml *from, const char *name)
{
    for (const struct xml *at = from; at; at = at->next) {
        if (text_equal(at->name, name))
            return at;
        const struct xml *below = element_find(at->first, name);
        if (below)
            return below;
    }
    return NULL;
}

/* What the page says when a form did not do. */
static const char *alert_of(const struct xml *from)
{
    for (const struct xml *at = from; at; at = at->next) {
        if (text_equal(xml_attribute_get(at, "role"), "alert"))
            return at->text;
        const char *below = alert_of(at->first);
        if (below)
            return below;
    }
    return NULL;
}

/* ---- filling in ---- */

struct filling {
    const struct sign_in *person;
    void *owner;
    struct buffer form;
};

/* What the person types into this field; NULL: it leaves it out. */
static bool value_of(const struct filling *f, const struct xml *input, const char **out,
                     struct err *err)
{
    const char *name = xml_attribute_get(input, "name"), *type = xml_attribute_get(input, "type");
    const char *value = xml_attribute_get(input, "value");
    const struct sign_in *person = f->person;
    const struct {
        const char *name, *value;
    } typed[] = {{"name", person->user},
                 {"password", person->password},
                 {"new_password", person->new_password},
                 {"repeated", person->new_password}};
    *out = value;
    if (text_equal(type, "hidden") || text_equal(type, "checkbox"))
        return true;
    if (text_equal(type, "radio")) {
        const char *wish = person->ownership ? person->ownership : "personal";
        if (!text_equal(value, wish))
            *out = NULL;
        return true;
    }
    for (size_t i = 0; i < COUNT(typed); i++)
        if (text_equal(name, typed[i].name) && typed[i].value) {
            *out = typed[i].value;
            return true;
        }
    return err_set(err, ERR_FORBIDDEN, "the page asks for %s, which the person does not know",
                   name ? name : "something without a name");
}

static bool inputs_fill(struct filling *f, const struct xml *from, struct err *err)
{
    for (const struct xml *at = from; at; at = at->next) {
        if (text_equal(at->name, XHTML "input")) {
            const char *value = NULL, *name = xml_attribute_get(at, "name");
            if (!value_of(f, at, &value, err))
                return false;
            if (value && name)
                buffer_format(&f->form, "%s%s=%s", f->form.size ? "&" : "",
                              uri_encode(f->owner, name), uri_encode(f->owner, value));
        }
        if (!inputs_fill(f, at->first, err))
            return false;
    }
    return true;
}

/* ---- page after page ---- */

/* The one cookie of the page: kept as a browser keeps it that sends it nowhere else. */
struct jar {
    void *owner;
    const char *header; /* "Cookie: name=value"; NULL: none yet */
};

static bool jar_take(struct jar *jar, const struct web_reply *reply, struct err *err)
{
    if (!reply->cookie)
        return true;
    if (!strstr(reply->cookie, "; Secure") || !strstr(reply->cookie, "; HttpOnly") ||
        !strstr(reply->cookie, "; SameSite=Strict"))
        return err_set(err, ERR_FORBIDDEN, "the cookie of the sign-in page is not kept safe");
    jar->header =
        mem_format(jar->owner, "Cookie: %.*s", (int)strcspn(reply->cookie, ";"), reply->cookie);
    return true;
}

static bool page_open(void *owner, const struct web_reply *reply, json_t *pages, struct xml **out,
                      struct err *err)
{
    if (!xml_parse(owner, reply->body, &page_limits, out, err))
        return err_context(err, "the sign-in page");
    const struct xml *title = element_find(*out, XHTML "h1");
    const char *alert = alert_of(*out);
    json_array_append_new(pages, json_string(title ? title->text : ""));
    if (reply->status == 200 && !alert)
        return true;
    return err_set(err, ERR_FORBIDDEN, "the sign-in page answered %d: %s", reply->status,
                   alert ? alert : (title ? title->text : "nothing"));
}

static bool form_send(struct web *web, struct jar *jar, const struct sign_in *person,
                      const struct xml *page, const char *url, struct web_reply *out,
                      struct err *err)
{
    void *owner = jar->owner;
    struct filling filling = {.person = person, .owner = owner};
    struct bytes body;
    const struct xml *form = element_find(page, XHTML "form");
    buffer_init(&filling.form, owner, FORM_SIZE_MAX);
    if (!form || !text_equal(xml_attribute_get(form, "method"), "post"))
        return err_set(err, ERR_FORBIDDEN, "the sign-in page leads nowhere");
    if (!inputs_fill(&filling, form->first, err) || !buffer_done(&filling.form, &body, err))
        return false;
    const struct web_request request = {.method = "POST",
                                        .url = url,
                                        .content_type = FORM_TYPE,
                                        .header = jar->header,
                                        .body = body,
                                        .stays = true};
    return web_send(web, owner, &request, out, err) && jar_take(jar, out, err);
}

static bool is_page(const struct web_reply *reply)
{
    return reply->content_type && text_starts(reply->content_type, PAGE_TYPE);
}

bool sign_in_follow(struct web *web, void *owner, const struct sign_in *person, json_t *report,
                    struct web_reply *out, struct err *err)
{
    json_t *pages = json_array();
    const char *url = person->url;
    struct jar jar = {.owner = owner};
    json_object_set_new(report, "pages", pages);
    for (int i = 0; i < PAGES_MAX; i++) {
        const struct web_request look = {.method = "GET", .url = url, .header = jar.header};
        struct web_reply reply;
        struct xml *page = NULL;
        if (!web_send(web, owner, &look, &reply, err) || !jar_take(&jar, &reply, err) ||
            !page_open(owner, &reply, pages, &page, err) ||
            !form_send(web, &jar, person, page, url, &reply, err))
            return false;
        if (is_page(&reply)) /* a form that did is answered by a redirect */
            return page_open(owner, &reply, pages, &page, err) &&
                   err_set(err, ERR_FORBIDDEN, "the form was not taken");
        if (reply.status != 303) {
            *out = reply;
            return true;
        }
        if (!reply.location)
            return err_set(err, ERR_FORBIDDEN, "the sign-in page redirects nowhere");
        url = reply.location;
    }
    return err_set(err, ERR_FORBIDDEN, "the sign-in page does not come to an end");
}
