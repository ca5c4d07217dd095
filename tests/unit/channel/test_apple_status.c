/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/text.h"
#include "channel/apple/declarations.h"
#include "channel/apple/status.h"

#define NOW 1790000000

static struct declared_report report_of(void *owner, const char *text)
{
    struct declared_report report;
    struct err err;
    assert_works(apple_status_parse(owner, bytes_text(text), NOW, &report, &err), err);
    return report;
}

static const char *fact_of(const struct declared_report *report, const char *name)
{
    for (size_t i = 0; i < report->fact_count; i++)
        if (text_equal(report->facts[i].name, name))
            return report->facts[i].value;
    return NULL;
}

static const struct declared *declared_of(const struct declared_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++)
        if (text_equal(report->declared[i].declaration.identifier, name))
            return &report->declared[i];
    return NULL;
}

static void values_become_facts_with_their_source(void **state)
{
    struct declared_report report = report_of(
        *state, "{\"StatusItems\":{\"passcode\":{\"is-compliant\":false,\"is-present\":true},"
                "\"device\":{\"operating-system\":{\"version\":\"17.5.1\"}},"
                "\"softwareupdate\":{\"pending-version\":{\"os-version\":\"18.0\","
                "\"build-version\":\"\"},\"failure-reason\":{\"count\":2}}},\"Errors\":[]}");
    assert_string_equal(fact_of(&report, "password.compliant"), "false");
    assert_string_equal(fact_of(&report, "password.present"), "true");
    assert_string_equal(fact_of(&report, "os.version"), "17.5.1");
    assert_string_equal(fact_of(&report, "update.pending_version"), "18.0");
    assert_string_equal(fact_of(&report, "update.pending_build"), "none");
    assert_string_equal(fact_of(&report, "update.failure_count"), "2");
    assert_int_equal(report.fact_count, 6);
    for (size_t i = 0; i < report.fact_count; i++) {
        assert_int_equal(report.facts[i].evidence, EVIDENCE_MEASURED);
        assert_int_equal(report.facts[i].reported_at, NOW);
    }
}

static void a_value_of_another_type_is_missing_and_never_false(void **state)
{
    struct declared_report report = report_of(
        *state, "{\"StatusItems\":{\"passcode\":{\"is-compliant\":0,\"is-present\":null},"
                "\"device\":{\"operating-system\":[\"version\"]},\"softwareupdate\":\"none\"}}");
    assert_int_equal(report.fact_count, 0);
}

static void a_declaration_is_read_with_its_reasons(void **state)
{
    struct declared_report report = report_of(
        *state,
        "{\"StatusItems\":{\"management\":{\"declarations\":{\"configurations\":[{\"identifier\":"
        "\"org.muster.declaration.passcode\",\"server-token\":\"T\",\"active\":false,\"valid\":"
        "\"invalid\",\"reasons\":[{\"code\":\"Error.UnknownDeclarationType\",\"description\":"
        "\"no\"},"
        "{\"code\":\"Error.B\"}]},{\"identifier\":\"other\",\"_removed\":true}]}}},\"Errors\":[]}");
    const struct declared *one = declared_of(&report, "org.muster.declaration.passcode");
    assert_string_equal(one->item, "declaration.passcode");
    assert_int_equal(one->declaration.validity, DECLARATION_INVALID);
    assert_string_equal(one->declaration.reason, "Error.UnknownDeclarationType: no; Error.B");
    assert_non_null(one->declaration.remedy);
    assert_true(declared_of(&report, "other")->is_removed);
    assert_null(declared_of(&report, "other")->item);
    assert_int_equal(report.named_kinds, 1U << DECLARATION_CONFIGURATION);
    assert_false(report.is_full);
}

static void an_entry_without_name_or_token_is_left_out(void **state)
{
    struct declared_report report = report_of(
        *state,
        "{\"StatusItems\":{\"management\":{\"declarations\":{\"activations\":[7,{},"
        "{\"identifier\":\"a\"},{\"identifier\":\"\",\"server-token\":\"t\"},"
        "{\"identifier\":\"12345678901234567890123456789012345678901234567890123456789012345"
        "\",\"server-token\":\"t\"},{\"identifier\":\"b\",\"server-token\":\"t\"}]}}}}");
    assert_int_equal(report.count, 1);
    assert_int_equal(declared_of(&report, "b")->declaration.validity, DECLARATION_UNKNOWN);
}

static void an_error_stands_until_the_value_comes(void **state)
{
    struct declared_report report =
        report_of(*state, "{\"StatusItems\":{},\"Errors\":[{\"StatusItem\":\"passcode.is-present\","
                          "\"Reasons\":[{\"Code\":\"Error.X\",\"Description\":\"d\"}]}]}");
    const struct declared *error = declared_of(&report, "passcode.is-present");
    assert_int_equal(error->declaration.kind, DECLARATION_REPORT);
    assert_string_equal(error->declaration.reason, "Error.X: d");
    assert_false(error->is_removed);
    report = report_of(*state, "{\"StatusItems\":{\"passcode\":{\"is-present\":true}}}");
    assert_true(declared_of(&report, "passcode.is-present")->is_removed);
}

static void abilities_are_kept_as_far_as_they_matter(void **state)
{
    static const char *const texts[] = {
        "{\"StatusItems\":{\"management\":{\"client-capabilities\":{\"supported-payloads\":"
        "{\"declarations\":{\"configurations\":[\"x.y\","
        "\"com.apple.configuration.passcode.settings\"]},"
        "\"status-items\":[\"passcode.is-compliant\",\"unknown\"]}}}}}",
        "{\"StatusItems\":{\"management\":{\"client-capabilities\":{\"supported-payloads\":"
        "{\"status-items\":[\"passcode.is-compliant\"],\"declarations\":{\"configurations\":["
        "\"com.apple.configuration.passcode.settings\",\"com.apple.configuration.passcode.settings"
        "\"]}}}}}}"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(
            report_of(*state, texts[i]).capabilities,
            "[\"com.apple.configuration.passcode.settings\",\"passcode.is-compliant\"]");
    assert_null(report_of(*state, "{\"StatusItems\":{\"management\":{\"client-capabilities\":7}}}")
                    .capabilities);
}

static void what_is_no_report_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err_kind kind;
    } rows[] = {{"", ERR_BAD_INPUT},
                {"[]", ERR_BAD_INPUT},
                {"{}", ERR_BAD_INPUT},
                {"{\"StatusItems\":[]}", ERR_BAD_INPUT},
                {"{\"StatusItems\":{}} x", ERR_BAD_INPUT},
                {"[[[[[[[[[[[[[[[[[[[[", ERR_TOO_LARGE}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct declared_report report;
        struct err err;
        assert_fails(apple_status_parse(*state, bytes_text(rows[i].text), NOW, &report, &err), err,
                     rows[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_facts_with_their_source),
        cmocka_unit_test(a_value_of_another_type_is_missing_and_never_false),
        cmocka_unit_test(a_declaration_is_read_with_its_reasons),
        cmocka_unit_test(an_entry_without_name_or_token_is_left_out),
        cmocka_unit_test(an_error_stands_until_the_value_comes),
        cmocka_unit_test(abilities_are_kept_as_far_as_they_matter),
        cmocka_unit_test(what_is_no_report_is_refused),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
