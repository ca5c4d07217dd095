/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/command.h"

#include <stdio.h>

#include "base/text.h"
#include "sim/attestation.h"
#include "sim/declarative.h"
#include "sim/declared.h"
#include "sim/enrol.h"
#include "sim/information.h"
#include "sim/legacy.h"
#include "sim/signed.h"
#include "sim/work.h"

static bool refuse(struct work *work, const char *domain, int code, const char *text)
{
    return work_refuse(work, domain, code, text);
}

static bool format_error(struct work *work)
{
    return work_format_error(work);
}

static bool device_information(struct work *work)
{
    const struct plist *queries = plist_get(work->command, "Queries");
    if (!queries || queries->type != PLIST_ARRAY)
        return format_error(work);
    struct plist *responses = plist_set_dict(work->answer, "QueryResponses");
    for (const struct plist *query = queries->first; query; query = query->next) {
        if (query->type != PLIST_TEXT)
            continue;
        if (!text_equal(query->text, "DevicePropertiesAttestation"))
            information_answer(work->phone, query->text, responses);
        else if (!attestation_answer(work->phone, work->command, responses))
            return format_error(work);
    }
    return true;
}

static bool security_info(struct work *work)
{
    const struct model *model = &work->phone->model;
    struct passcode_rules rules = phone_passcode_rules(work->phone);
    bool complies = passcode_complies(&model->passcode, &rules);
    int64_t enforced = rules.max_grace >= 0 ? rules.max_grace * 60 : model->grace_seconds;
    struct plist *info = plist_set_dict(work->answer, "SecurityInfo");
    plist_set_integer(info, "HardwareEncryptionCaps", model->encryption);
    plist_set_boolean(info, "PasscodePresent", model->passcode.present);
    plist_set_boolean(info, "PasscodeCompliant", complies);
    plist_set_boolean(info, "PasscodeCompliantWithProfiles", complies);
    plist_set_integer(info, "PasscodeLockGracePeriod", model->grace_seconds);
    plist_set_integer(info, "PasscodeLockGracePeriodEnforced",
                      enforced < model->grace_seconds ? enforced : model->grace_seconds);
    struct plist *management = plist_set_dict(info, "ManagementStatus");
    plist_set_boolean(management, "IsUserEnrollment", work->phone->enrolment.enrollment_id != NULL);
    return true;
}

static void profile_describe(struct plist *list, const struct profile *profile)
{
    static const char *const shown[] = {
        "PayloadType",        "PayloadIdentifier",  "PayloadUUID",        "PayloadVersion",
        "PayloadDisplayName", "PayloadDescription", "PayloadOrganization"};
    struct plist *item = plist_set_dict(list, NULL);
    bool locked = false;
    (void)plist_boolean(profile->tree, "PayloadRemovalDisallowed", &locked);
    for (size_t i = 1; i < COUNT(shown); i++) /* a profile itself shows no type */
        if (plist_get(profile->tree, shown[i]))
            plist_set_copy(item, shown[i], plist_get(profile->tree, shown[i]));
    plist_set_boolean(item, "IsManaged", true);
    plist_set_boolean(item, "IsEncrypted", false);
    plist_set_boolean(item, "HasRemovalPasscode", false);
    plist_set_boolean(item, "PayloadRemovalDisallowed", locked);
    struct plist *contents = plist_set_array(item, "PayloadContent");
    const struct plist *from = plist_get(profile->tree, "PayloadContent");
    for (const struct plist *payload = from->first; payload; payload = payload->next) {
        struct plist *part = plist_set_dict(contents, NULL);
        for (size_t i = 0; i < COUNT(shown); i++)
            if (plist_get(payload, shown[i]))
                plist_set_copy(part, shown[i], plist_get(payload, shown[i]));
    }
}

static bool profile_list(struct work *work)
{
    struct plist *list = plist_set_array(work->answer, "ProfileList");
    for (size_t i = 0; i < work->phone->profile_count; i++) {
        struct profile profile;
        struct err ignored; /* it was parsed when it was installed */
        if (phone_profile_is_own(work->phone, &work->phone->profiles[i]) &&
            phone_profile_open(work->scratch, &work->phone->profiles[i], &profile, &ignored))
            profile_describe(list, &profile);
    }
    return true;
}

static bool installation_failed(struct work *work, int cause, const struct err *err)
{
    refuse(work, DOMAIN_INSTALLATION, CODE_INSTALLATION_FAILED, "The profile was not installed.");
    work->refusal->cause_code = cause;
    work->refusal->cause_domain = DOMAIN_PROFILE;
    int size = snprintf(work->refusal->cause, sizeof(work->refusal->cause), "%s%s%s", err->text,
                        err->where[0] ? " at " : "", err->where);
    if (size < 0 || (size_t)size >= sizeof(work->refusal->cause))
        work->refusal->cause[sizeof(work->refusal->cause) - 1] = '\0'; /* cut off: for people */
    return false;
}

/* An MDM payload comes alone, and only as the update of the one that manages the device. */
static bool management_update(struct work *work, const struct signed_content *content,
                              const struct profile *profile)
{
    struct err err = {0};
    if (!text_equal(profile->identifier, work->phone->enrolment.mdm_identifier)) {
        err_set(&err, ERR_FORBIDDEN, "the device is managed already");
        return installation_failed(work, CODE_MALFORMED_PROFILE, &err);
    }
    return enrol_again(work->phone, content, &err) ||
           installation_failed(work, CODE_MALFORMED_PROFILE, &err);
}

static bool install_profile(struct work *work)
{
    const struct plist *payload = plist_get(work->command, "Payload");
    struct phone *phone = work->phone;
    struct signed_content content;
    struct profile profile;
    struct err err = {0};
    if (!payload || payload->type != PLIST_DATA)
        return format_error(work);
    if (!signed_open(work->scratch, payload->data, phone->authority, &content, &err))
        return installation_failed(work, CODE_BAD_SIGNATURE, &err);
    if (!text_equal(content.signer_sha256, phone->enrolment.signer)) {
        err_set(&err, ERR_FORBIDDEN, "the signer is not the one of the enrolment profile");
        return installation_failed(work, CODE_BAD_SIGNATURE, &err);
    }
    if (!profile_parse(work->scratch, content.content, &profile, &err))
        return installation_failed(work, CODE_MALFORMED_PROFILE, &err);
    if (!payloads_channel_check(profile.tree, phone->user != NULL, &err))
        return installation_failed(work, CODE_MALFORMED_PROFILE, &err);
    if (profile_payload(&profile, PAYLOAD_MDM))
        return management_update(work, &content, &profile);
    if (text_equal(profile.identifier, phone->enrolment.mdm_identifier)) {
        err_set(&err, ERR_FORBIDDEN, "this would replace the enrolment profile");
        return installation_failed(work, CODE_MALFORMED_PROFILE, &err);
    }
    if (legacy_owns(phone, profile.identifier)) {
        err_set(&err, ERR_FORBIDDEN, "a declaration holds this profile");
        return installation_failed(work, CODE_MALFORMED_PROFILE, &err);
    }
    phone_profile_put(phone, &profile, content.content, content.signer_sha256);
    return phone_trust_update(phone, &err) ||
           installation_failed(work, CODE_MALFORMED_PROFILE, &err);
}

static bool remove_profile(struct work *work)
{
    const char *identifier = plist_text(work->command, "Identifier");
    if (!identifier)
        return format_error(work);
    if (text_equal(identifier, work->phone->enrolment.mdm_identifier)) {
        work->aftermath = AFTER_UNENROL;
        return true;
    }
    struct installed *installed = phone_profile_find(work->phone, identifier);
    if (!installed || legacy_owns(work->phone, identifier))
        return refuse(work, DOMAIN_MDM, CODE_NOT_INSTALLED, "The profile is not installed.");
    struct err err;
    phone_profile_drop(work->phone, installed);
    return phone_trust_update(work->phone, &err) ||
           installation_failed(work, CODE_MALFORMED_PROFILE, &err);
}

static bool declarative_management(struct work *work)
{
    const struct plist *data = plist_get(work->command, "Data");
    if (!declared_known(work->phone))
        return refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND, "The command is unknown.");
    if (data && data->type != PLIST_DATA)
        return format_error(work);
    declarative_begin(work->phone, data ? data->data : NO_BYTES);
    work->aftermath = AFTER_DECLARE;
    return true;
}

static bool installed_application_list(struct work *work)
{
    static const struct {
        const char *identifier, *name, *version;
        int64_t bundle_size;
    } applications[] = {{"com.example.notes", "Example Notes", "4.2.1", 24117248},
                        {"com.example.maps", "Example Maps", "11.0", 91226112},
                        {"org.example.radio", "Example Radio", "2.7", 8388608}};
    struct plist *list = plist_set_array(work->answer, "InstalledApplicationList");
    bool managed_only = false;
    (void)plist_boolean(work->command, "ManagedAppsOnly", &managed_only);
    for (size_t i = 0; !managed_only && i < COUNT(applications); i++) {
        struct plist *item = plist_set_dict(list, NULL);
        plist_set_text(item, "Identifier", applications[i].identifier);
        plist_set_text(item, "Name", applications[i].name);
        plist_set_text(item, "Version", applications[i].version);
        plist_set_text(item, "ShortVersion", applications[i].version);
        plist_set_integer(item, "BundleSize", applications[i].bundle_size);
        plist_set_boolean(item, "IsValidated", true);
        plist_set_boolean(item, "AppStoreVendable", true);
    }
    return true;
}

static bool managed_application_list(struct work *work)
{
    struct plist *one =
        plist_set_dict(plist_set_dict(work->answer, "ManagedApplicationList"), "com.example.maps");
    plist_set_text(one, "Status", "Managed");
    plist_set_integer(one, "ManagementFlags", 1);
    plist_set_boolean(one, "HasConfiguration", false);
    plist_set_boolean(one, "HasFeedback", false);
    return true;
}

static bool certificate_list(struct work *work)
{
    struct plist *list = plist_set_array(work->answer, "CertificateList");
    const struct certificates *roots = work->phone->trusted;
    for (size_t i = 0; i <= certificates_count(roots); i++) {
        X509 *one = i == 0 ? work->phone->certificate : certificates_get(roots, i - 1);
        char name[256] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(one), NID_commonName, name, sizeof(name));
        struct plist *item = plist_set_dict(list, NULL);
        plist_set_text(item, "CommonName", name);
        plist_set_boolean(item, "IsIdentity", i == 0);
        plist_set_data(item, "Data", certificate_der(work->scratch, one));
    }
    return true;
}

/* Only a device that waits in its assistant knows what to do with it. */
static bool device_configured(struct work *work)
{
    if (!work->phone->enrolment.awaits_configuration)
        return refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND, "The device does not wait.");
    work->phone->enrolment.awaits_configuration = false;
    return true;
}

struct command {
    const char *request_type;
    bool (*run)(struct work *work);
    int64_t right;
    bool may_wait; /* NotNow while locked */
};

static const struct command commands[] = {
    {"DeviceInformation", device_information, 0, false},
    {"SecurityInfo", security_info, RIGHT_SECURITY, true},
    {"ProfileList", profile_list, RIGHT_PROFILE_LIST, false},
    {"InstallProfile", install_profile, RIGHT_PROFILE_INSTALL, true},
    {"RemoveProfile", remove_profile, 0, true}, /* the MDM profile goes without any right */
    {"DeviceLock", device_lock, RIGHT_LOCK, false},
    {"ClearPasscode", clear_passcode, RIGHT_LOCK, false},
    {"DeclarativeManagement", declarative_management, 0, false},
    {"DeviceConfigured", device_configured, 0, false},
    {"EraseDevice", erase_device, RIGHT_ERASE, false},
    {"RestartDevice", restart_device, RIGHT_LOCK, true},
    {"ShutDownDevice", shut_down_device, RIGHT_LOCK, true},
    {"Settings", settings_apply, RIGHT_SETTINGS, true},
    {"EnableLostMode", lost_mode_enable, 0, false},
    {"DisableLostMode", lost_mode_disable, 0, false},
    {"PlayLostModeSound", lost_mode_sound, 0, false},
    {"DeviceLocation", device_location, 0, false},
    {"ActivationLockBypassCode", bypass_code, 0, true},
    {"InstalledApplicationList", installed_application_list, RIGHT_APPLICATIONS, false},
    {"ManagedApplicationList", managed_application_list, RIGHT_APP_MANAGEMENT, false},
    {"CertificateList", certificate_list, RIGHT_PROFILE_LIST, true},
};

static const struct command *command_find(const char *request_type)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (text_equal(commands[i].request_type, request_type))
            return &commands[i];
    return NULL;
}

/* iOS may answer NotNow to this command while it is locked. */
static bool command_may_wait(const char *request_type)
{
    const struct command *command = command_find(request_type);
    return command && command->may_wait;
}

static void link_add(struct plist *chain, const char *domain, int code, const char *text)
{
    struct plist *link = plist_set_dict(chain, NULL);
    plist_set_integer(link, "ErrorCode", code);
    plist_set_text(link, "ErrorDomain", domain);
    plist_set_text(link, "LocalizedDescription", text);
    plist_set_text(link, "USEnglishDescription", text);
}

void work_chain_add(struct plist *answer, const struct refusal *refusal)
{
    struct plist *chain = plist_set_array(answer, "ErrorChain");
    link_add(chain, refusal->domain, refusal->code, refusal->text);
    if (refusal->cause_code)
        link_add(chain, refusal->cause_domain, refusal->cause_code, refusal->cause);
}

/* What concerns the whole phone (userenrollment.mode of the schema). */
static bool account_allows(const char *request_type)
{
    static const char *const never[] = {"EraseDevice",
                                        "ClearPasscode",
                                        "RestartDevice",
                                        "ShutDownDevice",
                                        "EnableLostMode",
                                        "DisableLostMode",
                                        "PlayLostModeSound",
                                        "DeviceLocation",
                                        "ActivationLockBypassCode",
                                        NULL};
    return name_find(never, request_type) < 0;
}

static bool command_run(struct work *work, const char *request_type)
{
    const struct command *command = command_find(request_type);
    if (!command)
        return refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND, "The command is unknown.");
    if (work->phone->enrolment.enrollment_id && !account_allows(request_type))
        return refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND,
                      "The command is not for an account-driven enrolment.");
    if (command->right && !(work->phone->enrolment.access_rights & command->right))
        return refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND,
                      "The access rights do not cover the command.");
    if (work->phone->model.lost_mode && !lost_mode_allows(request_type))
        return refuse(work, DOMAIN_MDM, CODE_LOST_REFUSES, "The device is in lost mode.");
    return command->run(work);
}

struct command_outcome command_carry_out(struct phone *phone, const struct plist *command,
                                         struct plist *answer)
{
    const char *request_type = plist_text(command, "RequestType");
    if (!request_type)
        return (struct command_outcome){.status = "CommandFormatError"};
    if (phone->model.locked && command_may_wait(request_type))
        return (struct command_outcome){.status = "NotNow"};
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct refusal refusal = {0};
    struct work work = {.phone = phone,
                        .command = command,
                        .answer = answer,
                        .refusal = &refusal,
                        .scratch = scratch};
    if (command_run(&work, request_type))
        return (struct command_outcome){.status = "Acknowledged", .aftermath = work.aftermath};
    if (refusal.code == 0)
        return (struct command_outcome){.status = "CommandFormatError"};
    work_chain_add(answer, &refusal);
    return (struct command_outcome){.status = "Error", .code = refusal.code};
}
