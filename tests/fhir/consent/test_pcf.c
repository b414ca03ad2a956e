/*
 * The examples of IHE PCF and of FHIR R4, judged by what their descriptions promise.
 *
 * PCF's are written in FSH; of that only the few forms they use are read here.
 */
#include "tests/fhir/consent/filing.h"

enum {
    PART_MAX = 2048,
};

/* One provision being put together. */
struct part {
    struct buf type, purpose, label, actor, data, period, data_period;
    char memory[7][PART_MAX];
};

static void part_init(struct part *part)
{
    struct buf *all[] = { &part->type, &part->purpose, &part->label,      &part->actor,
                          &part->data, &part->period,  &part->data_period };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        *all[i] = buf_fixed(part->memory[i], PART_MAX);
    }
}

static struct str trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '"')) {
        s = str_slice(s, 1, s.n);
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '"' || s.p[s.n - 1] == '\r')) {
        s = str_slice(s, 0, s.n - 1);
    }
    return s;
}

static void put_coding(struct buf *list, struct str value)
{
    struct str system = str_cut(&value, '#');
    buf_fmt(list, "%s{\"system\":\"%.*s\",\"code\":\"%.*s\"}", list->n ? "," : "",
            (int)system.n, system.p, (int)value.n, value.p);
}

/* Reference(Type/id) */
static struct str target(struct str value)
{
    (void)str_cut(&value, '(');
    return str_cut(&value, ')');
}

/* One "* provision.… = value" line, its path without "provision.". */
static void read_line(struct part *part, struct str path, struct str value)
{
    if (str_eq(path, STR("type"))) {
        buf_str_put(&part->type, str_slice(value, 1, value.n));
    } else if (str_starts(path, STR("purpose"))) {
        put_coding(&part->purpose, value);
    } else if (str_starts(path, STR("securityLabel"))) {
        put_coding(&part->label, value);
    } else if (str_eq(path, STR("actor.reference"))) {
        struct str to = target(value);
        buf_fmt(&part->actor, "{" ROLE("IRCP") ",\"reference\":{\"reference\":\"%.*s\"}}",
                (int)to.n, to.p);
    } else if (str_starts(path, STR("data[")) && str_ends(path, STR(".meaning"))) {
        buf_fmt(&part->data, "%s{\"meaning\":\"%.*s\"", part->data.n ? "," : "",
                (int)value.n - 1, value.p + 1);
    } else if (str_starts(path, STR("data[")) && str_ends(path, STR(".reference"))) {
        struct str to = target(value);
        buf_fmt(&part->data, ",\"reference\":{\"reference\":\"%.*s\"}}", (int)to.n, to.p);
    } else if (str_starts(path, STR("period.")) || str_starts(path, STR("dataPeriod."))) {
        struct buf *to = path.p[0] == 'p' ? &part->period : &part->data_period;
        (void)str_cut(&path, '.');
        buf_fmt(to, "%s\"%.*s\":\"%.*s\"", to->n ? "," : "", (int)path.n, path.p, (int)value.n,
                value.p);
    } else if (!str_eq(path, STR("actor.role"))) {
        print_error("unknown form: %.*s\n", (int)path.n, path.p);
        fail();
    }
}

static void write_part(struct buf *out, const struct part *part)
{
    static const char *const forms[] = { ",\"purpose\":[%.*s]", ",\"securityLabel\":[%.*s]",
                                         ",\"actor\":[%.*s]",   ",\"data\":[%.*s]",
                                         ",\"period\":{%.*s}",  ",\"dataPeriod\":{%.*s}" };
    const struct buf *all[] = { &part->purpose, &part->label,  &part->actor,
                                &part->data,    &part->period, &part->data_period };
    buf_fmt(out, "\"type\":\"%.*s\"", (int)part->type.n, part->type.p);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct str form = str_z(forms[i]);
        struct str head = str_cut(&form, '%');
        (void)str_cut(&form, 's');
        if (all[i]->n) {
            buf_str_put(out, head);
            buf_str_put(out, buf_str(all[i]));
            buf_str_put(out, form);
        }
    }
}

/* The Consent of FSH instance @name as JSON. */
static struct str read_instance(struct arena *arena, struct str fsh, const char *name)
{
    struct part *parts = arena_alloc(arena, 2 * sizeof(*parts));
    struct buf out = arena_buf(arena, 1 << 16);
    bool inside = false;
    assert_non_null(parts);
    part_init(&parts[0]);
    part_init(&parts[1]);
    while (fsh.n) {
        struct str path = trim(str_cut(&fsh, '\n'));
        const char *equals = path.n ? memmem(path.p, path.n, " = ", 3) : NULL;
        size_t n = equals ? (size_t)(equals - path.p) : path.n;
        struct str value = str_slice(path, n + 3, path.n);
        path = str_slice(path, 0, n);
        if (str_starts(path, STR("Instance:"))) {
            inside = str_eq(trim(str_slice(path, 9, path.n)), str_z(name));
        }
        if (inside && str_starts(path, STR("* provision."))) {
            path = str_slice(path, 12, path.n);
            bool nested = str_starts(path, STR("provision."));
            read_line(&parts[nested], str_slice(path, nested ? 10 : 0, path.n), trim(value));
        }
    }
    buf_z(&out, "{" FILING_R4 ",\"provision\":{");
    write_part(&out, &parts[0]);
    if (parts[1].type.n) {
        buf_z(&out, ",\"provision\":[{");
        write_part(&out, &parts[1]);
        buf_z(&out, "}]");
    }
    buf_z(&out, "}}");
    assert_true(parts[0].type.n > 0 && !buf_failed(&out));
    return buf_str(&out);
}

enum data {
    SUGAR,   /* normal, of 2022, in the encounter */
    WEIGHT,  /* normal, of 2021, by somebody else, in another encounter */
    ALCOHOL, /* restricted, alcohol */
    THERAPY, /* restricted, psychiatry */
    ABUSE,   /* restricted, sexual assault or domestic violence */
};

static struct consent_facts facts_of(enum data data)
{
    static const struct str here[] = { { "Encounter/ex-encounter", 22 } };
    static const struct str there[] = { { "Encounter/ex-other", 18 } };
    static const struct str doctor[] = { { "Practitioner/ex-practitioner", 28 } };
    static const struct str other[] = { { "Practitioner/ex-other", 21 } };
    static const char *const ids[] = { "ex-bloodSugar", "ex-weight-old", "ex-alcoholUse",
                                       "ex-therapy", "ex-abuse" };
    static const char *const times[] = { "2022-05-01", "2021-05-01", "2022-05-01", "2022-05-01",
                                         "2022-05-01" };
    struct consent_facts facts = {
        .type = STR("Observation"),
        .id = str_z(ids[data]),
        .labelled = true,
        .level = data >= ALCOHOL ? CONFIDENTIALITY_R : CONFIDENTIALITY_N,
        .references = data == WEIGHT ? there : here,
        .n_references = 1,
        .authors = data == WEIGHT ? other : doctor,
        .n_authors = 1,
    };
    facts.sensitivity = data == ALCOHOL   ? labels_bit(STR("ETHUD"))
                        : data == THERAPY ? labels_bit(STR("PSY"))
                        : data == ABUSE   ? labels_bit(STR("SDV"))
                                          : 0;
    assert_true(instant_span(str_z(times[data]), &facts.time));
    return facts;
}

static enum consent_decision decide(const struct policy *policy, const char *actor,
                                    const char *purpose, const char *at,
                                    const struct consent_facts *facts)
{
    struct str me = str_z(actor);
    struct str other = str_z(purpose);
    struct instant_span now;
    assert_true(instant_span(str_z(at), &now));
    struct consent_request request = {
        .actors = &me,
        .n_actors = 1,
        .purposes = purpose_bit(other),
        .other_purposes = &other,
        .n_other_purposes = purpose_bit(other) == 0,
        .action = ACTION_ACCESS,
        .now = now.from,
    };
    return consent_evaluate(policy, &request, facts).decision;
}

#define TODAY "2022-07-01"
#define ANY "Practitioner/ex-any"
#define DOCTOR "Practitioner/ex-practitioner"
#define GROUP "Group/ex-privilegedUsers"

static const struct {
    const char *name, *actor, *purpose;
    enum data data;
    bool permit;
} cases[] = {
    { "ex-consent-basic-treat", ANY, "TREAT", SUGAR, true },
    { "ex-consent-basic-treat", ANY, "HPAYMT", SUGAR, true },
    { "ex-consent-basic-treat", ANY, "HRESCH", SUGAR, false },
    { "ex-consent-basic-treat", ANY, "BTG", SUGAR, false }, /* the trap */
    { "ex-consent-basic-treat", ANY, "HOPERAT", ALCOHOL, true },
    { "ex-consent-basic-treat-infant", ANY, "TREAT", SUGAR, true },
    { "ex-consent-basic-treat-infant", ANY, "HMARKT", SUGAR, false },
    { "ex-consent-basic-ink", ANY, "HPAYMT", SUGAR, true },
    { "ex-consent-basic-ink", ANY, "HRESCH", SUGAR, false },
    { "ex-consent-basic-reject", ANY, "TREAT", SUGAR, false },
    { "ex-consent-basic-reject", ANY, "HOPERAT", SUGAR, false },
    { "ex-consent-basic-research", ANY, "CLINTRCH", SUGAR, true },
    { "ex-consent-basic-research", ANY, "TREAT", SUGAR, false },
    { "ex-consent-expired-treat", ANY, "TREAT", SUGAR, true }, /* until the end of 2022 */
    { "ex-consent-intermediate-timeframe", ANY, "TREAT", SUGAR, true },
    { "ex-consent-intermediate-timeframe", ANY, "TREAT", WEIGHT, false },
    { "ex-consent-intermediate-not-timeframe", ANY, "TREAT", SUGAR, false },
    { "ex-consent-intermediate-not-timeframe", ANY, "TREAT", WEIGHT, true },
    { "ex-consent-intermediate-authoredby", ANY, "TREAT", SUGAR, true },
    { "ex-consent-intermediate-authoredby", ANY, "TREAT", WEIGHT, false },
    { "ex-consent-intermediate-not-authoredby", ANY, "TREAT", SUGAR, false },
    { "ex-consent-intermediate-not-authoredby", ANY, "TREAT", WEIGHT, true },
    { "ex-consent-intermediate-encounter", ANY, "TREAT", SUGAR, true },
    { "ex-consent-intermediate-encounter", ANY, "TREAT", WEIGHT, false },
    { "ex-consent-intermediate-not-encounter", ANY, "TREAT", SUGAR, false },
    { "ex-consent-intermediate-not-encounter", ANY, "TREAT", WEIGHT, true },
    { "ex-consent-intermediate-data", ANY, "TREAT", SUGAR, true },
    { "ex-consent-intermediate-data", ANY, "TREAT", ALCOHOL, true },
    { "ex-consent-intermediate-data", ANY, "TREAT", WEIGHT, false },
    { "ex-consent-intermediate-not-data", ANY, "TREAT", ALCOHOL, false },
    { "ex-consent-intermediate-not-data", ANY, "TREAT", SUGAR, true },
    { "ex-consent-intermediate-purpose", "Organization/ex-org-researcher",
      "http://example.org/policies/purposeOfUse|FooBar", SUGAR, true },
    { "ex-consent-intermediate-purpose", ANY, "http://example.org/policies/purposeOfUse|FooBar",
      SUGAR, false },
    { "ex-consent-intermediate-purpose", "Organization/ex-org-researcher", "HRESCH", SUGAR,
      false },
    { "ex-dissent-intermediate-break-glass", GROUP, "BTG", SUGAR, true },
    { "ex-dissent-intermediate-break-glass", ANY, "BTG", SUGAR, false },
    { "ex-dissent-intermediate-break-glass", GROUP, "TREAT", SUGAR, false },
    { "ex-consent-advanced-normal", ANY, "TREAT", SUGAR, true },
    { "ex-consent-advanced-normal", ANY, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-restricted", ANY, "TREAT", ALCOHOL, true },
    { "ex-consent-advanced-normal-restricted", ANY, "TREAT", SUGAR, true },
    { "ex-consent-advanced-normal-restricted", ANY, "HMARKT", SUGAR, false },
    { "ex-consent-advanced-normal-not-restricted", ANY, "TREAT", SUGAR, true },
    { "ex-consent-advanced-normal-not-restricted", ANY, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-focused-restricted", DOCTOR, "TREAT", ALCOHOL, true },
    { "ex-consent-advanced-normal-focused-restricted", ANY, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-focused-restricted", ANY, "TREAT", SUGAR, true },
    { "ex-consent-advanced-normal-focused-restricted", DOCTOR, "HMARKT", ALCOHOL, false },
    { "ex-consent-advanced-normal-focused-psy", DOCTOR, "TREAT", THERAPY, true },
    { "ex-consent-advanced-normal-focused-psy", DOCTOR, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-focused-psy", ANY, "TREAT", THERAPY, false },
    { "ex-consent-advanced-normal-focused-psy-or-sdv", DOCTOR, "TREAT", THERAPY, true },
    { "ex-consent-advanced-normal-focused-psy-or-sdv", DOCTOR, "TREAT", ABUSE, true },
    { "ex-consent-advanced-normal-focused-psy-or-sdv", DOCTOR, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-focused-psy-or-sdv", ANY, "TREAT", ABUSE, false },
    { "ex-consent-advanced-normal-break-glass-restricted", GROUP, "BTG", ALCOHOL, true },
    { "ex-consent-advanced-normal-break-glass-restricted", GROUP, "TREAT", ALCOHOL, false },
    { "ex-consent-advanced-normal-break-glass-restricted", ANY, "TREAT", SUGAR, true },
};

static void test_pcf_examples(void **state)
{
    char path[512];
    (void)state;
    check_data("pcf/consent.fsh", path, sizeof(path));
    char *fsh = check_read(path, NULL);
    assert_non_null(fsh);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        struct consent_filing filing;
        struct str text = read_instance(arena, str_z(fsh), cases[i].name);
        assert_int_equal(filing_read(arena, text, &issues, &filing), 0);
        assert_int_equal(filing.policy.reading, CONSENT_PCF);
        struct consent_facts facts = facts_of(cases[i].data);
        bool permit = decide(&filing.policy, cases[i].actor, cases[i].purpose, TODAY, &facts) ==
                      CONSENT_PERMIT;
        if (permit != cases[i].permit) {
            print_error("case %zu %s\n%.*s\n", i, cases[i].name, (int)text.n, text.p);
            fail();
        }
    }
    free(fsh);
}

static void test_the_expired_example_ends_with_2022(void **state)
{
    static const struct {
        const char *at;
        bool permit;
    } times[] = {
        { TODAY, true },
        { "2022-12-31T23:59:59Z", true },
        { "2023-01-01T00:00:00Z", false },
    };
    char path[512];
    (void)state;
    check_data("pcf/consent.fsh", path, sizeof(path));
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    char *fsh = check_read(path, NULL);
    struct issues issues;
    struct consent_filing filing;
    assert_non_null(fsh);
    struct str text = read_instance(arena, str_z(fsh), "ex-consent-expired-treat");
    assert_int_equal(filing_read(arena, text, &issues, &filing), 0);
    struct consent_facts facts = facts_of(SUGAR);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        bool permit =
            decide(&filing.policy, ANY, "TREAT", times[i].at, &facts) == CONSENT_PERMIT;
        assert_int_equal(permit, times[i].permit);
    }
    free(fsh);
}

static int read_r4(struct arena *arena, const char *name, struct consent_filing *filing,
                   struct issues *issues)
{
    char path[512];
    char file[128];
    (void)snprintf(file, sizeof(file), "fhir_r4/xml_json_pairs/%s.json", name);
    check_data(file, path, sizeof(path));
    char *text = check_read(path, NULL);
    assert_non_null(text);
    struct str copy = arena_str(arena, str_z(text));
    free(text);
    return filing_read(arena, copy, issues, filing);
}

static void test_r4_examples(void **state)
{
    static const struct str there[] = { { "Organization/f001", 17 } };
    static const struct {
        const char *name, *purpose;
        bool there, permit;
    } r4[] = {
        { "Consent-consent-example-Emergency", "ETREAT", true, true },
        { "Consent-consent-example-Emergency", "BTG", true, true },
        { "Consent-consent-example-Emergency", "TREAT", true, false },
        { "Consent-consent-example-Emergency", "ETREAT", false, false },
        { "Consent-consent-example-notAuthor", "TREAT", true, false },
        { "Consent-consent-example-notAuthor", "TREAT", false, true },
    };
    (void)state;
    check_data_needed("fhir_r4");

    for (size_t i = 0; i < ARRAY_LEN(r4); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        struct consent_filing filing;
        struct consent_facts facts = facts_of(SUGAR);
        facts.custodians = there;
        facts.n_custodians = r4[i].there;
        assert_int_equal(read_r4(arena, r4[i].name, &filing, &issues), 0);
        assert_int_equal(filing.policy.reading, CONSENT_R4);
        bool permit =
            decide(&filing.policy, ANY, r4[i].purpose, TODAY, &facts) == CONSENT_PERMIT;
        if (permit != r4[i].permit) {
            print_error("case %zu %s\n", i, r4[i].name);
            fail();
        }
    }
}

/* Its nested provisions have no type, which R4 requires: what they mean can't be known. */
static void test_untyped_exceptions_are_refused(void **state)
{
    (void)state;
    check_data_needed("fhir_r4");
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    struct consent_filing filing;
    assert_int_equal(read_r4(arena, "Consent-consent-example-pkb", &filing, &issues),
                     CONSENT_E_REFUSED);
    assert_str(issues.first->place, "Consent.provision.provision[0].type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcf_examples),
        cmocka_unit_test(test_the_expired_example_ends_with_2022),
        cmocka_unit_test(test_r4_examples),
        cmocka_unit_test(test_untyped_exceptions_are_refused),
    };
    return cmocka_run_group_tests_name("fhir/consent/pcf", tests, NULL, NULL);
}
