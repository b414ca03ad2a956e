/* Consents as FHIR resources in three writings, and filed again; cases as JSON. */
#include "fhir/consent/normalise.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "tests/trials/consent_cases.h"

#include <stdio.h>

static void put_coding(struct json_writer *w, const char *system, const char *code)
{
    json_object(w, NULL);
    json_z(w, "system", system);
    json_z(w, "code", code);
    json_end(w);
}

/* "system|code" */
static void put_pair(struct json_writer *w, const char *pair)
{
    struct str code = str_z(pair);
    struct str system = str_cut(&code, '|');
    json_object(w, NULL);
    json_string(w, "system", system);
    json_string(w, "code", code);
    json_end(w);
}

static void put_period(struct json_writer *w, const char *name, unsigned from, unsigned until)
{
    char text[32];
    json_object(w, name);
    if (from) {
        (void)snprintf(text, sizeof(text), "2022-01-%02u", from);
        json_z(w, "start", text);
    }
    if (until) {
        (void)snprintf(text, sizeof(text), "2022-01-%02u", until);
        json_z(w, "end", text);
    }
    json_end(w);
}

static void put_actor(struct json_writer *w, const char *role, const char *actor)
{
    struct str value = str_z(actor);
    struct str system = str_cut(&value, '|');
    json_object(w, NULL);
    json_object(w, "role");
    json_array(w, "coding");
    put_coding(w, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", role);
    json_end(w);
    json_end(w);
    json_object(w, "reference");
    if (value.n) {
        json_object(w, "identifier");
        json_string(w, "system", system);
        json_string(w, "value", value);
        json_end(w);
    } else {
        json_z(w, "reference", actor);
    }
    json_end(w);
    json_end(w);
}

static void put_who(struct json_writer *w, const struct asked *asked)
{
    if (asked->actors | asked->custodians) {
        json_array(w, "actor");
        for (unsigned i = 0; i < ARRAY_LEN(chance_actors); i++) {
            if (asked->actors & (1U << i)) {
                put_actor(w, "IRCP", chance_actors[i]);
            }
        }
        for (unsigned i = 0; i < ARRAY_LEN(chance_custodians); i++) {
            if (asked->custodians & (1U << i)) {
                put_actor(w, "CST", chance_custodians[i]);
            }
        }
        json_end(w);
    }
    if (asked->actions) {
        json_array(w, "action");
        for (unsigned i = 0; i < ACTION_COUNT; i++) {
            if (asked->actions & (1U << i)) {
                json_object(w, NULL);
                json_array(w, "coding");
                put_coding(w, ACTION_SYSTEM, action_name(i));
                json_end(w);
                json_end(w);
            }
        }
        json_end(w);
    }
    if (asked->purposes || asked->others) {
        json_array(w, "purpose");
        for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
            if (asked->purposes & (UINT64_C(1) << i)) {
                put_coding(w, PURPOSE_SYSTEM, purpose_name(i));
            }
        }
        for (unsigned i = 0; i < ARRAY_LEN(chance_others); i++) {
            if (asked->others & (1U << i)) {
                put_pair(w, chance_others[i]);
            }
        }
        json_end(w);
    }
}

static void put_labels(struct json_writer *w, const struct asked *asked)
{
    if (!asked->levels && !asked->sensitivity && !asked->marks) {
        return;
    }
    json_array(w, "securityLabel");
    for (unsigned i = CONFIDENTIALITY_U; i <= CONFIDENTIALITY_V; i++) {
        if (asked->levels & (1U << i)) {
            put_coding(w, LABELS_CONFIDENTIALITY,
                       labels_confidentiality_name((enum confidentiality)i));
        }
    }
    for (unsigned i = 0; i < LABELS_COUNT; i++) {
        if (asked->sensitivity & (UINT64_C(1) << i)) {
            put_coding(w, LABELS_ACT_CODE, labels_name(i));
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(chance_marks); i++) {
        if (asked->marks & (1U << i)) {
            put_pair(w, chance_marks[i]);
        }
    }
    json_end(w);
}

static void put_types(struct json_writer *w, const struct asked *asked, const char *system)
{
    for (unsigned i = 0; i < ARRAY_LEN(chance_types); i++) {
        if (asked->types & (1U << i)) {
            put_coding(w, system, chance_types[i]);
        }
    }
}

static void put_documents(struct json_writer *w, const struct asked *asked)
{
    for (unsigned i = 0; i < ARRAY_LEN(chance_profiles); i++) {
        if (asked->profiles & (1U << i)) {
            put_coding(w, "urn:ietf:rfc:3986", chance_profiles[i]);
        }
    }
    if (asked->formats) {
        put_pair(w, chance_formats[0]);
    }
}

/* What R4 calls class R5 has as two elements. */
static void put_classes(struct json_writer *w, const struct asked *asked, bool r5)
{
    bool documents = asked->profiles || asked->formats;
    if (r5 && asked->types) {
        json_array(w, "resourceType");
        put_types(w, asked, "http://hl7.org/fhir/fhir-types");
        json_end(w);
    }
    if (r5 && documents) {
        json_array(w, "documentType");
        put_documents(w, asked);
        json_end(w);
    }
    if (!r5 && (asked->types || documents)) {
        json_array(w, "class");
        put_types(w, asked, "http://hl7.org/fhir/resource-types");
        put_documents(w, asked);
        json_end(w);
    }
}

static void put_data(struct json_writer *w, const struct asked *asked)
{
    if (asked->codes) {
        json_array(w, "code");
        for (unsigned i = 0; i < ARRAY_LEN(chance_codes); i++) {
            if (asked->codes & (1U << i)) {
                json_object(w, NULL);
                json_array(w, "coding");
                put_pair(w, chance_codes[i]);
                json_end(w);
                json_end(w);
            }
        }
        json_end(w);
    }
    if (asked->data) {
        json_array(w, "data");
        for (unsigned i = 0; i < ARRAY_LEN(chance_pointers); i++) {
            if (asked->data & (1U << i)) {
                json_object(w, NULL);
                json_z(w, "meaning", chance_pointers[i].meaning);
                json_object(w, "reference");
                json_z(w, "reference", chance_pointers[i].reference);
                json_end(w);
                json_end(w);
            }
        }
        json_end(w);
    }
    if (asked->has_data_period) {
        put_period(w, "dataPeriod", asked->data_from, asked->data_until);
    }
}

static void put_asked(struct json_writer *w, const struct asked *asked, bool r5)
{
    put_who(w, asked);
    put_labels(w, asked);
    put_classes(w, asked, r5);
    put_data(w, asked);
    if (asked->has_period) {
        put_period(w, "period", asked->from, asked->until);
    }
}

/* @back: in the other order, which must not matter. */
static void put_rules(struct json_writer *w, const struct rule *rule, bool r5, bool back)
{
    if (rule->n == 0) {
        return;
    }
    json_array(w, "provision");
    for (unsigned i = 0; i < rule->n; i++) {
        const struct rule *child = rule->children[back ? rule->n - 1 - i : i];
        json_object(w, NULL);
        if (!r5) {
            json_z(w, "type", child->effect == POLICY_PERMIT ? "permit" : "deny");
        }
        put_asked(w, &child->asked, r5);
        put_rules(w, child, r5, back);
        json_end(w);
    }
    json_end(w);
}

static void put_head(struct json_writer *w, bool r5)
{
    json_z(w, "resourceType", "Consent");
    json_z(w, "status", "active");
    json_object(w, r5 ? "subject" : "patient");
    json_z(w, "reference", "Patient/1");
    json_end(w);
    if (!r5) {
        json_object(w, "scope");
        json_array(w, "coding");
        put_coding(w, "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy");
        json_end(w);
        json_end(w);
    }
}

static void put_policy_rule(struct json_writer *w, enum policy_effect base)
{
    json_object(w, "policyRule");
    json_array(w, "coding");
    put_coding(w, LABELS_ACT_CODE, base == POLICY_PERMIT ? "OPTIN" : "OPTOUT");
    json_end(w);
    json_end(w);
}

static bool asks(const struct asked *asked)
{
    return asked->actors || asked->custodians || asked->actions || asked->others ||
           asked->marks || asked->types || asked->profiles || asked->formats || asked->codes ||
           asked->data || asked->levels || asked->purposes || asked->sensitivity ||
           asked->has_data_period;
}

/* The one exception that R4 can write as an untyped root: it has no period of its own. */
static const struct rule *only_rule(const struct spec *spec)
{
    const struct rule *one = spec->root.n == 1 ? spec->root.children[0] : NULL;
    return one && asks(&one->asked) && !one->asked.has_period &&
                   one->effect != spec->root.effect
               ? one
               : NULL;
}

static void put_r4_root(struct json_writer *w, const struct spec *spec, bool back)
{
    const struct rule *one = spec->silent ? NULL : only_rule(spec);
    const struct asked *root = &spec->root.asked;
    if (!spec->silent) {
        put_policy_rule(w, spec->root.effect);
    }
    json_object(w, "provision");
    if (root->has_period) {
        put_period(w, "period", root->from, root->until);
    }
    if (one) {
        put_asked(w, &one->asked, false);
    }
    put_rules(w, one ? one : &spec->root, false, back);
    json_end(w);
}

struct str write_consent(struct round *r, const struct spec *spec, enum consent_reading writing,
                         bool back)
{
    const bool r5 = writing == CONSENT_R5;
    const char *base = spec->root.effect == POLICY_PERMIT ? "permit" : "deny";
    struct buf text = arena_buf(r->arena, TEXT_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    put_head(&w, r5);
    if (writing == CONSENT_R4) {
        put_r4_root(&w, spec, back);
    } else if (r5) {
        json_z(&w, "decision", base);
        put_asked(&w, &spec->root.asked, true);
        put_rules(&w, &spec->root, true, back);
    } else {
        json_object(&w, "provision");
        json_z(&w, "type", base);
        put_asked(&w, &spec->root.asked, false);
        put_rules(&w, &spec->root, false, back);
        json_end(&w);
    }
    json_end(&w);
    if (buf_failed(&text)) {
        fatal(r, "too long");
    }
    return buf_str(&text);
}

/* Read @resource; false if R4 left out an exception that only repeats the base. */
bool file_consent(struct round *r, struct str resource, struct policy *out)
{
    static const struct consent_context context = { .actor = NULL };
    struct issues issues;
    const struct node *root = NULL;
    struct consent_filing filing;
    issues_init(&issues, r->arena);
    if (json_parse(r->arena, resource, &issues, &root) ||
        consent_normalise(r->arena, root, &context, &issues, &filing)) {
        (void)fprintf(stderr, "%.*s\n", (int)resource.n, resource.p);
        fatal(r, "not filed");
    }
    *out = filing.policy;
    return issues.count == 0;
}

static void put_texts(struct json_writer *w, const char *name, const struct str *texts,
                      size_t n)
{
    json_array(w, name);
    for (size_t i = 0; i < n; i++) {
        json_string(w, NULL, texts[i]);
    }
    json_end(w);
}

static void put_codings(struct json_writer *w, const char *name,
                        const struct consent_coding *codings, size_t n)
{
    json_array(w, name);
    for (size_t i = 0; i < n; i++) {
        json_object(w, NULL);
        json_string(w, "system", codings[i].system);
        json_string(w, "code", codings[i].code);
        json_end(w);
    }
    json_end(w);
}

static void put_request(struct json_writer *w, const struct round *r)
{
    const struct consent_request *request = &r->request;
    json_object(w, "request");
    put_texts(w, "actors", request->actors, request->n_actors);
    json_array(w, "purposes");
    for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
        if (request->purposes & (UINT64_C(1) << i)) {
            json_z(w, NULL, purpose_name(i));
        }
    }
    for (size_t i = 0; i < request->n_other_purposes; i++) {
        json_string(w, NULL, request->other_purposes[i]);
    }
    json_end(w);
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        if ((unsigned)request->action == 1U << i) {
            json_z(w, "action", action_name(i));
        }
    }
    json_i64(w, "now", request->now);
    json_end(w);
}

static void put_facts(struct json_writer *w, const struct consent_facts *facts)
{
    json_object(w, "data");
    json_string(w, "type", facts->type);
    json_string(w, "id", facts->id);
    json_string(w, "version", facts->version);
    put_texts(w, "profiles", facts->profiles, facts->n_profiles);
    put_codings(w, "codings", facts->codes, facts->n_codes);
    json_array(w, "labels");
    if (facts->level != CONFIDENTIALITY_NONE) {
        put_coding(w, LABELS_CONFIDENTIALITY, labels_confidentiality_name(facts->level));
    }
    for (unsigned i = 0; i < LABELS_COUNT; i++) {
        if (facts->sensitivity & (UINT64_C(1) << i)) {
            put_coding(w, LABELS_ACT_CODE, labels_name(i));
        }
    }
    for (size_t i = 0; i < facts->n_labels; i++) {
        json_object(w, NULL);
        json_string(w, "system", facts->labels[i].system);
        json_string(w, "code", facts->labels[i].code);
        json_end(w);
    }
    json_end(w);
    json_bool(w, "labelled", facts->labelled);
    json_i64(w, "time", facts->time.from);
    put_texts(w, "references", facts->references, facts->n_references);
    put_texts(w, "authors", facts->authors, facts->n_authors);
    put_texts(w, "custodians", facts->custodians, facts->n_custodians);
    json_end(w);
}

static void put_tenant(struct json_writer *w, const struct round *r)
{
    static const char *const combinings[] = { "deny-overrides", "most-specific",
                                              "most-recent" };
    static const char *const implicit[] = { "", "deny", "basic-normal", "all-normal",
                                            "break-glass-only" };
    json_object(w, "tenant");
    json_z(w, "combining", combinings[r->tenant.combining]);
    json_z(w, "implicit", implicit[r->implicit]);
    if (r->legal.n) {
        json_raw(w, "legal", r->legal);
    }
    json_end(w);
}

void print_case(const struct round *r, struct consent_verdict verdict)
{
    static const char *const states[] = {
        [CONSENT_CHAIN_ABSENT] = "absent",
        [CONSENT_CHAIN_GRANTED] = "granted",
        [CONSENT_CHAIN_SAFE] = "safe",
        [CONSENT_CHAIN_REVOKED] = "revoked",
    };
    struct buf text = arena_buf(r->arena, TEXT_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_array(&w, "consents");
    for (unsigned i = 0; i < r->n; i++) {
        const struct kept *kept = &r->consents[i];
        json_object(&w, NULL);
        json_raw(&w, "resource", kept->resource);
        json_z(&w, "state", kept->mismatch ? "mismatch" : states[kept->state]);
        json_u64(&w, "block", kept->block);
        json_end(&w);
    }
    json_end(&w);
    if (r->has_tenant) {
        put_tenant(&w, r);
    }
    put_request(&w, r);
    put_facts(&w, &r->facts);
    json_z(&w, "want", verdict.decision == CONSENT_PERMIT ? "permit" : "deny");
    json_end(&w);
    if (buf_failed(&text)) {
        fatal(r, "too long");
    }
    (void)fwrite(text.p, 1, text.n, stdout);
    (void)fputc('\n', stdout);
}
