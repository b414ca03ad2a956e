/* Policies in words: nothing that counts is left out. */
#include "fhir/consent/words.h"

#include "tests/check.h"

static const struct {
    const char *rule;
    const char *policy;
    const char *words;
} cases[] = {
    { "a base alone", "{\"base\":\"deny\",\"schema\":1}", "Refused.\n" },
    { "which permits", "{\"base\":\"permit\",\"schema\":1}", "Permitted.\n" },
    { "or is silent", "{\"base\":\"silent\",\"schema\":1}", "Nothing is said.\n" },
    { "exceptions, numbered",
      "{\"base\":\"deny\",\"rules\":[{\"actions\":[\"access\",\"use\"],\"effect\":\"deny\"},"
      "{\"actors\":[\"urn:a\",\"urn:b\"],\"effect\":\"permit\",\"purposes\":[\"TREAT\"],"
      "\"rules\":[{\"confidentiality\":[\"R\",\"V\"],\"effect\":\"deny\"}]}],\"schema\":1}",
      "Refused; but:\n"
      "1 Refused; to access or use.\n"
      "2 Permitted; by urn:a or urn:b; for TREAT; but:\n"
      "2.1 Refused; of confidentiality R or V.\n" },
    { "every list",
      "{\"base\":\"deny\",\"rules\":[{\"classes\":[\"Observation\"],\"codes\":[\"urn:c|1\"],"
      "\"custodians\":[\"urn:h\"],\"dataAuthoredBy\":[\"urn:w\"],\"dataDependents\":["
      "\"Encounter/1\"],"
      "\"dataInstances\":[\"Patient/1\"],\"dataRelated\":[\"CarePlan/"
      "1\"],\"effect\":\"permit\","
      "\"otherLabels\":[\"urn:l|x\"],\"otherPurposes\":[\"urn:p|y\"],\"sensitivity\":[\"HIV\"]}"
      "],"
      "\"schema\":1}",
      "Refused; but:\n"
      "1 Permitted; of data held by urn:h; for urn:p|y; labelled urn:l|x; of the kind "
      "Observation; "
      "coded urn:c|1; namely Patient/1; referring to CarePlan/1; being or referring to "
      "Encounter/1; "
      "written by urn:w; of sensitivity HIV.\n" },
    { "a value can't write the sentence",
      "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"urn:a.\\n2 Refused\",\"urn:b; for TREAT\","
      "\"urn:c\\\"d\",\"urn:e\x7f\",\"urn:\xe2\x80\xa8\"],\"effect\":\"permit\"}],\"schema\":"
      "1}",
      "Refused; but:\n"
      "1 Permitted; by \"urn:a.%0a2 Refused\" or \"urn:b; for TREAT\" or \"urn:c\\\"d\" or "
      "\"urn:e%7f\" or \"urn:%e2%80%a8\".\n" },
    { "times, open ends too",
      "{\"base\":\"permit\",\"rules\":[{\"dataPeriod\":{\"until\":1577836800000},\"effect\":"
      "\"deny\"}],"
      "\"schema\":1,\"scope\":{\"period\":{\"from\":1767225600000,\"until\":1798761600000}}}",
      "Permitted; in the time from 2026-01-01T00:00:00Z until before 2027-01-01T00:00:00Z; "
      "but:\n"
      "1 Refused; of data until before 2020-01-01T00:00:00Z.\n" },
    { "before 1970", "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{\"from\":-1}}}",
      "Refused; in the time from 1969-12-31T23:59:59Z.\n" },
    { "what was agreed to, and signed elsewhere",
      "{\"base\":\"deny\",\"schema\":1,\"sources\":[\"sha256:00\"],\"uris\":[\"urn:other\","
      "\"urn:policy\"]}",
      "Refused.\nAgreed to urn:other or urn:policy.\nSource sha256:00.\n" },
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        if (policy_read(arena, str_z(cases[i].policy), &issues, &policy) != 0) {
            fail_msg("%s: no policy", cases[i].rule);
        }
        struct buf out = arena_buf(arena, WORDS_MAX);
        words_write(&out, &policy);
        assert_false(buf_failed(&out));
        if (!str_eq(buf_str(&out), str_z(cases[i].words))) {
            print_error("%s\n", cases[i].rule);
        }
        assert_str(buf_str(&out), cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };
    return cmocka_run_group_tests_name("fhir/consent/words", tests, NULL, NULL);
}
