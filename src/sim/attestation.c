/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/attestation.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/authority.h"
#include "sim/program.h"

#define DAY_SECONDS INT64_C(86400)
#define FRESH_SECONDS (7 * DAY_SECONDS)
#define LEAF_DAYS 365
#define NONCE_LONGEST 32 /* bytes */
#define APPLE "1.2.840.113635.100.8."

/* ---- certificates ---- */

struct leaf_plan {
    const char *common_name;
    EVP_PKEY *key;
    X509 *issuer; /* NULL: signs itself */
    EVP_PKEY *issuer_key;
    bool is_authority;
    int64_t from, until; /* seconds UTC */
};

static bool extension_put(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

/* A property as Apple puts it in: the bytes themselves. */
static bool property_put(X509 *certificate, const char *number, struct bytes value)
{
    CLEANUP(mem_free_at) char *oid = mem_format(NULL, APPLE "%s", number);
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = mem_must(ASN1_OCTET_STRING_new());
    X509_EXTENSION *extension = NULL;
    bool done = object && ASN1_OCTET_STRING_set(octets, value.data, (int)value.size) == 1 &&
                (extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets)) &&
                X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    return done;
}

static bool frame_fill(X509 *certificate, const struct leaf_plan *plan)
{
    uint64_t serial = 0;
    random_bytes(&serial, sizeof(serial));
    X509_NAME *name = X509_get_subject_name(certificate);
    const X509 *issuer = plan->issuer ? plan->issuer : certificate;
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)plan->common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)plan->from) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)plan->until) &&
           X509_set_pubkey(certificate, plan->key) == 1 &&
           extension_put(certificate, NID_basic_constraints,
                         plan->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           extension_put(certificate, NID_key_usage,
                         plan->is_authority ? "critical,keyCertSign,cRLSign"
                                            : "critical,digitalSignature");
}

static EVP_PKEY *ec_key(void)
{
    return mem_must(EVP_EC_gen("P-384"));
}

/* ---- the authority, made once ---- */

/* <directory>/<name>-root.pem and <name>-ca.pem with their keys. */
static bool authority_make(const char *directory, const char *name, struct err *err)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *root_key = ec_key();
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = ec_key();
    CLEANUP(X509_free_at) X509 *root = mem_must(X509_new());
    CLEANUP(X509_free_at) X509 *authority = mem_must(X509_new());
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    int64_t now = clock_now();
    const struct leaf_plan root_plan = {.common_name = "Simulated Attestation Root CA",
                                        .key = root_key,
                                        .issuer_key = root_key,
                                        .is_authority = true,
                                        .from = now - DAY_SECONDS,
                                        .until = now + 3650 * DAY_SECONDS};
    struct leaf_plan plan = root_plan;
    plan.common_name = "Simulated Attestation Sub CA 1";
    plan.key = key;
    plan.issuer = root;
    if (!frame_fill(root, &root_plan) || X509_sign(root, root_key, EVP_sha384()) <= 0 ||
        !frame_fill(authority, &plan) || X509_sign(authority, root_key, EVP_sha384()) <= 0)
        return openssl_failed(err, ERR_INTERNAL, "making an attestation authority");
    return pair_save(directory, mem_format(owner, "%s-root", name), root, root_key, err) &&
           pair_save(directory, mem_format(owner, "%s-ca", name), authority, key, err);
}

bool attestation_authority(const struct options *options, json_t *result, struct err *err)
{
    if (mkdir(options->dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", options->dir, strerror(errno));
    if (!authority_make(options->dir, "attestation", err) ||
        !authority_make(options->dir, "other", err))
        return false;
    json_object_set_new(result, "dir", json_string(options->dir));
    return true;
}

/* ---- one attestation ---- */

enum fault {
    FAULT_NONE,
    FAULT_WRONG_NONCE,
    FAULT_NO_NONCE,
    FAULT_FOREIGN_SERIAL,
    FAULT_FOREIGN_UDID,
    FAULT_NO_SERIAL,
    FAULT_OTHER_ROOT,
    FAULT_EXPIRED,
    FAULT_LONG_CHAIN,
    FAULT_GARBAGE,
    FAULT_OTHER_VERSION,
    FAULT_NO_LIST,
};
static const char *const fault_names[] = {
    "none",          "wrong-nonce", "no-nonce", "foreign-serial", "foreign-udid",
    "no-serial",     "other-root",  "expired",  "long-chain",     "garbage",
    "other-version", "no-list",     NULL};

char *attestation_faults(void *owner)
{
    return name_list(owner, fault_names);
}

struct making {
    void *owner;
    struct phone *phone;
    enum fault fault;
    struct bytes nonce; /* of this attestation */
    X509 *root, *authority;
    EVP_PKEY *authority_key;
};

static bool text_put(X509 *leaf, const char *number, const char *value)
{
    return !value || property_put(leaf, number, bytes_text(value));
}

static bool names_put(X509 *leaf, const struct making *m)
{
    const struct model *model = &m->phone->model;
    if (m->phone->enrolment.enrollment_id) /* an account tells nothing that names the phone */
        return true;
    const char *serial = m->fault == FAULT_FOREIGN_SERIAL ? "SOMEBODYELSE"
                         : m->fault == FAULT_NO_SERIAL    ? ""
                                                          : model->serial;
    const char *udid = m->fault == FAULT_FOREIGN_UDID ? "00008120-FFFFFFFFFFFFFFFF"
                       : model_is_mac(model)          ? "00006001-0011223344556677"
                                                      : model->udid;
    return text_put(leaf, "9.1", serial) && text_put(leaf, "9.2", udid);
}

static bool mac_put(X509 *leaf, const struct model *model)
{
    const uint8_t none[] = {0x02, 0x01, 0x00}, off[] = {0x02, 0x01, 0x01};
    return property_put(leaf, "13.1", model->unprotected ? BYTES_OF(off) : BYTES_OF(none)) &&
           text_put(leaf, "13.2", "Full Security") && property_put(leaf, "13.3", BYTES_OF(none));
}

static bool properties_put(X509 *leaf, const struct making *m)
{
    const struct model *model = &m->phone->model;
    uint8_t other[32] = {0};
    const char *version = m->fault == FAULT_OTHER_VERSION ? "15.0" : model->os_version;
    struct bytes nonce = m->fault == FAULT_WRONG_NONCE ? BYTES_OF(other) : m->nonce;
    return names_put(leaf, m) && text_put(leaf, "9.4", model->product) &&
           text_put(leaf, "10.2", version) &&
           (model_is_mac(model) ? mac_put(leaf, model) : text_put(leaf, "10.1", version)) &&
           (m->fault == FAULT_NO_NONCE || property_put(leaf, "11.1", nonce));
}

static X509 *leaf_make(const struct making *m)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = ec_key();
    X509 *leaf = mem_must(X509_new());
    int64_t from = m->phone->model.attested_at, days = LEAF_DAYS;
    if (m->fault == FAULT_EXPIRED) {
        from -= 30 * DAY_SECONDS;
        days = 10;
    }
    const struct leaf_plan plan = {.common_name = "Simulated device",
                                   .key = key,
                                   .issuer = m->authority,
                                   .issuer_key = m->authority_key,
                                   .from = from,
                                   .until = from + days * DAY_SECONDS};
    if (!frame_fill(leaf, &plan) || !properties_put(leaf, m) ||
        X509_sign(leaf, m->authority_key, EVP_sha384()) <= 0)
        bug("an attestation cannot be made");
    return leaf;
}

static bool authority_open(struct making *m, struct err *err)
{
    struct certificates *one = NULL;
    const char *name = m->fault == FAULT_OTHER_ROOT ? "other" : "attestation";
    const char *base = mem_format(m->owner, "%s/%s", m->phone->model.attestation, name);
    if (!key_load(mem_format(m->owner, "%s-ca.key", base), &m->authority_key, err) ||
        !certificates_load(m->owner, mem_format(m->owner, "%s-ca.pem", base), &one, err))
        return false;
    m->authority = certificates_get(one, 0);
    if (!certificates_load(m->owner, mem_format(m->owner, "%s-root.pem", base), &one, err))
        return false;
    m->root = certificates_get(one, 0);
    return true;
}

static void chain_put(const struct making *m, struct plist *responses)
{
    static const char KEY[] = "DevicePropertiesAttestation";
    CLEANUP(X509_free_at) X509 *leaf = leaf_make(m);
    if (m->fault == FAULT_NO_LIST) {
        plist_set_text(responses, KEY, "attested");
        return;
    }
    struct plist *list = plist_set_array(responses, KEY);
    if (m->fault == FAULT_GARBAGE) {
        plist_set_data(list, NULL, BYTES_OF("0 this is no certificate"));
        return;
    }
    plist_set_data(list, NULL, certificate_der(m->owner, leaf));
    plist_set_data(list, NULL, certificate_der(m->owner, m->authority));
    for (int i = 0; m->fault == FAULT_LONG_CHAIN && i < 30; i++)
        plist_set_data(list, NULL, certificate_der(m->owner, m->root));
}

/* A new one only when the last is a week old; it is kept as what it was made of. */
static struct bytes nonce_keep(void *owner, struct model *model, void *keeper, struct bytes asked)
{
    struct bytes kept;
    struct err ignored; /* none is kept yet, then */
    bool is_due = !model->attested_nonce || clock_now() - model->attested_at >= FRESH_SECONDS;
    if (is_due) {
        model->attested_nonce = text_hex(keeper, asked);
        model->attested_at = clock_now();
    }
    return text_unhex(owner, model->attested_nonce, &kept, &ignored) ? kept : NO_BYTES;
}

bool attestation_answer(struct phone *phone, const struct plist *command, struct plist *responses)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct model *model = &phone->model;
    const struct plist *nonce = plist_get(command, "DeviceAttestationNonce");
    int fault = model->attestation_fault ? name_find(fault_names, model->attestation_fault) : 0;
    struct making making = {.owner = owner, .phone = phone, .fault = (enum fault)fault};
    struct err err;
    if (nonce &&
        (nonce->type != PLIST_DATA || nonce->data.size == 0 || nonce->data.size > NONCE_LONGEST))
        return false;
    if (!model->attestation || !*model->attestation || fault < 0)
        return true;
    if (authority_open(&making, &err)) {
        making.nonce = nonce_keep(owner, model, phone, nonce ? nonce->data : NO_BYTES);
        chain_put(&making, responses);
    }
    EVP_PKEY_free(making.authority_key);
    return true;
}
