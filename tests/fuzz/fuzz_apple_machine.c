/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says of itself before it enrols. */
#include "tests/fuzz/fuzz.h"

#include "channel/apple/machine.h"

FUZZ_HARNESS(owner, in)
{
    struct apple_machine machine;
    struct err err;
    if (!apple_machine_parse(owner, in, &machine, &err))
        return;
    FUZZ_HOLDS(machine.udid && machine.udid[0] && machine.serial && machine.serial[0]);
    (void)apple_machine_is_old(&machine, "17.1");
}
