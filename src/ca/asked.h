/* SPDX-License-Identifier: Apache-2.0 */
/* Inside ca only: what a request asks for, in the words of fleet/issue.h. */
#pragma once

#include "fleet/issue.h"
#include "http/http.h"
#include "pki/request.h"

#define ATTRIBUTES_MAX (NAME_PARTS_MAX + NAME_ALTERNATIVES_MAX + REQUEST_PURPOSES_MAX + 4)

struct attribute_list {
    struct asked_attribute items[ATTRIBUTES_MAX];
    size_t count;
};
/* The subject's attributes. Texts belong to owner or the request. */
void asked_subject(void *owner, const struct name *subject, struct attribute_list *list);
/* A request as fleet hears of it; the list lives as long as the answer. The rest is the protocol's.
 */
struct certificate_asked asked_request(void *owner, const struct certificate_request *asked,
                                       struct attribute_list *list);
/* Whoever asks, by the address. */
struct actor asked_actor(const struct request *request);
