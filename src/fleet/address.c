/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/address.h"

#include "fleet/door.h"
#include "pki/keyd.h"
#include "store/store.h"

static bool part_open(struct fleet *fleet, void *owner, const char *about, struct bytes sealed,
                      struct bytes *plain, struct err *err)
{
    *plain = NO_BYTES;
    return !sealed.data ||
           keyd_open(fleet->keyd, owner, KEYD_CLASS_DEVICE, about, sealed, plain, err);
}

bool address_differs(struct fleet *fleet, void *owner, const struct enrolment *enrolment,
                     const struct push_address *address, bool *differs, struct err *err)
{
    struct bytes token, magic;
    if (!part_open(fleet, owner, enrolment->id, enrolment->push_token, &token, err) ||
        !part_open(fleet, owner, enrolment->id, enrolment->push_magic, &magic, err))
        return false;
    *differs = (address->token.data && !bytes_equal(address->token, token)) ||
               (address->magic.data && !bytes_equal(address->magic, magic));
    return true;
}

bool address_before(struct fleet *fleet, void *owner, const struct enrolment *enrolment,
                    struct bytes *token, struct bytes *magic, struct err *err)
{
    if (enrolment->last_contact_at > enrolment->push_at)
        return true; /* the newer one has proved itself */
    return part_open(fleet, owner, enrolment->id, enrolment->push_token_before, token, err) &&
           part_open(fleet, owner, enrolment->id, enrolment->push_magic_before, magic, err);
}

bool address_put_back(struct db *tx, const struct enrolment *enrolment, int64_t since, int64_t now,
                      bool *taken, struct err *err)
{
    int64_t changed = 0;
    *taken = false;
    if (!store_change(tx,
                      ASK(ENROLMENT_PUSH_BACK, TEXT(enrolment->id), INTEGER(now), INTEGER(since)),
                      &changed, err))
        return false;
    *taken = changed == 1;
    return !*taken || (job_add(tx, "wake", enrolment->id, now, err) &&
                       event_add(tx, "push.put_back", enrolment->device_id, "{}", now, err));
}
