/* Consents, requests and data by chance. */
#include "fhir/consent/purpose.h"
#include "tests/trials/consent_cases.h"

enum {
    DEPTH_MAX = 4,
    DAYS = 20,       /* of January 2022 */
    DAY_ONE = 18993, /* 2022-01-01 */
};

const char *const chance_actors[] = { "Practitioner/p1", "Organization/o1", "Group/g1",
                                      "urn:roles|nurse" };
const char *const chance_custodians[] = { "Organization/c1", "Organization/c2" };
const char *const chance_others[] = { "urn:p|a", "urn:p|b" };
const char *const chance_marks[] = { "urn:l|a", "urn:l|b" };
const char *const chance_types[] = { "Observation", "Condition", "Encounter" };
const char *const chance_profiles[] = { "http://p/1", "http://p/1|2", "http://p/2" };
const char *const chance_formats[] = { "urn:ietf:bcp:13|text/plain" };
const char *const chance_codes[] = { "http://loinc.org|1-8", "http://loinc.org|2-6",
                                     "http://snomed.info/sct|7" };
const struct chance_pointer chance_pointers[] = {
    { "instance", "Observation/1" },     { "instance", "Condition/1/_history/2" },
    { "related", "Encounter/1" },        { "dependents", "Condition/1" },
    { "authoredby", "Practitioner/p1" },
};

static uint64_t state;

void chance_seed(uint64_t seed)
{
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* xorshift64*: the same numbers on every machine */
unsigned roll(unsigned sides)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % sides;
}

bool chance(unsigned percent)
{
    return roll(100) < percent;
}

void *keep(struct round *r, size_t size)
{
    void *at = arena_calloc(r->arena, 1, size);
    if (!at) {
        fatal(r, "no memory");
    }
    return at;
}

static unsigned some(unsigned n)
{
    return 1 + roll((1U << n) - 1);
}

static void chance_days(bool *has, unsigned *from, unsigned *until)
{
    unsigned a = 1 + roll(DAYS);
    unsigned b = 1 + roll(DAYS);
    *has = true;
    *from = a < b ? a : b;
    *until = a < b ? b : a;
    if (chance(30)) {
        *from = 0;
    } else if (chance(30)) {
        *until = 0;
    }
}

static void chance_labels(struct asked *asked)
{
    if (chance(50)) {
        asked->levels = 1U << (CONFIDENTIALITY_U + roll(6));
    }
    if (chance(40)) {
        asked->sensitivity = UINT64_C(1) << roll(LABELS_COUNT);
    }
    if (chance(30)) {
        asked->sensitivity |= labels_bit(chance(50) ? STR("SPI") : STR("ETH"));
    }
    if (chance(10)) {
        asked->marks = some(ARRAY_LEN(chance_marks));
    }
}

static void chance_who(struct asked *asked)
{
    if (chance(25)) {
        asked->actors = some(ARRAY_LEN(chance_actors));
    }
    if (chance(8)) {
        asked->custodians = some(ARRAY_LEN(chance_custodians));
    }
    if (chance(40)) {
        asked->purposes = UINT64_C(1) << roll(PURPOSE_COUNT);
    }
    if (chance(20)) {
        static const char *const usual[] = { "TREAT", "BTG", "ETREAT", "HRESCH" };
        asked->purposes |= purpose_bit(str_z(usual[roll(4)]));
    }
    if (chance(6)) {
        asked->others = some(ARRAY_LEN(chance_others));
    }
    if (chance(15)) {
        asked->actions = some(ACTION_COUNT);
    }
}

struct asked chance_asked(void)
{
    struct asked asked = { 0 };
    chance_who(&asked);
    if (chance(30)) {
        chance_labels(&asked);
    }
    if (chance(15)) {
        asked.types = some(ARRAY_LEN(chance_types));
    }
    if (chance(8)) {
        asked.profiles = some(ARRAY_LEN(chance_profiles));
    }
    if (chance(4)) {
        asked.formats = 1;
    }
    if (chance(12)) {
        asked.codes = some(ARRAY_LEN(chance_codes));
    }
    if (chance(12)) {
        asked.data = some(ARRAY_LEN(chance_pointers));
    }
    if (chance(10)) {
        chance_days(&asked.has_period, &asked.from, &asked.until);
    }
    if (chance(12)) {
        chance_days(&asked.has_data_period, &asked.data_from, &asked.data_until);
    }
    return asked;
}

static enum policy_effect opposite(enum policy_effect effect)
{
    return effect == POLICY_PERMIT ? POLICY_DENY : POLICY_PERMIT;
}

/* Exceptions to @rule; @alternate: each against what encloses it, as R5 has them. */
static void chance_children(struct round *r, struct rule *rule, unsigned depth, bool alternate)
{
    unsigned n = depth >= DEPTH_MAX ? 0 : roll(CHILDREN_MAX + 1 - depth / 2);
    for (unsigned i = 0; i < n; i++) {
        struct rule *child = keep(r, sizeof(*child));
        child->effect = alternate || chance(60) ? opposite(rule->effect) : rule->effect;
        child->asked = chance_asked();
        chance_children(r, child, depth + 1, alternate);
        rule->children[rule->n++] = child;
    }
}

static struct spec chance_spec(struct round *r)
{
    struct spec spec = { .pcf = chance(30) };
    spec.silent = !spec.pcf && chance(10);
    spec.root.effect = chance(50) ? POLICY_PERMIT : POLICY_DENY;
    if (spec.pcf) {
        spec.root.asked = chance_asked();
    }
    spec.root.asked.has_period = false;
    if (chance(15)) {
        chance_days(&spec.root.asked.has_period, &spec.root.asked.from, &spec.root.asked.until);
    }
    chance_children(r, &spec.root, 0, !spec.pcf && !spec.silent);
    if (spec.silent && spec.root.n == 0) {
        spec.silent = false;
    }
    return spec;
}

static enum consent_reading chance_writing(const struct spec *spec)
{
    if (spec->pcf || spec->silent) {
        return spec->pcf ? CONSENT_PCF : CONSENT_R4;
    }
    return (enum consent_reading)(CONSENT_R4 + (int)roll(3));
}

void add_consent(struct round *r, const struct spec *spec, enum consent_reading writing)
{
    struct kept *kept = &r->consents[r->n++];
    *kept = (struct kept){ .spec = *spec, .writing = writing };
    kept->resource = write_consent(r, spec, writing, false);
    kept->state = CONSENT_CHAIN_SAFE;
    kept->block = 1 + roll(4);
    (void)file_consent(r, kept->resource, &kept->policy);
}

static void chance_consent(struct round *r)
{
    struct spec spec = chance_spec(r);
    add_consent(r, &spec, chance_writing(&spec));
    struct kept *kept = &r->consents[r->n - 1];
    if (chance(10)) {
        kept->state = (enum consent_chain)roll(4);
    }
    kept->mismatch = kept->state == CONSENT_CHAIN_SAFE && chance(1);
}

static void chance_tenant(struct round *r)
{
    static const char *const uris[] = { "", "deny", "basic-normal", "all-normal",
                                        "break-glass-only" };
    struct issues issues;
    char text[256];
    struct buf out = buf_fixed(text, sizeof(text));
    r->has_tenant = true;
    r->implicit = roll(ARRAY_LEN(uris));
    buf_z(&out, "{\"schema\":1,\"implicit\":[");
    if (r->implicit) {
        buf_fmt(&out, "{\"policy\":\"https://profiles.ihe.net/ITI/PCF/Policy-%s\"}",
                uris[r->implicit]);
    }
    buf_z(&out, "]}");
    issues_init(&issues, r->arena);
    if (consent_tenant_read(r->arena, buf_str(&out), &issues, &r->tenant)) {
        fatal(r, "no tenant");
    }
    r->tenant.combining = (enum consent_combining)roll(3);
    struct spec spec = { .silent = true };
    if (chance(30)) {
        chance_children(r, &spec.root, 2, false);
    }
    if (spec.root.n) {
        r->legal = write_consent(r, &spec, CONSENT_R4, false);
        (void)file_consent(r, r->legal, &r->tenant.legal);
    }
}

static size_t pick(struct str *out, const char *const *words, size_t n, unsigned percent)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (chance(percent)) {
            out[found++] = str_z(words[i]);
        }
    }
    return found;
}

static size_t pick_codings(struct consent_coding *out, const char *const *words, size_t n,
                           unsigned percent)
{
    struct str texts[8];
    size_t found = pick(texts, words, n, percent);
    for (size_t i = 0; i < found; i++) {
        out[i].code = texts[i];
        out[i].system = str_cut(&out[i].code, '|');
    }
    return found;
}

static void chance_request(struct round *r)
{
    struct consent_request *request = &r->request;
    static const char *const usual[] = { "TREAT", "BTG", "ETREAT", "HRESCH", "COC" };
    request->actors = r->names;
    request->n_actors = pick(r->names, chance_actors, ARRAY_LEN(chance_actors), 40);
    request->other_purposes = r->purposes;
    request->n_other_purposes =
        chance(8) ? pick(r->purposes, chance_others, ARRAY_LEN(chance_others), 60) : 0;
    request->purposes =
        chance(40) ? purpose_bit(str_z(usual[roll(5)])) : UINT64_C(1) << roll(PURPOSE_COUNT);
    if (chance(15)) {
        request->purposes |= UINT64_C(1) << roll(PURPOSE_COUNT);
    } else if (chance(4)) {
        request->purposes = 0;
    }
    request->action = chance(98) ? (enum action)(1U << roll(ACTION_COUNT)) : ACTION_NONE;
    request->now = (DAY_ONE + (int64_t)roll(DAYS)) * INSTANT_DAY_MS + 3600000;
}

/* Data of which all is known. */
static void chance_facts(struct round *r)
{
    static const char *const owned[] = { "http://p/1|2", "http://p/1|3", "http://p/2|1" };
    static const char *const refs[] = { "Encounter/1", "Condition/1" };
    static const char *const coded[] = { "http://loinc.org|1-8", "http://loinc.org|2-6",
                                         "http://snomed.info/sct|7",
                                         "urn:ietf:bcp:13|text/plain" };
    struct consent_facts *facts = &r->facts;
    int64_t time = (DAY_ONE + (int64_t)roll(DAYS)) * INSTANT_DAY_MS + 7200000;
    *facts = (struct consent_facts){ .type = str_z(chance_types[roll(ARRAY_LEN(chance_types))]),
                                     .id = chance(60) ? STR("1") : STR("2"),
                                     .version = chance(50) ? STR("2") : STR("3"),
                                     .profiles = r->profiles,
                                     .codes = r->codes,
                                     .labels = r->labels,
                                     .labelled = chance(60),
                                     .time = { time, time + 1 },
                                     .references = r->references,
                                     .authors = r->authors,
                                     .custodians = r->owners };
    facts->n_profiles = pick(r->profiles, owned, ARRAY_LEN(owned), 30);
    facts->n_codes = pick_codings(r->codes, coded, ARRAY_LEN(coded), 30);
    facts->n_labels = pick_codings(r->labels, chance_marks, ARRAY_LEN(chance_marks), 20);
    facts->n_references = pick(r->references, refs, ARRAY_LEN(refs), 40);
    facts->n_authors = pick(r->authors, chance_actors, 1, 40);
    facts->n_custodians = pick(r->owners, chance_custodians, ARRAY_LEN(chance_custodians), 40);
    facts->level = chance(60) ? (enum confidentiality)roll(7) : CONFIDENTIALITY_NONE;
    facts->sensitivity = chance(40) ? UINT64_C(1) << roll(LABELS_COUNT) : 0;
    if (facts->level == CONFIDENTIALITY_NONE && facts->sensitivity == 0) {
        facts->labelled = true; /* or it isn't known whether a label is missing */
    }
}

void chance_round(struct round *r)
{
    unsigned n = 1 + roll(CONSENTS_MAX);
    for (unsigned i = 0; i < n; i++) {
        chance_consent(r);
    }
    if (chance(50)) {
        chance_tenant(r);
    }
    chance_request(r);
    chance_facts(r);
}
