/*
 * Terms of an expression: literals, names, variables, parentheses, functions, types.
 *
 * Instructions are written as they are read. A function's arguments come after its call.
 */
#include "fhir/base/regex.h"
#include "fhir/path/parse_impl.h"
#include "fhir/path/quantity.h"

#include <errno.h>
#include <stdlib.h>

enum {
    INTEGER_MAX = INT32_MAX,
};

static void emit_constant(struct path_parser *p, struct path_value value, size_t at)
{
    p->constants[p->constants_n] = value;
    (void)path_emit(p, PATH_CONSTANT, p->constants_n++, at);
}

/* --- types -------------------------------------------------------------------------------- */

static bool find_system(struct str name, struct path_specifier *out)
{
    for (int kind = PATH_BOOLEAN; kind < PATH_ELEMENT; kind++) {
        if (str_eq(name, path_kind_name((enum path_kind)kind))) {
            *out = (struct path_specifier){ .system = true, .kind = (enum path_kind)kind };
            return true;
        }
    }
    return false;
}

/* The model comes first, then what FHIRPath brings. */
static bool find_type(const struct path_parser *p, struct str space, struct str name,
                      struct path_specifier *out)
{
    if (str_eq(space, STR("System"))) {
        if (!find_system(name, out)) {
            *out = (struct path_specifier){ .none = true };
        }
        return true;
    }
    const struct schema_type *type = schema_type(p->path->schema, name);
    if (type) {
        *out = (struct path_specifier){ .type = type };
        return true;
    }
    return !space.n && find_system(name, out);
}

/*
 * A type, with or without its model in front. One that this version of FHIR doesn't have may be
 * asked for with "is": R4's own invariants do so. Strictly, it is a mistake.
 */
static int parse_type(struct path_parser *p, enum path_code code, size_t *out)
{
    struct str space = { 0 };
    struct str name = p->now.text;
    if (!path_is_name(p)) {
        return path_wrong(p, "here must stand a type");
    }
    int r = path_advance(p);
    bool qualified = str_eq(name, STR("FHIR")) || str_eq(name, STR("System"));
    if (!r && qualified && path_is_word(p, ".")) {
        space = name;
        r = path_advance(p);
        name = p->now.text;
        if (!r && !path_is_name(p)) {
            return path_wrong(p, "here must stand a type");
        }
        r = r ? r : path_advance(p);
    }
    if (r) {
        return r;
    }
    *out = p->types_n++;
    if (find_type(p, space, name, &p->types[*out])) {
        return 0;
    }
    p->types[*out] = (struct path_specifier){ .none = true };
    bool allowed = code == PATH_IS && !(p->path->flags & PATH_STRICT);
    return allowed ? 0 : path_wrong(p, "an unknown type");
}

int path_parse_type_operator(struct path_parser *p, enum path_code code)
{
    size_t at = p->now.at;
    size_t type = 0;
    int r = path_advance(p);
    r = r ? r : parse_type(p, code, &type);
    if (!r) {
        (void)path_emit(p, code, type, at);
    }
    return r;
}

/* --- functions ---------------------------------------------------------------------------- */

static int compare_function(const void *key, const void *row)
{
    const struct str *name = key;
    return str_cmp(*name, str_z(((const struct path_function *)row)->name));
}

static const struct path_function *find_function(struct str name)
{
    return bsearch(&name, path_functions, path_functions_n, sizeof(path_functions[0]),
                   compare_function);
}

/* An argument; sort() may say in which direction, as "desc" or as a sign in front. */
static int parse_argument(struct path_parser *p, bool sorts, struct path_argument *out)
{
    bool minus = sorts && path_is_word(p, "-");
    int r = minus ? path_advance(p) : 0;
    out->begin = (uint32_t)p->path->ops_n;
    r = r ? r : path_parse_expression(p, PATH_LOWEST);
    bool desc = !r && sorts && path_is_word(p, "desc");
    if (!r && sorts && (desc || path_is_word(p, "asc"))) {
        r = path_advance(p);
    }
    out->descending = minus != desc;
    out->regex = NULL;
    (void)path_emit(p, PATH_END, 0, p->now.at);
    return r;
}

static int parse_arguments(struct path_parser *p, bool sorts, struct path_argument *out,
                           size_t *n)
{
    int r = 0;
    *n = 0;
    while (!r && !path_is_word(p, ")")) {
        if (*n == PATH_ARGUMENTS_MAX) {
            return path_wrong(p, "too many arguments");
        }
        r = parse_argument(p, sorts, &out[(*n)++]);
        if (!r && !path_is_word(p, ")")) {
            r = path_expect(p, ",", "after an argument comes \",\" or \")\"");
            if (!r && path_is_word(p, ")")) {
                return path_wrong(p, "an argument is missing");
            }
        }
    }
    return r ? r : path_advance(p);
}

/* A constant pattern is compiled with the expression, unless flags are given at run time. */
static int compile_pattern(struct path_parser *p, const struct path_function *function,
                           struct path_argument *arguments, size_t n, size_t at)
{
    const struct path_op *op = &p->ops[arguments[0].begin];
    bool constant = n && op[0].code == PATH_CONSTANT && op[1].code == PATH_END &&
                    p->constants[op[0].a].kind == PATH_STRING;
    if (!(function->traits & PATH_PATTERN) || !constant || n != function->least) {
        return 0;
    }
    int r =
        regex_compile(p->tokens.arena, p->constants[op[0].a].string, 0, &arguments[0].regex);
    if (r <= 0) {
        return r;
    }
    p->now.at = at;
    return path_wrong(p, r == REGEX_E_LIMIT ? "a regular expression too large"
                                            : "not a regular expression that is understood");
}

static int parse_call(struct path_parser *p, struct str name, size_t at)
{
    struct path_argument arguments[PATH_ARGUMENTS_MAX];
    size_t n;
    const struct path_function *function = find_function(name);
    if (!function) {
        p->now.at = at;
        return path_wrong(p, "an unknown function");
    }
    size_t call = path_emit(p, PATH_CALL, (size_t)(function - path_functions), at);
    int r = path_advance(p);
    r = r ? r : parse_arguments(p, str_eq(name, STR("sort")), arguments, &n);
    if (r) {
        return r;
    }
    if (n < function->least || n > function->most) {
        p->now.at = at;
        return path_wrong(p, "not as many arguments as the function takes");
    }
    r = n ? compile_pattern(p, function, arguments, n, at) : 0;
    if (r) {
        return r;
    }
    p->ops[call].b = (uint32_t)p->arguments_n;
    p->ops[call].c = (uint8_t)n;
    p->ops[call].next = (uint32_t)p->path->ops_n;
    memcpy(p->arguments + p->arguments_n, arguments, n * sizeof(arguments[0]));
    p->arguments_n += n;
    return 0;
}

/* is(), as() and ofType() take a type, not an expression. False: @name is none of them. */
static bool type_function(struct str name, enum path_code *code)
{
    static const struct {
        const char *name;
        enum path_code code;
    } rows[] = { { "is", PATH_IS }, { "as", PATH_AS }, { "ofType", PATH_OF_TYPE } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_eq(name, str_z(rows[i].name))) {
            *code = rows[i].code;
            return true;
        }
    }
    return false;
}

int path_parse_function(struct path_parser *p, struct str name, size_t at)
{
    enum path_code code;
    size_t type = 0;
    if (!type_function(name, &code)) {
        return parse_call(p, name, at);
    }
    int r = path_advance(p);
    r = r ? r : parse_type(p, code, &type);
    r = r ? r : path_expect(p, ")", "after a type comes \")\"");
    if (!r) {
        (void)path_emit(p, code, type, at);
    }
    return r;
}

/* --- terms -------------------------------------------------------------------------------- */

/* A number has been read: with a unit behind it, it is a Quantity. */
static int parse_unit(struct path_parser *p, struct path_value *value)
{
    bool quoted = p->now.kind == PATH_TOKEN_STRING;
    if (!quoted && !(p->now.kind == PATH_TOKEN_NAME && path_is_calendar_unit(p->now.text))) {
        return 0;
    }
    struct path_quantity *quantity = arena_calloc(p->tokens.arena, 1, sizeof(*quantity));
    if (!quantity) {
        return -ENOMEM;
    }
    quantity->value = value->kind == PATH_INTEGER ? decimal_of(value->integer) : value->decimal;
    path_set_unit(quantity, p->now.text);
    *value = (struct path_value){ .kind = PATH_QUANTITY, .quantity = quantity };
    return path_advance(p);
}

static int parse_number(struct path_parser *p)
{
    struct path_value value = { .kind = PATH_DECIMAL };
    struct path_token token = p->now;
    int64_t integer;
    if (!decimal_read(token.text, &value.decimal)) {
        return path_wrong(p, "a number with too many digits");
    }
    if (token.kind == PATH_TOKEN_INTEGER) {
        if (!decimal_integer(&value.decimal, &integer) || integer > INTEGER_MAX) {
            return path_wrong(p, "an Integer beyond 2147483647");
        }
        value = path_integer(integer);
    }
    int r = path_advance(p);
    r = r ? r : parse_unit(p, &value);
    if (!r) {
        emit_constant(p, value, token.at);
    }
    return r;
}

static int parse_moment(struct path_parser *p)
{
    static const enum path_kind kinds[] = {
        [PATH_TOKEN_DATE] = PATH_DATE,
        [PATH_TOKEN_DATETIME] = PATH_DATETIME,
        [PATH_TOKEN_TIME] = PATH_TIME,
    };
    emit_constant(p, (struct path_value){ .kind = kinds[p->now.kind], .time = p->now.time },
                  p->now.at);
    return path_advance(p);
}

static int parse_variable(struct path_parser *p)
{
    size_t at = p->now.at;
    int r = path_advance(p);
    if (r) {
        return r;
    }
    if (!path_is_name(p) && p->now.kind != PATH_TOKEN_STRING) {
        return path_wrong(p, "after % comes a name");
    }
    (void)path_emit(p, PATH_VARIABLE, path_add_name(p, p->now.text), at);
    return path_advance(p);
}

static int parse_parenthesis(struct path_parser *p)
{
    int r = path_advance(p);
    r = r ? r : path_parse_expression(p, PATH_LOWEST);
    return r ? r : path_expect(p, ")", "a parenthesis isn't closed");
}

/* $this, $index or $total: which, or PATH_END. */
static enum path_code special(const struct path_parser *p)
{
    return path_is_word(p, "$this")    ? PATH_THIS
           : path_is_word(p, "$index") ? PATH_INDEX
           : path_is_word(p, "$total") ? PATH_TOTAL
                                       : PATH_END;
}

static int parse_symbol(struct path_parser *p)
{
    size_t at = p->now.at;
    if (path_is_word(p, "(")) {
        return parse_parenthesis(p);
    }
    if (path_is_word(p, "%")) {
        return parse_variable(p);
    }
    if (path_is_word(p, "{")) {
        (void)path_emit(p, PATH_EMPTY, 0, at);
        int r = path_advance(p);
        return r ? r : path_expect(p, "}", "\"{\" is followed by \"}\"");
    }
    if (special(p) != PATH_END) {
        (void)path_emit(p, special(p), 0, at);
        return path_advance(p);
    }
    return path_wrong(p, "here must stand a value");
}

/* Words that can't begin a term, unless in backticks. */
static bool is_reserved(const struct path_parser *p)
{
    static const char *const words[] = { "and", "or", "xor", "implies", "div", "mod" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (p->now.kind == PATH_TOKEN_NAME && path_is_word(p, words[i])) {
            return true;
        }
    }
    return false;
}

static int parse_word(struct path_parser *p)
{
    struct path_token token = p->now;
    bool plain = token.kind == PATH_TOKEN_NAME;
    if (plain && (path_is_word(p, "true") || path_is_word(p, "false"))) {
        emit_constant(p, path_boolean(path_is_word(p, "true")), token.at);
        return path_advance(p);
    }
    if (is_reserved(p)) {
        return path_wrong(p, "here must stand a value");
    }
    int r = path_advance(p);
    if (r) {
        return r;
    }
    if (path_is_word(p, "(")) {
        (void)path_emit(p, PATH_THIS, 0, token.at);
        return path_parse_function(p, token.text, token.at);
    }
    (void)path_emit(p, PATH_LEAD, path_add_name(p, token.text), token.at);
    return 0;
}

int path_parse_term(struct path_parser *p)
{
    switch (p->now.kind) {
    case PATH_TOKEN_NAME:
    case PATH_TOKEN_DELIMITED: return parse_word(p);
    case PATH_TOKEN_INTEGER:
    case PATH_TOKEN_DECIMAL: return parse_number(p);
    case PATH_TOKEN_DATE:
    case PATH_TOKEN_DATETIME:
    case PATH_TOKEN_TIME: return parse_moment(p);
    case PATH_TOKEN_STRING:
        emit_constant(p, path_string(p->now.text), p->now.at);
        return path_advance(p);
    case PATH_TOKEN_SYMBOL: return parse_symbol(p);
    case PATH_TOKEN_END: break;
    }
    return path_wrong(p, "the expression ends where a value must stand");
}
