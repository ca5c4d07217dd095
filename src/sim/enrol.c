/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/enrol.h"

#include "base/id.h"
#include "base/text.h"
#include "sim/channel.h"
#include "sim/keys.h"
#include "sim/mac.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"
#define TOKEN_SIZE 32
#define UNLOCK_TOKEN_SIZE 512
#define WEAK_KEY_BITS 1024
#define ACCOUNT_RIGHTS 8191 /* what an account may: all, of what it reaches at all */

struct attempt { /* everything that one enrolment gathers before it takes effect */
    struct enrolment_profile parts;
    struct certificates *anchors; /* what SCEP and the identity must chain to */
    EVP_PKEY *key;
    struct scep_outcome *outcome;
};

static int attempt_free(struct attempt *attempt)
{
    EVP_PKEY_free(attempt->key);
    return 0;
}

/* The words of RFC 8894 for a failInfo; "none" for anything else. */
static const char *fail_info_name(int fail_info)
{
    static const char *const names[] = {"badAlg", "badMessageCheck", "badRequest", "badTime",
                                        "badCertId"};
    return fail_info >= 0 && fail_info < (int)COUNT(names) ? names[fail_info] : "none";
}

static bool profile_fetch(struct phone *phone, void *scratch, const struct enrol_options *options,
                          json_t *report, const char **token, struct signed_content *out,
                          struct err *err)
{
    struct web_request request = {.method = "POST", .url = options->link}; /* its button */
    struct web_reply reply;
    if (options->account.host
            ? !account_follow(phone, scratch, &options->account, report, &reply, token, err)
        : options->way.url
            ? !sign_in_follow(phone->web, scratch, &options->way, report, &reply, err)
            : !web_send(phone->web, scratch, &request, &reply, err))
        return err_context(err, "the way in");
    json_object_set_new(
        report, "link",
        json_pack("{s:i, s:s*}", "status", reply.status, "content_type", reply.content_type));
    if (reply.status != 200)
        return err_set(err, ERR_FORBIDDEN, "the enrolment link answered %d", reply.status);
    if (!reply.content_type || !text_starts(reply.content_type, PROFILE_TYPE))
        return err_set(err, ERR_BAD_INPUT, "the enrolment link answered no configuration profile");
    return signed_open(scratch, reply.body, phone->authority, out, err);
}

static void scep_report(json_t *report, const struct scep_outcome *outcome)
{
    static const char *const statuses[] = {"SUCCESS", "", "FAILURE", "PENDING"};
    json_object_set_new(
        report, "scep",
        json_pack("{s:i, s:s, s:s, s:s*}", "http_status", outcome->http_status, "pki_status",
                  outcome->status == SCEP_NONE ? "none" : statuses[outcome->status], "fail_info",
                  fail_info_name(outcome->fail_info), "fail_text", outcome->fail_text));
}

static bool identity_check(const struct attempt *attempt, struct err *err)
{
    const struct scep_outcome *outcome = attempt->outcome;
    if (outcome->status == SCEP_PENDING)
        return err_set(err, ERR_UNAVAILABLE, "SCEP: still pending after the last poll");
    if (outcome->status != SCEP_SUCCESS)
        return err_set(err, ERR_FORBIDDEN, "SCEP: refused (HTTP %d, %s)", outcome->http_status,
                       fail_info_name(outcome->fail_info));
    return certificate_chain_check(outcome->certificate, outcome->chain, attempt->anchors, err) ||
           err_context(err, "the identity");
}

static bool identity_get(struct phone *phone, struct attempt *attempt, const char *keys,
                         enum scep_misbehaviour misbehaviour, json_t *report, struct err *err)
{
    struct scep_asked *asked = NULL;
    struct web *web = NULL;
    struct web_options options = phone->web_options;
    struct certificates *trusted = certificates_new(attempt);
    certificates_add_all(trusted, phone->authority);
    certificates_add_all(trusted, attempt->parts.roots);
    options.roots = trusted;
    if (!scep_asked_make(attempt, attempt->parts.scep, &asked, err))
        return false;
    asked->service.roots = attempt->anchors;
    asked->wish.misbehaviour = misbehaviour;
    unsigned bits = misbehaviour == SCEP_WEAK_KEY ? WEAK_KEY_BITS : asked->key_size;
    EVP_PKEY_free(attempt->key);
    attempt->key = NULL;
    if (!key_pool_take(keys, bits, &attempt->key, err) || !web_open(attempt, &options, &web, err) ||
        !scep_enrol(attempt, web, &asked->service, &asked->wish, attempt->key, &attempt->outcome,
                    err))
        return false;
    scep_report(report, attempt->outcome);
    return identity_check(attempt, err);
}

static bool attempt_parse(struct phone *phone, void *owner, const struct signed_content *profile,
                          struct attempt **out, struct err *err)
{
    CLEANUP(mem_free_at) struct attempt *attempt = mem_new(NULL, struct attempt);
    mem_destructor(attempt, attempt_free);
    if (!enrolment_profile_parse(attempt, profile->content, &attempt->parts, err))
        return false;
    attempt->anchors = attempt->parts.roots;
    if (certificates_count(attempt->anchors) == 0)
        attempt->anchors = phone->authority;
    if (certificates_count(attempt->anchors) == 0)
        return err_set(err, ERR_FORBIDDEN, "nothing to trust: no root in the profile, no --ca");
    *out = mem_give(owner, &attempt);
    return true;
}

static char *random_hex(void *owner, size_t size)
{
    CLEANUP(mem_free_at) uint8_t *random = mem_array(NULL, uint8_t, size);
    random_bytes(random, size);
    return text_hex(owner, (struct bytes){random, size});
}

static void enrolment_fill(struct phone *phone, const struct attempt *attempt, const char *signer,
                           const struct enrol_options *options)
{
    const struct plist *mdm = attempt->parts.mdm;
    const char *check_in = plist_text(mdm, "CheckInURL");
    struct enrolment *enrolment = &phone->enrolment;
    *enrolment = (struct enrolment){
        .status = PHONE_NEW,
        .server_url = mem_text(phone, plist_text(mdm, "ServerURL")),
        .check_in_url = mem_text(phone, check_in ? check_in : plist_text(mdm, "ServerURL")),
        .topic = mem_text(phone, plist_text(mdm, "Topic")),
        .push_magic = id_make_random_upper(phone),
        .push_url = options->push_url ? mem_text(phone, options->push_url) : NULL,
        .awaits_configuration = options->awaits,
        .is_fixed = options->is_fixed,
        .token = random_hex(phone, TOKEN_SIZE),
        .unlock_token = random_hex(phone, UNLOCK_TOKEN_SIZE),
        .mdm_identifier = mem_text(phone, attempt->parts.profile.identifier),
        .signer = mem_text(phone, signer),
    };
    (void)plist_integer(mdm, "AccessRights", &enrolment->access_rights);
    (void)plist_boolean(mdm, "CheckOutWhenRemoved", &enrolment->check_out_when_removed);
    (void)plist_boolean(mdm, "SignMessage", &enrolment->sign_message);
}

/* What leads to the identity goes with it: CAs, not the RA and not the roots. */
static struct certificates *intermediates(void *owner, const struct scep_outcome *outcome)
{
    struct certificates *list = certificates_new(owner);
    for (size_t i = 0; i < certificates_count(outcome->chain); i++) {
        X509 *one = certificates_get(outcome->chain, i);
        if (X509_check_ca(one) > 0 && !(X509_get_extension_flags(one) & EXFLAG_SS))
            certificates_add(list, one);
    }
    return list;
}

static bool fault_pass(const struct phone *phone, enum renewal_fault at, struct err *err)
{
    return phone->renewal_fault != at ||
           err_set(err, ERR_UNAVAILABLE, "the renewal was broken off, as asked for");
}

static bool attempt_install(struct phone *phone, struct attempt *attempt,
                            const struct signed_content *profile, json_t *report, struct err *err)
{
    if (!phone_identity_set(phone, attempt->key, attempt->outcome->certificate,
                            intermediates(attempt, attempt->outcome), attempt->parts.roots, err))
        return false;
    if (!phone_save(phone, err) || !fault_pass(phone, RENEWAL_FAILS_CERTIFIED, err) ||
        !channel_authenticate(phone, report, err) || !fault_pass(phone, RENEWAL_FAILS_SHOWN, err) ||
        !channel_token_update(phone, report, err) || !fault_pass(phone, RENEWAL_FAILS_TOLD, err))
        return false;
    phone_profile_put(phone, &attempt->parts.profile, profile->content, profile->signer_sha256);
    phone->enrolment.status = PHONE_ENROLLED;
    return phone_trust_update(phone, err) && phone_save(phone, err) &&
           mac_escrow(phone, report, err);
}

/* The challenge again with another key, after it has been used up. */
static bool challenge_reuse(struct phone *phone, struct attempt *attempt,
                            const struct enrol_options *options, json_t *report, struct err *err)
{
    struct err refused = {0};
    if (identity_get(phone, attempt, options->keys, SCEP_BEHAVE, report, &refused))
        return err_set(err, ERR_INTERNAL, "the server took the same challenge twice");
    *err = refused;
    return false;
}

/* A profile for an account is good only after a sign-in with it, and the other way round. */
static bool account_take(struct phone *phone, const struct plist *mdm, const char *token,
                         struct err *err)
{
    const char *account = plist_text(mdm, "AssignedManagedAppleID");
    if (!token != !account)
        return err_set(err, ERR_FORBIDDEN, "the profile does not fit the way in");
    if (!account)
        return true;
    phone->enrolment.enrollment_id = id_make_random_upper(phone);
    phone->enrolment.account = mem_text(phone, account);
    phone->enrolment.bearer = mem_text(phone, token);
    phone->enrolment.access_rights = ACCOUNT_RIGHTS;
    return true;
}

bool enrol_by_profile(struct phone *phone, const struct enrol_options *options,
                      const struct signed_content *profile, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct attempt *attempt = NULL;
    if (!attempt_parse(phone, scratch, profile, &attempt, err) ||
        !identity_get(phone, attempt, options->keys, options->misbehaviour, report, err))
        return false;
    if (options->misbehaviour == SCEP_REUSE_CHALLENGE)
        return challenge_reuse(phone, attempt, options, report, err);
    enrolment_fill(phone, attempt, profile->signer_sha256, options);
    if (!account_take(phone, attempt->parts.mdm, options->token, err))
        return false;
    if (attempt_install(phone, attempt, profile, report, err))
        return true;
    struct err ignored; /* the first failure is the one to tell */
    (void)!phone_forget(phone, PHONE_UNENROLLED, &ignored);
    return false;
}

bool enrol_by_link(struct phone *phone, const struct enrol_options *options, json_t *report,
                   struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct signed_content profile;
    struct enrol_options with = *options;
    return profile_fetch(phone, scratch, options, report, &with.token, &profile, err) &&
           enrol_by_profile(phone, &with, &profile, report, err);
}

/* ---- renewal ---- */

/* A channel for users comes with an enrolment or never (com.apple.mdm, ServerCapabilities). */
static bool capabilities_check(struct phone *phone, const struct plist *mdm, struct err *err)
{
    static const char users[] = "com.apple.mdm.per-user-connections";
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct installed *installed = phone_profile_find(phone, phone->enrolment.mdm_identifier);
    struct profile before;
    if (!installed)
        return err_set(err, ERR_PRECONDITION, "there is no profile to be updated");
    if (!phone_profile_open(scratch, installed, &before, err))
        return false;
    return profile_has_capability(profile_payload(&before, PAYLOAD_MDM), users) ==
               profile_has_capability(mdm, users) ||
           err_set(err, ERR_FORBIDDEN, "an update may not add or remove the channel for users");
}

/* Topic and URLs never change, rights never grow (com.apple.mdm). */
static bool update_check(const struct phone *phone, const struct attempt *attempt,
                         const struct signed_content *profile, struct err *err)
{
    const struct plist *mdm = attempt->parts.mdm;
    const char *check_in = plist_text(mdm, "CheckInURL");
    int64_t rights = 0;
    (void)plist_integer(mdm, "AccessRights", &rights);
    if (!text_equal(profile->signer_sha256, phone->enrolment.signer))
        return err_set(err, ERR_FORBIDDEN, "the new profile has another signer");
    if (!text_equal(plist_text(mdm, "Topic"), phone->enrolment.topic) ||
        !text_equal(plist_text(mdm, "ServerURL"), phone->enrolment.server_url) ||
        !text_equal(check_in ? check_in : plist_text(mdm, "ServerURL"),
                    phone->enrolment.check_in_url))
        return err_set(err, ERR_FORBIDDEN, "an update may not change Topic, ServerURL, CheckInURL");
    if (!text_equal(plist_text(mdm, "AssignedManagedAppleID"), phone->enrolment.account))
        return err_set(err, ERR_FORBIDDEN, "an update may not change the account");
    return (rights & ~phone->enrolment.access_rights) == 0 ||
           err_set(err, ERR_FORBIDDEN, "an update may not add access rights");
}

struct before { /* what is put back when a renewal fails */
    struct enrolment enrolment;
    struct certificates *own, *chain, *roots;
    EVP_PKEY *key;
};

static struct before *before_keep(void *owner, const struct phone *phone)
{
    struct before *before = mem_new(owner, struct before);
    before->enrolment = phone->enrolment;
    before->own = certificates_new(before);
    before->chain = certificates_new(before);
    before->roots = certificates_new(before);
    certificates_add(before->own, phone->certificate);
    certificates_add_all(before->chain, phone->chain);
    certificates_add_all(before->roots, phone->roots);
    before->key = phone->key;
    EVP_PKEY_up_ref(before->key);
    return before;
}

bool enrol_again(struct phone *phone, const struct signed_content *profile, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    CLEANUP(json_decref_at) json_t *report = json_object();
    struct attempt *attempt = NULL;
    if (!attempt_parse(phone, scratch, profile, &attempt, err) ||
        !update_check(phone, attempt, profile, err) ||
        !capabilities_check(phone, attempt->parts.mdm, err) ||
        !identity_get(phone, attempt, NULL, SCEP_BEHAVE, report, err))
        return false;
    struct before *before = before_keep(scratch, phone);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *old_key = before->key;
    struct enrolment old = phone->enrolment;
    const struct enrol_options as_before = {
        .push_url = old.push_url, .awaits = old.awaits_configuration, .is_fixed = old.is_fixed};
    enrolment_fill(phone, attempt, profile->signer_sha256, &as_before);
    phone->enrolment.enrollment_id = old.enrollment_id;
    phone->enrolment.account = old.account;
    phone->enrolment.bearer = old.bearer;
    phone->enrolment.access_rights =
        old.enrollment_id ? ACCOUNT_RIGHTS : phone->enrolment.access_rights;
    phone->enrolment.token = old.token;
    phone->enrolment.unlock_token = old.unlock_token;
    phone->enrolment.bootstrap_token = old.bootstrap_token;
    phone->enrolment.status = PHONE_ENROLLED;
    if (attempt_install(phone, attempt, profile, report, err))
        return true;
    struct err ignored; /* the first failure is the one to tell */
    phone->enrolment = before->enrolment;
    (void)(!phone_identity_set(phone, old_key, certificates_get(before->own, 0), before->chain,
                               before->roots, &ignored) ||
           phone_save(phone, &ignored));
    return false;
}
