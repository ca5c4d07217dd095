/* SPDX-License-Identifier: Apache-2.0 */
#include "model/certificate.h"

const char *const certificate_state_names[] = {"reserved", "issued", "revoked", "held", NULL};
const char *const revocation_reason_names[] = {
    "unspecified", "key_compromise",         "affiliation_changed",
    "superseded",  "cessation_of_operation", "certificate_hold",
    NULL};
const int revocation_reason_codes[] = {0, 1, 3, 4, 5, 6};

int revocation_reason_code(const char *name)
{
    int index = name ? name_find(revocation_reason_names, name) : REASON_UNSPECIFIED;
    return index < 0 ? 0 : revocation_reason_codes[index];
}

const char *const challenge_state_names[] = {
    "delivered", "used", "burnt", "expired", "cancelled", "waiting", "approved", "denied", NULL};
const char *const certificate_step_titles[] = {
    "",
    "Profile with the wanted properties made",
    "Rendered for the device and handed out",
    "Requested by the device",
    "Request compared with the expectation",
    "Request confirmed",
    "Certificate issued",
    "Certificate in use on the device",
    NULL,
};

static const struct field certificate_rows[] = {
    TEXT_FIELD(struct certificate_record, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct certificate_record, enrolment_id, FIELD_READ_ONLY, .help = "Enrolment"),
    TEXT_FIELD(struct certificate_record, challenge_id, FIELD_READ_ONLY, .help = "Challenge"),
    TEXT_FIELD(struct certificate_record, device_id, FIELD_READ_ONLY, .help = "Device"),
    TEXT_FIELD(struct certificate_record, device_name, FIELD_READ_ONLY, .help = "Its name"),
    TEXT_FIELD(struct certificate_record, purpose, FIELD_READ_ONLY, .help = "What it is for"),
    ENUM_FIELD(struct certificate_record, state, FIELD_READ_ONLY, certificate_state_names,
               .help = "State"),
    TEXT_FIELD(struct certificate_record, serial, FIELD_READ_ONLY, .help = "Serial number"),
    TEXT_FIELD(struct certificate_record, subject, FIELD_READ_ONLY, .help = "Subject"),
    BYTES_FIELD(struct certificate_record, spki_sha256, FIELD_READ_ONLY,
                .help = "SHA-256 of the public key"),
    BYTES_FIELD(struct certificate_record, sha256, FIELD_READ_ONLY,
                .help = "SHA-256 of the certificate"),
    BYTES_FIELD(struct certificate_record, der, FIELD_READ_ONLY, .help = "The certificate, DER"),
    BYTES_FIELD(struct certificate_record, request_sha256, FIELD_READ_ONLY,
                .help = "SHA-256 of the request, DER"),
    TIME_FIELD(struct certificate_record, not_before, FIELD_READ_ONLY, .help = "Valid from"),
    TIME_FIELD(struct certificate_record, not_after, FIELD_READ_ONLY, .help = "Valid until"),
    TIME_FIELD(struct certificate_record, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct certificate_record, seen_at, FIELD_READ_ONLY,
               .help = "When the device first used it"),
    TIME_FIELD(struct certificate_record, revoked_at, FIELD_READ_ONLY,
               .help = "When it was revoked"),
    TIME_FIELD(struct certificate_record, renew_at, FIELD_READ_ONLY,
               .help = "When its renewal is due, or comes again"),
    INTEGER_FIELD(struct certificate_record, renew_tries, FIELD_READ_ONLY,
                  .help = "How often its renewal was asked for"),
    TEXT_FIELD(struct certificate_record, reason, FIELD_READ_ONLY,
               .help = "Reason of the revocation (RFC 5280 5.3.1)"),
    INTEGER_FIELD(struct certificate_record, list_part, FIELD_READ_ONLY,
                  .help = "Part whose revocation list it names; 0: the list of all"),
    INTEGER_FIELD(struct certificate_record, authority, FIELD_READ_ONLY,
                  .help = "Number of the authority that issued it"),
};
const struct fields certificate_fields = FIELDS(certificate_rows);

static const struct field certificate_ending_rows[] = {
    TEXT_FIELD(struct certificate_ending, month, FIELD_READ_ONLY,
               .help = "Month in which they end (UTC), ended or later"),
    INTEGER_FIELD(struct certificate_ending, identities, FIELD_READ_ONLY,
                  .help = "Identities of devices, which renew themselves"),
    INTEGER_FIELD(struct certificate_ending, unanswered, FIELD_READ_ONLY,
                  .help = "Of those, the ones that were asked to renew and have not"),
    INTEGER_FIELD(struct certificate_ending, others, FIELD_READ_ONLY,
                  .help = "Of what is no device: whoever runs it renews them"),
};
const struct fields certificate_ending_fields = FIELDS(certificate_ending_rows);

static const struct field challenge_rows[] = {
    TEXT_FIELD(struct challenge, id, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, enrolment_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, purpose, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, expectation, FIELD_READ_ONLY),
    ENUM_FIELD(struct challenge, state, FIELD_READ_ONLY, challenge_state_names),
    INTEGER_FIELD(struct challenge, tries, FIELD_READ_ONLY),
    TIME_FIELD(struct challenge, created_at, FIELD_READ_ONLY),
    TIME_FIELD(struct challenge, expires_at, FIELD_READ_ONLY),
    TIME_FIELD(struct challenge, used_at, FIELD_READ_ONLY),
    BYTES_FIELD(struct challenge, used_spki, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, used_transaction, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, certificate_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, renews, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, subject, FIELD_READ_ONLY),
    TEXT_FIELD(struct challenge, created_by, FIELD_READ_ONLY),
    BOOLEAN_FIELD(struct challenge, needs_approval, FIELD_READ_ONLY),
    BYTES_FIELD(struct challenge, request_sha256, FIELD_READ_ONLY),
};
const struct fields challenge_fields = FIELDS(challenge_rows);

static const struct field certificate_request_rows[] = {
    TEXT_FIELD(struct certificate_request_record, id, FIELD_READ_ONLY,
               .help = "Identifier, also for the trace"),
    TEXT_FIELD(struct certificate_request_record, enrolment_id, FIELD_READ_ONLY,
               .help = "Enrolment"),
    TEXT_FIELD(struct certificate_request_record, device_id, FIELD_READ_ONLY, .help = "Device"),
    TEXT_FIELD(struct certificate_request_record, device_name, FIELD_READ_ONLY, .help = "Its name"),
    TEXT_FIELD(struct certificate_request_record, purpose, FIELD_READ_ONLY,
               .help = "What it is for"),
    ENUM_FIELD(struct certificate_request_record, state, FIELD_READ_ONLY, challenge_state_names,
               .help = "State of the challenge"),
    INTEGER_FIELD(struct certificate_request_record, tries, FIELD_READ_ONLY,
                  .help = "How many requests differed from what was expected"),
    TIME_FIELD(struct certificate_request_record, created_at, FIELD_READ_ONLY,
               .help = "When the challenge was handed out"),
    TIME_FIELD(struct certificate_request_record, expires_at, FIELD_READ_ONLY,
               .help = "Until when it can be used"),
    TIME_FIELD(struct certificate_request_record, used_at, FIELD_READ_ONLY,
               .help = "When it was used"),
    TEXT_FIELD(struct certificate_request_record, certificate_id, FIELD_READ_ONLY,
               .help = "The certificate that came of it"),
    TIME_FIELD(struct certificate_request_record, refused_at, FIELD_READ_ONLY,
               .help = "When a request was refused last"),
    RAW_FIELD(struct certificate_request_record, refusal, FIELD_READ_ONLY,
              .help = "Why, and who asked"),
    TEXT_FIELD(struct certificate_request_record, subject, FIELD_READ_ONLY,
               .help = "Whom the certificate is for, if that is no device"),
    TEXT_FIELD(struct certificate_request_record, created_by, FIELD_READ_ONLY,
               .help = "Who made the challenge, if that was a person"),
    BOOLEAN_FIELD(struct certificate_request_record, needs_approval, FIELD_READ_ONLY,
                  .help = "Whether a person has to approve the request"),
    TIME_FIELD(struct certificate_request_record, decided_at, FIELD_READ_ONLY,
               .help = "When it was approved or denied"),
    TEXT_FIELD(struct certificate_request_record, decided_by, FIELD_READ_ONLY,
               .help = "Who approved or denied it"),
    TEXT_FIELD(struct certificate_request_record, link_name, FIELD_READ_ONLY,
               .help = "Name of the enrolment link by which the device came"),
};
const struct fields certificate_request_fields = FIELDS(certificate_request_rows);

static const struct field certificate_step_rows[] = {
    INTEGER_FIELD(struct certificate_step, step, FIELD_READ_ONLY, .help = "1 to 7"),
    TEXT_FIELD(struct certificate_step, title, FIELD_READ_ONLY, .help = "What happened"),
    TEXT_FIELD(struct certificate_step, outcome, FIELD_READ_ONLY, .help = "How it went"),
    RAW_FIELD(struct certificate_step, detail, FIELD_READ_ONLY,
              .help = "Expected against asked, and what else is known"),
    TIME_FIELD(struct certificate_step, at, FIELD_READ_ONLY, .help = "When"),
};
const struct fields certificate_step_fields = FIELDS(certificate_step_rows);
