/*
 * Invariants: FHIRPath expressions that must hold, of R4's types and of profiles.
 */
#pragma once

#include "fhir/base/issue.h"
#include "fhir/model/schema.h"
#include "fhir/path/path.h"
#include "fhir/validate/quick.h"

#include <stddef.h>

/*
 * As the definitions have it.
 *
 * @path: a type, "Patient.contact", or an element that is none, "ElementDefinition.max"
 * @key:  "pat-1"
 */
struct invariant {
    const char *path;
    const char *key;
    const char *expression;
    enum issue_severity severity;
};

/* @count rows by path. */
struct invariants {
    const struct invariant *rows;
    size_t count;
};

extern const struct invariants invariants_r4;

/*
 * One that can be run.
 *
 * @broken: what is said if it doesn't hold
 * @quick:  may know it without running; NULL: there is none
 */
struct constraint {
    struct str key;
    struct str broken;
    quick_fn quick;
    enum issue_severity severity;
    const struct path *path;
    bool contained; /* speaks of contained resources only */
    const struct constraint *next;
};

/*
 * Those of R4 by what they are about.
 *
 * @types:    a list for each type of the schema, by its index
 * @ruled:    for each type itself or its nearest base that has one; or NULL
 * @elements: those of elements that are no types; @elements_n of them
 */
struct constraints {
    const struct constraint **types;
    const struct schema_type **ruled;
    struct constraints_of_element *elements;
    size_t elements_n;
};

struct constraints_of_element {
    const struct schema_element *element;
    const struct constraint *rules;
};

/* Compile R4's. What the walk itself sees to is left out: ele-1, txt-1, txt-2. 0 or -ENOMEM */
MUST_USE int constraints_of_r4(struct arena *arena, const struct schema *schema,
                               struct constraints *out);

/* Whether an element narrows one of its types to a profile, SimpleQuantity. */
bool constraint_narrows(const struct schema *schema, const struct schema_element *element);

/* Whether R4 itself has an invariant of that key. */
bool constraints_have(struct str key);

/**
 * constraint_compile() - one invariant
 * @arena: memory for it
 * @what:  schema and text; must live as long
 * @list:  where it is put in front
 *
 * Return: 0, PATH_E_SYNTAX or -ENOMEM
 */
MUST_USE int constraint_compile(struct arena *arena, const struct path_source *what,
                                const struct invariant *about, const struct constraint **list);
