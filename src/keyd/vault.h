/* SPDX-License-Identifier: Apache-2.0 */
/* What keyd holds while it runs: the master secret, the generations of the authority. */
#pragma once

#include "keyd/generation.h"
#include "keyd/journal.h"
#include "keyd/keyd.h"
#include "keyd/slots.h"

#define GENERATIONS_MAX KEYD_AUTHORITIES_MAX

struct vault {
    char *directory;
    struct master *master;
    struct journal *journal;
    struct slots *tls;
    struct slots *audit; /* the last signed head: keyd/audit.c */
    struct slots *list;  /* of the generations, and the TLS number */
    const char *organization;
    bool allows_legacy; /* replies over SHA-1, to old clients */
    EVP_PKEY *audit_key;
    struct generation generations[GENERATIONS_MAX]; /* in the order of their numbers */
    size_t generation_count;
    int64_t tls_number; /* the generation that certifies the servers */
};

/* Load everything, or make it on first start. Locks the directory for this process. Refuses to
 * start over where a part is missing: keys are never replaced silently. */
MUST_CHECK bool vault_open(void *owner, const struct keyd_options *options, int64_t now,
                           struct vault **out, struct err *err);
/* Renew what is near its end; cheap when nothing is. */
MUST_CHECK bool vault_refresh(struct vault *vault, int64_t now, struct err *err);
/* Certify `plan` by the issuing CA of a generation: not_after clamped to the CA's, a line in the
 * journal. */
MUST_CHECK bool vault_issue(struct vault *vault, const struct generation *generation,
                            struct build_plan *plan, const char *purpose, int64_t now, X509 **out,
                            struct err *err);
/* A certificate that was made, before it is used. */
MUST_CHECK bool vault_journal(struct vault *vault, const char *purpose, const X509 *certificate,
                              int64_t now, struct err *err);

/* ---- generations ---- */
/* NULL: there is none of this role (the first one, of several). */
struct generation *vault_role(struct vault *vault, enum authority_role role);
struct generation *vault_current(struct vault *vault); /* there always is one */
/* One that signs for what it issued: the current one (0) or an earlier one. ERR_NOT_FOUND. */
MUST_CHECK bool vault_signing(struct vault *vault, int64_t number, struct generation **out,
                              struct err *err);
/* NULL: none ever had this number. */
struct generation *vault_number(struct vault *vault, int64_t number);
/* The list as it is now in memory, onto the disk: the old one or this, whatever happens. */
MUST_CHECK bool vault_list_save(struct vault *vault, struct err *err);
