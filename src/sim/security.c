/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that lock, open, find and name a device. */
#include "base/clock.h"
#include "base/text.h"
#include "sim/work.h"

bool work_refuse(struct work *work, const char *domain, int code, const char *text)
{
    *work->refusal = (struct refusal){.code = code, .domain = domain, .text = text};
    return false;
}

bool work_format_error(struct work *work)
{
    return work_refuse(work, DOMAIN_MDM, 0, "the command is not well formed");
}

/* False with a refusal for a device that is neither supervised nor a Mac. */
static bool is_supervised(struct work *work)
{
    return work->phone->model.supervised || model_is_mac(&work->phone->model) ||
           work_refuse(work, DOMAIN_INSTALLATION, CODE_NEEDS_SUPERVISION,
                       "The device is not supervised.");
}

/* A PIN is for Macs alone: an iPhone that is given one shows that the server mixed them up. */
static bool pin_fits(struct work *work)
{
    const char *pin = plist_text(work->command, "PIN");
    bool wants = model_is_mac(&work->phone->model);
    return wants ? pin && strlen(pin) == 6 && strspn(pin, "0123456789") == 6
                 : !plist_get(work->command, "PIN");
}

bool device_lock(struct work *work)
{
    struct model *model = &work->phone->model;
    bool wants_message =
        plist_text(work->command, "Message") || plist_text(work->command, "PhoneNumber");
    if (!pin_fits(work))
        return work_format_error(work);
    model->locks++;
    if (wants_message)
        plist_set_text(work->answer, "MessageResult",
                       model->lost_mode          ? "DeviceInLostMode"
                       : model->passcode.present ? "Success"
                                                 : "NoPasscodeSet");
    return true;
}

bool clear_passcode(struct work *work)
{
    const struct plist *token = plist_get(work->command, "UnlockToken");
    if (!token || token->type != PLIST_DATA)
        return work_format_error(work);
    CLEANUP(mem_free_at) char *hex = text_hex(NULL, token->data);
    if (model_is_mac(&work->phone->model))
        return work_refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND, "A Mac does not know this.");
    if (!text_equal(hex, work->phone->enrolment.unlock_token))
        return work_refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND,
                           "The unlock token does not fit.");
    work->phone->model.passcode = (struct passcode){0};
    return true;
}

bool erase_device(struct work *work)
{
    if (!pin_fits(work))
        return work_format_error(work);
    work->aftermath = AFTER_ERASE;
    return true;
}

bool restart_device(struct work *work)
{
    if (!is_supervised(work))
        return false;
    work->phone->model.restarts++;
    return true;
}

bool shut_down_device(struct work *work)
{
    if (!is_supervised(work))
        return false;
    work->phone->model.shut_downs++;
    return true;
}

/* Each setting has its own answer; the command as a whole is acknowledged. */
static void setting_apply(struct work *work, const struct plist *setting, struct plist *answer)
{
    const char *item = setting->type == PLIST_DICT ? plist_text(setting, "Item") : NULL;
    const char *name = item ? plist_text(setting, "DeviceName") : NULL;
    struct refusal refusal = {
        CODE_UNKNOWN_COMMAND, DOMAIN_MDM, "The setting is unknown.", 0, NULL, ""};
    struct work one = *work;
    one.refusal = &refusal;
    plist_set_text(answer, "Item", item ? item : "");
    if (text_equal(item, "DeviceName") && name && *name && is_supervised(&one)) {
        work->phone->model.name = mem_text(work->phone, name);
        plist_set_text(answer, "Status", "Acknowledged");
        return;
    }
    plist_set_text(answer, "Status", "Error");
    work_chain_add(answer, &refusal);
}

bool settings_apply(struct work *work)
{
    const struct plist *settings = plist_get(work->command, "Settings");
    if (!settings || settings->type != PLIST_ARRAY || settings->count == 0)
        return work_format_error(work);
    struct plist *answers = plist_set_array(work->answer, "Settings");
    for (const struct plist *one = settings->first; one; one = one->next)
        setting_apply(work, one, plist_set_dict(answers, NULL));
    return true;
}

/* ---- lost mode ---- */

bool lost_mode_allows(const char *request_type)
{
    static const char *const allowed[] = {"DisableLostMode",   "EnableLostMode", "DeviceLocation",
                                          "PlayLostModeSound", "EraseDevice",    "DeviceLock",
                                          "DeviceInformation", "SecurityInfo",   NULL};
    return name_find(allowed, request_type) >= 0;
}

static bool needs_iphone(struct work *work)
{
    return !model_is_mac(&work->phone->model)
               ? is_supervised(work)
               : work_refuse(work, DOMAIN_MDM, CODE_UNKNOWN_COMMAND, "A Mac does not know this.");
}

static bool needs_lost_mode(struct work *work)
{
    return needs_iphone(work) &&
           (work->phone->model.lost_mode ||
            work_refuse(work, DOMAIN_MDM, CODE_NOT_LOST, "The device is not in lost mode."));
}

bool lost_mode_enable(struct work *work)
{
    struct model *model = &work->phone->model;
    const char *message = plist_text(work->command, "Message");
    const char *phone = plist_text(work->command, "PhoneNumber");
    if (!needs_iphone(work))
        return false;
    if (!message && !phone)
        return work_format_error(work);
    if (model->lost_mode)
        return work_refuse(work, DOMAIN_MDM, CODE_LOST_ALREADY, "The device is in lost mode.");
    model->lost_mode = true;
    model->lost_message = mem_text(work->phone, message ? message : phone);
    return true;
}

bool lost_mode_disable(struct work *work)
{
    if (!needs_lost_mode(work))
        return false;
    work->phone->model.lost_mode = false;
    return true;
}

bool lost_mode_sound(struct work *work)
{
    if (!needs_lost_mode(work))
        return false;
    work->phone->model.sounds++;
    return true;
}

#define MICRODEGREES 1e6

bool device_location(struct work *work)
{
    const struct model *model = &work->phone->model;
    if (!needs_lost_mode(work))
        return false;
    plist_set_real(work->answer, "Latitude", (double)model->latitude / MICRODEGREES);
    plist_set_real(work->answer, "Longitude", (double)model->longitude / MICRODEGREES);
    plist_set_real(work->answer, "HorizontalAccuracy", 12.5);
    plist_set_real(work->answer, "VerticalAccuracy", -1);
    plist_set_real(work->answer, "Altitude", 0);
    plist_set_real(work->answer, "Speed", -1);
    plist_set_real(work->answer, "Course", -1);
    plist_set_text(work->answer, "Timestamp", time_text(work->scratch, clock_now()));
    return true;
}

bool bypass_code(struct work *work)
{
    const char *code = work->phone->model.bypass_code;
    if (!work->phone->model.supervised || !code || !*code)
        return work_refuse(work, DOMAIN_MDM, CODE_NO_BYPASS_CODE, "There is no bypass code.");
    plist_set_text(work->answer, "ActivationLockBypassCode", code);
    return true;
}
