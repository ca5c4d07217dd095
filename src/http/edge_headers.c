/* SPDX-License-Identifier: Apache-2.0 */
#include "http/edge_headers.h"

#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/uri.h"

#define WORD_SIZE 64 /* bytes of an address or an id */

static const char *const reserved[] = {"Client-Cert", "Client-Cert-Chain", "X-Request-Id"};
static const char reserved_prefix[] = "X-Muster-";

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----\n";
static const char pem_end[] = "-----END CERTIFICATE-----";

/* The base64 text of exactly one block, line breaks taken out. */
static bool pem_body(const char *pem, struct buffer *body)
{
    if (!text_starts(pem, pem_begin))
        return false;
    pem += strlen(pem_begin);
    const char *end = strstr(pem, pem_end);
    if (!end)
        return false;
    const char *rest = end + strlen(pem_end);
    for (size_t size; pem < end; pem += size + 1) {
        size = strcspn(pem, "\n");
        size = pem + size < end ? size : (size_t)(end - pem);
        buffer_add(body, (struct bytes){(const uint8_t *)pem, size});
    }
    return *rest == '\0' || text_equal(rest, "\n");
}

static bool der_decode(void *owner, struct bytes text, struct bytes *out, struct err *err)
{
    if (text.size == 0)
        return err_set(err, ERR_BAD_INPUT, "the client certificate from the edge is empty");
    return base64_decode(owner, text, EDGE_CERTIFICATE_SIZE, out, err) ||
           err_context(err, "client certificate from the edge");
}

bool edge_certificate_escaped(void *owner, const char *value, struct bytes *out, struct err *err)
{
    CLEANUP(mem_free_at) char *pem = NULL;
    if (!uri_decode(NULL, bytes_text(value), false, &pem, err))
        return err_context(err, "client certificate from the edge");
    CLEANUP(mem_free_at) void *scratch = mem_pool(NULL, 4096);
    struct buffer body;
    struct bytes text;
    buffer_init(&body, scratch, EDGE_CERTIFICATE_SIZE * 2);
    if (!pem_body(pem, &body))
        return err_set(err, ERR_BAD_INPUT, "the client certificate from the edge is not one PEM");
    return buffer_done(&body, &text, err) && der_decode(owner, text, out, err);
}

bool edge_certificate_field(void *owner, const char *value, struct bytes *out, struct err *err)
{
    size_t size = strlen(value);
    if (size < 3 || value[0] != ':' || value[size - 1] != ':')
        return err_set(err, ERR_BAD_INPUT, "Client-Cert is not a byte sequence");
    return der_decode(owner, (struct bytes){(const uint8_t *)value + 1, size - 2}, out, err);
}

static bool word_valid(const char *text, const char *letters)
{
    size_t size = strlen(text);
    return size > 0 && size <= WORD_SIZE && strspn(text, letters) == size;
}

bool edge_address_valid(const char *text)
{
    return word_valid(text, "0123456789abcdefABCDEF:.");
}

bool edge_id_valid(const char *text)
{
    return word_valid(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
}

bool edge_header_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (text_equal_nocase(name, reserved[i]))
            return true;
    return strncasecmp(name, reserved_prefix, strlen(reserved_prefix)) == 0;
}
