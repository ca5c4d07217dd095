/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the generations of the authority is meant: by role, by number, by what it has signed. */
#pragma once

#include "pki/keyd.h"

/* NULL: there is none; the first of several. Borrow from `all`, as all of these do. */
const struct authority *authority_of_role(const struct authorities *all, enum authority_role role);
const struct authority *authority_of_number(const struct authorities *all, int64_t number);
/* Current or earlier: it answers for what it has issued. */
bool authority_signs(const struct authority *authority);
/* The one that signs and whose issuing CA has issued this certificate; NULL: none of ours. */
const struct authority *authority_of_leaf(const struct authorities *all, struct bytes der);
/* The one that signs and whose issuing CA has this name, as it is encoded. */
const struct authority *authority_of_name(const struct authorities *all, struct bytes name_der);
/* The roots that devices are to trust: of all but the retired ones, the current one first. A list
 * of owner's, `*count` long. */
const struct bytes *authority_roots(void *owner, const struct authorities *all, size_t *count);
