/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/attest.h"

#include "base/mem.h"

/* apple/device-management, mdm/commands/information.device.yaml */
static const char KEY[] = "DevicePropertiesAttestation";

void apple_attest_ask(struct plist *request, struct bytes nonce)
{
    static const char *const queries[] = {"OSVersion", "BuildVersion", KEY};
    struct plist *list = plist_set_array(request, "Queries");
    for (size_t i = 0; i < COUNT(queries); i++)
        plist_set_text(list, NULL, queries[i]);
    plist_set_data(request, "DeviceAttestationNonce", nonce);
}

static const struct plist *found(const struct plist *answer)
{
    const struct plist *responses = plist_get(answer, "QueryResponses");
    return responses && responses->type == PLIST_DICT ? plist_get(responses, KEY) : NULL;
}

bool apple_attest_told(const struct plist *answer)
{
    return found(answer) != NULL;
}

static bool chain_read(const struct plist *list, struct bytes chain[ATTESTATION_CERTIFICATES_MAX],
                       size_t *count, struct err *err)
{
    size_t at = 0;
    if (list->type != PLIST_ARRAY)
        return err_set(err, ERR_BAD_INPUT, "it is no list of certificates");
    for (const struct plist *one = list->first; one; one = one->next) {
        if (one->type != PLIST_DATA)
            return err_set(err, ERR_BAD_INPUT, "it is no list of certificates");
        if (at == ATTESTATION_CERTIFICATES_MAX)
            return err_set(err, ERR_TOO_LARGE, "a chain of more than %d certificates",
                           ATTESTATION_CERTIFICATES_MAX);
        chain[at++] = one->data;
    }
    *count = at;
    return true;
}

static bool proof_open(void *owner, const struct plist *list,
                       const struct apple_attest_roots *roots, int64_t now, struct attestation *out,
                       struct err *err)
{
    struct bytes chain[ATTESTATION_CERTIFICATES_MAX];
    size_t count = 0;
    if (!roots->pem.data)
        return err_set(err, ERR_PRECONDITION, "%s", roots->problem);
    return chain_read(list, chain, &count, err) &&
           attestation_open(owner, chain, count, roots->pem, now, out, err);
}

bool apple_attest_read(void *owner, const struct plist *answer,
                       const struct apple_attest_roots *roots, int64_t now,
                       struct attestation_answer *out)
{
    const struct plist *list = found(answer);
    struct err err;
    if (!list)
        return false;
    struct attestation *proof = mem_new(owner, struct attestation);
    *out = (struct attestation_answer){.proof = proof};
    if (!proof_open(owner, list, roots, now, proof, &err))
        *out = (struct attestation_answer){.problem = mem_text(owner, err.text)};
    return true;
}
