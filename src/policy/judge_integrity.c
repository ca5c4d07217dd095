/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that the hardware of a device must attest it. */
#include "base/mem.h"
#include "base/text.h"
#include "policy/judge.h"

static const char no_evidence[] =
    "Not attested: there is no evidence from the hardware that the device is intact.";

/* Why not, where something is known of it. */
static const char *not_attested(const struct judging *judging, const struct integrity *integrity,
                                const struct fact *fact)
{
    bool is_told = integrity->state == INTEGRITY_CLAIMED || integrity->state == INTEGRITY_UNKNOWN;
    if (!is_told || !integrity->source ||
        (fact && fact->evidence < EVIDENCE_ATTESTED && text_equal(fact->value, "intact")))
        return no_evidence;
    return mem_format(judging->owner, "Not attested: %s", integrity->reason);
}

void judge_integrity(struct judging *judging)
{
    const struct comply_input *input = judging->input;
    const struct fact *fact = judge_fact(judging, FACT_INTEGRITY);
    struct comply_result *result = judging->result;
    struct integrity integrity;
    policy_integrity(judging->owner, input->facts, input->fact_count, 0, input->now, &integrity);
    result->expected = "attested as intact";
    result->actual =
        integrity.state == INTEGRITY_CLAIMED ? "claimed, not attested" : "not attested";
    switch ((enum integrity_state)integrity.state) {
    case INTEGRITY_COMPROMISED:
        result->actual = "compromised";
        judge_broken(judging, fact, integrity.reason,
                     "Hand the device in: it has to be erased and set up again.");
        return;
    case INTEGRITY_WEAKENED:
        result->actual = "weakened";
        judge_broken(judging, fact, integrity.reason,
                     "Switch on again what protects the system; on a Mac in its recovery.");
        return;
    case INTEGRITY_ATTESTED:
        result->actual = "attested as intact";
        judge_met(judging, fact, integrity.reason);
        return;
    case INTEGRITY_CLAIMED:
    case INTEGRITY_UNKNOWN:
        judge_unknown_with(judging, fact, not_attested(judging, &integrity, fact),
                           "Use this rule only for devices that can attest their integrity.");
        return;
    }
    bug("integrity %d", integrity.state);
}
