/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/facts.h"

#include <ctype.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/items.h"

#define FACT_LONGEST 255 /* bytes of a text that a device reports */

enum {
    IOS = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS,
    MACOS = 1 << PLATFORM_MACOS,
    EVERY = IOS | MACOS,
};

/* apple/device-management, mdm/commands/information.device.yaml and .security.yaml */
static const char DEVICE[] = "QueryResponses";
static const char SECURITY[] = "SecurityInfo";

static const struct fact_row {
    const char *source; /* the dictionary of the answer */
    const char *group;  /* a dictionary inside it, or NULL */
    const char *key;
    enum plist_type type;
    unsigned platforms; /* that are asked; SecurityInfo cannot be narrowed */
    const char *fact;
} fact_rows[] = {
    {DEVICE, NULL, "DeviceName", PLIST_TEXT, EVERY, "device.name"},
    {DEVICE, NULL, "OSVersion", PLIST_TEXT, EVERY, "os.version"},
    {DEVICE, NULL, "SupplementalOSVersionExtra", PLIST_TEXT, EVERY, "os.version_extra"},
    {DEVICE, NULL, "BuildVersion", PLIST_TEXT, EVERY, "os.build"},
    {DEVICE, NULL, "SupplementalBuildVersion", PLIST_TEXT, EVERY, "os.build_supplemental"},
    {DEVICE, NULL, "ModelName", PLIST_TEXT, EVERY, "device.model"},
    {DEVICE, NULL, "ModelNumber", PLIST_TEXT, EVERY, "device.model_number"},
    {DEVICE, NULL, "ProductName", PLIST_TEXT, EVERY, "device.product"},
    {DEVICE, NULL, "SerialNumber", PLIST_TEXT, EVERY, "device.serial"},
    {DEVICE, NULL, "IsSupervised", PLIST_BOOLEAN, EVERY, "device.supervised"},
    {DEVICE, NULL, "DeviceCapacity", PLIST_REAL, EVERY, "storage.capacity_gb"},
    {DEVICE, NULL, "AvailableDeviceCapacity", PLIST_REAL, EVERY, "storage.available_gb"},
    {DEVICE, NULL, "BatteryLevel", PLIST_REAL, EVERY, "battery.level"},
    {DEVICE, NULL, "WiFiMAC", PLIST_TEXT, EVERY, "network.wifi_mac"},
    {DEVICE, NULL, "BluetoothMAC", PLIST_TEXT, EVERY, "network.bluetooth_mac"},
    {DEVICE, NULL, "EthernetMAC", PLIST_TEXT, MACOS, "network.ethernet_mac"},
    {DEVICE, NULL, "HostName", PLIST_TEXT, MACOS, "network.host_name"},
    {DEVICE, NULL, "IsAppleSilicon", PLIST_BOOLEAN, MACOS, "device.apple_silicon"},
    {DEVICE, NULL, "TimeZone", PLIST_TEXT, EVERY, "device.time_zone"},
    {DEVICE, NULL, "EASDeviceIdentifier", PLIST_TEXT, IOS, "mail.device_id"},
    {DEVICE, NULL, "IsCloudBackupEnabled", PLIST_BOOLEAN, IOS, "backup.cloud_enabled"},
    {DEVICE, NULL, "LastCloudBackupDate", PLIST_DATE, IOS, "backup.cloud_last_at"},
    {DEVICE, NULL, "IsDeviceLocatorServiceEnabled", PLIST_BOOLEAN, IOS, "locator.enabled"},
    {DEVICE, NULL, "IsMDMLostModeEnabled", PLIST_BOOLEAN, IOS, "lost_mode.enabled"},
    {SECURITY, NULL, "PasscodePresent", PLIST_BOOLEAN, IOS, "password.present"},
    {SECURITY, NULL, "PasscodeCompliant", PLIST_BOOLEAN, IOS, "password.compliant"},
    {SECURITY, NULL, "PasscodeCompliantWithProfiles", PLIST_BOOLEAN, IOS,
     "password.compliant_with_profiles"},
    {SECURITY, NULL, "HardwareEncryptionCaps", PLIST_INTEGER, IOS, "encryption.hardware"},
    {SECURITY, NULL, "FDE_Enabled", PLIST_BOOLEAN, MACOS, "encryption.enabled"},
    {SECURITY, NULL, "FDE_HasPersonalRecoveryKey", PLIST_BOOLEAN, MACOS,
     "encryption.has_recovery_key"},
    {SECURITY, NULL, "FDE_HasInstitutionalRecoveryKey", PLIST_BOOLEAN, MACOS,
     "encryption.has_institutional_key"},
    {SECURITY, NULL, "SystemIntegrityProtectionEnabled", PLIST_BOOLEAN, MACOS,
     "system.integrity_protection"},
    {SECURITY, NULL, "AuthenticatedRootVolumeEnabled", PLIST_BOOLEAN, MACOS,
     "system.sealed_volume"},
    {SECURITY, NULL, "IsRecoveryLockEnabled", PLIST_BOOLEAN, MACOS, "recovery_lock.enabled"},
    {SECURITY, NULL, "RemoteDesktopEnabled", PLIST_BOOLEAN, MACOS, "remote_desktop.enabled"},
    {SECURITY, "SecureBoot", "SecureBootLevel", PLIST_TEXT, MACOS, "secure_boot.level"},
    {SECURITY, "FirewallSettings", "FirewallEnabled", PLIST_BOOLEAN, MACOS, "firewall.enabled"},
    {SECURITY, "FirewallSettings", "BlockAllIncoming", PLIST_BOOLEAN, MACOS,
     "firewall.blocks_incoming"},
    {SECURITY, "ManagementStatus", "EnrolledViaDEP", PLIST_BOOLEAN, MACOS, "enrolment.automated"},
    {SECURITY, "ManagementStatus", "UserApprovedEnrollment", PLIST_BOOLEAN, MACOS,
     "enrolment.user_approved"},
};

/* userenrollment.mode of the schema: the system and the model, nothing that names the device. */
static bool is_of_account(const char *fact)
{
    return text_starts(fact, "os.") || text_starts(fact, "device.model") ||
           text_equal(fact, "device.product");
}

void apple_queries_add(struct plist *queries, enum platform platform, enum apple_reach reach)
{
    for (size_t i = 0; i < COUNT(fact_rows); i++)
        if (fact_rows[i].source == DEVICE && (fact_rows[i].platforms & 1U << platform) &&
            !(reach != REACH_ALL && fact_is_private(fact_rows[i].fact)) &&
            !(reach == REACH_ACCOUNT && !is_of_account(fact_rows[i].fact)))
            plist_set_text(queries, NULL, fact_rows[i].key);
}

/* NULL: the value says nothing that we could keep. */
static char *value_text(void *owner, const struct plist *value)
{
    switch (value->type) {
    case PLIST_TEXT: {
        size_t size = strlen(value->text);
        return size > 0 && size <= FACT_LONGEST ? mem_text(owner, value->text) : NULL;
    }
    case PLIST_BOOLEAN: return mem_text(owner, value->integer ? "true" : "false");
    case PLIST_INTEGER: return mem_format(owner, "%" PRId64, value->integer);
    case PLIST_REAL: /* BatteryLevel -1: unknown */
        return value->real >= 0 && value->real < 1e9 ? mem_format(owner, "%.2f", value->real)
                                                     : NULL;
    case PLIST_DATE: return time_text(owner, value->integer);
    case PLIST_DICT:
    case PLIST_ARRAY:
    case PLIST_DATA: return NULL;
    }
    return NULL;
}

static char *row_value(void *owner, const struct plist *answer, const struct fact_row *row)
{
    const struct plist *place = plist_get(answer, row->source);
    if (place && row->group)
        place = place->type == PLIST_DICT ? plist_get(place, row->group) : NULL;
    const struct plist *value =
        place && place->type == PLIST_DICT ? plist_get(place, row->key) : NULL;
    if (!value)
        return NULL;
    /* A whole number of gigabytes is written as an integer by some. */
    if (value->type == PLIST_INTEGER && row->type == PLIST_REAL)
        return value->integer >= 0 ? mem_format(owner, "%" PRId64 ".00", value->integer) : NULL;
    return value->type == row->type ? value_text(owner, value) : NULL;
}

void apple_facts_read(void *owner, const struct plist *answer, int64_t now, struct fact **facts,
                      size_t *count)
{
    struct fact *found = mem_array(owner, struct fact, COUNT(fact_rows));
    size_t at = 0;
    for (size_t i = 0; i < COUNT(fact_rows); i++) {
        const struct fact_row *row = &fact_rows[i];
        char *value = row_value(owner, answer, row);
        if (!value)
            continue;
        found[at++] = (struct fact){
            .name = mem_text(owner, row->fact),
            .value = value,
            .evidence = EVIDENCE_MEASURED,
            .source = mem_text(owner, row->source == DEVICE ? "DeviceInformation" : row->source),
            .reported_at = now,
        };
    }
    *facts = found;
    *count = at;
}

static char *upper(void *owner, const char *text)
{
    char *copy = mem_text(owner, text);
    for (char *at = copy; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return copy;
}

bool apple_items_read(void *owner, const struct plist *answer, struct reported_item **items,
                      size_t *count)
{
    const struct plist *list = plist_get(answer, "ProfileList");
    if (!list || list->type != PLIST_ARRAY)
        return false;
    struct reported_item *found = mem_array(owner, struct reported_item, list->count + 1);
    size_t at = 0;
    for (const struct plist *profile = list->first; profile; profile = profile->next) {
        if (profile->type != PLIST_DICT)
            continue;
        const char *identifier = plist_text(profile, "PayloadIdentifier");
        const char *uuid = plist_text(profile, "PayloadUUID");
        const char *item = identifier ? apple_item_of_identifier(identifier) : NULL;
        if (item && uuid)
            found[at++] = (struct reported_item){item, upper(owner, uuid)};
    }
    *items = found;
    *count = at;
    return true;
}
