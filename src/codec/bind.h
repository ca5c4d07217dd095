/* SPDX-License-Identifier: Apache-2.0 */
/* What binding by field table shares between plist and JSON. Only codec/ uses this. */
#pragma once

#include "base/field.h"

/* Bytes of the target that the rows cover, from its start. */
size_t fields_span(struct fields fields);
/* False with err->where "/<name>" when a required row is not in `present`. */
MUST_CHECK bool fields_complete(struct fields fields, uint64_t present, struct err *err);
/* A name of an enumeration; err names the choices. */
MUST_CHECK bool field_choose(const struct field *field, const char *name, int *out,
                             struct err *err);
/* err->where = "/<name>", escaped as a JSON pointer (RFC 6901 3). Returns false. */
bool err_at_key(struct err *err, const char *name);
