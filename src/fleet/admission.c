/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/admission.h"

#include <string.h>

#include "base/text.h"
#include "fleet/door.h"
#include "fleet/push.h"
#include "model/device.h"
#include "store/store.h"

bool admission_topic(struct fleet *fleet, const struct identity *identity, const char *topic,
                     struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct want want = {"enrolment", enrolment_fields};
    struct enrolment enrolment = {0};
    bool known = false;
    if (!topic)
        return true;
    if (!store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(identity->enrolment_id)), want,
                   &enrolment, err))
        return false;
    if (enrolment.topic && strcmp(enrolment.topic, topic) == 0)
        return true;
    return fleet_push_topic_known(fleet, topic, &known, err) &&
           (known ||
            err_set(err, ERR_FORBIDDEN, "no profile gave the device the topic that it names"));
}

/* Who carries a device may enrol it again by signing in. */
static bool is_carried_by(struct db *tx, const struct admission *a, const char *user_id,
                          struct err *err)
{
    const struct want want = {"device", device_fields};
    struct device device = {0};
    if (!store_get(tx, a->owner, ASK(DEVICE_BY_ID, TEXT(a->device_id)), want, &device, err))
        return false;
    return (user_id && text_equal(device.user_id, user_id)) ||
           err_set(err, ERR_FORBIDDEN, "the device is enrolled: make a link for it");
}

bool admission_check(struct db *tx, const struct admission *a, struct err *err)
{
    struct rows *links = NULL;
    struct rows *current = NULL;
    if (!store_rows(tx, a->owner, ASK(ENROLMENT_LINK_OF, TEXT(a->enrolment_id)), &links, err))
        return false;
    const char *chosen = links->count ? rows_text(links, 0, "device_id") : NULL;
    if (chosen && !text_equal(chosen, a->device_id))
        return err_set(err, ERR_FORBIDDEN, "the enrolment link is for another device");
    if (!a->device_id)
        return true;
    if (!store_rows(tx, a->owner, ASK(ENROLMENT_CURRENT, TEXT(a->device_id)), &current, err))
        return false;
    if (current->count == 0 || strcmp(rows_text(current, 0, "id"), a->enrolment_id) == 0)
        return true;
    if (strcmp(rows_text(current, 0, "state"), enrolment_state_names[ENROLMENT_BLOCKED]) == 0)
        return err_set(err, ERR_FORBIDDEN, "the device is blocked: no link lets it in");
    return chosen ||
           is_carried_by(tx, a, links->count ? rows_text(links, 0, "user_id") : NULL, err);
}

bool admission_replaced(struct db *tx, const struct admission *a, const char *old_id,
                        struct err *err)
{
    struct rows *links = NULL;
    if (!store_rows(tx, a->owner, ASK(ENROLMENT_LINK_OF, TEXT(a->enrolment_id)), &links, err))
        return false;
    const struct actor system = fleet_system_actor(a->now);
    const char *link = links->count ? rows_text(links, 0, "id") : NULL;
    const struct change change = {.actor = &system,
                                  .action = "enrolment.supersede",
                                  .subject_kind = "enrolment",
                                  .subject_id = old_id,
                                  .detail = json_pairs(a->owner, "device", a->device_id, "by",
                                                       a->enrolment_id, "link", link, NULL)};
    return change_audit(tx, &change, err) &&
           event_add(
               tx, "device.reenrolled", a->device_id,
               json_pairs(a->owner, "old", old_id, "new", a->enrolment_id, "link", link, NULL),
               a->now, err);
}
