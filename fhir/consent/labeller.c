/*
 * One sorted list of what sets say of codes; looking a code up is a search for it, for its
 * whole system, and, where codes begin with those of their parents, for each beginning.
 */
#include "fhir/consent/labeller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_FIRST = 256,
    PLACE_MAX = 128,
};

#define USAGE_FOCUS "focus"

/* Systems by which codes are sorted into a tree by how they begin, and what else they're
 * called. */
static const struct {
    const char *url;
    const char *oid;
    bool tree;
} systems[] = {
    { "http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3", true },
    { "http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90", true },
    { "http://hl7.org/fhir/sid/icd-9-cm", "urn:oid:2.16.840.1.113883.6.103", true },
    { "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "urn:oid:1.2.276.0.76.5.311", true },
    { "http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73", true },
    { "http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96", false },
    { "http://loinc.org", "urn:oid:2.16.840.1.113883.6.1", false },
    { "http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88", false },
    { "http://hl7.org/fhir/sid/cvx", "urn:oid:2.16.840.1.113883.12.292", false },
    { "http://hl7.org/fhir/sid/ndc", "urn:oid:2.16.840.1.113883.6.69", false },
};

/* A code; with @below also all that begin with it, the empty one being the whole system. */
struct labeller_key {
    struct str system;
    struct str code;
    bool below;
    uint64_t in;  /* sets that have it, a bit each */
    uint64_t out; /* sets that exclude it */
};

/* @refused: an issue was added */
struct reader {
    struct labeller *labeller;
    struct issues *issues;
    uint64_t set; /* its bit */
    bool refused;
    int error;
};

static void refuse(struct reader *r, const char *place, const char *why)
{
    issues_add(r->issues, ISSUE_ERROR, "not-supported", str_z(place), "%s", why);
    r->refused = true;
}

/* The URL of @system, and whether its codes are a tree by how they begin. */
static struct str canonical(struct str system, bool *tree)
{
    for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
        if (str_eq(system, str_z(systems[i].url)) || str_eq(system, str_z(systems[i].oid))) {
            *tree = systems[i].tree;
            return str_z(systems[i].url);
        }
    }
    *tree = false;
    return system;
}

void labeller_init(struct labeller *labeller, struct arena *arena)
{
    *labeller = (struct labeller){ .arena = arena };
}

/* --- filling ------------------------------------------------------------------------------ */

static struct labeller_key *next_key(struct labeller *l)
{
    if (l->n_keys == l->room) {
        size_t room = l->room ? l->room * 2 : ROOM_FIRST;
        struct labeller_key *more = arena_calloc(l->arena, room, sizeof(*more));
        if (!more) {
            return NULL;
        }
        if (l->n_keys) {
            memcpy(more, l->keys, l->n_keys * sizeof(*more));
        }
        l->keys = more;
        l->room = room;
    }
    return &l->keys[l->n_keys++];
}

static void add(struct reader *r, struct str system, struct str code, bool below, bool out)
{
    struct labeller *l = r->labeller;
    bool tree;
    if (r->error || r->refused) {
        return;
    }
    if (l->n_keys == LABELLER_CODES_MAX) {
        refuse(r, "ValueSet", "more codes than fit");
        return;
    }
    struct labeller_key *key = next_key(l);
    if (key) {
        *key = (struct labeller_key){
            .system = arena_str(l->arena, canonical(system, &tree)),
            .code = arena_str(l->arena, code),
            .below = below,
            .in = out ? 0 : r->set,
            .out = out ? r->set : 0,
        };
    }
    if (!key || !key->system.p || !key->code.p) {
        r->error = -ENOMEM;
    }
}

static void add_contains(struct reader *r, const struct node *list, int depth)
{
    if (depth > LABELLER_DEPTH_MAX) {
        refuse(r, "ValueSet.expansion", "nested too deep");
        return;
    }
    for (const struct node *c = node_first(list); c && !r->refused; c = c->next) {
        struct str system = node_text(c, "system");
        struct str code = node_text(c, "code");
        if (code.n && !system.n) {
            refuse(r, "ValueSet.expansion.contains", "a code without system");
        } else if (code.n) {
            add(r, system, code, false, false);
        }
        add_contains(r, node_get(c, "contains"), depth + 1);
    }
}

/* What an expansion holds is all there is only if it was not cut into pages. */
static void add_expansion(struct reader *r, const struct node *expansion)
{
    size_t before = r->labeller->n_keys;
    int64_t total;
    add_contains(r, node_get(expansion, "contains"), 0);
    bool counted = node_integer(node_get(expansion, "total"), &total);
    if (counted && total > (int64_t)(r->labeller->n_keys - before)) {
        refuse(r, "ValueSet.expansion.total", "the expansion has only a part of the codes");
    }
}

/* "concept is-a X": X and all that begin with it. */
static void add_filters(struct reader *r, struct str system, const struct node *filters,
                        const char *place, bool out)
{
    bool tree;
    (void)canonical(system, &tree);
    const struct node *filter = node_first(filters);
    struct str value = node_text(filter, "value");
    bool is_a = str_eq(node_text(filter, "property"), STR("concept")) &&
                str_eq(node_text(filter, "op"), STR("is-a"));
    if (!tree || !is_a || filter->next || value.n == 0 || value.n > LABELLER_PREFIX_MAX) {
        refuse(
            r, place,
            "a filter that isn't one \"concept is-a\" of an ICD or ATC code: expand the set");
        return;
    }
    add(r, system, value, true, out);
}

static void add_list(struct reader *r, const struct node *list, const char *name, bool out)
{
    int i = 0;
    for (const struct node *of = node_first(list); of && !r->refused; of = of->next, i++) {
        char place[PLACE_MAX];
        struct buf text = buf_fixed(place, sizeof(place) - 1);
        buf_fmt(&text, "ValueSet.compose.%s[%d]", name, i);
        place[text.n] = '\0';
        struct str system = node_text(of, "system");
        const struct node *concepts = node_get(of, "concept");
        const struct node *filters = node_get(of, "filter");
        if (node_get(of, "valueSet") || system.n == 0) {
            refuse(r, place, "other ValueSets aren't looked up: expand the set");
        } else if (filters && !concepts) {
            add_filters(r, system, filters, place, out);
        } else if (!filters && !concepts) {
            add(r, system, STR(""), true, out);
        } else if (filters) {
            refuse(r, place, "has both concepts and filters");
        }
        for (const struct node *c = node_first(concepts); c && !r->refused; c = c->next) {
            if (node_text(c, "code").n == 0) {
                refuse(r, place, "has a concept without code");
            }
            add(r, system, node_text(c, "code"), false, out);
        }
    }
}

static bool is_focus(const struct node *context)
{
    return str_eq(node_text(node_get(context, "code"), "code"), STR(USAGE_FOCUS));
}

/* The labels that the set's focus names; it has to name one at least, and none unknown. */
static void read_labels(struct reader *r, const struct node *set, struct labeller_set *out)
{
    for (const struct node *context = node_first(node_get(set, "useContext")); context;
         context = context->next) {
        const struct node *codings =
            node_get(node_get(context, "valueCodeableConcept"), "coding");
        for (const struct node *c = is_focus(context) ? node_first(codings) : NULL; c;
             c = c->next) {
            struct str system = node_text(c, "system");
            bool level = str_eq(system, STR(LABELS_CONFIDENTIALITY));
            enum confidentiality is = labels_confidentiality(node_text(c, "code"));
            uint64_t bit = labels_bit(node_text(c, "code"));
            if (level ? is == CONFIDENTIALITY_NONE
                      : !str_eq(system, STR(LABELS_ACT_CODE)) || !bit) {
                refuse(r, "ValueSet.useContext", "a label that isn't known");
                return;
            }
            out->level = level && is > out->level ? is : out->level;
            out->sensitivity |= level ? 0 : bit;
        }
    }
    if (out->level == CONFIDENTIALITY_NONE && !out->sensitivity) {
        refuse(r, "ValueSet.useContext", "names no label as its focus");
    }
}

static void read_name(struct reader *r, const struct node *set, struct labeller_set *out)
{
    struct str url = node_text(set, "url");
    struct str version = node_text(set, "version");
    struct buf name = arena_buf(r->labeller->arena, url.n + 1 + version.n);
    buf_str_put(&name, url);
    if (version.n) {
        buf_c(&name, '|');
        buf_str_put(&name, version);
    }
    out->name = buf_str(&name);
    r->error = buf_failed(&name) ? -ENOMEM : r->error;
    if (url.n == 0) {
        refuse(r, "ValueSet.url", "is missing");
    }
}

int labeller_add(struct labeller *l, const struct node *set, struct issues *issues)
{
    struct reader r = { .labeller = l, .issues = issues };
    if (!str_eq(node_text(set, "resourceType"), STR("ValueSet"))) {
        refuse(&r, "", "isn't a ValueSet");
        return LABELLER_E_SET;
    }
    if (l->n_sets == LABELLER_SETS_MAX) {
        refuse(&r, "ValueSet", "more sets than fit");
        return LABELLER_E_SET;
    }
    size_t before = l->n_keys;
    struct labeller_set *out = &l->sets[l->n_sets];
    const struct node *expansion = node_get(set, "expansion");
    const struct node *compose = node_get(set, "compose");
    *out = (struct labeller_set){ 0 };
    r.set = UINT64_C(1) << l->n_sets++;
    read_name(&r, set, out);
    read_labels(&r, set, out);
    if (expansion) {
        add_expansion(&r, expansion);
    } else {
        add_list(&r, node_get(compose, "include"), "include", false);
        add_list(&r, node_get(compose, "exclude"), "exclude", true);
    }
    if (!r.refused && !r.error && l->n_keys == before) {
        refuse(&r, "ValueSet", "has no codes");
    }
    return r.error ? r.error : r.refused ? LABELLER_E_SET : 0;
}

/* --- looking ------------------------------------------------------------------------------ */

static int order(const struct labeller_key *a, const struct labeller_key *b)
{
    int by = str_cmp(a->system, b->system);
    by = by ? by : str_cmp(a->code, b->code);
    return by ? by : (int)a->below - (int)b->below;
}

static int order_for_qsort(const void *a, const void *b)
{
    return order(a, b);
}

void labeller_finish(struct labeller *l)
{
    size_t n = 0;
    if (l->n_keys) {
        qsort(l->keys, l->n_keys, sizeof(*l->keys), order_for_qsort);
    }
    for (size_t i = 0; i < l->n_keys; i++) {
        if (n && order(&l->keys[n - 1], &l->keys[i]) == 0) {
            l->keys[n - 1].in |= l->keys[i].in;
            l->keys[n - 1].out |= l->keys[i].out;
        } else {
            l->keys[n++] = l->keys[i];
        }
    }
    l->n_keys = n;
}

/* What is said of exactly @key, onto its own sets. */
static void look(const struct labeller *l, struct labeller_key *key)
{
    const struct labeller_key *found =
        l->n_keys ? bsearch(key, l->keys, l->n_keys, sizeof(*l->keys), order_for_qsort) : NULL;
    if (found) {
        key->in |= found->in;
        key->out |= found->out;
    }
}

void labeller_look(const struct labeller *l, struct str system, struct str code,
                   struct labeller_found *found)
{
    bool tree;
    struct labeller_key key = { .system = canonical(system, &tree), .code = code };
    look(l, &key);
    key.below = true;
    size_t longest = tree ? code.n < LABELLER_PREFIX_MAX ? code.n : LABELLER_PREFIX_MAX : 0;
    for (size_t n = 0; n <= longest; n++) {
        key.code = str_of(code.p, n);
        look(l, &key);
    }
    uint64_t sets = key.in & ~key.out;
    found->sets |= sets;
    for (size_t i = 0; i < l->n_sets && sets >> i; i++) {
        if (sets & (UINT64_C(1) << i)) {
            const struct labeller_set *set = &l->sets[i];
            found->sensitivity |= set->sensitivity;
            found->level = set->level > found->level ? set->level : found->level;
        }
    }
}
