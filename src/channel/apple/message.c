/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/message.h"

#include "base/mem.h"
#include "base/text.h"

#define IDENTIFIER_LONGEST 255 /* bytes of a UDID, a user identifier or a command's UUID */
#define CLAIM_LONGEST 255      /* bytes of what a device says of itself */
#define TOPIC_LONGEST 255
#define MAGIC_LONGEST 255            /* bytes; a UUID in practice */
#define TOKEN_LONGEST 100            /* bytes: the protocol's own limit */
#define UNLOCK_TOKEN_LONGEST 8192    /* bytes: the protocol's own limit */
#define BOOTSTRAP_TOKEN_LONGEST 8192 /* bytes; some hundreds in practice */
#define ENDPOINT_LONGEST 255         /* bytes; an identifier has 64 at most */
#define ERROR_TEXT_LONGEST 1024

const char *const apple_status_names[] = {
    "Idle", "Acknowledged", "Error", "CommandFormatError", "NotNow", NULL};

/* ---- who says it ---- */

/* The user of a shared iPad, who is told apart by the short name (Apple, TokenUpdate). */
#define SHARED_USER "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"

struct sender_keys {
    char *udid, *enrollment_id, *user_id, *enrollment_user_id, *short_name, *long_name;
};
static const struct field sender_rows[] = {
    TEXT_AS("UDID", struct sender_keys, udid, 0, .highest = IDENTIFIER_LONGEST),
    TEXT_AS("EnrollmentID", struct sender_keys, enrollment_id, 0, .highest = IDENTIFIER_LONGEST),
    TEXT_AS("UserID", struct sender_keys, user_id, 0, .highest = IDENTIFIER_LONGEST),
    TEXT_AS("EnrollmentUserID", struct sender_keys, enrollment_user_id, 0,
            .highest = IDENTIFIER_LONGEST),
    TEXT_AS("UserShortName", struct sender_keys, short_name, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("UserLongName", struct sender_keys, long_name, 0, .highest = CLAIM_LONGEST),
};

/* The name of a user channel; NULL: it is the device that speaks. */
static bool user_of(const struct sender_keys *keys, char **out, struct err *err)
{
    char *user = keys->user_id ? keys->user_id : keys->enrollment_user_id;
    if (user && user[0] == '\0')
        return err_at(err, ERR_BAD_INPUT, "/UserID", "must not be empty");
    if (text_equal(user, SHARED_USER)) {
        if (!keys->short_name || keys->short_name[0] == '\0')
            return err_at(err, ERR_BAD_INPUT, "/UserShortName", "the user has no name");
        user = keys->short_name;
    }
    *out = user;
    return true;
}

/* Where both are told, the UDID is the name of the device; account-driven enrolments have none. */
static bool sender_parse(void *owner, const struct plist *dict, struct apple_sender *out,
                         struct err *err)
{
    struct sender_keys keys = {0};
    if (!plist_bind(owner, dict, FIELDS(sender_rows), &keys, NULL, err))
        return false;
    char *name = keys.udid ? keys.udid : keys.enrollment_id;
    if (!name || name[0] == '\0')
        return err_at(err, ERR_BAD_INPUT, keys.udid ? "/UDID" : "/EnrollmentID",
                      "the message does not name its device");
    char *user = NULL;
    if (!user_of(&keys, &user, err))
        return false;
    *out = (struct apple_sender){
        .udid = name,
        .is_of_account = !keys.udid,
        .user_id = user,
        .user_name = keys.short_name,
        .user_full_name = keys.long_name,
        .enrollment_id = keys.enrollment_id,
    };
    return true;
}

static bool dict_parse(void *owner, struct bytes body, const struct plist_limits *limits,
                       const struct plist **out, struct err *err)
{
    struct plist *root = NULL;
    if (!plist_parse(owner, body, limits, &root, err))
        return false;
    if (root->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "the message is not a dictionary");
    *out = root;
    return true;
}

static bool need_text(const char *text, const char *where, struct err *err)
{
    return (text && text[0] != '\0') || err_at(err, ERR_BAD_INPUT, where, "must not be empty");
}

/* ---- check-in ---- */

static const struct field authenticate_rows[] = {
    TEXT_AS("Topic", struct apple_authenticate, topic, FIELD_REQUIRED, .highest = TOPIC_LONGEST),
    TEXT_AS("DeviceName", struct apple_authenticate, device_name, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("Model", struct apple_authenticate, model, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("ModelName", struct apple_authenticate, model_name, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("ProductName", struct apple_authenticate, product_name, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("SerialNumber", struct apple_authenticate, serial_number, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("OSVersion", struct apple_authenticate, os_version, 0, .highest = CLAIM_LONGEST),
    TEXT_AS("BuildVersion", struct apple_authenticate, build_version, 0, .highest = CLAIM_LONGEST),
};
static bool authenticate_parse(void *owner, const struct plist *dict, struct apple_checkin *out,
                               struct err *err)
{
    return plist_bind(owner, dict, FIELDS(authenticate_rows), &out->authenticate, NULL, err);
}

static const struct field token_update_rows[] = {
    TEXT_AS("Topic", struct apple_token_update, topic, FIELD_REQUIRED, .highest = TOPIC_LONGEST),
    TEXT_AS("PushMagic", struct apple_token_update, push_magic, FIELD_REQUIRED | FIELD_SECRET,
            .highest = MAGIC_LONGEST),
    BYTES_AS("Token", struct apple_token_update, token, FIELD_REQUIRED | FIELD_SECRET,
             .highest = TOKEN_LONGEST),
    BYTES_AS("UnlockToken", struct apple_token_update, unlock_token, FIELD_SECRET,
             .highest = UNLOCK_TOKEN_LONGEST),
    BOOLEAN_AS("AwaitingConfiguration", struct apple_token_update, awaits, 0),
    BOOLEAN_AS("NotOnConsole", struct apple_token_update, off_console, 0),
};
static bool token_update_parse(void *owner, const struct plist *dict, struct apple_checkin *out,
                               struct err *err)
{
    struct apple_token_update *update = &out->token_update;
    if (!plist_bind(owner, dict, FIELDS(token_update_rows), update, NULL, err))
        return false;
    if (update->token.size == 0)
        return err_at(err, ERR_BAD_INPUT, "/Token", "must not be empty");
    if (update->unlock_token.size == 0) /* empty is the same as none: it erases nothing */
        update->unlock_token = NO_BYTES;
    return need_text(update->push_magic, "/PushMagic", err);
}

static const struct field declarative_rows[] = {
    TEXT_AS("Endpoint", struct apple_declarative, endpoint, FIELD_REQUIRED,
            .highest = ENDPOINT_LONGEST),
    BYTES_AS("Data", struct apple_declarative, data, 0, .highest = CHECKIN_SIZE_MAX),
};
static bool declarative_parse(void *owner, const struct plist *dict, struct apple_checkin *out,
                              struct err *err)
{
    return plist_bind(owner, dict, FIELDS(declarative_rows), &out->declarative, NULL, err);
}

static const struct field bootstrap_rows[] = {
    BYTES_AS("BootstrapToken", struct apple_checkin, bootstrap_token, FIELD_SECRET,
             .highest = BOOTSTRAP_TOKEN_LONGEST),
};
/* Missing and empty are the same: the device has none any more (Apple, SetBootstrapToken). */
static bool bootstrap_parse(void *owner, const struct plist *dict, struct apple_checkin *out,
                            struct err *err)
{
    return plist_bind(owner, dict, FIELDS(bootstrap_rows), out, NULL, err);
}

static bool user_authenticate_parse(void *owner, const struct plist *dict,
                                    struct apple_checkin *out, struct err *err)
{
    (void)owner;
    out->has_digest_response = plist_get(dict, "DigestResponse") != NULL;
    if (out->has_digest_response && !plist_text(dict, "DigestResponse"))
        return err_at(err, ERR_BAD_INPUT, "/DigestResponse", "must be a string");
    return out->sender.user_id ||
           err_at(err, ERR_BAD_INPUT, "/UserID", "the message does not name its user");
}

static const struct checkin_row {
    const char *name;
    enum apple_checkin_kind kind;
    bool (*parse)(void *owner, const struct plist *dict, struct apple_checkin *out,
                  struct err *err);
} checkin_rows[] = {
    {"Authenticate", CHECKIN_AUTHENTICATE, authenticate_parse},
    {"TokenUpdate", CHECKIN_TOKEN_UPDATE, token_update_parse},
    {"CheckOut", CHECKIN_CHECK_OUT, NULL},
    {"UserAuthenticate", CHECKIN_USER_AUTHENTICATE, user_authenticate_parse},
    {"DeclarativeManagement", CHECKIN_DECLARATIVE, declarative_parse},
    {"SetBootstrapToken", CHECKIN_SET_BOOTSTRAP_TOKEN, bootstrap_parse},
    {"GetBootstrapToken", CHECKIN_GET_BOOTSTRAP_TOKEN, NULL},
};

static const struct field checkin_fields[] = {
    TEXT_AS("MessageType", struct apple_checkin, message_type, FIELD_REQUIRED, .highest = 64),
};

bool apple_checkin_parse(void *owner, struct bytes body, struct apple_checkin *out, struct err *err)
{
    const struct plist_limits limits = {CHECKIN_SIZE_MAX, MESSAGE_DEPTH_MAX, CHECKIN_NODES_MAX};
    const struct plist *dict = NULL;
    struct apple_checkin checkin = {.kind = CHECKIN_UNSUPPORTED};
    if (!dict_parse(owner, body, &limits, &dict, err) ||
        !plist_bind(owner, dict, FIELDS(checkin_fields), &checkin, NULL, err) ||
        !need_text(checkin.message_type, "/MessageType", err) ||
        !sender_parse(owner, dict, &checkin.sender, err))
        return false;
    for (size_t i = 0; i < COUNT(checkin_rows); i++) {
        const struct checkin_row *row = &checkin_rows[i];
        if (!text_equal(row->name, checkin.message_type))
            continue;
        checkin.kind = row->kind;
        if (row->parse && !row->parse(owner, dict, &checkin, err))
            return err_context(err, "%s", row->name);
    }
    *out = checkin;
    return true;
}

/* ---- connect ---- */

/* NULL when it is absent or no text. */
static char *text_of(void *owner, const struct plist *dict, const char *key, size_t longest)
{
    const char *text = plist_text(dict, key);
    return text ? text_begin(owner, text, longest) : NULL;
}

/* A result that is refused comes again for ever: of its explanation we keep what can be read. */
static void errors_read(void *owner, const struct plist *dict, struct apple_result *out)
{
    const struct plist *chain = plist_get(dict, "ErrorChain");
    if (!chain || chain->type != PLIST_ARRAY)
        return;
    struct apple_error *errors = mem_array(owner, struct apple_error, ERROR_CHAIN_MAX);
    for (const struct plist *at = chain->first; at && out->error_count < ERROR_CHAIN_MAX;
         at = at->next) {
        if (at->type != PLIST_DICT)
            continue;
        struct apple_error *error = &errors[out->error_count++];
        char *english = text_of(owner, at, "USEnglishDescription", ERROR_TEXT_LONGEST);
        char *domain = text_of(owner, at, "ErrorDomain", CLAIM_LONGEST);
        bool has_code = plist_integer(at, "ErrorCode", &error->code);
        *error = (struct apple_error){
            .code = has_code ? error->code : 0,
            .domain = domain ? domain : mem_text(owner, "no domain"),
            .description =
                english ? english : text_of(owner, at, "LocalizedDescription", ERROR_TEXT_LONGEST),
        };
    }
    out->errors = errors;
}

/* Of a Settings command each setting has an answer of its own below a status that says yes: one
 * that was refused is a refusal. */
static void settings_read(void *owner, const struct plist *dict, struct apple_result *out)
{
    const struct plist *settings = plist_get(dict, "Settings");
    if (!settings || settings->type != PLIST_ARRAY || out->status != APPLE_ACKNOWLEDGED)
        return;
    for (const struct plist *one = settings->first; one; one = one->next) {
        const char *status = one->type == PLIST_DICT ? plist_text(one, "Status") : NULL;
        if (!status || text_equal(status, apple_status_names[APPLE_ACKNOWLEDGED]))
            continue;
        out->status = APPLE_ERROR;
        out->error_count = 0;
        errors_read(owner, one, out);
        return;
    }
}

static const struct field result_rows[] = {
    TEXT_AS("Status", struct apple_result, status_text, FIELD_REQUIRED, .highest = CLAIM_LONGEST),
    TEXT_AS("CommandUUID", struct apple_result, command_uuid, 0, .highest = IDENTIFIER_LONGEST),
};

/* A status that is not in the list, and an answer that names no command, are known as such. */
static enum apple_status status_of(const struct apple_result *result)
{
    int status = name_find(apple_status_names, result->status_text);
    bool is_whole = status == APPLE_IDLE || (result->command_uuid && *result->command_uuid);
    return status >= 0 && is_whole ? (enum apple_status)status : APPLE_UNKNOWN;
}

static bool result_parse(void *owner, struct bytes body, const struct plist_limits *limits,
                         struct apple_result *out, struct err *err)
{
    const struct plist *dict = NULL;
    struct apple_result result = {0};
    if (!dict_parse(owner, body, limits, &dict, err) ||
        !plist_bind(owner, dict, FIELDS(result_rows), &result, NULL, err) ||
        !sender_parse(owner, dict, &result.sender, err))
        return false;
    errors_read(owner, dict, &result);
    result.status = status_of(&result);
    settings_read(owner, dict, &result);
    if (result.status == APPLE_IDLE)
        result.command_uuid = NULL; /* an idle device answers nothing */
    result.answer = dict;
    *out = result;
    return true;
}

bool apple_result_parse(void *owner, struct bytes body, struct apple_result *out, struct err *err)
{
    const struct plist_limits limits = {CONNECT_SIZE_MAX, MESSAGE_DEPTH_MAX, CONNECT_NODES_MAX};
    return result_parse(owner, body, &limits, out, err);
}

bool apple_result_small(void *owner, struct bytes body, struct apple_result *out)
{
    const struct plist_limits limits = {SMALL_SIZE_MAX, SMALL_DEPTH_MAX, SMALL_NODES_MAX};
    struct err ignored;
    return result_parse(owner, body, &limits, out, &ignored);
}

/* ---- commands ---- */

struct plist *apple_command_new(void *owner, const char *uuid, const char *request_type,
                                struct plist **command)
{
    struct plist *root = plist_new_dict(owner);
    *command = plist_set_dict(root, "Command");
    plist_set_text(*command, "RequestType", request_type);
    plist_set_text(root, "CommandUUID", uuid);
    return root;
}
