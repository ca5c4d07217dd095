/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key process: holds every private key of the authority and offers operations (pki/keyd.h).
 * No network, no database, no new processes; after its start it opens no file.
 */
#pragma once

#include "base/bytes.h"

struct keyd_options {
    const char *directory;    /* made with mode 0700 when missing; one keyd at a time. With a
                                 key_user it must be there and be that user's */
    const char *organization; /* in the subjects made on first start; empty = "Muster" */
    const char *credentials_directory; /* of systemd, may be NULL: holds muster-master */
    struct bytes credential;           /* filled in by keyd_main(), before it becomes key_user */
    bool allows_legacy;                /* SCEP replies over SHA-1 */
    const char *key_user; /* become this user when started as root; NULL or empty = stay */
};

/* Serve the socketpair end `fd` until the other end closes (returns 0) or something makes going on
 * unsafe (returns 1, after one line of log). The caller passes the result to _exit(). The process
 * is locked down on the way: seccomp, no new privileges, no core dump. */
int keyd_main(int fd, const struct keyd_options *options);
