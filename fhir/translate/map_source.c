/* Sources: what stands on the left of the arrow, before "if". */
#include "fhir/translate/map_draft.h"

static bool known_source(struct str word, enum rule_known *out)
{
    static const struct {
        struct str name;
        enum rule_known known;
    } all[] = {
        { STR_INIT("$recorded"), KNOWN_RECORDED }, { STR_INIT("$gateway"), KNOWN_GATEWAY },
        { STR_INIT("$digest"), KNOWN_DIGEST },     { STR_INIT("$sender"), KNOWN_SENDER },
        { STR_INIT("$table"), KNOWN_TABLE },       { STR_INIT("$it"), KNOWN_IT },
        { STR_INIT("$number"), KNOWN_NUMBER },     { STR_INIT("$segment"), KNOWN_SEGMENT },
        { STR_INIT("$segments"), KNOWN_SEGMENTS }, { STR_INIT("$event"), KNOWN_EVENT },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eq(word, all[i].name)) {
            *out = all[i].known;
            return true;
        }
    }
    return false;
}

static bool which_of(struct map_words words, enum rule_which *out)
{
    static const struct {
        const char *name;
        enum rule_which which;
    } all[] = { { "each", WHICH_EACH },
                { "rest", WHICH_REST },
                { "lines", WHICH_LINES },
                { "all", WHICH_ALL } };
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

/* One piece of a format: @lead before it, the address up to a closing brace from @rest. */
static bool piece(struct map_compiler *c, struct str lead, struct str *rest,
                  struct rule_piece *out)
{
    if (!rest->n || !memchr(rest->p, '}', rest->n)) {
        map_wrong(c, "a brace in the format isn't closed");
        return false;
    }
    out->lead = lead;
    return map_address(c, str_cut(rest, '}'), &out->at);
}

static bool format_source(struct map_compiler *c, struct str text, struct rule *rule)
{
    struct rule_piece *pieces = map_alloc(c, MAP_PIECES_MAX, sizeof(*pieces));
    if (!pieces) {
        return false;
    }
    rule->source = SOURCE_FORMAT;
    rule->pieces = pieces;
    while (text.n && memchr(text.p, '{', text.n)) {
        struct str lead = str_cut(&text, '{');
        if (rule->piece_count == MAP_PIECES_MAX) {
            map_wrong(c, "a format of too many pieces");
            return false;
        }
        if (!piece(c, lead, &text, &pieces[rule->piece_count++])) {
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
    if (words.n == 2 && map_is_word(&words.p[0], "format") && words.p[1].kind == MAP_TEXT) {
        return format_source(c, words.p[1].text, rule);
    }
    if (words.p[0].kind == MAP_TEXT && words.n == 1) {
        rule->source = SOURCE_TEXT;
        rule->text = word;
        return true;
    }
    if (words.n == 1 && known_source(word, &rule->known)) {
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
    if (words.p[0].kind != MAP_WORD || !which_of(map_slice(words, 1, words.n), &rule->which)) {
        map_wrong(c, "'%.*s%s' is no source", MAP_SPAN(word), words.n > 1 ? " …" : "");
        return false;
    }
    return map_address(c, word, &rule->from);
}
