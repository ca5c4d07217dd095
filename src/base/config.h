/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: an INI text read by a table of sections.  Unknown sections and keys, doubled keys
 * and values out of range are errors that name the line.
 */
#pragma once

#include "base/field.h"

#define CONFIG_SIZE_MAX (256 * 1024) /* bytes of one file */

struct config_section {
    const char *name;
    struct fields fields; /* TEXT, INTEGER, BOOLEAN and ENUM rows */
};

/* Read text into target (already holding defaults). Texts belong to owner. */
MUST_CHECK bool config_parse(void *owner, const char *text, const struct config_section *sections,
                             size_t count, void *target, struct err *err);
/* "section.key=value" from a command line, by the same table. */
MUST_CHECK bool config_set(void *owner, const char *assignment,
                           const struct config_section *sections, size_t count, void *target,
                           struct err *err);
/* Read a whole file of at most limit bytes. ERR_NOT_FOUND when there is none. */
MUST_CHECK bool file_read(void *owner, const char *path, size_t limit, struct bytes *out,
                          struct err *err);
/* Write whole or not at all: temporary file, fsync, rename. mode as for open(2). */
MUST_CHECK bool file_write(const char *path, struct bytes content, unsigned mode, struct err *err);
