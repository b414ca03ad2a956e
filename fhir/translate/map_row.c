/*
 * Rows: SOURCE [if CONDITION] -> PATH : TYPE [TABLE] [or PATH : TYPE], blocks, resources of
 * their own, and the words that stand between rows.
 */
#include "fhir/translate/map_back.h"

static bool first_is(struct map_words words, const char *z)
{
    return words.n && map_is_word(&words.p[0], z);
}

/* --- targets --------------------------------------------------------------------------- */

static bool name_char(char ch, bool first)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
           (!first && ch >= '0' && ch <= '9');
}

/* What stands in the brackets after a name: nothing, "once", "*" or a field. */
static bool item(struct map_compiler *c, struct str inside, struct rule_step *out)
{
    out->item = !inside.n                     ? ITEM_NEW
                : str_eq(inside, STR("once")) ? ITEM_ONCE
                : str_eq(inside, STR("*"))    ? ITEM_EVERY
                                              : ITEM_KEYED;
    return out->item != ITEM_KEYED ||
           (map_address(c, inside, &out->key) && out->key.segment != RULE_VALUE);
}

static bool step(struct map_compiler *c, struct str word, struct rule_step *out)
{
    *out = (struct rule_step){ 0 };
    if (str_ends(word, STR("]")) && memchr(word.p, '[', word.n)) {
        struct str inside = str_slice(word, 0, word.n - 1);
        word = str_cut(&inside, '[');
        if (!item(c, inside, out)) {
            return false;
        }
    }
    for (size_t i = 0; i < word.n; i++) {
        if (!name_char(word.p[i], i == 0)) {
            return false;
        }
    }
    out->name = map_element(c, word);
    return word.n > 0;
}

/*
 * Elements of a list that are there, or have a key, are no end of a path; one that is put once
 * is nothing else; one key is enough.
 */
static bool leads_on(const struct rule_step *steps, size_t n)
{
    size_t keys = 0;
    for (size_t i = 0; i < n; i++) {
        bool found = steps[i].item == ITEM_KEYED || steps[i].item == ITEM_EVERY;
        keys += steps[i].item == ITEM_KEYED;
        if (i == n - 1 ? found : steps[i].item == ITEM_ONCE) {
            return false;
        }
    }
    return keys <= 1;
}

bool map_path(struct map_compiler *c, struct str word, struct rule *rule)
{
    struct rule_step steps[MAP_STEPS_MAX];
    size_t n = 0;
    bool good = word.n > 0;
    struct str rest = word;
    if (str_eq(word, STR("$display"))) {
        steps[n++] = (struct rule_step){ .name = map_element(c, word) };
        rest = (struct str){ 0 };
    }
    while (good && rest.n) {
        bool dot = str_ends(rest, STR(".")) || n == MAP_STEPS_MAX;
        good = !dot && step(c, str_cut(&rest, '.'), &steps[n++]);
    }
    good = good && leads_on(steps, n);
    if (!good) {
        map_wrong(c, "'%.*s' is no path", MAP_SPAN(word));
        return false;
    }
    struct rule_step *list = map_alloc(c, n, sizeof(*list));
    if (list) {
        memcpy(list, steps, n * sizeof(*list));
    }
    rule->path = list;
    rule->path_count = (uint8_t)n;
    return list != NULL;
}

/* "TYPE" or "Resource(TYPE)" */
static bool type(struct map_compiler *c, struct str word, struct draft_row *row)
{
    struct str rest = word;
    bool inner = word.n && memchr(word.p, '(', word.n);
    row->type = inner ? str_cut(&rest, '(') : word;
    row->inner = (struct str){ 0 };
    if (inner && str_ends(rest, STR(")")) && rest.n > 1) {
        row->inner = str_slice(rest, 0, rest.n - 1);
    } else if (inner || !word.n) {
        map_wrong(c, "'%.*s' is no type", MAP_SPAN(word));
        return false;
    }
    return true;
}

static bool target(struct map_compiler *c, struct map_words words, struct draft_row *row);

/* "or PATH : TYPE": as @row, but for what stands on the right. */
static bool alternative(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    struct draft_row *other = map_alloc(c, 1, sizeof(*other));
    if (!other) {
        return false;
    }
    *other = *row;
    other->rule.tests = NULL;
    other->tests = NULL;
    other->test_count = 0;
    row->otherwise = other;
    return target(c, words, other);
}

/* "{" after what it makes, which is an object or a resource. */
static bool block(struct map_compiler *c, struct draft_row *row)
{
    row->block = map_new(c, DRAFT_BLOCK);
    return row->block != NULL;
}

/* "TYPE [TABLE]", "contained|link Resource(TYPE)", "[contained|link] Resource {" */
static bool type_words(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    bool contained = first_is(words, "contained");
    bool link = first_is(words, "link") && words.n > 1;
    row->rule.refer = contained ? REFER_CONTAINED : link ? REFER_LINK : REFER_OBJECT;
    words = map_slice(words, contained || link, words.n);
    row->type = (struct str){ 0 };
    row->table = (struct str){ 0 };
    if (words.n == 2 && words.p[1].kind == MAP_OPEN && map_is_resource(words.p[0].text)) {
        row->type = words.p[0].text;
        return block(c, row);
    }
    if (words.n == 0 || words.n > 2 || words.p[0].kind != MAP_WORD ||
        words.p[words.n - 1].kind == MAP_OPEN) {
        map_wrong(c, "a target wants ': TYPE [TABLE]' or '{'");
        return false;
    }
    row->table = words.n == 2 ? words.p[1].text : (struct str){ 0 };
    bool good = type(c, words.p[0].text, row);
    if (good && !row->inner.n && (contained || link)) {
        map_wrong(c, "only a resource can be contained or linked");
        return false;
    }
    return good;
}

/* A resource that nothing here refers to: "Resource {" or "Resource(TYPE)". */
static bool makes_only(struct map_words words)
{
    struct str name = words.p[0].text;
    bool inner = name.n && memchr(name.p, '(', name.n);
    bool opens = words.n == 2 && words.p[1].kind == MAP_OPEN;
    return map_is_resource(str_cut(&name, '(')) && (inner || opens);
}

/* What stands on the right of the arrow. */
static bool target(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    if (words.n == 0 || words.p[0].kind != MAP_WORD) {
        map_wrong(c, "a row wants a target");
        return false;
    }
    if (makes_only(words)) {
        row->rule.path_count = 0;
        return type_words(c, words, row);
    }
    if (!map_path(c, words.p[0].text, &row->rule)) {
        return false;
    }
    size_t end = map_find_word(words, "or");
    if (end < words.n && !alternative(c, map_slice(words, end + 1, words.n), row)) {
        return false;
    }
    words = map_slice(words, 1, end);
    if (words.n == 1 && words.p[0].kind == MAP_OPEN) {
        row->type = (struct str){ 0 };
        return block(c, row);
    }
    if (!first_is(words, ":")) {
        map_wrong(c, "a target wants ': TYPE [TABLE]' or '{'");
        return false;
    }
    return type_words(c, map_slice(words, 1, words.n), row);
}

/* --- rows ------------------------------------------------------------------------------ */

bool map_row_condition(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    const struct draft_test *tree = map_condition(c, words);
    if (!tree) {
        return false;
    }
    row->tests = map_steps(c, tree);
    row->test_count = tree->size;
    row->rule.tests = row->tests;
    return row->tests != NULL;
}

static bool asks_resources(const struct draft_row *row)
{
    for (size_t i = 0; i < row->test_count; i++) {
        if (row->tests[i].op == OP_RESOURCE) {
            return true;
        }
    }
    return row->rule.source == SOURCE_RESOURCE;
}

static bool arrow_row(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    size_t arrow = 0;
    while (arrow < words.n && words.p[arrow].kind != MAP_ARROW &&
           words.p[arrow].kind != MAP_WEAK) {
        arrow++;
    }
    if (arrow == words.n) {
        map_wrong(c, "a row wants '->' or '~>'");
        return false;
    }
    row->rule.weak = words.p[arrow].kind == MAP_WEAK;
    struct map_words left = map_slice(words, 0, arrow);
    size_t when = map_find_word(left, "if");
    if (when < left.n && !map_row_condition(c, map_slice(left, when + 1, left.n), row)) {
        return false;
    }
    if (!map_source(c, map_slice(left, 0, when), row)) {
        return false;
    }
    if (asks_resources(row) && c->blocks[0]->kind != DRAFT_RESOURCE) {
        map_wrong(c, "other resources are in reach only in a resource section");
        return false;
    }
    return target(c, map_slice(words, arrow + 1, words.n), row);
}

/* "withdraw ROW": what the row would add to a list is taken out of the stored one. */
static bool withdrawing_row(struct map_compiler *c, struct map_words words,
                            struct draft_row *row)
{
    row->rule.withdraws = true;
    if (!arrow_row(c, words, row)) {
        return false;
    }
    if (c->depth > 1 || row->rule.path_count != 1 || row->rule.path[0].item != ITEM_NEW) {
        map_wrong(c, "withdraw wants a row of its own with a list of the resource");
        return false;
    }
    return true;
}

static bool arrows(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    if (c->back) {
        return map_back_row(c, words, row);
    }
    return first_is(words, "withdraw") ? withdrawing_row(c, map_slice(words, 1, words.n), row)
                                       : arrow_row(c, words, row);
}

/* Rows that share a condition: a block without a path. */
static bool condition_row(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    row->block = map_new(c, DRAFT_BLOCK);
    return row->block && map_row_condition(c, words, row);
}

/* "include NAME": the rows of a datatype, as a block without a path. */
static void include(struct map_compiler *c, struct map_words words)
{
    struct draft_row *row = map_alloc(c, 1, sizeof(*row));
    if (!row) {
        return;
    }
    row->where = c->where;
    row->back = c->back;
    row->rule.from.segment = RULE_VALUE;
    row->type = words.n == 1 ? words.p[0].text : (struct str){ 0 };
    if (words.n != 1) {
        map_wrong(c, "include wants the name of a datatype");
        return;
    }
    map_add_row(c, row);
}

static void open_block(struct map_compiler *c, struct draft_map *block)
{
    if (c->depth == MAP_DEPTH_MAX) {
        map_wrong(c, "blocks too deep in each other");
        c->section = SECTION_SKIPPED;
        return;
    }
    c->blocks[c->depth++] = block;
}

static void row_line(struct map_compiler *c, struct map_words words, bool replaces)
{
    bool opens = words.n && words.p[words.n - 1].kind == MAP_OPEN;
    bool shares = opens && first_is(words, "if");
    struct draft_row *row = map_alloc(c, 1, sizeof(*row));
    if (!row) {
        return;
    }
    row->where = c->where;
    row->back = c->back;
    row->rule.from.segment = RULE_VALUE;
    bool good = shares ? condition_row(c, map_slice(words, 1, words.n - 1), row)
                       : arrows(c, words, row);
    if (good && replaces) {
        map_replace_row(c, row);
    } else if (good) {
        map_add_row(c, row);
    }
    if (opens && !c->error) {
        /* Also below a row that is wrong, so that its lines are read as what they are. */
        struct draft_map *block = good && row->block ? row->block : map_new(c, DRAFT_BLOCK);
        open_block(c, block);
    }
}

static void close_block(struct map_compiler *c)
{
    if (c->depth == 1) {
        map_wrong(c, "'}' without '{'");
        return;
    }
    c->depth--;
}

static void require(struct map_compiler *c, struct map_words words)
{
    struct draft_map *map = c->blocks[c->depth - 1];
    struct draft_test *tree = map_condition(c, words);
    if (tree && map->required && map->required->size + tree->size > RULE_TESTS_MAX) {
        map_wrong(c, "a condition of too many tests");
    } else if (tree) {
        map->required = map_both(c, map->required, tree);
    }
}

void map_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
    if (words.n == 1 && words.p[0].kind == MAP_CLOSE) {
        close_block(c);
    } else if (first_is(words, "require")) {
        require(c, map_slice(words, 1, words.n));
    } else if (first_is(words, "ignore")) {
        map_ignore(c, map_slice(words, 1, words.n));
    } else if (first_is(words, "include")) {
        include(c, map_slice(words, 1, words.n));
    } else if (first_is(words, "remove")) {
        map_remove_row(c, map_slice(words, 1, words.n));
    } else if (first_is(words, "replace")) {
        row_line(c, map_slice(words, 1, words.n), true);
    } else {
        row_line(c, words, false);
    }
}
