/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/consent.h"

#include <stddef.h>

#define WANTS                                                                                      \
    "Your organisation wants to manage this device. The next step downloads a profile; your "      \
    "device then asks you to review it and install it in Settings."
#define LEAVES                                                                                     \
    "You can remove the profile in Settings at any time; what the organisation installed goes "    \
    "with it."

static const char *const company_words[] = {
    WANTS,
    "The device belongs to the organisation. It will apply its policies, such as a passcode, and "
    "can lock the device or erase everything on it.",
    "It sees the device's name, model, serial number, system version and security state; all "
    "installed apps; the certificates and profiles on it; its network addresses. When the device "
    "is lost and an administrator puts it into lost mode, it sees where the device is.",
    "It does not see your messages, your photos, or what you do in apps.",
    LEAVES,
    NULL};
static const char *const personal_words[] = {
    WANTS,
    "The device is yours. The organisation will apply its policies, such as a passcode, and can "
    "lock the device or erase everything on it.",
    "It sees the device's name, model, serial number, system version and security state, and the "
    "apps and profiles that the organisation brought.",
    "It does not ask for your other apps, your certificates, your network addresses or where the "
    "device is, and does not see your messages, your photos, or what you do in apps.",
    LEAVES,
    NULL};
static const char *const account_words[] = {
    "The organisation will manage its own account, apps and data on this device, apart from "
    "yours. It cannot erase the device, see its serial number or your apps, or take your "
    "passcode away.",
    "You can sign out of the account in Settings at any time; what the organisation installed "
    "goes with it.",
    NULL};

const char *const *consent_words(enum enrolment_mode mode, enum ownership ownership)
{
    if (mode == MODE_ACCOUNT)
        return account_words;
    return ownership == OWNERSHIP_PERSONAL ? personal_words : company_words;
}
