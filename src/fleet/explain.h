/* SPDX-License-Identifier: Apache-2.0 */
/* Decision records as JSON: what the database keeps and every surface shows. */
#pragma once

#include "policy/comply.h"

/*
 * [{"setting","title","state","value","rule","winner":{"policy","name","revision","kind","band","value"},
 *   "losers":[...],"dropped":[{...,"reason"}]}], by setting. Belongs to owner.
 */
char *decisions_json(void *owner, const struct resolution *resolution);
/*
 * [{"name","state","expected","actual","reason","remedy","policy","policy_name","revision","since",
 *   "grace_until","evidence":{"fact","value","evidence","source","reported_at"}}]; times as seconds
 * are written as RFC 3339. Belongs to owner.
 */
char *compliance_json(void *owner, const struct compliance *compliance);
/* What compliance_json wrote, as far as the next evaluation needs it. */
MUST_CHECK bool compliance_previous(void *owner, const char *text, struct comply_previous **out,
                                    size_t *count, struct err *err);
