/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be configured: one table of sections is the parser, the help text, the check and the
 * manual page.  Values come from defaults, then a file, then --set on the command line.
 */
#pragma once

#include "base/config.h"

#define OPTIONS_NAMES_MAX 16 /* names of the server */

enum edge_mode { EDGE_MODE_EMBEDDED, EDGE_MODE_EXTERNAL };

struct options {
    /* [server] */
    char *data_dir, *run_dir, *database, *organization, *names;
    int log;
    int64_t workers, queue, stop_seconds, claim_seconds;
    /* [front], [device], [plain], [metrics] */
    char *front_address, *front_url;
    char *front_certificate, *front_key, *front_certificate_2, *front_key_2;
    char *device_address, *device_url;
    char *device_certificate, *device_key, *device_certificate_2, *device_key_2;
    char *plain_address, *plain_url;
    int64_t front_port, device_port, plain_port, metrics_port;
    /* [edge] */
    int edge_mode;
    char *edge_program;
    int64_t edge_workers, edge_connections;
    /* [limits] */
    int64_t front_connections, device_connections, plain_connections;
    int64_t authority_rate, authority_burst, session_rate, session_burst;
    /* [users] */
    char *user, *keyd_user, *edge_user;
    /* [lifetimes], [revocation], [retention], [apple] */
    int self_ownership; /* index into self_ownerships: company, personal, choice */
    int64_t link_hours, challenge_minutes, certificate_days, renew_percent, session_hours;
    int64_t rollover_days;
    int64_t confirmation_days;
    int64_t evidence_days, integrity_hours;
    int64_t revocation_parts, delta_hours;
    int legacy_algorithms; /* of network gear */
    int64_t event_days, command_days, attempt_days, token_days, position_days;
    char *apns_url, *apns_ca_file, *service_url, *service_ca_file, *device_ca_file,
        *attestation_ca_file;
    int64_t pushes_per_second, silent_hours;
    int signed_messages, declared_profiles, network_users; /* 0: no, 1: yes */
    /* not configured: made from the above */
    const char *words[2];                         /* behind the word of the role; NULL: none */
    const char *name_list[OPTIONS_NAMES_MAX + 1]; /* NULL-terminated */
    const char *const *arguments;                 /* --config and --set as given */
    size_t argument_count;
};

/* Take --config FILE and --set SECTION.KEY=VALUE. Texts belong to owner. */
MUST_CHECK bool options_load(void *owner, int count, char *const *words, struct options *out,
                             struct err *err);
/* A door of an edge that we run lies below the ports that everybody may bind. */
bool options_want_low_ports(const struct options *options);
/* Open files that a worker of the edge needs: two for a connection, and some of its own. */
int64_t options_edge_files(const struct options *options);
/* Every section, key, default and meaning. Belongs to owner. */
char *options_help(void *owner);
/* As a configuration file that gives the same options. Belongs to owner. */
char *options_render(void *owner, const struct options *options);
/* A directory of ours: "<run_dir>/<name>". Belongs to owner. */
char *options_run_path(void *owner, const struct options *options, const char *name);

/* Rows of the users section; 0 when empty, the starting user then. */
struct user_ids {
    unsigned user, group;
    bool is_set;
};
MUST_CHECK bool user_find(const char *name, struct user_ids *out, struct err *err);
