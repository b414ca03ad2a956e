/*
 * One run of an expression: the stack of collections, what $this and $total are, and how much
 * has been done. What functions and operators are written with.
 */
#pragma once

#include "fhir/base/regex.h"
#include "fhir/path/program.h"
#include "fhir/path/quantity.h"

enum {
    PATH_CACHE = 64,   /* entries; a power of two */
    PATH_PATTERNS = 8, /* regular expressions remembered */
};

/* Where a name was found last in a type. */
struct path_cached {
    const struct schema_type *type;
    const struct schema_element *element;
};

struct path_pattern {
    struct str text;
    unsigned flags;
    const struct regex *regex;
};

/* What defineVariable() made. */
struct path_defined {
    struct str name;
    const struct path_value *items;
    size_t n;
};

struct path_machine {
    struct arena *arena; /* borrowed */
    const struct path_env *env;
    const struct path *path;
    const struct schema *schema;
    struct issues *issues;

    struct path_value *items; /* collections one after the other, the newest last */
    size_t n;
    size_t room;
    size_t *bases; /* where each of them begins */
    size_t bases_n;
    size_t bases_room;

    struct path_value input; /* %context */
    struct path_value this;
    bool has_input;
    bool has_this;
    int64_t index;
    const struct path_value *total;
    size_t total_n;
    bool has_total;
    struct path_defined defined[PATH_VARIABLES_MAX];
    size_t defined_n;

    size_t at; /* offset of the instruction being run */
    size_t steps;
    size_t steps_most;
    size_t bytes;
    struct regex_work regex;
    struct path_pattern patterns[PATH_PATTERNS];
    size_t patterns_next;
    struct path_units *units; /* NULL: none were compared yet */
    struct path_cached cache[PATH_CACHE];
    struct path_cached last; /* for @last_name, a name of this run's program */
    const struct path_name *last_name;
    const struct schema_type *resource_type; /* of the last resource */
};

/* Run the instructions from @begin to their end; their collection comes to stand on top. */
MUST_USE int path_eval(struct path_machine *m, size_t begin);

/* The same with $this and $index set; @this may be NULL: no item. */
MUST_USE int path_eval_with(struct path_machine *m, size_t begin, const struct path_value *this,
                            int64_t index);

/* Say why a run ends here, in static text, and return PATH_E_RUN or PATH_E_LIMIT. */
int path_fail(struct path_machine *m, const char *text);
int path_exceeds(struct path_machine *m, const char *text);

/* Count @n items visited or compared; 0 or PATH_E_LIMIT. */
MUST_USE int path_step(struct path_machine *m, size_t n);

/* Where units are remembered; NULL if there is no memory. */
MUST_USE struct path_units *path_units_of(struct path_machine *m);

/* Count @n bytes of text about to be made; 0 or PATH_E_LIMIT. */
MUST_USE int path_make_bytes(struct path_machine *m, size_t n);

/* Room for one item more, and its step counted; 0, PATH_E_LIMIT or -ENOMEM. */
MUST_USE int path_grow(struct path_machine *m);

/* The same, mostly without a call. */
MUST_USE static inline int path_reserve(struct path_machine *m)
{
    m->steps++;
    return m->n == m->room || m->steps > m->steps_most ? path_grow(m) : 0;
}

/* Put an item onto the collection on top. */
MUST_USE static inline int path_push(struct path_machine *m, struct path_value value)
{
    int r = path_reserve(m);
    if (!r) {
        m->items[m->n++] = value;
    }
    return r;
}

/* Move the items from @from on down to @base: they take the place of what stands there. */
void path_drop_below(struct path_machine *m, size_t base, size_t from);

/* --- for functions: their result replaces their input ------------------------------------- */

MUST_USE int path_give(struct path_machine *m, const struct path_call *call,
                       struct path_value value);
MUST_USE int path_give_nothing(struct path_machine *m, const struct path_call *call);
MUST_USE int path_give_boolean(struct path_machine *m, const struct path_call *call,
                               bool value);
MUST_USE int path_give_integer(struct path_machine *m, const struct path_call *call,
                               int64_t value);
MUST_USE int path_give_string(struct path_machine *m, const struct path_call *call,
                              struct str value);

/* Truth with a third value. */
enum path_truth {
    PATH_FALSE,
    PATH_TRUE,
    PATH_UNKNOWN, /* the empty collection */
};

MUST_USE int path_give_truth(struct path_machine *m, const struct path_call *call,
                             enum path_truth value);

/*
 * One item out of the collection that begins at @base and ends on top, simple if it can be;
 * more than one is an error. @there: whether there is one.
 */
MUST_USE int path_single(struct path_machine *m, size_t base, struct path_value *out,
                         bool *there);

/* The same as truth: what isn't a Boolean is true. */
MUST_USE int path_single_truth(struct path_machine *m, size_t base, enum path_truth *out);

/*
 * Argument @i, evaluated once with the $this of where the call stands, and taken off the stack.
 * An argument that wasn't given isn't there; one of another type is an error.
 */
MUST_USE int path_argument(struct path_machine *m, const struct path_call *call, size_t i,
                           struct path_value *out, bool *there);
MUST_USE int path_argument_string(struct path_machine *m, const struct path_call *call,
                                  size_t i, struct str *out, bool *there);
MUST_USE int path_argument_integer(struct path_machine *m, const struct path_call *call,
                                   size_t i, int64_t *out, bool *there);

/* Argument @i as a collection: it stays on the stack, from what was m->n on. */
MUST_USE int path_argument_items(struct path_machine *m, const struct path_call *call,
                                 size_t i);

/* The input as one String; @there: false if it is empty. Another type is an error. */
MUST_USE int path_input_string(struct path_machine *m, const struct path_call *call,
                               struct str *out, bool *there);
