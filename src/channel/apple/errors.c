/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/errors.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"

#define MDM "MCMDMErrorDomain"
#define INSTALLATION "MCInstallationErrorDomain"
#define PROFILE_NOT_INSTALLED 12075
#define COMMAND_UNKNOWN 12021

/* Apple, Mobile Device Management Protocol Reference (2018), "Error Codes": the ones that
 * administrators meet. 12067 to 12069: Device Management, Device Location and Disable Lost Mode. */
static const struct error_row {
    const char *domain;
    int64_t code;
    const char *reason, *remedy;
} error_rows[] = {
    {MDM, 12013, "The profile on the device was not installed by this server.",
     "Remove it on the device by hand, then synchronise."},
    {MDM, COMMAND_UNKNOWN, "The device does not know this command.",
     "Update the operating system of the device."},
    {MDM, 12025, "The app is installed already.", NULL},
    {MDM, 12026, "The app is being installed already.", NULL},
    {MDM, 12029, "The app is not managed.", NULL},
    {MDM, 12038, "The app is not managed.", NULL},
    {MDM, 12036, "The app cannot be removed now.", "Try again later."},
    {MDM, 12064, "The device found no licence for the app.",
     "Assign a licence to the device, then try again."},
    {MDM, 12066, "The device is in lost mode already.", NULL},
    {MDM, 12067, "The device is not in lost mode.", "Put the device into lost mode first."},
    {MDM, 12068, "The device does not know where it is.", "Ask again later."},
    {MDM, 12069, "The device could not leave lost mode.", "Try again."},
    {MDM, PROFILE_NOT_INSTALLED, "The profile is not installed on the device.", NULL},
    {MDM, 12078, "The device accepts nothing else while it is in lost mode.",
     "Take the device out of lost mode first."},
    {MDM, 12081, "The device needs a network over cable for this.",
     "Connect the device to a computer that shares its network."},
    {MDM, 12085, "The activation lock code is not available.", NULL},
    {MDM, 12086, "The activation lock code is not available any more.", NULL},
    {INSTALLATION, 4001, "The device could not install the profile.",
     "Read the rest of the error; often one setting does not suit this version of the system."},
    {INSTALLATION, 4008, "The certificates of the new profile do not match the installed one.",
     "Enrol the device again."},
    {INSTALLATION, 4015, "The new enrolment profile lacks its management part.",
     "Enrol the device again."},
    {INSTALLATION, 4022, "The device accepts this profile from a management server alone.", NULL},
    {INSTALLATION, 4025, "The device must be supervised for this.",
     "Supervise the device, or take the setting out of its policies."},
    {INSTALLATION, 4027, "The user must change the passcode first.",
     "Ask the user to set a passcode that follows the policy."},
    {INSTALLATION, 4031, "The profile carries data that the device accepts over management alone.",
     NULL},
};

static const struct error_row *row_find(const struct apple_error *error)
{
    for (size_t i = 0; i < COUNT(error_rows); i++)
        if (error_rows[i].code == error->code && text_equal(error_rows[i].domain, error->domain))
            return &error_rows[i];
    return NULL;
}

static const char *with_codes(void *owner, const char *sentence, const struct apple_error *error)
{
    return mem_format(owner, "%s (%s %" PRId64 ")", sentence, error->domain, error->code);
}

static bool has_code(const struct apple_result *result, int64_t code)
{
    for (size_t i = 0; i < result->error_count; i++)
        if (result->errors[i].code == code && text_equal(result->errors[i].domain, MDM))
            return true;
    return false;
}

void apple_error_explain(void *owner, const struct apple_result *result, struct apple_refusal *out)
{
    *out = (struct apple_refusal){.reason = "The device refused and gave no reason."};
    if (result->status == APPLE_COMMAND_FORMAT_ERROR) {
        out->reason = "The device did not understand the command.";
        out->remedy =
            "Update the operating system of the device; if that does not help, report it.";
    }
    out->is_absent = has_code(result, PROFILE_NOT_INSTALLED);
    out->is_unknown = has_code(result, COMMAND_UNKNOWN);
    if (result->error_count == 0)
        return;
    /* The innermost error that we know says most: the outer ones are "installing failed". */
    for (size_t i = result->error_count; i-- > 0;) {
        const struct error_row *row = row_find(&result->errors[i]);
        if (!row)
            continue;
        out->reason = with_codes(owner, row->reason, &result->errors[i]);
        out->remedy = row->remedy;
        return;
    }
    const struct apple_error *last = &result->errors[result->error_count - 1];
    out->reason =
        with_codes(owner, last->description ? last->description : "The device refused.", last);
}
