/* MSH as a MessageHeader, for those who ask. */
#include "tests/check.h"

#include "tests/fhir/translate/translated.h"

#define HEADER(fields) "MSH|^~\\&|" fields "\r" PID

static void test_header(void **state)
{
    static const char absent[] = "\"_endpoint\":{\"extension\":[{\"url\":"
                                 "\"http://hl7.org/fhir/StructureDefinition/"
                                 "data-absent-reason\",\"valueCode\":\"unknown\"}]}";
    static const struct {
        const char *message;
        const char *wants[3]; /* "!" before what must not be there */
    } cases[] = {
        { HEADER("APP|FAC|TO|THERE|2026|SEC|ADT^A01^ADT_A01|7|P^T|2.5.1"),
          { "\"eventCoding\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0003\","
            "\"code\":\"A01\",\"display\":\"ADT^A01^ADT_A01\"}",
            "\"sender\":{\"display\":\"FAC\",\"type\":\"Organization\"}",
            "\"meta\":{\"security\":[{\"display\":\"SEC\"}],\"tag\":[{\"system\":"
            "\"http://terminology.hl7.org/CodeSystem/v2-0103\",\"code\":\"P\"},{\"system\":"
            "\"http://terminology.hl7.org/CodeSystem/v2-0207\",\"code\":\"T\"}]}" } },
        /* where from and where to, in the end by address */
        { HEADER("APP||||2026||ADT^A01|7|P|2.5.1"),
          { "\"source\":{\"name\":\"APP\",\"_endpoint\":", absent, "!destination" } },
        { HEADER("||||2026||ADT^A01|7|P|2.5.1"), { "\"source\":{\"_endpoint\":", absent } },
        { HEADER("APP^1.2^ISO||TO^1.3^ISO||2026||ADT^A01|7|P|2.5.1"),
          { "\"source\":{\"name\":\"APP\",\"software\":\"1.2\",\"endpoint\":\"urn:oid:1.2\"}",
            "\"name\":\"TO\",\"target\":{\"reference\":\"urn:uuid:",
            "\"endpoint\":\"urn:oid:1.3\"}" } },
        { HEADER("APP^1.2^ISO||TO^1.3^ISO|R|2026||ADT^A01|7|P|2.5.1||||||||||S^^^^^^^^^8"
                 "|Q^^^^^^^^^9|NET^mllp://a^URI|TON^b.example^DNS"),
          { "\"endpoint\":\"mllp://a\"",
            "\"responsible\":{\"reference\":\"urn:uuid:", "\"name\":\"TON\",\"target\":{" } },
        { HEADER("APP||||2026||ADT^A01|7|P|2.5.1|||||DEU||de"), { "\"language\":\"de\"" } },
        { HEADER("APP||||2026||ADT^A01|7|P|2.5.1|||||||||||||||R~ETH^^HL70177"),
          { "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality\",\"code\":"
            "\"R\"}" } },
        { HEADER("APP||||2026||ADT^A01|7|P|2.5.1"),
          { "\"focus\":[{\"reference\":\"urn:uuid:" } },
        { MSH("ADT^A01") "SFT|Maker|1.5|Product\r" PID,
          { "\"software\":\"Product\",\"version\":\"1.5\"" } },
    };
    (void)state;
    static const struct str options[] = { STR_INIT("MessageHeader") };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena, .options = options, .option_count = 1 };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        const struct translate_entry *e = entry(&t, "MessageHeader");
        assert_non_null(e);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            const char *want = cases[i].wants[w];
            bool unwanted = want[0] == '!';
            bool got =
                memmem(e->resource.p, e->resource.n, want + unwanted, strlen(want + unwanted));
            if (got == unwanted) {
                fail_msg("case %zu: want %s in %.*s", i, want, (int)e->resource.n,
                         e->resource.p);
            }
        }
    }
}

/* It is one entry more of the same transaction, and the Provenance is of it too. */
static void test_the_rest_stays(void **state)
{
    (void)state;
    static const struct str options[] = { STR_INIT("MessageHeader") };
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated with = { .arena = arena, .options = options, .option_count = 1 };
    struct translated without = { .arena = arena };
    assert_int_equal(translate_with(&with, STR(ADT PID), false), 0);
    assert_int_equal(translate_with(&without, STR(ADT PID), false), 0);
    assert_null(entry(&without, "MessageHeader"));
    assert_int_equal(with.result.count, without.result.count + 1);
    assert_true(str_starts(with.result.bundle,
                           STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\"")));
    assert_true(
        str_eq(entry(&with, "Patient")->resource, entry(&without, "Patient")->resource));
    struct str header = entry(&with, "MessageHeader")->full_url;
    struct str provenance = entry(&with, "Provenance")->resource;
    assert_non_null(memmem(provenance.p, provenance.n, header.p, header.n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_the_rest_stays),
    };
    return cmocka_run_group_tests_name("fhir/translate/message_header", tests, setup, teardown);
}
