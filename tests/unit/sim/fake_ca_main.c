/* SPDX-License-Identifier: Apache-2.0 */
/* fake-ca DIRECTORY CHALLENGE: a PKIOperation's message on standard input, CertRep on output. */
#include <stdio.h>

#include "base/config.h"
#include "fake_ca.h"

#define MESSAGE_MAX 65536

int main(int argc, char **argv)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct fake_ca ca = {0};
    struct certificates *certificates = NULL;
    struct err err = {0};
    uint8_t message[MESSAGE_MAX];
    if (argc != 3)
        return 2;
    size_t size = fread(message, 1, sizeof(message), stdin);
    if (!key_load(mem_format(owner, "%s/ca.key", argv[1]), &ca.key, &err) ||
        !certificates_load(owner, mem_format(owner, "%s/ca.pem", argv[1]), &certificates, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    ca.certificate = certificates_get(certificates, 0);
    ca.challenge = argv[2];
    struct bytes reply = fake_ca_answer(owner, &ca, (struct bytes){message, size});
    (void)fwrite(reply.data, 1, reply.size, stdout);
    EVP_PKEY_free(ca.key);
    return reply.size > 0 ? 0 : 1;
}
