/* SPDX-License-Identifier: Apache-2.0 */
/* One rule of a compliance policy against the facts: what comply.c asks of each kind of rule. */
#pragma once

#include "policy/comply.h"

/* The evaluation of one rule; `result` has its rule and name, the judge fills the rest but the
 * times. Texts belong to owner. */
struct judging {
    void *owner;
    const struct comply_input *input;
    const struct comply_rule *rule;
    struct comply_result *result;
    const struct fact *oldest; /* of the facts that were looked at */
    int64_t recheck_at;        /* when time alone can change the answer; 0 = never */
};

/* The fact to rely on when several sources reported it: best evidence, then the latest. Ask only
 * for what the verdict rests on: the oldest of them decides how long it holds. */
const struct fact *judge_fact(struct judging *judging, const char *name);
/* 1 true, 0 false, -1 missing or neither. */
int judge_truth(const struct fact *fact);
/* "iOS", for sentences. */
const char *judge_platform(const struct judging *judging);

/* Each fills state and texts. Met by a fact below EVIDENCE_MEASURED, or by one that is too old,
 * becomes unknown. */
void judge_met(struct judging *judging, const struct fact *fact, const char *reason);
void judge_broken(struct judging *judging, const struct fact *fact, const char *reason,
                  const char *remedy);
void judge_unknown(struct judging *judging, const struct fact *fact, const char *reason);
void judge_unknown_with(struct judging *judging, const struct fact *fact, const char *reason,
                        const char *remedy);
void judge_not_applicable(struct judging *judging, const char *reason);
/* The rule itself makes no sense. */
void judge_error(struct judging *judging, const char *reason);

/* COMPLY_SETTING, COMPLY_INTEGRITY */
void judge_setting(struct judging *judging);
void judge_integrity(struct judging *judging);
