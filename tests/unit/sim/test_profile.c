/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "sim/profile.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"

struct draft { /* a profile in the making; changed by each test before it is parsed */
    void *owner;
    struct plist *top, *payloads;
};

static struct plist *payload_add(struct plist *list, const char *type, const char *uuid)
{
    struct plist *payload = plist_set_dict(list, NULL);
    plist_set_text(payload, "PayloadType", type);
    plist_set_integer(payload, "PayloadVersion", 1);
    plist_set_text(payload, "PayloadIdentifier", uuid);
    plist_set_text(payload, "PayloadUUID", uuid);
    return payload;
}

static struct draft draft_make(void *owner)
{
    struct draft draft = {.owner = owner, .top = plist_new_dict(owner)};
    plist_set_text(draft.top, "PayloadType", "Configuration");
    plist_set_integer(draft.top, "PayloadVersion", 1);
    plist_set_text(draft.top, "PayloadIdentifier", "org.example.profile");
    plist_set_text(draft.top, "PayloadUUID", UUID_C);
    draft.payloads = plist_set_array(draft.top, "PayloadContent");
    return draft;
}

static struct bytes rendered(const struct draft *draft)
{
    struct bytes bytes;
    struct err err = {0};
    assert_works(plist_render(draft->owner, draft->top, 1 << 20, &bytes, &err), err);
    return bytes;
}

static struct plist *mdm_add(const struct draft *draft)
{
    struct plist *mdm = payload_add(draft->payloads, PAYLOAD_MDM, UUID_A);
    plist_set_text(mdm, "IdentityCertificateUUID", UUID_B);
    plist_set_text(mdm, "Topic", "com.apple.mgmt.External.x");
    plist_set_text(mdm, "ServerURL", "https://mdm.example.org/mdm");
    plist_set_integer(mdm, "AccessRights", 8191);
    return mdm;
}

static struct plist *scep_add(const struct draft *draft)
{
    struct plist *scep =
        plist_set_dict(payload_add(draft->payloads, PAYLOAD_SCEP, UUID_B), "PayloadContent");
    plist_set_text(scep, "URL", "http://mdm.example.org/scep");
    plist_set_text(scep, "Challenge", "SECRET");
    plist_set_integer(scep, "Keysize", 2048);
    return scep;
}

static void an_enrolment_profile_has_one_identity_and_one_mdm_payload(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct draft draft = draft_make(owner);
    struct enrolment_profile parts;
    struct err err = {0};
    (void)state;
    mdm_add(&draft);
    assert_fails(enrolment_profile_parse(owner, rendered(&draft), &parts, &err), err,
                 ERR_BAD_INPUT);
    scep_add(&draft);
    assert_works(enrolment_profile_parse(owner, rendered(&draft), &parts, &err), err);
    assert_string_equal(plist_text(parts.scep, "Challenge"), "SECRET");
    payload_add(draft.payloads, PAYLOAD_PASSCODE, UUID_C);
    assert_fails(enrolment_profile_parse(owner, rendered(&draft), &parts, &err), err,
                 ERR_BAD_INPUT);
}

static void unknown_keys_in_the_management_payload_are_refused(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct draft draft = draft_make(owner);
    struct profile profile;
    struct err err = {0};
    (void)state;
    plist_set_boolean(mdm_add(&draft), "SignMessages", true);
    assert_fails(profile_parse(owner, rendered(&draft), &profile, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "SignMessages");
}

static void rights_that_lack_their_base_are_refused(void **state)
{
    const int64_t wrong[] = {0, 2, 128, 8192};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
        struct draft draft = draft_make(owner);
        struct profile profile;
        struct err err = {0};
        struct plist *mdm = payload_add(draft.payloads, PAYLOAD_MDM, UUID_A);
        plist_set_text(mdm, "IdentityCertificateUUID", UUID_B);
        plist_set_text(mdm, "Topic", "com.apple.mgmt.External.x");
        plist_set_text(mdm, "ServerURL", "https://mdm.example.org/mdm");
        plist_set_integer(mdm, "AccessRights", wrong[i]);
        assert_fails(profile_parse(owner, rendered(&draft), &profile, &err), err, ERR_BAD_INPUT);
    }
}

static void passcode_values_have_apples_ranges(void **state)
{
    static const struct {
        const char *key;
        int64_t value;
        bool good;
    } cases[] = {
        {"minLength", 16, true},          {"minLength", 17, false},
        {"minComplexChars", 4, true},     {"minComplexChars", 5, false},
        {"maxFailedAttempts", 2, true},   {"maxFailedAttempts", 1, false},
        {"maxFailedAttempts", 12, false}, {"maxInactivity", 16, false},
        {"maxPINAgeInDays", 730, true},   {"maxPINAgeInDays", 731, false},
        {"pinHistory", 0, false},         {"pinHistory", 50, true},
        {"minimumLength", 8, false},      {"forcePIN", 1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
        struct draft draft = draft_make(owner);
        struct profile profile;
        struct err err = {0};
        plist_set_integer(payload_add(draft.payloads, PAYLOAD_PASSCODE, UUID_A), cases[i].key,
                          cases[i].value);
        assert_int_equal(profile_parse(owner, rendered(&draft), &profile, &err), cases[i].good);
    }
}

static void two_payloads_with_one_uuid_are_refused(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct draft draft = draft_make(owner);
    struct profile profile;
    struct err err = {0};
    (void)state;
    payload_add(draft.payloads, PAYLOAD_PASSCODE, UUID_A);
    payload_add(draft.payloads, PAYLOAD_PASSCODE, UUID_A);
    assert_fails(profile_parse(owner, rendered(&draft), &profile, &err), err, ERR_BAD_INPUT);
}

static void weak_keys_are_not_made(void **state)
{
    const int64_t sizes[] = {1024, 3000};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
        struct draft draft = draft_make(owner);
        struct profile profile;
        struct err err = {0};
        struct plist *scep =
            plist_set_dict(payload_add(draft.payloads, PAYLOAD_SCEP, UUID_B), "PayloadContent");
        plist_set_text(scep, "URL", "http://mdm.example.org/scep");
        plist_set_integer(scep, "Keysize", sizes[i]);
        assert_fails(profile_parse(owner, rendered(&draft), &profile, &err), err, ERR_BAD_INPUT);
    }
}

static void the_request_asks_for_subject_and_names_as_the_payload_says(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct draft draft = draft_make(owner);
    struct plist *scep = scep_add(&draft);
    struct scep_asked *asked = NULL;
    struct err err = {0};
    char name[64] = "";
    (void)state;
    struct plist *subject = plist_set_array(scep, "Subject");
    struct plist *pair = plist_set_array(plist_set_array(subject, NULL), NULL);
    plist_set_text(pair, NULL, "CN");
    plist_set_text(pair, NULL, "phone 7");
    struct plist *names = plist_set_dict(scep, "SubjectAltName");
    plist_set_text(names, "uniformResourceIdentifier", "urn:uuid:7");
    struct plist *mails = plist_set_array(names, "rfc822Name");
    plist_set_text(mails, NULL, "a@example.org");
    plist_set_text(mails, NULL, "b@example.org");
    assert_works(scep_asked_make(owner, scep, &asked, &err), err);
    X509_NAME_get_text_by_NID(asked->wish.subject, NID_commonName, name, sizeof(name));
    assert_string_equal(name, "phone 7");
    assert_int_equal(sk_GENERAL_NAME_num(asked->wish.alternatives), 3);
    assert_int_equal(asked->wish.key_usage, 5);
    plist_set_text(names, "directoryName", "cn=x");
    assert_fails(scep_asked_make(owner, scep, &asked, &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enrolment_profile_has_one_identity_and_one_mdm_payload),
        cmocka_unit_test(unknown_keys_in_the_management_payload_are_refused),
        cmocka_unit_test(rights_that_lack_their_base_are_refused),
        cmocka_unit_test(passcode_values_have_apples_ranges),
        cmocka_unit_test(two_payloads_with_one_uuid_are_refused),
        cmocka_unit_test(weak_keys_are_not_made),
        cmocka_unit_test(the_request_asks_for_subject_and_names_as_the_payload_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
