/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/automated.h"

#include "base/text.h"
#include "codec/base64.h"
#include "codec/uri.h"
#include "sim/authority.h"
#include "sim/maker.h"

#define ACTIVATION_MAX ((size_t)1 << 20)
#define MESSAGE_MAX 32768 /* bytes of a MachineInfo */
#define ANCHOR_MAX 16384
#define SIGNATURE_TYPE "application/pkcs7-signature"

static const struct json_limits limits = {ACTIVATION_MAX, 8, 10000};

/* ---- what the service says ---- */

static bool activation_ask(struct phone *phone, void *owner,
                           const struct automated_options *automated, json_t **out, struct err *err)
{
    struct certificates *roots = NULL;
    struct web *web = NULL;
    struct web_options options = {.timeout_seconds = 20};
    struct web_reply reply;
    if (!certificates_load(owner, mem_format(owner, "%s/ca.pem", automated->authority), &roots,
                           err))
        return false;
    options.roots = roots;
    const struct web_request request = {.method = "GET",
                                        .url = mem_format(owner, "%s/sim/activation?serial=%s",
                                                          automated->service,
                                                          uri_encode(owner, phone->model.serial))};
    if (!web_open(owner, &options, &web, err) || !web_send(web, owner, &request, &reply, err))
        return err_context(err, "the enrolment service");
    if (reply.status != 200)
        return err_set(err, ERR_NOT_FOUND, "the enrolment service has no profile for this device");
    return json_parse(reply.body, &limits, out, err);
}

/* The anchors of the profile are trusted for its URL, and nothing else is. */
static bool anchors_take(struct phone *phone, const json_t *activation, struct err *err)
{
    CLEANUP(mem_free_at) struct certificates *anchors = certificates_new(NULL);
    const json_t *list = json_object_get(activation, "anchor_certs");
    for (size_t i = 0; i < json_array_size(list); i++) {
        CLEANUP(X509_free_at) X509 *one = NULL;
        struct bytes der;
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !base64_decode(anchors, bytes_text(text), ANCHOR_MAX, &der, err) ||
            !certificate_parse_der(der, &one, err))
            return err_context(err, "anchor_certs");
        certificates_add(anchors, one);
    }
    return certificates_count(anchors) == 0 || phone_authority_set(phone, anchors, err);
}

/* ---- who the phone is ---- */

static bool machine_info(void *owner, const struct phone *phone, struct bytes *out, struct err *err)
{
    const struct model *model = &phone->model;
    struct plist *info = plist_new_dict(owner);
    plist_set_text(info, "UDID", model->udid);
    plist_set_text(info, "SERIAL", model->serial);
    plist_set_text(info, "PRODUCT", model->product);
    plist_set_text(info, "VERSION", model->os_build);
    plist_set_text(info, "OS_VERSION", model->os_version);
    plist_set_text(info, "IMEI", model->imei);
    plist_set_text(info, "LANGUAGE", "en");
    plist_set_boolean(info, "MDM_CAN_REQUEST_SOFTWARE_UPDATE", model_os_major(model) >= 17);
    return plist_render(owner, info, MESSAGE_MAX, out, err);
}

/* ---- at the server ---- */

static bool profile_ask(struct phone *phone, void *owner, const struct maker *maker,
                        const char *url, json_t *report, struct web_reply *reply, struct err *err)
{
    struct bytes info, body;
    if (!machine_info(owner, phone, &info, err) || !maker_sign(owner, maker, info, &body, err))
        return false;
    const struct web_request request = {
        .method = "POST", .url = url, .content_type = SIGNATURE_TYPE, .body = body};
    if (!web_send(phone->web, owner, &request, reply, err))
        return err_context(err, "the server of the profile");
    json_t *answers = json_object_get(report, "automated");
    json_array_append_new(answers, json_pack("{s:i, s:s*}", "status", reply->status, "content_type",
                                             reply->content_type));
    return true;
}

/* The system that an update is asked for; NULL: the answer is another. */
static char *update_asked(void *owner, const struct web_reply *reply)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct err ignored;
    if (reply->status != 403 || !json_parse(reply->body, &limits, &json, &ignored) ||
        !text_equal(json_string_value(json_object_get(json, "code")),
                    "com.apple.softwareupdate.required"))
        return NULL;
    const char *version =
        json_string_value(json_object_get(json_object_get(json, "details"), "OSVersion"));
    return version ? mem_text(owner, version) : NULL;
}

static bool profile_get(struct phone *phone, void *owner, const struct maker *maker,
                        const char *url, json_t *report, struct signed_content *out,
                        struct err *err)
{
    struct web_reply reply;
    json_object_set_new(report, "automated", json_array());
    if (!profile_ask(phone, owner, maker, url, report, &reply, err))
        return false;
    char *version = update_asked(phone, &reply);
    if (version) {
        model_os_install(phone, &phone->model, version);
        json_object_set_new(report, "updated_to", json_string(version));
        if (!profile_ask(phone, owner, maker, url, report, &reply, err))
            return false;
    }
    if (reply.status != 200)
        return err_set(err, ERR_FORBIDDEN, "the server of the profile answered %d", reply.status);
    return signed_open(owner, reply.body, phone->authority, out, err);
}

static bool told(const json_t *activation, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(activation, name);
    return value ? json_is_true(value) : otherwise;
}

bool enrol_by_service(struct phone *phone, const struct automated_options *automated,
                      const struct enrol_options *options, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    CLEANUP(json_decref_at) json_t *activation = NULL;
    struct signed_content profile;
    struct maker *maker = NULL;
    if (!automated->authority)
        return err_set(err, ERR_BAD_INPUT, "--dir is missing: who certifies the phone?");
    if (!activation_ask(phone, scratch, automated, &activation, err))
        return false;
    json_object_set(report, "activation", activation);
    const char *url = json_string_value(json_object_get(activation, "url"));
    if (!url)
        return err_set(err, ERR_BAD_INPUT, "the profile of the service has no URL");
    phone->model.supervised = told(activation, "is_supervised", false);
    if (!anchors_take(phone, activation, err) ||
        !maker_open(scratch, automated->authority, phone->model.udid, options->keys, &maker, err) ||
        !profile_get(phone, scratch, maker, url, report, &profile, err))
        return false;
    struct enrol_options with = *options;
    with.awaits = told(activation, "await_device_configured", false);
    with.is_fixed = !told(activation, "is_mdm_removable", true);
    return enrol_by_profile(phone, &with, &profile, report, err);
}
