/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says of itself before it enrols (MachineInfo), and how it is told to update first.
 * Pure: the signature is the caller's matter. */
#pragma once

#include "base/bytes.h"

#define MACHINE_SIZE_MAX 32768 /* bytes of the property list */

struct apple_machine {
    char *udid, *serial; /* never NULL */
    char *product, *build, *os_version, *language;
    bool can_update; /* it updates when it is told to, and comes again */
};
/* All belongs to owner. ERR_BAD_INPUT. */
MUST_CHECK bool apple_machine_parse(void *owner, struct bytes plist, struct apple_machine *out,
                                    struct err *err);
/* Is it to update first? */
bool apple_machine_is_old(const struct apple_machine *machine, const char *minimum_os);
/* The answer that makes it do so: JSON, with status 403. Belongs to owner. */
struct bytes apple_machine_update_render(void *owner, const char *minimum_os);
