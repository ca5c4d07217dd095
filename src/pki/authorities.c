/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/authorities.h"

#include "base/mem.h"
#include "pki/certificate.h"

const struct authority *authority_of_role(const struct authorities *all, enum authority_role role)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].role == role)
            return &all->list[i];
    return NULL;
}

const struct authority *authority_of_number(const struct authorities *all, int64_t number)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].number == number)
            return &all->list[i];
    return NULL;
}

bool authority_signs(const struct authority *authority)
{
    return authority->role == AUTHORITY_CURRENT || authority->role == AUTHORITY_EARLIER;
}

/* The newest first: most certificates are its own. */
const struct authority *authority_of_leaf(const struct authorities *all, struct bytes der)
{
    for (size_t i = all->count; i-- > 0;)
        if (authority_signs(&all->list[i]) && certificate_is_issued_by(der, all->list[i].issuing))
            return &all->list[i];
    return NULL;
}

const struct authority *authority_of_name(const struct authorities *all, struct bytes name_der)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct certificate issuing;
    struct err ignored;
    for (size_t i = all->count; i-- > 0;)
        if (authority_signs(&all->list[i]) &&
            certificate_parse(scratch, all->list[i].issuing, &issuing, &ignored) &&
            bytes_equal(issuing.subject_der, name_der))
            return &all->list[i];
    return NULL;
}

const struct bytes *authority_roots(void *owner, const struct authorities *all, size_t *count)
{
    struct bytes *roots = mem_array(owner, struct bytes, all->count + 1);
    const struct authority *current = authority_of_role(all, AUTHORITY_CURRENT);
    size_t found = 0;
    if (current)
        roots[found++] = current->root;
    for (size_t i = 0; i < all->count; i++)
        if (&all->list[i] != current && all->list[i].role != AUTHORITY_RETIRED)
            roots[found++] = all->list[i].root;
    *count = found;
    return roots;
}
