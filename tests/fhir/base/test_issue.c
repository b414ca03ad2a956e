#include "tests/check.h"

#include "fhir/base/issue.h"

static void test_kept_in_order_and_the_worst_remembered(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    assert_false(issues_bad(&issues));
    issues_add(&issues, ISSUE_WARNING, "value", STR("PID-7"), "month %d", 13);
    assert_false(issues_bad(&issues));
    issues_add(&issues, ISSUE_ERROR, "structure", STR("PID"), "missing");
    issues_add(&issues, ISSUE_INFORMATION, "value", STR("PID-8"), "kept");
    assert_true(issues_bad(&issues));
    assert_str(issues.first->place, "PID-7");
    assert_str(issues.first->text, "month 13");
    assert_str(issues.first->next->next->text, "kept");
    assert_string_equal(issue_severity_name(issues.worst), "error");
}

static void test_beyond_the_limit_only_counted(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    for (int i = 0; i < ISSUES_MAX + 5; i++) {
        issues_add(&issues, ISSUE_WARNING, "value", STR("OBX"), "x");
    }
    size_t kept = 0;
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        kept++;
    }
    assert_int_equal(kept, ISSUES_MAX);
    assert_int_equal(issues.count, ISSUES_MAX + 5);
    issues_add(&issues, ISSUE_ERROR, "value", STR("OBX"), "an error isn't hidden by notes");
    assert_int_equal(issues.last->severity, ISSUE_ERROR);
    issues_add(&issues, ISSUE_WARNING, "value", STR("OBX"), "x");
    assert_int_equal(issues.last->severity, ISSUE_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_in_order_and_the_worst_remembered),
        cmocka_unit_test(test_beyond_the_limit_only_counted),
    };
    return cmocka_run_group_tests_name("fhir/base/issue", tests, NULL, NULL);
}
