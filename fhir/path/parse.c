/*
 * From text to program, in one pass by descent with precedences.
 *
 * Words are counted first, so that all tables are allocated once. Instructions are written as
 * they are read, operands first. Depth is bounded; the first failure ends everything.
 */
#include "fhir/path/check.h"
#include "fhir/path/parse_impl.h"

#include <errno.h>

static const struct {
    const char *text;
    enum path_operator op;
    int precedence;
} operators[] = {
    { "implies", PATH_IMPLIES, 1 }, { "or", PATH_OR, 2 },
    { "xor", PATH_XOR, 2 },         { "and", PATH_AND, 3 },
    { "in", PATH_IN, 4 },           { "contains", PATH_CONTAINS, 4 },
    { "=", PATH_EQUAL, 5 },         { "~", PATH_EQUIVALENT, 5 },
    { "!=", PATH_NOT_EQUAL, 5 },    { "!~", PATH_NOT_EQUIVALENT, 5 },
    { "<", PATH_LESS, 6 },          { "<=", PATH_LESS_EQUAL, 6 },
    { ">", PATH_GREATER, 6 },       { ">=", PATH_GREATER_EQUAL, 6 },
    { "|", PATH_UNION, 7 },         { "+", PATH_ADD, 9 },
    { "-", PATH_SUBTRACT, 9 },      { "&", PATH_CONCATENATE, 9 },
    { "*", PATH_MULTIPLY, 10 },     { "/", PATH_DIVIDE, 10 },
    { "div", PATH_DIV, 10 },        { "mod", PATH_MOD, 10 },
};

enum {
    TYPE_PRECEDENCE = 8, /* of is and as */
};

int path_wrong(struct path_parser *p, const char *text)
{
    p->tokens.wrong = text;
    p->wrong_at = p->now.at;
    return PATH_E_SYNTAX;
}

/* --- words -------------------------------------------------------------------------------- */

int path_advance(struct path_parser *p)
{
    int r = path_token_next(&p->tokens, &p->now);
    if (r == PATH_E_SYNTAX) {
        p->wrong_at = p->tokens.at;
    }
    return r;
}

bool path_is_name(const struct path_parser *p)
{
    return p->now.kind == PATH_TOKEN_NAME || p->now.kind == PATH_TOKEN_DELIMITED;
}

bool path_is_word(const struct path_parser *p, const char *text)
{
    return (p->now.kind == PATH_TOKEN_NAME || p->now.kind == PATH_TOKEN_SYMBOL) &&
           str_eq(p->now.text, str_z(text));
}

int path_expect(struct path_parser *p, const char *symbol, const char *otherwise)
{
    return path_is_word(p, symbol) ? path_advance(p) : path_wrong(p, otherwise);
}

/* --- tables ------------------------------------------------------------------------------- */

size_t path_emit(struct path_parser *p, enum path_code code, size_t a, size_t at)
{
    p->ops[p->path->ops_n] =
        (struct path_op){ .code = (uint8_t)code, .a = (uint32_t)a, .at = (uint32_t)at };
    return p->path->ops_n++;
}

size_t path_add_name(struct path_parser *p, struct str text)
{
    p->names[p->names_n] = (struct path_name){ .text = text, .hash = path_hash(text) };
    return p->names_n++;
}

/* --- expressions -------------------------------------------------------------------------- */

/* What follows a dot. */
static int parse_invocation(struct path_parser *p)
{
    struct path_token token = p->now;
    if (!path_is_name(p)) {
        return path_wrong(p, "after \".\" comes a name");
    }
    int r = path_advance(p);
    if (r) {
        return r;
    }
    if (path_is_word(p, "(")) {
        return path_parse_function(p, token.text, token.at);
    }
    (void)path_emit(p, PATH_MEMBER, path_add_name(p, token.text), token.at);
    return 0;
}

static int parse_index(struct path_parser *p)
{
    size_t at = p->now.at;
    int r = path_advance(p);
    r = r ? r : path_parse_expression(p, PATH_LOWEST);
    r = r ? r : path_expect(p, "]", "\"[\" isn't closed");
    if (!r) {
        (void)path_emit(p, PATH_ITEM, 0, at);
    }
    return r;
}

static int parse_path(struct path_parser *p)
{
    int r = path_parse_term(p);
    while (!r) {
        if (path_is_word(p, ".")) {
            r = path_advance(p);
            r = r ? r : parse_invocation(p);
        } else if (path_is_word(p, "[")) {
            r = parse_index(p);
        } else {
            break;
        }
    }
    return r;
}

static int parse_signed(struct path_parser *p)
{
    size_t at = p->now.at;
    bool minus = path_is_word(p, "-");
    if (!minus && !path_is_word(p, "+")) {
        return parse_path(p);
    }
    if (p->depth++ == PATH_DEPTH_MAX) {
        return path_wrong(p, "nested too deeply");
    }
    int r = path_advance(p);
    r = r ? r : parse_signed(p);
    p->depth--;
    if (!r) {
        (void)path_emit(p, minus ? PATH_MINUS : PATH_PLUS, 0, at);
    }
    return r;
}

/* The operator that the word is: its row, or -1. */
static int find_operator(const struct path_parser *p)
{
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (path_is_word(p, operators[i].text)) {
            return (int)i;
        }
    }
    return -1;
}

static bool decides_early(enum path_operator op)
{
    return op == PATH_AND || op == PATH_OR || op == PATH_IMPLIES;
}

static int parse_binary(struct path_parser *p, int row)
{
    size_t at = p->now.at;
    enum path_operator op = operators[row].op;
    size_t decide = 0;
    if (decides_early(op)) {
        decide = path_emit(p, PATH_DECIDE, (size_t)op, at);
    }
    int r = path_advance(p);
    r = r ? r : path_parse_expression(p, operators[row].precedence + 1);
    if (r) {
        return r;
    }
    (void)path_emit(p, PATH_BINARY, (size_t)op, at);
    if (decides_early(op)) {
        p->ops[decide].next = (uint32_t)p->path->ops_n;
    }
    return 0;
}

static int parse_operators(struct path_parser *p, int precedence)
{
    int r = 0;
    while (!r) {
        bool is = path_is_word(p, "is");
        if ((is || path_is_word(p, "as")) && precedence <= TYPE_PRECEDENCE) {
            r = path_parse_type_operator(p, is ? PATH_IS : PATH_AS);
            continue;
        }
        int row = find_operator(p);
        if (row < 0 || operators[row].precedence < precedence) {
            break;
        }
        r = parse_binary(p, row);
    }
    return r;
}

int path_parse_expression(struct path_parser *p, int precedence)
{
    if (p->depth++ == PATH_DEPTH_MAX) {
        return path_wrong(p, "nested too deeply");
    }
    int r = parse_signed(p);
    r = r ? r : parse_operators(p, precedence);
    p->depth--;
    return r;
}

/* --- the whole ---------------------------------------------------------------------------- */

/* How many of what an expression holds at the most. */
struct counts {
    size_t ops;
    size_t constants;
    size_t names;
    size_t types;
    size_t arguments;
};

/* Whether a type may come after this word. */
static bool precedes_type(struct str word)
{
    return str_eq(word, STR("is")) || str_eq(word, STR("as")) || str_eq(word, STR("ofType"));
}

/*
 * Each word makes one instruction or none; "and", "or" and "implies" make two. An argument ends
 * with one more, and has a comma or a parenthesis for it.
 */
static void count_word(const struct path_parser *p, struct counts *n)
{
    bool decides =
        path_is_word(p, "and") || path_is_word(p, "or") || path_is_word(p, "implies");
    bool truth = path_is_word(p, "true") || path_is_word(p, "false");
    bool text = p->now.kind == PATH_TOKEN_STRING;
    n->ops += decides ? 2 : 1;
    n->names += path_is_name(p) || text;
    n->constants +=
        truth || text || (p->now.kind >= PATH_TOKEN_INTEGER && p->now.kind <= PATH_TOKEN_TIME);
    n->types += path_is_name(p) && precedes_type(p->now.text);
    n->arguments += path_is_word(p, ",") || path_is_word(p, "(");
}

static int count_words(struct path_parser *p, struct counts *out)
{
    struct path_tokens tokens = p->tokens;
    struct counts n = { 0 };
    int r = 0;
    do {
        r = path_advance(p);
        if (!r) {
            count_word(p, &n);
        }
    } while (!r && p->now.kind != PATH_TOKEN_END);
    p->tokens.at = r ? p->tokens.at : tokens.at;
    *out = n;
    return r;
}

static int allocate(struct path_parser *p, const struct counts *n)
{
    struct arena *arena = p->tokens.arena;
    p->ops = arena_calloc(arena, n->ops + 1, sizeof(*p->ops));
    p->constants = arena_calloc(arena, n->constants, sizeof(*p->constants));
    p->names = arena_calloc(arena, n->names, sizeof(*p->names));
    p->types = arena_calloc(arena, n->types, sizeof(*p->types));
    p->arguments = arena_calloc(arena, n->arguments, sizeof(*p->arguments));
    return p->ops && p->constants && p->names && p->types && p->arguments ? 0 : -ENOMEM;
}

static int parse(struct path_parser *p)
{
    struct counts n;
    int r = count_words(p, &n);
    r = r ? r : allocate(p, &n);
    r = r ? r : path_advance(p);
    r = r ? r : path_parse_expression(p, PATH_LOWEST);
    if (!r && p->now.kind != PATH_TOKEN_END) {
        r = path_wrong(p, "the expression should have ended before this");
    }
    if (r) {
        return r;
    }
    (void)path_emit(p, PATH_END, 0, p->now.at);
    p->path->ops = p->ops;
    p->path->constants = p->constants;
    p->path->names = p->names;
    p->path->types = p->types;
    p->path->arguments = p->arguments;
    return 0;
}

void path_issue(struct issues *issues, const char *code, size_t at, const char *text)
{
    char place[32];
    struct buf b = buf_fixed(place, sizeof(place));
    buf_fmt(&b, "character %zu", at + 1);
    issues_add(issues, ISSUE_ERROR, code, buf_str(&b), "%s", text);
}

int path_compile(struct arena *arena, const struct path_source *source, struct issues *issues,
                 const struct path **out)
{
    struct path *path = arena_calloc(arena, 1, sizeof(*path));
    if (!path) {
        return -ENOMEM;
    }
    *path =
        (struct path){ .text = source->text, .schema = source->schema, .flags = source->flags };
    struct path_parser p = { .tokens = { .arena = arena, .text = source->text }, .path = path };
    int r =
        source->text.n > PATH_TEXT_MAX ? path_wrong(&p, "an expression too long") : parse(&p);
    if (r == PATH_E_SYNTAX) {
        path_issue(issues, "invalid", p.wrong_at, p.tokens.wrong);
    }
    if (!r && source->flags & PATH_STRICT) {
        r = path_check(arena, path, source->type, issues);
    }
    if (!r) {
        *out = path;
    }
    return r;
}
