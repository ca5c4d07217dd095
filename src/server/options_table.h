/* SPDX-License-Identifier: Apache-2.0 */
/* For options.c alone: the table of what can be configured. */
#pragma once

#include "server/options.h"

extern const struct config_section options_sections[];
extern const size_t options_section_count;
struct options options_defaults(void *owner); /* texts belong to owner */
