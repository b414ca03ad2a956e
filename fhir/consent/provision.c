/*
 * One provision, element by element.
 *
 * A member that isn't known here is refused, since it might narrow what the patient said.
 * Codes of the compiled systems must be in their tables; codes of other systems are kept whole
 * and match themselves.
 */
#include "fhir/consent/provision.h"

#include "fhir/compartment/subject.h"
#include "fhir/consent/action.h"
#include "fhir/consent/purpose.h"

#include <errno.h>

#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define URI_SYSTEM "urn:ietf:rfc:3986"

enum {
    R4 = 1,
    R5 = 2,
};

void provision_reader_init(struct provision_reader *r, struct arena *arena,
                           const struct consent_context *context, struct issues *issues)
{
    *r = (struct provision_reader){ .arena = arena, .context = context, .issues = issues };
    r->place = buf_fixed(r->text, sizeof(r->text));
    buf_z(&r->place, "Consent");
}

void provision_refuse(struct provision_reader *r, const char *code, const char *leaf,
                      const char *why)
{
    size_t mark = r->place.n;
    if (*leaf) {
        buf_c(&r->place, '.');
        buf_z(&r->place, leaf);
    }
    issues_add(r->issues, ISSUE_ERROR, code, buf_str(&r->place), "%s", why);
    provision_leave(r, mark);
    r->refused = true;
}

size_t provision_enter(struct provision_reader *r, const char *name, int index)
{
    size_t mark = r->place.n;
    buf_c(&r->place, '.');
    buf_z(&r->place, name);
    if (index >= 0) {
        buf_fmt(&r->place, "[%d]", index);
    }
    return mark;
}

/* A place too long for its memory is cut, which is no failure. */
void provision_leave(struct provision_reader *r, size_t mark)
{
    r->place.n = mark;
    r->place.failed = false;
}

void provision_add(struct provision_reader *r, struct policy_texts *texts, struct str text)
{
    size_t n = texts->n;
    if (n >= POLICY_VALUES_MAX) {
        provision_refuse(r, "too-costly", "", "more values than can be kept");
        return;
    }
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        struct str *at = arena_calloc(r->arena, n ? 2 * n : 1, sizeof(*at));
        if (!at) {
            r->error = -ENOMEM;
            return;
        }
        for (size_t i = 0; i < n; i++) {
            at[i] = texts->at[i];
        }
        texts->at = at;
    }
    texts->at[texts->n++] = text;
}

/* "@system@glue@code" in the arena. */
static struct str join(struct provision_reader *r, struct str system, const char *glue,
                       struct str code)
{
    struct buf text = arena_buf(r->arena, system.n + code.n + 16);
    buf_str_put(&text, system);
    buf_z(&text, glue);
    buf_str_put(&text, code);
    if (buf_failed(&text)) {
        r->error = -ENOMEM;
        return STR("?");
    }
    return buf_str(&text);
}

static bool read_bound(struct provision_reader *r, const struct node *period, const char *name,
                       struct instant_span *out)
{
    const struct node *bound = node_get(period, name);
    if (!bound) {
        return false;
    }
    if (!node_is(bound, NODE_STRING) || !instant_span(bound->text, out)) {
        provision_refuse(r, "value", name, "not a date or time");
        return false;
    }
    return true;
}

bool provision_period(struct provision_reader *r, const struct node *node, const char *name,
                      struct instant_span *out)
{
    struct instant_span start = { .from = INSTANT_LEAST };
    struct instant_span end = { .until = INSTANT_MOST };
    const struct node *period = node_get(node, name);
    if (!period) {
        return false;
    }
    size_t mark = provision_enter(r, name, -1);
    bool any = read_bound(r, period, "start", &start);
    any = read_bound(r, period, "end", &end) || any;
    if (!any) {
        provision_refuse(r, "required", "", "a period with neither start nor end");
    } else if (start.from >= end.until) {
        provision_refuse(r, "value", "", "ends before it starts");
    }
    provision_leave(r, mark);
    *out = (struct instant_span){ .from = start.from, .until = end.until };
    return any;
}

/* Every element of the list @name, or the one that stands there without a list. */
typedef void (*element_fn)(struct provision_reader *r, const struct node *element,
                           struct policy_criteria *when);

static void each(struct provision_reader *r, const struct node *node, const char *name,
                 element_fn visit, struct policy_criteria *when)
{
    const struct node *list = node_get(node, name);
    int index = 0;
    if (list && (list->kind != NODE_ARRAY || !list->first)) {
        provision_refuse(r, "structure", name, "not a list of values");
        return;
    }
    for (const struct node *child = node_first(list); child; child = child->next) {
        size_t mark = provision_enter(r, name, index++);
        if (child->kind == NODE_OBJECT) {
            visit(r, child, when);
        } else {
            provision_refuse(r, "structure", "", "not an object");
        }
        provision_leave(r, mark);
    }
}

#define LOCATION "http://hl7.org/fhir/StructureDefinition/consent-location"

/* An ordinary extension that narrows all the same: where the provision holds. */
static void refuse_location(struct provision_reader *r, const struct node *node)
{
    int index = 0;
    const struct node *extension = node_first(node_get(node, "extension"));
    for (; extension; extension = extension->next) {
        size_t mark = provision_enter(r, "extension", index++);
        if (str_eq(node_text(extension, "url"), STR(LOCATION))) {
            provision_refuse(r, "not-supported", "", "a place isn't enforced");
        }
        provision_leave(r, mark);
    }
}

/* Members that have no meaning for a decision. */
static bool is_plain(struct str name)
{
    return str_eq(name, STR("id")) || str_eq(name, STR("extension")) ||
           str_eq(name, STR("modifierExtension")) || str_starts(name, STR("_"));
}

/* Refuse members of @node that aren't among the @n at @known. */
static void only(struct provision_reader *r, const struct node *node, const char *const *known,
                 size_t n)
{
    for (const struct node *child = node->first; child; child = child->next) {
        bool found = is_plain(child->name);
        for (size_t i = 0; i < n && !found; i++) {
            found = str_eq(child->name, str_z(known[i]));
        }
        if (!found) {
            size_t mark = r->place.n;
            buf_c(&r->place, '.');
            buf_str_put(&r->place, child->name);
            provision_refuse(r, "not-supported", "", "an element that isn't enforced");
            provision_leave(r, mark);
        }
    }
}

static void add_actor(struct provision_reader *r, const struct node *node,
                      struct policy_texts *texts)
{
    struct reference actor = reference_read(node);
    struct str uri;
    if (!consent_actor_uri(r->context, r->arena, &actor, &uri)) {
        provision_refuse(r, "not-found", "reference", "an actor that can't be resolved");
        return;
    }
    provision_add(r, texts, uri);
}

/* The list that the actor's role leads to; NULL for a role that can't be enforced. */
static struct policy_texts *list_of_role(struct provision_reader *r, const struct node *role,
                                         struct policy_criteria *when)
{
    for (const struct node *c = node_first(node_get(role, "coding")); c; c = c->next) {
        struct str code = node_text(c, "code");
        if (!str_eq(node_text(c, "system"), STR(PARTICIPATION))) {
            continue;
        }
        if (str_eq(code, STR("IRCP")) || str_eq(code, STR("PRCP")) ||
            str_eq(code, STR("TRC"))) {
            return &when->lists[POLICY_ACTORS];
        }
        if (str_eq(code, STR("CST"))) {
            return &when->lists[POLICY_CUSTODIANS];
        }
    }
    return role || r->reading != CONSENT_R5 ? NULL : &when->lists[POLICY_ACTORS];
}

/* A coding that only matches itself. */
static void add_coding(struct provision_reader *r, const struct node *coding,
                       struct policy_texts *texts)
{
    struct str system = node_text(coding, "system");
    struct str code = node_text(coding, "code");
    if (system.n == 0 || code.n == 0 || memchr(system.p, '|', system.n)) {
        provision_refuse(r, "required", "", "a coding needs system and code");
        return;
    }
    provision_add(r, texts, join(r, system, "|", code));
}

/* R5 knows everyone in a role: one of another system, without anybody named. */
static bool read_role_alone(struct provision_reader *r, const struct node *node,
                            struct policy_criteria *when)
{
    const struct node *coding = node_first(node_get(node_get(node, "role"), "coding"));
    bool alone = r->reading == CONSENT_R5 && coding && !node_get(node, "reference") &&
                 !str_eq(node_text(coding, "system"), STR(PARTICIPATION));
    for (; alone && coding; coding = coding->next) {
        add_coding(r, coding, &when->lists[POLICY_ACTORS]);
    }
    return alone;
}

static void read_actor(struct provision_reader *r, const struct node *node,
                       struct policy_criteria *when)
{
    static const char *const known[] = { "role", "reference" };
    const struct node *role = node_get(node, "role");
    struct policy_texts *texts = list_of_role(r, role, when);
    only(r, node, known, ARRAY_LEN(known));
    if (read_role_alone(r, node, when)) {
        return;
    }
    if (!texts) {
        provision_refuse(r, role ? "not-supported" : "required", "role",
                         "neither a recipient (IRCP, PRCP, TRC) nor a custodian (CST)");
        return;
    }
    add_actor(r, node_get(node, "reference"), texts);
}

static void read_action(struct provision_reader *r, const struct node *node,
                        struct policy_criteria *when)
{
    enum action action = ACTION_NONE;
    for (const struct node *c = node_first(node_get(node, "coding")); c; c = c->next) {
        if (str_eq(node_text(c, "system"), STR(ACTION_SYSTEM))) {
            action = action_of(node_text(c, "code"));
        }
    }
    if (action == ACTION_NONE) {
        provision_refuse(r, "code-invalid", "", "not an action of " ACTION_SYSTEM);
    }
    when->actions |= (uint8_t)action;
}

static void read_purpose(struct provision_reader *r, const struct node *node,
                         struct policy_criteria *when)
{
    if (!purpose_known_system(node_text(node, "system"))) {
        add_coding(r, node, &when->lists[POLICY_OTHER_PURPOSES]);
        return;
    }
    uint64_t purpose = purpose_bit(node_text(node, "code"));
    if (purpose == 0) {
        provision_refuse(r, "code-invalid", "", "not a purpose of use");
    }
    when->purposes |= purpose;
}

static void read_label(struct provision_reader *r, const struct node *node,
                       struct policy_criteria *when)
{
    struct str system = node_text(node, "system");
    struct str code = node_text(node, "code");
    uint64_t sensitivity = str_eq(system, STR(LABELS_ACT_CODE)) ? labels_bit(code) : 0;
    if (str_eq(system, STR(LABELS_CONFIDENTIALITY))) {
        enum confidentiality level = labels_confidentiality(code);
        if (level == CONFIDENTIALITY_NONE) {
            provision_refuse(r, "code-invalid", "", "not a level of confidentiality");
            return;
        }
        when->confidentiality |= (uint8_t)(1U << level);
    } else if (sensitivity) {
        when->sensitivity |= sensitivity;
    } else {
        add_coding(r, node, &when->lists[POLICY_OTHER_LABELS]);
    }
}

static void read_class(struct provision_reader *r, const struct node *node,
                       struct policy_criteria *when)
{
    struct policy_texts *classes = &when->lists[POLICY_CLASSES];
    struct str system = node_text(node, "system");
    struct str code = node_text(node, "code");
    bool type = str_eq(system, STR("http://hl7.org/fhir/resource-types")) ||
                str_eq(system, STR("http://hl7.org/fhir/fhir-types"));
    bool profile = str_eq(system, STR(URI_SYSTEM));
    if (!type && !profile) {
        add_coding(r, node, classes);
        return;
    }
    if (type ? !subject_type_known(code) : !memchr(code.n ? code.p : "", ':', code.n)) {
        provision_refuse(r, "code-invalid", "", "neither a resource type nor a URL");
        return;
    }
    provision_add(r, classes, code);
}

static void read_code(struct provision_reader *r, const struct node *node,
                      struct policy_criteria *when)
{
    const struct node *coding = node_first(node_get(node, "coding"));
    if (!coding) {
        provision_refuse(r, "not-supported", "", "text alone can't be enforced");
    }
    for (; coding; coding = coding->next) {
        add_coding(r, coding, &when->lists[POLICY_CODES]);
    }
}

static bool is_context_type(struct str type)
{
    return str_eq(type, STR("Encounter")) || str_eq(type, STR("CarePlan")) ||
           str_eq(type, STR("EpisodeOfCare"));
}

static void add_data(struct provision_reader *r, const struct node *node, enum policy_list list,
                     struct policy_criteria *when)
{
    struct reference data = reference_read(node_get(node, "reference"));
    struct str text;
    if (!consent_data_text(r->context, r->arena, &data, &text) ||
        (data.version.n > 0 && list != POLICY_INSTANCES)) {
        provision_refuse(r, "not-found", "reference", "data that can't be resolved");
    } else if (list == POLICY_RELATED && !is_context_type(data.type)) {
        provision_refuse(r, "not-supported", "reference",
                         "related data needs an Encounter, CarePlan or EpisodeOfCare");
    } else {
        provision_add(r, &when->lists[list], text);
    }
}

static void read_data(struct provision_reader *r, const struct node *node,
                      struct policy_criteria *when)
{
    static const char *const known[] = { "meaning", "reference" };
    struct str meaning = node_text(node, "meaning");
    only(r, node, known, ARRAY_LEN(known));
    if (str_eq(meaning, STR("instance"))) {
        add_data(r, node, POLICY_INSTANCES, when);
    } else if (str_eq(meaning, STR("related"))) {
        add_data(r, node, POLICY_RELATED, when);
    } else if (str_eq(meaning, STR("dependents"))) {
        add_data(r, node, POLICY_DEPENDENTS, when);
    } else if (str_eq(meaning, STR("authoredby"))) {
        add_actor(r, node_get(node, "reference"), &when->lists[POLICY_AUTHORED_BY]);
    } else {
        provision_refuse(r, "not-supported", "meaning", "a meaning that isn't enforced");
    }
}

static const struct {
    const char *name;
    int where;
    element_fn visit; /* NULL: read elsewhere */
} elements[] = {
    { "type", R4, NULL },
    { "period", R4 | R5, NULL },
    { "actor", R4 | R5, read_actor },
    { "action", R4 | R5, read_action },
    { "securityLabel", R4 | R5, read_label },
    { "purpose", R4 | R5, read_purpose },
    { "class", R4, read_class },
    { "documentType", R5, read_class },
    { "resourceType", R5, read_class },
    { "code", R4 | R5, read_code },
    { "dataPeriod", R4 | R5, NULL },
    { "data", R4 | R5, read_data },
    { "provision", R4 | R5, NULL },
};

void provision_criteria(struct provision_reader *r, const struct node *node,
                        struct policy_criteria *when)
{
    const char *known[ARRAY_LEN(elements)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (!(elements[i].where & (r->reading == CONSENT_R5 ? R5 : R4))) {
            continue;
        }
        known[n++] = elements[i].name;
        if (elements[i].visit) {
            each(r, node, elements[i].name, elements[i].visit, when);
        }
    }
    only(r, node, known, n);
    refuse_location(r, node);
    when->has_period = provision_period(r, node, "period", &when->period);
    when->has_data_period = provision_period(r, node, "dataPeriod", &when->data_period);
}

static enum policy_effect effect_of(struct provision_reader *r, const struct node *node,
                                    enum policy_effect parent)
{
    struct str type = node_text(node, "type");
    if (r->reading == CONSENT_R5) {
        return parent == POLICY_PERMIT ? POLICY_DENY : POLICY_PERMIT;
    }
    if (str_eq(type, STR("permit"))) {
        return POLICY_PERMIT;
    }
    if (!str_eq(type, STR("deny"))) {
        provision_refuse(r, type.n ? "code-invalid" : "required", "type",
                         "a nested provision says permit or deny");
    }
    return POLICY_DENY;
}

static size_t count_of(const struct node *list)
{
    size_t n = 0;
    for (const struct node *child = node_first(list); child; child = child->next) {
        n++;
    }
    return n;
}

struct policy_rule *provision_rules(struct provision_reader *r, const struct node *node,
                                    enum policy_effect parent, int depth, size_t *n)
{
    const struct node *list = node_get(node, "provision");
    size_t count = count_of(list);
    *n = 0;
    if (!list) {
        return NULL;
    }
    if (list->kind != NODE_ARRAY || depth >= POLICY_DEPTH_MAX || count > POLICY_RULES_MAX) {
        provision_refuse(r, list->kind == NODE_ARRAY ? "too-costly" : "structure", "provision",
                         "provisions nest at most 8 deep, 250 side by side");
        return NULL;
    }
    struct policy_rule *rules = arena_calloc(r->arena, count ? count : 1, sizeof(*rules));
    if (!rules) {
        r->error = -ENOMEM;
        return NULL;
    }
    for (const struct node *child = list->first; child; child = child->next) {
        size_t mark = provision_enter(r, "provision", (int)*n);
        struct policy_rule *rule = &rules[(*n)++];
        rule->effect = effect_of(r, child, parent);
        provision_criteria(r, child, &rule->when);
        rule->rules = provision_rules(r, child, rule->effect, depth + 1, &rule->n_rules);
        provision_leave(r, mark);
    }
    return rules;
}
