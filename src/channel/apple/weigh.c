/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to refuse first when too many devices come at once. */
#include <string.h>

#include "channel/apple/apple.h"

/* Bytes of a check-in message that are looked through at either end: keys come sorted, and a long
 * value may stand in front of MessageType (Data) or behind it (UnlockToken). */
#define LOOKED_AT 4096

/* A device sends its results again until they are taken, and asks for work again by itself. */
enum http_urgency apple_patient(const struct request *request)
{
    (void)request;
    return HTTP_PATIENT;
}

static bool holds(struct bytes body, const char *text)
{
    size_t size = body.size < LOOKED_AT ? body.size : LOOKED_AT;
    return body.data && (memmem(body.data, size, text, strlen(text)) ||
                         memmem(body.data + body.size - size, size, text, strlen(text)));
}

/* Enrolling breaks off where Authenticate or TokenUpdate fails, and a farewell comes once. What
 * concerns declarations is asked again. Whoever pretends gains a place for one message. */
enum http_urgency apple_checkin_weigh(const struct request *request)
{
    return holds(request->body, "DeclarativeManagement") ? HTTP_PATIENT : HTTP_URGENT;
}
