/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/renewal.h"

#include "pki/digest.h"

size_t renewals_look(struct fixture *f)
{
    size_t count;
    struct err err;
    assert_works(fleet_renewals_queue(f->fleet, f->now, 100, &count, &err), err);
    return count;
}

/* To the moment that is planned for this phone, and let the job look. */
void renewal_until_due(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    f->now = renewal_planned_at(&f->settings, identity.enrolment_id, identity.not_before,
                                identity.not_after);
    (void)renewals_look(f);
}

struct rows *phone_certificates(struct fixture *f, const struct phone *phone)
{
    return fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone->enrolment_id)));
}

struct enrolment_start renewal_start(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct enrolment_start start;
    char *topic;
    struct err err;
    assert_works(fleet_renewal_start(f->fleet, &actor, f->owner, &identity, &start, &topic, &err),
                 err);
    assert_string_equal(topic, phone->topic);
    return start;
}

/* The phone with the certificate that its renewal brought. */
struct phone phone_certified_again(struct fixture *f, const struct phone *phone, size_t key)
{
    struct phone renewed = *phone;
    renewed.start = renewal_start(f, phone);
    struct certificate_asked asked = fixture_asked(f, &renewed.start, key);
    struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    renewed.der = issued.der;
    digest_sha256(issued.der, renewed.sha256);
    return renewed;
}

bool phone_activate_at(struct fixture *f, const struct phone *phone, const char *token)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {
        .topic = phone->topic, .token = bytes_text(token), .magic = bytes_text("magic")};
    bool first;
    struct err err;
    assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
    return first;
}

/* What the room does with everything that is no check-in. */
void phone_speaks(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_identity_used(f->fleet, &actor, &identity, &err), err);
}

void phone_is_good(struct fixture *f, const struct phone *phone, bool wanted)
{
    assert_int_equal(phone_identity(f, phone).certificate_state,
                     wanted ? CERTIFICATE_ISSUED : CERTIFICATE_REVOKED);
}

struct command phone_fetch_renewal(struct fixture *f, const struct phone *phone)
{
    struct command command = phone_fetch(f, phone);
    assert_non_null(command.id);
    assert_int_equal(command.kind, COMMAND_RENEW_IDENTITY);
    return command;
}

struct command phone_ask_renewal(struct fixture *f, const struct phone *phone)
{
    (void)phone_order(f, phone, COMMAND_RENEW_IDENTITY);
    return phone_fetch_renewal(f, phone);
}
