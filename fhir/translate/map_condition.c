/*
 * Addresses and conditions.
 *
 *     either = all { "or" all }
 *     all    = one { "and" one }
 *     one    = "not" one | "(" either ")" | test
 *
 * A condition becomes a list of tests, each with the place to go on at if it is true or not:
 * "a and (b or not c)" is a, b, c; a goes to b or fails, b holds or goes to c, c fails or
 * holds.
 */
#include "fhir/translate/map_draft.h"

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool map_is_segment(struct str name)
{
    return name.n == 3 && upper(name.p[0]) && (upper(name.p[1]) || digit(name.p[1])) &&
           (upper(name.p[2]) || digit(name.p[2]));
}

bool map_is_resource(struct str name)
{
    if (name.n < 2 || !upper(name.p[0]) || !lower(name.p[1])) {
        return false;
    }
    for (size_t i = 2; i < name.n; i++) {
        if (!upper(name.p[i]) && !lower(name.p[i]) && !digit(name.p[i]) && name.p[i] != '_') {
            return false;
        }
    }
    return true;
}

/* A number at the start of @rest, 1 to @most; 0 if there is none. */
static unsigned take_number(struct str *rest, unsigned most)
{
    size_t n = 0;
    unsigned value = 0;
    while (n < rest->n && digit(rest->p[n]) && value <= most) {
        value = value * 10 + (unsigned)(rest->p[n++] - '0');
    }
    *rest = str_slice(*rest, n, rest->n);
    return value <= most ? value : 0;
}

static bool take_char(struct str *rest, char c)
{
    bool is = rest->n && rest->p[0] == c;
    *rest = str_slice(*rest, is, rest->n);
    return is;
}

/* Component, subcomponent and "+" of an address; what is wrong with them, or NULL. */
static const char *take_parts(struct str *rest, struct rule_address *at)
{
    uint8_t *parts[] = { &at->component, &at->subcomponent };
    for (size_t i = 0; take_char(rest, '.'); i++) {
        unsigned number = take_number(rest, MAP_PART_MAX);
        if (i == ARRAY_LEN(parts)) {
            return "goes too deep";
        }
        if (number == 0) {
            return "is no address";
        }
        *parts[i] = (uint8_t)number;
    }
    at->onwards = take_char(rest, '+');
    return rest->n ? "is no address" : NULL;
}

bool map_address(struct map_compiler *c, struct str text, struct rule_address *out)
{
    struct rule_address at = { .segment = RULE_VALUE };
    struct str rest = text;
    const char *wrong = text.n ? NULL : "is no address";
    if (str_eq(text, STR("@"))) {
        rest = (struct str){ 0 };
    } else if (text.n > 3 && map_is_segment(str_slice(text, 0, 3)) && text.p[3] == '-') {
        rest = str_slice(text, 4, text.n);
        at.field = (uint8_t)take_number(&rest, MAP_FIELD_MAX);
        wrong = at.field ? NULL : "is no address: no such field";
    }
    wrong = wrong ? wrong : take_parts(&rest, &at);
    if (wrong) {
        map_wrong(c, "'%.*s' %s", MAP_SPAN(text), wrong);
        return false;
    }
    if (at.field) {
        const struct draft_segment *segment = map_segment(c, str_slice(text, 0, 3));
        if (!segment) {
            return false;
        }
        at.segment = (int16_t)segment->id;
    }
    *out = at;
    return true;
}

/* --- the tree -------------------------------------------------------------------------- */

static struct draft_test *node(struct map_compiler *c, enum draft_op op,
                               struct draft_test *left, struct draft_test *right)
{
    struct draft_test *tree = map_alloc(c, 1, sizeof(*tree));
    if (tree) {
        *tree = (struct draft_test){ .op = op,
                                     .size = left->size + (right ? right->size : 0),
                                     .left = left,
                                     .right = right };
    }
    return tree;
}

struct draft_test *map_both(struct map_compiler *c, struct draft_test *left,
                            struct draft_test *right)
{
    return left && right ? node(c, DRAFT_AND, left, right) : left ? left : right;
}

static struct draft_test *leaf(struct map_compiler *c, enum rule_op op)
{
    struct draft_test *tree = map_alloc(c, 1, sizeof(*tree));
    if (tree) {
        tree->size = 1;
        tree->test.op = op;
        tree->test.at.segment = RULE_VALUE;
    }
    return tree;
}

static struct draft_test *with_values(struct map_compiler *c, struct draft_test *tree,
                                      struct map_words values)
{
    struct str *list = map_alloc(c, values.n, sizeof(*list));
    if (!tree || !list) {
        return NULL;
    }
    for (size_t i = 0; i < values.n; i++) {
        list[i] = map_intern(c, values.p[i].text);
    }
    tree->test.values = list;
    tree->test.count = (uint16_t)values.n;
    return c->error ? NULL : tree;
}

static struct draft_test *no_condition(struct map_compiler *c, struct map_words words)
{
    map_wrong(c, "'%.*s%s' is no condition", MAP_SPAN(words.p[0].text),
              words.n > 1 ? " …" : "");
    return NULL;
}

/* "A", or a resource. */
static struct draft_test *valued(struct map_compiler *c, struct map_words words)
{
    if (map_is_resource(words.p[0].text)) {
        return with_values(c, leaf(c, OP_RESOURCE), words);
    }
    struct draft_test *tree = leaf(c, OP_VALUED);
    return tree && map_address(c, words.p[0].text, &tree->test.at) ? tree : NULL;
}

static struct draft_test * not(struct map_compiler * c, struct draft_test *tree)
{
    return tree ? node(c, DRAFT_NOT, tree, NULL) : NULL;
}

/* "A longer 8" */
static struct draft_test *longer(struct map_compiler *c, struct map_words words)
{
    struct str rest = words.p[2].text;
    unsigned number = take_number(&rest, UINT16_MAX - 1);
    struct draft_test *tree = leaf(c, OP_LONGER);
    if (!number || rest.n || !tree) {
        return no_condition(c, words);
    }
    tree->test.number = (uint16_t)number;
    return map_address(c, words.p[0].text, &tree->test.at) ? tree : NULL;
}

/* "A = x y", "A != x", "A ~ x" */
static struct draft_test *compared(struct map_compiler *c, struct map_words words)
{
    bool prefix = map_is_word(&words.p[1], "~");
    bool unequal = map_is_word(&words.p[1], "!=");
    if (!prefix && !unequal && !map_is_word(&words.p[1], "=")) {
        return no_condition(c, words);
    }
    struct draft_test *tree =
        with_values(c, leaf(c, prefix ? OP_PREFIX : OP_IN), map_slice(words, 2, words.n));
    if (!tree || !map_address(c, words.p[0].text, &tree->test.at)) {
        return NULL;
    }
    return unequal ? not(c, tree) : tree;
}

/* One test: @words up to "and", "or" or a parenthesis. */
static struct draft_test *test(struct map_compiler *c, struct map_words words)
{
    if (words.n == 2 &&
        (map_is_word(&words.p[0], "set") || map_is_word(&words.p[0], "unset"))) {
        struct draft_test *tree = with_values(c, leaf(c, OP_SET), map_slice(words, 1, 2));
        return words.p[0].text.n == 3 ? tree : not(c, tree);
    }
    if (words.n == 2 && map_is_word(&words.p[0], "no")) {
        return not(c, valued(c, map_slice(words, 1, 2)));
    }
    if (words.n == 1) {
        return valued(c, words);
    }
    if (words.n == 2 && map_is_word(&words.p[1], "number")) {
        struct draft_test *tree = leaf(c, OP_NUMBER);
        return tree && map_address(c, words.p[0].text, &tree->test.at) ? tree : NULL;
    }
    if (words.n == 3 && map_is_word(&words.p[1], "longer")) {
        return longer(c, words);
    }
    return words.n > 2 ? compared(c, words) : no_condition(c, words);
}

/* Where reading a condition stands: @rest, and @depth of parentheses. */
struct reading {
    struct map_words rest;
    size_t depth;
};

static bool take_word(struct reading *r, const char *z)
{
    bool is = r->rest.n && map_is_word(&r->rest.p[0], z);
    r->rest = map_slice(r->rest, is, r->rest.n);
    return is;
}

static struct draft_test *either(struct map_compiler *c, struct reading *r);

static struct draft_test *in_parentheses(struct map_compiler *c, struct reading *r)
{
    if (++r->depth > MAP_DEPTH_MAX) {
        map_wrong(c, "a condition with too many parentheses");
        return NULL;
    }
    struct draft_test *tree = either(c, r);
    r->depth--;
    if (tree && !take_word(r, ")")) {
        map_wrong(c, "a parenthesis isn't closed");
        return NULL;
    }
    return tree;
}

static bool ends_test(const struct map_token *token)
{
    return map_is_word(token, "and") || map_is_word(token, "or") || map_is_word(token, "(") ||
           map_is_word(token, ")");
}

static struct draft_test *one(struct map_compiler *c, struct reading *r)
{
    bool negated = false;
    while (take_word(r, "not")) {
        negated = !negated;
    }
    struct draft_test *tree = NULL;
    if (take_word(r, "(")) {
        tree = in_parentheses(c, r);
    } else {
        size_t n = 0;
        while (n < r->rest.n && !ends_test(&r->rest.p[n])) {
            n++;
        }
        if (n == 0) {
            map_wrong(c, "an empty condition");
            return NULL;
        }
        tree = test(c, map_slice(r->rest, 0, n));
        r->rest = map_slice(r->rest, n, r->rest.n);
    }
    return negated ? not(c, tree) : tree;
}

static struct draft_test *all(struct map_compiler *c, struct reading *r)
{
    struct draft_test *tree = one(c, r);
    while (tree && take_word(r, "and")) {
        struct draft_test *right = one(c, r);
        tree = right ? node(c, DRAFT_AND, tree, right) : NULL;
    }
    return tree;
}

static struct draft_test *either(struct map_compiler *c, struct reading *r)
{
    struct draft_test *tree = all(c, r);
    while (tree && take_word(r, "or")) {
        struct draft_test *right = all(c, r);
        tree = right ? node(c, DRAFT_OR, tree, right) : NULL;
    }
    return tree;
}

/* Append @token to @out, its parentheses as tokens of their own. */
static size_t split(const struct map_token *token, struct map_token *out)
{
    size_t n = 0;
    struct str text = token->text;
    size_t close = 0;
    if (token->kind == MAP_WORD) {
        while (text.n && text.p[0] == '(') {
            out[n++] = (struct map_token){ MAP_WORD, str_slice(text, 0, 1) };
            text = str_slice(text, 1, text.n);
        }
        while (text.n && text.p[text.n - 1] == ')') {
            text.n--;
            close++;
        }
    }
    if (text.n || token->kind == MAP_TEXT) {
        out[n++] = (struct map_token){ token->kind, text };
    }
    for (; close; close--) {
        out[n++] = (struct map_token){ MAP_WORD, STR(")") };
    }
    return n;
}

struct draft_test *map_condition(struct map_compiler *c, struct map_words words)
{
    size_t room = 0;
    for (size_t i = 0; i < words.n; i++) {
        room += words.p[i].text.n + 1;
    }
    struct map_token *tokens = map_alloc(c, room, sizeof(*tokens));
    if (!tokens) {
        return NULL;
    }
    struct reading r = { .rest = { .p = tokens } };
    for (size_t i = 0; i < words.n; i++) {
        r.rest.n += split(&words.p[i], &tokens[r.rest.n]);
    }
    struct draft_test *tree = either(c, &r);
    if (tree && r.rest.n) {
        return no_condition(c, r.rest);
    }
    if (tree && tree->size > RULE_TESTS_MAX) {
        map_wrong(c, "a condition of too many tests");
        return NULL;
    }
    return tree;
}

/* --- the list -------------------------------------------------------------------------- */

/* Write @tree's tests from @at on; its value decides between @yes and @no. */
static void emit(const struct draft_test *tree, struct rule_test *out, size_t at, uint8_t yes,
                 uint8_t no)
{
    if (!tree) {
        return;
    }
    uint8_t middle = (uint8_t)(at + (tree->left ? tree->left->size : 0));
    switch (tree->op) {
    case DRAFT_TEST:
        out[at] = tree->test;
        out[at].yes = yes;
        out[at].no = no;
        return;
    case DRAFT_NOT: emit(tree->left, out, at, no, yes); return;
    case DRAFT_AND:
        emit(tree->left, out, at, middle, no);
        emit(tree->right, out, middle, yes, no);
        return;
    case DRAFT_OR:
        emit(tree->left, out, at, yes, middle);
        emit(tree->right, out, middle, yes, no);
        return;
    }
}

struct rule_test *map_steps(struct map_compiler *c, const struct draft_test *tree)
{
    struct rule_test *steps = map_alloc(c, tree->size, sizeof(*steps));
    if (steps) {
        emit(tree, steps, 0, RULE_HOLDS, RULE_FAILS);
    }
    return steps;
}
