/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/payload.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"

#define IDENTIFIER_MAX 255 /* bytes */

static const struct key_rule common_keys[] = {
    {"PayloadType", PLIST_TEXT, true, 0, 0},
    {"PayloadVersion", PLIST_INTEGER, true, 0, 0},
    {"PayloadIdentifier", PLIST_TEXT, true, 0, 0},
    {"PayloadUUID", PLIST_TEXT, true, 0, 0},
    {"PayloadDisplayName", PLIST_TEXT, false, 0, 0},
    {"PayloadDescription", PLIST_TEXT, false, 0, 0},
    {"PayloadOrganization", PLIST_TEXT, false, 0, 0},
};

static const struct key_rule top_keys[] = {
    {"PayloadContent", PLIST_ARRAY, true, 0, 0},
    {"PayloadRemovalDisallowed", PLIST_BOOLEAN, false, 0, 0},
    {"PayloadScope", PLIST_TEXT, false, 0, 0},
    {"PayloadExpirationDate", PLIST_DATE, false, 0, 0},
    {"RemovalDate", PLIST_DATE, false, 0, 0},
    {"DurationUntilRemoval", PLIST_REAL, false, 0, 0},
    {"TargetDeviceType", PLIST_INTEGER, false, 0, 6},
    {"ConsentText", PLIST_DICT, false, 0, 0},
    {"HasRemovalPasscode", PLIST_BOOLEAN, false, 0, 0},
};

static const struct key_rule mdm_keys[] = {
    {"IdentityCertificateUUID", PLIST_TEXT, true, 0, 0},
    {"Topic", PLIST_TEXT, true, 0, 0},
    {"ServerURL", PLIST_TEXT, true, 0, 0},
    {"CheckInURL", PLIST_TEXT, false, 0, 0},
    {"SignMessage", PLIST_BOOLEAN, false, 0, 0},
    {"AccessRights", PLIST_INTEGER, false, 1, 8191}, /* see mode_check */
    {"EnrollmentMode", PLIST_TEXT, false, 0, 0},
    {"AssignedManagedAppleID", PLIST_TEXT, false, 0, 0},
    {"UseDevelopmentAPNS", PLIST_BOOLEAN, false, 0, 0},
    {"CheckOutWhenRemoved", PLIST_BOOLEAN, false, 0, 0},
    {"ServerCapabilities", PLIST_ARRAY, false, 0, 0},
    {"ServerURLPinningCertificateUUIDs", PLIST_ARRAY, false, 0, 0},
    {"CheckInURLPinningCertificateUUIDs", PLIST_ARRAY, false, 0, 0},
    {"PinningRevocationCheckRequired", PLIST_BOOLEAN, false, 0, 0},
};

static const struct key_rule wrapped_keys[] = {{"PayloadContent", PLIST_DICT, true, 0, 0}};

static const struct key_rule scep_keys[] = {
    {"URL", PLIST_TEXT, true, 0, 0},
    {"Name", PLIST_TEXT, false, 0, 0},
    {"Subject", PLIST_ARRAY, false, 0, 0},
    {"Challenge", PLIST_TEXT, false, 0, 0},
    {"Keysize", PLIST_INTEGER, true, 2048, 4096},
    {"Key Type", PLIST_TEXT, false, 0, 0},
    {"Key Usage", PLIST_INTEGER, false, 0, 5},
    {"CAFingerprint", PLIST_DATA, false, 0, 0},
    {"Retries", PLIST_INTEGER, false, 0, 100},
    {"RetryDelay", PLIST_INTEGER, false, 0, 3600},
    {"SubjectAltName", PLIST_DICT, false, 0, 0},
    {"KeyIsExtractable", PLIST_BOOLEAN, false, 0, 0},
    {"AllowAllAppsAccess", PLIST_BOOLEAN, false, 0, 0},
};

static const struct key_rule passcode_keys[] = {
    {"forcePIN", PLIST_BOOLEAN, false, 0, 0},
    {"allowSimple", PLIST_BOOLEAN, false, 0, 0},
    {"requireAlphanumeric", PLIST_BOOLEAN, false, 0, 0},
    {"minLength", PLIST_INTEGER, false, 0, 16},
    {"minComplexChars", PLIST_INTEGER, false, 0, 4},
    {"maxFailedAttempts", PLIST_INTEGER, false, 2, 11},
    {"maxInactivity", PLIST_INTEGER, false, 0, 15},
    {"maxGracePeriod", PLIST_INTEGER, false, 0, 7 * 24 * 60},
    {"maxPINAgeInDays", PLIST_INTEGER, false, 0, 730},
    {"pinHistory", PLIST_INTEGER, false, 1, 50},
};

/* Of a person alone. The schema asks for moduleName; Macs do not. */
static const struct key_rule screensaver_keys[] = {
    {"moduleName", PLIST_TEXT, false, 0, 0},
    {"modulePath", PLIST_TEXT, false, 0, 0},
    {"idleTime", PLIST_INTEGER, false, 0, INT32_MAX},
};

static const struct key_rule certificate_keys[] = {
    {"PayloadContent", PLIST_DATA, true, 0, 0},
    {"PayloadCertificateFileName", PLIST_TEXT, false, 0, 0},
};

struct payload_rule {
    const char *type;
    const struct key_rule *keys; /* NULL: this payload's keys are not checked */
    size_t count;
    bool is_of_person; /* for the channel of a Mac's user, and not for the device's */
};

#define KEYS(table) table, COUNT(table)

static const struct payload_rule payload_rules[] = {
    {PAYLOAD_MDM, KEYS(mdm_keys)},
    {PAYLOAD_SCEP, KEYS(wrapped_keys)},
    {PAYLOAD_PASSCODE, KEYS(passcode_keys)},
    {"com.apple.screensaver.user", KEYS(screensaver_keys), true},
    {PAYLOAD_ROOT, KEYS(certificate_keys)},
    {PAYLOAD_PKCS1, KEYS(certificate_keys)},
    {PAYLOAD_PEM, KEYS(certificate_keys)},
    {"com.apple.security.pkcs12", NULL, 0},
    {"com.apple.security.acme", NULL, 0},
    {"com.apple.applicationaccess", NULL, 0},
    {"com.apple.wifi.managed", NULL, 0},
    {"com.apple.vpn.managed", NULL, 0},
    {"com.apple.vpn.managed.applayer", NULL, 0},
    {"com.apple.mail.managed", NULL, 0},
    {"com.apple.eas.account", NULL, 0},
    {"com.apple.carddav.account", NULL, 0},
    {"com.apple.caldav.account", NULL, 0},
    {"com.apple.subscribedcalendar.account", NULL, 0},
    {"com.apple.ldap.account", NULL, 0},
    {"com.apple.webClip.managed", NULL, 0},
    {"com.apple.webcontent-filter", NULL, 0},
    {"com.apple.dnsSettings.managed", NULL, 0},
    {"com.apple.domains", NULL, 0},
    {"com.apple.extensiblesso", NULL, 0},
    {"com.apple.sso", NULL, 0},
    {"com.apple.notificationsettings", NULL, 0},
    {"com.apple.homescreenlayout", NULL, 0},
    {"com.apple.app.lock", NULL, 0},
    {"com.apple.proxy.http.global", NULL, 0},
    {"com.apple.cellular", NULL, 0},
    {"com.apple.shareddeviceconfiguration", NULL, 0},
};

static const struct key_rule *rule_find(const struct key_rule *rules, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(rules[i].key, key))
            return &rules[i];
    return NULL;
}

static bool value_check(const struct plist *value, const struct key_rule *rule, struct err *err)
{
    bool real = rule->type == PLIST_REAL && value->type == PLIST_INTEGER;
    if (value->type != rule->type && !real)
        return err_at(err, ERR_BAD_INPUT, value->key, "the key '%s' has the wrong type",
                      value->key);
    if (rule->type != PLIST_INTEGER || rule->lowest == rule->highest)
        return true;
    return (value->integer >= rule->lowest && value->integer <= rule->highest) ||
           err_at(err, ERR_BAD_INPUT, value->key, "the key '%s' is out of range", value->key);
}

static bool dict_check(const struct plist *dict, const struct key_rule *rules, size_t count,
                       bool with_common, struct err *err)
{
    for (const struct plist *value = dict->first; value; value = value->next) {
        const struct key_rule *rule = rule_find(rules, count, value->key);
        if (!rule && with_common)
            rule = rule_find(KEYS(common_keys), value->key);
        if (!rule)
            return err_at(err, ERR_BAD_INPUT, value->key, "the key '%s' is unknown", value->key);
        if (!value_check(value, rule, err))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (rules[i].required && !plist_get(dict, rules[i].key))
            return err_at(err, ERR_BAD_INPUT, rules[i].key, "the key '%s' is missing",
                          rules[i].key);
    return true;
}

static bool common_check(const struct plist *dict, struct err *err)
{
    int64_t version = 0;
    const char *identifier = plist_text(dict, "PayloadIdentifier");
    const char *uuid = plist_text(dict, "PayloadUUID");
    if (!plist_text(dict, "PayloadType"))
        return err_at(err, ERR_BAD_INPUT, "PayloadType", "a payload without PayloadType");
    if (!plist_integer(dict, "PayloadVersion", &version) || version != 1)
        return err_at(err, ERR_BAD_INPUT, "PayloadVersion", "PayloadVersion is not 1");
    if (!identifier || !*identifier || strlen(identifier) > IDENTIFIER_MAX)
        return err_at(err, ERR_BAD_INPUT, "PayloadIdentifier", "no usable PayloadIdentifier");
    return (uuid && id_is_valid(uuid)) ||
           err_at(err, ERR_BAD_INPUT, "PayloadUUID", "PayloadUUID is not a UUID");
}

/* Rights are for a whole device; a mode and its account for what is on it, and never both. */
static bool mode_check(const struct plist *payload, struct err *err)
{
    const char *mode = plist_text(payload, "EnrollmentMode");
    const char *account = plist_text(payload, "AssignedManagedAppleID");
    if (!plist_get(payload, "EnrollmentMode"))
        return plist_get(payload, "AccessRights") ||
               err_at(err, ERR_BAD_INPUT, "AccessRights", "AccessRights are missing");
    if (!text_equal(mode, "BYOD"))
        return err_at(err, ERR_BAD_INPUT, "EnrollmentMode", "EnrollmentMode is unknown");
    if (!account || !*account)
        return err_at(err, ERR_BAD_INPUT, "AssignedManagedAppleID", "the account is missing");
    return !plist_get(payload, "AccessRights") ||
           err_at(err, ERR_BAD_INPUT, "AccessRights", "AccessRights stand beside EnrollmentMode");
}

/* AccessRights: 2 needs 1, 128 needs 64 (com.apple.mdm). */
static bool mdm_check(const struct plist *payload, struct err *err)
{
    int64_t rights = 0;
    const char *server = plist_text(payload, "ServerURL");
    const char *check_in = plist_text(payload, "CheckInURL");
    bool development = false;
    if (!mode_check(payload, err))
        return false;
    (void)plist_integer(payload, "AccessRights", &rights);
    (void)plist_boolean(payload, "UseDevelopmentAPNS", &development);
    if (((rights & 2) && !(rights & 1)) || ((rights & 128) && !(rights & 64)))
        return err_at(err, ERR_BAD_INPUT, "AccessRights", "AccessRights lack what they build on");
    if (!text_starts(server, "https://") || (check_in && !text_starts(check_in, "https://")))
        return err_at(err, ERR_BAD_INPUT, "ServerURL", "ServerURL and CheckInURL must be https");
    if (!text_starts(plist_text(payload, "Topic"), "com.apple.mgmt."))
        return err_at(err, ERR_BAD_INPUT, "Topic", "Topic must begin with com.apple.mgmt.");
    if (development)
        return err_at(err, ERR_BAD_INPUT, "UseDevelopmentAPNS", "UseDevelopmentAPNS is true");
    return id_is_valid(plist_text(payload, "IdentityCertificateUUID")) ||
           err_at(err, ERR_BAD_INPUT, "IdentityCertificateUUID", "it is not a UUID");
}

static bool scep_check(const struct plist *payload, struct err *err)
{
    const struct plist *content = plist_get(payload, "PayloadContent");
    int64_t size = 0;
    const char *type = plist_text(content, "Key Type");
    if (!dict_check(content, KEYS(scep_keys), false, err))
        return err_under(err, "PayloadContent/");
    (void)plist_integer(content, "Keysize", &size);
    if (size != 2048 && size != 4096)
        return err_at(err, ERR_BAD_INPUT, "PayloadContent/Keysize", "Keysize is not 2048 or 4096");
    return !type || text_equal(type, "RSA") ||
           err_at(err, ERR_BAD_INPUT, "PayloadContent/Key Type", "Key Type is not RSA");
}

static const struct payload_rule *payload_rule_find(const char *type)
{
    for (size_t i = 0; i < COUNT(payload_rules); i++)
        if (text_equal(payload_rules[i].type, type))
            return &payload_rules[i];
    return NULL;
}

bool payload_check(const struct plist *payload, struct err *err)
{
    if (payload->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "a payload that is not a dictionary");
    if (!common_check(payload, err))
        return false;
    const char *type = plist_text(payload, "PayloadType");
    const struct payload_rule *rule = payload_rule_find(type);
    if (!rule)
        return err_at(err, ERR_BAD_INPUT, "PayloadType", "the payload type '%s' is unknown", type);
    if (rule->keys && !dict_check(payload, rule->keys, rule->count, true, err))
        return err_context(err, "%s", type);
    if (text_equal(type, PAYLOAD_MDM))
        return mdm_check(payload, err) || err_context(err, "%s", type);
    if (text_equal(type, PAYLOAD_SCEP))
        return scep_check(payload, err) || err_context(err, "%s", type);
    return true;
}

/* What is for a person says so in PayloadScope, and the other way round. */
bool payloads_channel_check(const struct plist *profile, bool is_person, struct err *err)
{
    const struct plist *content = plist_get(profile, "PayloadContent");
    const char *scope = plist_text(profile, "PayloadScope");
    for (const struct plist *one = content ? content->first : NULL; one; one = one->next) {
        const char *type = plist_text(one, "PayloadType");
        const struct payload_rule *rule = payload_rule_find(type);
        if (rule && rule->is_of_person != is_person)
            return err_at(err, ERR_FORBIDDEN, "PayloadType", "%s is not for this channel", type);
    }
    return !scope || text_equal(scope, is_person ? "User" : "System") ||
           err_at(err, ERR_FORBIDDEN, "PayloadScope", "PayloadScope is not of this channel");
}

bool profile_top_check(const struct plist *profile, struct err *err)
{
    if (profile->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "the profile is not a dictionary");
    if (!common_check(profile, err) || !dict_check(profile, KEYS(top_keys), true, err))
        return err_context(err, "profile");
    return text_equal(plist_text(profile, "PayloadType"), "Configuration") ||
           err_at(err, ERR_BAD_INPUT, "PayloadType", "the profile is not a Configuration");
}
