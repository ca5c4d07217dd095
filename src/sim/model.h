/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of a simulated iPhone: what it is and what its user did.  One table of sections is the
 * saved form, the `set KEY=VALUE` command and the printed form.
 */
#pragma once

#include "base/config.h"
#include "codec/json.h"
#include "sim/passcode.h"

struct model {
    char *name, *product, *model_name, *model_number, *serial, *udid, *imei, *eas_id;
    char *wifi_mac, *bluetooth_mac, *time_zone;
    char *os_version, *os_build;
    char *pending_version, *update_state; /* of an update that waits; NULL: none */
    char *lacks_declaration;              /* a type that it does not know */
    char *rejects_declaration;            /* a type that it cannot apply */
    char *attestation;                    /* directory of the authority that attests; NULL: none */
    char *attestation_fault;              /* what is wrong with it */
    char *attested_nonce;                 /* of the attestation that it has, hexadecimal */
    int64_t attested_at;                  /* seconds UTC */
    bool unprotected;                     /* a Mac without System Integrity Protection */
    struct passcode passcode;
    bool supervised;
    bool declarative; /* knows declarations, if its system does */
    bool locked;      /* before the first unlock: many commands get NotNow */
    bool activation_lock, find_my, lost_mode;
    char *lost_message; /* what the screen of a lost device says */
    char *bypass_code;  /* what opens the activation lock of a supervised device; "": none */
    int64_t latitude, longitude; /* millionths of a degree */
    int64_t battery_percent, capacity_gb, available_gb;
    int64_t encryption;                /* HardwareEncryptionCaps: 1 block, 2 file, 3 both */
    int64_t grace_seconds;             /* what the user chose */
    int64_t locks, restarts, erasures; /* how often a command did so */
    int64_t shut_downs, sounds;
};

/* An iPhone as out of its box; serial, UDID and the rest made up. Texts belong to owner. */
void model_init(void *owner, struct model *model);
/* "passcode.length=8"; a key without section is one of "device". */
MUST_CHECK bool model_set(void *owner, struct model *model, const char *assignment,
                          struct err *err);
json_t *model_to_json(const struct model *model); /* new reference */
MUST_CHECK bool model_from_json(void *owner, const json_t *object, struct model *out,
                                struct err *err);
/* Told by its product: "Mac14,2". */
bool model_is_mac(const struct model *model);
/* Another version of the system, with a build as Apple numbers them: 18.2 is 22C100. */
void model_os_install(void *owner, struct model *model, const char *version);
/* The number before the first dot of the OS version. */
int64_t model_os_major(const struct model *model);
