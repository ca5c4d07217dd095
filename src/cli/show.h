/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people and for programs.  What comes from devices is hostile here too: control
 * characters and invisible direction marks become '?', in JSON and YAML an escape, so that no name
 * can drive a terminal.
 */
#pragma once

#include "cli/words.h"
#include "codec/json.h"

enum show_flags { SHOW_COLOUR = 1 << 0, SHOW_WIDE = 1 << 1 /* with COLUMN_WIDE */ };

/* A list's items in columns; widths by what a terminal shows. */
void show_table(struct buffer *out, const json_t *items, const struct column *all, unsigned flags);
/* One object: a line per member. */
void show_object(struct buffer *out, const json_t *object);
/* YAML 1.2, block style; a JSON reader's view of the same document. */
void show_yaml(struct buffer *out, const json_t *value);
void show_json(struct buffer *out, const json_t *value);
/* JSON text as it is, but for what does not show or turns what stands around it: an escape of JSON,
 * or of YAML. */
void show_escaped(struct buffer *out, struct bytes text, bool is_yaml);

/* A value on one line: "-" for nothing, yes and no, "name: value, ..." for what is not plain.
 * Belongs to owner. */
char *show_text(void *owner, const json_t *value);
/* A SHA-256, in base64 or hexadecimal, as openssl shows it: AB:CD:... Other text as show_safe. */
char *show_fingerprint(void *owner, const char *text);
/* Safe for a terminal. Belongs to owner. */
char *show_safe(void *owner, const char *text);
/* Columns that a terminal needs for it. */
size_t show_width(const char *text);
/* A state in its colour; plain without colours. */
void show_state(struct buffer *out, const char *state, bool has_colour);
