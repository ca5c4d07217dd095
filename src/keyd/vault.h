/* SPDX-License-Identifier: Apache-2.0 */
/* What keyd holds while it runs: the master secret, the authority's keys and certificates. */
#pragma once

#include "keyd/build.h"
#include "keyd/journal.h"
#include "keyd/keyd.h"
#include "keyd/slots.h"

enum identity_name {
    IDENTITY_ROOT,
    IDENTITY_ISSUING,
    IDENTITY_REGISTRATION,
    IDENTITY_PROFILE,
    IDENTITY_OCSP, /* lives in memory alone: made at each start and every 15 days */
    IDENTITY_AUDIT,
    IDENTITY_COUNT,
};

struct identity {
    EVP_PKEY *key;     /* NULL: the root's key is kept elsewhere */
    X509 *certificate; /* NULL for the audit key */
    struct bytes der;
};

struct vault {
    struct master *master;
    struct journal *journal;
    struct slots *tls;
    struct slots *audit; /* the last signed head: keyd/audit.c */
    const char *organization;
    bool allows_legacy; /* replies over SHA-1, to old clients */
    struct identity identities[IDENTITY_COUNT];
};

/* Load everything, or make it on first start. Locks the directory for this process. Refuses to
 * start over where a part is missing: keys are never replaced silently. */
MUST_CHECK bool vault_open(void *owner, const struct keyd_options *options, int64_t now,
                           struct vault **out, struct err *err);
/* Renew what is near its end; cheap when nothing is. */
MUST_CHECK bool vault_refresh(struct vault *vault, int64_t now, struct err *err);
/* Certify `plan` by the issuing CA: not_after clamped to the CA's, a line in the journal. */
MUST_CHECK bool vault_issue(struct vault *vault, struct build_plan *plan, const char *purpose,
                            int64_t now, X509 **out, struct err *err);
