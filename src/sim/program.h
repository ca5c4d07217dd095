/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of muster-sim. Each fills `result`, which main prints as one JSON line. */
#pragma once

#include "codec/json.h"
#include "sim/options.h"

/* Each: false with err filled when it failed; result shows how far it came. */
bool apple_enrol(const struct options *options, json_t *result, struct err *err);
bool apple_checkin(const struct options *options, json_t *result, struct err *err);
bool apple_set(const struct options *options, json_t *result, struct err *err);
bool apple_show(const struct options *options, json_t *result, struct err *err);
bool apple_user(const struct options *options, json_t *result, struct err *err);
bool apple_bootstrap_token(const struct options *options, json_t *result, struct err *err);
bool apple_check_out(const struct options *options, json_t *result, struct err *err);
bool apple_serve(const struct options *options, json_t *result, struct err *err);
bool apple_load(const struct options *options, json_t *result, struct err *err);
bool apple_hold(const struct options *options, json_t *result, struct err *err);
bool enrolment_service_serve(const struct options *options, json_t *result, struct err *err);
bool enrolment_service_authority(const struct options *options, json_t *result, struct err *err);
bool enrolment_service_token(const struct options *options, json_t *result, struct err *err);
bool attestation_authority(const struct options *options, json_t *result, struct err *err);
bool keys_make(const struct options *options, json_t *result, struct err *err);
bool apns_serve(const struct options *options, json_t *result, struct err *err);
bool apns_authority(const struct options *options, json_t *result, struct err *err);
bool apns_sign(const struct options *options, json_t *result, struct err *err);

/* One JSON line on standard output, at once: for programs that run on. */
void line_print(const json_t *value);
/* {"error", "kind", "where"} into an object. */
void error_show(json_t *object, const struct err *err);
/* SIGINT and SIGTERM set this process-wide flag once watched. */
void stop_watch(void);
bool stop_asked(void);
