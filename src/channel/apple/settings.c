/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/settings.h"

#include "base/clock.h"
#include "base/mem.h"
#include "policy/version.h"

enum { IPHONE = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS, MAC = 1 << PLATFORM_MACOS };
#define EVERY (IPHONE | MAC)

/* ---- payloads and their keys ---- */

enum payload { PASSCODE, RESTRICTIONS, FILEVAULT, SCREENSAVER, PAYLOAD_COUNT, DECLARED_ONLY };

static const struct payload_row {
    const char *item, *title, *type;
    bool is_of_person; /* it belongs to the channel of each of a Mac's people */
} payload_rows[] = {
    [PASSCODE] = {APPLE_PASSCODE_ITEM, "Passcode", "com.apple.mobiledevice.passwordpolicy"},
    [RESTRICTIONS] = {APPLE_RESTRICTIONS_ITEM, "Restrictions", "com.apple.applicationaccess"},
    [FILEVAULT] = {"filevault", "Disk encryption", "com.apple.MCX.FileVault2"},
    /* The schema asks for moduleName, too; Apple's own example goes without, and so do Macs. With
     * it nobody could choose what the screen saver shows. */
    [SCREENSAVER] = {"screensaver", "Screen saver", "com.apple.screensaver.user", true},
};

enum key {
    ALLOW_SIMPLE,
    CHANGE_AT_NEXT_AUTH,
    FORCE_PIN,
    MAX_FAILED_ATTEMPTS,
    MAX_GRACE_PERIOD,
    MAX_INACTIVITY,
    MAX_PIN_AGE,
    MIN_COMPLEX_CHARS,
    MIN_LENGTH,
    MINUTES_UNTIL_RESET,
    PIN_HISTORY,
    REQUIRE_ALPHANUMERIC,
    ALLOW_FINGERPRINT,
    ALLOW_PASSCODE_MODIFICATION,
    FORCE_ENCRYPTED_BACKUP,
    FILEVAULT_ENABLE,
    IDLE_TIME,
    TARGET_VERSION,
    TARGET_TIME,
    KEY_COUNT,
};

enum key_type { KEY_BOOLEAN, KEY_INTEGER, KEY_SECONDS, KEY_FILEVAULT, KEY_SPELLED };

static const struct key_row {
    enum payload payload;
    const char *name;
    enum key_type type;
    bool lower_wins; /* when two settings share the key */
    int64_t lowest, highest;
} key_rows[] = {
    [ALLOW_SIMPLE] = {PASSCODE, "allowSimple", KEY_BOOLEAN, true, 0, 1},
    [CHANGE_AT_NEXT_AUTH] = {PASSCODE, "changeAtNextAuth", KEY_BOOLEAN, false, 0, 1},
    [FORCE_PIN] = {PASSCODE, "forcePIN", KEY_BOOLEAN, false, 0, 1},
    [MAX_FAILED_ATTEMPTS] = {PASSCODE, "maxFailedAttempts", KEY_INTEGER, true, 2, 11},
    [MAX_GRACE_PERIOD] = {PASSCODE, "maxGracePeriod", KEY_INTEGER, true, 0, INT32_MAX},
    [MAX_INACTIVITY] = {PASSCODE, "maxInactivity", KEY_INTEGER, true, 0, 15},
    [MAX_PIN_AGE] = {PASSCODE, "maxPINAgeInDays", KEY_INTEGER, true, 0, 730},
    [MIN_COMPLEX_CHARS] = {PASSCODE, "minComplexChars", KEY_INTEGER, false, 0, 4},
    [MIN_LENGTH] = {PASSCODE, "minLength", KEY_INTEGER, false, 0, 16},
    [MINUTES_UNTIL_RESET] = {PASSCODE, "minutesUntilFailedLoginReset", KEY_INTEGER, false, 0,
                             INT32_MAX},
    [PIN_HISTORY] = {PASSCODE, "pinHistory", KEY_INTEGER, false, 1, 50},
    [REQUIRE_ALPHANUMERIC] = {PASSCODE, "requireAlphanumeric", KEY_BOOLEAN, false, 0, 1},
    [ALLOW_FINGERPRINT] = {RESTRICTIONS, "allowFingerprintForUnlock", KEY_BOOLEAN, true, 0, 1},
    [ALLOW_PASSCODE_MODIFICATION] = {RESTRICTIONS, "allowPasscodeModification", KEY_BOOLEAN, true,
                                     0, 1},
    [FORCE_ENCRYPTED_BACKUP] = {RESTRICTIONS, "forceEncryptedBackup", KEY_BOOLEAN, false, 0, 1},
    [FILEVAULT_ENABLE] = {FILEVAULT, "Enable", KEY_FILEVAULT, false, 0, 1},
    [IDLE_TIME] = {SCREENSAVER, "idleTime", KEY_SECONDS, true, 1, 60}, /* in minutes here */
    [TARGET_VERSION] = {DECLARED_ONLY, "TargetOSVersion", KEY_SPELLED, false, 0, INT64_MAX},
    [TARGET_TIME] = {DECLARED_ONLY, "TargetLocalDateTime", KEY_SPELLED, true, 0, INT64_MAX},
};

/* ---- settings ---- */

enum way_kind {
    WAY_VALUE,   /* the value itself, capped to the key's range; nothing when it is off */
    WAY_LETTERS, /* true from "alphanumeric" on */
    WAY_FORCES,  /* true when the setting asks for something; never false */
    WAY_ASKS,    /* the same, unless password.required is decided */
};

/* com.apple.configuration.softwareupdate.enforcement.specific */
#define UPDATES_SINCE                                                                              \
    .supervised = MAC, .mac_version = "14", .mac_version_reason = "Needs macOS 14 or later.",      \
    .iphone_version = "17", .iphone_version_reason = "Needs iOS or iPadOS 17 or later."

static const struct spelling {
    struct way {
        unsigned platforms;
        enum key key;
        enum way_kind kind;
    } ways[2];
    const char *reason;      /* on platforms without a way */
    unsigned supervised;     /* platforms where only supervised devices obey */
    unsigned account;        /* platforms that obey where an account alone is managed */
    const char *mac_version; /* oldest macOS */
    const char *mac_version_reason;
    const char *iphone_version; /* oldest iOS, iPadOS */
    const char *iphone_version_reason;
} spellings[SETTING_COUNT] = {
    [SETTING_PASSWORD_REQUIRED] = {.ways = {{EVERY, FORCE_PIN, WAY_VALUE}}, .account = IPHONE},
    [SETTING_PASSWORD_TYPE] = {.ways = {{EVERY, REQUIRE_ALPHANUMERIC, WAY_LETTERS},
                                        {EVERY, FORCE_PIN, WAY_ASKS}}},
    [SETTING_PASSWORD_QUALITY] = {.reason = "Apple devices know no ladder of qualities: use the "
                                            "password type and the minimum length."},
    [SETTING_PASSWORD_MIN_CHAR_SETS] = {.ways = {{EVERY, MIN_COMPLEX_CHARS, WAY_VALUE},
                                                 {EVERY, FORCE_PIN, WAY_ASKS}}},
    [SETTING_PASSWORD_MIN_LENGTH] = {.ways = {{EVERY, MIN_LENGTH, WAY_VALUE},
                                              {EVERY, FORCE_PIN, WAY_ASKS}},
                                     .account = IPHONE},
    [SETTING_PASSWORD_MIN_LETTERS] = {.reason = "Apple devices do not count letters."},
    [SETTING_PASSWORD_MIN_LOWER] = {.reason = "Apple devices do not count lower-case letters."},
    [SETTING_PASSWORD_MIN_UPPER] = {.reason = "Apple devices do not count upper-case letters."},
    [SETTING_PASSWORD_MIN_DIGITS] = {.reason = "Apple devices do not count digits."},
    [SETTING_PASSWORD_MIN_NONLETTER] = {.reason = "Apple devices count symbols, not digits and "
                                                  "symbols together."},
    [SETTING_PASSWORD_MIN_SYMBOLS] = {.ways = {{EVERY, MIN_COMPLEX_CHARS, WAY_VALUE},
                                               {EVERY, FORCE_PIN, WAY_ASKS}}},
    [SETTING_PASSWORD_ALLOW_SIMPLE] = {.ways = {{EVERY, ALLOW_SIMPLE, WAY_VALUE}},
                                       .account = IPHONE},
    [SETTING_PASSWORD_MAX_FAILURES_WIPE] = {.ways = {{EVERY, MAX_FAILED_ATTEMPTS, WAY_VALUE}}},
    [SETTING_PASSWORD_SCREEN_OFF_MINUTES] = {.ways = {{EVERY, MAX_INACTIVITY, WAY_VALUE}}},
    [SETTING_PASSWORD_GRACE_MINUTES] = {.ways = {{EVERY, MAX_GRACE_PERIOD, WAY_VALUE}}},
    [SETTING_PASSWORD_EXPIRATION_DAYS] = {.ways = {{EVERY, MAX_PIN_AGE, WAY_VALUE}}},
    [SETTING_PASSWORD_HISTORY] = {.ways = {{EVERY, PIN_HISTORY, WAY_VALUE}}},
    [SETTING_PASSWORD_IDLE_RETURN] = {.reason = "Apple devices with a password ask for it whenever "
                                                "they were locked: there is no separate switch."},
    [SETTING_PASSWORD_ALLOW_PICTURE_PIN] = {.reason = "Apple devices have no picture password."},
    /* one switch for Touch ID and Face ID: off when either setting is off */
    [SETTING_PASSWORD_ALLOW_FINGERPRINT] = {.ways = {{EVERY, ALLOW_FINGERPRINT, WAY_VALUE}},
                                            .mac_version = "10.12.4",
                                            .mac_version_reason = "Needs macOS 10.12.4 or later."},
    [SETTING_PASSWORD_ALLOW_FACE] = {.ways = {{EVERY, ALLOW_FINGERPRINT, WAY_VALUE}},
                                     .mac_version = "10.12.4",
                                     .mac_version_reason = "Needs macOS 10.12.4 or later."},
    [SETTING_PASSWORD_ALLOW_TRUST_AGENTS] = {.reason = "Apple devices have no trust agents."},
    [SETTING_PASSWORD_ALLOW_MODIFICATION] = {.ways = {{EVERY, ALLOW_PASSCODE_MODIFICATION,
                                                       WAY_VALUE}},
                                             .supervised = IPHONE,
                                             .mac_version = "10.13",
                                             .mac_version_reason = "Needs macOS 10.13 or later."},
    [SETTING_PASSWORD_FAILED_RESET_MINUTES] = {.ways = {{MAC, MINUTES_UNTIL_RESET, WAY_VALUE}},
                                               .reason = "Only a Mac forgets failed attempts after "
                                                         "a time that can be set.",
                                               .mac_version = "10.10",
                                               .mac_version_reason = "Needs macOS 10.10 or later."},
    [SETTING_PASSWORD_CHANGE_AT_NEXT_AUTH] = {.ways = {{MAC, CHANGE_AT_NEXT_AUTH, WAY_VALUE}},
                                              .reason = "Only a Mac can be told to ask for a new "
                                                        "password at the next sign-in.",
                                              .mac_version = "10.13",
                                              .mac_version_reason = "Needs macOS 10.13 or later."},
    /* idleTime exists for the channel of a Mac's user only; on the device's channel maxInactivity
     * is what macOS turns into screen-saver settings: it holds for those who have no channel, too
     */
    [SETTING_PASSWORD_SCREENSAVER_MINUTES] = {.ways = {{MAC, MAX_INACTIVITY, WAY_VALUE},
                                                       {MAC, IDLE_TIME, WAY_VALUE}},
                                              .reason = "Only a Mac has a screen saver."},
    [SETTING_SYSTEM_UPDATE_VERSION] = {.ways = {{EVERY, TARGET_VERSION, WAY_VALUE}}, UPDATES_SINCE},
    [SETTING_SYSTEM_UPDATE_BY] = {.ways = {{EVERY, TARGET_TIME, WAY_VALUE}}, UPDATES_SINCE},
    /* iPhone and iPad: data protection is active as soon as there is a passcode */
    [SETTING_ENCRYPTION_DEVICE] = {.ways = {{IPHONE, FORCE_PIN, WAY_FORCES},
                                            {MAC, FILEVAULT_ENABLE, WAY_FORCES}},
                                   .account = IPHONE,
                                   .mac_version = "10.9",
                                   .mac_version_reason = "Needs macOS 10.9 or later."},
    [SETTING_ENCRYPTION_STORAGE_CARD] = {.reason = "Apple devices have no storage card that could "
                                                   "be encrypted by policy."},
    [SETTING_ENCRYPTION_BACKUP] = {.ways = {{IPHONE, FORCE_ENCRYPTED_BACKUP, WAY_VALUE}},
                                   .account = IPHONE,
                                   .reason = "Only iPhone and iPad have local backups that can be "
                                             "forced to be encrypted."},
    [SETTING_ENCRYPTION_ESCROW_RECOVERY_KEY] = {.reason = "This server does not store FileVault "
                                                          "recovery keys."},
};

static const char supervised_reason[] =
    "Only supervised devices obey: enrol it by Apple Business Manager or Apple Configurator.";

/* Of the passcode payload such a device reads that there is one, and asks for six digits that are
 * not simple (userenrollment in Apple's schema of com.apple.mobiledevice.passwordpolicy). */
#define ACCOUNT_LENGTH 6
static const char account_reason[] =
    "Where a work account alone is managed, the device does not obey this: enrol the whole device.";

static bool has_way(const struct spelling *spelling, enum platform platform)
{
    for (size_t i = 0; i < COUNT(spelling->ways); i++)
        if (spelling->ways[i].platforms & 1U << platform)
            return true;
    return false;
}

const char *apple_unsupported(enum setting_id setting, const struct target_device *device)
{
    int order;
    const struct spelling *spelling = &spellings[setting];
    bool is_mac = device->platform == PLATFORM_MACOS;
    const char *oldest = is_mac ? spelling->mac_version : spelling->iphone_version;
    if (!has_way(spelling, device->platform))
        return spelling->reason;
    if (device->is_account && !(spelling->account & 1U << device->platform))
        return account_reason;
    if ((spelling->supervised & 1U << device->platform) && !device->is_supervised)
        return supervised_reason;
    if (oldest && version_compare(device->os_version, oldest, &order) && order < 0)
        return is_mac ? spelling->mac_version_reason : spelling->iphone_version_reason;
    return NULL;
}

static int64_t within(const struct key_row *row, int64_t value)
{
    return value < row->lowest ? row->lowest : value > row->highest ? row->highest : value;
}

int64_t apple_nearest(enum setting_id setting, const struct target_device *device, int64_t value)
{
    const struct spelling *spelling = &spellings[setting];
    if (settings[setting].type != SETTING_INTEGER ||
        (settings[setting].off >= 0 && value == settings[setting].off))
        return value;
    if (device->is_account && setting == SETTING_PASSWORD_MIN_LENGTH && value > ACCOUNT_LENGTH)
        return ACCOUNT_LENGTH;
    for (size_t i = 0; i < COUNT(spelling->ways); i++)
        if (spelling->ways[i].kind == WAY_VALUE &&
            (spelling->ways[i].platforms & 1U << device->platform))
            return within(&key_rows[spelling->ways[i].key], value);
    return value;
}

/* ---- an effective set ---- */

struct draft { /* what the keys shall say */
    int64_t values[KEY_COUNT];
    bool is_set[KEY_COUNT];
    bool is_required_decided;
};

static void draft_set(struct draft *draft, enum key key, int64_t value)
{
    const struct key_row *row = &key_rows[key];
    int64_t capped = within(row, value);
    bool is_better = row->lower_wins ? capped < draft->values[key] : capped > draft->values[key];
    if (draft->is_set[key] && !is_better)
        return;
    draft->is_set[key] = true;
    draft->values[key] = capped;
}

static void draft_add(struct draft *draft, const struct setting_value *value, const struct way *way)
{
    const struct setting *setting = &settings[value->id];
    bool asks = !setting_is_laxest(setting, value->value);
    switch (way->kind) {
    case WAY_VALUE:
        if (setting->off < 0 || value->value != setting->off)
            draft_set(draft, way->key, value->value);
        return;
    case WAY_LETTERS: {
        int first = name_find(setting->choices, "alphanumeric");
        draft_set(draft, way->key, value->value >= first);
        return;
    }
    case WAY_ASKS:
        if (asks && !draft->is_required_decided)
            draft_set(draft, way->key, true);
        return;
    case WAY_FORCES:
        if (asks)
            draft_set(draft, way->key, true);
        return;
    }
}

static void draft_fill(struct draft *draft, const struct effective *effective)
{
    for (size_t i = 0; i < effective->count; i++)
        if (effective->values[i].id == SETTING_PASSWORD_REQUIRED)
            draft->is_required_decided = true;
    for (size_t i = 0; i < effective->count; i++) {
        const struct setting_value *value = &effective->values[i];
        const struct way *ways = spellings[value->id].ways;
        for (size_t j = 0; j < COUNT(spellings[0].ways); j++)
            if (ways[j].platforms & 1U << (unsigned)effective->platform)
                draft_add(draft, value, &ways[j]);
    }
    /* Apple: minutesUntilFailedLoginReset requires maxFailedAttempts */
    if (!draft->is_set[MAX_FAILED_ATTEMPTS])
        draft->is_set[MINUTES_UNTIL_RESET] = false;
}

/* Sent by MDM, FileVault waits for the user, who is asked at the next sign-out and must at the next
 * sign-in. Nobody else keeps the recovery key, so the user has to see it. */
static void filevault_add(struct plist *content)
{
    plist_set_text(content, "Enable", "On");
    plist_set_boolean(content, "Defer", true);
    plist_set_integer(content, "DeferForceAtUserLoginMaxBypassAttempts", 0);
    plist_set_boolean(content, "UseRecoveryKey", true);
    plist_set_boolean(content, "ShowRecoveryKey", true);
}

static void key_add(struct plist *content, const struct key_row *row, int64_t value)
{
    switch (row->type) {
    case KEY_BOOLEAN: plist_set_boolean(content, row->name, value != 0); return;
    case KEY_INTEGER: plist_set_integer(content, row->name, value); return;
    case KEY_SECONDS: plist_set_integer(content, row->name, value * 60); return;
    case KEY_FILEVAULT: filevault_add(content); return;
    case KEY_SPELLED: break; /* no profile carries it */
    }
}

static bool payload_make(void *owner, const struct draft *draft, enum payload payload,
                         struct apple_payload *out)
{
    const struct payload_row *row = &payload_rows[payload];
    struct plist *content = plist_new_dict(owner);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (key_rows[i].payload == payload && draft->is_set[i])
            key_add(content, &key_rows[i], draft->values[i]);
    if (content->count == 0)
        return false;
    *out = (struct apple_payload){row->item, row->title, row->type, content, row->is_of_person};
    return true;
}

void apple_payloads_make(void *owner, const struct effective *effective,
                         struct apple_payload **payloads, size_t *count)
{
    struct draft draft = {0};
    size_t made_count = 0;
    struct apple_payload *made = mem_array(owner, struct apple_payload, PAYLOAD_COUNT);
    draft_fill(&draft, effective);
    for (size_t i = 0; i < PAYLOAD_COUNT; i++)
        if (payload_make(owner, &draft, (enum payload)i, &made[made_count]))
            made_count++;
    *payloads = made;
    *count = made_count;
}

/* ---- by declaration ---- */

/* The names in com.apple.configuration.passcode.settings of the keys of the profile. */
static const struct declared_row {
    const char *name;
    bool is_inverted;
} declared_rows[KEY_COUNT] = {
    [ALLOW_SIMPLE] = {"RequireComplexPasscode", true},
    [CHANGE_AT_NEXT_AUTH] = {"ChangeAtNextAuth", false},
    [FORCE_PIN] = {"RequirePasscode", false},
    [MAX_FAILED_ATTEMPTS] = {"MaximumFailedAttempts", false},
    [MAX_GRACE_PERIOD] = {"MaximumGracePeriodInMinutes", false},
    [MAX_INACTIVITY] = {"MaximumInactivityInMinutes", false},
    [MAX_PIN_AGE] = {"MaximumPasscodeAgeInDays", false},
    [MIN_COMPLEX_CHARS] = {"MinimumComplexCharacters", false},
    [MIN_LENGTH] = {"MinimumLength", false},
    [MINUTES_UNTIL_RESET] = {"FailedAttemptsResetInMinutes", false},
    [PIN_HISTORY] = {"PasscodeReuseLimit", false},
    [REQUIRE_ALPHANUMERIC] = {"RequireAlphanumericPasscode", false},
};

json_t *apple_passcode_declared(const struct effective *effective, bool *is_faithful)
{
    struct draft draft = {0};
    json_t *payload = json_object();
    draft_fill(&draft, effective);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct declared_row *row = &declared_rows[i];
        if (!row->name || !draft.is_set[i])
            continue;
        json_set(payload, row->name,
                 key_rows[i].type == KEY_BOOLEAN
                     ? json_boolean((draft.values[i] != 0) != row->is_inverted)
                     : json_integer((json_int_t)draft.values[i]));
    }
    *is_faithful = draft.is_set[FORCE_PIN] && draft.values[FORCE_PIN];
    if (json_object_size(payload) > 0)
        return payload;
    json_decref(payload);
    return NULL;
}

json_t *apple_update_declared(const struct effective *effective)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct draft draft = {0};
    draft_fill(&draft, effective);
    if (!draft.is_set[TARGET_VERSION] || !draft.is_set[TARGET_TIME])
        return NULL;
    json_t *payload = json_object();
    json_set(payload, key_rows[TARGET_VERSION].name,
             json_string(version_number_text(scratch, draft.values[TARGET_VERSION])));
    json_set(payload, key_rows[TARGET_TIME].name,
             json_string(time_local_text(scratch, draft.values[TARGET_TIME])));
    return payload;
}
