/* SPDX-License-Identifier: Apache-2.0 */
/* Raw sending on a connection that libcurl opened: slow senders and those who do not read. */
#pragma once

#include <curl/curl.h>

#include "sim/web.h"

/* Sends head and body at the given pace; the status of the answer, or 0 when none was read. */
int raw_exchange(CURL *curl, const char *head, struct bytes body, const struct web_pace *pace);
