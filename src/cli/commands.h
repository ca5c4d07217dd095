/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that command_row_at() goes through. */
#pragma once

#include "cli/words.h"

#define PAGE_OPTIONS (OPTION(LIMIT) | OPTION(CURSOR) | OPTION(ALL))
#define TABLE(of_rows)                                                                             \
    {                                                                                              \
        (of_rows), COUNT(of_rows)                                                                  \
    }

struct command_table {
    const struct command_row *rows;
    size_t count;
};
extern const struct command_table command_device, command_enrol, command_people;
