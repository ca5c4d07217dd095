/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts that end: by age, by a certificate that is gone; and policies that only measure. */
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "tests/contract/fleet_fixture.h"

#define DAY ((int64_t)86400)
#define HOUR ((int64_t)3600)

static const char *results(struct fixture *f, const struct phone *phone)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct compliance_view view;
    struct err err;
    assert_works(fleet_compliance_get(f->fleet, &auditor, f->owner, phone->device_id, &view, &err),
                 err);
    return view.results;
}

static struct phone phone_under(struct fixture *f, const char *content)
{
    struct policy policy = fixture_policy(f, "Rules", "compliance", content);
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    return phone;
}

/* proves-partly: 4c-7 */
static void evidence_ages_without_a_message(void **state)
{
    struct fixture *f = *state;
    f->settings.evidence_seconds = 30 * DAY;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    f->now += 30 * DAY - 1;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    f->now += 1;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "unknown");
    assert_non_null(strstr(results(f, &phone), "30 days ago; it counts for 30 days"));
    assert_string_equal(fixture_event(f, "compliance.changed"),
                        "{\"from\":\"compliant\",\"to\":\"unknown\"}");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
}

/* What was broken when it was last heard of is not mended by silence. */
static void a_breach_does_not_age(void **state)
{
    struct fixture *f = *state;
    f->settings.evidence_seconds = 30 * DAY;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    f->now += 400 * DAY;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "non_compliant");
}

/* proves-partly: 4c-17 */
static void integrity_ages_in_hours(void **state)
{
    struct fixture *f = *state;
    f->settings.evidence_seconds = 30 * DAY;
    f->settings.integrity_seconds = 72 * HOUR;
    struct phone phone = phone_under(f, "{\"integrity.attested\":true}");
    phone_report(f, &phone, "integrity.state", "intact", EVIDENCE_ATTESTED);
    f->now += 72 * HOUR - 1;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    f->now += 1;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "unknown");
    assert_non_null(strstr(results(f, &phone), "72 hours ago; it counts for 72 hours"));
}

static void other_limits_weigh_every_verdict_again(void **state)
{
    struct fixture *f = *state;
    struct err err;
    f->settings.evidence_seconds = 30 * DAY;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    f->now += 10 * DAY;
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
    f->settings.evidence_seconds = 7 * DAY;
    assert_works(fleet_first_start(f->fleet, "Example Works", f->now, &err), err);
    fixture_work(f);
    assert_string_equal(fixture_compliance(f, phone.device_id), "unknown");
    size_t due = 1;
    assert_works(fleet_first_start(f->fleet, "Example Works", f->now, &err), err);
    assert_works(fleet_evaluate_due(f->fleet, f->now, 10, &due, &err), err);
    assert_int_equal(due, 0); /* the same limits change nothing */
}

/* ---- shut out ---- */

static struct device device_of(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, phone->device_id, &device, &err),
                 err);
    return device;
}

static size_t shut_out_count(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 50};
    const struct device_filter filter = {.only_shut_out = true};
    struct list list;
    struct err err;
    assert_works(fleet_device_list(f->fleet, &admin, f->owner, &filter, &page, &list, &err), err);
    return list.count;
}

static void a_revoked_certificate_shuts_its_device_out(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct err err;
    struct phone phone = phone_under(f, "{\"password.required\":true}");
    struct phone other = phone_enrolled(f, 1, "B");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    phone_report(f, &other, "password.present", "true", EVIDENCE_MEASURED);
    assert_null(device_of(f, &phone).shut_out);
    assert_int_equal(shut_out_count(f), 0);
    assert_works(fleet_certificate_revoke(f->fleet, &admin,
                                          phone_identity(f, &phone).certificate_id,
                                          REASON_KEY_COMPROMISE, &err),
                 err);
    assert_string_equal(device_of(f, &phone).shut_out, "certificate_revoked");
    assert_string_equal(device_of(f, &phone).compliance, "unknown");
    assert_non_null(strstr(results(f, &phone), "shut out"));
    assert_null(device_of(f, &other).shut_out);
    assert_string_equal(device_of(f, &other).compliance, "compliant");
    assert_int_equal(shut_out_count(f), 1);
    struct phone again = phone_enrolled(f, 2, "A");
    phone_report(f, &again, "password.present", "true", EVIDENCE_MEASURED);
    assert_null(device_of(f, &again).shut_out);
    assert_string_equal(device_of(f, &again).compliance, "compliant");
    assert_int_equal(shut_out_count(f), 0);
}

/* ---- measuring ---- */

static void a_policy_that_only_measures_sends_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true,\"settings.apply\":false}");
    assert_null(fixture_value(f, phone.device_id, "password.required"));
    phone_report(f, &phone, "password.present", "false", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "non_compliant");
    phone_report(f, &phone, "password.present", "true", EVIDENCE_MEASURED);
    assert_string_equal(fixture_compliance(f, phone.device_id), "compliant");
}

static void a_compliance_policy_applies_what_it_asks_for(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_under(f, "{\"password.required\":true,\"settings.apply\":true}");
    assert_string_equal(fixture_value(f, phone.device_id, "password.required"), "true");
}

static void what_only_says_how_to_judge_is_no_rule(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    static const struct {
        const char *kind, *settings, *where;
    } rows[] = {
        {"compliance", "{\"settings.apply\":false}", "/settings/settings.apply"},
        {"compliance", "{\"grace.days\":2,\"settings.apply\":false}", "/settings/settings.apply"},
        {"compliance", "{\"os.minimum\":\"17\",\"settings.apply\":1}", "/settings/settings.apply"},
        {"configuration", "{\"settings.apply\":false}", "/settings/settings.apply"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy policy, wish = {.name = mem_text(f->owner, "X"),
                                      .kind = mem_text(f->owner, rows[i].kind),
                                      .settings = mem_text(f->owner, rows[i].settings)};
        struct err err;
        assert_fails(fleet_policy_create(f->fleet, &admin, f->owner, &wish, &policy, &err), err,
                     ERR_BAD_INPUT);
        assert_string_equal(err.where, rows[i].where);
    }
}

FLEET_MAIN(FLEET_TEST(evidence_ages_without_a_message), FLEET_TEST(a_breach_does_not_age),
           FLEET_TEST(integrity_ages_in_hours), FLEET_TEST(other_limits_weigh_every_verdict_again),
           FLEET_TEST(a_revoked_certificate_shuts_its_device_out),
           FLEET_TEST(a_policy_that_only_measures_sends_nothing),
           FLEET_TEST(a_compliance_policy_applies_what_it_asks_for),
           FLEET_TEST(what_only_says_how_to_judge_is_no_rule))
