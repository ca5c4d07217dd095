/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/service_message.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"

#define TEXT_LONGEST 1000 /* bytes of any text that is kept */
#define SERIAL_LONGEST 64
#define WORD_LONGEST 60
#define CURSOR_LONGEST 4000

static const struct json_limits limits = {.size = SERVICE_ANSWER_MAX, .depth = 12, .nodes = 400000};

/* ---- reading ---- */

static bool object_parse(struct bytes body, json_t **out, struct err *err)
{
    if (!json_parse(body, &limits, out, err))
        return false;
    return json_is_object(*out) ||
           err_set(err, ERR_BAD_INPUT, "the service's answer is no JSON object");
}

/* NULL where it is not told, is no text or is too long: what is only shown is not worth a refusal.
 */
static char *told(void *owner, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && strlen(text) <= TEXT_LONGEST ? mem_text(owner, text) : NULL;
}

static int64_t told_at(const json_t *object, const char *name)
{
    int64_t at = 0;
    struct err ignored;
    const char *text = json_string_value(json_object_get(object, name));
    return text && time_parse(text, &at, &ignored) ? at : 0;
}

/* A text that nothing goes on without. */
static bool need(void *owner, const json_t *object, const char *name, size_t longest, char **out,
                 struct err *err)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || !*text || strlen(text) > longest)
        return err_set(err, ERR_BAD_INPUT, "the service's answer has no usable %s", name);
    *out = mem_text(owner, text);
    return true;
}

bool apple_service_session_parse(void *owner, struct bytes body, char **token, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    return object_parse(body, &json, err) &&
           need(owner, json, "auth_session_token", TEXT_LONGEST, token, err);
}

bool apple_service_account_parse(void *owner, struct bytes body, struct service_account *out,
                                 struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (!object_parse(body, &json, err))
        return false;
    const char *account = told(owner, json, "admin_id");
    *out = (struct service_account){
        .server_id = told(owner, json, "server_uuid"),
        .server_name = told(owner, json, "server_name"),
        .organization = told(owner, json, "org_name"),
        .organization_id = told(owner, json, "org_id"),
        .account = account ? account : told(owner, json, "facilitator_id"),
    };
    return true;
}

static const struct {
    const char *name;
    enum field_type type;
    size_t offset;
} device_parts[] = {
    {"model", FIELD_TEXT, offsetof(struct service_device, model)},
    {"description", FIELD_TEXT, offsetof(struct service_device, description)},
    {"color", FIELD_TEXT, offsetof(struct service_device, color)},
    {"asset_tag", FIELD_TEXT, offsetof(struct service_device, asset_tag)},
    {"device_family", FIELD_TEXT, offsetof(struct service_device, family)},
    {"os", FIELD_TEXT, offsetof(struct service_device, os)},
    {"device_assigned_date", FIELD_TIME, offsetof(struct service_device, assigned_at)},
    {"device_assigned_by", FIELD_TEXT, offsetof(struct service_device, assigned_by)},
    {"profile_status", FIELD_TEXT, offsetof(struct service_device, profile_status)},
    {"profile_uuid", FIELD_TEXT, offsetof(struct service_device, profile_uuid)},
    {"profile_assign_time", FIELD_TIME, offsetof(struct service_device, profile_assigned_at)},
    {"profile_push_time", FIELD_TIME, offsetof(struct service_device, profile_pushed_at)},
};

static bool change_read(void *owner, const json_t *record, struct service_change *out,
                        struct err *err)
{
    if (!json_is_object(record))
        return err_set(err, ERR_BAD_INPUT, "a device of the service is no object");
    if (!need(owner, record, "serial_number", SERIAL_LONGEST, &out->device.serial, err))
        return false;
    for (size_t i = 0; i < COUNT(device_parts); i++) {
        char *member = (char *)&out->device + device_parts[i].offset;
        if (device_parts[i].type == FIELD_TIME)
            *(int64_t *)(void *)member = told_at(record, device_parts[i].name);
        else
            *(char **)(void *)member = told(owner, record, device_parts[i].name);
    }
    const char *act = json_string_value(json_object_get(record, "op_type"));
    out->is_removed = act && text_equal_nocase(act, "deleted");
    return true;
}

bool apple_service_page_parse(void *owner, struct bytes body, struct service_page *out,
                              struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    char *cursor = NULL;
    if (!object_parse(body, &json, err) ||
        !need(owner, json, "cursor", CURSOR_LONGEST, &cursor, err))
        return false;
    const json_t *devices = json_object_get(json, "devices");
    size_t count = json_array_size(devices);
    if ((devices && !json_is_array(devices)) || count > SERVICE_PAGE_MAX)
        return err_set(err, ERR_BAD_INPUT, "the service's answer has no usable list of devices");
    struct service_change *changes = mem_array(owner, struct service_change, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!change_read(owner, json_array_get(devices, i), &changes[i], err))
            return false;
    *out = (struct service_page){.changes = changes,
                                 .count = count,
                                 .cursor = cursor,
                                 .is_last = !json_is_true(json_object_get(json, "more_to_follow"))};
    return true;
}

bool apple_service_profile_parse(void *owner, struct bytes body, char **uuid, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    return object_parse(body, &json, err) &&
           need(owner, json, "profile_uuid", SERIAL_LONGEST, uuid, err);
}

bool apple_service_results_parse(void *owner, struct bytes body,
                                 const struct service_assignment *assignment, const char **reasons,
                                 struct err *err)
{
    static const struct {
        const char *word, *reason;
    } rows[] = {
        {"NOT_ACCESSIBLE", "the device does not belong to this server of the organisation"},
        {"FAILED", "the service could not do it"},
    };
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (!object_parse(body, &json, err))
        return false;
    const json_t *devices = json_object_get(json, "devices");
    for (size_t i = 0; i < assignment->count; i++) {
        const char *word = json_string_value(json_object_get(devices, assignment->serials[i]));
        reasons[i] = text_equal(word, "SUCCESS") ? NULL : "the service said nothing of the device";
        for (size_t row = 0; row < COUNT(rows); row++)
            if (text_equal(word, rows[row].word))
                reasons[i] = rows[row].reason;
    }
    (void)owner;
    return true;
}

/* ---- refusals ---- */

char *apple_service_refusal(void *owner, struct bytes body)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct err ignored;
    struct buffer word;
    const char *text = NULL;
    if (json_parse(body, &limits, &json, &ignored) && json_is_object(json))
        text = json_string_value(json_object_get(json, "code"));
    struct bytes in = text ? bytes_text(text) : body;
    buffer_init(&word, owner, WORD_LONGEST + 1);
    for (size_t i = 0; i < in.size && word.size < WORD_LONGEST; i++) {
        uint8_t c = in.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (is_letter || (c >= '0' && c <= '9') || c == '_')
            buffer_byte(&word, c);
        else if (word.size > 0)
            break;
    }
    return mem_text(owner, buffer_string(&word));
}

struct service_advice apple_service_advice(void *owner, int status, const char *word)
{
    static const struct {
        const char *word;
        struct service_advice advice;
    } rows[] = {
        {"T_C_NOT_SIGNED",
         {"Apple has new terms and conditions that nobody accepted yet",
          "sign in to Apple Business Manager as an administrator and accept them"}},
        {"token_expired", {"the server token has ended", "download a new token and import it"}},
        {"oauth_problem_adviser",
         {"Apple does not accept the server token", "download a new token and import it"}},
        {"token_rejected",
         {"Apple does not accept the server token", "download a new token and import it"}},
        {"signature_invalid",
         {"Apple does not accept the server token", "download a new token and import it"}},
        {"timestamp_refused",
         {"Apple finds this server's clock wrong", "let the server follow a time server"}},
        {"ACCESS_DENIED",
         {"Apple denies access for this server",
          "see whether the server still exists in Apple Business Manager; import a new token"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (text_equal_nocase(rows[i].word, word))
            return rows[i].advice;
    return (struct service_advice){.problem =
                                       mem_format(owner, "the enrolment service answered %d%s%s",
                                                  status, *word ? " " : "", word)};
}

bool apple_service_cursor_is_gone(const char *word)
{
    return text_equal(word, "EXPIRED_CURSOR") || text_equal(word, "INVALID_CURSOR") ||
           text_equal(word, "EXHAUSTED_CURSOR");
}

/* ---- writing ---- */

static struct bytes rendered(void *owner, const json_t *json)
{
    return bytes_text(json_canonical(owner, json));
}

struct bytes apple_service_page_render(void *owner, const char *cursor)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_set(json, "limit", json_integer(SERVICE_PAGE_MAX));
    if (cursor)
        json_set(json, "cursor", json_string(cursor));
    return rendered(owner, json);
}

static void text_add(json_t *json, const char *name, const char *text)
{
    if (text && *text)
        json_set(json, name, json_string(text));
}

struct bytes apple_service_profile_render(void *owner, const struct service_profile *profile,
                                          const struct service_way *way)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_t *skip = json_loads(profile->skip, 0, NULL);
    json_t *anchors = json_array();
    text_add(json, "profile_name", profile->name);
    text_add(json, "url", way->url);
    text_add(json, "org_magic", way->magic);
    text_add(json, "department", profile->department);
    text_add(json, "support_phone_number", profile->support_phone);
    text_add(json, "support_email_address", profile->support_email);
    text_add(json, "language", profile->language);
    text_add(json, "region", profile->region);
    json_set(json, "is_supervised", json_true());
    json_set(json, "is_multi_user", json_false());
    json_set(json, "is_mandatory", json_boolean(profile->is_mandatory));
    json_set(json, "is_mdm_removable", json_boolean(profile->is_removable));
    json_set(json, "allow_pairing", json_boolean(profile->allows_pairing));
    json_set(json, "await_device_configured", json_boolean(profile->awaits_configuration));
    json_set(json, "skip_setup_items", skip ? skip : json_array());
    for (size_t i = 0; i < way->anchor_count; i++)
        if (json_array_append_new(anchors, json_string(base64_encode(owner, way->anchors[i]))) != 0)
            bug("no anchor");
    json_set(json, "anchor_certs", anchors);
    return rendered(owner, json);
}

struct bytes apple_service_assignment_render(void *owner,
                                             const struct service_assignment *assignment)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_t *devices = json_array();
    for (size_t i = 0; i < assignment->count; i++)
        if (json_array_append_new(devices, json_string(assignment->serials[i])) != 0)
            bug("no list of devices");
    text_add(json, "profile_uuid", assignment->uuid);
    json_set(json, "devices", devices);
    return rendered(owner, json);
}
