/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scep.h"

#include <openssl/err.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/uri.h"

#define CAPABILITIES_MAX 4096 /* bytes */

struct authority {
    struct certificates *all;
    X509 *recipient; /* borrowed from all */
};

static bool operation_get(struct web *web, void *owner, const struct scep_service *service,
                          const char *operation, struct web_reply *out, struct err *err)
{
    char *name = uri_encode(owner, service->name ? service->name : "");
    char *url = mem_format(owner, "%s%coperation=%s&message=%s", service->url,
                           strchr(service->url, '?') ? '&' : '?', operation, name);
    struct web_request request = {.method = "GET", .url = url, .plain_allowed = true};
    if (!web_send(web, owner, &request, out, err))
        return err_context(err, "%s", operation);
    return out->status == 200 ||
           err_set(err, ERR_BAD_INPUT, "%s answered %d", operation, out->status);
}

static bool capability_has(const char *list, const char *wanted)
{
    size_t size = strlen(wanted);
    for (const char *line = list; *line;) {
        size_t length = strcspn(line, "\r\n");
        if (length == size && strncasecmp(line, wanted, size) == 0)
            return true;
        line += length;
        line += strspn(line, "\r\n");
    }
    return false;
}

/* RFC 8894 3.5.2: what a modern device insists on. */
static bool capabilities_check(struct web *web, const struct scep_service *service, struct err *err)
{
    static const char *const needed[] = {"POSTPKIOperation", "SHA-256", "AES"};
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct web_reply reply;
    if (!operation_get(web, scratch, service, "GetCACaps", &reply, err))
        return false;
    char *list = reply.body.size <= CAPABILITIES_MAX ? bytes_to_text(scratch, reply.body) : NULL;
    if (!list)
        return err_set(err, ERR_BAD_INPUT, "GetCACaps did not answer a short text");
    if (capability_has(list, "SCEPStandard"))
        return true;
    for (size_t i = 0; i < COUNT(needed); i++)
        if (!capability_has(list, needed[i]))
            return err_set(err, ERR_BAD_INPUT, "the SCEP service does not announce %s", needed[i]);
    return true;
}

static bool authority_parse(void *owner, const struct web_reply *reply, struct certificates **out,
                            struct err *err)
{
    struct certificates *list = certificates_new(owner);
    if (reply->content_type && text_starts(reply->content_type, "application/x-x509-ca-cert")) {
        CLEANUP(X509_free_at) X509 *one = NULL;
        if (!certificate_parse_der(reply->body, &one, err))
            return false;
        certificates_add(list, one);
    } else {
        const uint8_t *at = reply->body.data;
        CLEANUP(CMS_ContentInfo_free_at)
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)reply->body.size);
        STACK_OF(X509) *all = cms ? CMS_get1_certs(cms) : NULL;
        for (int i = 0; i < sk_X509_num(all); i++)
            certificates_add(list, sk_X509_value(all, i));
        sk_X509_pop_free(all, X509_free);
        ERR_clear_error();
    }
    *out = list;
    return certificates_count(list) > 0 ||
           err_set(err, ERR_BAD_INPUT, "GetCACert answered no certificate (%s)",
                   reply->content_type ? reply->content_type : "no content type");
}

static bool fingerprint_matches(const X509 *certificate, struct bytes wanted)
{
    const EVP_MD *digests[] = {EVP_md5(), EVP_sha1(), EVP_sha256(), EVP_sha512()};
    for (size_t i = 0; i < COUNT(digests); i++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        if ((size_t)EVP_MD_get_size(digests[i]) == wanted.size &&
            X509_digest(certificate, digests[i], digest, &size) &&
            bytes_equal(wanted, (struct bytes){digest, size}))
            return true;
    }
    return false;
}

static bool fingerprint_check(const struct certificates *all, struct bytes wanted, struct err *err)
{
    if (wanted.size == 0)
        return true;
    for (size_t i = 0; i < certificates_count(all); i++)
        if (fingerprint_matches(certificates_get(all, i), wanted))
            return true;
    return err_set(err, ERR_FORBIDDEN, "no certificate of GetCACert has the CAFingerprint");
}

/* An RA where there is one, else the issuing CA: whoever may decipher with an RSA key. */
static X509 *recipient_find(const struct certificates *all)
{
    X509 *authority = NULL;
    for (size_t i = 0; i < certificates_count(all); i++) {
        X509 *one = certificates_get(all, i);
        if (EVP_PKEY_get_base_id(X509_get0_pubkey(one)) != EVP_PKEY_RSA)
            continue;
        if (X509_check_ca(one) == 0 && (X509_get_key_usage(one) & KU_KEY_ENCIPHERMENT))
            return one;
        if (!authority && X509_check_ca(one) > 0)
            authority = one;
    }
    return authority;
}

static bool authority_get(struct web *web, void *owner, const struct scep_service *service,
                          struct authority *out, struct err *err)
{
    struct web_reply reply;
    if (!operation_get(web, owner, service, "GetCACert", &reply, err) ||
        !authority_parse(owner, &reply, &out->all, err) ||
        !fingerprint_check(out->all, service->fingerprint, err))
        return false;
    out->recipient = recipient_find(out->all);
    if (!out->recipient)
        return err_set(err, ERR_BAD_INPUT, "GetCACert has nobody to encrypt to");
    if (certificates_count(service->roots) == 0)
        return true;
    return certificate_chain_check(out->recipient, out->all, service->roots, err) ||
           err_context(err, "the SCEP authority");
}

static void outcome_take(struct scep_outcome *outcome, struct scep_answer *answer)
{
    outcome->status = answer->status;
    outcome->fail_info = answer->fail_info;
    outcome->fail_text = answer->fail_text ? mem_text(outcome, answer->fail_text) : NULL;
    if (answer->certificate && X509_up_ref(answer->certificate))
        outcome->certificate = answer->certificate;
    certificates_add_all(outcome->chain, answer->others);
}

struct conversation {
    struct web *web;
    const struct scep_service *service;
    struct scep_transaction *transaction;
    struct authority authority;
    struct scep_outcome *outcome;
};

/* One PKIOperation: seal, post, open. The same bytes go out again when no answer came. */
static bool operation_post(struct conversation *talk, enum scep_type type, struct bytes content,
                           struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const char *base = talk->service->url;
    char *url =
        mem_format(scratch, "%s%coperation=PKIOperation", base, strchr(base, '?') ? '&' : '?');
    struct web_request request = {.method = "POST",
                                  .url = url,
                                  .plain_allowed = true,
                                  .content_type = "application/x-pki-message"};
    struct web_reply reply;
    struct scep_answer *answer = NULL;
    if (!scep_seal(scratch, talk->transaction, type, content, talk->authority.recipient,
                   &request.body, err) ||
        !web_send(talk->web, scratch, &request, &reply, err))
        return err_context(err, "PKIOperation");
    talk->outcome->http_status = reply.status;
    if (reply.status != 200)
        return true;
    if (!scep_open(scratch, talk->transaction, talk->authority.all, reply.body, &answer, err))
        return err_context(err, "PKIOperation");
    outcome_take(talk->outcome, answer);
    return true;
}

static int outcome_free(struct scep_outcome *outcome)
{
    X509_free(outcome->certificate);
    return 0;
}

static bool request_and_poll(struct conversation *talk, void *scratch, const struct scep_wish *wish,
                             struct err *err)
{
    struct bytes content;
    enum scep_type type = wish->misbehaviour == SCEP_TYPE_18 ? SCEP_UPDATE_REQ : SCEP_PKCS_REQ;
    if (!scep_request_make(scratch, talk->transaction, wish, &content, err) ||
        !operation_post(talk, type, content, err) ||
        !scep_poll_make(scratch, talk->authority.recipient, wish->subject, &content, err))
        return false;
    for (int64_t i = 0; talk->outcome->status == SCEP_PENDING && i < talk->service->retries; i++) {
        (void)sleep((unsigned)talk->service->retry_delay);
        if (!operation_post(talk, SCEP_CERT_POLL, content, err))
            return false;
    }
    return true;
}

bool scep_enrol(void *owner, struct web *web, const struct scep_service *service,
                const struct scep_wish *wish, EVP_PKEY *key, struct scep_outcome **out,
                struct err *err)
{
    CLEANUP(mem_free_at) struct scep_outcome *outcome = mem_new(NULL, struct scep_outcome);
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct conversation talk = {.web = web, .service = service, .outcome = outcome};
    mem_destructor(outcome, outcome_free);
    outcome->status = SCEP_NONE;
    outcome->fail_info = -1;
    outcome->chain = certificates_new(outcome);
    if (!scep_begin(scratch, key, wish->subject, &talk.transaction, err))
        return false;
    talk.transaction->single_des = wish->misbehaviour == SCEP_DES;
    if (!capabilities_check(web, service, err) ||
        !authority_get(web, scratch, service, &talk.authority, err))
        return false;
    certificates_add_all(outcome->chain, talk.authority.all);
    if (!request_and_poll(&talk, scratch, wish, err))
        return false;
    *out = mem_give(owner, &outcome);
    return true;
}
