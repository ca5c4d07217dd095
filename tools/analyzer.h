/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read before every file that clang-tidy looks at.  The analyzer sees one file at a time and cannot
 * know that these never return true; without that it believes in results that nobody filled in.
 * tools/check_tidy.py adds the same for functions that end in _fail.
 */
#pragma once

#include "base/err.h"

#define err_set(...) ((void)err_set(__VA_ARGS__), false)
#define err_at(...) ((void)err_at(__VA_ARGS__), false)
#define err_context(...) ((void)err_context(__VA_ARGS__), false)
#define err_under(...) ((void)err_under(__VA_ARGS__), false)
