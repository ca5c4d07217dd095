/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: looked at, traced, revoked; what OCSP and the revocation list say. */
#pragma once

#include "fleet/fleet.h"
#include "model/certificate.h"

struct certificate_filter { /* NULL, 0: all */
    const char *device_id;
    const char *text; /* part of the subject or of the device's name, or the whole serial number */
    const char *state, *purpose;
    int64_t ends_before;
};
/* Newest first. Permission certificate.read. */
MUST_CHECK bool fleet_certificate_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                       const struct certificate_filter *filter,
                                       const struct page *page, struct list *out, struct err *err);
/* How many good certificates end when: struct certificate_ending for those that have ended, for
 * this month (UTC) and the twelve after it, and for what is later. Permission certificate.read. */
MUST_CHECK bool fleet_certificate_calendar(struct fleet *fleet, const struct actor *actor,
                                           void *owner, struct list *out, struct err *err);
/* The job: an event certificate.expires for at most `limit` certificates of whose end nobody was
 * told yet; *count tells how many there were. */
MUST_CHECK bool fleet_certificates_warn(struct fleet *fleet, int64_t now, int64_t limit,
                                        size_t *count, struct err *err);
/* By id or serial number. */
MUST_CHECK bool fleet_certificate_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *which, struct certificate_record *out,
                                      struct err *err);
/* What was asked for or may still be, newest first: struct certificate_request_record. device_id
 * NULL: of all devices. Permission certificate.read. */
MUST_CHECK bool fleet_certificate_request_list(struct fleet *fleet, const struct actor *actor,
                                               void *owner, const char *device_id,
                                               bool refused_only, const struct page *page,
                                               struct list *out, struct err *err);
/* The seven steps of its making: struct certificate_step. `which` may also be a challenge's id. */
MUST_CHECK bool fleet_certificate_trace(struct fleet *fleet, const struct actor *actor, void *owner,
                                        const char *which, struct list *out, struct err *err);
/* ERR_CONFLICT when revoked before. Permission
 * certificate.revoke. */
MUST_CHECK bool fleet_certificate_revoke(struct fleet *fleet, const struct actor *actor,
                                         const char *which, enum revocation_reason reason,
                                         struct err *err);
/* ---- what relying parties hear: from live state ---- */
struct certificate_status {
    bool is_known;   /* issued by us */
    bool is_revoked; /* its row, or the state of its enrolment */
    int64_t revoked_at, reason;
    int64_t authority; /* number of the one that issued it */
};
MUST_CHECK bool fleet_certificate_status(struct fleet *fleet, const char *serial,
                                         struct certificate_status *out, struct err *err);
/* Lists are counted through: those of each authority, 0 to 9999, behind those of the one before. Of
 * each the first is the one of all its certificates. A "part" below is such a number. */
#define REVOCATION_PARTS 10000
int64_t fleet_revocation_list_of(int64_t authority, int64_t part);
int64_t fleet_revocation_authority(int64_t list);
struct revocation_list {
    int64_t number;
    struct bytes der;
    int64_t this_update, next_update;
    int64_t entries, limit; /* certificates in it, and that it can name */
};
/* The newest list of all of the current authority; made when there is none or it has ended. */
MUST_CHECK bool fleet_revocation_list_get(struct fleet *fleet, void *owner, int64_t now,
                                          struct revocation_list *out, struct err *err);
/* The same of one part; 0: of all. ERR_NOT_FOUND: no certificate names a list of this part. */
MUST_CHECK bool fleet_revocation_part_get(struct fleet *fleet, void *owner, int64_t part,
                                          int64_t now, struct revocation_list *out,
                                          struct err *err);
/* What has changed since a list that has ended meanwhile (RFC 5280 5.2.4): with any list that holds
 * still, what that one does not know yet. Made when it has ended. ERR_NOT_FOUND: none are made. */
MUST_CHECK bool fleet_revocation_delta_get(struct fleet *fleet, void *owner, int64_t part,
                                           int64_t now, struct revocation_list *out,
                                           struct err *err);
/* "devices-7.crl", alone or at the end of an address: 7; "devices.crl": 0; "2/devices-7.crl":
 * 10007; anything else: -1. */
int64_t fleet_revocation_part_of(const char *url);
/* The address of a list, or of its changes. Belongs to owner. */
char *fleet_revocation_url(void *owner, const struct fleet_settings *settings, int64_t part,
                           bool is_delta);
/* The job "revocation_list": sign new ones, of all and of each part. */
MUST_CHECK bool fleet_revocation_list_make(struct fleet *fleet, int64_t now, struct err *err);
/* The newest list of all without its bytes; the first one is made when there is none. Permission
 * certificate.read. */
MUST_CHECK bool fleet_revocation_list_about(struct fleet *fleet, const struct actor *actor,
                                            void *owner, struct revocation_list *out,
                                            struct err *err);
