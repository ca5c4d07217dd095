/* SPDX-License-Identifier: Apache-2.0 */
/* Message vectors of the Apple room, for its tests. */
#pragma once

#include "base/config.h"
#include "tests/test.h"

static inline struct bytes vector_read(void *owner, const char *name)
{
    struct bytes content = {0};
    struct err err;
    CLEANUP(mem_free_at) char *path = mem_format(NULL, APPLE_VECTORS "/%s.plist", name);
    assert_works(file_read(owner, path, (size_t)1 << 20, &content, &err), err);
    return content;
}
