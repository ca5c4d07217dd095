/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that are more than one request; each returns the exit code. */
#pragma once

#include "cli/cli.h"

/* login.c */
int login_run(struct cli *cli);
int logout_run(struct cli *cli);
int account_password_run(struct cli *cli);
/* choose.c */
int context_list_run(struct cli *cli);
int context_use_run(struct cli *cli);
/* wipe.c */
int device_wipe_run(struct cli *cli);
/* explain.c */
int explain_run(struct cli *cli);
/* lists.c: lists that a device narrows */
int command_list_run(struct cli *cli);
int certificate_list_run(struct cli *cli);
int certificate_requests_run(struct cli *cli);
int event_list_run(struct cli *cli);
int device_things_run(struct cli *cli);
/* trace.c */
int certificate_trace_run(struct cli *cli);
/* setting.c */
int setting_list_run(struct cli *cli);
int setting_get_run(struct cli *cli);
/* policy.c */
int policy_create_run(struct cli *cli);
int policy_edit_run(struct cli *cli);
int policy_assign_run(struct cli *cli);
/* push.c */
int push_import_run(struct cli *cli);
/* service.c */
int service_import_run(struct cli *cli);
int service_sync_run(struct cli *cli);
int service_profile_run(struct cli *cli);
/* doctor.c */
int doctor_run(struct cli *cli);
/* How long before its end a device's certificate is worth a warning. */
int64_t doctor_warn_seconds(int64_t not_before, int64_t not_after);
int audit_verify_run(struct cli *cli);
int version_run(struct cli *cli);

/* plain.c: what a row of commands.c says */
int plain_run(struct cli *cli);
