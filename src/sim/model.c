/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/model.h"

#include "base/id.h"
#include "base/text.h"

#define TEXT(wire, member) TEXT_AS(wire, struct model, member, 0)
#define WHOLE(wire, member, from, to)                                                              \
    INTEGER_AS(wire, struct model, member, 0, .lowest = (from), .highest = (to))
#define FLAG(wire, member) BOOLEAN_AS(wire, struct model, member, 0)

static const struct field device_fields[] = {
    TEXT("name", name),
    TEXT("product", product),
    TEXT("model_name", model_name),
    TEXT("model_number", model_number),
    TEXT("serial", serial),
    TEXT("udid", udid),
    TEXT("imei", imei),
    TEXT("eas_id", eas_id),
    TEXT("wifi_mac", wifi_mac),
    TEXT("bluetooth_mac", bluetooth_mac),
    TEXT("time_zone", time_zone),
    TEXT("lacks_declaration", lacks_declaration),
    TEXT("rejects_declaration", rejects_declaration),
    TEXT("attestation", attestation),
    TEXT("attestation_fault", attestation_fault),
    TEXT("attested_nonce", attested_nonce),
    WHOLE("attested_at", attested_at, 0, INT64_MAX),
    FLAG("unprotected", unprotected),
    FLAG("supervised", supervised),
    FLAG("declarative", declarative),
    FLAG("locked", locked),
    FLAG("activation_lock", activation_lock),
    FLAG("find_my", find_my),
    FLAG("lost_mode", lost_mode),
    TEXT("lost_message", lost_message),
    TEXT("bypass_code", bypass_code),
    WHOLE("latitude", latitude, -90000000, 90000000),
    WHOLE("longitude", longitude, -180000000, 180000000),
    WHOLE("battery_percent", battery_percent, -100, 100),
    WHOLE("capacity_gb", capacity_gb, 0, 100000),
    WHOLE("available_gb", available_gb, 0, 100000),
    WHOLE("locks", locks, 0, INT64_MAX),
    WHOLE("restarts", restarts, 0, INT64_MAX),
    WHOLE("erasures", erasures, 0, INT64_MAX),
    WHOLE("shut_downs", shut_downs, 0, INT64_MAX),
    WHOLE("sounds", sounds, 0, INT64_MAX),
};

static const struct field os_fields[] = {
    TEXT("version", os_version),
    TEXT("build", os_build),
    TEXT("pending_version", pending_version),
    TEXT("update_state", update_state),
};

static const struct field passcode_fields[] = {
    FLAG("present", passcode.present),
    FLAG("alphanumeric", passcode.alphanumeric),
    FLAG("simple", passcode.simple),
    WHOLE("length", passcode.length, 0, 1000),
    WHOLE("complex", passcode.complex, 0, 1000),
    WHOLE("age_days", passcode.age_days, 0, 100000),
};

static const struct field security_fields[] = {
    WHOLE("encryption", encryption, 0, 3),
    WHOLE("grace_seconds", grace_seconds, 0, 14400),
};

static const struct config_section sections[] = {
    {"device", FIELDS(device_fields)},
    {"os", FIELDS(os_fields)},
    {"passcode", FIELDS(passcode_fields)},
    {"security", FIELDS(security_fields)},
};

/* Newer UDIDs: chip and unique chip id, "00008120-001A2B3C4D5E6F70". */
static char *udid_make(void *owner)
{
    uint8_t random[8];
    random_bytes(random, sizeof(random));
    char *hex = text_hex(owner, BYTES_OF(random));
    for (char *at = hex; *at; at++)
        *at = *at >= 'a' ? (char)(*at - 'a' + 'A') : *at;
    return mem_format(owner, "00008120-%s", hex);
}

static char *mac_make(void *owner)
{
    uint8_t random[3];
    random_bytes(random, sizeof(random));
    return mem_format(owner, "f0:18:98:%02x:%02x:%02x", random[0], random[1], random[2]);
}

/* 14 digits and the Luhn check digit (3GPP TS 23.003). */
static char *imei_make(void *owner)
{
    uint8_t random[6];
    char digits[16] = "35332811";
    unsigned sum = 0;
    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < 6; i++)
        digits[8 + i] = (char)('0' + random[i] % 10);
    for (size_t i = 0; i < 14; i++) {
        unsigned value = (unsigned)(digits[i] - '0') * (i % 2 ? 2 : 1);
        sum += value / 10 + value % 10;
    }
    digits[14] = (char)('0' + (10 - sum % 10) % 10);
    return mem_text(owner, digits);
}

void model_init(void *owner, struct model *model)
{
    char *serial = random_text(owner, 50), *eas = random_text(owner, 130);
    *model = (struct model){
        .name = mem_text(owner, "iPhone"),
        .product = mem_text(owner, "iPhone15,2"),
        .model_name = mem_text(owner, "iPhone"),
        .model_number = mem_text(owner, "MQ083ZD/A"),
        .serial = serial,
        .udid = udid_make(owner),
        .imei = imei_make(owner),
        .eas_id = eas,
        .wifi_mac = mac_make(owner),
        .bluetooth_mac = mac_make(owner),
        .time_zone = mem_text(owner, "Europe/Berlin"),
        .bypass_code = mem_text(owner, "7PQ4X-3M2KD-89TV-C6RN-J5WY-H1EZ"),
        .latitude = 52520008,
        .longitude = 13404954,
        .os_version = mem_text(owner, "17.5.1"),
        .os_build = mem_text(owner, "21F90"),
        .passcode = {.present = true, .length = 6},
        .declarative = true,
        .battery_percent = 80,
        .capacity_gb = 128,
        .available_gb = 64,
        .encryption = 3,
    };
}

bool model_set(void *owner, struct model *model, const char *assignment, struct err *err)
{
    const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
    CLEANUP(mem_free_at) char *whole = NULL;
    if (equals && (!dot || dot > equals))
        whole = mem_format(NULL, "device.%s", assignment);
    return config_set(owner, whole ? whole : assignment, sections, COUNT(sections), model, err);
}

json_t *model_to_json(const struct model *model)
{
    json_t *object = json_object();
    for (size_t i = 0; i < COUNT(sections); i++)
        json_object_set_new(object, sections[i].name, json_from(sections[i].fields, model));
    return object;
}

bool model_from_json(void *owner, const json_t *object, struct model *out, struct err *err)
{
    for (size_t i = 0; i < COUNT(sections); i++)
        if (!json_bind(owner, json_object_get(object, sections[i].name), sections[i].fields, out,
                       NULL, err))
            return err_under(err, sections[i].name);
    return true;
}

bool model_is_mac(const struct model *model)
{
    return strstr(model->product, "Mac") != NULL;
}

int64_t model_os_major(const struct model *model)
{
    int64_t major = 0;
    struct err ignored;
    size_t digits = strspn(model->os_version, "0123456789");
    if (!number_parse((struct bytes){(const uint8_t *)model->os_version, digits}, 0, 1000, &major,
                      &ignored))
        return 0;
    return major;
}

void model_os_install(void *owner, struct model *model, const char *version)
{
    const char *rest = strchr(version, '.');
    long minor = rest ? strtol(rest + 1, NULL, 10) : 0;
    bool is_mac = model_is_mac(model);
    model->os_version = mem_text(owner, version);
    int64_t major = model_os_major(model);
    /* from 26 on both count alike: 25 for a Mac, 23 for a phone */
    int64_t train = major >= 26 ? major - (is_mac ? 1 : 3) : major + (is_mac ? 9 : 4);
    model->os_build = mem_format(owner, "%lld%c100", (long long)train,
                                 minor >= 0 && minor < 26 ? 'A' + (int)minor : 'Z');
}
