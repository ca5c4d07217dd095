/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/attestation.h"

#include <string.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/digest.h"
#include "pki/ec_chain.h"
#include "pki/oid.h"

_Static_assert(ATTESTATION_CERTIFICATES_MAX == EC_CHAIN_MAX, "one limit");

#define APPLE_PROPERTY(group, number)                                                              \
    {                                                                                              \
        OID_APPLE_ARC, 8, (group), (number)                                                        \
    }
static const uint8_t oid_freshness[] = APPLE_PROPERTY(11, 1);

/* apple/device-management, mdm/commands/information.device.yaml */
static const struct text_row {
    uint8_t oid[10];
    size_t offset;
} text_rows[] = {
    {APPLE_PROPERTY(9, 1), offsetof(struct attestation, serial)},
    {APPLE_PROPERTY(9, 2), offsetof(struct attestation, udid)},
    {APPLE_PROPERTY(9, 4), offsetof(struct attestation, update_device)},
    {APPLE_PROPERTY(10, 1), offsetof(struct attestation, os_version)},
    {APPLE_PROPERTY(10, 2), offsetof(struct attestation, enclave_version)},
    {APPLE_PROPERTY(10, 3), offsetof(struct attestation, loader_version)},
    {APPLE_PROPERTY(13, 2), offsetof(struct attestation, secure_boot)},
};
static const struct number_row {
    uint8_t oid[10];
    size_t offset;
} number_rows[] = {
    {APPLE_PROPERTY(13, 1), offsetof(struct attestation, protection_off)},
    {APPLE_PROPERTY(13, 3), offsetof(struct attestation, kernel_extensions)},
};

/* Apple puts texts in as they are; one in a string of ASN.1 is understood as well. What begins with
 * the tag of such a string is no printable text, so that both cannot be mistaken. */
static struct bytes text_bytes(struct bytes value)
{
    struct reader in = reader_of(value);
    struct der_element element = der_next(&in);
    bool is_string = element.tag == DER_UTF8_STRING || element.tag == DER_PRINTABLE_STRING ||
                     element.tag == DER_IA5_STRING;
    return reader_done(&in) && is_string ? element.content : value;
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return false;
    return true;
}

static bool text_read(void *owner, struct bytes value, char **out, struct err *err)
{
    struct bytes text = text_bytes(value);
    if (text.size > ATTESTATION_TEXT_LONGEST || !is_printable(text))
        return err_set(err, ERR_BAD_INPUT, "the attestation holds a property that is no text");
    *out = text.size > 0 ? bytes_to_text(owner, text) : NULL;
    return true;
}

static bool number_read(struct bytes value, int64_t *out, struct err *err)
{
    struct reader in = reader_of(value);
    struct bytes number = der_take(&in, DER_INTEGER);
    if (!reader_done(&in) || number.size != 1 || number.data[0] > 0x7f)
        return err_set(err, ERR_BAD_INPUT, "the attestation holds a property that is no number");
    *out = number.data[0];
    return true;
}

/* As it is, too; in an octet string when it is longer than its content could be. */
static bool freshness_read(void *owner, struct bytes value, struct bytes *out, struct err *err)
{
    struct reader in = reader_of(value);
    struct der_element element = der_next(&in);
    bool is_wrapped = reader_done(&in) && element.tag == DER_OCTET_STRING &&
                      element.content.size == 32; /* ours are always so long, see fleet/attest.h */
    struct bytes code = is_wrapped ? element.content : value;
    if (code.size > ATTESTATION_FRESHNESS_LONGEST)
        return err_set(err, ERR_BAD_INPUT, "the attestation holds too long a freshness code");
    *out = bytes_copy(owner, code);
    return true;
}

static bool properties_read(void *owner, const struct outline *leaf, struct attestation *out,
                            struct err *err)
{
    struct attestation read = {.protection_off = ATTESTATION_UNTOLD,
                               .kernel_extensions = ATTESTATION_UNTOLD,
                               .sha256 = digest_sha256_hex(owner, leaf->whole),
                               .made_at = leaf->not_before,
                               .expires_at = leaf->not_after};
    for (size_t i = 0; i < COUNT(text_rows); i++) {
        const struct outline_extension *found = outline_find(leaf, BYTES_OF(text_rows[i].oid));
        char **slot = (char **)(void *)((char *)&read + text_rows[i].offset);
        if (found && !text_read(owner, found->value, slot, err))
            return false;
    }
    for (size_t i = 0; i < COUNT(number_rows); i++) {
        const struct outline_extension *found = outline_find(leaf, BYTES_OF(number_rows[i].oid));
        int64_t *slot = (int64_t *)(void *)((char *)&read + number_rows[i].offset);
        if (found && !number_read(found->value, slot, err))
            return false;
    }
    const struct outline_extension *freshness = outline_find(leaf, BYTES_OF(oid_freshness));
    if (freshness && !freshness_read(owner, freshness->value, &read.freshness, err))
        return false;
    *out = read;
    return true;
}

bool attestation_read(void *owner, struct bytes leaf, struct attestation *out, struct err *err)
{
    struct outline outline;
    return outline_parse(leaf, &outline, err) && properties_read(owner, &outline, out, err);
}

bool attestation_open(void *owner, const struct bytes *chain, size_t count,
                      struct bytes anchors_pem, int64_t now, struct attestation *out,
                      struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct outline outlines[EC_CHAIN_MAX];
    struct ec_anchors anchors;
    if (count == 0 || count > EC_CHAIN_MAX)
        return err_set(err, ERR_TOO_LARGE, "a chain of %zu certificates; 1 to %d are expected",
                       count, EC_CHAIN_MAX);
    if (!ec_anchors_open(scratch, anchors_pem, &anchors, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!outline_parse(chain[i], &outlines[i], err))
            return false;
    return ec_chain_check(outlines, count, &anchors, now, err) &&
           properties_read(owner, &outlines[0], out, err);
}

bool attestation_anchors_check(struct bytes anchors_pem, size_t *count, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct ec_anchors anchors;
    if (!ec_anchors_open(scratch, anchors_pem, &anchors, err))
        return false;
    *count = anchors.count;
    return true;
}
