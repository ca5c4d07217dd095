/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of keyd, the key process: operations, never keys and never a digest oracle.
 *
 * One handle serves all threads of a process (calls are short and serialised per connection; the
 * handle may hold several).  Every call can fail with ERR_UNAVAILABLE while keyd restarts; there
 * is no fallback.  Never call it inside a transaction.
 */
#pragma once

#include "base/bytes.h"

struct keyd;

/* fd: an end of a SOCK_SEQPACKET socketpair that the supervisor made; owned by the handle. */
MUST_CHECK bool keyd_attach(void *owner, int fd, struct keyd **out, struct err *err);
/* keyd was restarted: use this end from now on; calls under way fail with ERR_UNAVAILABLE. */
void keyd_replace(struct keyd *keyd, int fd);
/* Before other threads use it. A keyd that has answered before and then leaves a call without an
 * answer for 10 s is hung: every call fails at once until keyd_replace(), and hung() is called,
 * once, on the thread of that call. At most `patient` callers wait their full time for their turn,
 * the others for a moment only: what needs no key goes on meanwhile. */
struct keyd_watch {
    unsigned patient; /* 0: all */
    void (*hung)(void *context);
    void *context;
};
void keyd_set_watch(struct keyd *keyd, struct keyd_watch watch);
bool keyd_is_hung(struct keyd *keyd); /* any thread */
MUST_CHECK bool keyd_ping(struct keyd *keyd, struct err *err);

/* ---- secrets at rest ---- */
enum keyd_class {
    KEYD_CLASS_CONNECTOR = 1, /* APNs key, LDAP password, ...: opened for the server's own use */
    KEYD_CLASS_DEVICE,        /* push token, push magic */
    KEYD_CLASS_COMMAND,       /* unlock token: opened one at a time, each opening logged by keyd */
    KEYD_CLASS_TLS,           /* server keys for the edge's run directory */
};
/* AES-256-GCM under a key derived from the master secret and the class; `about` (an id) is bound
 * as associated data and must be given again. */
MUST_CHECK bool keyd_seal(struct keyd *keyd, void *owner, enum keyd_class class, const char *about,
                          struct bytes plain, struct bytes *sealed, struct err *err);
MUST_CHECK bool keyd_open(struct keyd *keyd, void *owner, enum keyd_class class, const char *about,
                          struct bytes sealed, struct bytes *plain, struct err *err);

/* HMAC-SHA-256 under a key of its own per use: what the database stores of a bearer secret. */
enum keyd_mac { KEYD_MAC_CHALLENGE = 1, KEYD_MAC_LINK, KEYD_MAC_TOKEN, KEYD_MAC_SESSION };
MUST_CHECK bool keyd_mac(struct keyd *keyd, enum keyd_mac use, struct bytes message,
                         uint8_t out[32], struct err *err);

/* ---- the authority ---- */
/*
 * There are generations of it, each with a root of its own.  One issues; a next one may be known
 * already; earlier ones sign for what they have issued; of retired ones their chain is left.
 */
enum authority_role { /* in the order in which each passes through them */
                      AUTHORITY_NEXT = 1,
                      AUTHORITY_CURRENT,
                      AUTHORITY_EARLIER,
                      AUTHORITY_RETIRED,
};
struct authority { /* certificates, DER; of a retired one root, issuing and profile alone */
    int64_t number;
    enum authority_role role;
    int64_t since; /* in this role; 0: always */
    struct bytes root;
    struct bytes issuing;      /* RSA: signs device certificates */
    struct bytes registration; /* the RA: SCEP envelope and CertRep signature */
    struct bytes ocsp;         /* P-256 delegate; none of one that has ended */
    struct bytes profile;      /* signs configuration profiles */
};
#define KEYD_AUTHORITIES_MAX 32
struct authorities { /* in the order of their numbers */
    const struct authority *list;
    size_t count;
    int64_t tls_number; /* of the one that certifies the servers */
};
MUST_CHECK bool keyd_authorities(struct keyd *keyd, void *owner, struct authorities *out,
                                 struct err *err);
/* The current one. */
MUST_CHECK bool keyd_authority(struct keyd *keyd, void *owner, struct authority *out,
                               struct err *err);

enum certificate_purpose {
    PURPOSE_MDM_IDENTITY = 1,
    PURPOSE_SERVER_TLS,
    PURPOSE_NETWORK,      /* what is no device of ours, as a client */
    PURPOSE_NETWORK_HOST, /* with a name or address: as a server, too */
};
struct issue_fields {  /* a certificate is built from these and nothing else */
    int64_t authority; /* its number: ERR_CONFLICT unless it is the current one; 0: whichever */
    enum certificate_purpose purpose;
    const char *common_name;       /* attribute values, never parsed as DN text */
    const char *organization;      /* may be NULL */
    const char *const *san_dns;    /* NULL-terminated, may be NULL */
    const char *const *san_ip;     /* textual addresses */
    const char *san_uri;           /* "urn:uuid:<enrolment id>", may be NULL */
    struct bytes spki;             /* SubjectPublicKeyInfo, DER: RSA 2048..4096, P-256, P-384 */
    uint8_t serial[16];            /* 127 random bits, made by the caller and written ahead */
    int64_t not_before, not_after; /* keyd clamps to its limits and to the issuer */
    const char *crl_url, *ocsp_url, *issuer_url; /* CDP and AIA; may be NULL */
};
/* keyd re-checks purpose (key usage, EKU, basicConstraints come from it), key, validity and
 * serial, and appends to its own issuance log before it answers. */
MUST_CHECK bool keyd_issue(struct keyd *keyd, void *owner, const struct issue_fields *fields,
                           struct bytes *der, struct err *err);

/* RSA decryption of a SCEP content key with the RA key of an authority, current or earlier: PKCS#1
 * v1.5 to exactly `size` bytes; a wrong padding gives a random key, so that there is no padding
 * oracle. */
MUST_CHECK bool keyd_unwrap(struct keyd *keyd, void *owner, int64_t authority,
                            struct bytes encrypted, size_t size, struct bytes *key,
                            struct err *err);
enum keyd_digest {
    KEYD_SHA256 = 1,
    KEYD_SHA384,
    KEYD_SHA512,
    KEYD_SHA1, /* where keyd was started for old clients alone; else ERR_FORBIDDEN */
};
/* RSA signature of the RA over the DER of a SCEP reply's signed attributes (SET OF Attribute that
 * holds the SCEP messageType CertRep; anything else is refused). */
MUST_CHECK bool keyd_sign_reply(struct keyd *keyd, void *owner, int64_t authority,
                                struct bytes attributes, enum keyd_digest digest,
                                struct bytes *signature, struct err *err);
/* CMS SignedData, attached, DER, SHA-256, with signer, issuing CA and root embedded. By any
 * authority that ever was the current one; 0: the one that certifies the servers. */
MUST_CHECK bool keyd_sign_profile(struct keyd *keyd, void *owner, int64_t authority,
                                  struct bytes content, struct bytes *cms, struct err *err);
/* The answer to GetNextCACert (RFC 8894 4.7.1): RA, issuing CA and root of the next authority as
 * certs-only, signed by the current RA. ERR_NOT_FOUND: there is no next one. */
MUST_CHECK bool keyd_sign_next(struct keyd *keyd, void *owner, struct bytes *cms, struct err *err);

enum ocsp_state { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
struct ocsp_single {
    struct bytes cert_id; /* DER of the CertID of the request, echoed */
    enum ocsp_state state;
    int64_t revoked_at;
    int reason; /* RFC 5280 5.3.1 */
};
/* All of them name the same issuer, whose delegate signs. */
MUST_CHECK bool keyd_sign_ocsp(struct keyd *keyd, void *owner, const struct ocsp_single *singles,
                               size_t count, struct bytes nonce, int64_t this_update,
                               int64_t next_update, struct bytes *der, struct err *err);
struct crl_entry {
    struct bytes serial; /* big endian */
    int64_t revoked_at;
    int reason;
};
/* Its answer has to fit into one message: 50 bytes of the list for each. */
#define KEYD_CRL_ENTRIES_MAX 150000
#define KEYD_CRL_URLS_MAX 16
struct crl_fields {
    int64_t authority; /* current (0) or earlier */
    const struct crl_entry *entries;
    size_t count;
    int64_t number;
    int64_t this_update, next_update;
    /* NULL-terminated: the list is of those certificates alone that name one of these, and says so
     * in a critical issuingDistributionPoint (RFC 5280 5.2.5). NULL or none: it is the list of all.
     */
    const char *const *urls;
    /* The list names what has changed since the list of this number, and says so in a critical
     * deltaCRLIndicator (RFC 5280 5.2.4); its entries may have the reason removeFromCRL. 0: it is
     * whole. */
    int64_t base;
    /* NULL-terminated: where lists of changes to this one are (RFC 5280 5.2.6). NULL or none: there
     * are none. Not in a list of changes. */
    const char *const *fresh_urls;
};
#define CRL_REASON_REMOVE 8 /* removeFromCRL */
/* In as many frames as it needs. */
MUST_CHECK bool keyd_sign_crl(struct keyd *keyd, void *owner, const struct crl_fields *fields,
                              struct bytes *der, struct err *err);

/* A new RSA-2048 key and a PKCS#10 request for it (Apple's push portal); the key comes back
 * sealed (KEYD_CLASS_CONNECTOR, about = the returned SPKI's SHA-256 in hex). */
MUST_CHECK bool keyd_make_request(struct keyd *keyd, void *owner, const char *common_name,
                                  const char *email, struct bytes *request,
                                  struct bytes *sealed_key, struct err *err);
/* A new RSA-2048 key that others encrypt to, with a certificate for it that it signed itself. The
 * key comes back sealed so that keyd alone can use it: keyd_open() does not open it. */
MUST_CHECK bool keyd_make_recipient(struct keyd *keyd, void *owner, const char *common_name,
                                    struct bytes *certificate, struct bytes *sealed_key,
                                    struct err *err);
/* As keyd_unwrap(), with such a key; about: SHA-256 of the certificate in hexadecimal. */
struct recipient_key {
    const char *about;
    struct bytes sealed;
};
MUST_CHECK bool keyd_recipient_unwrap(struct keyd *keyd, void *owner,
                                      const struct recipient_key *recipient, struct bytes encrypted,
                                      size_t size, struct bytes *key, struct err *err);
/* The front's and device listener's TLS identities (one P-256, one RSA), made on demand for these
 * names and kept until they change or 30 days before they end; PEM, for the edge's files only. */
struct tls_identity {
    struct bytes certificate_pem, key_pem;
};
MUST_CHECK bool keyd_tls_identities(struct keyd *keyd, void *owner, const char *const *names,
                                    struct tls_identity out[2], struct err *err);
/* P-256 signature over the head of the audit chain (position, hash). ERR_CONFLICT for a position
 * below the last one that was signed, and for another hash at that one. */
MUST_CHECK bool keyd_sign_audit(struct keyd *keyd, void *owner, int64_t position,
                                const uint8_t hash[32], int64_t at, struct bytes *signature,
                                struct err *err);
MUST_CHECK bool keyd_verify_audit(struct keyd *keyd, int64_t position, const uint8_t hash[32],
                                  int64_t at, struct bytes signature, struct err *err);
/* What was signed last, in any process before too; position 0 = nothing, hash untouched. */
MUST_CHECK bool keyd_audit_head(struct keyd *keyd, int64_t *position, uint8_t hash[32],
                                struct err *err);
