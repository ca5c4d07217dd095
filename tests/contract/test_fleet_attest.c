/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations weighed against what was asked and what the device says of itself. */
#include "fleet/attest.h"

#include "base/id.h"
#include "fleet/inventory.h"
#include "fleet/upkeep.h"
#include "pki/attestation.h"
#include "tests/contract/fleet_fixture.h"

#define DAY ((int64_t)86400)
#define ROOTS "/etc/muster/roots.pem" /* nobody reads it here */

static struct phone phone_as(struct fixture *f, size_t key, const char *udid, const char *serial,
                             enum platform platform)
{
    f->settings.attestation_ca_file = ROOTS;
    f->settings.integrity_seconds = 3 * DAY;
    struct phone phone = phone_certified(f, key, udid);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r3", f->now);
    struct device_claims claims = phone_claims(&phone);
    struct err err;
    claims.serial = serial;
    claims.platform = platform;
    claims.os_version = platform == PLATFORM_MACOS ? "14.5" : "17.5.1";
    assert_works(fleet_authenticate(f->fleet, &actor, &identity, &claims, &err), err);
    phone.device_id = phone_identity(f, &phone).device_id;
    assert_true(phone_activate(f, &phone));
    (void)phone_obey(f, &phone);
    return phone;
}

static struct phone ada(struct fixture *f)
{
    return phone_as(f, 0, "ADA", "F2LADA", PLATFORM_IOS);
}

/* The next command, which asks to attest this. */
static struct command asked(struct fixture *f, const struct phone *phone, struct bytes *nonce)
{
    struct command command = phone_fetch(f, phone);
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r3", f->now);
    struct err err;
    assert_non_null(command.id);
    assert_int_equal(command.kind, COMMAND_ATTEST);
    assert_works(
        fleet_attestation_nonce(f->fleet, &actor, f->owner, &identity, command.id, nonce, &err),
        err);
    assert_int_equal(nonce->size, ATTESTATION_NONCE_SIZE);
    return command;
}

static struct attestation proof_of(struct fixture *f, struct bytes nonce)
{
    return (struct attestation){.serial = mem_text(f->owner, "F2LADA"),
                                .udid = mem_text(f->owner, "ADA"),
                                .os_version = mem_text(f->owner, "17.5.1"),
                                .freshness = nonce,
                                .protection_off = ATTESTATION_UNTOLD,
                                .kernel_extensions = ATTESTATION_UNTOLD,
                                .made_at = f->now,
                                .expires_at = f->now + DAY};
}

static void answer_with(struct fixture *f, const struct phone *phone, const char *id,
                        const struct attestation_answer *answer)
{
    struct fact version = {.name = mem_text(f->owner, "os.version"),
                           .value = mem_text(f->owner, "17.5.1"),
                           .evidence = EVIDENCE_MEASURED,
                           .source = mem_text(f->owner, "test"),
                           .reported_at = f->now};
    const struct command_result result = {.command_id = id,
                                          .answer = ANSWER_DONE,
                                          .facts = &version,
                                          .fact_count = 1,
                                          .attestation = answer};
    assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
}

static void prove(struct fixture *f, const struct phone *phone, const char *id,
                  const struct attestation *proof)
{
    answer_with(f, phone, id, &(struct attestation_answer){.proof = proof});
}

static struct integrity integrity_of(struct fixture *f, const struct phone *phone)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct integrity integrity;
    struct err err;
    assert_works(
        fleet_integrity_get(f->fleet, &auditor, f->owner, phone->device_id, &integrity, &err), err);
    return integrity;
}

static void assert_state(struct fixture *f, const struct phone *phone, enum integrity_state state,
                         const char *says)
{
    struct integrity integrity = integrity_of(f, phone);
    if (integrity.state != (int)state || !strstr(integrity.reason, says))
        fail_msg("%s: %s", integrity_state_names[integrity.state], integrity.reason);
}

/* Asked and answered in one go, by a proof that the test has changed. */
static struct attestation order(struct fixture *f, const struct phone *phone, char **id)
{
    struct bytes nonce;
    (void)phone_order(f, phone, COMMAND_ATTEST);
    struct command command = asked(f, phone, &nonce);
    *id = command.id;
    return proof_of(f, nonce);
}

/* proves-partly: 4c-17 */
static void a_proof_of_what_was_asked_makes_a_device_attested(void **state)
{
    struct fixture *f = *state;
    char *id;
    struct phone phone = ada(f);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "Nothing was reported");
    struct attestation proof = order(f, &phone, &id);
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_ATTESTED, "the serial number F2LADA and the version 17.5.1");
    assert_int_equal(integrity_of(f, &phone).counts_until, f->now + 3 * DAY);
    assert_int_equal(fixture_events(f, "device.attested"), 1);
    proof = order(f, &phone, &id);
    prove(f, &phone, id, &proof);
    assert_int_equal(fixture_events(f, "device.attested"), 1);
}

/* proves-partly: 4c-17 */
static void what_does_not_fit_is_told_once_and_is_never_fine(void **state)
{
    struct fixture *f = *state;
    char *id;
    struct phone phone = ada(f);
    struct attestation proof = order(f, &phone, &id);
    proof.serial = mem_text(f->owner, "F2LEVE");
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_COMPROMISED, "the serial number F2LEVE, the device says");
    proof = order(f, &phone, &id);
    proof.udid = mem_text(f->owner, "EVE");
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_COMPROMISED, "the UDID EVE, the device says ADA");
    /* what proves nothing does not clear it; what proves something does */
    (void)order(f, &phone, &id);
    answer_with(f, &phone, id, &(struct attestation_answer){.problem = "it is no certificate"});
    assert_state(f, &phone, INTEGRITY_COMPROMISED, "the UDID EVE, the device says ADA");
    assert_int_equal(fixture_events(f, "device.attestation_failed"), 2);
    proof = order(f, &phone, &id);
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_ATTESTED, "F2LADA");
    proof = order(f, &phone, &id);
    proof.serial = NULL;
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "names no serial number");
    proof = order(f, &phone, &id);
    proof.os_version = mem_text(f->owner, "17.5");
    prove(f, &phone, id, &proof);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "attests the version 17.5, the device says 17.5.1");
    assert_int_equal(fixture_events(f, "device.attestation_failed"), 4);
    proof = order(f, &phone, &id);
    proof.os_version = mem_text(f->owner, "17.5");
    prove(f, &phone, id, &proof);
    assert_int_equal(fixture_events(f, "device.attestation_failed"), 4);
    (void)order(f, &phone, &id);
    answer_with(f, &phone, id, &(struct attestation_answer){.problem = "it has expired"});
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "The attestation proves nothing: it has expired.");
    assert_int_equal(fixture_events(f, "device.attestation_failed"), 5);
}

static void an_answer_counts_for_a_week_and_for_its_device_alone(void **state)
{
    struct fixture *f = *state;
    char *id;
    struct phone phone = ada(f), eve = phone_as(f, 1, "EVE", "F2LEVE", PLATFORM_IOS);
    struct attestation first = order(f, &phone, &id);
    int64_t asked_at = f->now;
    prove(f, &phone, id, &first);
    /* Eve shows hers with what Ada was asked */
    struct attestation stolen = order(f, &eve, &id);
    stolen.serial = mem_text(f->owner, "F2LEVE");
    stolen.udid = mem_text(f->owner, "EVE");
    stolen.freshness = first.freshness;
    prove(f, &eve, id, &stolen);
    assert_state(f, &eve, INTEGRITY_UNKNOWN, "this device was not asked");
    first.os_version = mem_text(f->owner, "17.4"); /* it was updated since: no contradiction */
    f->now = asked_at + ATTESTATION_NONCE_SECONDS;
    (void)order(f, &phone, &id);
    prove(f, &phone, id, &first);
    assert_state(f, &phone, INTEGRITY_ATTESTED, "17.4");
    f->now += 1;
    (void)order(f, &phone, &id);
    prove(f, &phone, id, &first);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "too long ago");
    first.freshness = NO_BYTES;
    (void)order(f, &phone, &id);
    prove(f, &phone, id, &first);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "this device was not asked");
}

static void a_command_asks_for_the_same_for_a_day(void **state)
{
    struct fixture *f = *state;
    struct bytes first, again, later;
    struct phone phone = ada(f);
    (void)phone_order(f, &phone, COMMAND_ATTEST);
    struct command command = asked(f, &phone, &first);
    f->now += DAY - 1;
    assert_string_equal(asked(f, &phone, &again).id, command.id);
    assert_true(bytes_equal(first, again));
    f->now += 1;
    assert_string_equal(asked(f, &phone, &later).id, command.id);
    assert_false(bytes_equal(first, later));
    /* what the device was asked first is an answer, too */
    struct attestation proof = proof_of(f, first);
    prove(f, &phone, command.id, &proof);
    assert_state(f, &phone, INTEGRITY_ATTESTED, "F2LADA");
}

static void no_answer_leaves_the_last_verdict_to_its_age(void **state)
{
    struct fixture *f = *state;
    char *id;
    struct phone phone = ada(f);
    (void)order(f, &phone, &id);
    answer_with(f, &phone, id, NULL);
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "was asked to attest and did not");
    struct attestation proof = order(f, &phone, &id);
    prove(f, &phone, id, &proof);
    f->now += 2 * DAY;
    (void)order(f, &phone, &id);
    answer_with(f, &phone, id, NULL);
    assert_state(f, &phone, INTEGRITY_ATTESTED, "F2LADA");
    f->now += DAY;
    assert_state(f, &phone, INTEGRITY_UNKNOWN, "too old");
}

static void a_mac_has_another_udid_and_tells_its_protection(void **state)
{
    struct fixture *f = *state;
    char *id;
    struct phone mac = phone_as(f, 0, "MAC", "F2LADA", PLATFORM_MACOS);
    struct attestation proof = order(f, &mac, &id);
    proof.os_version = NULL;
    proof.enclave_version = mem_text(f->owner, "14.5");
    proof.protection_off = 0;
    proof.secure_boot = mem_text(f->owner, "Full Security");
    prove(f, &mac, id, &proof);
    assert_state(f, &mac, INTEGRITY_ATTESTED, "the version 14.5");
    struct attestation off = order(f, &mac, &id);
    off.os_version = NULL;
    off.protection_off = 1;
    prove(f, &mac, id, &off);
    assert_state(f, &mac, INTEGRITY_WEAKENED, "System Integrity Protection is off");
    struct attestation open = order(f, &mac, &id);
    open.os_version = NULL;
    open.secure_boot = mem_text(f->owner, "Permissive Security");
    prove(f, &mac, id, &open);
    assert_state(f, &mac, INTEGRITY_WEAKENED, "starts with Permissive Security");
    (void)order(f, &mac, &id);
    answer_with(f, &mac, id, &(struct attestation_answer){.problem = "it is no certificate"});
    assert_state(f, &mac, INTEGRITY_WEAKENED, "starts with Permissive Security");
}

static void only_who_can_attest_is_asked_and_only_with_a_root(void **state)
{
    struct fixture *f = *state;
    struct command command;
    struct bytes nonce;
    int64_t again_at = 0;
    struct err err;
    struct phone phone = ada(f);
    f->settings.attestation_ca_file = "";
    assert_fails(phone_order_try(f, &phone, COMMAND_ATTEST, NULL, &command, &err), err,
                 ERR_PRECONDITION);
    assert_non_null(strstr(err.remedy, "attestation_ca_file"));
    assert_works(fleet_inventory_refresh(f->fleet, phone.enrolment_id, f->now, &again_at, &err),
                 err);
    while ((command = phone_fetch(f, &phone)).id) {
        assert_int_not_equal(command.kind, COMMAND_ATTEST);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    }
    f->settings.attestation_ca_file = ROOTS;
    assert_works(fleet_inventory_refresh(f->fleet, phone.enrolment_id, f->now, &again_at, &err),
                 err);
    while ((command = phone_fetch(f, &phone)).kind != COMMAND_ATTEST || !command.id) {
        assert_non_null(command.id);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    }
    assert_string_equal(asked(f, &phone, &nonce).id, command.id);
    assert_non_null(fleet_attestation_refuses(PLATFORM_IOS, "15.8.2"));
    assert_null(fleet_attestation_refuses(PLATFORM_IOS, "16.0"));
    assert_non_null(fleet_attestation_refuses(PLATFORM_IPADOS, "16.0"));
    assert_non_null(fleet_attestation_refuses(PLATFORM_MACOS, "13.6"));
    assert_null(fleet_attestation_refuses(PLATFORM_MACOS, "14.0"));
    assert_null(fleet_attestation_refuses(PLATFORM_IOS, NULL));
}

static void what_was_asked_is_not_kept_for_ever(void **state)
{
    struct fixture *f = *state;
    struct bytes nonce;
    struct phone phone = ada(f);
    struct err err;
    (void)phone_order(f, &phone, COMMAND_ATTEST);
    (void)asked(f, &phone, &nonce);
    for (int late = 0; late <= 1; late++) {
        int64_t removed = 0;
        f->now += late ? 1 : ATTESTATION_NONCE_SECONDS;
        for (size_t rule = 0; rule < fleet_prune_rules(); rule++) {
            struct pruned pruned;
            assert_works(fleet_prune(f->fleet, rule, f->now, &pruned, &err), err);
            if (strcmp(pruned.what, "nonces") == 0)
                removed = pruned.count;
        }
        assert_int_equal(removed, late);
    }
}

/* proves-partly: 4c-17 */
static void a_contradiction_of_version_and_build_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = ada(f);
    phone_report(f, &phone, FACT_OS_PLAUSIBLE, "true", EVIDENCE_MEASURED);
    assert_int_equal(fixture_events(f, "device.implausible"), 0);
    phone_report(f, &phone, FACT_OS_PLAUSIBLE, "false", EVIDENCE_MEASURED);
    phone_report(f, &phone, FACT_OS_PLAUSIBLE, "false", EVIDENCE_MEASURED);
    assert_int_equal(fixture_events(f, "device.implausible"), 1);
    phone_report(f, &phone, FACT_OS_PLAUSIBLE, "true", EVIDENCE_MEASURED);
    phone_report(f, &phone, FACT_OS_PLAUSIBLE, "false", EVIDENCE_MEASURED);
    assert_int_equal(fixture_events(f, "device.implausible"), 2);
}

FLEET_MAIN(FLEET_TEST(a_proof_of_what_was_asked_makes_a_device_attested),
           FLEET_TEST(what_does_not_fit_is_told_once_and_is_never_fine),
           FLEET_TEST(an_answer_counts_for_a_week_and_for_its_device_alone),
           FLEET_TEST(a_command_asks_for_the_same_for_a_day),
           FLEET_TEST(no_answer_leaves_the_last_verdict_to_its_age),
           FLEET_TEST(a_mac_has_another_udid_and_tells_its_protection),
           FLEET_TEST(only_who_can_attest_is_asked_and_only_with_a_root),
           FLEET_TEST(what_was_asked_is_not_kept_for_ever),
           FLEET_TEST(a_contradiction_of_version_and_build_is_told_once))
