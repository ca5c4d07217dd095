/* SPDX-License-Identifier: Apache-2.0 */
/* Inside connect only: one libcurl handle with its settings, and one call made with it. */
#pragma once

#include <curl/curl.h>

#include "connect/http.h"

struct http_client {
    CURL *curl;
    bool needs_http2;
    uint8_t *key;
    size_t key_size;
    char message[CURL_ERROR_SIZE];
    struct curl_slist *headers; /* of the call under way */
    struct buffer body;         /* its answer's */
    char *wanted_header;        /* of its answer; NULL: none */
};

/* Give the call to the handle. Its body must stay until client_finish; the answer's goes to
 * owner. */
void client_prepare(struct http_client *client, void *owner, const struct http_call *call);
/* After libcurl's end: the answer, or why there is none. */
MUST_CHECK bool client_finish(struct http_client *client, void *owner, CURLcode code,
                              struct http_answer *out, struct err *err);

/* libcurl's setters fail only for want of memory or for an option that it was built without. */
#define CURL_SET(curl, option, value)                                                              \
    do {                                                                                           \
        if (curl_easy_setopt(curl, option, value) != CURLE_OK)                                     \
            bug("libcurl lacks " #option);                                                         \
    } while (0)
