#include "fhir/consent/obligation.h"

#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"
#include "tests/check.h"

#define ABSENT                                                                                 \
    "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\"," \
    "\"valueCode\":\"masked\"}]}"
#define REDACTED                                                                               \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\",\"code\":"      \
    "\"REDACTED\"}"
#define ALWAYS "\"when\":{\"base\":\"deny\",\"schema\":1}"
#define OBLIGED(rest) "{\"schema\":1,\"obligations\":[{" ALWAYS "," rest "}]}"

static void read_tenant(struct arena *arena, const char *text, struct consent_tenant *out)
{
    struct issues issues;
    issues_init(&issues, arena);
    int r = consent_tenant_read(arena, str_z(text), &issues, out);
    if (r != 0) {
        print_error("%s: %.*s: %.*s\n", text, (int)issues.first->place.n, issues.first->place.p,
                    (int)issues.first->text.n, issues.first->text.p);
    }
    assert_int_equal(r, 0);
}

static const struct {
    const char *tenant, *resource, *want;
} cases[] = {
    /* what isn't named stays as it is; meta says what was done */
    { OBLIGED("\"redact\":[\"Patient.birthDate\"]"),
      "{\"resourceType\":\"Patient\", \"birthDate\":\"1970-01-01\",\"active\" : true}",
      "{\"resourceType\":\"Patient\",\"active\" : true,\"meta\":{\"security\":[" REDACTED
      "]}}" },
    { OBLIGED("\"redact\":[\"Patient.birthDate\"]"),
      "{\"resourceType\":\"Patient\",\"birthDate\":\"1970\",\"_birthDate\":{\"id\":\"b\"}}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED "]}}" },
    { OBLIGED("\"redact\":[\"Patient.birthDate\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{\"versionId\":\"1\"},\"active\":true}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"versionId\":\"1\"},\"active\":true}" },
    { OBLIGED("\"redact\":[\"Patient.birthDate\"]"),
      "{\"resourceType\":\"Observation\",\"birthDate\":1.00}",
      "{\"resourceType\":\"Observation\",\"birthDate\":1.00,\"meta\":{}}" },
    /* in lists and below, decimals as written */
    { OBLIGED("\"redact\":[\"Patient.contact.telecom\"]"),
      "{\"resourceType\":\"Patient\",\"contact\":[{\"id\":\"1\",\"telecom\":[{}]},{\"telecom\":"
      "[]},"
      "{\"extension\":[{\"valueDecimal\":1.00}]}]}",
      "{\"resourceType\":\"Patient\",\"contact\":[{\"id\":\"1\"},{},{\"extension\":[{"
      "\"valueDecimal\":1.00}]}],\"meta\":{\"security\":[" REDACTED "]}}" },
    { OBLIGED("\"redact\":[\"Patient.contact.telecom\"]"),
      "{\"resourceType\":\"Patient\",\"contact\":[7,[{\"telecom\":[]}]]}",
      "{\"resourceType\":\"Patient\",\"contact\":[7,[{}]],\"meta\":{\"security\":[" REDACTED
      "]}}" },
    /* narrative and contained resources may repeat it */
    { OBLIGED("\"redact\":[\"Patient.name\"]"),
      "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"Jane\"},\"contained\":[{}],\"name\":[{"
      "}],"
      "\"contact\":[{\"text\":\"x\"}]}",
      "{\"resourceType\":\"Patient\",\"contact\":[{\"text\":\"x\"}],\"meta\":{\"security\":"
      "[" REDACTED "]}}" },
    { OBLIGED("\"redact\":[\"Patient.name\"]"),
      "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"Jane\"},\"meta\":{}}",
      "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"Jane\"},\"meta\":{}}" },
    /* any type of a value */
    { OBLIGED("\"redact\":[\"Observation.value[x]\"]"),
      "{\"resourceType\":\"Observation\",\"valueString\":\"a\",\"value\":1,\"values\":2,"
      "\"value2\":3,\"\":4}",
      "{\"resourceType\":\"Observation\",\"value\":1,\"values\":2,\"value2\":3,\"\":4,\"meta\":"
      "{\"security\":"
      "[" REDACTED "]}}" },
    /* masked: that it isn't told stands in its place */
    { OBLIGED("\"mask\":[\"Patient.birthDate\",\"Patient.name\",\"Patient.maritalStatus\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{},\"name\":[{\"family\":\"X\"}],\"birthDate\":"
      "\"1970\","
      "\"_birthDate\":{\"id\":\"b\"},\"maritalStatus\":{\"text\":\"m\"}}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED "]},\"name\":[" ABSENT
      "],\"_birthDate\":" ABSENT ",\"maritalStatus\":" ABSENT "}" },
    { OBLIGED("\"mask\":[\"Patient.name.given\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{},\"name\":[{\"given\":[\"A\",\"B\"]}]}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED
      "]},\"name\":[{\"_given\":[" ABSENT "]}]}" },
    { OBLIGED("\"mask\":[\"Patient.photo\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{},\"photo\":[]}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED "]},\"_photo\":[" ABSENT
      "]}" },
    /* redacting goes before masking */
    { OBLIGED("\"mask\":[\"Patient.name\"],\"redact\":[\"Patient.name\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{},\"name\":[{}]}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED "]}}" },
    /* labels and notices beside those that are there */
    { OBLIGED("\"label\":[\"urn:l|a\",\"urn:l|b\"],\"notice\":\"Don't pass it on.\""),
      "{\"resourceType\":\"Patient\",\"meta\":{\"tag\":[{\"code\":\"t\"}],\"id\":\"m\","
      "\"security\":[{"
      "\"code\":\"s\"}],\"lastUpdated\":\"2022\"}}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"id\":\"m\",\"lastUpdated\":\"2022\","
      "\"security\":[{"
      "\"code\":\"s\"},{\"system\":\"urn:l\",\"code\":\"a\"},{\"system\":\"urn:l\",\"code\":"
      "\"b\"}],"
      "\"tag\":[{\"code\":\"t\"},{\"system\":\"urn:chartseal:notice\",\"display\":\"Don't pass "
      "it "
      "on.\"}]}}" },
    /* nobody takes meta away, where all of this is said */
    { OBLIGED("\"redact\":[\"Patient.meta\",\"Patient.meta.security\"]"),
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[{\"code\":\"R\"}]}}",
      "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[{\"code\":\"R\"}," REDACTED
      "]}}" },
};

static void test_what_becomes_of_a_resource(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct consent_tenant tenant;
        const struct node *root = NULL;
        struct issues issues;
        issues_init(&issues, arena);
        read_tenant(arena, cases[i].tenant, &tenant);
        assert_int_equal(json_parse(arena, str_z(cases[i].resource), &issues, &root), 0);
        struct buf out = arena_buf(arena, 1 << 16);
        assert_int_equal(
            consent_oblige(arena, &tenant, 1, root, str_z(cases[i].resource), &out), 0);
        assert_str(buf_str(&out), cases[i].want);
        assert_int_equal(json_parse(arena, buf_str(&out), &issues, &root), 0);
    }
}

/* Only those whose bits are set, of several. */
static void test_each_obligation_by_its_own(void **state)
{
    static const char text[] =
        "{\"schema\":1,\"obligations\":[{" ALWAYS ",\"redact\":[\"Patient.name\"],\"label\":["
        "\"urn:l|a\"],\"notice\":\"n\"},{" ALWAYS ",\"mask\":[\"Patient.photo\"]},"
        "{" ALWAYS ",\"label\":[\"urn:l|c\"]}]}";
    static const char resource[] =
        "{\"resourceType\":\"Patient\",\"meta\":{},\"name\":[{}],\"photo\":[{}]}";
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct consent_tenant tenant;
    const struct node *root = NULL;
    struct issues issues;
    (void)state;
    issues_init(&issues, arena);
    read_tenant(arena, text, &tenant);
    assert_int_equal(json_parse(arena, STR(resource), &issues, &root), 0);
    struct buf out = arena_buf(arena, 1 << 16);
    assert_int_equal(consent_oblige(arena, &tenant, 4, root, STR(resource), &out), 0);
    assert_str(buf_str(&out),
               "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[{\"system\":\"urn:l\","
               "\"code\":\"c\"}]},\"name\":[{}],\"photo\":[{}]}");
    out.n = 0;
    assert_int_equal(consent_oblige(arena, &tenant, 2, root, STR(resource), &out), 0);
    assert_str(buf_str(&out), "{\"resourceType\":\"Patient\",\"meta\":{\"security\":[" REDACTED
                              "]},\"name\":[{}],\"photo\":[" ABSENT "]}");
}

static void test_when_they_apply(void **state)
{
    static const char text[] =
        "{\"schema\":1,\"obligations\":[{\"when\":{\"base\":\"deny\",\"schema\":1,\"scope\":{"
        "\"purposes\":[\"HPAYMT\"]}},\"notice\":\"n\"},{\"when\":{\"base\":\"silent\","
        "\"rules\":[{"
        "\"codes\":[\"s|1\"],\"effect\":\"deny\"}],\"schema\":1},\"notice\":\"n\"}]}";
    static const struct consent_coding code = { { "s", 1 }, { "1", 1 } };
    static const struct {
        const char *purpose;
        size_t codes;
        uint32_t unknown, want;
    } when[] = {
        { "TREAT", 0, 0, 0 },
        { "HPAYMT", 0, 0, 1 },
        { "CLMATTCH", 1, 0, 3 },
        { "TREAT", 0, CONSENT_FACT_CODES, 2 }, /* in doubt too */
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct consent_tenant tenant;
    (void)state;
    read_tenant(arena, text, &tenant);
    for (size_t i = 0; i < ARRAY_LEN(when); i++) {
        struct consent_request request = { .purposes = purpose_bit(str_z(when[i].purpose)),
                                           .action = ACTION_ACCESS };
        struct consent_facts facts = { .labelled = true,
                                       .codes = &code,
                                       .n_codes = when[i].codes,
                                       .unknown = when[i].unknown };
        assert_int_equal(consent_tenant_obligations(&tenant, &request, &facts), when[i].want);
    }
}

/* However little memory there is, the result is whole or none. */
static void test_no_memory(void **state)
{
    static const char resource[] = "{\"resourceType\":\"Patient\",\"name\":[{}]}";
    CLEANUP(arena_freep) struct arena *all = arena_new(1 << 16);
    struct consent_tenant tenant;
    const struct node *root = NULL;
    struct issues issues;
    unsigned failed = 0;
    (void)state;
    issues_init(&issues, all);
    read_tenant(all, OBLIGED("\"redact\":[\"Patient.name\"]"), &tenant);
    assert_int_equal(json_parse(all, STR(resource), &issues, &root), 0);
    int r = -1;
    for (size_t room = 1; r != 0; room += 8) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        arena_limit(arena, room);
        struct buf out = arena_buf(arena, 1 << 16);
        r = consent_oblige(arena, &tenant, 1, root, STR(resource), &out);
        failed += r != 0;
        assert_true(room < 1 << 16);
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_becomes_of_a_resource),
        cmocka_unit_test(test_each_obligation_by_its_own),
        cmocka_unit_test(test_when_they_apply),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("fhir/consent/obligation", tests, NULL, NULL);
}
