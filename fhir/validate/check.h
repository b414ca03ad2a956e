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
    CHECK_TYPES = 64, /* that are remembered by name */
};

/*
 * @bundle: the outermost Bundle, or NULL
 * @entries: its entries by a hash of their fullUrl, each in the first free one of
 *           @entries_mask + 1 slots; NULL without a Bundle
 * @entry:  the entry that is looked at, or NULL
 * @root:   the resource that is validated
 * @types:  those that names led to lately, by a hash of the name
 * @depth:  of elements, and of profiles within profiles
 * @work:   done so far: what invariants visited, and entries looked through
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
    const struct node **entries;
    size_t entries_mask;
    const struct node *entry;
    const struct node *root;
    const struct schema_type *types[CHECK_TYPES];
    size_t depth;
    size_t work;
    int r;
    struct path_env env;
    struct path_machine *machine;
};

/* As schema_type(), for names that come again and again. */
const struct schema_type *check_type_named(struct check *check, struct str name);

/* Add an issue at @place; @format speaks of rules and names of FHIR's, never of content. */
void check_issue(struct check *check, enum issue_severity severity, const char *code,
                 const struct place *place, const char *format, ...) PRINTF_LIKE(5, 6);

/* The same with a sentence that lives as long as the validator. */
void check_say(struct check *check, enum issue_severity severity, const char *code,
               const struct place *place, struct str text);

/* What may still be done, of options->work. */
size_t check_work_left(const struct check *check);

/*
 * One value of a primitive type: its JSON kind and what its text may be.
 *
 * @form: of the type, from primitive_form()
 *
 * Return: NULL, or what is wrong with it
 */
const char *check_primitive(uint8_t form, const struct node *value);

/* Whether the code or codes of @item are in the value set @set. */
enum terminology_answer check_code_in(struct check *check, struct str set,
                                      const struct item *item);

/* The code of @item against the bindings of @field. */
void check_binding(struct check *check, const struct item *item,
                   const struct schema_field *field, const struct place *place);

/* Make the index of entries: 0 or -ENOMEM. */
MUST_USE int check_entries(struct check *check);

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
