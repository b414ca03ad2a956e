/*
 * A tenant's policy.
 *
 * The implicit policies are written in the normal form of consents, so one evaluation serves
 * all. IHE PCF defines them by who may and for what; the data's labels aren't among it, so a
 * tenant who holds restricted data back says so by a legal rule.
 *
 * Spec: IHE PCF 1.1, 1:53.2.1; consent rules, section 5.5
 */
#include "fhir/consent/tenant.h"

#include "crypto/digest.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"

#include <errno.h>

#define PCF "https://profiles.ihe.net/ITI/PCF/Policy-"

/* @purpose: that is permitted; NULL: all that a permit without purposes covers */
static const struct {
    const char *uri;
    enum policy_effect base;
    const char *purpose;
} known[] = {
    { PCF "all-normal", POLICY_PERMIT, NULL },
    { PCF "basic-normal", POLICY_PERMIT, "TREAT" },
    { PCF "break-glass-only", POLICY_PERMIT, "BTG" },
    { PCF "deny", POLICY_DENY, NULL },
};

static const char *const combinings[] = {
    [CONSENT_DENY_OVERRIDES] = "deny-overrides",
    [CONSENT_MOST_SPECIFIC] = "most-specific",
    [CONSENT_MOST_RECENT] = "most-recent",
};

struct reader {
    struct arena *arena;
    struct str text;
    struct issues *issues;
    int error;
};

static void refuse(struct reader *r, const char *place, const char *why)
{
    issues_add(r->issues, ISSUE_ERROR, "invalid", str_z(place), "%s", why);
    r->error = r->error ? r->error : CONSENT_TENANT_E_FORM;
}

/* Refuse members of @node that aren't among the @n at @names, and what isn't an object. */
static void only(struct reader *r, const struct node *node, const char *const *names, size_t n)
{
    if (node->kind != NODE_OBJECT) {
        refuse(r, "tenant", "not an object");
        return;
    }
    for (const struct node *child = node->first; child; child = child->next) {
        bool found = false;
        for (size_t i = 0; i < n; i++) {
            found = found || str_eq(child->name, str_z(names[i]));
        }
        if (!found) {
            issues_add(r->issues, ISSUE_ERROR, "invalid", child->name, "isn't known");
            r->error = CONSENT_TENANT_E_FORM;
        }
    }
}

static enum consent_combining read_combining(struct reader *r, const struct node *root)
{
    struct str name = node_text(root, "combining");
    for (size_t i = 0; i < ARRAY_LEN(combinings); i++) {
        if (str_eq(name, str_z(combinings[i]))) {
            return (enum consent_combining)i;
        }
    }
    if (node_get(root, "combining")) {
        refuse(r, "combining", "deny-overrides, most-specific or most-recent");
    }
    return CONSENT_DENY_OVERRIDES;
}

/* The policy @node, in its canonical text. */
static void read_policy(struct reader *r, const struct node *node, struct policy *out)
{
    int error =
        policy_read(r->arena, str_slice(r->text, node->start, node->end), r->issues, out);
    if (error) {
        r->error = error < 0 ? error : CONSENT_TENANT_E_FORM;
    }
}

/* The legal rules under @name, whose base has to be silent. */
static void read_legal(struct reader *r, const struct node *root, const char *name,
                       struct policy *out)
{
    const struct node *node = node_get(root, name);
    if (!node) {
        return;
    }
    read_policy(r, node, out);
    if (!r->error && out->base != POLICY_SILENT) {
        refuse(r, name, "its base has to be silent: what no rule decides is the patients'");
    }
}

static uint64_t read_purposes(struct reader *r, const struct node *node)
{
    uint64_t purposes = 0;
    for (const struct node *child = node_first(node); child; child = child->next) {
        uint64_t bit = purpose_bit(child->text);
        if (bit == 0) {
            refuse(r, "implicit.purposes", "not a purpose of use");
        }
        purposes |= bit;
    }
    if (node && purposes == 0) {
        refuse(r, "implicit.purposes", "a list of purposes of use, or none");
    }
    return purposes;
}

static void read_implicit(struct reader *r, const struct node *node,
                          struct consent_implicit *out)
{
    static const char *const names[] = { "policy", "purposes" };
    struct str uri = node_text(node, "policy");
    bool found = false;
    only(r, node, names, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_eq(uri, str_z(known[i].uri))) {
            found = true;
            out->policy.base = known[i].base;
            out->policy.scope.purposes =
                known[i].purpose ? purpose_bit(str_z(known[i].purpose)) : 0;
        }
    }
    if (!found) {
        refuse(r, "implicit.policy", "not one of the implicit policies of IHE PCF");
    }
    out->purposes = read_purposes(r, node_get(node, "purposes"));
    policy_finish(&out->policy);
}

static void read_implicits(struct reader *r, const struct node *root,
                           struct consent_tenant *out)
{
    const struct node *list = node_get(root, "implicit");
    struct consent_implicit *all =
        arena_calloc(r->arena, CONSENT_TENANT_IMPLICIT_MAX, sizeof(*all));
    if (!all) {
        r->error = -ENOMEM;
        return;
    }
    if (list && list->kind != NODE_ARRAY) {
        refuse(r, "implicit", "not a list");
        return;
    }
    size_t n = 0;
    for (const struct node *child = node_first(list); child; child = child->next) {
        if (n == CONSENT_TENANT_IMPLICIT_MAX) {
            refuse(r, "implicit", "more than can be kept");
            return;
        }
        read_implicit(r, child, &all[n++]);
    }
    out->implicit = all;
    out->n_implicit = n;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "Type.element.element", the last one perhaps with "[x]". */
static bool is_path(struct str text)
{
    struct str path = str_ends(text, STR("[x]")) ? str_slice(text, 0, text.n - 3) : text;
    bool begins = true;
    size_t dots = 0;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (!is_letter(c) && (begins || c != '.')) {
            return false;
        }
        begins = c == '.';
        dots += begins;
    }
    return !begins && dots > 0;
}

static bool is_label(struct str text)
{
    struct str code = text;
    struct str system = str_cut(&code, '|');
    return system.n > 0 && code.n > 0;
}

static void read_words(struct reader *r, const struct node *list, bool (*good)(struct str),
                       struct policy_texts *out)
{
    if (!list) {
        return;
    }
    struct str *words = arena_calloc(r->arena, POLICY_VALUES_MAX, sizeof(*words));
    if (!words) {
        r->error = -ENOMEM;
        return;
    }
    for (const struct node *at = list->first; at; at = at->next) {
        if (out->n == POLICY_VALUES_MAX || !good(at->text)) {
            refuse(r, "obligations",
                   "an element is named as Type.element, a label as system|code, at most 500");
            return;
        }
        words[out->n] = arena_str(r->arena, at->text);
        if (!words[out->n++].p) {
            r->error = -ENOMEM;
            return;
        }
    }
    out->at = words;
}

static void read_obligation(struct reader *r, const struct node *node,
                            struct consent_obligation *out)
{
    static const char *const names[] = { "label", "mask", "notice", "redact", "when" };
    const struct node *when = node_get(node, "when");
    struct str notice = node_text(node, "notice");
    only(r, node, names, ARRAY_LEN(names));
    if (!when) {
        refuse(r, "obligations.when", "has to say when it applies");
        return;
    }
    read_policy(r, when, &out->when);
    read_words(r, node_get(node, "redact"), is_path, &out->redact);
    read_words(r, node_get(node, "mask"), is_path, &out->mask);
    read_words(r, node_get(node, "label"), is_label, &out->labels);
    out->notice = arena_str(r->arena, notice);
    if (!out->notice.p) {
        r->error = -ENOMEM;
    }
    if (out->redact.n + out->mask.n + out->labels.n + notice.n == 0) {
        refuse(r, "obligations", "obliges to nothing");
    }
}

static void read_obligations(struct reader *r, const struct node *root,
                             struct consent_tenant *out)
{
    const struct node *list = node_get(root, "obligations");
    struct consent_obligation *all =
        arena_calloc(r->arena, CONSENT_TENANT_OBLIGATIONS_MAX, sizeof(*all));
    if (!all) {
        r->error = -ENOMEM;
        return;
    }
    if (list && list->kind != NODE_ARRAY) {
        refuse(r, "obligations", "not a list");
        return;
    }
    size_t n = 0;
    for (const struct node *child = node_first(list); child; child = child->next) {
        if (n == CONSENT_TENANT_OBLIGATIONS_MAX) {
            refuse(r, "obligations", "more than can be kept");
            return;
        }
        read_obligation(r, child, &all[n++]);
    }
    out->obligations = all;
    out->n_obligations = n;
}

int consent_tenant_read(struct arena *arena, struct str text, struct issues *issues,
                        struct consent_tenant *out)
{
    static const char *const names[] = { "combining",   "implicit", "legal",
                                         "obligations", "part2",    "schema" };
    struct consent_tenant tenant = { 0 };
    struct reader r = { .arena = arena, .text = text, .issues = issues };
    const struct node *root = NULL;
    int64_t schema = 0;
    if (text.n > CONSENT_TENANT_TEXT_MAX) {
        refuse(&r, "tenant", "longer than 1 MB");
        return r.error;
    }
    int error = json_parse(arena, text, issues, &root);
    if (error) {
        return error < 0 ? error : CONSENT_TENANT_E_FORM;
    }
    only(&r, root, names, ARRAY_LEN(names));
    if (!node_integer(node_get(root, "schema"), &schema) || schema != CONSENT_TENANT_SCHEMA) {
        refuse(&r, "schema", "has to be 1");
    }
    tenant.combining = read_combining(&r, root);
    read_legal(&r, root, "legal", &tenant.legal);
    read_legal(&r, root, "part2", &tenant.part2);
    read_implicits(&r, root, &tenant);
    read_obligations(&r, root, &tenant);
    if (r.error) {
        return r.error;
    }
    digest_sha256(text, tenant.digest);
    *out = tenant;
    return 0;
}

struct consent_finding consent_tenant_legal(const struct consent_tenant *tenant,
                                            const struct consent_request *request,
                                            const struct consent_facts *facts)
{
    struct consent_finding found = consent_find(&tenant->legal, request, facts);
    struct consent_finding part2 = consent_find(&tenant->part2, request, facts);
    bool by_part2 = (part2.set & CONSENT_MAY_DENY) && !(found.set & CONSENT_MAY_DENY);
    consent_add(&found, &part2);
    found.basis = by_part2 ? CONSENT_BASIS_PART2 : CONSENT_BASIS_LEGAL;
    return found;
}

/* Whether @implicit names a purpose that covers one of those requested. */
static bool names(const struct consent_implicit *implicit,
                  const struct consent_request *request)
{
    return (purpose_permitted_by(implicit->purposes) & request->purposes) != 0;
}

struct consent_finding consent_tenant_implicit(const struct consent_tenant *tenant,
                                               const struct consent_request *request,
                                               const struct consent_facts *facts)
{
    struct consent_finding found = { .set = CONSENT_MAY_PASS };
    bool named = false;
    for (size_t i = 0; i < tenant->n_implicit; i++) {
        named = named || names(&tenant->implicit[i], request);
    }
    for (size_t i = 0; i < tenant->n_implicit; i++) {
        const struct consent_implicit *one = &tenant->implicit[i];
        if (named ? names(one, request) : one->purposes == 0) {
            struct consent_finding with = consent_find(&one->policy, request, facts);
            consent_add(&found, &with);
        }
    }
    if (found.set & CONSENT_MAY_DENY) {
        found.set = (found.set & (uint8_t)~CONSENT_MAY_DENY) | CONSENT_MAY_PASS;
    }
    return found;
}

uint32_t consent_tenant_obligations(const struct consent_tenant *tenant,
                                    const struct consent_request *request,
                                    const struct consent_facts *facts)
{
    uint32_t set = 0;
    for (size_t i = 0; i < tenant->n_obligations; i++) {
        struct consent_finding found =
            consent_find(&tenant->obligations[i].when, request, facts);
        set |= found.set & CONSENT_MAY_DENY ? UINT32_C(1) << i : 0;
    }
    return set;
}
