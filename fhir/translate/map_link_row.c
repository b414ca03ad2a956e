/* Rows of a map: what their names mean, and the rules that they are. */
#include "fhir/format/json_write.h"
#include "fhir/translate/map_back.h"

static const struct {
    struct str name;
    enum rule_type type;
} types[] = {
    { STR_INIT("string"), TYPE_STRING },
    { STR_INIT("code"), TYPE_CODE },
    { STR_INIT("id"), TYPE_ID },
    { STR_INIT("uri"), TYPE_URI },
    { STR_INIT("boolean"), TYPE_BOOLEAN },
    { STR_INIT("integer"), TYPE_INTEGER },
    { STR_INIT("positive"), TYPE_POSITIVE },
    { STR_INIT("digits"), TYPE_DIGITS },
    { STR_INIT("decimal"), TYPE_DECIMAL },
    { STR_INIT("date"), TYPE_DATE },
    { STR_INIT("dateTime"), TYPE_DATETIME },
    { STR_INIT("instant"), TYPE_INSTANT },
    { STR_INIT("time"), TYPE_TIME },
    { STR_INIT("base64"), TYPE_BASE64 },
    { STR_INIT("hex"), TYPE_HEX },
    { STR_INIT("coding"), TYPE_CODING },
    { STR_INIT("concept"), TYPE_CONCEPT },
    { STR_INIT("assigner"), TYPE_ASSIGNER },
    { STR_INIT("issuer"), TYPE_ISSUER },
    { STR_INIT("codesystem"), TYPE_CODESYSTEM },
    { STR_INIT("encoded"), TYPE_ENCODED },
    { STR_INIT("reference"), TYPE_REFERENCE },
    { STR_INIT("link"), TYPE_LINK },
};

static bool find_resource(struct map_compiler *c, struct map_where where, struct str name,
                          uint16_t *out)
{
    const struct draft_resource *found = map_names_get(&c->resource_names, name);
    if (!found) {
        map_wrong_at(c, where, "unknown resource '%.*s'", MAP_SPAN(name));
        return false;
    }
    *out = found->id;
    return true;
}

/* The datatype that @name is, of the way back if @back; NULL if there is none. */
static const struct draft_map *datatype_of(const struct map_compiler *c, bool back,
                                           struct str name)
{
    return map_names_get(back ? &c->back_datatypes : &c->datatype_names, name);
}

static const struct rule_map *find_datatype(struct map_compiler *c, struct map_where where,
                                            struct str name)
{
    const struct draft_map *found = map_names_get(&c->datatype_names, name);
    if (!found) {
        map_wrong_at(c, where, "unknown datatype '%.*s'", MAP_SPAN(name));
        return NULL;
    }
    return &found->map;
}

static bool is_primitive(struct str name, enum rule_type *out)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(name, types[i].name)) {
            *out = types[i].type;
            return true;
        }
    }
    return false;
}

static void link_type(struct map_compiler *c, struct draft_row *row)
{
    struct rule *rule = &row->rule;
    if (row->block && !row->type.n) {
        rule->type = TYPE_MAP;
        rule->map = &row->block->map;
        return;
    }
    if (row->block || row->inner.n) {
        rule->type = TYPE_RESOURCE;
        rule->map = row->block ? &row->block->map : find_datatype(c, row->where, row->inner);
        (void)find_resource(c, row->where, row->type, &rule->resource);
        return;
    }
    bool included = row->back ? !rule->source : rule->path_count == 0;
    if (!included && is_primitive(row->type, &rule->type)) {
        return;
    }
    const struct draft_map *found = datatype_of(c, row->back, row->type);
    if (!found) {
        map_wrong_at(c, row->where, "unknown type '%.*s'", MAP_SPAN(row->type));
        return;
    }
    rule->type = TYPE_MAP;
    rule->map = &found->map;
}

/* What a table may stand behind. */
static bool takes_table(const struct rule *rule, bool given, bool back)
{
    switch (rule->type) {
    case TYPE_CODING:
    case TYPE_CONCEPT:
    case TYPE_MAP: return true;
    case TYPE_STRING:
    case TYPE_CODE:
    case TYPE_URI:
    case TYPE_BOOLEAN:
    case TYPE_INTEGER:
    case TYPE_POSITIVE:
    case TYPE_DIGITS:
    case TYPE_DECIMAL: return !given;
    case TYPE_CODESYSTEM: return given && back;
    case TYPE_DATETIME:
    case TYPE_INSTANT: return rule->plus && !given;
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_BASE64:
    case TYPE_HEX:
    case TYPE_ID:
    case TYPE_ASSIGNER:
    case TYPE_ISSUER:
    case TYPE_ENCODED:
    case TYPE_REFERENCE:
    case TYPE_LINK:
    case TYPE_RESOURCE: break;
    }
    return false;
}

static const struct rule_table *find_table(struct map_compiler *c, struct map_where where,
                                           struct str name)
{
    const struct draft_table *found = map_names_get(&c->table_names, name);
    if (!found) {
        map_wrong_at(c, where, "unknown table '%.*s'", MAP_SPAN(name));
        return NULL;
    }
    return &found->table;
}

static void link_table(struct map_compiler *c, struct draft_row *row)
{
    if (!row->table.n) {
        return;
    }
    row->rule.table_given = str_eq(row->table, STR("given"));
    if (!takes_table(&row->rule, row->rule.table_given, row->back)) {
        map_wrong_at(c, row->where, "this type takes no table, or none that is given");
    } else if (!row->rule.table_given) {
        row->rule.table = find_table(c, row->where, row->table);
    }
}

/* Resources are referred to, and nothing else is. */
static void check_reference(struct map_compiler *c, const struct draft_row *row)
{
    const struct rule *rule = &row->rule;
    bool to = rule->source == SOURCE_RESOURCE ||
              (rule->source == SOURCE_KNOWN && rule->known == KNOWN_IT);
    bool refers = rule->type == TYPE_REFERENCE || rule->type == TYPE_LINK;
    if (row->back) {
        if (refers || rule->type == TYPE_ISSUER || rule->known == KNOWN_IT) {
            map_wrong_at(c, row->where, "not on the way back");
        }
        return;
    }
    if (to != refers && !(to && rule->type == TYPE_MAP)) {
        map_wrong_at(c, row->where,
                     to ? "another resource can only be a reference, a link or a block"
                        : "a reference or link wants a resource on the left");
    }
}

/* Only a time can be later. */
static void check_plus(struct map_compiler *c, const struct draft_row *row)
{
    if (row->rule.plus && row->rule.type != TYPE_DATETIME && row->rule.type != TYPE_INSTANT) {
        map_wrong_at(c, row->where, "'plus' wants a dateTime or an instant");
    }
}

void map_link_tests(struct map_compiler *c, struct map_where where, struct rule_test *tests,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tests[i].op == OP_RESOURCE) {
            (void)find_resource(c, where, tests[i].values[0], &tests[i].number);
        } else if (tests[i].op == OP_TABLE) {
            tests[i].table = find_table(c, where, tests[i].values[0]);
        }
    }
}

/* The field or part without which @rule gives nothing. */
static void find_needs(struct rule *rule)
{
    bool fixed = rule->source != SOURCE_VALUE || rule->which == WHICH_ALL ||
                 rule->type == TYPE_ISSUER || rule->otherwise;
    if (fixed) {
        return;
    }
    rule->needs = rule->from.field;
    rule->parts = rule->from.field ? 0 : rule_parts(&rule->from);
}

/* Whether @rule puts something at an element called "end". */
static bool is_end(const struct rule *rule)
{
    return rule->path_count && strcmp(rule->path[rule->path_count - 1].name->z, "end") == 0;
}

/* Whether what @rule puts is its constant as it stands, and needs no escape in JSON. */
static bool stays_plain(const struct rule *rule)
{
    bool same = rule->type == TYPE_STRING || rule->type == TYPE_CODE || rule->type == TYPE_URI;
    return rule->source == SOURCE_TEXT && same && !rule->table && json_is_plain(rule->text);
}

static void link_row(struct map_compiler *c, struct draft_row *row)
{
    link_type(c, row);
    link_table(c, row);
    check_reference(c, row);
    check_plus(c, row);
    map_link_tests(c, row->where, row->tests, row->test_count);
    if (row->refers.n && !row->back) {
        (void)find_resource(c, row->where, row->refers, &row->rule.resource);
    }
    if (row->within.n) {
        (void)find_resource(c, row->where, row->within, &row->rule.within);
    }
    if (row->otherwise) {
        link_row(c, row->otherwise);
        row->rule.otherwise = &row->otherwise->rule;
    }
    find_needs(&row->rule);
    row->rule.file = row->where.file;
    row->rule.line = row->where.line;
    row->rule.plain = stays_plain(&row->rule);
    row->rule.ends = is_end(&row->rule);
    for (uint8_t i = 0; i < row->rule.path_count; i++) {
        row->rule.keyed |= row->rule.path[i].item == ITEM_KEYED;
    }
}

/* A copy of what @rule points at, so that it lies beside what other rules of its map do. */
static const void *beside(struct map_compiler *c, const void *p, size_t n)
{
    void *copy = p && n ? map_alloc(c, 1, n) : NULL;
    return copy ? memcpy(copy, p, n) : p;
}

/* What the rules of a map look at, in their order: it is read in the order in which it lies. */
static void gather(struct map_compiler *c, const struct draft_map *map, struct rule *rules)
{
    size_t n = 0;
    for (const struct draft_row *row = map->first; row && !row->back; row = row->next) {
        struct rule *rule = &rules[n++];
        rule->tests = beside(c, rule->tests, row->test_count * sizeof(*rule->tests));
        rule->path = beside(c, rule->path, rule->path_count * sizeof(*rule->path));
        rule->pieces = beside(c, rule->pieces, rule->piece_count * sizeof(*rule->pieces));
    }
}

void map_link_map(struct map_compiler *c, struct draft_map *map)
{
    enum rule_type type;
    if (map->kind == DRAFT_DATATYPE && is_primitive(str_z(map->map.name), &type)) {
        map_wrong_at(c, map->where, "%s is a type already", map->map.name);
    }
    size_t n = 0;
    for (const struct draft_row *row = map->first; row; row = row->next) {
        n++;
    }
    if (n > UINT16_MAX) {
        map_wrong_at(c, map->where, "too many rows");
    }
    struct rule *rules = map_alloc(c, n, sizeof(*rules));
    n = 0;
    for (struct draft_row *row = map->first; row && rules; row = row->next) {
        link_row(c, row);
        rules[n++] = row->rule;
    }
    if (rules) {
        gather(c, map, rules);
    }
    map->map.rules = rules;
    map->map.count = (uint16_t)n;
    if (map->required) {
        struct rule_test *tests = map_steps(c, map->required);
        map->map.required = tests;
        if (tests) {
            map_link_tests(c, map->where, tests, map->required->size);
        }
    }
}
