/*
 * Conditions.
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
#include "fhir/v2/dictionary.h"

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
    }
    if (tree && !c->back) {
        tree->test.at.segment = RULE_VALUE;
        tree->test.other.segment = RULE_VALUE;
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

/* "A", a segment or a resource. */
static struct draft_test *valued(struct map_compiler *c, struct map_words words)
{
    struct str word = words.p[0].text;
    if (map_is_resource(word)) {
        return with_values(c, leaf(c, c->back ? OP_TYPE : OP_RESOURCE), words);
    }
    bool segment_word = !c->back && map_is_segment(word);
    struct draft_test *tree = leaf(c, segment_word ? OP_SEGMENT : OP_VALUED);
    if (tree && tree->test.op == OP_SEGMENT) {
        const struct draft_segment *segment = map_segment(c, word);
        tree->test.at.segment = segment ? (int16_t)segment->id : RULE_VALUE;
        return segment ? tree : NULL;
    }
    return tree && map_operand(c, word, &tree->test, false) ? tree : NULL;
}

static struct draft_test *negate(struct map_compiler *c, struct draft_test *tree)
{
    return tree ? node(c, DRAFT_NOT, tree, NULL) : NULL;
}

/* A number from 0 that fits into 16 bits. */
static bool small_number(struct str text, uint16_t *out)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == 5) {
            return false;
        }
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    *out = (uint16_t)value;
    return text.n && value <= UINT16_MAX;
}

/* "A longer 8" */
static struct draft_test *longer(struct map_compiler *c, struct map_words words)
{
    struct draft_test *tree = leaf(c, OP_LONGER);
    if (!tree || !small_number(words.p[2].text, &tree->test.number)) {
        return no_condition(c, words);
    }
    return map_operand(c, words.p[0].text, &tree->test, false) ? tree : NULL;
}

static bool outcomes_of(const struct map_token *token, uint8_t *out)
{
    static const struct {
        const char *sign;
        uint8_t outcomes;
    } all[] = {
        { "<", RULE_LESS }, { "<=", RULE_LESS | RULE_EQUAL }, { "=", RULE_EQUAL },
        { ">", RULE_MORE }, { ">=", RULE_MORE | RULE_EQUAL }, { "!=", RULE_LESS | RULE_MORE },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (map_is_word(token, all[i].sign)) {
            *out = all[i].outcomes;
            return true;
        }
    }
    return false;
}

/* "count A > 1" */
static struct draft_test *counted(struct map_compiler *c, struct map_words words)
{
    struct draft_test *tree = leaf(c, OP_COUNT);
    if (!tree || words.n != 4 || !outcomes_of(&words.p[2], &tree->test.outcomes) ||
        !small_number(words.p[3].text, &tree->test.number)) {
        return no_condition(c, words);
    }
    if (!map_operand(c, words.p[1].text, &tree->test, false)) {
        return NULL;
    }
    return c->back || tree->test.at.field ? tree : no_condition(c, words);
}

/* "A < 5", "A >= B" */
static struct draft_test *compared(struct map_compiler *c, struct map_words words)
{
    struct draft_test *tree = leaf(c, OP_COMPARE);
    struct str right = words.p[2].text;
    if (!tree || !outcomes_of(&words.p[1], &tree->test.outcomes) ||
        !map_operand(c, words.p[0].text, &tree->test, false)) {
        return NULL;
    }
    if (right.n && (right.p[0] == '-' || (right.p[0] >= '0' && right.p[0] <= '9'))) {
        return with_values(c, tree, map_slice(words, 2, 3));
    }
    return map_operand(c, right, &tree->test, true) ? tree : NULL;
}

/* "A same B" */
static struct draft_test *same(struct map_compiler *c, struct map_words words)
{
    struct draft_test *tree = leaf(c, OP_SAME);
    return tree && map_operand(c, words.p[0].text, &tree->test, false) &&
                   map_operand(c, words.p[2].text, &tree->test, true)
               ? tree
               : NULL;
}

/* "A in TABLE" */
static struct draft_test *listed(struct map_compiler *c, struct map_words words)
{
    struct draft_test *tree = with_values(c, leaf(c, OP_TABLE), map_slice(words, 2, 3));
    return tree && map_operand(c, words.p[0].text, &tree->test, false) ? tree : NULL;
}

/* "A = x y", "A != x", "A ~ x" */
static struct draft_test *equal(struct map_compiler *c, struct map_words words)
{
    bool prefix = map_is_word(&words.p[1], "~");
    bool unequal = map_is_word(&words.p[1], "!=");
    struct draft_test *tree =
        with_values(c, leaf(c, prefix ? OP_PREFIX : OP_IN), map_slice(words, 2, words.n));
    if (!tree || !map_operand(c, words.p[0].text, &tree->test, false)) {
        return NULL;
    }
    return unequal ? negate(c, tree) : tree;
}

/* Remember that rows ask for the options @words. */
static bool asks_options(struct map_compiler *c, struct map_words words)
{
    for (size_t i = 0; i < words.n; i++) {
        struct draft_option **at = &c->options;
        while (*at && !str_eq((*at)->name, words.p[i].text)) {
            at = &(*at)->next;
        }
        if (*at) {
            continue;
        }
        *at = map_alloc(c, 1, sizeof(**at));
        if (!*at) {
            return false;
        }
        (*at)->name = words.p[i].text;
        c->option_count++;
    }
    return true;
}

/* "set A": an element of the object, or what stands in the message on the way back. */
static struct draft_test *is_set(struct map_compiler *c, struct map_words words)
{
    if (!c->back) {
        return with_values(c, leaf(c, OP_SET), words);
    }
    if (words.n > 1) {
        return no_condition(c, words);
    }
    struct draft_test *tree = leaf(c, OP_WRITTEN);
    return tree && map_address(c, words.p[0].text, &tree->test.at) ? tree : NULL;
}

/* "named Coverage.subscriber" */
static struct draft_test *named(struct map_compiler *c, struct map_words words)
{
    struct str rest = words.p[1].text;
    struct str type = str_cut(&rest, '.');
    const struct map_token name = { MAP_WORD, type };
    struct draft_test *tree = with_values(c, leaf(c, OP_NAMED), (struct map_words){ &name, 1 });
    if (!c->back || !map_is_resource(type) || !rest.n) {
        return no_condition(c, words);
    }
    return tree && map_operand(c, rest, &tree->test, false) ? tree : NULL;
}

/* "since 2.5" */
static struct draft_test *since(struct map_compiler *c, struct map_words words)
{
    enum v2_version version;
    struct draft_test *tree = leaf(c, OP_SINCE);
    if (!c->back || v2_version_find(words.p[1].text, &version) != V2_VERSION_KNOWN) {
        return no_condition(c, words);
    }
    if (tree) {
        tree->test.number = (uint16_t)version;
    }
    return tree;
}

/* Tests that begin with a word of their own; NULL and *other if @words are none. */
static struct draft_test *worded(struct map_compiler *c, struct map_words words, bool *other)
{
    struct map_words rest = map_slice(words, 1, words.n);
    const struct map_token *first = &words.p[0];
    bool valued_so = rest.n > 2 && map_is_word(&rest.p[1], "=");
    if ((rest.n == 1 || valued_so) &&
        (map_is_word(first, "set") || map_is_word(first, "unset"))) {
        struct draft_test *tree = is_set(c, rest);
        if (!tree) {
            return NULL;
        }
        return map_is_word(first, "set") ? tree : negate(c, tree);
    }
    if (rest.n == 1 && map_is_word(first, "no")) {
        return negate(c, valued(c, rest));
    }
    if (rest.n == 1 && map_is_word(first, "named")) {
        return named(c, words);
    }
    if (rest.n == 1 && map_is_word(first, "since")) {
        return since(c, words);
    }
    if (map_is_word(first, "count")) {
        return counted(c, words);
    }
    if (rest.n && map_is_word(first, "event")) {
        return with_values(c, leaf(c, OP_EVENT), rest);
    }
    if (rest.n && map_is_word(first, "option")) {
        return asks_options(c, rest) ? with_values(c, leaf(c, OP_OPTION), rest) : NULL;
    }
    *other = true;
    return NULL;
}

/* Tests with an address on the left and one word on the right. */
static struct draft_test *paired(struct map_compiler *c, struct map_words words)
{
    uint8_t outcomes;
    if (map_is_word(&words.p[1], "longer")) {
        return longer(c, words);
    }
    if (map_is_word(&words.p[1], "in")) {
        return listed(c, words);
    }
    if (map_is_word(&words.p[1], "same")) {
        return same(c, words);
    }
    return outcomes_of(&words.p[1], &outcomes) ? compared(c, words) : no_condition(c, words);
}

/* One test: @words up to "and", "or" or a parenthesis. */
static struct draft_test *test(struct map_compiler *c, struct map_words words)
{
    bool other = false;
    struct draft_test *tree = worded(c, words, &other);
    if (!other) {
        return tree;
    }
    if (words.n == 1) {
        return valued(c, words);
    }
    if (words.n == 2 && map_is_word(&words.p[1], "number")) {
        tree = leaf(c, OP_NUMBER);
        return tree && map_operand(c, words.p[0].text, &tree->test, false) ? tree : NULL;
    }
    if (words.n > 2 && (map_is_word(&words.p[1], "=") || map_is_word(&words.p[1], "!=") ||
                        map_is_word(&words.p[1], "~"))) {
        return equal(c, words);
    }
    return words.n == 3 ? paired(c, words) : no_condition(c, words);
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
    return negated ? negate(c, tree) : tree;
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
