/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/outline.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pki/der.h"

#define SERIAL_SIZE_MAX 21 /* bytes: 20 and a sign (RFC 5280 4.1.2.2) */
#define CENTURY_SPLIT "50" /* a UTCTime below is of this century (RFC 5280 4.1.2.5.1) */

static bool malformed(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_INPUT, "not a certificate: %s", what);
}

/* Both kinds of time as "YYYYMMDDHHMMSSZ", and that as RFC 3339. */
static int64_t time_take(struct reader *in)
{
    struct der_element element = der_next(in);
    char digits[16], text[32];
    int64_t at = 0;
    struct err ignored; /* the reader fails instead */
    size_t century = element.tag == DER_UTC_TIME ? 2 : 0;
    bool is_time = (element.tag == DER_UTC_TIME || element.tag == DER_GENERALIZED_TIME) &&
                   element.content.size + century == sizeof(digits) - 1;
    if (!is_time) {
        der_refuse(in);
        return 0;
    }
    memcpy(digits + century, element.content.data, element.content.size);
    digits[sizeof(digits) - 1] = '\0';
    if (century)
        memcpy(digits, memcmp(digits + 2, CENTURY_SPLIT, 2) < 0 ? "20" : "19", 2);
    const char *d = digits;
    (void)snprintf(text, sizeof(text),
                   "%.4s-%.2s-%.2s"
                   "T%.2s:%.2s:%.2s%s",
                   d, d + 4, d + 6, d + 8, d + 10, d + 12, d + 14);
    if (!time_parse(text, &at, &ignored))
        der_refuse(in);
    return at;
}

static void validity_take(struct reader *in, struct outline *out)
{
    struct reader times = reader_of(der_take(in, DER_SEQUENCE));
    out->not_before = time_take(&times);
    out->not_after = time_take(&times);
    if (!reader_done(&times))
        der_refuse(in);
}

static struct bytes whole_take(struct reader *in, uint8_t tag)
{
    struct der_element element = der_next(in);
    if (element.tag != tag)
        der_refuse(in);
    return element.whole;
}

static bool extension_take(struct reader *in, struct outline_extension *out)
{
    struct reader parts = reader_of(der_take(in, DER_SEQUENCE));
    struct outline_extension extension = {.oid = der_take(&parts, DER_OID)};
    if (der_peek(&parts, DER_BOOLEAN)) {
        struct bytes critical = der_take(&parts, DER_BOOLEAN);
        if (critical.size != 1)
            der_refuse(&parts);
        else
            extension.is_critical = critical.data[0] != 0;
    }
    extension.value = der_take(&parts, DER_OCTET_STRING);
    *out = extension;
    return reader_ok(in) && reader_done(&parts) && extension.oid.size > 0;
}

static bool extensions_take(struct reader *in, struct outline *out, struct err *err)
{
    struct reader outer = reader_of(der_take(in, DER_CONTEXT_3));
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    if (!reader_ok(in) || !reader_done(&outer))
        return malformed(err, "its extensions");
    while (reader_left(&list) > 0) {
        struct outline_extension extension = {0};
        if (out->extension_count == OUTLINE_EXTENSIONS_MAX)
            return err_set(err, ERR_TOO_LARGE, "a certificate with more than %d extensions",
                           OUTLINE_EXTENSIONS_MAX);
        if (!extension_take(&list, &extension))
            return malformed(err, "an extension");
        if (outline_find(out, extension.oid))
            return malformed(err, "an extension stands twice");
        out->extensions[out->extension_count++] = extension;
    }
    return true;
}

static bool tbs_parse(struct bytes content, struct outline *out, struct err *err)
{
    static const uint8_t version_3[] = {DER_INTEGER, 1, 2};
    struct reader in = reader_of(content);
    struct bytes version = der_take(&in, DER_CONTEXT_0);
    struct bytes serial = der_take(&in, DER_INTEGER);
    struct bytes algorithm = whole_take(&in, DER_SEQUENCE);
    out->issuer = whole_take(&in, DER_SEQUENCE);
    validity_take(&in, out);
    out->subject = whole_take(&in, DER_SEQUENCE);
    out->key = whole_take(&in, DER_SEQUENCE);
    if (!reader_ok(&in) || serial.size == 0 || serial.size > SERIAL_SIZE_MAX)
        return malformed(err, "its fields");
    if (!bytes_equal(version, BYTES_OF(version_3)))
        return malformed(err, "another version than 3");
    if (!bytes_equal(algorithm, out->algorithm))
        return malformed(err, "two algorithms of one signature");
    return extensions_take(&in, out, err) &&
           (reader_done(&in) || malformed(err, "something behind its extensions"));
}

bool outline_parse(struct bytes der, struct outline *out, struct err *err)
{
    struct outline outline = {.whole = der};
    struct reader in = reader_of(der);
    if (der.size > OUTLINE_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a certificate of more than %d bytes", OUTLINE_SIZE_MAX);
    struct reader parts = reader_of(der_take(&in, DER_SEQUENCE));
    if (!reader_done(&in))
        return malformed(err, "not one structure");
    struct der_element tbs = der_next(&parts);
    outline.tbs = tbs.whole;
    outline.algorithm = whole_take(&parts, DER_SEQUENCE);
    struct bytes bits = der_take(&parts, DER_BIT_STRING);
    if (!reader_done(&parts) || tbs.tag != DER_SEQUENCE || bits.size < 2 || bits.data[0] != 0)
        return malformed(err, "its three parts");
    outline.signature = (struct bytes){bits.data + 1, bits.size - 1};
    if (!tbs_parse(tbs.content, &outline, err))
        return false;
    *out = outline;
    return true;
}

const struct outline_extension *outline_find(const struct outline *outline, struct bytes oid)
{
    for (size_t i = 0; i < outline->extension_count; i++)
        if (bytes_equal(outline->extensions[i].oid, oid))
            return &outline->extensions[i];
    return NULL;
}
