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

/* "NAME [SYSTEM] [from SYSTEM]"; systems of an earlier layer stay unless there are new ones. */
void map_table(struct map_compiler *c, struct map_words words)
{
    struct str system = { 0 };
    struct str from = { 0 };
    size_t at = 1;
    if (words.n > at && !map_is_word(&words.p[at], "from")) {
        system = words.p[at++].text;
    }
    if (words.n == at + 2 && map_is_word(&words.p[at], "from")) {
        from = words.p[at + 1].text;
        at += 2;
    }
    if (words.n == 0 || words.n != at || c->change == CHANGE_REMOVE) {
        map_wrong(c, "table wants: NAME [SYSTEM] [from SYSTEM]");
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

/* 'CODE -> CODE ["display"] [SYSTEM]' */
void map_table_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
    if (removes_code(c, words)) {
        return;
    }
    if (words.n < 3 || words.p[1].kind != MAP_ARROW || words.n > 5) {
        map_wrong(c, "a code wants: CODE -> CODE [\"display\"] [SYSTEM]");
        return;
    }
    struct draft_code *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return;
    }
    made->where = c->where;
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
    if (map_is_word(&words.p[0], "*")) {
        c->table->table.other = &made->code;
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

/* The table's codes in order, and how many they are. */
static const struct draft_code **sorted_codes(struct map_compiler *c,
                                              const struct draft_table *table, size_t *count)
{
    size_t n = 0;
    for (const struct draft_code *code = table->first; code; code = code->next) {
        n++;
    }
    const struct draft_code **sorted = map_alloc(c, n, sizeof(struct draft_code *));
    *count = sorted ? n : 0;
    n = 0;
    for (const struct draft_code *code = table->first; code && sorted; code = code->next) {
        sorted[n++] = code;
    }
    if (n) {
        qsort(sorted, n, sizeof(struct draft_code *), by_code);
    }
    return sorted;
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
}
