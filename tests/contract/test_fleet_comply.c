/* SPDX-License-Identifier: Apache-2.0 */
/* Compliance as the database keeps it: verdicts, events, time. */
#include "tests/contract/fleet_fixture.h"

#define DAY ((int64_t)86400)

static struct compliance_view view(struct fixture *f, const struct phone *phone)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct compliance_view view;
    struct err err;
    assert_works(fleet_compliance_get(f->fleet, &auditor, f->owner, phone->device_id, &view, &err),
                 err);
    return view;
}

static struct phone phone_under(struct fixture *f, const char *content)
{
    struct policy policy = fixture_policy(f, "Rules", "compliance", content);
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    return phone;
}

static void without_a_compliance_policy_a_device_is_not_evaluated(void **state)
{
    struct fixture *f = *state;
    struct policy policy =
        fixture_policy(f, "PIN", "configuration", "{\"password.required\":true}");
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "not_evaluated");
    assert_int_equal(fixture_events(f, "compliance.changed"), 0);
}

/* proves-partly: 4c-7 */
static void facts_turn_the_verdict(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    assert_string_equal(view(f, &phone).state, "unknown");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "compliant");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "non_compliant");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "compliant");
}

/* proves-partly: 4c-17 */
static void a_claim_makes_nobody_compliant(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_CLAIMED);
    assert_string_equal(view(f, &phone).state, "unknown");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_CLAIMED);
    assert_string_equal(view(f, &phone).state, "non_compliant");
}

static void an_event_tells_of_changes_only(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    assert_int_equal(fixture_events(f, "compliance.changed"), 1);
    for (int i = 0; i < 3; i++)
        phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_int_equal(fixture_events(f, "compliance.changed"), 2);
    assert_string_equal(fixture_event(f, "compliance.changed"),
                        "{\"from\":\"unknown\",\"to\":\"compliant\"}");
}

static void since_when_a_state_holds_is_kept(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    int64_t since = f->now;
    assert_int_equal(view(f, &phone).since, since);
    f->now += 500;
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    assert_int_equal(view(f, &phone).since, since);
    assert_int_equal(view(f, &phone).evaluated_at, f->now);
    f->now += 500;
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_int_equal(view(f, &phone).since, f->now);
}

static void a_grace_period_ends_by_itself(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true,\"grace.days\":2}");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "in_grace_period");
    f->now += 2 * DAY - 1;
    fixture_work(f);
    assert_string_equal(view(f, &phone).state, "in_grace_period");
    f->now += 1;
    fixture_work(f);
    assert_string_equal(view(f, &phone).state, "non_compliant");
    assert_non_null(strstr(fixture_event(f, "compliance.changed"), "in_grace_period"));
}

static void what_time_cannot_change_is_not_judged_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true,\"grace.days\":2}");
    size_t count = 1;
    struct err err;
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    assert_works(fleet_evaluate_due(f->fleet, f->now + DAY, 10, &count, &err), err);
    assert_int_equal(count, 0);
    assert_works(fleet_evaluate_due(f->fleet, f->now + 2 * DAY, 10, &count, &err), err);
    assert_int_equal(count, 1);
    assert_works(fleet_evaluate_due(f->fleet, f->now + 9 * DAY, 10, &count, &err), err);
    assert_int_equal(count, 0);
}

static void a_version_is_compared_by_number(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"os.minimum\":\"17.4\"}");
    static const struct {
        const char *version, *state;
    } rows[] = {{"17.4", "compliant"},    {"17.10", "compliant"}, {"17.3.9", "non_compliant"},
                {"9.0", "non_compliant"}, {"18", "compliant"},    {"beta", "unknown"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        phone_report(f, &phone, "os.version", rows[i].version, EVIDENCE_MEASURED);
        assert_string_equal(view(f, &phone).state, rows[i].state);
    }
}

/* proves-partly: 4c-17 */
static void integrity_is_unknown_until_hardware_attests_it(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"integrity.attested\":true}");
    assert_string_equal(view(f, &phone).state, "unknown");
    phone_report(f, &phone, "integrity.state", "intact", EVIDENCE_CLAIMED);
    assert_string_equal(view(f, &phone).state, "unknown");
    phone_report(f, &phone, "integrity.state", "intact", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "unknown");
    phone_report(f, &phone, "integrity.state", "intact", EVIDENCE_ATTESTED);
    assert_string_equal(view(f, &phone).state, "compliant");
    phone_report(f, &phone, "integrity.state", "compromised", EVIDENCE_CLAIMED);
    assert_string_equal(view(f, &phone).state, "non_compliant");
}

static void a_silent_device_becomes_non_compliant_with_time_alone(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"contact.max_days\":3}");
    struct identity identity = phone_identity(f, &phone);
    struct err err;
    assert_string_equal(view(f, &phone).state, "compliant"); /* it has just said who it is */
    fleet_contact(f->fleet, &identity, f->now);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    phone_report(f, &phone, "battery.level", "0.5", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "compliant");
    f->now += 3 * DAY;
    fixture_work(f);
    assert_string_equal(view(f, &phone).state, "non_compliant");
}

/* A password of rules that a device cannot report by value: confirmed, then obeyed. */
static void a_password_rule_counts_once_it_was_read_back_and_obeyed(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.min_length\":8}");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    phone_report(f, &phone, "password.compliant", "true", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "unknown");
    f->now += 10;
    (void)phone_obey(f, &phone);
    assert_string_equal(view(f, &phone).state, "unknown"); /* said before it had the rule */
    f->now += 10;
    phone_report(f, &phone, "password.compliant", "true", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "compliant");
    phone_report(f, &phone, "password.compliant", "false", EVIDENCE_MEASURED);
    assert_string_equal(view(f, &phone).state, "non_compliant");
}

/* proves-partly: 4d-6 */
static void a_verdict_names_policy_evidence_and_remedy(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    const char *results = view(f, &phone).results;
    static const char *const parts[] = {
        "\"policy_name\":\"Rules\"",     "\"revision\":1",
        "\"expected\":\"yes\"",          "No password is set",
        "\"fact\":\"password.present\"", "\"evidence\":\"measured\"",
        "\"source\":\"test\"",           "Set a password"};
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!strstr(results, parts[i]))
            fail_msg("%s is missing in %s", parts[i], results);
}

static void taking_the_policy_away_ends_the_evaluation(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "Rules", "compliance", "{\"os.minimum\":\"17\"}");
    struct phone phone = phone_enrolled(f, 0, "A");
    struct assignment assignment = fixture_assign(f, policy.id, NULL);
    struct err err;
    phone_report(f, &phone, "os.version", "16.0", EVIDENCE_MEASURED);
    fixture_work(f);
    assert_string_equal(view(f, &phone).state, "non_compliant");
    assert_works(fleet_assignment_delete(f->fleet, &admin, policy.id, assignment.id, &err), err);
    fixture_work(f);
    assert_string_equal(view(f, &phone).state, "not_evaluated");
}

FLEET_MAIN(FLEET_TEST(without_a_compliance_policy_a_device_is_not_evaluated),
           FLEET_TEST(facts_turn_the_verdict), FLEET_TEST(a_claim_makes_nobody_compliant),
           FLEET_TEST(an_event_tells_of_changes_only), FLEET_TEST(since_when_a_state_holds_is_kept),
           FLEET_TEST(a_grace_period_ends_by_itself),
           FLEET_TEST(what_time_cannot_change_is_not_judged_again),
           FLEET_TEST(a_version_is_compared_by_number),
           FLEET_TEST(integrity_is_unknown_until_hardware_attests_it),
           FLEET_TEST(a_silent_device_becomes_non_compliant_with_time_alone),
           FLEET_TEST(a_password_rule_counts_once_it_was_read_back_and_obeyed),
           FLEET_TEST(a_verdict_names_policy_evidence_and_remedy),
           FLEET_TEST(taking_the_policy_away_ends_the_evaluation))
