/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the supervisor that keyd hangs: it alone can kill it, so the word must arrive. Once, too: a
 * second one would kill the next keyd. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct hung {
    int control;         /* the control socket, borrowed */
    atomic_bool is_owed; /* the socket did not take the word */
};
/* Any thread. */
void hung_tell(struct hung *hung);
/* From time to time, with whether it hangs still. */
void hung_tell_again(struct hung *hung, bool is_hung);
