/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/information.h"

#include "base/text.h"

#define RIGHT_DEVICE 16  /* AccessRights of com.apple.mdm */
#define RIGHT_NETWORK 32 /* phone numbers, MAC addresses */

enum answer_type { ANSWER_TEXT, ANSWER_BOOLEAN, ANSWER_PERCENT, ANSWER_GIGABYTES, ANSWER_NO };

struct answer {
    const char *query;
    enum answer_type type;
    size_t offset; /* in struct model */
    int64_t right; /* 0: always answered */
};

#define FROM(member) offsetof(struct model, member)

static const struct answer answers[] = {
    {"UDID", ANSWER_TEXT, FROM(udid), 0},
    {"DeviceName", ANSWER_TEXT, FROM(name), RIGHT_DEVICE},
    {"OSVersion", ANSWER_TEXT, FROM(os_version), RIGHT_DEVICE},
    {"BuildVersion", ANSWER_TEXT, FROM(os_build), RIGHT_DEVICE},
    {"ModelName", ANSWER_TEXT, FROM(model_name), RIGHT_DEVICE},
    {"Model", ANSWER_TEXT, FROM(model_number), RIGHT_DEVICE},
    {"ModelNumber", ANSWER_TEXT, FROM(model_number), RIGHT_DEVICE},
    {"ProductName", ANSWER_TEXT, FROM(product), RIGHT_DEVICE},
    {"SerialNumber", ANSWER_TEXT, FROM(serial), RIGHT_DEVICE},
    {"EASDeviceIdentifier", ANSWER_TEXT, FROM(eas_id), RIGHT_DEVICE},
    {"TimeZone", ANSWER_TEXT, FROM(time_zone), RIGHT_DEVICE},
    {"IMEI", ANSWER_TEXT, FROM(imei), RIGHT_DEVICE},
    {"DeviceCapacity", ANSWER_GIGABYTES, FROM(capacity_gb), RIGHT_DEVICE},
    {"AvailableDeviceCapacity", ANSWER_GIGABYTES, FROM(available_gb), RIGHT_DEVICE},
    {"BatteryLevel", ANSWER_PERCENT, FROM(battery_percent), RIGHT_DEVICE},
    {"IsSupervised", ANSWER_BOOLEAN, FROM(supervised), RIGHT_DEVICE},
    {"IsActivationLockEnabled", ANSWER_BOOLEAN, FROM(activation_lock), RIGHT_DEVICE},
    {"IsDeviceLocatorServiceEnabled", ANSWER_BOOLEAN, FROM(find_my), RIGHT_DEVICE},
    {"IsMultiUser", ANSWER_NO, 0, RIGHT_DEVICE},
    {"IsMDMLostModeEnabled", ANSWER_BOOLEAN, FROM(lost_mode), RIGHT_DEVICE},
    {"IsCloudBackupEnabled", ANSWER_NO, 0, RIGHT_DEVICE},
    {"AwaitingConfiguration", ANSWER_NO, 0, RIGHT_DEVICE},
    {"DiagnosticSubmissionEnabled", ANSWER_NO, 0, RIGHT_DEVICE},
    {"AppAnalyticsEnabled", ANSWER_NO, 0, RIGHT_DEVICE},
    {"IsNetworkTethered", ANSWER_NO, 0, RIGHT_DEVICE},
    {"WiFiMAC", ANSWER_TEXT, FROM(wifi_mac), RIGHT_NETWORK},
    {"BluetoothMAC", ANSWER_TEXT, FROM(bluetooth_mac), RIGHT_NETWORK},
};

static void subscriptions_answer(const struct phone *phone, struct plist *responses)
{
    if (!(phone->enrolment.access_rights & RIGHT_NETWORK))
        return;
    struct plist *one = plist_set_dict(plist_set_array(responses, "ServiceSubscriptions"), NULL);
    plist_set_text(one, "Slot", "CTSubscriptionSlotOne");
    plist_set_text(one, "Label", "Primary");
    plist_set_text(one, "IMEI", phone->model.imei);
    plist_set_text(one, "CurrentCarrierNetwork", "Simulated Carrier");
    plist_set_boolean(one, "IsRoaming", false);
    plist_set_boolean(one, "IsDataPreferred", true);
    plist_set_boolean(one, "IsVoicePreferred", true);
}

static void answer_write(const struct answer *answer, const struct model *model,
                         struct plist *responses)
{
    const char *at = (const char *)model + answer->offset;
    int64_t number;
    bool flag;
    char *text;
    switch (answer->type) {
    case ANSWER_TEXT:
        memcpy(&text, at, sizeof(text));
        if (text)
            plist_set_text(responses, answer->query, text);
        return;
    case ANSWER_BOOLEAN:
        memcpy(&flag, at, sizeof(flag));
        plist_set_boolean(responses, answer->query, flag);
        return;
    case ANSWER_PERCENT: /* 0 to 1, -1 for unknown */
        memcpy(&number, at, sizeof(number));
        plist_set_real(responses, answer->query, (double)number / 100);
        return;
    case ANSWER_GIGABYTES:
        memcpy(&number, at, sizeof(number));
        plist_set_real(responses, answer->query, (double)number);
        return;
    case ANSWER_NO: plist_set_boolean(responses, answer->query, false); return;
    }
}

/* What an account-driven enrolment tells: the system and the model, nothing that names the phone.
 */
static bool is_told(const struct phone *phone, const char *query)
{
    static const char *const all[] = {"OSVersion",   "BuildVersion", "ModelName", "Model",
                                      "ModelNumber", "ProductName",  NULL};
    return !phone->enrolment.enrollment_id || name_find(all, query) >= 0;
}

void information_answer(const struct phone *phone, const char *query, struct plist *responses)
{
    if (plist_get(responses, query) || !is_told(phone, query))
        return;
    if (text_equal(query, "ServiceSubscriptions")) {
        subscriptions_answer(phone, responses);
        return;
    }
    for (size_t i = 0; i < COUNT(answers); i++) {
        int64_t right = answers[i].right;
        if (text_equal(answers[i].query, query) &&
            (right == 0 || (phone->enrolment.access_rights & right)))
            answer_write(&answers[i], &phone->model, responses);
    }
}
