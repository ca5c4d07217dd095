/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options of muster-sim: one table; each subcommand names those it takes. */
#pragma once

#include "base/field.h"

struct options {
    char *link, *sign_in, *account, *account_host, *user, *password, *new_password, *ownership;
    char *state, *name, *model, *os, *build, *serial, *udid, *passcode, *ca, *keys;
    char *push_host, *misbehave, *scep_misbehave, *out, *ledger, *link_file, *apns;
    char *cert, *key, *client_ca, *ready_file, *csr, *topic, *dir, *service, *consumer;
    int64_t count, bits, port, control_port, devices, connections, seconds, interval, patience,
        streams, delay_ms, days, page_size, session_calls, locked_every, leave_after;
    bool without_declarations, fresh_tls, strict_tokens, rotate;
    char **rest; /* what is no option, NULL-terminated */
};

/*
 * arguments: NULL-terminated, without program and subcommand.  takes: option names separated by
 * spaces, "!" behind a required one, "..." when other arguments are allowed.
 */
MUST_CHECK bool options_parse(void *owner, char *const *arguments, const char *takes,
                              struct options *out, struct err *err);
/* Two lines for each option there is: how it is typed, what it means. */
void options_help(struct buffer *out);
