/* SPDX-License-Identifier: Apache-2.0 */
/* What both configurations share: checks of what goes into them, addresses, path patterns. */
#pragma once

#include "edge/edge.h"

/* Every path and address of the settings can stand in a configuration as it is. */
MUST_CHECK bool edge_settings_check(const struct edge_settings *settings, struct err *err);
/* "127.0.0.1:80" or "[::1]:80". */
void edge_address_put(struct buffer *out, const char *address, int port);
/* "::" alone stands for IPv4 too. */
bool edge_address_is_both(const struct edge_door *door, const char *address);
/* A path with holes as a regular expression for the whole path. */
void edge_pattern_put(struct buffer *out, const char *path);
bool edge_path_has_hole(const char *path);
extern const char *const edge_kind_names[];

struct edge_rated {
    const char *name, *pattern; /* a regular expression for paths */
};
extern const struct edge_rated edge_rated[EDGE_RATES];
