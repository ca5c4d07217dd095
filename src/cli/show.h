/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people and for programs.  What comes from devices is hostile here too: control
 * characters and invisible direction marks become '?', so that no name can drive a terminal.
 */
#pragma once

#include "cli/words.h"
#include "codec/json.h"

enum show_format { SHOW_TABLE, SHOW_JSON, SHOW_YAML };

/* A list's items in columns; widths by what a terminal shows. No colours unless asked for. */
void show_table(struct buffer *out, const json_t *items, const struct column *columns,
                bool has_colour);
/* One object: a line per member. */
void show_object(struct buffer *out, const json_t *object);
/* YAML 1.2, block style; a JSON reader's view of the same document. */
void show_yaml(struct buffer *out, const json_t *value);
void show_json(struct buffer *out, const json_t *value);

/* A value on one line: "-" for nothing, yes and no, JSON for what is not plain. Belongs to owner.
 */
char *show_text(void *owner, const json_t *value);
/* Safe for a terminal. Belongs to owner. */
char *show_safe(void *owner, const char *text);
/* Columns that a terminal needs for it. */
size_t show_width(const char *text);
/* A state in its colour; plain without colours. */
void show_state(struct buffer *out, const char *state, bool has_colour);
