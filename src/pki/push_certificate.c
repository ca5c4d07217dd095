/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/push_certificate.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/openssl.h"

static bool key_about(void *owner, X509_PUBKEY *key, char **out, struct err *err)
{
    uint8_t *der = NULL;
    int size = i2d_X509_PUBKEY(key, &der);
    if (size <= 0)
        return err_set(err, ERR_BAD_INPUT, "its public key cannot be read");
    *out = digest_sha256_hex(owner, (struct bytes){der, (size_t)size});
    OPENSSL_free(der);
    return true;
}

/* 0.9.2342.19200300.100.1.1 of the subject */
static bool topic_of(void *owner, const X509 *certificate, char **out, struct err *err)
{
    char topic[256];
    int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_userId, topic,
                                         sizeof(topic));
    if (size <= 0 || (size_t)size != strlen(topic) || !text_starts(topic, "com.apple.mgmt."))
        return err_set(err, ERR_BAD_INPUT,
                       "this is no certificate for device management: its "
                       "subject has no UID com.apple.mgmt.…");
    *out = mem_text(owner, topic);
    return true;
}

static bool end_of(const X509 *certificate, int64_t now, int64_t *out, struct err *err)
{
    int days = 0, seconds = 0;
    ASN1_TIME *start = ASN1_TIME_set(NULL, (time_t)now);
    int known = start && ASN1_TIME_diff(&days, &seconds, start, X509_get0_notAfter(certificate));
    ASN1_TIME_free(start);
    *out = now + (int64_t)days * 86400 + seconds;
    if (!known || *out <= now)
        return err_set(err, ERR_BAD_INPUT, "the certificate has expired");
    return true;
}

bool push_certificate_read(void *owner, struct bytes der, int64_t now, struct push_certificate *out,
                           struct err *err)
{
    const uint8_t *at = der.data;
    struct push_certificate read = {0};
    CLEANUP(X509_free_at) X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
    ERR_clear_error();
    if (!certificate || at != der.data + der.size)
        return err_set(err, ERR_BAD_INPUT, "this is not one certificate");
    if (!topic_of(owner, certificate, &read.topic, err) ||
        !end_of(certificate, now, &read.not_after, err) ||
        !key_about(owner, X509_get_X509_PUBKEY(certificate), &read.key_about, err))
        return false;
    *out = read;
    return true;
}

bool push_request_about(void *owner, struct bytes request, const char **about, struct err *err)
{
    const uint8_t *at = request.data;
    char *text = NULL;
    CLEANUP(X509_REQ_free_at) X509_REQ *parsed = d2i_X509_REQ(NULL, &at, (long)request.size);
    ERR_clear_error();
    if (!parsed || !key_about(owner, X509_REQ_get_X509_PUBKEY(parsed), &text, err))
        return err_set(err, ERR_INTERNAL, "the key process made no readable request");
    *about = text;
    return true;
}
