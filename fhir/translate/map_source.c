/* Sources: what stands on the left of the arrow, before "if". */
#include "fhir/translate/map_back.h"

bool map_known(struct str word, enum rule_known *out)
{
    static const struct {
        struct str name;
        enum rule_known known;
    } all[] = {
        { STR_INIT("$recorded"), KNOWN_RECORDED },   { STR_INIT("$gateway"), KNOWN_GATEWAY },
        { STR_INIT("$digest"), KNOWN_DIGEST },       { STR_INIT("$sender"), KNOWN_SENDER },
        { STR_INIT("$table"), KNOWN_TABLE },         { STR_INIT("$it"), KNOWN_IT },
        { STR_INIT("$number"), KNOWN_NUMBER },       { STR_INIT("$segment"), KNOWN_SEGMENT },
        { STR_INIT("$segments"), KNOWN_SEGMENTS },   { STR_INIT("$event"), KNOWN_EVENT },
        { STR_INIT("$field"), KNOWN_FIELD },         { STR_INIT("$type"), KNOWN_TYPE },
        { STR_INIT("$structure"), KNOWN_STRUCTURE }, { STR_INIT("$control"), KNOWN_CONTROL },
        { STR_INIT("$version"), KNOWN_VERSION },     { STR_INIT("$charset"), KNOWN_CHARSET },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eq(word, all[i].name)) {
            *out = all[i].known;
            return true;
        }
    }
    return false;
}

bool map_which(struct map_words words, enum rule_which *out)
{
    static const struct {
        const char *name;
        enum rule_which which;
    } all[] = { { "each", WHICH_EACH },
                { "rest", WHICH_REST },
                { "lines", WHICH_LINES },
                { "all", WHICH_ALL },
                { "words", WHICH_WORDS } };
    *out = WHICH_FIRST;
    for (size_t i = 0; i < ARRAY_LEN(all) && words.n == 1; i++) {
        if (map_is_word(&words.p[0], all[i].name)) {
            *out = all[i].which;
            return true;
        }
    }
    return words.n == 0;
}

/* "plus AMOUNT [UNIT]", of which @words are what follows the first word. */
static bool plus(struct map_compiler *c, struct map_words words, struct rule *rule)
{
    struct rule_plus *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return false;
    }
    if (words.n == 0 || words.n > 2) {
        map_wrong(c, "plus wants: AMOUNT [UNIT]");
        return false;
    }
    made->has_unit = words.n == 2;
    rule->plus = made;
    return map_address(c, words.p[0].text, &made->amount) &&
           map_address(c, words.p[words.n - 1].text, &made->unit);
}

/* One piece of a format: @lead before it, what stands up to a closing brace from @rest. */
static bool piece(struct map_compiler *c, struct str lead, struct str *rest, bool by_path,
                  struct rule_piece *out)
{
    if (!rest->n || !memchr(rest->p, '}', rest->n)) {
        map_wrong(c, "a brace in the format isn't closed");
        return false;
    }
    out->lead = lead;
    struct str word = str_cut(rest, '}');
    if (by_path) {
        out->path = map_read_path(c, word);
        return out->path != NULL;
    }
    return map_address(c, word, &out->at);
}

bool map_format(struct map_compiler *c, struct str text, struct rule *rule)
{
    struct rule_piece *pieces = map_alloc(c, MAP_PIECES_MAX, sizeof(*pieces));
    if (!pieces) {
        return false;
    }
    bool by_path = rule->source == SOURCE_PATH;
    rule->source = SOURCE_FORMAT;
    rule->pieces = pieces;
    while (text.n && memchr(text.p, '{', text.n)) {
        struct str lead = str_cut(&text, '{');
        if (rule->piece_count == MAP_PIECES_MAX) {
            map_wrong(c, "a format of too many pieces");
            return false;
        }
        if (!piece(c, lead, &text, by_path, &pieces[rule->piece_count++])) {
            return false;
        }
    }
    rule->text = text;
    return true;
}

/* "Patient", "^Patient", "Observation*", "Observation**", "Coverage* of Patient". */
static bool resource_source(struct draft_row *row, struct map_words words)
{
    struct str word = words.p[0].text;
    bool above = str_starts(word, STR("^"));
    bool below = str_ends(word, STR("*"));
    bool deep = str_ends(word, STR("**"));
    struct str name = str_slice(word, above, word.n - below - deep);
    bool of = words.n == 3 && !above && map_is_word(&words.p[1], "of") &&
              map_is_resource(words.p[2].text);
    if (!map_is_resource(name) || (words.n > 1 && !of)) {
        return false;
    }
    row->rule.of = of;
    row->within = of ? words.p[2].text : (struct str){ 0 };
    row->rule.source = SOURCE_RESOURCE;
    row->rule.near = above ? NEAR_ABOVE : deep ? NEAR_DEEP : below ? NEAR_BELOW : NEAR_HERE;
    row->refers = name;
    return true;
}

bool map_source(struct map_compiler *c, struct map_words words, struct draft_row *row)
{
    struct rule *rule = &row->rule;
    if (words.n == 0) {
        return true;
    }
    struct str word = words.p[0].text;
    bool columns = map_is_word(&words.p[0], "columns");
    if (words.n == 2 && (columns || map_is_word(&words.p[0], "format")) &&
        words.p[1].kind == MAP_TEXT) {
        rule->columns = columns;
        return map_format(c, words.p[1].text, rule);
    }
    if (words.p[0].kind == MAP_TEXT && words.n == 1) {
        rule->source = SOURCE_TEXT;
        rule->text = word;
        return true;
    }
    if (words.n == 1 && map_known(word, &rule->known) && rule->known <= KNOWN_EVENT) {
        rule->source = SOURCE_KNOWN;
        return true;
    }
    if (words.n == 1 && map_is_word(&words.p[0], "every")) {
        rule->source = SOURCE_RESOURCE;
        rule->near = NEAR_EVERY;
        return true;
    }
    if (words.p[0].kind == MAP_WORD && resource_source(row, words)) {
        return true;
    }
    rule->source = SOURCE_VALUE;
    if (words.n > 1 && map_is_word(&words.p[1], "plus")) {
        return map_address(c, word, &rule->from) && plus(c, map_slice(words, 2, words.n), rule);
    }
    if (words.p[0].kind != MAP_WORD || !map_which(map_slice(words, 1, words.n), &rule->which) ||
        rule->which == WHICH_WORDS) {
        map_wrong(c, "'%.*s%s' is no source", MAP_SPAN(word), words.n > 1 ? " …" : "");
        return false;
    }
    return map_address(c, word, &rule->from);
}
