#include "fhir/consent/evaluate.h"

#include "fhir/consent/purpose.h"
#include "tests/check.h"

#define NOW INT64_C(1000000)
#define ALL CONSENT_FACT_ALL

/* A request by actor "me", for TREAT, to access, unless the case says otherwise. */
struct ask {
    const char *actor;
    const char *purpose; /* "-": none; with "|": of another system */
    enum action action;
    bool actors_unknown;
    struct consent_facts facts;
};

static struct policy read_policy(struct arena *arena, const char *text)
{
    struct issues issues;
    struct policy policy;
    issues_init(&issues, arena);
    if (policy_read(arena, str_z(text), &issues, &policy) != 0) {
        print_error("not canonical: %s\n", text);
        fail();
    }
    return policy;
}

static struct consent_verdict decide(const char *text, const struct ask *ask, int64_t now)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct policy policy = read_policy(arena, text);
    struct str actor = str_z(ask->actor ? ask->actor : "me");
    struct str purpose = str_z(ask->purpose ? ask->purpose : "TREAT");
    bool other = memchr(purpose.p, '|', purpose.n) != NULL;
    struct consent_request request = {
        .actors = &actor,
        .n_actors = 1,
        .actors_unknown = ask->actors_unknown,
        .purposes = purpose_bit(purpose),
        .other_purposes = &purpose,
        .n_other_purposes = other,
        .action = ask->action ? ask->action : ACTION_ACCESS,
        .now = now,
    };
    return consent_evaluate(&policy, &request, &ask->facts);
}

struct example {
    const char *policy;
    struct ask ask;
    enum consent_decision want;
    enum consent_basis basis;
};

static void check(const struct example *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct consent_verdict got = decide(cases[i].policy, &cases[i].ask, NOW);
        if (got.decision != cases[i].want || got.basis != cases[i].basis) {
            print_error("case %zu: %s\ngot %d %s\n", i, cases[i].policy, got.decision,
                        consent_basis_name(got.basis));
            fail();
        }
    }
}

#define PERMIT CONSENT_PERMIT, CONSENT_BASIS_PERMIT
#define DENY CONSENT_DENY, CONSENT_BASIS_DENY
#define NONE CONSENT_DENY, CONSENT_BASIS_NO_CONSENT
#define DOUBT CONSENT_DENY, CONSENT_BASIS_IN_DOUBT
#define LATER CONSENT_NEEDS_FACTS, CONSENT_BASIS_IN_DOUBT

/* Policies of one rule or a scope. */
#define ONLY(criteria) "{\"base\":\"permit\",\"schema\":1,\"scope\":{" criteria "}}"
#define NOT(criteria) "{\"base\":\"deny\",\"schema\":1,\"scope\":{" criteria "}}"
#define EXCEPT(base, rule) "{\"base\":\"" base "\",\"rules\":[{" rule "}],\"schema\":1}"

static void test_base(void **state)
{
    static const struct example cases[] = {
        { "{\"base\":\"permit\",\"schema\":1}", { 0 }, PERMIT },
        { "{\"base\":\"deny\",\"schema\":1}", { 0 }, DENY },
        { "{\"base\":\"silent\",\"schema\":1}", { 0 }, NONE },
        { "{\"base\":\"permit\",\"schema\":1}", { .facts = { .pending = ALL } }, PERMIT },
        { "{\"base\":\"deny\",\"schema\":1}", { .facts = { .pending = ALL } }, DENY },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_purpose(void **state)
{
    static const struct example cases[] = {
        { ONLY("\"purposes\":[\"TREAT\"]"), { 0 }, PERMIT },
        { ONLY("\"purposes\":[\"TREAT\"]"), { .purpose = "COC" }, PERMIT },
        { ONLY("\"purposes\":[\"TREAT\"]"), { .purpose = "HMARKT" }, NONE },
        { NOT("\"purposes\":[\"COC\"]"), { 0 }, DENY },
        { NOT("\"purposes\":[\"HRESCH\"]"), { 0 }, NONE },
        /* the trap */
        { ONLY("\"purposes\":[\"TREAT\"]"), { .purpose = "BTG" }, NONE },
        { ONLY("\"purposes\":[\"ETREAT\"]"), { .purpose = "BTG" }, PERMIT },
        { "{\"base\":\"permit\",\"schema\":1}", { .purpose = "BTG" }, NONE },
        { "{\"base\":\"permit\",\"schema\":1}", { .purpose = "ETREAT" }, NONE },
        { "{\"base\":\"deny\",\"schema\":1}", { .purpose = "BTG" }, DENY },
        { NOT("\"purposes\":[\"TREAT\"]"), { .purpose = "BTG" }, NONE },
        { EXCEPT("deny", "\"effect\":\"permit\",\"purposes\":[\"BTG\"]"),
          { .purpose = "BTG" },
          PERMIT },
        { EXCEPT("deny", "\"effect\":\"permit\",\"purposes\":[\"BTG\"]"), { 0 }, DENY },
        /* purposes of other systems match themselves */
        { ONLY("\"otherPurposes\":[\"s|foo\"]"), { .purpose = "s|foo" }, PERMIT },
        { ONLY("\"otherPurposes\":[\"s|foo\"]"), { .purpose = "s|bar" }, NONE },
        { ONLY("\"otherPurposes\":[\"s|foo\"]"), { 0 }, NONE },
        { "{\"base\":\"permit\",\"schema\":1}", { .purpose = "s|foo" }, PERMIT },
        /* none given: nothing is assumed */
        { "{\"base\":\"permit\",\"schema\":1}", { .purpose = "-" }, NONE },
        { NOT("\"purposes\":[\"HRESCH\"]"), { .purpose = "-" }, DENY },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_several_purposes_any_permits_any_denies(void **state)
{
    static const struct {
        const char *policy;
        enum consent_decision want;
    } cases[] = {
        { ONLY("\"purposes\":[\"HRESCH\"]"), CONSENT_PERMIT },
        { NOT("\"purposes\":[\"HRESCH\"]"), CONSENT_DENY },
        { EXCEPT("permit", "\"effect\":\"deny\",\"purposes\":[\"HRESCH\"]"), CONSENT_DENY },
        { EXCEPT("deny", "\"effect\":\"permit\",\"purposes\":[\"HRESCH\"]"), CONSENT_PERMIT },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct policy policy = read_policy(arena, cases[i].policy);
        struct consent_request request = {
            .purposes = purpose_bit(STR("TREAT")) | purpose_bit(STR("BIORCH")),
            .action = ACTION_ACCESS,
        };
        struct consent_facts facts = { 0 };
        assert_int_equal(consent_evaluate(&policy, &request, &facts).decision, cases[i].want);
    }
}

static void test_actor_and_action(void **state)
{
    static struct str here[] = { { "org", 3 } };
    static const struct example cases[] = {
        { ONLY("\"actors\":[\"me\",\"you\"]"), { 0 }, PERMIT },
        { ONLY("\"actors\":[\"you\"]"), { 0 }, NONE },
        { ONLY("\"actors\":[\"you\"]"), { .actors_unknown = true }, DOUBT },
        { NOT("\"actors\":[\"you\"]"), { 0 }, NONE },
        { EXCEPT("permit", "\"actors\":[\"you\"],\"effect\":\"deny\""), { 0 }, PERMIT },
        { EXCEPT("permit", "\"actors\":[\"you\"],\"effect\":\"deny\""),
          { .actors_unknown = true },
          DOUBT },
        { EXCEPT("permit", "\"custodians\":[\"org\"],\"effect\":\"deny\""),
          { .facts = { .custodians = here, .n_custodians = 1 } },
          DENY },
        { EXCEPT("permit", "\"custodians\":[\"org\"],\"effect\":\"deny\""), { 0 }, PERMIT },
        { EXCEPT("permit", "\"custodians\":[\"org\"],\"effect\":\"deny\""),
          { .facts = { .unknown = CONSENT_FACT_CUSTODIANS } },
          DOUBT },
        { ONLY("\"actions\":[\"access\"]"), { 0 }, PERMIT },
        { ONLY("\"actions\":[\"collect\",\"disclose\"]"), { 0 }, NONE },
        { NOT("\"actions\":[\"disclose\"]"), { .action = ACTION_DISCLOSE }, DENY },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

#define LEVEL(l)                                                                               \
    {                                                                                          \
        .facts = {.level = CONFIDENTIALITY_##l }                                               \
    }

static void test_confidentiality_is_a_high_water_mark(void **state)
{
    static const struct example cases[] = {
        { ONLY("\"confidentiality\":[\"N\"]"), LEVEL(U), PERMIT },
        { ONLY("\"confidentiality\":[\"N\"]"), LEVEL(N), PERMIT },
        { ONLY("\"confidentiality\":[\"N\"]"), LEVEL(R), NONE },
        { ONLY("\"confidentiality\":[\"N\",\"R\"]"), LEVEL(R), PERMIT },
        { ONLY("\"confidentiality\":[\"R\"]"), LEVEL(V), NONE },
        { NOT("\"confidentiality\":[\"R\"]"), LEVEL(N), NONE },
        { NOT("\"confidentiality\":[\"R\"]"), LEVEL(R), DENY },
        { NOT("\"confidentiality\":[\"R\"]"), LEVEL(V), DENY },
        { NOT("\"confidentiality\":[\"N\",\"V\"]"), LEVEL(R), DENY },
        /* without a label: normal once the labeller has run, else restricted */
        { ONLY("\"confidentiality\":[\"N\"]"), { .facts = { .labelled = true } }, PERMIT },
        { ONLY("\"confidentiality\":[\"N\"]"), { 0 }, NONE },
        { NOT("\"confidentiality\":[\"R\"]"), { 0 }, DENY },
        { ONLY("\"confidentiality\":[\"R\"]"), { 0 }, PERMIT },
        { ONLY("\"confidentiality\":[\"N\"]"),
          { .facts = { .unknown = CONSENT_FACT_LABELS } },
          DOUBT },
        { ONLY("\"confidentiality\":[\"N\"]"),
          { .facts = { .pending = CONSENT_FACT_LABELS } },
          LATER },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_sensitivity(void **state)
{
    static struct consent_coding own[] = { { { "s", 1 }, { "l", 1 } } };
    const uint64_t etoh = labels_bit(STR("ETHUD"));
    const struct consent_facts labelled = { .sensitivity = etoh, .level = CONFIDENTIALITY_R };
    const struct example cases[] = {
        { EXCEPT("permit", "\"effect\":\"deny\",\"sensitivity\":[\"SUD\"]"),
          { .facts = labelled },
          DENY },
        { EXCEPT("permit", "\"effect\":\"deny\",\"sensitivity\":[\"ETH\"]"),
          { .facts = labelled },
          DENY },
        { EXCEPT("permit", "\"effect\":\"deny\",\"sensitivity\":[\"PSY\"]"),
          { .facts = labelled },
          PERMIT },
        { ONLY("\"sensitivity\":[\"SPI\"]"), { .facts = labelled }, PERMIT },
        { ONLY("\"confidentiality\":[\"N\"],\"sensitivity\":[\"SUD\"]"),
          { .facts = labelled },
          PERMIT },
        { EXCEPT("permit", "\"effect\":\"deny\",\"sensitivity\":[\"PSY\"]"),
          { .facts = { .labelled = true } },
          PERMIT },
        { EXCEPT("permit", "\"effect\":\"deny\",\"sensitivity\":[\"PSY\"]"), { 0 }, DOUBT },
        { EXCEPT("permit", "\"effect\":\"deny\",\"otherLabels\":[\"s|l\"]"),
          { .facts = { .labels = own, .n_labels = 1, .labelled = true } },
          DENY },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_class_and_code(void **state)
{
    static struct consent_coding codes[] = { { { "http://loinc.org", 16 }, { "1-8", 3 } } };
    static struct str profiles[] = { { "http://p/x", 10 } };
    const struct consent_facts facts = { .type = STR("Observation"),
                                         .codes = codes,
                                         .n_codes = 1,
                                         .profiles = profiles,
                                         .n_profiles = 1 };
    const struct example cases[] = {
        { ONLY("\"classes\":[\"Condition\",\"Observation\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"classes\":[\"Condition\"]"), { .facts = facts }, NONE },
        { ONLY("\"classes\":[\"http://p/x\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"classes\":[\"http://loinc.org|1-8\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"codes\":[\"http://loinc.org|1-8\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"codes\":[\"http://loinc.org|1-9\"]"), { .facts = facts }, NONE },
        { NOT("\"codes\":[\"http://loinc.org|1-8\"]"), { .facts = facts }, DENY },
        /* a pre-decision knows the type of a search, not the codes */
        { ONLY("\"classes\":[\"Observation\"]"),
          { .facts = { .type = STR("Observation"), .pending = ALL & ~CONSENT_FACT_TYPE } },
          PERMIT },
        { ONLY("\"classes\":[\"Condition\"]"),
          { .facts = { .type = STR("Observation"), .pending = ALL & ~CONSENT_FACT_TYPE } },
          NONE },
        { ONLY("\"classes\":[\"http://p/y\"]"),
          { .facts = { .type = STR("Observation"), .pending = ALL & ~CONSENT_FACT_TYPE } },
          LATER },
        { EXCEPT("permit", "\"classes\":[\"Condition\"],\"effect\":\"deny\""),
          { .facts = { .pending = ALL } },
          LATER },
        { EXCEPT("permit", "\"actors\":[\"me\"],\"effect\":\"deny\""),
          { .facts = { .pending = ALL } },
          DENY },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

#define IN "\"dataPeriod\":{\"from\":100,\"until\":200}"
#define AT(from, until)                                                                        \
    {                                                                                          \
        .facts = {.time = { from, until } }                                                    \
    }

static void test_time_of_the_data(void **state)
{
    static const struct example cases[] = {
        { ONLY(IN), AT(100, 101), PERMIT },
        { ONLY(IN), AT(199, 200), PERMIT },
        { ONLY(IN), AT(200, 201), NONE },
        { ONLY(IN), AT(99, 100), NONE },
        { ONLY(IN), AT(150, 250), DOUBT }, /* partly inside */
        { ONLY(IN), { 0 }, DOUBT },        /* unknown: no permit … */
        { EXCEPT("permit", IN ",\"effect\":\"deny\""), AT(150, 151), DENY },
        { EXCEPT("permit", IN ",\"effect\":\"deny\""), AT(10, 20), PERMIT },
        { EXCEPT("permit", IN ",\"effect\":\"deny\""), AT(50, 150), DOUBT },
        { EXCEPT("permit", IN ",\"effect\":\"deny\""), { 0 }, DOUBT }, /* … but a deny */
        { EXCEPT("permit", IN ",\"effect\":\"deny\""),
          { .facts = { .pending = CONSENT_FACT_TIME } },
          LATER },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_data_by_reference(void **state)
{
    static struct str refs[] = { { "Encounter/1", 11 }, { "Patient/1", 9 } };
    static struct str authors[] = { { "dr", 2 } };
    const struct consent_facts facts = { .type = STR("Observation"),
                                         .id = STR("o"),
                                         .version = STR("3"),
                                         .references = refs,
                                         .n_references = 2,
                                         .authors = authors,
                                         .n_authors = 1 };
    struct consent_facts unversioned = facts;
    unversioned.version = STR("");
    const struct example cases[] = {
        { ONLY("\"dataInstances\":[\"Observation/o\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"dataInstances\":[\"Observation/p\"]"), { .facts = facts }, NONE },
        { ONLY("\"dataInstances\":[\"Encounter/1\"]"), { .facts = facts }, NONE },
        { ONLY("\"dataInstances\":[\"Observation/o/_history/3\"]"),
          { .facts = facts },
          PERMIT },
        { ONLY("\"dataInstances\":[\"Observation/o/_history/2\"]"), { .facts = facts }, NONE },
        { ONLY("\"dataInstances\":[\"Observation/o/_history/2\"]"),
          { .facts = unversioned },
          DOUBT },
        { ONLY("\"dataRelated\":[\"Encounter/1\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"dataRelated\":[\"Encounter/2\"]"), { .facts = facts }, NONE },
        { ONLY("\"dataDependents\":[\"Observation/o\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"dataAuthoredBy\":[\"dr\"]"), { .facts = facts }, PERMIT },
        { ONLY("\"dataAuthoredBy\":[\"other\"]"), { .facts = facts }, NONE },
        { EXCEPT("permit", "\"dataAuthoredBy\":[\"other\"],\"effect\":\"deny\""),
          { .facts = { .unknown = CONSENT_FACT_AUTHORS } },
          DOUBT },
        { EXCEPT("permit", "\"dataRelated\":[\"Encounter/2\"],\"effect\":\"deny\""),
          { .facts = { .unknown = CONSENT_FACT_REFERENCES } },
          DOUBT },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void test_periods_are_half_open(void **state)
{
    static const struct {
        const char *policy;
        int64_t now;
        enum consent_decision want;
        enum consent_basis basis;
    } cases[] = {
        { ONLY("\"period\":{\"from\":100,\"until\":200}"), 99, CONSENT_DENY,
          CONSENT_BASIS_NOT_YET },
        { ONLY("\"period\":{\"from\":100,\"until\":200}"), 100, PERMIT },
        { ONLY("\"period\":{\"from\":100,\"until\":200}"), 199, PERMIT },
        { ONLY("\"period\":{\"from\":100,\"until\":200}"), 200, CONSENT_DENY,
          CONSENT_BASIS_EXPIRED },
        { ONLY("\"period\":{\"from\":100}"), INSTANT_MOST - 1, PERMIT },
        { EXCEPT("permit", "\"effect\":\"deny\",\"period\":{\"until\":200}"), 199, DENY },
        { EXCEPT("permit", "\"effect\":\"deny\",\"period\":{\"until\":200}"), 200, PERMIT },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ask ask = { 0 };
        struct consent_verdict got = decide(cases[i].policy, &ask, cases[i].now);
        assert_int_equal(got.decision, cases[i].want);
        assert_int_equal(got.basis, cases[i].basis);
    }
}

/* permit; but not TREAT; but TREAT by me; but me not for COC */
#define NESTED                                                                                 \
    EXCEPT("permit", "\"effect\":\"deny\",\"purposes\":[\"TREAT\"],\"rules\":[{\"actors\":["   \
                     "\"me\"],\"effect\":\"permit\",\"rules\":[{\"effect\":\"deny\","          \
                     "\"purposes\":[\"COC\"]}]}]")

static void test_exceptions_to_exceptions(void **state)
{
    static const struct example cases[] = {
        { NESTED, { .purpose = "HPAYMT" }, PERMIT },
        { NESTED, { .purpose = "TREAT", .actor = "you" }, DENY },
        { NESTED, { .purpose = "CLINTRL" }, PERMIT },
        { NESTED, { .purpose = "COC" }, DENY },
        { NESTED, { .purpose = "TREAT" }, DENY }, /* broader than the denied COC */
        /* siblings: the deny overrides, whichever comes first */
        { "{\"base\":\"deny\",\"rules\":[{\"effect\":\"deny\",\"purposes\":[\"TREAT\"]},"
          "{\"actors\":[\"me\"],\"effect\":\"permit\"}],\"schema\":1}",
          { 0 },
          DENY },
        /* an unknown date doesn't open what lies behind an exception */
        { EXCEPT("permit", "" IN ",\"effect\":\"permit\",\"rules\":[{\"actors\":[\"me\"],"
                           "\"effect\":\"deny\"}]"),
          { 0 },
          DOUBT },
    };
    (void)state;
    check(cases, ARRAY_LEN(cases));
}

/* Without anything known of the data. */
static void test_nothing_known(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct policy policy = read_policy(arena, ONLY("\"codes\":[\"s|1\"]"));
    struct consent_request request = { .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS };
    (void)state;
    assert_int_equal(consent_evaluate(&policy, &request, NULL).decision, CONSENT_NEEDS_FACTS);
}

static void test_path_names_the_rule(void **state)
{
    static const struct {
        const char *purpose, *path;
    } cases[] = {
        { "HPAYMT", "base" },
        { "CLINTRL", "rules[0].rules[0]" },
        { "COC", "rules[0].rules[0].rules[0]" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ask ask = { .purpose = cases[i].purpose };
        char text[128];
        struct buf out = buf_fixed(text, sizeof(text));
        struct consent_verdict got = decide(NESTED, &ask, NOW);
        consent_path_write(&out, &got.path);
        assert_str(buf_str(&out), cases[i].path);
    }
}

static void test_combining(void **state)
{
    enum {
        P = CONSENT_MAY_PERMIT,
        D = CONSENT_MAY_DENY,
        N = CONSENT_MAY_PASS,
    };
    static const struct {
        uint8_t a, b, want;
    } cases[] = {
        { N, N, N },         { N, P, P },     { P, D, D },
        { D, N, D },         { P | N, P, P }, { P | N, N, P | N },
        { P | D, P, P | D }, { P | D, D, D }, { D | N, P, P | D },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct consent_finding a = { .set = cases[i].a };
        struct consent_finding b = { .set = cases[i].b };
        const struct consent_finding first = a;
        consent_add(&a, &b);
        consent_add(&b, &first);
        assert_int_equal(a.set, cases[i].want);
        assert_int_equal(b.set, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_purpose),
        cmocka_unit_test(test_several_purposes_any_permits_any_denies),
        cmocka_unit_test(test_actor_and_action),
        cmocka_unit_test(test_confidentiality_is_a_high_water_mark),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_class_and_code),
        cmocka_unit_test(test_time_of_the_data),
        cmocka_unit_test(test_data_by_reference),
        cmocka_unit_test(test_periods_are_half_open),
        cmocka_unit_test(test_exceptions_to_exceptions),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_path_names_the_rule),
        cmocka_unit_test(test_combining),
    };
    return cmocka_run_group_tests_name("fhir/consent/evaluate", tests, NULL, NULL);
}
