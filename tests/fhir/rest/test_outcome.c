/* OperationOutcomes as clients read them. */
#include "fhir/rest/outcome.h"

#include "tests/check.h"

static void test_outcomes(void **state)
{
    (void)state;
    char memory[1024];
    struct buf out = buf_fixed(memory, sizeof(memory));
    struct rest_outcome outcome = {
        .severity = ISSUE_ERROR,
        .code = outcome_code(403),
        .diagnostics = "no consent",
        .what = STR("a\"b"),
        .correlation = STR("0190"),
    };
    outcome_write(&outcome, &out);
    assert_str(buf_str(&out),
               "{\"resourceType\":\"OperationOutcome\",\"id\":\"0190\",\"issue\":["
               "{\"severity\":\"error\",\"code\":\"forbidden\",\"details\":{"
               "\"text\":\"a\\\"b\"},\"diagnostics\":\"no consent\"}]}");

    outcome = (struct rest_outcome){ .severity = ISSUE_INFORMATION, .code = "suppressed" };
    out.n = 0;
    outcome_write_entry(&outcome, &out);
    assert_str(buf_str(&out),
               "{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[{"
               "\"severity\":\"information\",\"code\":\"suppressed\"}]},"
               "\"search\":{\"mode\":\"outcome\"}}");

    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    issues_add(&issues, ISSUE_FATAL, "structure", STR("byte 3"), "not JSON");
    outcome = (struct rest_outcome){ .severity = ISSUE_ERROR, .code = "invalid" };
    out.n = 0;
    outcome_write_issues(&outcome, &issues, &out);
    assert_str(buf_str(&out),
               "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
               "\"error\",\"code\":\"invalid\"},{\"severity\":\"fatal\",\"code\":"
               "\"structure\",\"diagnostics\":\"not JSON\",\"expression\":["
               "\"byte 3\"]}]}");
    out.n = 0;
    outcome_write_verdict(STR("Patient"), &issues, STR("0190"), &out);
    assert_str(buf_str(&out),
               "{\"resourceType\":\"OperationOutcome\",\"id\":\"0190\",\"issue\":["
               "{\"severity\":\"error\",\"code\":\"invalid\",\"diagnostics\":\"not valid\","
               "\"expression\":[\"Patient\"]},{\"severity\":\"fatal\",\"code\":"
               "\"structure\",\"diagnostics\":\"not JSON\",\"expression\":[\"byte 3\"]}]}");
    assert_string_equal(outcome_code(599), "exception");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_outcomes) };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
