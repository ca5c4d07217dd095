/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: names are different, and every text that came out goes in and out again. */
#include "tests/fuzz/fuzz.h"

#include "codec/uri.h"

#define PAIRS_MOST 16
#define TEXT_MOST 4096 /* bytes: beyond, encoding only costs time */

static void text_check(void *owner, const char *text)
{
    char *back;
    struct err err;
    if (strlen(text) > TEXT_MOST)
        return;
    const char *encoded = uri_encode(owner, text);
    FUZZ_WORKS(uri_decode(owner, bytes_text(encoded), true, &back, &err), err);
    FUZZ_HOLDS(strcmp(back, text) == 0);
}

FUZZ_HARNESS(owner, in)
{
    struct uri_query query;
    char *text;
    struct err err;
    if (uri_decode(owner, in, false, &text, &err))
        text_check(owner, text);
    if (!uri_query_parse(owner, in, PAIRS_MOST, &query, &err))
        return;
    FUZZ_HOLDS(query.count <= PAIRS_MOST);
    for (size_t i = 0; i < query.count; i++) {
        text_check(owner, query.pairs[i].name);
        text_check(owner, query.pairs[i].value);
        FUZZ_HOLDS(uri_query_get(&query, query.pairs[i].name) == query.pairs[i].value);
    }
}
