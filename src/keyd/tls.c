/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that leave keyd on purpose: TLS identities for the edge, and requests to other authorities.
 */
#include "keyd/answer.h"
#include "pki/certificate.h"
#include "pki/keyd.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include "base/text.h"

#define DAY ((int64_t)86400)
#define TLS_DAYS 397 /* what browsers accept; Apple asks for at most 825 */
#define TLS_RENEW_DAYS 30
#define TLS_NAMES_MAX 32
#define TLS_NAME_SIZE 253
#define TLS_VALUE_MAX ((size_t)24 << 10) /* bytes of both identities */
#define CLOCK_SLACK ((int64_t)600)

/* clang-format off */
static const struct build_extension tls_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"}, /* TLS 1.2 with ECDHE and 1.3 only sign */
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
/* clang-format on */

static struct bytes memory_bytes(void *owner, BIO *memory)
{
    const uint8_t *data;
    size_t size = (size_t)BIO_get_mem_data(memory, &data);
    uint8_t *copy = secret_new(owner, size);
    memcpy(copy, data, size);
    return (struct bytes){copy, size};
}

static bool key_pem(void *owner, EVP_PKEY *key, struct bytes *out, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *memory = BIO_new(BIO_s_secmem());
    if (!memory || PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) != 1)
        return openssl_fail(err, ERR_INTERNAL, "writing a key");
    *out = memory_bytes(owner, memory);
    return true;
}

static bool chain_pem(void *owner, X509 *leaf, X509 *issuer, struct bytes *out, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *memory = BIO_new(BIO_s_mem());
    if (!memory || PEM_write_bio_X509(memory, leaf) != 1 || PEM_write_bio_X509(memory, issuer) != 1)
        return openssl_fail(err, ERR_INTERNAL, "writing a certificate");
    *out = memory_bytes(owner, memory);
    return true;
}

/* The names split into what is an address and what is a DNS name. */
struct tls_names {
    const char **dns, **ip;
};

static bool names_split(void *owner, const char *const *names, struct tls_names *out,
                        struct err *err)
{
    size_t dns = 0, ip = 0;
    uint8_t octets[16];
    out->dns = mem_array(owner, const char *, TLS_NAMES_MAX + 1);
    out->ip = mem_array(owner, const char *, TLS_NAMES_MAX + 1);
    for (size_t i = 0; names[i]; i++) {
        bool address =
            inet_pton(AF_INET, names[i], octets) == 1 || inet_pton(AF_INET6, names[i], octets) == 1;
        if (address)
            out->ip[ip++] = names[i];
        else
            out->dns[dns++] = names[i];
    }
    return names[0] || err_set(err, ERR_BAD_INPUT, "a server identity needs a name");
}

static bool tls_make(struct call *call, const struct tls_names *names, const char *title,
                     EVP_PKEY *key, struct buffer *value, struct err *err)
{
    /* A common name has at most 64 characters; the alternative names are what counts. */
    const char *common = strlen(title) <= 64 ? title : "server";
    struct build_plan plan = {.common_name = common,
                              .organization = call->vault->organization,
                              .key = key,
                              .not_before = call->now - CLOCK_SLACK,
                              .not_after = call->now - CLOCK_SLACK + TLS_DAYS * DAY,
                              .extensions = tls_extensions,
                              .san_dns = names->dns,
                              .san_ip = names->ip};
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    struct bytes chain, secret;
    certificate_serial_make(plan.serial);
    struct generation *issuer = NULL;
    if (!vault_signing(call->vault, call->vault->tls_number, &issuer, err) ||
        !vault_issue(call->vault, issuer, &plan, "server-tls", call->now, &certificate, err) ||
        !chain_pem(call->owner, certificate, issuer->identities[IDENTITY_ISSUING].certificate,
                   &chain, err) ||
        !key_pem(call->owner, key, &secret, err))
        return false;
    wire_bytes(value, chain);
    wire_bytes(value, secret);
    return true;
}

/* A kept value is {until i64, names, two identities}; it serves while names and time fit. Before
 * the names stands who certified it, but for the first authority. */
static struct bytes tls_key(struct call *call, struct bytes names)
{
    struct buffer key;
    buffer_init(&key, call->owner, TLS_VALUE_MAX);
    if (call->vault->tls_number > 1)
        wire_i64(&key, call->vault->tls_number);
    buffer_add(&key, names);
    return (struct bytes){key.data, key.size};
}

static bool tls_kept(struct call *call, struct bytes names, struct bytes *out)
{
    struct bytes value;
    if (!slots_load(call->owner, call->vault->tls, &value))
        return false;
    struct reader in = reader_of(value);
    int64_t until = wire_get_i64(&in);
    struct bytes kept = wire_get_bytes(&in, TLS_VALUE_MAX);
    if (!reader_ok(&in) || !bytes_equal(kept, names) || until - call->now < TLS_RENEW_DAYS * DAY)
        return false;
    *out = reader_take(&in, reader_left(&in));
    return true;
}

static bool tls_renew(struct call *call, const char *const *list, struct bytes names,
                      struct bytes *out, struct err *err)
{
    struct buffer value;
    struct bytes whole;
    struct tls_names split;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *ec = EVP_EC_gen("P-256");
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *rsa = EVP_RSA_gen(2048);
    buffer_init(&value, call->owner, TLS_VALUE_MAX);
    wire_i64(&value, call->now - CLOCK_SLACK + TLS_DAYS * DAY);
    wire_bytes(&value, names);
    size_t head = value.size;
    if (!ec || !rsa)
        return openssl_fail(err, ERR_INTERNAL, "making a key");
    bool good = names_split(call->owner, list, &split, err) &&
                tls_make(call, &split, list[0], ec, &value, err) &&
                tls_make(call, &split, list[0], rsa, &value, err) &&
                buffer_done(&value, &whole, err) && slots_save(call->vault->tls, whole, err);
    if (good)
        *out = bytes_copy(call->owner, (struct bytes){whole.data + head, whole.size - head});
    bytes_wipe(value.data, value.size);
    return good;
}

bool answer_tls_identities(struct call *call, struct err *err)
{
    struct bytes all = tls_key(call, call->in.in), both;
    const char *const *names = wire_get_texts(call->owner, &call->in, TLS_NAMES_MAX, TLS_NAME_SIZE);
    if (!call_read(call, err))
        return false;
    if (!tls_kept(call, all, &both) && !tls_renew(call, names, all, &both, err))
        return false;
    buffer_add(call->out, both);
    secret_wipe_bytes(both);
    return true;
}

/* ---- a request to another authority ---- */

#define REQUEST_TEXT_MAX 256

static bool request_fill(X509_REQ *request, EVP_PKEY *key, const char *common_name,
                         const char *email, struct err *err)
{
    X509_NAME *name = X509_REQ_get_subject_name(request);
    const unsigned char *cn = (const unsigned char *)common_name;
    const unsigned char *mail = (const unsigned char *)email;
    if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, cn, -1, -1, 0) != 1 ||
        (mail && *mail &&
         X509_NAME_add_entry_by_txt(name, "emailAddress", MBSTRING_UTF8, mail, -1, -1, 0) != 1))
        return openssl_fail(err, ERR_BAD_INPUT, "subject of the request");
    if (X509_REQ_set_pubkey(request, key) != 1 || X509_REQ_sign(request, key, EVP_sha256()) <= 0)
        return openssl_fail(err, ERR_INTERNAL, "signing the request");
    return true;
}

bool answer_make_request(struct call *call, struct err *err)
{
    const char *common_name = wire_get_text(call->owner, &call->in, REQUEST_TEXT_MAX);
    const char *email = wire_get_text(call->owner, &call->in, REQUEST_TEXT_MAX);
    if (!call_read(call, err))
        return false;
    if (!common_name || !*common_name)
        return err_set(err, ERR_BAD_INPUT, "a request needs a common name");
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = EVP_RSA_gen(2048);
    CLEANUP(X509_REQ_free_at) X509_REQ *request = X509_REQ_new();
    struct bytes secret, sealed;
    if (!key || !request)
        return openssl_fail(err, ERR_INTERNAL, "making a key");
    if (!request_fill(request, key, common_name, email, err) ||
        !key_pem(call->owner, key, &secret, err))
        return false;
    char *about = digest_sha256_hex(call->owner, DER_OF(call->owner, i2d_PUBKEY, key));
    if (!seal_make(call->owner, call->vault->master, "seal/connector", about, secret, &sealed, err))
        return false;
    wire_bytes(call->out, DER_OF(call->owner, i2d_X509_REQ, request));
    wire_bytes(call->out, sealed);
    return true;
}
