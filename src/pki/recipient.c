/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/recipient.h"

#include "pki/digest.h"
#include "pki/openssl.h"
#include "pki/scep_layers.h"

/* SCEP's envelope is the CMS one: the same layers, another key. */
bool recipient_open(struct keyd *keyd, void *owner, const struct recipient *recipient,
                    struct bytes cms, struct bytes *plain, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct scep_envelope envelope;
    struct certificate certificate;
    struct bytes key;
    size_t at = 0;
    if (!scep_envelope_parse(scratch, cms, false, &envelope, err) ||
        !certificate_parse(scratch, recipient->certificate, &certificate, err))
        return false;
    while (at < envelope.recipient_count &&
           !scep_identifier_matches(&envelope.recipients[at].id, &certificate))
        at++;
    if (at == envelope.recipient_count)
        return err_set(err, ERR_PRECONDITION, "it was encrypted to another certificate");
    const struct recipient_key with = {digest_sha256_hex(scratch, recipient->certificate),
                                       recipient->sealed_key};
    if (!keyd_recipient_unwrap(keyd, scratch, &with, envelope.recipients[at].wrapped,
                               scep_cipher_key_size(envelope.cipher), &key, err))
        return false;
    bool opened = scep_envelope_open(owner, &envelope, key, plain, err);
    bytes_wipe((void *)(uintptr_t)key.data, key.size);
    return opened;
}
