/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/anchors.h"

#include "base/config.h"

#define ANCHORS_SIZE_MAX 262144 /* bytes of the file */

bool apple_anchors_read(void *owner, const char *key, const char *path, const char *lacks,
                        struct bytes *out, struct err *err)
{
    if (!path || !*path)
        return err_set(err, ERR_UNAVAILABLE, "%s is not set: %s", key, lacks);
    if (!file_read(owner, path, ANCHORS_SIZE_MAX, out, err)) {
        err->kind = ERR_UNAVAILABLE;
        return err_context(err, "%s", key);
    }
    return true;
}
