#include "gateway/identity/enrol_code.h"
#include "tests/check.h"

#include <errno.h>

static void test_a_code_is_read_as_it_was_made(void **state)
{
    (void)state;
    uint8_t random[ENROL_CODE_SIZE];
    char text[ENROL_CODE_TEXT];
    char out[ENROL_CODE_SIZE];
    for (size_t i = 0; i < sizeof(random); i++) {
        random[i] = (uint8_t)(0xe0 + i + 12);
    }
    enrol_code_make(random, text);
    assert_str(str_of(text, sizeof(text)), "CDEFG-HJKMN-PQRST-VWXYZ");
    assert_int_equal(enrol_code_read(str_of(text, sizeof(text)), out), 0);
    assert_str(str_of(out, sizeof(out)), "CDEFGHJKMNPQRSTVWXYZ");
}

static void test_a_code_as_people_type_it(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        { "01234-56789-abcde-fghjk", "0123456789ABCDEFGHJK" },
        { "  0123456789 ABCDEFGHJK ", "0123456789ABCDEFGHJK" },
        { "oIlO1-00000-00000-00000", "01101000000000000000" },
        { "", NULL },
        { "01234-56789-ABCDE-FGHJ", NULL },
        { "01234-56789-ABCDE-FGHJKM", NULL },
        { "01234-56789-ABCDE-FGHJU", NULL }, /* U is no digit, so that no words arise */
        { "01234-56789-ABCDE-FGHJ\xc3", NULL },
        { "01234_56789_ABCDE_FGHJK", NULL },
        { "01234\n56789ABCDEFGHJK", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[ENROL_CODE_SIZE];
        int r = enrol_code_read(str_z(cases[i].text), out);
        assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
        if (cases[i].want) {
            assert_str(str_of(out, sizeof(out)), cases[i].want);
        }
    }
    char out[ENROL_CODE_SIZE];
    const char nul[ENROL_CODE_SIZE] = { 0 };
    assert_int_equal(enrol_code_read(str_of(nul, sizeof(nul)), out), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_code_is_read_as_it_was_made),
        cmocka_unit_test(test_a_code_as_people_type_it),
    };
    return cmocka_run_group_tests_name("gateway/identity/enrol_code", tests, NULL, NULL);
}
