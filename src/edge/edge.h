/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edge: the configuration of the web server that ends TLS in front of musterd.  It is written
 * whole from one struct and holds no secret; it knows no routes but the limits it is given.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

#define EDGE_BODY_DEFAULT 65536 /* bytes of a request body where no location says more */
#define EDGE_UPSTREAM_IDLE 30   /* seconds; musterd's own idle time-out must be longer */
#define EDGE_TEXT_SIZE (512 * 1024)

enum edge_kind {
    EDGE_FRONT,  /* TLS, HTTP/2; never asks for a client certificate */
    EDGE_DEVICE, /* TLS, HTTP/1.1; a client certificate is welcome */
    EDGE_PLAIN,  /* no TLS: the messages are signed */
};
#define EDGE_KINDS (EDGE_PLAIN + 1)

/* Requests that cost much, or guess: each of these has a rate of its own. */
enum edge_rate {
    EDGE_RATE_AUTHORITY, /* SCEP, EST, OCSP: signatures */
    EDGE_RATE_SESSION,   /* sign-ins: password hashes */
};
#define EDGE_RATES (EDGE_RATE_SESSION + 1)

/*
 * What one address may have; the host itself may have more.  Many devices share one address behind
 * a NAT.
 */
struct edge_limits {
    int64_t connections[EDGE_KINDS]; /* nginx: requests under way; HAProxy: connections */
    struct {
        int64_t per_second, burst; /* requests, for long and at once */
    } rates[EDGE_RATES];
};

struct edge_location {
    const char *path; /* as in a route: a hole in braces matches one segment */
    size_t body_limit;
    bool is_secret; /* the path holds a secret: the edge must not log it */
};

struct edge_door {
    enum edge_kind kind;
    const char *address; /* IPv4 and IPv6, between spaces; "::" alone: all of both */
    int port;
    const char *upstream;                  /* musterd's unix socket for this door */
    const struct edge_location *locations; /* only what needs more than the defaults */
    size_t location_count;
    struct edge_identity { /* files, in place of the settings' own; NULL = none */
        const char *certificate, *key, *combined;
    } identities[2];
};

struct edge_problem { /* what the edge itself says when it refuses */
    int status;
    const char *body; /* problem+json on one line; the edge fills in $request_id */
};

struct edge_settings {
    const char *run_dir;         /* absolute; pid file and temporary files */
    const char *user;            /* of the workers when started as root; NULL = as started */
    const char *certificates[2]; /* files: P-256 and RSA chains */
    const char *keys[2];
    const char *combined[2];      /* HAProxy: chain and key in one file each */
    const char *device_authority; /* file: issuing and root certificates of the devices */
    int64_t workers, connections; /* processes (0 = one per core); connections of each */
    struct edge_limits limits;
    int64_t open_files; /* of each process; 0 = as it was started */
    /* Browsers that have seen the front never speak HTTP with its host again (RFC 6797): only where
     * no plain door has the same name. */
    bool strict_transport;
    const struct edge_door *doors;
    size_t door_count;
    const struct edge_problem *problems;
    size_t problem_count;
};

#define EDGE_ADDRESS_SIZE 64
#define EDGE_ADDRESSES_MAX 16
/* The next word of a list of addresses; false at its end. Too long ones are cut: no address then.
 */
bool edge_address_next(const char **list, char out[EDGE_ADDRESS_SIZE]);

/* The text of nginx.conf. ERR_BAD_INPUT for a path or address that cannot stand in it. */
MUST_CHECK bool edge_nginx_render(void *owner, const struct edge_settings *settings,
                                  struct bytes *out, struct err *err);
/* The same for an HAProxy that the operator runs. */
MUST_CHECK bool edge_haproxy_render(void *owner, const struct edge_settings *settings,
                                    struct bytes *out, struct err *err);
/* Let nginx read the file; its own words become the error. */
MUST_CHECK bool edge_nginx_check(const char *program, const char *run_dir, const char *file,
                                 struct err *err);
