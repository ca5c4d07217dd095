/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The people who carry devices: made, edited, disabled; and whose a device is.  A user is never
 * deleted: devices and the audit log name it.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/device.h"
#include "model/user.h"

/* text: part of a name or mail address, or NULL. Permission user.read. */
MUST_CHECK bool fleet_user_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                const char *text, const struct page *page, struct list *out,
                                struct err *err);
/* By id, name, mail address or Apple account. ERR_NOT_FOUND. Permission user.read. */
MUST_CHECK bool fleet_user_get(struct fleet *fleet, const struct actor *actor, void *owner,
                               const char *which, struct user *out, struct err *err);
/* wish: name, full_name, mail, apple_account; *password is for the first sign-in, shown this once.
 * ERR_CONFLICT: name, address or account is another's. Permission user.write. */
MUST_CHECK bool fleet_user_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct user *wish, struct user *out, char **password,
                                  struct err *err);
/* What is NULL stays; an empty text (but for the name) goes. Permission user.write. */
MUST_CHECK bool fleet_user_edit(struct fleet *fleet, const struct actor *actor, void *owner,
                                const char *which, const struct user *wish, struct user *out,
                                struct err *err);
/* ERR_PRECONDITION when it is so already. A disabled person enrols no device; those that there are
 * stay managed. Permission user.write. */
MUST_CHECK bool fleet_user_disable(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *which, struct user *out, struct err *err);
MUST_CHECK bool fleet_user_enable(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const char *which, struct user *out, struct err *err);
/* Another one-time password, shown this once. Permission user.password. */
MUST_CHECK bool fleet_user_reset(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const char *which, struct user *out, char **password,
                                 struct err *err);

/* Who carries the device: a user by any of its names, "" for nobody. Permission device.set_user.
 * ERR_BAD_INPUT at "/user" when there is no such user. */
MUST_CHECK bool fleet_device_set_user(struct fleet *fleet, const struct actor *actor,
                                      const struct device *device, const char *user,
                                      struct err *err);
