/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolment profile, read back with the parser. */
#include "channel/apple/profile.h"

#include "base/id.h"
#include "base/text.h"
#include "tests/test.h"

static const char ROOT[] = "root certificate", ISSUING[] = "issuing certificate";

static struct enrolment_start start_of(const char *challenge)
{
    static char id[] = "0198f3a2-7c51-7d2e-9a40-5b6c7d8e9f01", organization[] = "Ex & Co <Ltd>";
    static char uri[] = "urn:uuid:0198f3a2-7c51-7d2e-9a40-5b6c7d8e9f01";
    return (struct enrolment_start){
        .enrolment_id = id,
        .challenge = mem_text(NULL, challenge),
        .common_name = id,
        .organization = organization,
        .san_uri = uri,
        .key_bits = 2048,
        .key_usage = 5,
    };
}

static struct bytes rendered(void *owner, const char *challenge)
{
    struct enrolment_start start = start_of(challenge);
    const struct authority only = {.number = 1,
                                   .role = AUTHORITY_CURRENT,
                                   .root = bytes_text(ROOT),
                                   .issuing = bytes_text(ISSUING)};
    const struct authorities all = {&only, 1, 1};
    const struct apple_enrolment enrolment = {
        .start = &start,
        .authorities = &all,
        .topic = "com.apple.mgmt.External.x",
        .scep_url = "http://mdm.example.org:8080/scep/apple",
        .scep_name = "apple",
        .checkin_url = "https://mdm.example.org:8444/apple/checkin",
        .connect_url = "https://mdm.example.org:8444/apple/connect",
    };
    struct bytes out = {0};
    struct err err;
    assert_works(apple_enrolment_render(owner, &enrolment, &out, &err), err);
    mem_free(start.challenge);
    return out;
}

static const struct plist *profile_of(void *owner)
{
    const struct plist_limits limits = {65536, 16, 500};
    struct plist *profile = NULL;
    struct err err;
    assert_works(plist_parse(owner, rendered(owner, "SECRET"), &limits, &profile, &err), err);
    return profile;
}

static const struct plist *part_of(const struct plist *profile, const char *type)
{
    const struct plist *content = plist_get(profile, "PayloadContent");
    for (const struct plist *part = content->first; part; part = part->next)
        if (text_equal(plist_text(part, "PayloadType"), type))
            return part;
    fail_msg("no payload %s", type);
    return NULL;
}

static int64_t integer_of(const struct plist *dict, const char *key)
{
    int64_t value = -1;
    assert_true(plist_integer(dict, key, &value));
    return value;
}

static void certificates_come_before_identity_and_management(void **state)
{
    static const char *const types[] = {"com.apple.security.root", "com.apple.security.pkcs1",
                                        "com.apple.security.scep", "com.apple.mdm"};
    const struct plist *part = plist_get(profile_of(*state), "PayloadContent")->first;
    for (size_t i = 0; i < COUNT(types); i++, part = part->next)
        assert_string_equal(plist_text(part, "PayloadType"), types[i]);
    assert_null(part);
}

static void every_part_has_its_own_identity(void **state)
{
    const struct plist *profile = profile_of(*state);
    assert_string_equal(plist_text(profile, "PayloadIdentifier"), APPLE_ENROLMENT_IDENTIFIER);
    for (const struct plist *a = plist_get(profile, "PayloadContent")->first; a; a = a->next) {
        assert_true(id_is_valid(plist_text(a, "PayloadUUID")));
        assert_int_equal(integer_of(a, "PayloadVersion"), 1);
        assert_string_not_equal(plist_text(a, "PayloadUUID"), plist_text(profile, "PayloadUUID"));
        for (const struct plist *b = a->next; b; b = b->next) {
            assert_string_not_equal(plist_text(a, "PayloadUUID"), plist_text(b, "PayloadUUID"));
            assert_string_not_equal(plist_text(a, "PayloadIdentifier"),
                                    plist_text(b, "PayloadIdentifier"));
        }
    }
}

static void the_identity_is_asked_for_with_all_attributes(void **state)
{
    const struct plist *scep =
        plist_get(part_of(profile_of(*state), "com.apple.security.scep"), "PayloadContent");
    assert_string_equal(plist_text(scep, "URL"), "http://mdm.example.org:8080/scep/apple");
    assert_string_equal(plist_text(scep, "Challenge"), "SECRET");
    assert_int_equal(integer_of(scep, "Keysize"), 2048);
    assert_string_equal(plist_text(scep, "Key Type"), "RSA");
    assert_int_equal(integer_of(scep, "Key Usage"), 5);
    assert_int_equal(plist_get(scep, "CAFingerprint")->data.size, 32);
    assert_string_equal(plist_text(plist_get(scep, "SubjectAltName"), "uniformResourceIdentifier"),
                        "urn:uuid:0198f3a2-7c51-7d2e-9a40-5b6c7d8e9f01");
    const struct plist *organization = plist_get(scep, "Subject")->first->first;
    assert_string_equal(organization->first->text, "O");
    assert_string_equal(organization->last->text, "Ex & Co <Ltd>");
    assert_string_equal(plist_get(scep, "Subject")->last->first->first->text, "CN");
}

static void management_points_at_identity_and_server(void **state)
{
    const struct plist *profile = profile_of(*state);
    const struct plist *mdm = part_of(profile, "com.apple.mdm");
    bool leaves = false, is_signed = true;
    assert_string_equal(plist_text(mdm, "IdentityCertificateUUID"),
                        plist_text(part_of(profile, "com.apple.security.scep"), "PayloadUUID"));
    assert_string_equal(plist_text(mdm, "ServerURL"), "https://mdm.example.org:8444/apple/connect");
    assert_string_equal(plist_text(mdm, "CheckInURL"),
                        "https://mdm.example.org:8444/apple/checkin");
    assert_string_equal(plist_text(mdm, "Topic"), "com.apple.mgmt.External.x");
    assert_int_equal(integer_of(mdm, "AccessRights"), 8191);
    assert_true(plist_boolean(mdm, "CheckOutWhenRemoved", &leaves) && leaves);
    assert_true(plist_boolean(mdm, "SignMessage", &is_signed) && !is_signed);
    const struct plist *able = plist_get(mdm, "ServerCapabilities");
    assert_string_equal(able->first->text, "com.apple.mdm.bootstraptoken");
    assert_ptr_equal(able->first, able->last); /* people only where the enrolment began with it */
}

static void the_root_is_the_trust_anchor(void **state)
{
    const struct plist *root = part_of(profile_of(*state), "com.apple.security.root");
    assert_true(bytes_equal(plist_get(root, "PayloadContent")->data, bytes_text(ROOT)));
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    assert_true(bytes_equal(rendered(*state, "A"), rendered(*state, "A")));
    assert_false(bytes_equal(rendered(*state, "A"), rendered(*state, "B")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_come_before_identity_and_management),
        cmocka_unit_test(every_part_has_its_own_identity),
        cmocka_unit_test(the_identity_is_asked_for_with_all_attributes),
        cmocka_unit_test(management_points_at_identity_and_server),
        cmocka_unit_test(the_root_is_the_trust_anchor),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
