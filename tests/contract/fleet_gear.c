/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/fleet_gear.h"

struct network_challenge gear_challenge(struct fixture *f, bool needs_approval)
{
    const struct actor admin = fixture_admin(f);
    const struct network_challenge wish = {.subject = mem_text(f->owner, "CN=gear"),
                                           .needs_approval = needs_approval};
    struct network_challenge made;
    struct err err;
    assert_works(fleet_network_challenge_make(f->fleet, &admin, f->owner, &wish, &made, &err), err);
    return made;
}

struct certificate_asked gear_asked(struct fixture *f, const struct network_challenge *made,
                                    size_t key)
{
    const struct asked_attribute attributes[] = {
        {"subject.CN", "gear"}, {"key.type", "RSA"}, {"key.bits", "2048"}};
    return (struct certificate_asked){
        .challenge = made->challenge,
        .transaction_id = mem_format(f->owner, "transaction %zu", key),
        .spki = fixture_key(f, key),
        .request = bytes_text("request"),
        .attributes = mem_copy(f->owner, attributes, sizeof(attributes)),
        .attribute_count = COUNT(attributes)};
}

struct issued gear_poll(struct fixture *f, const struct certificate_asked *asked)
{
    struct certificate_asked poll = *asked;
    poll.is_poll = true;
    poll.challenge = NULL;
    poll.request = NO_BYTES;
    poll.attribute_count = 1;
    return fixture_issue(f, &poll);
}
