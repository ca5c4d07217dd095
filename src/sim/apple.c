/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands for one phone, and the key pool's. */
#include "base/text.h"
#include "sim/automated.h"
#include "sim/channel.h"
#include "sim/enrol.h"
#include "sim/keys.h"
#include "sim/mac.h"
#include "sim/misbehave.h"
#include "sim/program.h"

static struct web_options web_options_of(const struct options *options)
{
    return (struct web_options){.patience_seconds = (int)options->patience,
                                .fresh_connections = options->fresh_tls};
}

static void text_take(void *owner, char **slot, const char *value)
{
    if (value)
        *slot = mem_text(owner, value);
}

static bool model_take(struct phone *phone, const struct options *options, struct err *err)
{
    struct model *model = &phone->model;
    text_take(phone, &model->name, options->name);
    text_take(phone, &model->product, options->model);
    if (options->os) /* with a build that belongs to it */
        model_os_install(phone, model, options->os);
    text_take(phone, &model->os_build, options->build);
    text_take(phone, &model->serial, options->serial);
    text_take(phone, &model->udid, options->udid);
    if (options->without_declarations)
        model->declarative = false;
    if (options->passcode && !passcode_parse(options->passcode, &model->passcode, err))
        return false;
    return phone_save(phone, err);
}

static bool misbehaviour_parse(const char *text, enum scep_misbehaviour *out, struct err *err)
{
    int found = text ? name_find(SCEP_MISBEHAVIOURS, text) : SCEP_BEHAVE;
    if (found < 0)
        return err_set(err, ERR_BAD_INPUT, "--scep-misbehave: '%s' is unknown", text);
    *out = (enum scep_misbehaviour)found;
    return true;
}

/*
 * A phone that was there before enrols again as the same device.  If it is still managed, its user
 * has erased it first and told nobody.
 */
static bool phone_open(void *owner, const struct options *options, struct phone **out,
                       struct err *err)
{
    struct web_options web = web_options_of(options);
    struct certificates *authority = NULL;
    struct err missing = {0};
    if (options->ca && !certificates_load(owner, options->ca, &authority, err))
        return false;
    if (phone_load(owner, options->state, &web, out, &missing))
        return phone_authority_set(*out, authority, err) &&
               ((*out)->enrolment.status != PHONE_ENROLLED ||
                phone_forget(*out, PHONE_ERASED, err));
    if (missing.kind == ERR_NOT_FOUND)
        return phone_make(owner, options->state, authority, &web, out, err);
    *err = missing;
    return false;
}

bool apple_enrol(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct enrol_options enrol = {.link = options->link,
                                  .way = {options->sign_in, options->user, options->password,
                                          options->new_password, options->ownership},
                                  .keys = options->keys,
                                  .push_url = options->push_host};
    struct phone *phone = NULL;
    enrol.account =
        (struct account_way){options->account_host, options->account, &enrol.way, options->dir};
    int ways = (options->link != NULL) + (options->sign_in != NULL) + (options->account != NULL) +
               (options->service != NULL);
    if (ways != 1 || !options->account != !options->account_host)
        return err_set(
            err, ERR_BAD_INPUT,
            "--link, --sign-in, --service, or --account with --account-host: one way in");
    if (!misbehaviour_parse(options->scep_misbehave, &enrol.misbehaviour, err) ||
        !phone_open(owner, options, &phone, err) || !model_take(phone, options, err))
        return false;
    json_object_set_new(result, "udid", json_string(phone->model.udid));
    json_object_set_new(result, "serial", json_string(phone->model.serial));
    const struct automated_options automated = {options->service, options->dir};
    if (!(options->service ? enrol_by_service(phone, &automated, &enrol, result, err)
                           : enrol_by_link(phone, &enrol, result, err)))
        return false;
    CLEANUP(mem_free_at) char *digest = certificate_sha256(NULL, phone->certificate);
    CLEANUP(mem_free_at) char *subject = certificate_subject(NULL, phone->certificate);
    json_object_set_new(result, "certificate",
                        json_pack("{s:s, s:s}", "sha256", digest, "subject", subject));
    json_object_set_new(result, "topic", json_string(phone->enrolment.topic));
    json_object_set_new(result, "token", json_string(phone->enrolment.token));
    return true;
}

static bool known_phone(void *owner, const struct options *options, struct phone **out,
                        struct err *err)
{
    struct web_options web = web_options_of(options);
    return phone_load(owner, options->state, &web, out, err);
}

bool apple_checkin(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct session_options session = {0};
    struct phone *phone = NULL;
    if (!known_phone(owner, options, &phone, err))
        return false;
    phone->user = options->user;
    bool done = options->misbehave ? misbehave_run(phone, options->misbehave, result, err)
                                   : session_run(phone, &session, result, err);
    json_object_set_new(result, "enrolled",
                        json_boolean(phone->enrolment.status == PHONE_ENROLLED));
    return done;
}

bool apple_user(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = NULL;
    return known_phone(owner, options, &phone, err) &&
           mac_user_begin(phone, options->user, result, err);
}

bool apple_bootstrap_token(const struct options *options, json_t *result, struct err *err)
{
    static const char *const names[] = {"none", "same", "other"};
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = NULL;
    enum bootstrap_answer answer;
    if (!known_phone(owner, options, &phone, err) ||
        !mac_bootstrap_ask(phone, result, &answer, err))
        return false;
    json_object_set_new(result, "bootstrap_token", json_string(names[answer]));
    return true;
}

bool apple_check_out(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = NULL;
    struct err lost; /* one attempt, whether it arrives or not */
    if (!known_phone(owner, options, &phone, err))
        return false;
    if (phone->enrolment.status != PHONE_ENROLLED)
        return err_set(err, ERR_PRECONDITION, "the phone is not enrolled");
    if (phone->enrolment.is_fixed)
        return err_set(err, ERR_FORBIDDEN, "the profile does not let the user remove management");
    if (phone->enrolment.check_out_when_removed)
        (void)!channel_check_out(phone, result, &lost);
    return phone_forget(phone, PHONE_UNENROLLED, err);
}

bool apple_set(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = NULL;
    if (!known_phone(owner, options, &phone, err))
        return false;
    for (char **assignment = options->rest; *assignment; assignment++)
        if (!model_set(phone, &phone->model, *assignment, err))
            return false;
    json_object_set_new(result, "model", model_to_json(&phone->model));
    return phone_save(phone, err);
}

bool apple_show(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = NULL;
    if (!known_phone(owner, options, &phone, err))
        return false;
    CLEANUP(json_decref_at) json_t *shown = phone_to_json(phone);
    json_object_update(result, shown);
    struct passcode_rules rules = phone_passcode_rules(phone);
    json_object_set_new(result, "passcode_complies",
                        json_boolean(passcode_complies(&phone->model.passcode, &rules)));
    char *ledger = mem_format(owner, "%s/ledger.jsonl", options->state);
    json_object_set_new(result, "ledger", ledger_read(ledger));
    return true;
}

bool keys_make(const struct options *options, json_t *result, struct err *err)
{
    json_object_set_new(result, "count", json_integer(options->count));
    return key_pool_make(options->out, (size_t)options->count, (unsigned)options->bits, err);
}
