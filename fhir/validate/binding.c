/*
 * Codes against the value sets that the definitions demand.
 *
 * Only bindings that must hold are looked at: of strength required, or with a largest set
 * allowed. What the terminology at hand can't tell is not held against the resource.
 */
#include "fhir/validate/check.h"

struct str binding_demanded(const struct schema *schema, const struct schema_element *element)
{
    uint32_t text = element->strength == SCHEMA_REQUIRED ? element->binding : element->within;
    return schema_text(schema, text);
}

/* @own: R4's set of that name; NULL if it is another's */
struct set {
    struct str url;
    const struct terminology_set *own;
};

/* R4's own sets first, then those of packages. */
static enum terminology_answer has(struct check *check, const struct set *set,
                                   struct str system, struct str code)
{
    return set->own ? terminology_set_has(check->validator->terminology, set->own, system, code)
                    : registry_has(&check->validator->registry, set->url, system, code);
}

static enum terminology_answer coding_in(struct check *check, const struct set *set,
                                         const struct node *coding)
{
    struct str system = node_text(coding, "system");
    struct str given = system.p ? system : STR("");
    return has(check, set, given, node_text(coding, "code"));
}

/* One coding that is in the set, or may be, is enough. */
static enum terminology_answer concept_in(struct check *check, const struct set *set,
                                          const struct node *concept)
{
    enum terminology_answer best = TERMINOLOGY_OUT;
    bool any = false;
    for (const struct node *coding = node_first(node_get(concept, "coding")); coding;
         coding = coding->next) {
        if (!node_get(coding, "code")) {
            continue;
        }
        any = true;
        enum terminology_answer answer = coding_in(check, set, coding);
        if (answer != TERMINOLOGY_OUT) {
            best = answer;
        }
    }
    /* Without any code an extension may say why. */
    return !any && node_get(concept, "extension") ? TERMINOLOGY_UNKNOWN : best;
}

static enum terminology_answer code_in(struct check *check, const struct set *set,
                                       const struct item *item)
{
    const struct node *node = item->node;
    if (node->kind == NODE_STRING) {
        return has(check, set, (struct str){ 0 }, node->text);
    }
    uint8_t role = item->type ? validator_type(check->validator, item->type)->role : ROLE_NONE;
    if (role == ROLE_CONCEPT) {
        return concept_in(check, set, node);
    }
    bool coded = role == ROLE_CODING && node_get(node, "code");
    return coded ? coding_in(check, set, node) : TERMINOLOGY_UNKNOWN;
}

enum terminology_answer check_code_in(struct check *check, struct str set,
                                      const struct item *item)
{
    const struct set of = { set, terminology_set(check->validator->terminology, set) };
    return code_in(check, &of, item);
}

void check_binding(struct check *check, const struct item *item,
                   const struct schema_field *field, const struct place *place)
{
    const struct known_element *known = validator_known(check->validator, field->element);
    if (!known->demands.n) {
        return;
    }
    struct set set = { known->demands, known->set };
    if (code_in(check, &set, item) == TERMINOLOGY_OUT) {
        struct str name = str_cut(&set.url, '|');
        check_issue(check, ISSUE_ERROR, "code-invalid", place,
                    "has no code of the value set %.*s, which is required", (int)name.n,
                    name.p);
    }
}
