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
/* Every attribute of a request; only the subject's. Texts belong to owner or the request. */
void asked_fill(void *owner, const struct certificate_request *asked, struct attribute_list *list);
void asked_subject(void *owner, const struct name *subject, struct attribute_list *list);
/* Whoever asks, by the address. */
struct actor asked_actor(const struct request *request);
