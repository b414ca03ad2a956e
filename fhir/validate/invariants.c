/*
 * Compiling invariants, and running those that are about an element.
 *
 * An invariant holds for a type and all that derive from it, so the list of each base is run as
 * well. Most resources contain none: what is said of those isn't run then.
 */
#include "fhir/validate/invariants.h"

#include "fhir/validate/check.h"
#include "fhir/validate/profile_check.h"

#include <errno.h>

enum {
    ELEMENTS_MAX = 32, /* that are no types and have invariants */
};

static const char *const seen_to[] = { "ele-1", "txt-1", "txt-2" };

static bool is_seen_to(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(seen_to); i++) {
        if (strcmp(key, seen_to[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool constraints_have(struct str key)
{
    for (size_t i = 0; i < invariants_r4.count; i++) {
        if (str_eq(key, str_z(invariants_r4.rows[i].key))) {
            return true;
        }
    }
    return false;
}

int constraint_compile(struct arena *arena, const struct path_source *what,
                       const struct invariant *about, const struct constraint **list)
{
    struct constraint *rule = arena_calloc(arena, 1, sizeof(*rule));
    struct issues issues;
    issues_init(&issues, arena);
    int r = rule ? path_compile(arena, what, &issues, &rule->path) : -ENOMEM;
    if (r) {
        return r;
    }
    struct buf broken = arena_buf(arena, strlen(about->key) + sizeof("breaks "));
    buf_fmt(&broken, "breaks %s", about->key);
    if (buf_failed(&broken)) {
        return -ENOMEM;
    }
    rule->key = str_z(about->key);
    rule->quick = quick_find(rule->key); /* a key that R4 has is R4's */
    rule->broken = buf_str(&broken);
    rule->severity = about->severity;
    rule->contained = str_starts(what->text, STR("contained."));
    rule->next = *list;
    *list = rule;
    return 0;
}

/* The list that an invariant of @path belongs to; NULL if the schema has no such place. */
static const struct constraint **list_of(const struct schema *schema, struct str path,
                                         struct constraints *rules)
{
    const struct schema_type *type = schema_type(schema, path);
    if (type) {
        return &rules->types[type - schema->types];
    }
    const char *dot = memrchr(path.p, '.', path.n);
    size_t n = dot ? (size_t)(dot - path.p) : 0;
    struct str name = str_slice(path, n + 1, path.n);
    name.n -= str_ends(name, STR("[x]")) ? 3 : 0;
    type = schema_type(schema, str_slice(path, 0, n));
    const struct schema_element *element = type ? schema_element(schema, type, name) : NULL;
    size_t i = 0;
    while (i < rules->elements_n && rules->elements[i].element != element) {
        i++;
    }
    if (!element || i == ELEMENTS_MAX) {
        return NULL;
    }
    rules->elements_n += i == rules->elements_n;
    rules->elements[i].element = element;
    return &rules->elements[i].rules;
}

int constraints_of_r4(struct arena *arena, const struct schema *schema, struct constraints *out)
{
    struct constraints rules = {
        .types = arena_calloc(arena, schema->types_n, sizeof(struct constraint *)),
        .ruled = arena_calloc(arena, schema->types_n, sizeof(struct schema_type *)),
        .elements = arena_calloc(arena, ELEMENTS_MAX, sizeof(struct constraints_of_element)),
    };
    if (!rules.types || !rules.ruled || !rules.elements) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < invariants_r4.count; i++) {
        const struct invariant *row = &invariants_r4.rows[i];
        const struct path_source what = { .text = str_z(row->expression),
                                          .schema = schema,
                                          .flags = PATH_AS_FILTERS };
        const struct constraint **list =
            is_seen_to(row->key) ? NULL : list_of(schema, str_z(row->path), &rules);
        int r = list ? constraint_compile(arena, &what, row, list) : 0;
        if (r) {
            return r < 0 ? r : -EINVAL;
        }
    }
    for (size_t i = 0; i < schema->types_n; i++) {
        const struct schema_type *type = &schema->types[i];
        while (type && !rules.types[type - schema->types]) {
            type = schema_base(schema, type);
        }
        rules.ruled[i] = type;
    }
    *out = rules;
    return 0;
}

/* ---- running ---- */

static int member_of(void *owner, const struct path_value *code, struct str value_set,
                     bool *out)
{
    if (code->kind != PATH_ELEMENT || !code->element.node) {
        return PATH_ENV_E_UNKNOWN;
    }
    const struct item item = { .node = code->element.node, .type = code->element.type };
    enum terminology_answer answer = check_code_in(owner, value_set, &item);
    *out = answer == TERMINOLOGY_IN;
    return answer == TERMINOLOGY_UNKNOWN ? PATH_ENV_E_UNKNOWN : 0;
}

static int conforms(void *owner, const struct path_value *element, struct str profile,
                    bool *out)
{
    struct check *check = owner;
    if (element->kind != PATH_ELEMENT ||
        !registry_profile(&check->validator->registry, profile)) {
        return PATH_ENV_E_UNKNOWN;
    }
    const struct item item = { .node = element->element.node,
                               .extra = element->element.extra,
                               .type = element->element.type };
    *out = profile_conforms(check, profile, &item);
    return 0;
}

int check_begin(struct check *check)
{
    check->env = (struct path_env){
        .now = check->options->now, .member_of = member_of, .conforms = conforms, .owner = check
    };
    check->machine = path_machine_new(check->arena, &check->env);
    return check->machine ? 0 : -ENOMEM;
}

/* Only a clear no is a breach: a comparison that nobody can decide is none. */
static bool is_false(const struct path_list *result)
{
    return result->n == 1 && result->items[0].kind == PATH_BOOLEAN && !result->items[0].boolean;
}

size_t check_work_left(const struct check *check)
{
    size_t most = check->options->work ? check->options->work : SIZE_MAX;
    return check->work < most ? most - check->work : 0;
}

static void breaks(struct check *check, const struct constraint *rule,
                   const struct place *place)
{
    check_say(check, rule->severity, "invariant", place, rule->broken);
}

/* An expression that can't be run says nothing about the resource. */
static void run(struct check *check, const struct constraint *rule, const struct item *item,
                const struct place *place)
{
    struct path_list result;
    struct issues quiet;
    struct path_value input = path_element(check->schema, item->node, item->type);
    input.element.extra = item->extra;
    issues_init(&quiet, check->arena);
    check->env.root = check->entry ? node_get(check->entry, "resource") : check->root;
    path_machine_bound(check->machine, check_work_left(check));
    int r = path_run(check->machine, rule->path, &input, &quiet, &result);
    check->work += path_machine_steps(check->machine);
    if (r < 0) {
        check->r = r;
    } else if (r > 0) {
        check_issue(check, ISSUE_INFORMATION, "incomplete", place,
                    "could not be asked about %.*s", (int)rule->key.n, rule->key.p);
    } else if (is_false(&result)) {
        breaks(check, rule, place);
    }
}

static void ask(struct check *check, const struct constraint *rule, const struct item *item,
                const struct place *place)
{
    bool object = node_is(item->node, NODE_OBJECT);
    switch (rule->quick && object ? rule->quick(item->node) : QUICK_ASK) {
    case QUICK_HOLDS: return;
    case QUICK_BREAKS: breaks(check, rule, place); return;
    case QUICK_ASK: run(check, rule, item, place); return;
    }
}

void check_rules(struct check *check, const struct constraint *rules, const struct item *item,
                 const struct place *place)
{
    if (!rules || check->r) {
        return;
    }
    bool contains = node_get(item->node, "contained") != NULL;
    for (const struct constraint *rule = rules; rule && check_work_left(check);
         rule = rule->next) {
        if (contains || !rule->contained) {
            ask(check, rule, item, place);
        }
    }
}

bool constraint_narrows(const struct schema *schema, const struct schema_element *element)
{
    for (size_t i = 0; i < element->choices_n; i++) {
        const struct schema_choice *choice = &schema->choices[element->choices + i];
        if (choice->targets_n == 1 &&
            schema->types[schema->targets[choice->targets]].kind == SCHEMA_PROFILE) {
            return true;
        }
    }
    return false;
}

/* The profile that @field narrows its type to, SimpleQuantity; NULL if none. */
static const struct schema_type *narrowed(const struct schema *schema,
                                          const struct schema_field *field)
{
    const struct schema_element *element = field->element;
    for (size_t i = 0; i < element->choices_n; i++) {
        const struct schema_choice *choice = &schema->choices[element->choices + i];
        const struct schema_type *target = &schema->types[schema->targets[choice->targets]];
        if (&schema->types[choice->type] == field->type && choice->targets_n == 1 &&
            target->kind == SCHEMA_PROFILE) {
            return target;
        }
    }
    return NULL;
}

void check_invariants(struct check *check, const struct schema_field *field,
                      const struct item *item, const struct place *place)
{
    const struct schema *schema = check->schema;
    const struct constraints *rules = &check->validator->rules;
    const struct schema_type *t = item->type ? rules->ruled[item->type - schema->types] : NULL;
    while (t) {
        check_rules(check, rules->types[t - schema->types], item, place);
        t = schema_base(schema, t);
        t = t ? rules->ruled[t - schema->types] : NULL;
    }
    if (!field) {
        return;
    }
    const struct known_element *known = validator_known(check->validator, field->element);
    const struct schema_type *profile = known->narrows ? narrowed(schema, field) : NULL;
    if (profile) {
        check_rules(check, rules->types[profile - schema->types], item, place);
    }
    check_rules(check, known->rules, item, place);
}
