/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a kind for the caller to act on, a sentence for people to read.
 *
 * A function that can fail returns bool, is marked MUST_CHECK and takes `struct err *err` as its
 * last parameter.  False means *err is filled; true means it was not touched.  err is never NULL.
 * Out-parameters are untouched on failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_kind {
    ERR_BAD_INPUT = 1,   /* the peer sent something we do not accept */
    ERR_TOO_LARGE,       /* a named limit of size, depth or count was exceeded */
    ERR_UNAUTHENTICATED, /* we do not know who asks */
    ERR_FORBIDDEN,       /* we know, and the answer is no */
    ERR_NOT_FOUND,
    ERR_CONFLICT,     /* exists already, or changed under us */
    ERR_PRECONDITION, /* the object is not in the state that the request needs */
    ERR_TOO_MANY,     /* this peer asked too often: later again */
    ERR_UNAVAILABLE,  /* worth trying again later */
    ERR_INTERNAL,     /* our fault */
};

struct err {
    enum err_kind kind;
    char text[320];     /* one sentence; never holds a secret */
    char where[128];    /* JSON pointer, key path or line of the offending input; may be empty */
    const char *remedy; /* what the reader can do about it: a constant text, or NULL */
};

/* Fill err and return false, so that a failing function can `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF(3, 4);

/* The same with the place of the offending input. */
bool err_at(struct err *err, enum err_kind kind, const char *where, const char *format, ...)
    PRINTF(4, 5);

/* Put context in front of an error already set ("enrolling d1: <text>"). Returns false. */
bool err_context(struct err *err, const char *format, ...) PRINTF(2, 3);

/* Put a path segment in front of err->where ("/settings" + "/0/value"). Returns false. */
bool err_under(struct err *err, const char *segment);

/* The stable name of a kind ("bad-input"): used in problem documents and exit codes. */
const char *err_kind_name(enum err_kind kind);

/* End the process: something happened that the code says cannot happen. */
_Noreturn void bug(const char *format, ...) PRINTF(1, 2);
