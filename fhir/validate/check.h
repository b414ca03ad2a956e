/* What the files of the validator share. */
#pragma once

#include "fhir/validate/items.h"
#include "fhir/validate/validator.h"

/*
 * Where in the resource the validator is: a chain up to the root, written out only for an
 * issue.
 *
 * @name:  of the element, or the resource's type at the root
 * @index: in an array; NO_INDEX elsewhere
 */
struct place {
    const struct place *up;
    struct str name;
    size_t index;
};

#define NO_INDEX SIZE_MAX

enum {
    PLACE_TEXT_MAX = 1024,
};

/*
 * @bundle: the outermost Bundle, or NULL
 * @entry:  the entry that is looked at, or NULL
 * @root:   the resource that is validated
 * @depth:  of elements, and of profiles within profiles
 * @r:      -ENOMEM once memory ran out
 * @machine: what FHIRPath runs in, with @env
 */
struct check {
    const struct validator *validator;
    const struct validate_options *options;
    const struct schema *schema;
    struct arena *arena;
    struct issues *issues;
    const struct node *bundle;
    const struct node *entry;
    const struct node *root;
    size_t depth;
    int r;
    struct path_env env;
    struct path_machine *machine;
};

/* Add an issue at @place; @format speaks of rules and names of FHIR's, never of content. */
void check_issue(struct check *check, enum issue_severity severity, const char *code,
                 const struct place *place, const char *format, ...) PRINTF_LIKE(5, 6);

/*
 * One value of a primitive type: its JSON kind and what its text may be.
 *
 * Return: NULL, or what is wrong with it
 */
const char *check_primitive(struct str type, const struct node *value);

/* Whether the code or codes of @item are in the value set @set. */
enum terminology_answer check_code_in(struct check *check, struct str set,
                                      const struct item *item);

/* The code of @item against the bindings of @field. */
void check_binding(struct check *check, const struct item *item,
                   const struct schema_field *field, const struct place *place);

/* What a Reference points at, against the targets of @field. */
void check_reference(struct check *check, const struct node *node,
                     const struct schema_field *field, const struct place *place);

/* The paths of a StructureDefinition, by the type it constrains. */
void check_definition(struct check *check, const struct node *definition,
                      const struct place *place);

/* Make what invariants run in: 0 or -ENOMEM. */
MUST_USE int check_begin(struct check *check);

/* The invariants of R4 for @item, of its type and, unless NULL, of the element it stands in. */
void check_invariants(struct check *check, const struct schema_field *field,
                      const struct item *item, const struct place *place);

/* A list of invariants. */
void check_rules(struct check *check, const struct constraint *rules, const struct item *item,
                 const struct place *place);
