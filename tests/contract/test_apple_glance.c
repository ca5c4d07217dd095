/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are answered from memory: those that are idle and have nothing to do. */
#include "channel/apple/apple.h"
#include "channel/apple/message.h"
#include "fleet/block.h"
#include "fleet/shared.h"
#include "tests/contract/fleet_fixture.h"

#define HEAD "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>"
#define TAIL "</dict></plist>"
#define UDID(udid) "<key>UDID</key><string>" udid "</string>"
#define STATUS(status) "<key>Status</key><string>" status "</string>"
#define TEN(text) text text text text text text text text text text
#define IDLE HEAD UDID("A") STATUS("Idle") TAIL

struct call {
    const char *body;
    const struct http_header *header;
    int64_t at;
    bool has_no_certificate;
};

static bool glanced(struct fixture *f, const struct phone *phone, const struct call *call)
{
    struct request request = {.owner = f->owner,
                              .body = bytes_text(call->body),
                              .headers = call->header,
                              .header_count = call->header ? 1 : 0,
                              .client_certificate = phone->der,
                              .id = "r",
                              .now = call->at ? call->at : f->now,
                              .services = fleet_of_memory(f->owner, f->shared)};
    struct reply reply = {0};
    if (call->has_no_certificate)
        request.client_certificate = NO_BYTES;
    if (!apple_connect_glance(&request, &reply))
        return false;
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.size, 0);
    return true;
}

static bool idle_glanced(struct fixture *f, const struct phone *phone)
{
    return glanced(f, phone, &(struct call){.body = IDLE});
}

static void an_idle_device_with_nothing_to_do_is_answered(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    fleet_forget_all(f->shared);
    assert_false(idle_glanced(f, &phone)); /* memory does not know it */
    (void)phone_identity(f, &phone);
    assert_true(idle_glanced(f, &phone));
    (void)phone_order(f, &phone, COMMAND_LOCK);
    assert_false(idle_glanced(f, &phone));
    assert_true(phone_identity(f, &phone).has_work);
    assert_false(idle_glanced(f, &phone));
    (void)phone_obey(f, &phone);
    (void)phone_identity(f, &phone);
    assert_true(idle_glanced(f, &phone));
}

static void it_counts_as_a_contact(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    (void)phone_identity(f, &phone);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    assert_int_equal(f->shared->contact_count, 0);
    assert_true(idle_glanced(f, &phone));
    assert_int_equal(f->shared->contact_count, 1);
}

static void everything_else_is_left_to_the_handler(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    static const struct http_header signature = {"Mdm-Signature", "AAAA"};
    const struct call calls[] = {
        {.body = ""},
        {.body = "Idle"},
        {.body = IDLE "x"},
        {.body = HEAD UDID("B") STATUS("Idle") TAIL},
        {.body = HEAD UDID("A") STATUS("NotNow") TAIL},
        {.body = HEAD UDID("A") STATUS("Busy") TAIL},
        {.body = HEAD UDID("A") "<key>UserID</key><string>U</string>" STATUS("Idle") TAIL},
        {.body = HEAD "<key>EnrollmentID</key><string>A</string>" STATUS("Idle") TAIL},
        {.body = HEAD UDID("A") STATUS("Idle") "<key>X</key><array>" TEN("<array/>") TEN("<array/>")
             TEN("<array/>") "</array>" TAIL},
        {.body = IDLE, .header = &signature},
        {.body = IDLE, .has_no_certificate = true},
        {.body = IDLE, .at = identity.not_before - 1},
        {.body = IDLE, .at = identity.not_after + 1},
    };
    assert_true(idle_glanced(f, &phone));
    for (size_t i = 0; i < COUNT(calls); i++)
        if (glanced(f, &phone, &calls[i]))
            fail_msg("call %zu was answered: %s", i, calls[i].body);
    assert_true(idle_glanced(f, &phone));
}

static void a_blocked_device_is_left_to_the_handler(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    (void)phone_identity(f, &phone);
    assert_true(idle_glanced(f, &phone));
    assert_works(fleet_device_block(f->fleet, &admin, phone.device_id, &err), err);
    assert_int_equal(phone_identity(f, &phone).enrolment_state, ENROLMENT_BLOCKED);
    assert_false(idle_glanced(f, &phone));
}

static void each_doubt_is_enough(void **state)
{
    (void)state;
    const struct identity settled = {.enrolment_state = ENROLMENT_ACTIVE,
                                     .certificate_state = CERTIFICATE_ISSUED};
    assert_true(apple_is_settled(&settled));
    struct identity other = settled;
    other.is_contested = true;
    assert_false(apple_is_settled(&other));
    other = settled;
    other.has_work = true;
    assert_false(apple_is_settled(&other));
    for (int i = 0; enrolment_state_names[i]; i++) {
        other = settled;
        other.enrolment_state = i;
        assert_int_equal(apple_is_settled(&other), i == ENROLMENT_ACTIVE);
    }
    for (int i = 0; certificate_state_names[i]; i++) {
        other = settled;
        other.certificate_state = i;
        assert_int_equal(apple_is_settled(&other), i == CERTIFICATE_ISSUED);
    }
}

FLEET_MAIN(FLEET_TEST(an_idle_device_with_nothing_to_do_is_answered),
           FLEET_TEST(it_counts_as_a_contact), FLEET_TEST(everything_else_is_left_to_the_handler),
           FLEET_TEST(a_blocked_device_is_left_to_the_handler), FLEET_TEST(each_doubt_is_enough))
