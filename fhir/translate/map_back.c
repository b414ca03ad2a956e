/*
 * Rows of the way back. They read as the others, with the arrow the other way: what stands on
 * the right is put at the address on the left.
 *
 *     ADDRESS [each|lines|words] [if CONDITION] <- PATH : TYPE [TABLE]
 *     ADDRESS [each] [if CONDITION] <- [PATH] {
 *     ADDRESS [if CONDITION] <- "text" : TYPE [TABLE]         also $known, format "{PATH} …"
 *     format "{ADDRESS} …" [if CONDITION] <- PATH : string
 */
#include "fhir/translate/map_back.h"

static bool is_format(struct map_words words)
{
    return words.n == 2 && words.p[1].kind == MAP_TEXT &&
           (map_is_word(&words.p[0], "format") || map_is_word(&words.p[0], "columns"));
}

/* What stands on the left, before "if". */
static bool left_side(struct map_compiler *c, struct map_words words, struct rule *rule)
{
    if (is_format(words)) {
        rule->columns = map_is_word(&words.p[0], "columns");
        rule->source = SOURCE_VALUE; /* so that its pieces are addresses */
        bool good = map_format(c, words.p[1].text, rule);
        rule->source = SOURCE_PARTED;
        return good;
    }
    bool each = words.n && map_which(map_slice(words, 1, words.n), &rule->which);
    if (!each || words.p[0].kind != MAP_WORD || rule->which == WHICH_REST ||
        rule->which == WHICH_ALL) {
        map_wrong(c, "a row of the way back begins with: ADDRESS [each|lines|words]");
        return false;
    }
    return map_address(c, words.p[0].text, &rule->from);
}

/* What stands on the right, before ":" or "{". */
static bool right_side(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    struct rule *rule = &row->rule;
    bool parted = rule->source == SOURCE_PARTED;
    rule->source = parted ? SOURCE_PARTED : SOURCE_PATH;
    if (is_format(words) && !parted) {
        row->refers = words.p[1].text;
        return map_format(c, words.p[1].text, rule);
    }
    if (words.n != 1 || words.p[0].kind == MAP_OPEN) {
        map_wrong(c, "after '<-' stands: PATH, \"text\", $known or format");
        return false;
    }
    struct str word = words.p[0].text;
    row->refers = word;
    if (words.p[0].kind == MAP_TEXT && !parted) {
        rule->source = SOURCE_TEXT;
        rule->text = word;
        return true;
    }
    if (!parted && map_known(word, &rule->known)) {
        rule->source = SOURCE_KNOWN;
        return true;
    }
    rule->read = map_read_path(c, word);
    return rule->read != NULL;
}

static bool opens_block(struct map_words right)
{
    return right.n && right.p[right.n - 1].kind == MAP_OPEN;
}

/* ": TYPE [TABLE]" or "{" */
static bool type_words(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    if (words.n == 1 && words.p[0].kind == MAP_OPEN) {
        row->block = map_new(c, DRAFT_BLOCK);
        return row->block != NULL && row->rule.source != SOURCE_PARTED;
    }
    if (words.n < 2 || words.n > 3 || !map_is_word(&words.p[0], ":") ||
        words.p[1].kind != MAP_WORD) {
        map_wrong(c, "what is read wants ': TYPE [TABLE]' or '{'");
        return false;
    }
    row->type = words.p[1].text;
    row->table = words.n == 3 ? words.p[2].text : (struct str){ 0 };
    return true;
}

static size_t find_arrow(struct map_words words)
{
    size_t i = 0;
    while (i < words.n && words.p[i].kind != MAP_BACK) {
        i++;
    }
    return i;
}

bool map_back_ends(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    size_t arrow = find_arrow(words);
    struct map_words left = map_slice(words, 0, arrow);
    row->back = true;
    return left_side(c, map_slice(left, 0, map_find_word(left, "if")), &row->rule) &&
           right_side(c, map_slice(words, arrow + 1, words.n), row);
}

bool map_back_row(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    size_t arrow = find_arrow(words);
    if (arrow == words.n) {
        map_wrong(c, "a row of the way back wants '<-'");
        return false;
    }
    struct map_words left = map_slice(words, 0, arrow);
    struct map_words right = map_slice(words, arrow + 1, words.n);
    size_t when = map_find_word(left, "if");
    if (when < left.n && !map_row_condition(c, map_slice(left, when + 1, left.n), row)) {
        return false;
    }
    if (!left_side(c, map_slice(left, 0, when), &row->rule)) {
        return false;
    }
    row->back = true;
    size_t end = map_find_word(right, ":");
    if (end == right.n && opens_block(right)) {
        end = right.n - 1;
    }
    bool about = end == 0 && opens_block(right); /* a block about what is at hand */
    if (about) {
        row->rule.source = SOURCE_NONE;
    }
    return (about || right_side(c, map_slice(right, 0, end), row)) &&
           type_words(c, map_slice(right, end, right.n), row);
}
