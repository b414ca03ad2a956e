/*
 * A compiled expression: instructions for the machine in run.c, which keeps collections on a
 * stack. Operands come before their operator; the arguments of a function come after its call,
 * each ended by PATH_END, and the function runs them as often as it likes.
 */
#pragma once

#include "fhir/path/path.h"
#include "fhir/path/value.h"

struct path_machine;

enum path_code {
    PATH_END,
    PATH_THIS,     /* $this */
    PATH_INDEX,    /* $index */
    PATH_TOTAL,    /* $total */
    PATH_EMPTY,    /* {} */
    PATH_CONSTANT, /* @a: which */
    PATH_VARIABLE, /* %name; @a: its name */
    PATH_LEAD,     /* a name in front: the input, if that is its type, or a member; @a */
    PATH_MEMBER,   /* @a: its name */
    PATH_ITEM,     /* collection[index] */
    PATH_PLUS,     /* sign */
    PATH_MINUS,
    PATH_IS, /* @a: type */
    PATH_AS,
    PATH_OF_TYPE,
    PATH_CALL,   /* @a: function, @b: first of @c arguments, @next: where to go on */
    PATH_BINARY, /* @a: operator */
    PATH_DECIDE, /* @a: operator; if its left side decides alone, go on at @next */
};

enum path_operator {
    PATH_IMPLIES,
    PATH_OR,
    PATH_XOR,
    PATH_AND,
    PATH_IN,
    PATH_CONTAINS,
    PATH_EQUAL,
    PATH_EQUIVALENT,
    PATH_NOT_EQUAL,
    PATH_NOT_EQUIVALENT,
    PATH_LESS,
    PATH_LESS_EQUAL,
    PATH_GREATER,
    PATH_GREATER_EQUAL,
    PATH_UNION,
    PATH_ADD,
    PATH_SUBTRACT,
    PATH_CONCATENATE,
    PATH_MULTIPLY,
    PATH_DIVIDE,
    PATH_DIV,
    PATH_MOD,
};

/* @at: offset in the expression */
struct path_op {
    uint8_t code;
    uint8_t c;
    uint32_t a;
    uint32_t b;
    uint32_t next;
    uint32_t at;
};

/* @hash: of @text, so that a machine finds its element quickly */
struct path_name {
    struct str text;
    uint32_t hash;
};

/* A type that an expression names: one of FHIRPath's, or one of the schema, or @none. */
struct path_specifier {
    bool system;
    bool none; /* well-formed, but nothing is of it: System.Patient */
    enum path_kind kind;
    const struct schema_type *type;
};

struct regex;

/* @descending: sort(… desc), sort(-…); @regex: a pattern that is constant, compiled, or NULL */
struct path_argument {
    uint32_t begin;
    bool descending;
    const struct regex *regex;
};

struct path {
    struct str text;
    const struct schema *schema;
    unsigned flags;
    const struct path_op *ops;
    size_t ops_n;
    const struct path_value *constants;
    const struct path_name *names;
    const struct path_specifier *types;
    const struct path_argument *arguments;
};

/*
 * A call as its function sees it: the input is what stands on the stack from @base on, and what
 * stands there when the function returns is its result.
 */
struct path_call {
    size_t base;
    size_t n;
    const struct path_argument *arguments;
    size_t arguments_n;
};

typedef int (*path_function_fn)(struct path_machine *m, const struct path_call *call);

enum {
    PATH_ARGUMENTS_MAX = 16,
};

/* What is known of a function before it runs. */
enum {
    PATH_SCOPED = 1,    /* arguments are evaluated for items of its input, as $this */
    PATH_KEEPS = 2,     /* its result are items of its input */
    PATH_MAPS = 4,      /* its result is what its argument gives */
    PATH_DISORDERS = 8, /* its result has no order that may be relied on */
    PATH_ORDERED = 16,  /* it goes by the order of its input */
    PATH_PATTERN = 32,  /* its first argument is a regular expression */
};

/* @least, @most: arguments */
struct path_function {
    const char *name;
    uint8_t least;
    uint8_t most;
    uint8_t traits;
    path_function_fn run;
};

extern const struct path_function path_functions[]; /* by name */
extern const size_t path_functions_n;

static inline uint32_t path_hash(struct str s)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < s.n; i++) {
        hash = (hash ^ (unsigned char)s.p[i]) * 16777619u;
    }
    return hash;
}

/* Tell a person what is wrong at offset @at of the expression. */
void path_issue(struct issues *issues, const char *code, size_t at, const char *text);
