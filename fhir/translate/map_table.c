/* Tables: codes to codes, read and put in order. */
#include "fhir/format/json_write.h"
#include "fhir/translate/map_draft.h"

#include <stdlib.h>

static struct draft_table *new_table(struct map_compiler *c, struct str name)
{
    struct draft_table *made = map_alloc(c, 1, sizeof(*made));
    if (made) {
        made->end = &made->first;
        made->where = c->where;
        made->table.name = name.p;
        made->next = c->tables;
        c->tables = made;
    }
    return made;
}

/* "NAME [SYSTEM] [from SYSTEM] [forward]"; systems of an earlier layer stay unless there are
 * new ones. */
void map_table(struct map_compiler *c, struct map_words words)
{
    struct str system = { 0 };
    struct str from = { 0 };
    size_t at = 1;
    bool forward = words.n > 1 && map_is_word(&words.p[words.n - 1], "forward");
    words.n -= forward;
    if (words.n > at && !map_is_word(&words.p[at], "from")) {
        system = words.p[at++].text;
    }
    if (words.n == at + 2 && map_is_word(&words.p[at], "from")) {
        from = words.p[at + 1].text;
        at += 2;
    }
    if (words.n == 0 || words.n != at || c->change == CHANGE_REMOVE) {
        map_wrong(c, "table wants: NAME [SYSTEM] [from SYSTEM] [forward]");
        return;
    }
    struct map_name *entry = map_entry(c, &c->table_names, words.p[0].text);
    struct draft_table *made = entry ? entry->value : NULL;
    if (made && !map_changeable(c, made->where, "table", entry->name)) {
        return;
    }
    if (made && c->change == CHANGE_REPLACE) {
        made->first = NULL;
        made->end = &made->first;
        made->table = (struct rule_table){ .name = entry->name.p };
    }
    made = entry && !made ? new_table(c, entry->name) : made;
    if (!made) {
        return;
    }
    entry->value = made;
    made->table.forward = made->table.forward || forward;
    made->table.system = system.n ? system : made->table.system;
    made->table.source = from.n ? from : made->table.source;
    c->table = made;
    c->section = SECTION_TABLE;
}

/* "remove CODE" */
static bool removes_code(struct map_compiler *c, struct map_words words)
{
    if (words.n != 2 || !map_is_word(&words.p[0], "remove")) {
        return false;
    }
    struct draft_code *made = map_alloc(c, 1, sizeof(*made));
    if (map_is_word(&words.p[1], "*")) {
        c->table->table.other = NULL;
    } else if (made) {
        *made = (struct draft_code){ .removed = true,
                                     .code.from = words.p[1].text,
                                     .where = c->where };
        *c->table->end = made;
        c->table->end = &made->next;
    }
    return true;
}

static bool is_other(const struct map_token *word)
{
    return map_is_word(word, "*");
}

/* 'CODE -> CODE ["display"] [SYSTEM]', 'CODE <- CODE [SYSTEM]' */
void map_table_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
    if (removes_code(c, words)) {
        return;
    }
    bool back = words.n > 2 && words.p[1].kind == MAP_BACK;
    if (words.n < 3 || (words.p[1].kind != MAP_ARROW && !back) || words.n > 5) {
        map_wrong(c, "a code wants: CODE -> CODE [\"display\"] [SYSTEM]");
        return;
    }
    struct draft_code *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return;
    }
    made->where = c->where;
    made->layer = map_layer(c, c->where);
    made->back = back;
    made->code.from = words.p[0].text;
    made->code.code = words.p[2].text;
    for (size_t i = 3; i < words.n; i++) {
        struct str word = words.p[i].text;
        bool display = words.p[i].kind == MAP_TEXT;
        if (!display && !memchr(word.p, ':', word.n)) {
            map_wrong(c, "%.*s is no system; a display stands in double quotes",
                      MAP_SPAN(word));
        }
        *(display ? &made->code.display : &made->code.system) = word;
    }
    if (is_other(&words.p[back ? 2 : 0])) {
        made->code.lossy = true;
        *(back ? &c->table->table.unread : &c->table->table.other) = &made->code;
        return;
    }
    *c->table->end = made;
    c->table->end = &made->next;
}

/* --- in order ------------------------------------------------------------------------- */

static int by_code(const void *a, const void *b)
{
    const struct draft_code *const *x = a;
    const struct draft_code *const *y = b;
    int order = str_cmp((*x)->code.from, (*y)->code.from);
    if (order == 0) {
        order = ((*x)->where.file > (*y)->where.file) - ((*x)->where.file < (*y)->where.file);
    }
    return order
               ? order
               : ((*x)->where.line > (*y)->where.line) - ((*x)->where.line < (*y)->where.line);
}

/* The table's codes in order but those for the way back alone, and how many they are. */
static const struct draft_code **sorted_codes(struct map_compiler *c,
                                              const struct draft_table *table, size_t *count)
{
    size_t n = 0;
    for (const struct draft_code *code = table->first; code; code = code->next) {
        n += !code->back;
    }
    const struct draft_code **sorted = map_alloc(c, n, sizeof(struct draft_code *));
    *count = sorted ? n : 0;
    n = 0;
    for (const struct draft_code *code = table->first; code && sorted; code = code->next) {
        if (!code->back) {
            sorted[n++] = code;
        }
    }
    if (n) {
        qsort(sorted, n, sizeof(struct draft_code *), by_code);
    }
    return sorted;
}

/* By what they become; of the same, those of later layers first, and of these as they stand. */
static int by_result(const void *a, const void *b)
{
    const struct draft_code *const *x = a;
    const struct draft_code *const *y = b;
    int order = str_cmp((*x)->code.code, (*y)->code.code);
    order = order ? order : ((*x)->layer < (*y)->layer) - ((*x)->layer > (*y)->layer);
    order = order ? order : (int)(*y)->back - (int)(*x)->back;
    order = order
                ? order
                : ((*x)->where.file > (*y)->where.file) - ((*x)->where.file < (*y)->where.file);
    return order
               ? order
               : ((*x)->where.line > (*y)->where.line) - ((*x)->where.line < (*y)->where.line);
}

/* Whether @codes, sorted, still have @code: no later layer says something else. */
static bool stands(const struct rule_code *codes, size_t count, const struct draft_code *code)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(code->code.from, codes[middle].from);
        if (order == 0) {
            return str_eq(codes[middle].code, code->code.code) &&
                   str_eq(codes[middle].system, code->code.system);
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return false;
}

/* The same codes for the way back. */
static void link_back(struct map_compiler *c, struct draft_table *table,
                      const struct rule_code *codes, size_t count)
{
    size_t n = 0;
    for (const struct draft_code *code = table->first; code; code = code->next) {
        n++;
    }
    const struct draft_code **sorted = map_alloc(c, n, sizeof(struct draft_code *));
    struct rule_code *back = map_alloc(c, n, sizeof(*back));
    n = 0;
    for (const struct draft_code *code = table->first; code && sorted && back;
         code = code->next) {
        bool is = code->back || (!code->removed && stands(codes, count, code));
        if (is && code->code.code.n) {
            sorted[n++] = code;
        }
    }
    if (n) {
        qsort(sorted, n, sizeof(struct draft_code *), by_result);
    }
    for (size_t i = 0; i < n && i < UINT16_MAX; i++) {
        back[i] = sorted[i]->code;
    }
    table->table.back = back;
    table->table.back_count = (uint16_t)n;
}

/* Mark those of @codes that the way back would make another of. */
static void mark_lossy(const struct rule_table *table, struct rule_code *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule_code *back = rule_table_back(
            table, codes[i].system.n ? codes[i].system : table->system, codes[i].code);
        codes[i].lossy = !back || !str_eq(back->from, codes[i].from);
    }
}

/* Whether @code stands in a table although @before, the same code of the same layer, does. */
static bool twice(const struct map_compiler *c, const struct draft_code *before,
                  const struct draft_code *code)
{
    return before && map_layer(c, before->where) == map_layer(c, code->where);
}

static bool plain_code(const struct rule_code *code)
{
    return json_is_plain(code->code) && json_is_plain(code->display) &&
           json_is_plain(code->system);
}

void map_link_table(struct map_compiler *c, struct draft_table *table)
{
    size_t count;
    const struct draft_code **sorted = sorted_codes(c, table, &count);
    struct rule_code *codes = map_alloc(c, count, sizeof(*codes));
    const struct draft_code *before = NULL;
    size_t n = 0;
    for (size_t i = 0; i < count && codes; i++) {
        const struct draft_code *code = sorted[i];
        bool same = before && str_eq(before->code.from, code->code.from);
        if (twice(c, same ? before : NULL, code)) {
            map_wrong_at(c, code->where, "code %.*s twice", MAP_SPAN(code->code.from));
        } else if (code->removed && !same) {
            map_wrong_at(c, code->where, "no code %.*s to remove", MAP_SPAN(code->code.from));
        }
        n -= same && !before->removed; /* the later layer's instead */
        if (!code->removed) {
            codes[n++] = code->code;
        }
        before = code;
    }
    if (n > UINT16_MAX) {
        map_wrong_at(c, table->where, "too many codes in a table");
    }
    table->table.plain = json_is_plain(table->table.system) &&
                         (!table->table.other || plain_code(table->table.other));
    for (size_t i = 0; i < n; i++) {
        table->table.plain = table->table.plain && plain_code(&codes[i]);
    }
    table->table.codes = codes;
    table->table.count = (uint16_t)n;
    if (codes) {
        link_back(c, table, codes, n);
        mark_lossy(&table->table, codes, n);
    }
}
