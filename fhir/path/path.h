/*
 * FHIRPath: an expression is compiled once and run over any number of trees.
 *
 * Spec: FHIRPath 2.0 with what the STU sections add, and FHIR R4's section fhirpath
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/model/schema.h"
#include "fhir/path/value.h"

enum {
    PATH_E_SYNTAX = 1, /* not an expression, or in strict mode one that can't be right */
    PATH_E_RUN = 2,    /* an operator or function met what it isn't defined for */
    PATH_E_LIMIT = 3,  /* more work or memory than a run may take */
};

enum {
    PATH_ENV_E_UNKNOWN = 1, /* no such value set or profile is at hand */
};

enum {
    PATH_TEXT_MAX = 32 << 10,  /* bytes of an expression */
    PATH_DEPTH_MAX = 64,       /* parentheses and arguments within each other */
    PATH_ITEMS_MAX = 1 << 20,  /* items held at a time in one run */
    PATH_STEPS_MAX = 20 << 20, /* items visited, compared or made in one run */
    PATH_BYTES_MAX = 64 << 20, /* of text made in one run */
    PATH_VARIABLES_MAX = 32,   /* made by defineVariable() at a time */
};

enum {
    PATH_STRICT = 1, /* refuse paths that the input's type doesn't have */

    /*
     * R4's own definitions use "as" on many items, as if it were ofType(); FHIRPath makes that
     * an error, and so does this without the flag.
     */
    PATH_AS_FILTERS = 2,
};

struct path; /* constant once compiled */

/*
 * What is compiled.
 *
 * @text:   the expression; must live as long as the result
 * @schema: the FHIR version whose types it speaks of
 * @type:   name of the type it is to run on, for PATH_STRICT; else may be empty
 * @flags:  PATH_STRICT, PATH_AS_FILTERS
 */
struct path_source {
    struct str text;
    const struct schema *schema;
    struct str type;
    unsigned flags;
};

/**
 * path_compile() - read an expression
 * @arena:  memory for the result
 * @source: the expression, and what it is about
 * @issues: gets what is wrong, at "character 17"
 * @out:    what path_run() takes
 *
 * Return: 0, PATH_E_SYNTAX or -ENOMEM; @out is set only on 0.
 */
MUST_USE int path_compile(struct arena *arena, const struct path_source *source,
                          struct issues *issues, const struct path **out);

/* A collection. */
struct path_list {
    const struct path_value *items;
    size_t n;
};

/* %@name; @items may be none. */
struct path_variable {
    struct str name;
    struct path_list value;
};

/*
 * What an expression may ask of its surroundings. Each function may be NULL: then resolve()
 * finds what is contained or in the Bundle, and the others are errors.
 *
 * @resource:   %resource; NULL: the resource that the input is in
 * @root:       %rootResource; NULL: the outermost one
 * @now:        milliseconds since 1970 for now() and today(), told @now_offset minutes east
 * @resolve:    the resource a reference leads to, NULL if there is none
 * @member_of:  whether a code, Coding or CodeableConcept is in a value set
 * @conforms:   whether a resource or element conforms to a profile
 * @trace:      told of trace()
 *
 * The two questions return 0 and set @out, PATH_ENV_E_UNKNOWN, or -errno.
 */
struct path_env {
    const struct node *resource;
    const struct node *root;
    const struct path_variable *variables;
    size_t variables_n;
    int64_t now;
    int now_offset;
    const struct node *(*resolve)(void *owner, struct str reference);
    int (*member_of)(void *owner, const struct path_value *code, struct str value_set,
                     bool *out);
    int (*conforms)(void *owner, const struct path_value *element, struct str profile,
                    bool *out);
    void (*trace)(void *owner, struct str name, struct path_list value);
    void *owner;
};

struct path_machine;

/**
 * path_machine_new() - what expressions run in
 * @arena: memory for all runs
 * @env:   borrowed; may change between runs
 *
 * Return: a machine, or NULL if there is no memory
 */
MUST_USE struct path_machine *path_machine_new(struct arena *arena, const struct path_env *env);

/* From now on a run takes at most @steps, or PATH_STEPS_MAX if that is less. */
void path_machine_bound(struct path_machine *m, size_t steps);

/* How many the last run took. */
size_t path_machine_steps(const struct path_machine *m);

/**
 * path_run() - evaluate an expression
 * @m:      the machine
 * @path:   what path_compile() made
 * @input:  $this and %context; NULL: none
 * @issues: gets what is wrong, at "character 17"; no content of the input
 * @out:    the result; its items live until the next run, what they point at as long as the
 *          arena
 *
 * Return: 0, PATH_E_RUN, PATH_E_LIMIT or -ENOMEM; @out is set only on 0.
 */
MUST_USE int path_run(struct path_machine *m, const struct path *path,
                      const struct path_value *input, struct issues *issues,
                      struct path_list *out);

/* Whether a result is true as an invariant wants it: one item, and not false. */
bool path_holds(const struct path_list *result);
