/* SPDX-License-Identifier: Apache-2.0 */
/* Forms and cookies: only names that were asked for, each once, and cookies of plain text alone. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "channel/form.h"

static const char *const names[] = {"name", "password", "token", NULL};

FUZZ_HARNESS(owner, in)
{
    struct uri_query form;
    struct err err;
    if (form_parse(owner, in, names, &form, &err)) {
        FUZZ_HOLDS(form.count <= 3);
        for (size_t i = 0; i < form.count; i++)
            FUZZ_HOLDS(uri_query_get(&form, form.pairs[i].name) == form.pairs[i].value);
    }
    if (in.size == 0 || memchr(in.data, 0, in.size))
        return;
    char *header = mem_format(owner, "%.*s", (int)in.size, (const char *)in.data);
    char *cookie = cookie_find(owner, header, "__Host-muster-enrol");
    FUZZ_HOLDS(!cookie || (*cookie && strlen(cookie) <= 200 && !strpbrk(cookie, "; =,\"\\")));
}
