/* SPDX-License-Identifier: Apache-2.0 */
/* From options and route tables to what the edge must do. */
#pragma once

#include "edge/edge.h"
#include "http/router.h"
#include "server/options.h"

/* Everything belongs to owner. */
const struct edge_settings *edge_plan(void *owner, const struct options *options,
                                      const struct routes *tables, size_t count);
/* musterd's socket behind a door of the edge. */
char *edge_socket_path(void *owner, const struct options *options, enum edge_kind kind);
char *edge_file_path(void *owner, const struct options *options, const char *name);

#define EDGE_FILE_NGINX "nginx.conf"
#define EDGE_FILE_CHECK "check.conf"
#define EDGE_FILE_AUTHORITY "device-ca.pem"
extern const char *const edge_certificate_files[2], *const edge_key_files[2],
                                                        *const edge_combined_files[2];
