/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/attest.h"

#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "model/device.h"
#include "model/platform.h"
#include "pki/attestation.h"
#include "policy/version.h"
#include "store/store.h"

#define SOURCE "DevicePropertiesAttestation"
#define SAME_NONCE_SECONDS (24 * 3600) /* a device that fetches the command again */
#define FACTS_MOST 16                  /* that one attestation makes */

/* ---- asking ---- */

static const struct {
    const char *since, *says;
} systems[PLATFORM_COUNT] = {
    [PLATFORM_IOS] = {"16", "The device attests from iOS 16 on."},
    [PLATFORM_IPADOS] = {"16.1", "The device attests from iPadOS 16.1 on."},
    [PLATFORM_MACOS] = {"14", "The device attests from macOS 14 on."},
};

const char *fleet_attestation_refuses(int platform, const char *os_version)
{
    int order = 0;
    bool is_older = version_compare(os_version, systems[platform].since, &order) && order < 0;
    return is_older ? systems[platform].says : NULL;
}

static bool is_wanted(const struct fleet *fleet)
{
    const char *path = fleet->settings->attestation_ca_file;
    return path && *path;
}

bool attestation_wanted(const struct fleet *fleet, struct err *err)
{
    if (is_wanted(fleet))
        return true;
    (void)err_set(err, ERR_PRECONDITION,
                  "no root is configured that attestations could be verified with");
    err->remedy = "set attestation_ca_file in the section apple of musterd.conf";
    return false;
}

static bool device_get(struct db *db, void *owner, const char *id, struct device *out,
                       struct err *err)
{
    const struct want want = {"device", device_fields};
    return store_get(db, owner, ASK(DEVICE_BY_ID, TEXT(id)), want, out, err);
}

bool attestation_ask(struct db *tx, const struct attest_wish *wish, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct device device = {0};
    if (!is_wanted(wish->fleet))
        return true;
    if (!device_get(tx, owner, wish->device_id, &device, err))
        return false;
    return fleet_attestation_refuses(device.platform, device.os_version) ||
           query_add(tx, wish->enrolment_id, COMMAND_ATTEST, wish->now, err);
}

/* ---- what is asked ---- */

struct asking_for {
    const char *device_id, *command_id;
    uint8_t nonce[ATTESTATION_NONCE_SIZE];
    int64_t now;
};

static bool nonce_run(struct db *tx, void *context, struct err *err)
{
    const struct asking_for *a = context;
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    return store_change(tx,
                        ASK(ATTESTATION_NONCE_INSERT, TEXT(id), TEXT(a->device_id),
                            TEXT(a->command_id), BYTES(BYTES_OF(a->nonce)), INTEGER(a->now)),
                        NULL, err);
}

bool fleet_attestation_nonce(struct fleet *fleet, const struct actor *actor, void *owner,
                             const struct identity *identity, const char *command_id,
                             struct bytes *out, struct err *err)
{
    struct rows *rows = NULL;
    struct asking_for asking = {
        .device_id = identity->device_id, .command_id = command_id, .now = actor->now};
    if (!store_rows(fleet->db, owner,
                    ASK(ATTESTATION_NONCE_OF_COMMAND, TEXT(identity->device_id), TEXT(command_id),
                        INTEGER(actor->now - SAME_NONCE_SECONDS)),
                    &rows, err))
        return false;
    if (rows->count > 0) {
        *out = rows_value(rows, 0, "nonce")->bytes;
        return true;
    }
    const struct change change = {.actor = actor, .work = nonce_run, .context = &asking};
    random_bytes(asking.nonce, sizeof(asking.nonce));
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = bytes_copy(owner, BYTES_OF(asking.nonce));
    return true;
}

/* ---- the verdict ---- */

struct verdict {
    const char *state, *reason;
    enum evidence evidence;
};

struct weighing {
    const struct attesting *a;
    const struct attestation *proof;
    struct device device;
    const struct fact *known; /* before this answer */
    size_t known_count;
    struct verdict verdict;
};

static bool decide(struct weighing *w, const char *state, const char *reason)
{
    bool is_proof = strcmp(state, "intact") == 0 || strcmp(state, "weakened") == 0;
    w->verdict = (struct verdict){state, reason, is_proof ? EVIDENCE_ATTESTED : EVIDENCE_MEASURED};
    return true;
}

static const char *value_of(const struct fact *facts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(facts[i].name, name))
            return facts[i].value;
    return NULL;
}

/* Another one than the device says it is. What the maker leaves out (of an account on somebody's
 * own device, both) cannot differ. A Mac's own UDID is not the one that it is managed by. */
static bool names_another(struct weighing *w)
{
    const struct attestation *proof = w->proof;
    const struct device *device = &w->device;
    void *owner = w->a->owner;
    if (proof->serial && device->serial && !text_equal(proof->serial, device->serial))
        return decide(w, "compromised",
                      mem_format(owner,
                                 "The hardware that attests has the serial number %s, the device "
                                 "says %s: it shows the attestation of another one.",
                                 proof->serial, device->serial));
    return device->platform != PLATFORM_MACOS && proof->udid && device->udid &&
           !text_equal(proof->udid, device->udid) &&
           decide(w, "compromised",
                  mem_format(owner,
                             "The hardware that attests has the UDID %s, the device says %s: it "
                             "shows the attestation of another one.",
                             proof->udid, device->udid));
}

static bool names_nobody(struct weighing *w)
{
    if (w->a->identity->mode == MODE_ACCOUNT)
        return false;
    return (!w->proof->serial && decide(w, "unproven",
                                        "The attestation names no serial number: it could be of "
                                        "any device.")) ||
           (!w->device.serial &&
            decide(w, "unproven", "The device never told its serial number to compare."));
}

/* asked_at 0: never */
static bool is_stale(struct weighing *w, int64_t asked_at)
{
    void *owner = w->a->owner;
    if (asked_at == 0)
        return decide(w, "unproven",
                      "The attestation answers something that this device was not asked; a new one "
                      "can be had within seven days.");
    return w->a->now - asked_at > ATTESTATION_NONCE_SECONDS &&
           decide(w, "unproven",
                  mem_format(owner, "The attestation answers what was asked at %s: too long ago.",
                             time_text(owner, asked_at)));
}

/* Only what answers this very command is of the same moment as the rest of the answer. */
static bool runs_another_system(struct weighing *w, const char *asked_by)
{
    const struct command_result *result = w->a->result;
    const char *told = value_of(result->facts, result->fact_count, "os.version");
    int order = 0;
    return text_equal(asked_by, result->command_id) &&
           version_compare(told, w->proof->os_version, &order) && order != 0 &&
           decide(w, "unproven",
                  mem_format(w->a->owner,
                             "The hardware attests the version %s, the device says %s.",
                             w->proof->os_version, told));
}

static bool is_weakened(struct weighing *w)
{
    const struct attestation *proof = w->proof;
    if (proof->protection_off > 0)
        return decide(w, "weakened",
                      "The hardware attests that System Integrity Protection is off.");
    return proof->secure_boot && !text_equal(proof->secure_boot, "Full Security") &&
           decide(w, "weakened",
                  mem_format(w->a->owner, "The hardware attests that it starts with %s.",
                             proof->secure_boot));
}

static void be_intact(struct weighing *w)
{
    const struct attestation *proof = w->proof;
    void *owner = w->a->owner;
    const char *version = proof->os_version ? proof->os_version : proof->enclave_version;
    (void)decide(w, "intact",
                 mem_format(owner, "The hardware attests %s%s%s%s.",
                            proof->serial ? "the serial number " : "a device that it does not name",
                            proof->serial ? proof->serial : "", version ? " and the version " : "",
                            version ? version : ""));
}

static bool proof_weigh(struct db *tx, struct weighing *w, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, w->a->owner,
                    ASK(ATTESTATION_NONCE_FIND, TEXT(w->a->identity->device_id),
                        BYTES(w->proof->freshness)),
                    &rows, err))
        return false;
    int64_t asked_at = rows->count > 0 ? rows_integer(rows, 0, "asked_at") : 0;
    const char *asked_by = rows->count > 0 ? rows_text(rows, 0, "command_id") : NULL;
    if (!names_another(w) && !names_nobody(w) && !is_stale(w, asked_at) &&
        !runs_another_system(w, asked_by) && !is_weakened(w))
        be_intact(w);
    return true;
}

/* ---- as facts and events ---- */

struct list_of_facts {
    const struct weighing *weighing;
    struct fact *facts;
    size_t count;
};

static void put(struct list_of_facts *list, const char *name, const char *value)
{
    const struct weighing *w = list->weighing;
    void *owner = w->a->owner;
    if (value)
        list->facts[list->count++] = (struct fact){.name = mem_text(owner, name),
                                                   .value = mem_text(owner, value),
                                                   .evidence = (int)w->verdict.evidence,
                                                   .source = mem_text(owner, SOURCE),
                                                   .reported_at = w->a->now};
}

static const char *truth(bool is_true)
{
    return is_true ? "true" : "false";
}

static void properties_put(struct list_of_facts *list)
{
    const struct attestation *proof = list->weighing->proof;
    void *owner = list->weighing->a->owner;
    put(list, "integrity.serial", proof->serial);
    put(list, "integrity.os_version", proof->os_version);
    put(list, "integrity.enclave_version", proof->enclave_version);
    put(list, "integrity.loader_version", proof->loader_version);
    put(list, "integrity.update_device", proof->update_device);
    put(list, "integrity.secure_boot", proof->secure_boot);
    if (proof->protection_off != ATTESTATION_UNTOLD)
        put(list, "integrity.system_protection", truth(proof->protection_off == 0));
    if (proof->kernel_extensions != ATTESTATION_UNTOLD)
        put(list, "integrity.kernel_extensions", truth(proof->kernel_extensions != 0));
    put(list, "integrity.certificate_sha256", proof->sha256);
    put(list, "integrity.attested_at", time_text(owner, proof->made_at));
}

static bool tell(struct db *tx, const struct weighing *w, struct err *err)
{
    const struct verdict *verdict = &w->verdict;
    const char *device_id = w->a->identity->device_id;
    const char *state = value_of(w->known, w->known_count, FACT_INTEGRITY);
    const char *reason = value_of(w->known, w->known_count, FACT_INTEGRITY_REASON);
    bool is_intact = strcmp(verdict->state, "intact") == 0;
    bool is_same =
        text_equal(state, verdict->state) && (is_intact || text_equal(reason, verdict->reason));
    return is_same ||
           event_add(
               tx, is_intact ? "device.attested" : "device.attestation_failed", device_id,
               json_pairs(w->a->owner, "state", verdict->state, "reason", verdict->reason, NULL),
               w->a->now, err);
}

static bool weighing_load(struct db *tx, struct weighing *w, struct err *err)
{
    void *known = NULL;
    const char *id = w->a->identity->device_id;
    if (!device_get(tx, w->a->owner, id, &w->device, err) ||
        !store_list(tx, w->a->owner, ASK(FACT_LIST, TEXT(id)), fact_fields, sizeof(struct fact),
                    &known, &w->known_count, err))
        return false;
    w->known = known;
    return true;
}

/* What says nothing takes back neither what the hardware proved nor what it was caught at. */
static bool is_overruled(const struct weighing *w)
{
    const char *known = value_of(w->known, w->known_count, FACT_INTEGRITY);
    return strcmp(w->verdict.state, "unproven") == 0 &&
           (text_equal(known, "compromised") || text_equal(known, "weakened"));
}

/* False: nothing is decided, what was known stands. */
static bool answer_weigh(struct db *tx, struct weighing *w, bool *decided, struct err *err)
{
    const struct attestation_answer *answer = w->a->result->attestation;
    *decided = true;
    if (answer && answer->proof) {
        w->proof = answer->proof;
        return proof_weigh(tx, w, err);
    }
    if (answer)
        return decide(
            w, "unproven",
            mem_format(w->a->owner, "The attestation proves nothing: %s.", answer->problem));
    *decided = !value_of(w->known, w->known_count, FACT_INTEGRITY);
    return decide(w, "unanswered",
                  "The device was asked to attest and did not: its hardware cannot, or its maker "
                  "was out of reach.");
}

bool attestation_weigh(struct db *tx, const struct attesting *attesting, const struct fact **facts,
                       size_t *count, struct err *err)
{
    struct weighing weighing = {.a = attesting};
    bool decided = false;
    if (!weighing_load(tx, &weighing, err) || !answer_weigh(tx, &weighing, &decided, err))
        return false;
    if (!decided || is_overruled(&weighing))
        return true;
    struct list_of_facts list = {
        &weighing, mem_array(attesting->owner, struct fact, *count + FACTS_MOST), *count};
    for (size_t i = 0; i < *count; i++)
        list.facts[i] = (*facts)[i];
    put(&list, FACT_INTEGRITY, weighing.verdict.state);
    put(&list, FACT_INTEGRITY_REASON, weighing.verdict.reason);
    if (weighing.verdict.evidence == EVIDENCE_ATTESTED)
        properties_put(&list);
    *facts = list.facts;
    *count = list.count;
    return tell(tx, &weighing, err);
}

/* ---- for people ---- */

bool fleet_integrity_get(struct fleet *fleet, const struct actor *actor, void *owner,
                         const char *device_id, struct integrity *out, struct err *err)
{
    void *facts = NULL;
    size_t count = 0;
    if (!fleet_need(actor, "device.read", err) ||
        !store_list(fleet->db, owner, ASK(FACT_LIST, TEXT(device_id)), fact_fields,
                    sizeof(struct fact), &facts, &count, err))
        return false;
    policy_integrity(owner, facts, count, fleet->settings->integrity_seconds, actor->now, out);
    return true;
}
