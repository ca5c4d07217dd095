/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/form.h"

#include <string.h>

#include "base/field.h"
#include "base/mem.h"

#define COOKIE_LONGEST 200

bool form_parse(void *owner, struct bytes body, const char *const *names, struct uri_query *out,
                struct err *err)
{
    struct uri_query form;
    if (body.size > FORM_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a form has at most %d bytes", FORM_SIZE_MAX);
    if (!uri_query_parse(owner, body, FORM_FIELDS_MAX, &form, err))
        return false;
    for (size_t i = 0; i < form.count; i++)
        if (name_find(names, form.pairs[i].name) < 0)
            return err_set(err, ERR_BAD_INPUT, "the form has a field that nobody asked for");
    *out = form;
    return true;
}

static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

char *cookie_find(void *owner, const char *header, const char *name)
{
    const char *found = NULL;
    size_t found_size = 0, name_size = strlen(name);
    for (const char *at = header; at && *at;) {
        at += strspn(at, "; ");
        size_t size = strcspn(at, ";");
        if (size > name_size && strncmp(at, name, name_size) == 0 && at[name_size] == '=') {
            if (found)
                return NULL;
            found = at + name_size + 1;
            found_size = size - name_size - 1;
        }
        at += size;
    }
    if (found_size == 0 || found_size > COOKIE_LONGEST)
        return NULL;
    for (size_t i = 0; i < found_size; i++)
        if (!is_plain(found[i]))
            return NULL;
    return mem_format(owner, "%.*s", (int)found_size, found);
}
