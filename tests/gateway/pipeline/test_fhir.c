/* The parts of the FHIR pipelines that need no server. */
#include "gateway/pipeline/fhir_consents.h"
#include "gateway/pipeline/fhir_impl.h"
#include "tests/check.h"

#include <stdlib.h>

static void test_only_what_is_below_the_base_is_served(void **state)
{
    static const struct {
        const char *path, *base, *want;
    } cases[] = {
        { "/fhir/Patient/1", "https://gw.example/fhir", "/Patient/1" },
        { "/fhir", "https://gw.example/fhir", "" },
        { "/Patient", "https://gw.example", "/Patient" },
        { "/fhirs/Patient", "https://gw.example/fhir", NULL },
        { "/Patient", "https://gw.example/fhir", NULL },
        { "/r4/fhir/metadata", "http://gw.example:8080/r4/fhir", "/metadata" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        bool below = fhir_below(str_z(cases[i].path), str_z(cases[i].base), &got);
        assert_int_equal(below, cases[i].want != NULL);
        if (below) {
            assert_str(got, cases[i].want);
        }
    }
}

static void number_of(unsigned i, uint8_t out[16])
{
    memset(out, 0, 16);
    out[0] = (uint8_t)(i % 7); /* many share a beginning, and so a slot */
    out[8] = (uint8_t)i;
    out[9] = (uint8_t)(i >> 8);
    out[15] = 1;
}

static void test_named_patients_stay_named(void **state)
{
    (void)state;
    struct fhir_answer answer = { 0 };
    struct type_set first = { 0 };
    struct type_set second = { 0 };
    uint8_t number[16];
    type_set_add(&first, STR("Patient"));
    type_set_add(&second, STR("Observation"));
    for (unsigned i = 0; i < 2000; i++) {
        number_of(i, number);
        assert_null(fhir_named(&answer, number));
        assert_int_equal(fhir_name(&answer, number, &first), 0);
        assert_int_equal(fhir_name(&answer, number, &second), 0);
        assert_non_null(fhir_named(&answer, number));
    }
    assert_int_equal(answer.named_count, 2000);
    for (unsigned i = 0; i < 2000; i++) {
        number_of(i, number);
        const struct fhir_shown *shown = fhir_named(&answer, number);
        assert_non_null(shown);
        struct type_set recorded = shown->recorded; /* both */
        assert_true(type_set_without(&recorded, &first));
        assert_false(type_set_without(&recorded, &second));
    }
    free(answer.named);
}

static void test_a_consent_id_is_64_digits(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 0 },
        { "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 0 },
        { "00112233445566778899aabbccddeeff00112233445566778899aabbccddee", -EINVAL },
        { "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg", -EINVAL },
        { "", -EINVAL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t id[32];
        assert_int_equal(fhir_consent_id(str_z(cases[i].text), id), cases[i].want);
    }
}

static void test_only_a_permit_shows_resources(void **state)
{
    (void)state;
    for (int i = OUTCOME_OPEN; i <= OUTCOME_FAILED; i++) {
        /* What is delivered, a disclosure made elsewhere, is answered by a word of ours. */
        bool open = i == OUTCOME_PERMIT || i == OUTCOME_DONE || i == OUTCOME_DELIVERED;
        assert_int_equal(fhir_may_show((enum outcome)i, INTERACTION_READ), open);
        /* A search that may show nothing has a Bundle nevertheless. */
        assert_int_equal(fhir_may_show((enum outcome)i, INTERACTION_SEARCH),
                         open || i == OUTCOME_DENY);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_below_the_base_is_served),
        cmocka_unit_test(test_named_patients_stay_named),
        cmocka_unit_test(test_a_consent_id_is_64_digits),
        cmocka_unit_test(test_only_a_permit_shows_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
