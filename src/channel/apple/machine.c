/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/machine.h"

#include "base/field.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/plist.h"
#include "policy/version.h"

#define UDID_LONGEST 255
#define SERIAL_LONGEST 64
#define CLAIM_LONGEST 255

/* Other keys (IMEI, MEID, pairing tokens, ...) are passed over: nothing is decided by them. */
static const struct field machine_rows[] = {
    TEXT_AS("UDID", struct apple_machine, udid, FIELD_REQUIRED, .lowest = 1,
            .highest = UDID_LONGEST),
    TEXT_AS("SERIAL", struct apple_machine, serial, FIELD_REQUIRED, .lowest = 1,
            .highest = SERIAL_LONGEST),
    TEXT_AS("PRODUCT", struct apple_machine, product, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("VERSION", struct apple_machine, build, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("OS_VERSION", struct apple_machine, os_version, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("LANGUAGE", struct apple_machine, language, 0, .highest = CLAIM_LONGEST),
    BOOLEAN_AS("MDM_CAN_REQUEST_SOFTWARE_UPDATE", struct apple_machine, can_update, 0),
};

bool apple_machine_parse(void *owner, struct bytes plist, struct apple_machine *out,
                         struct err *err)
{
    const struct plist_limits limits = {MACHINE_SIZE_MAX, 8, 200};
    struct apple_machine machine = {0};
    struct plist *root = NULL;
    if (!plist_parse(owner, plist, &limits, &root, err))
        return false;
    if (root->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "the message is not a dictionary");
    if (!plist_bind(owner, root, FIELDS(machine_rows), &machine, NULL, err))
        return false;
    *out = machine;
    return true;
}

bool apple_machine_is_old(const struct apple_machine *machine, const char *minimum_os)
{
    int order = 0;
    return minimum_os && *minimum_os && machine->can_update &&
           version_compare(machine->os_version, minimum_os, &order) && order < 0;
}

struct bytes apple_machine_update_render(void *owner, const char *minimum_os)
{
    CLEANUP(json_decref_at)
    json_t *json = json_pack("{s:s, s:s, s:{s:s}}", "code", "com.apple.softwareupdate.required",
                             "description", "A newer system is required before enrolment.",
                             "details", "OSVersion", minimum_os);
    if (!json)
        bug("no JSON out of a version");
    return bytes_text(json_canonical(owner, json));
}
