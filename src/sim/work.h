/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the commands: one that is being carried out, and how it is refused. */
#pragma once

#include "sim/command.h"

/* Error domains and codes as Apple's devices give them. */
#define DOMAIN_MDM "MCMDMErrorDomain"
#define DOMAIN_INSTALLATION "MCInstallationErrorDomain"
#define DOMAIN_PROFILE "MCProfileErrorDomain"
#define CODE_UNKNOWN_COMMAND 12021
#define CODE_NOT_INSTALLED 12075
#define CODE_INSTALLATION_FAILED 4001
#define CODE_MALFORMED_PROFILE 1000
#define CODE_BAD_SIGNATURE 1004
#define CODE_NEEDS_SUPERVISION 4025
#define CODE_LOST_ALREADY 12066
#define CODE_NOT_LOST 12067
#define CODE_LOST_REFUSES 12078
#define CODE_NO_BYPASS_CODE 12085

#define RIGHT_PROFILE_LIST 1 /* AccessRights of com.apple.mdm */
#define RIGHT_PROFILE_INSTALL 2
#define RIGHT_LOCK 4
#define RIGHT_ERASE 8
#define RIGHT_APPLICATIONS 256
#define RIGHT_SECURITY 1024
#define RIGHT_SETTINGS 2048
#define RIGHT_APP_MANAGEMENT 4096

struct refusal {
    int code; /* 0: CommandFormatError, without a chain */
    const char *domain;
    const char *text;
    int cause_code; /* 0: no second link */
    const char *cause_domain;
    char cause[512];
};

struct work {
    struct phone *phone;
    const struct plist *command;
    struct plist *answer;
    struct refusal *refusal;
    enum aftermath aftermath;
    void *scratch;
};

/* Both are always false. */
bool work_refuse(struct work *work, const char *domain, int code, const char *text);
bool work_format_error(struct work *work);
void work_chain_add(struct plist *answer, const struct refusal *refusal);

typedef bool work_run(struct work *work);
/* security.c: what locks, opens, finds and names a device */
work_run device_lock, clear_passcode, erase_device, restart_device, shut_down_device,
    settings_apply;
work_run lost_mode_enable, lost_mode_disable, lost_mode_sound, device_location, bypass_code;
/* What a device in lost mode still does. */
bool lost_mode_allows(const char *request_type);
