/* SPDX-License-Identifier: Apache-2.0 */
#include "server/hung.h"

#include "base/log.h"
#include "server/control.h"

void hung_tell(struct hung *hung)
{
    struct err err;
    bool is_told = control_send(hung->control, CONTROL_KEYD_HUNG, -1, &err);
    atomic_store(&hung->is_owed, !is_told);
    if (!is_told)
        log_err("server.keyd-hung", &err, NULL);
}

void hung_tell_again(struct hung *hung, bool is_hung)
{
    if (!atomic_load(&hung->is_owed))
        return;
    if (is_hung)
        hung_tell(hung);
    else
        atomic_store(&hung->is_owed, false);
}
