/* SPDX-License-Identifier: Apache-2.0 */
#include "base/core.h"

#include <sys/prctl.h>
#include <sys/resource.h>

bool core_forbid(struct err *err)
{
    const struct rlimit none = {0, 0};
    return (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0) ||
           err_set(err, ERR_INTERNAL, "core files cannot be forbidden: %m");
}
