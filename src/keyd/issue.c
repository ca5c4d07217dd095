/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for devices and servers: built from fields, every limit checked here again. */
#include "keyd/answer.h"
#include "pki/key.h"
#include "pki/keyd.h"

#define DAY ((int64_t)86400)
#define NAMES_MAX 32       /* alternative names of one kind */
#define NAME_MAX_SIZE 1024 /* bytes of one name or URL */
#define SERIAL_BITS_MIN 64 /* CA/Browser baseline, 7.1: at least 64 bits of randomness */
#define BACKDATE_MAX (2 * DAY)
#define AHEAD_MAX (2 * DAY)

/* clang-format off */
static const struct build_extension identity_rsa[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_ext_key_usage, "clientAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension identity_ec[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "clientAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension server_rsa[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension server_ec[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension host_rsa[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_ext_key_usage, "clientAuth,serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension host_ec[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "clientAuth,serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};

static const struct purpose {
    const char *word; /* in the journal */
    int64_t days_max;
    bool needs_host; /* a DNS name or address */
    const struct build_extension *rsa, *ec;
} purposes[] = {
    [PURPOSE_MDM_IDENTITY] = {"mdm-identity", 825, false, identity_rsa, identity_ec},
    [PURPOSE_SERVER_TLS] = {"server-tls", 397, true, server_rsa, server_ec},
    [PURPOSE_NETWORK] = {"network", 825, false, identity_rsa, identity_ec},
    [PURPOSE_NETWORK_HOST] = {"network-host", 397, true, host_rsa, host_ec},
};
/* clang-format on */

struct issue_request {
    int64_t authority;
    uint8_t purpose;
    struct bytes spki, serial;
    struct build_plan plan;
};

static bool issue_request_read(struct call *call, struct issue_request *out, struct err *err)
{
    struct reader *in = &call->in;
    void *owner = call->owner;
    out->authority = wire_get_i64(in);
    out->purpose = reader_u8(in);
    out->plan.common_name = wire_get_text(owner, in, NAME_MAX_SIZE);
    out->plan.organization = wire_get_text(owner, in, NAME_MAX_SIZE);
    out->plan.san_dns = wire_get_texts(owner, in, NAMES_MAX, NAME_MAX_SIZE);
    out->plan.san_ip = wire_get_texts(owner, in, NAMES_MAX, NAME_MAX_SIZE);
    out->plan.san_uri = wire_get_text(owner, in, NAME_MAX_SIZE);
    out->spki = wire_get_bytes(in, KEY_SPKI_MAX);
    out->serial = wire_get_bytes(in, sizeof(out->plan.serial));
    out->plan.not_before = wire_get_i64(in);
    out->plan.not_after = wire_get_i64(in);
    out->plan.crl_url = wire_get_text(owner, in, NAME_MAX_SIZE);
    out->plan.ocsp_url = wire_get_text(owner, in, NAME_MAX_SIZE);
    out->plan.issuer_url = wire_get_text(owner, in, NAME_MAX_SIZE);
    return call_read(call, err);
}

static bool serial_check(struct bytes serial, uint8_t out[16], struct err *err)
{
    if (serial.size != 16 || serial.data[0] & 0x80)
        return err_set(err, ERR_BAD_INPUT, "a serial number has 127 bits");
    unsigned zeros = 0;
    while (zeros < 16 && serial.data[zeros] == 0)
        zeros++;
    if (8 * (16 - zeros) < SERIAL_BITS_MIN)
        return err_set(err, ERR_BAD_INPUT, "a serial number has at least %d bits", SERIAL_BITS_MIN);
    memcpy(out, serial.data, 16);
    return true;
}

/* Clamp the validity to the purpose's limit; refuse what no clock error explains. */
static bool validity_check(const struct purpose *purpose, int64_t now, struct build_plan *plan,
                           struct err *err)
{
    if (plan->not_before < now - BACKDATE_MAX || plan->not_before > now + AHEAD_MAX)
        return err_set(err, ERR_BAD_INPUT, "the certificate would not begin now");
    if (plan->not_after <= plan->not_before || plan->not_after <= now)
        return err_set(err, ERR_BAD_INPUT, "the certificate would end before it begins");
    if (plan->not_after - plan->not_before > purpose->days_max * DAY)
        plan->not_after = plan->not_before + purpose->days_max * DAY;
    return true;
}

static bool plan_check(struct issue_request *request, int64_t now, struct err *err)
{
    struct build_plan *plan = &request->plan;
    struct key_facts facts;
    if (request->purpose == 0 || request->purpose >= COUNT(purposes))
        return err_set(err, ERR_FORBIDDEN, "no such purpose of a certificate");
    const struct purpose *purpose = &purposes[request->purpose];
    if (!plan->common_name || !*plan->common_name)
        return err_set(err, ERR_BAD_INPUT, "a certificate needs a common name");
    if (purpose->needs_host && !plan->san_dns[0] && !plan->san_ip[0])
        return err_set(err, ERR_BAD_INPUT, "a server certificate needs a name or an address");
    if (!key_check(request->spki, &facts, err) ||
        !serial_check(request->serial, plan->serial, err) ||
        !validity_check(purpose, now, plan, err))
        return false;
    plan->extensions = facts.kind == KEY_RSA ? purpose->rsa : purpose->ec;
    return true;
}

bool answer_issue(struct call *call, struct err *err)
{
    struct issue_request request = {0};
    const struct generation *current = vault_current(call->vault);
    if (!issue_request_read(call, &request, err) || !plan_check(&request, call->now, err))
        return false;
    if (request.authority != 0 && request.authority != current->number)
        return err_set(err, ERR_CONFLICT, "another authority issues now");
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = DER_READ(d2i_PUBKEY, request.spki);
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    request.plan.key = key;
    if (!vault_issue(call->vault, current, &request.plan, purposes[request.purpose].word, call->now,
                     &certificate, err))
        return false;
    wire_bytes(call->out, DER_OF(call->owner, i2d_X509, certificate));
    return true;
}

bool answer_ping(struct call *call, struct err *err)
{
    return call_read(call, err);
}

static void authority_write(const struct generation *generation, struct buffer *out)
{
    static const enum identity_name order[] = {
        IDENTITY_ROOT, IDENTITY_ISSUING, IDENTITY_REGISTRATION, IDENTITY_OCSP, IDENTITY_PROFILE};
    wire_i64(out, generation->number);
    wire_u8(out, (uint8_t)generation->role);
    wire_i64(out, generation->since);
    for (size_t i = 0; i < COUNT(order); i++)
        wire_bytes(out, generation->identities[order[i]].der);
}

bool answer_authority(struct call *call, struct err *err)
{
    const struct vault *vault = call->vault;
    if (!call_read(call, err))
        return false;
    wire_i64(call->out, vault->tls_number);
    wire_u32(call->out, (uint32_t)vault->generation_count);
    for (size_t i = 0; i < vault->generation_count; i++)
        authority_write(&vault->generations[i], call->out);
    return true;
}
