/* What maps know of senders. */
#include "tests/fhir/translate/small_map.h"

#include "fhir/translate/sender.h"

static const char *const layers[] = { "sender\n"
                                      "    zone Europe/Berlin\n"
                                      "    assigner LAB -> urn:general\n"
                                      "    assigner X -> urn:x\n"
                                      "    option Extra\n"
                                      "sender ACME\n"
                                      "    zone America/Lima\n"
                                      "    assigner LAB -> urn:acme\n",
                                      "sender ACME\n"
                                      "    option Late More\n" };

/* The systems of @authority in order of their weight, as words; the zone and options after. */
static void known(struct arena *arena, const char *facility, const char *zone, char *out,
                  size_t size)
{
    static const struct v2_assigner said = { { "OWN", 3 }, { "urn:own", 7 } };
    struct translated t = { .arena = arena };
    struct v2_message message;
    char text[200];
    (void)snprintf(text, sizeof(text), "MSH|^~\\&|APP|%s|||2026||ADT^A01|7|P|2.5\r", facility);
    struct translate_site site = { .rules = compile(&t, layers, 2),
                                   .zone = str_z(zone),
                                   .assigners = { &said, 1 } };
    assert_non_null(site.rules);
    struct str kept = arena_str(arena, str_z(text));
    assert_int_equal(v2_parse(arena, kept, &t.issues, &message), 0);
    assert_int_equal(translate_sender(arena, &message, &site), 0);
    struct buf b = buf_fixed(out, size - 1);
    for (size_t i = 0; i < site.assigners.count; i++) {
        buf_str_put(&b, site.assigners.list[i].authority);
        buf_c(&b, '=');
        buf_str_put(&b, site.assigners.list[i].system);
        buf_c(&b, ' ');
    }
    buf_str_put(&b, site.zone);
    for (size_t i = 0; i < site.option_count; i++) {
        buf_c(&b, ' ');
        buf_str_put(&b, site.options[i]);
    }
    out[b.n] = '\0';
}

/* The caller first, then the facility's sections, later layers before, then those for all. */
static void test_order(void **state)
{
    static const struct {
        const char *facility, *zone, *want;
    } cases[] = {
        { "OTHER", "", "OWN=urn:own LAB=urn:general X=urn:x Europe/Berlin Extra" },
        { "ACME", "",
          "OWN=urn:own LAB=urn:acme LAB=urn:general X=urn:x America/Lima More Late Extra" },
        { "^ACME^ISO", "Asia/Tokyo",
          "OWN=urn:own LAB=urn:acme LAB=urn:general X=urn:x Asia/Tokyo More Late Extra" },
        { "", "", "OWN=urn:own LAB=urn:general X=urn:x Europe/Berlin Extra" },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[400];
        known(arena, cases[i].facility, cases[i].zone, got, sizeof(got));
        assert_string_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests_name("fhir/translate/sender", tests, NULL, NULL);
}
