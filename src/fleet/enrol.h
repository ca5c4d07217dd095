/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment: links, the first steps of a device, and how it leaves. */
#pragma once

#include "fleet/fleet.h"
#include "model/device.h"

/* ---- links ---- */
/* A one-time link. `wish` gives name, ownership (OWNERSHIP_UNSAID: the
 * device's, else company), expires_at (0 = default) and device_id (any name
 * of an enrolled device that may enrol again with it; ERR_BAD_INPUT when there is none). *token is
 * the bearer secret: shown once, stored as HMAC. Permission enrolment.create. */
MUST_CHECK bool fleet_link_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct enrolment_link *wish, struct enrolment_link *out,
                                  char **token, struct err *err);
MUST_CHECK bool fleet_link_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                const struct page *page, struct list *out, struct err *err);
MUST_CHECK bool fleet_link_revoke(struct fleet *fleet, const struct actor *actor, const char *id,
                                  struct err *err);
/* Is the link usable now, and whose will the device be? Changes nothing. ERR_NOT_FOUND (unknown,
 * used, expired or revoked alike). */
MUST_CHECK bool fleet_link_check(struct fleet *fleet, const char *token, int64_t now,
                                 enum ownership *out, struct err *err);

/* What the device is going to be given: identity wishes are made before anything is consumed. */
struct enrolment_start {
    char *enrolment_id;
    char *challenge;     /* bearer secret of the certificate request: only for the profile */
    char *common_name;   /* the subject that the certificate must have: CN */
    char *organization;  /* and O */
    char *san_uri;       /* "urn:uuid:<enrolment id>" */
    int64_t key_bits;    /* 2048 */
    int64_t key_usage;   /* Apple's bit mask: 5 */
    int ownership;       /* enum ownership of the device, as its link says */
    int mode;            /* enum enrolment_mode */
    bool takes_users;    /* people of the device get channels: never changes later */
    char *apple_account; /* of MODE_ACCOUNT; may be NULL else */
};
/* Consume the link: enrolment (pending) and challenge exist when this returns true. ERR_NOT_FOUND
 * when the link is not usable any more; of two racing calls one wins. */
MUST_CHECK bool fleet_enrolment_start(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *token, const char *channel,
                                      struct enrolment_start *out, struct err *err);
/* The same for a token that came out of an account's sign-in: each is unknown to the other. */
MUST_CHECK bool fleet_enrolment_start_account(struct fleet *fleet, const struct actor *actor,
                                              void *owner, const char *token, const char *channel,
                                              struct enrolment_start *out, struct err *err);

/* ---- who is this device ---- */
struct identity { /* what a client certificate stands for */
    char *enrolment_id;
    char *device_id; /* NULL before Authenticate */
    char *certificate_id;
    char *channel;
    char *udid; /* NULL before Authenticate */
    char *os_version;
    int platform;          /* enum platform */
    int ownership;         /* enum ownership */
    int mode;              /* enum enrolment_mode */
    int enrolment_state;   /* enum enrolment_state */
    int certificate_state; /* enum certificate_state */
    int64_t not_before, not_after;
    int64_t authority; /* whose signer of profiles its enrolment began with */
    bool is_seen;      /* the certificate was used before */
    /* another certificate of the enrolment is good, an older one or one that the device has shown:
     * who speaks decides, see fleet_identity_used */
    bool is_contested;
    bool is_outdated; /* the device has shown a newer one that is good */
    bool has_work;    /* open commands exist (deferred ones included) */
    bool has_deferred;
    bool is_person; /* the channel of one of the device's people: enrolment_id is its own */
};
/* From the cache while nothing concerning this enrolment changed, else from the database.
 * ERR_NOT_FOUND: no such certificate of ours. The result belongs to owner. */
MUST_CHECK bool fleet_identify(struct fleet *fleet, void *owner, const uint8_t sha256[32],
                               struct identity *out, struct err *err);
/* From the cache alone; false: it says nothing. Asks memory. */
bool fleet_identify_known(struct fleet *fleet, void *owner, const uint8_t sha256[32],
                          struct identity *out);
struct actor fleet_device_actor(const struct identity *identity, const char *request_id,
                                int64_t now);
/* The device called: asks memory alone, flushed in batches by a job. One with an outdated identity
 * does not count: it does not prove that the newest push address works. */
void fleet_contact(struct fleet *fleet, const struct identity *identity, int64_t now);
MUST_CHECK bool fleet_contacts_flush(struct fleet *fleet, struct err *err);

/* What a device says of itself when it enrols; NULL where it does not. */
struct device_claims {
    const char *udid; /* required; opaque, case-sensitive, at most 255 bytes */
    const char *name, *model, *product, *serial, *os_version, *os_build;
    int platform;
    const char *topic;
};
/*
 * First contact, or again (RFC: Apple's Authenticate). Binds the enrolment to the device record of
 * this UDID (made when new). ERR_FORBIDDEN with an event when the certificate is bound to another
 * UDID, the enrolment ended, the topic is not ours, or the link does not allow the device: one that
 * is enrolled comes in again only by a link made for it. A repeat changes nothing; a renewed
 * certificate of the enrolment is noted as seen, all else stays. An older enrolment of the same
 * device stays until fleet_activate.
 */
MUST_CHECK bool fleet_authenticate(struct fleet *fleet, const struct actor *actor,
                                   const struct identity *identity,
                                   const struct device_claims *claims, struct err *err);
struct push_address { /* data NULL = not told */
    const char *topic;
    struct bytes token, magic, unlock_token; /* plain; sealed here */
    bool awaits; /* the device waits in its assistant until it is told to go on */
};
/*
 * Durable when it returns true. The first one makes the enrolment active, supersedes an older
 * enrolment of the device (its queue is never delivered, its certificates are revoked), resolves
 * the effective set and queues the first queries; *first tells. Later ones update the address; an
 * absent unlock token keeps the stored one.
 */
MUST_CHECK bool fleet_activate(struct fleet *fleet, const struct actor *actor,
                               const struct identity *identity, const struct push_address *address,
                               bool *first, struct err *err);
/* The device left by itself, or as asked: open commands are cancelled, certificates revoked,
 * history kept. */
MUST_CHECK bool fleet_check_out(struct fleet *fleet, const struct actor *actor,
                                const struct identity *identity, struct err *err);
/* Something that deserves a look: foreign device id, unknown result, ... Kept as event, with
 * body as JSON text. */
MUST_CHECK bool fleet_anomaly(struct fleet *fleet, const struct actor *actor,
                              const struct identity *identity, const char *kind, const char *body,
                              struct err *err);
/* The same of somebody who is no device of ours: counted by the actor's address. */
MUST_CHECK bool fleet_stranger_note(struct fleet *fleet, const struct actor *actor,
                                    const char *kind, const char *body, struct err *err);
