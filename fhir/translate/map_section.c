/* The sections of a map file but structures: what their first line says, and tables' rows. */
#include "fhir/translate/map_draft.h"

#include <errno.h>

struct draft_map *map_new(struct map_compiler *c, enum draft_kind kind)
{
    struct draft_map *map = map_alloc(c, 1, sizeof(*map));
    if (map) {
        map->kind = kind;
        map->where = c->where;
        map->end = &map->first;
        *c->maps_end = map;
        c->maps_end = &map->next;
    }
    return map;
}

static void begin_map(struct map_compiler *c, struct draft_map *map)
{
    if (map) {
        c->section = SECTION_MAP;
        c->blocks[0] = map;
        c->depth = 1;
    }
}

/* Enter @value under @name; told and false if there is one already. */
static bool enter(struct map_compiler *c, struct map_names *names, struct str name,
                  const char *what, void *value)
{
    struct map_name *entry = map_names_put(c->arena, names, name);
    if (!entry) {
        c->error = -ENOMEM;
        return false;
    }
    if (entry->value) {
        map_wrong(c, "there is a %s %.*s already", what, MAP_SPAN(name));
        return false;
    }
    entry->value = value;
    return true;
}

static void datatype(struct map_compiler *c, struct map_words words)
{
    if (words.n != 1) {
        map_wrong(c, "datatype wants one new name");
        return;
    }
    struct draft_map *map = map_new(c, DRAFT_DATATYPE);
    if (map && enter(c, &c->datatype_names, words.p[0].text, "datatype", map)) {
        map->map.name = map_intern(c, words.p[0].text).p;
        begin_map(c, map);
    }
}

static void segment(struct map_compiler *c, struct map_words words)
{
    bool above = words.n == 3 && map_is_word(&words.p[2], "above");
    if (words.n != 2 + (size_t)above || !map_is_segment(words.p[0].text)) {
        map_wrong(c, "segment wants: NAME RESOURCE [above]");
        return;
    }
    struct draft_segment_map *of = map_alloc(c, 1, sizeof(*of));
    struct draft_segment *seg = map_segment(c, words.p[0].text);
    struct draft_map *map = map_new(c, DRAFT_SEGMENT);
    if (!of || !seg || !map) {
        return;
    }
    map->map.name = seg->name.p;
    *of = (struct draft_segment_map){
        .segment = seg, .resource = words.p[1].text, .above = above, .map = map
    };
    seg->map_count++;
    *c->segment_maps_end = of;
    c->segment_maps_end = &of->next;
    begin_map(c, map);
}

static bool kind_of(const struct map_token *word, enum rule_kind *out)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
    } all[] = {
        { "event", KIND_EVENT },   { "identity", KIND_IDENTITY }, { "trusted", KIND_TRUSTED },
        { "number", KIND_NUMBER }, { "source", KIND_SOURCE },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (map_is_word(word, all[i].name)) {
            *out = all[i].kind;
            return true;
        }
    }
    return false;
}

/* "NAME [is TYPE] KIND [unite]" */
static void resource(struct map_compiler *c, struct map_words words)
{
    bool named = words.n > 2 && map_is_word(&words.p[1], "is");
    size_t at = named ? 3 : 1; /* of the kind */
    bool unite = words.n == at + 2 && map_is_word(&words.p[at + 1], "unite");
    enum rule_kind kind = KIND_EVENT;
    if (words.n != at + 1 + unite || !map_is_resource(words.p[0].text) ||
        !map_is_resource(words.p[at - 1].text) || !kind_of(&words.p[at], &kind)) {
        map_wrong(c, "resource wants: NAME [is TYPE] event|identity|trusted|number|source "
                     "[unite]");
        return;
    }
    struct draft_resource *made = map_alloc(c, 1, sizeof(*made));
    struct draft_map *finish = map_new(c, DRAFT_RESOURCE);
    if (!made || !finish || !enter(c, &c->resource_names, words.p[0].text, "resource", made)) {
        return;
    }
    *made = (struct draft_resource){ .name = map_intern(c, words.p[0].text),
                                     .type = map_intern(c, words.p[at - 1].text),
                                     .id = (uint16_t)c->resource_count++,
                                     .kind = kind,
                                     .unite = unite,
                                     .finish = finish };
    finish->map.name = made->name.p;
    *c->resources_end = made;
    c->resources_end = &made->next;
    if (c->resource_count > MAP_NAMES_MAX) {
        map_wrong(c, "too many resources");
    }
    begin_map(c, finish);
}

/* "NEW-NAME [SYSTEM [from SYSTEM]]" */
static void table(struct map_compiler *c, struct map_words words)
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
    if (words.n == 0 || words.n != at) {
        map_wrong(c, "table wants: NEW-NAME [SYSTEM] [from SYSTEM]");
        return;
    }
    struct draft_table *made = map_alloc(c, 1, sizeof(*made));
    if (!made || !enter(c, &c->table_names, words.p[0].text, "table", made)) {
        return;
    }
    made->end = &made->first;
    made->table.name = map_intern(c, words.p[0].text).p;
    made->table.system = system;
    made->table.source = from;
    made->next = c->tables;
    c->tables = made;
    c->table = made;
    c->section = SECTION_TABLE;
}

/* 'CODE -> CODE ["display"] [SYSTEM]' */
void map_table_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
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
        *(words.p[i].kind == MAP_TEXT ? &made->code.display : &made->code.system) =
            words.p[i].text;
    }
    if (map_is_word(&words.p[0], "*")) {
        c->table->table.other = &made->code;
        return;
    }
    *c->table->end = made;
    c->table->end = &made->next;
}

/* "TYPE^EVENT STRUCTURE" */
static void message(struct map_compiler *c, struct map_words words)
{
    struct str rest = words.n == 2 ? words.p[0].text : STR("");
    struct str type = str_cut(&rest, '^');
    if (!type.n || !rest.n) {
        map_wrong(c, "message wants: TYPE^EVENT STRUCTURE");
        return;
    }
    struct draft_message *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return;
    }
    made->where = c->where;
    made->message.type = type;
    made->message.event = rest;
    made->structure = words.p[1].text;
    *c->messages_end = made;
    c->messages_end = &made->next;
    c->section = SECTION_MESSAGE;
    if (++c->message_count > MAP_NAMES_MAX) {
        map_wrong(c, "too many messages");
    }
}

void map_ignore(struct map_compiler *c, struct map_words words)
{
    for (size_t i = 0; i < words.n; i++) {
        struct rule_address at;
        if (!map_address(c, words.p[i].text, &at)) {
            continue;
        }
        if (at.segment == RULE_VALUE) {
            map_wrong(c, "ignore wants fields of segments");
            continue;
        }
        struct draft_segment *of = map_segment(c, str_slice(words.p[i].text, 0, 3));
        if (of) {
            of->ignored[at.field / 64] |= (uint64_t)1 << at.field % 64;
        }
    }
}

static void ignore(struct map_compiler *c, struct map_words words)
{
    map_ignore(c, words);
    c->section = SECTION_NONE;
}

void map_section(struct map_compiler *c)
{
    static const struct {
        const char *word;
        void (*begin)(struct map_compiler *c, struct map_words words);
    } all[] = {
        { "datatype", datatype }, { "segment", segment },         { "resource", resource },
        { "table", table },       { "structure", map_structure }, { "message", message },
        { "ignore", ignore },
    };
    struct map_words words = { c->line.tokens, c->line.count };
    c->section = SECTION_SKIPPED;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (map_is_word(&words.p[0], all[i].word)) {
            all[i].begin(c, map_slice(words, 1, words.n));
            return;
        }
    }
    map_wrong(c, "unknown section '%.*s'", MAP_SPAN(words.p[0].text));
}
