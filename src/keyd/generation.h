/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One generation of the authority: its root, issuing CA, RA, signer of profiles and OCSP delegate,
 * each made or loaded. The first lies in keyd's directory itself, each later one in a directory of
 * its own there.
 */
#pragma once

#include "keyd/build.h"
#include "keyd/seal.h"
#include "pki/keyd.h"

enum identity_name {
    IDENTITY_ROOT,
    IDENTITY_ISSUING,
    IDENTITY_REGISTRATION,
    IDENTITY_PROFILE,
    IDENTITY_OCSP, /* lives in memory alone: made at each start and every 15 days */
    IDENTITY_COUNT,
};

struct identity {
    EVP_PKEY *key;     /* NULL: kept elsewhere, or destroyed */
    X509 *certificate; /* NULL: there is none any more */
    struct bytes der;
};

struct generation {
    int64_t number; /* from 1, never used again */
    enum authority_role role;
    int64_t since; /* when it came into this role; 0: it is the first and always had it */
    struct identity identities[IDENTITY_COUNT];
};

struct vault;

/* Belongs to owner. */
char *generation_directory(void *owner, const struct vault *vault, int64_t number);
/* Load what its role has, make what is missing where may_create; a call after a crash goes on where
 * the one before ended. Of a retired one: certificates and the signer of profiles. */
MUST_CHECK bool generation_open(struct vault *vault, struct generation *generation, bool may_create,
                                int64_t now, struct err *err);
/* Renew what is near its end, as far as its issuer lives longer. */
MUST_CHECK bool generation_refresh(struct vault *vault, struct generation *generation, int64_t now,
                                   struct err *err);
/* Destroy the keys that nothing needs once it is retired; those that are gone are passed over. */
MUST_CHECK bool generation_destroy(const struct vault *vault, int64_t number, struct err *err);
void generation_free(struct generation *generation);
