/* Whose data the entries of a Bundle are, by what else is in it. */
#include "fhir/compartment/within.h"

#include "fhir/format/json.h"
#include "tests/check.h"

static const struct node *read_json(struct arena *arena, const char *text)
{
    struct issues issues;
    const struct node *root;
    issues_init(&issues, arena);
    if (json_parse(arena, str_z(text), &issues, &root)) {
        fail_msg("no JSON: %s", text);
    }
    return root;
}

/* A list as "urn:a=1 Patient/2 urn:uuid:3". */
static void show(const struct subject_list *list, char *out, size_t size)
{
    struct buf b = buf_fixed(out, size - 1);
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        const struct reference *to = &ref->to;
        buf_z(&b, b.n ? " " : "");
        if (to->form == REFERENCE_LOGICAL) {
            buf_fmt(&b, "%.*s=%.*s", (int)to->system.n, to->system.p, (int)to->value.n,
                    to->value.p);
        } else if (to->form == REFERENCE_RELATIVE) {
            buf_fmt(&b, "%.*s/%.*s", (int)to->type.n, to->type.p, (int)to->id.n, to->id.p);
        } else {
            buf_str_put(&b, to->id);
        }
    }
    assert_false(buf_failed(&b));
    out[b.n] = '\0';
}

static void look_up(struct arena *arena, const struct node *root, const struct node *resource,
                    struct subjects *found)
{
    struct within *within;
    assert_int_equal(within_new(arena, root, &within), 0);
    assert_int_equal(subject_within(arena, within, resource, found), 0);
}

#define ENTRY(url, resource) "{\"fullUrl\":\"" url "\",\"resource\":" resource "}"
#define BUNDLE(first, rest)                                                                    \
    "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[" first "," rest "]}"
#define R(type, rest) "{\"resourceType\":\"" type "\"" rest "}"
#define TO(name, target) ",\"" name "\":{\"reference\":\"" target "\"}"
#define TOS(name, target) ",\"" name "\":[{\"reference\":\"" target "\"}]"
#define ANNA                                                                                   \
    R("Patient", ",\"id\":\"p\",\"identifier\":[{\"value\":\"0\"},"                            \
                 "{\"system\":\"urn:a\",\"value\":\"1\"},"                                     \
                 "{\"system\":\"urn:b\",\"value\":\"2\"}]")
#define P ENTRY("urn:uuid:p", ANNA)
#define ABSOLUTE ENTRY("https://x/Patient/p", ANNA)
#define NAMELESS ENTRY("urn:uuid:p", R("Patient", ",\"id\":\"p\""))
#define DOCTOR ENTRY("urn:uuid:d", R("Practitioner", ""))

/* The first entry, by what the others are. */
static void test_entries(void **state)
{
    static const struct {
        const char *in;
        enum subject_class class;
        const char *patients, *participants;
    } cases[] = {
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "urn:uuid:p"))), P), SUBJECT_KNOWN,
          "urn:a=1", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "Patient/p"))), P), SUBJECT_KNOWN,
          "urn:a=1", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "https://x/Patient/p"))), ABSOLUTE),
          SUBJECT_KNOWN, "urn:a=1", "" },
        { BUNDLE(ENTRY("u", R("Observation", ",\"subject\":{\"identifier\":{"
                                             "\"system\":\"urn:b\",\"value\":\"2\"}}")),
                 P),
          SUBJECT_KNOWN, "urn:a=1", "" },
        { BUNDLE(ABSOLUTE, DOCTOR), SUBJECT_KNOWN, "urn:a=1", "" },
        /* Nobody whom the Bundle has: as it was. */
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "Patient/q"))), P), SUBJECT_KNOWN,
          "Patient/q", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "https://y/Patient/p"))), ABSOLUTE),
          SUBJECT_KNOWN, "p", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "urn:uuid:q"))), P), SUBJECT_KNOWN,
          "urn:uuid:q", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "Patient/p"))), NAMELESS),
          SUBJECT_KNOWN, "Patient/p", "" },
        { BUNDLE(ENTRY("u", R("Observation",
                              TO("subject", "urn:uuid:p") TOS("performer", "Patient/p"))),
                 NAMELESS),
          SUBJECT_KNOWN, "urn:uuid:p", "Patient/p" },
        /* Of two with one name the first counts; the other is decided by itself. */
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "urn:uuid:p"))), P "," NAMELESS),
          SUBJECT_KNOWN, "urn:a=1", "" },
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "urn:uuid:p"))),
                 ENTRY("urn:uuid:p", R("Practitioner", "")) "," P),
          SUBJECT_UNKNOWN, "", "" },
        /* Others of the Bundle are decided by themselves. */
        { BUNDLE(ENTRY("u", R("Observation",
                              TO("subject", "Patient/q") TOS("performer", "urn:uuid:d"))),
                 DOCTOR),
          SUBJECT_KNOWN, "Patient/q", "" },
        { BUNDLE(ENTRY("u", R("Observation",
                              TO("subject", "Patient/q") TOS("performer", "urn:uuid:p"))),
                 P),
          SUBJECT_KNOWN, "Patient/q", "urn:a=1" },
        { BUNDLE(ENTRY("u", R("Provenance", TOS("target", "urn:uuid:d"))), DOCTOR),
          SUBJECT_NONE, "", "" },
        { BUNDLE(ENTRY("u", R("Provenance", TOS("target", "Observation/9"))), DOCTOR),
          SUBJECT_UNKNOWN, "", "" },
        /* A clinical resource about no patient is nobody's to release. */
        { BUNDLE(ENTRY("u", R("Observation", TO("subject", "urn:uuid:d"))), DOCTOR),
          SUBJECT_UNKNOWN, "", "" },
        { BUNDLE(ENTRY("u", R("Observation", "")), P), SUBJECT_UNKNOWN, "", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        const struct node *root = read_json(arena, cases[i].in);
        const struct node *resource = node_get(node_first(node_get(root, "entry")), "resource");
        struct subjects found;
        char patients[128];
        char participants[128];
        assert_int_equal(subject_find(arena, resource, &found), 0);
        look_up(arena, root, resource, &found);
        show(&found.patients, patients, sizeof(patients));
        show(&found.participants, participants, sizeof(participants));
        if (found.class != cases[i].class || strcmp(patients, cases[i].patients) != 0 ||
            strcmp(participants, cases[i].participants) != 0) {
            fail_msg("%s: %d, \"%s\", \"%s\"", cases[i].in, (int)found.class, patients,
                     participants);
        }
        assert_int_equal(found.class == SUBJECT_UNKNOWN, found.why != NULL);
    }
}

/* A resource that is sent alone is its own only entry. */
static void test_alone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    const struct node *root = read_json(arena, ANNA);
    struct subjects found;
    char patients[128];
    assert_int_equal(subject_find(arena, root, &found), 0);
    look_up(arena, root, root, &found);
    show(&found.patients, patients, sizeof(patients));
    assert_string_equal(patients, "urn:a=1");
    assert_int_equal(found.class, SUBJECT_KNOWN);
}

static void test_bundles_too_long_tell_nothing(void **state)
{
    (void)state;
    for (size_t n = WITHIN_ENTRIES_MAX; n <= WITHIN_ENTRIES_MAX + 1; n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct buf text = arena_buf(arena, 1 << 20);
        struct subjects found;
        buf_z(&text, "{\"resourceType\":\"Bundle\",\"entry\":[" P);
        for (size_t i = 1; i < n; i++) {
            buf_z(&text, ",{\"resource\":{\"resourceType\":\"Basic\"}}");
        }
        buf_z(&text, "]}");
        buf_c(&text, '\0');
        assert_false(buf_failed(&text));
        const struct node *root = read_json(arena, text.p);
        const struct node *resource = node_get(node_first(node_get(root, "entry")), "resource");
        assert_int_equal(subject_find(arena, resource, &found), 0);
        look_up(arena, root, resource, &found);
        assert_int_equal(found.class, n > WITHIN_ENTRIES_MAX ? SUBJECT_UNKNOWN : SUBJECT_KNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_bundles_too_long_tell_nothing),
    };
    return cmocka_run_group_tests_name("within", tests, NULL, NULL);
}
