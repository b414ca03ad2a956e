/* The sections of a map file but structures, tables and senders: what their first line says. */
#include "fhir/translate/map_back.h"

#include <errno.h>

struct draft_map *map_new(struct map_compiler *c, enum draft_kind kind)
{
    struct draft_map *map = map_alloc(c, 1, sizeof(*map));
    if (map) {
        map->kind = kind;
        map->where = c->where;
        map->back = c->back;
        map->end = &map->first;
        *c->maps_end = map;
        c->maps_end = &map->next;
    }
    return map;
}

/* The rows that @map has, which follow in this section. */
static void begin_map(struct map_compiler *c, struct draft_map *map)
{
    if (c->change == CHANGE_REPLACE && map_earlier(c, map->where)) {
        map_clear(map);
    }
    c->section = SECTION_MAP;
    c->blocks[0] = map;
    c->depth = 1;
}

struct map_name *map_entry(struct map_compiler *c, struct map_names *names, struct str name)
{
    struct map_name *entry = map_names_put(c->arena, names, name);
    if (!entry) {
        c->error = -ENOMEM;
    } else if (!entry->value && c->change != CHANGE_NONE) {
        map_wrong(c, "there is no %.*s that could be changed", MAP_SPAN(name));
        return NULL;
    }
    return entry;
}

bool map_changeable(struct map_compiler *c, struct map_where where, const char *what,
                    struct str name)
{
    if (!map_earlier(c, where)) {
        map_wrong(c, "there is a %s %.*s already", what, MAP_SPAN(name));
        return false;
    }
    return true;
}

/* What a datatype of the way back reads: the names in @words. */
static void reads(struct map_compiler *c, struct map_words words, struct draft_map *map)
{
    const char **types = map_alloc(c, words.n, sizeof(const char *));
    for (size_t i = 0; i < words.n && types; i++) {
        types[i] = map_intern(c, words.p[i].text).p;
    }
    map->map.types = types;
    map->map.type_count = (uint16_t)words.n;
}

/* "NAME" or, on the way back, "NAME from TYPE..." */
static void datatype(struct map_compiler *c, struct map_words words)
{
    bool wrong = c->back ? words.n < 3 || words.n > 2 + MAP_TYPES_MAX : words.n != 1;
    if (wrong || c->change == CHANGE_REMOVE) {
        map_wrong(c, "datatype wants one new name");
        return;
    }
    struct map_name *entry =
        map_entry(c, c->back ? &c->back_datatypes : &c->datatype_names, words.p[0].text);
    struct draft_map *map = entry ? entry->value : NULL;
    if (map && !map_changeable(c, map->where, "datatype", entry->name)) {
        return;
    }
    if (entry && !map) {
        map = map_new(c, DRAFT_DATATYPE);
        entry->value = map;
    }
    if (map) {
        map->map.name = entry->name.p;
        if (c->back) {
            reads(c, map_slice(words, 2, words.n), map);
        }
        begin_map(c, map);
    }
}

bool map_same_segment(const struct draft_segment_map *a, const struct draft_segment_map *b)
{
    return a->segment == b->segment && str_eq(a->resource, b->resource) &&
           a->above == b->above && str_eq(a->each, b->each) && a->map->back == b->map->back;
}

/* Take away what earlier layers say about @segment for @resource; whether there was any. */
static bool remove_segment_maps(struct map_compiler *c, const struct draft_segment_map *like)
{
    bool any = false;
    for (struct draft_segment_map *m = c->segment_maps; m; m = m->next) {
        if (map_same_segment(m, like) && map_earlier(c, m->map->where) && !m->map->gone) {
            m->map->gone = true;
            any = true;
        }
    }
    return any;
}

/* "RESOURCE [above]", or "from RESOURCE[.PATH]"; told and false if it is something else. */
static bool segment_source(struct map_compiler *c, struct map_words words,
                           struct draft_segment_map *of)
{
    of->above = !c->back && words.n == 2 && map_is_word(&words.p[1], "above");
    if (words.n != 1 + (size_t)(of->above || c->back)) {
        map_wrong(c, "segment wants: NAME RESOURCE [above], or NAME from RESOURCE[.PATH]");
        return false;
    }
    struct str rest = words.p[c->back].text;
    of->resource = c->back ? str_cut(&rest, '.') : rest;
    of->each = c->back ? rest : (struct str){ 0 };
    of->path = of->each.n ? map_read_path(c, of->each) : NULL;
    if (c->back && !map_is_resource(of->resource)) {
        map_wrong(c, "'%.*s' is no resource", MAP_SPAN(of->resource));
        return false;
    }
    return !of->each.n || of->path;
}

static void segment(struct map_compiler *c, struct map_words words)
{
    struct draft_segment_map *of = map_alloc(c, 1, sizeof(*of));
    if (words.n == 0 || !map_is_segment(words.p[0].text)) {
        map_wrong(c, "segment wants: NAME RESOURCE [above], or NAME from RESOURCE[.PATH]");
        return;
    }
    struct draft_segment *seg = map_segment(c, words.p[0].text);
    if (!of || !seg || !segment_source(c, map_slice(words, 1, words.n), of)) {
        return;
    }
    of->segment = seg;
    of->map = map_new(c, DRAFT_SEGMENT);
    if (!of->map) {
        return;
    }
    if (c->change != CHANGE_NONE && !remove_segment_maps(c, of)) {
        map_wrong(c, "there is no %.*s %.*s that could be changed", MAP_SPAN(seg->name),
                  MAP_SPAN(of->resource));
    }
    if (c->change == CHANGE_REMOVE) {
        of->map->gone = true; /* nothing uses it */
        return;
    }
    of->map->map.name = seg->name.p;
    *c->segment_maps_end = of;
    c->segment_maps_end = &of->next;
    c->segment_map = of;
    begin_map(c, of->map);
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

/* "NAME [is TYPE] KIND [unite]"; told and false if @words are something else. */
static bool resource_line(struct map_compiler *c, struct map_words words,
                          struct draft_resource *out)
{
    bool named = words.n > 2 && map_is_word(&words.p[1], "is");
    size_t at = named ? 3 : 1; /* of the kind */
    out->unite = words.n == at + 2 && map_is_word(&words.p[at + 1], "unite");
    if (words.n != at + 1 + out->unite || !map_is_resource(words.p[0].text) ||
        !map_is_resource(words.p[at - 1].text) || !kind_of(&words.p[at], &out->kind)) {
        map_wrong(c, "resource wants: NAME [is TYPE] event|identity|trusted|number|source "
                     "[unite]");
        return false;
    }
    out->name = map_intern(c, words.p[0].text);
    out->type = map_intern(c, words.p[at - 1].text);
    return true;
}

static struct draft_resource *new_resource(struct map_compiler *c)
{
    struct draft_resource *made = map_alloc(c, 1, sizeof(*made));
    struct draft_map *finish = map_new(c, DRAFT_RESOURCE);
    if (!made || !finish) {
        return NULL;
    }
    made->id = (uint16_t)c->resource_count++;
    made->finish = finish;
    *c->resources_end = made;
    c->resources_end = &made->next;
    if (c->resource_count > MAP_NAMES_MAX) {
        map_wrong(c, "too many resources");
    }
    return made;
}

/* A new resource, more rows for one (its name alone), or another kind of one. */
static void resource(struct map_compiler *c, struct map_words words)
{
    struct draft_resource said = { 0 };
    const struct draft_resource *known =
        words.n ? map_names_get(&c->resource_names, words.p[0].text) : NULL;
    bool more = known && words.n == 1 && c->change == CHANGE_NONE;
    if (c->change == CHANGE_REMOVE) {
        map_wrong(c, "a resource can't be removed");
        return;
    }
    if (!more && !resource_line(c, words, &said)) {
        return;
    }
    struct map_name *entry = map_entry(c, &c->resource_names, words.p[0].text);
    struct draft_resource *made = entry ? entry->value : NULL;
    if (made && !map_changeable(c, made->finish->where, "resource", entry->name)) {
        return;
    }
    if (made && !more && c->change == CHANGE_NONE) {
        map_wrong(c, "there is a resource %.*s already: more rows for it, or replace it",
                  MAP_SPAN(entry->name));
        return;
    }
    made = entry && !made ? new_resource(c) : made;
    if (!made) {
        return;
    }
    entry->value = made;
    if (!more) {
        made->name = said.name;
        made->type = said.type;
        made->kind = said.kind;
        made->unite = said.unite;
        made->finish->map.name = said.name.p;
    }
    begin_map(c, made->finish);
}

/* "TYPE^EVENT STRUCTURE" */
static void message(struct map_compiler *c, struct map_words words)
{
    size_t wanted = c->change == CHANGE_REMOVE ? 1 : 2; /* words */
    if (c->back) {
        map_back_message(c, words);
        return;
    }
    struct str rest = words.n == wanted ? words.p[0].text : STR("");
    struct str type = str_cut(&rest, '^');
    if (!type.n || !rest.n) {
        map_wrong(c, "message wants: TYPE^EVENT STRUCTURE");
        return;
    }
    struct map_name *entry = map_entry(c, &c->message_names, words.p[0].text);
    struct draft_message *made = entry ? entry->value : NULL;
    if (made && !made->gone && (c->change == CHANGE_NONE || !map_earlier(c, made->where))) {
        map_wrong(c, "there is a message %.*s already", MAP_SPAN(entry->name));
        return;
    }
    if (entry && !made) {
        made = map_alloc(c, 1, sizeof(*made));
    }
    if (!made) {
        return;
    }
    if (!entry->value) {
        *c->messages_end = made;
        c->messages_end = &made->next;
        c->message_count++;
    }
    entry->value = made;
    made->where = c->where;
    made->message.type = type;
    made->message.event = rest;
    made->structure = words.n > 1 ? words.p[1].text : made->structure;
    made->gone = c->change == CHANGE_REMOVE;
    c->section = SECTION_MESSAGE;
    if (c->message_count > MAP_NAMES_MAX) {
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
        { "table", map_table },   { "structure", map_structure }, { "message", message },
        { "ignore", ignore },     { "sender", map_sender },
    };
    struct map_words words = { c->line.tokens, c->line.count };
    c->section = SECTION_SKIPPED;
    c->change = map_is_word(&words.p[0], "replace")  ? CHANGE_REPLACE
                : map_is_word(&words.p[0], "remove") ? CHANGE_REMOVE
                                                     : CHANGE_NONE;
    words = map_slice(words, c->change != CHANGE_NONE && words.n > 1, words.n);
    c->back =
        words.n > 2 && map_is_word(&words.p[2], "from") && !map_is_word(&words.p[0], "table");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (map_is_word(&words.p[0], all[i].word)) {
            all[i].begin(c, map_slice(words, 1, words.n));
            return;
        }
    }
    map_wrong(c, "unknown section '%.*s'", MAP_SPAN(words.p[0].text));
}
