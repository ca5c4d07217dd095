/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key pool: RSA keys made once, because making one takes longer than an enrolment.  Keys are
 * handed out in turn (file "next", locked), so that devices of one run have different keys as
 * long as the pool is larger than their number.
 */
#pragma once

#include "sim/openssl.h"

#define KEY_POOL_MAX 100000 /* keys in one pool */

/* Fill the directory up to count keys; what is there already stays. */
MUST_CHECK bool key_pool_make(const char *directory, size_t count, unsigned bits, struct err *err);
/* The next key of the pool, or a fresh one when directory is NULL. The caller frees it. */
MUST_CHECK bool key_pool_take(const char *directory, unsigned bits, EVP_PKEY **out,
                              struct err *err);
