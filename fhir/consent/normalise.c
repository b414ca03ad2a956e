/*
 * From a FHIR Consent to its normal form.
 *
 *   R4 core   base from policyRule. What an untyped root asks for is one rule against the base,
 *             with the nested provisions as its exceptions.
 *   IHE PCF   base is the type at the root, which is limited to what the root asks for (scope).
 *             Nested provisions are exceptions to the base and may lie outside of the scope
 *             ("normal data, and restricted data for this doctor"); what such a permit doesn't
 *             ask for itself, it takes from the scope, so that it never widens more than it
 * says. R5        base is the decision; provisions are against it, and alternate when nested.
 *
 * R4's own example of emergency treatment repeats the base as an exception to its one rule: a
 * deny for the same actor, without the purpose, inside a permit for actor and purpose. Taken
 * literally the rule could never apply, so such a repetition of the base is left out and noted.
 */
#include "fhir/consent/normalise.h"

#include "crypto/base/base64.h"
#include "crypto/digest.h"
#include "fhir/consent/provision.h"

#include <errno.h>

enum {
    DIGEST_TEXT = 7 + 2 * DIGEST_SIZE, /* "sha256:" and digits */
};

/* A modifier that isn't understood may turn everything around: refuse each of them. */
static void refuse_modifiers(struct provision_reader *r, const struct node *node)
{
    int index = 0;
    for (const struct node *child = node_first(node); child; child = child->next) {
        size_t mark = r->place.n;
        if (node->kind == NODE_ARRAY) {
            buf_fmt(&r->place, "[%d]", index++);
        } else {
            buf_c(&r->place, '.');
            buf_str_put(&r->place, child->name);
        }
        if (str_eq(child->name, STR("modifierExtension")) ||
            str_eq(child->name, STR("implicitRules"))) {
            provision_refuse(r, "extension", "", "a modifier that isn't understood");
        } else {
            refuse_modifiers(r, child);
        }
        provision_leave(r, mark);
    }
}

/* Members that only R5 has. */
static bool is_r5(const struct node *resource)
{
    static const char *const own[] = {
        "decision",   "subject",         "grantor",     "grantee", "manager",
        "controller", "regulatoryBasis", "policyBasis", "date",    "period",
    };
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (node_get(resource, own[i])) {
            return true;
        }
    }
    return node_is(node_get(resource, "provision"), NODE_ARRAY);
}

static enum consent_reading reading_of(struct provision_reader *r, const struct node *resource)
{
    static const char *const older[] = { "patient", "policyRule", "scope", "dateTime" };
    const struct node *provision = node_get(resource, "provision");
    if (!is_r5(resource)) {
        return node_get(provision, "type") ? CONSENT_PCF : CONSENT_R4;
    }
    for (size_t i = 0; i < ARRAY_LEN(older); i++) {
        if (node_get(resource, older[i])) {
            provision_refuse(r, "structure", older[i], "R4 and R5 in one resource");
        }
    }
    return CONSENT_R5;
}

static bool has_coding(const struct node *concept, const char *system, const char *code)
{
    for (const struct node *c = node_first(node_get(concept, "coding")); c; c = c->next) {
        if (str_eq(node_text(c, "system"), str_z(system)) &&
            str_eq(node_text(c, "code"), str_z(code))) {
            return true;
        }
    }
    return false;
}

/* What policyRule says; POLICY_SILENT if it isn't there or says something else. */
static enum policy_effect effect_of_rule(struct provision_reader *r, const struct node *concept)
{
    static const struct {
        const char *code;
        enum policy_effect effect;
    } codes[] = {
        { "OPTIN", POLICY_PERMIT },
        { "OPTINR", POLICY_PERMIT },
        { "OPTOUT", POLICY_DENY },
        { "OPTOUTE", POLICY_DENY },
    };
    enum policy_effect effect = POLICY_SILENT;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (!has_coding(concept, LABELS_ACT_CODE, codes[i].code)) {
            continue;
        }
        if (effect != POLICY_SILENT && effect != codes[i].effect) {
            provision_refuse(r, "conflict", "policyRule", "says both opt-in and opt-out");
        }
        effect = codes[i].effect;
    }
    return effect;
}

static enum policy_effect effect_of_text(struct provision_reader *r, struct str text,
                                         const char *leaf)
{
    if (str_eq(text, STR("permit"))) {
        return POLICY_PERMIT;
    }
    if (!str_eq(text, STR("deny"))) {
        provision_refuse(r, text.n ? "code-invalid" : "required", leaf, "says permit or deny");
    }
    return POLICY_DENY;
}

static enum policy_effect base_of(struct provision_reader *r, const struct node *resource)
{
    const struct node *rule = node_get(resource, "policyRule");
    enum policy_effect of_rule = effect_of_rule(r, rule);
    if (r->reading == CONSENT_R5) {
        return effect_of_text(r, node_text(resource, "decision"), "decision");
    }
    if (r->reading == CONSENT_PCF) {
        struct str type = node_text(node_get(resource, "provision"), "type");
        enum policy_effect base = effect_of_text(r, type, "provision.type");
        if (of_rule != POLICY_SILENT && of_rule != base) {
            provision_refuse(r, "conflict", "policyRule", "contradicts provision.type");
        }
        return base;
    }
    if (rule && of_rule == POLICY_SILENT) {
        provision_refuse(r, "not-supported", "policyRule",
                         "alone it must be OPTIN, OPTINR, OPTOUT or OPTOUTE");
    }
    return of_rule;
}

static bool lists_any(const struct policy_criteria *when, int from, int to)
{
    for (int i = from; i <= to; i++) {
        if (when->lists[i].n > 0) {
            return true;
        }
    }
    return false;
}

/* Whether a rule asks for anything but the time at which it holds. */
static bool asks(const struct policy_criteria *when)
{
    return lists_any(when, 0, POLICY_LISTS - 1) || when->actions || when->confidentiality ||
           when->purposes || when->sensitivity || when->has_data_period;
}

/*
 * What @when doesn't ask for itself, it asks for as @from does. Lists are shared, not copied:
 * sorting them twice does no harm.
 */
static void inherit(struct policy_criteria *when, const struct policy_criteria *from)
{
    bool purposes = when->purposes || when->lists[POLICY_OTHER_PURPOSES].n > 0;
    bool labels =
        when->confidentiality || when->sensitivity || when->lists[POLICY_OTHER_LABELS].n > 0;
    bool actors = lists_any(when, POLICY_ACTORS, POLICY_CUSTODIANS);
    bool data = lists_any(when, POLICY_INSTANCES, POLICY_AUTHORED_BY);
    for (int i = 0; i < POLICY_LISTS; i++) {
        bool own = i <= POLICY_CUSTODIANS       ? actors
                   : i == POLICY_OTHER_PURPOSES ? purposes
                   : i == POLICY_OTHER_LABELS   ? labels
                   : i >= POLICY_INSTANCES      ? data
                                                : when->lists[i].n > 0;
        when->lists[i] = own ? when->lists[i] : from->lists[i];
    }
    when->purposes = purposes ? when->purposes : from->purposes;
    when->confidentiality = labels ? when->confidentiality : from->confidentiality;
    when->sensitivity = labels ? when->sensitivity : from->sensitivity;
    when->actions = when->actions ? when->actions : from->actions;
    if (!when->has_data_period && from->has_data_period) {
        when->has_data_period = true;
        when->data_period = from->data_period;
    }
}

static bool same_texts(const struct policy_texts *a, const struct policy_texts *b)
{
    size_t found = 0;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < b->n; k++) {
            found += str_eq(a->at[i], b->at[k]);
        }
    }
    return a->n == b->n && found == a->n;
}

/* Whether @when asks for nothing that @of doesn't ask for in the same words. */
static bool part_of(const struct policy_criteria *when, const struct policy_criteria *of)
{
    for (int i = 0; i < POLICY_LISTS; i++) {
        if (when->lists[i].n > 0 && !same_texts(&when->lists[i], &of->lists[i])) {
            return false;
        }
    }
    return (!when->actions || when->actions == of->actions) &&
           (!when->purposes || when->purposes == of->purposes) &&
           (!when->confidentiality || when->confidentiality == of->confidentiality) &&
           (!when->sensitivity || when->sensitivity == of->sensitivity) && !when->has_period &&
           !when->has_data_period;
}

/* Leave out exceptions to @rule that only repeat the base. */
static void drop_repetitions(struct provision_reader *r, struct policy_rule *rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < rule->n_rules; i++) {
        const struct policy_rule *child = &rule->rules[i];
        if (child->effect != rule->effect && child->n_rules == 0 && asks(&child->when) &&
            part_of(&child->when, &rule->when)) {
            issues_add(r->issues, ISSUE_INFORMATION, "informational", STR("Consent.provision"),
                       "provision[%zu] repeats the base and is left out", i);
            continue;
        }
        rule->rules[kept++] = *child;
    }
    rule->n_rules = kept;
}

/* R4 core: what the root asks for, as one rule against the base. */
static void read_untyped_root(struct provision_reader *r, const struct node *root,
                              struct policy *policy)
{
    struct policy_criteria when = { 0 };
    enum policy_effect against = policy->base == POLICY_PERMIT ? POLICY_DENY : POLICY_PERMIT;
    provision_criteria(r, root, &when);
    policy->scope.has_period = when.has_period;
    policy->scope.period = when.period;
    when.has_period = false;
    if (!asks(&when)) {
        policy->rules = provision_rules(r, root, policy->base, 1, &policy->n_rules);
        return;
    }
    struct policy_rule *rule = arena_calloc(r->arena, 1, sizeof(*rule));
    if (!rule) {
        r->error = -ENOMEM;
        return;
    }
    *rule = (struct policy_rule){ .effect = against, .when = when };
    rule->rules = provision_rules(r, root, against, 1, &rule->n_rules);
    drop_repetitions(r, rule);
    policy->rules = rule;
    policy->n_rules = 1;
}

static void read_typed_root(struct provision_reader *r, const struct node *root,
                            struct policy *policy)
{
    provision_criteria(r, root, &policy->scope);
    policy->rules = provision_rules(r, root, policy->base, 1, &policy->n_rules);
    for (size_t i = 0; i < policy->n_rules; i++) {
        if (policy->rules[i].effect == POLICY_PERMIT) {
            inherit(&policy->rules[i].when, &policy->scope);
        }
    }
}

static void read_rules(struct provision_reader *r, const struct node *resource,
                       struct policy *policy)
{
    const struct node *root = node_get(resource, "provision");
    policy->base = base_of(r, resource);
    if (r->reading == CONSENT_R5) {
        policy->scope.has_period =
            provision_period(r, resource, "period", &policy->scope.period);
        policy->rules = provision_rules(r, resource, policy->base, 0, &policy->n_rules);
        return;
    }
    if (root && root->kind != NODE_OBJECT) {
        provision_refuse(r, "structure", "provision", "not an object");
        return;
    }
    size_t mark = provision_enter(r, "provision", -1);
    if (root && r->reading == CONSENT_PCF) {
        read_typed_root(r, root, policy);
    } else if (root) {
        read_untyped_root(r, root, policy);
    }
    provision_leave(r, mark);
    if (policy->base == POLICY_SILENT && policy->n_rules == 0 && !r->refused) {
        provision_refuse(r, "required", "provision", "nothing that could be enforced");
    }
}

static void add_text(struct provision_reader *r, struct policy_texts *texts, struct str text)
{
    if (text.n > 0) {
        provision_add(r, texts, text);
    }
}

/* An attachment by the digest of its bytes, else by its address. */
static void add_attachment(struct provision_reader *r, const struct node *attachment,
                           struct policy_texts *sources)
{
    struct str data = node_text(attachment, "data");
    if (data.n == 0) {
        add_text(r, sources, node_text(attachment, "url"));
        return;
    }
    uint8_t digest[DIGEST_SIZE];
    size_t room = base64_room(data.n);
    size_t n = 0;
    uint8_t *bytes = arena_alloc(r->arena, room);
    if (!bytes) {
        r->error = -ENOMEM;
        return;
    }
    if (base64_decode(BASE64_USUAL, data, bytes, room, &n) != 0) {
        provision_refuse(r, "value", "data", "not base64");
        return;
    }
    digest_sha256(str_of(bytes, n), digest);
    struct buf text = arena_buf(r->arena, DIGEST_TEXT);
    buf_z(&text, "sha256:");
    buf_hex(&text, digest, sizeof(digest));
    if (buf_failed(&text)) {
        r->error = -ENOMEM;
        return;
    }
    provision_add(r, sources, buf_str(&text));
}

/* The element itself, or each of a list: R4 has one, R5 several. */
static const struct node *one_or_first(const struct node *node)
{
    return node_is(node, NODE_ARRAY) ? node->first : node;
}

static void read_grounds(struct provision_reader *r, const struct node *resource,
                         struct policy *policy)
{
    const struct node *list = node_get(resource, "policy");
    for (const struct node *p = node_first(list); p; p = p->next) {
        add_text(r, &policy->uris, node_text(p, "uri"));
    }
    add_text(r, &policy->uris, node_text(node_get(resource, "policyBasis"), "uri"));
    list = node_get(resource, "sourceAttachment");
    for (const struct node *a = one_or_first(list); a;
         a = node_is(list, NODE_ARRAY) ? a->next : NULL) {
        size_t mark = provision_enter(r, "sourceAttachment", -1);
        add_attachment(r, a, &policy->sources);
        provision_leave(r, mark);
    }
    list = node_get(resource, "sourceReference");
    for (const struct node *a = one_or_first(list); a;
         a = node_is(list, NODE_ARRAY) ? a->next : NULL) {
        add_text(r, &policy->sources, node_text(a, "reference"));
    }
}

static void read_patient(struct provision_reader *r, const struct node *resource,
                         struct reference *out)
{
    const char *name = r->reading == CONSENT_R5 ? "subject" : "patient";
    struct reference patient = reference_read(node_get(resource, name));
    bool points = patient.form == REFERENCE_RELATIVE || patient.form == REFERENCE_ABSOLUTE;
    bool named = patient.form == REFERENCE_LOGICAL;
    bool other = patient.type.n > 0 && !str_eq(patient.type, STR("Patient"));
    if ((!points && !named) || other) {
        provision_refuse(r, "required", name, "names a Patient by reference or identifier");
    }
    *out = patient;
}

static void read_identity(struct provision_reader *r, const struct node *resource,
                          struct consent_filing *out)
{
    const struct node *identifier = node_first(node_get(resource, "identifier"));
    out->id = node_text(resource, "id");
    out->identifier_system = node_text(identifier, "system");
    out->identifier_value = node_text(identifier, "value");
    out->version = node_text(node_get(resource, "meta"), "versionId");
    out->status = node_text(resource, "status");
    out->date = node_text(resource, r->reading == CONSENT_R5 ? "date" : "dateTime");
    if (!str_eq(out->status, STR("active"))) {
        provision_refuse(r, "business-rule", "status", "only an active consent can be filed");
    }
    if (r->reading != CONSENT_R5 &&
        !has_coding(node_get(resource, "scope"),
                    "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")) {
        provision_refuse(r, "not-supported", "scope", "only patient-privacy is enforced");
    }
    read_patient(r, resource, &out->patient);
}

int consent_normalise(struct arena *arena, const struct node *resource,
                      const struct consent_context *context, struct issues *issues,
                      struct consent_filing *out)
{
    struct consent_filing filing = { 0 };
    struct provision_reader r;
    provision_reader_init(&r, arena, context, issues);
    if (!str_eq(node_text(resource, "resourceType"), STR("Consent"))) {
        provision_refuse(&r, "structure", "resourceType", "not a Consent");
        return CONSENT_E_REFUSED;
    }
    refuse_modifiers(&r, resource);
    r.reading = reading_of(&r, resource);
    filing.policy.reading = r.reading;
    read_identity(&r, resource, &filing);
    read_rules(&r, resource, &filing.policy);
    read_grounds(&r, resource, &filing.policy);
    if (r.error || r.refused) {
        return r.error ? r.error : CONSENT_E_REFUSED;
    }
    policy_finish(&filing.policy);
    filing.period = filing.policy.scope.has_period
                        ? filing.policy.scope.period
                        : (struct instant_span){ INSTANT_LEAST, INSTANT_MOST };
    *out = filing;
    return 0;
}
