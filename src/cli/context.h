/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins that are kept: servers and their tokens, in a file that only its owner may read.  The
 * latest login is the current one, until it ends or another is chosen.
 */
#pragma once

#include "base/bytes.h"

struct context {
    char *server;  /* "https://mdm.example.org:8443" */
    char *token;   /* secret */
    char *account; /* name */
    char *ca_file; /* NULL: the system's trust store */
    int64_t expires_at;
};

struct contexts {
    char *current; /* a server, or NULL */
    struct context *items;
    size_t count;
};

#define CONTEXTS_MAX 100

/* $MUSTER_CONFIG, or contexts.json in $XDG_CONFIG_HOME/muster or ~/.config/muster. ERR_NOT_FOUND
 * when neither is set. */
MUST_CHECK bool contexts_path(void *owner, char **out, struct err *err);
/* No file: no contexts. ERR_FORBIDDEN: others may read it. */
MUST_CHECK bool contexts_load(void *owner, const char *path, struct contexts *out, struct err *err);
/* Makes the directory (0700); the file is 0600. */
MUST_CHECK bool contexts_save(const char *path, const struct contexts *contexts, struct err *err);
/* Of this server, or the current one for NULL; NULL: none. */
const struct context *contexts_find(const struct contexts *contexts, const char *server);
/* Add or replace, and make it the current one. */
void contexts_put(void *owner, struct contexts *contexts, const struct context *context);
/* When it was the current one, none is. */
void contexts_remove(struct contexts *contexts, const char *server);
/* Make it the current one; false: there is no login at it. */
bool contexts_use(struct contexts *contexts, const char *server);

/* "mdm.example.org:8443/" to "https://mdm.example.org:8443"; http:// only for this machine.
 * ERR_BAD_INPUT. */
MUST_CHECK bool server_normalise(void *owner, const char *text, char **out, struct err *err);
