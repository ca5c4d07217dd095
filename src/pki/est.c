/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/est.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "pki/cms.h"

#define BASIC "Basic "
#define CREDENTIALS_MAX 512 /* bytes of name and password together */

bool est_request_parse(void *owner, struct bytes body, struct certificate_request *out,
                       struct err *err)
{
    struct bytes der;
    if (body.size > EST_BODY_MAX)
        return err_set(err, ERR_TOO_LARGE, "the body exceeds %d bytes", EST_BODY_MAX);
    if (!base64_decode_spaced(owner, body, REQUEST_SIZE_MAX, &der, err))
        return err_context(err, "the body is not one request in base64");
    if (request_parse(owner, der, out, err))
        return true;
    if (err->kind != ERR_TOO_LARGE && err->kind != ERR_FORBIDDEN)
        err->kind = ERR_BAD_INPUT;
    return false;
}

static int password_wipe(char *text)
{
    bytes_wipe(text, strlen(text));
    return 0;
}

/* The scheme's name is the same in any case (RFC 9110 11.1). */
static bool is_basic(const char *header)
{
    CLEANUP(mem_free_at) char *scheme = mem_text_part(NULL, header, sizeof(BASIC) - 1);
    return text_equal_nocase(scheme, BASIC);
}

bool est_password_parse(void *owner, const char *header, const char **out, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes pair;
    if (!header || !is_basic(header) ||
        !base64_decode(scratch, bytes_text(header + sizeof(BASIC) - 1), CREDENTIALS_MAX, &pair,
                       err))
        return err_set(err, ERR_UNAUTHENTICATED, "the challenge goes into a Basic password");
    const uint8_t *colon = pair.size ? memchr(pair.data, ':', pair.size) : NULL;
    size_t before = colon ? (size_t)(colon - pair.data) + 1 : 0;
    if (!colon || before == pair.size || memchr(pair.data, '\0', pair.size))
        return err_set(err, ERR_UNAUTHENTICATED, "the Basic credentials hold no password");
    char *password = mem_text_part(owner, (const char *)colon + 1, pair.size - before);
    mem_destructor(password, password_wipe);
    *out = password;
    return true;
}

struct bytes est_bundle_render(void *owner, const struct bytes *certificates, size_t count)
{
    return bytes_text(base64_encode(owner, cms_bundle(owner, certificates, count, NO_BYTES)));
}
