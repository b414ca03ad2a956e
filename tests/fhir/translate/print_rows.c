/*
 * Print what the shipped maps say once compiled, one fact a line, cut by tabs, for
 * check_guide.py.
 *
 *     row       SECTION NAME RESOURCE PATH FROM TEXT TYPE TABLE TESTED FILE:LINE
 *     table     TABLE SOURCE-SYSTEM SYSTEM
 *     code      TABLE FROM CODE DISPLAY SYSTEM
 *     resource  NAME TYPE
 *     message   TYPE^EVENT GROUP SEGMENTS RESOURCES
 *     ignored   SEGMENT FIELD...
 *
 * Blocks and datatypes are unfolded: a row of a datatype is printed once for the datatype, and
 * once for each place where it is used, with the address and path it has there. Inside another
 * resource the path goes on after its type in parentheses.
 */
#include "crypto/base/buf.h"
#include "tests/check.h"
#include "tests/shipped.h"

enum {
    TEXT_MAX = 2048,
    NAMED_MAX = 512,
};

/* Where a walk through rows stands. */
struct at {
    const char *section;
    const char *name;
    const char *resource;
    char base[TEXT_MAX]; /* address of the value at hand */
    char path[TEXT_MAX];
    char tested[TEXT_MAX];
};

/* The datatypes and tables met so far. */
static const struct rules *all;
static const struct rule_map *named[NAMED_MAX];
static const struct rule_table *tables[NAMED_MAX];
static size_t named_count;
static size_t table_count;

static void meet_map(const struct rule_map *map)
{
    for (size_t i = 0; i < named_count; i++) {
        if (named[i] == map) {
            return;
        }
    }
    assert_true(named_count < NAMED_MAX);
    named[named_count++] = map;
}

static void meet_table(const struct rule_table *table)
{
    for (size_t i = 0; i < table_count; i++) {
        if (tables[i] == table) {
            return;
        }
    }
    assert_true(table_count < NAMED_MAX);
    tables[table_count++] = table;
}

PRINTF_LIKE(2, 3) static void add(char *text, const char *format, ...)
{
    size_t n = strlen(text);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(text + n, TEXT_MAX - n, format, args);
    va_end(args);
    assert_true(more >= 0 && n + (size_t)more < TEXT_MAX);
}

static void add_address(char *text, const struct at *at, const struct rule_address *from)
{
    if (from->segment == RULE_VALUE) {
        add(text, "%s", at->base);
    } else {
        add(text, "%s-%u", all->segments[from->segment].name, (unsigned)from->field);
    }
    if (from->component) {
        add(text, ".%u", (unsigned)from->component);
    }
    if (from->subcomponent) {
        add(text, ".%u", (unsigned)from->subcomponent);
    }
    add(text, "%s", from->onwards ? "+" : "");
}

/* --- conditions ------------------------------------------------------------------------ */

static void add_test(struct at *at, const struct rule_test *test)
{
    char *text = at->tested;
    if (test->op == OP_SEGMENT) {
        add(text, " %s", all->segments[test->at.segment].name);
    } else if (test->op == OP_RESOURCE) {
        add(text, " @%s", all->resources[test->number].name);
    } else if (test->op != OP_EVENT && test->op != OP_OPTION && test->op != OP_SET) {
        add(text, " ");
        add_address(text, at, &test->at);
    }
    if (test->op == OP_SAME || (test->op == OP_COMPARE && !test->count)) {
        add(text, " ");
        add_address(text, at, &test->other);
    }
    if (test->op == OP_TABLE) {
        meet_table(test->table);
    }
}

/* The steps of a condition: the last one leads nowhere but to the end. */
static void add_tests(struct at *at, const struct rule_test *tests)
{
    size_t last = 0;
    for (size_t i = 0; tests && i <= last; i++) {
        add_test(at, &tests[i]);
        last = tests[i].yes < RULE_FAILS && tests[i].yes > last ? tests[i].yes : last;
        last = tests[i].no < RULE_FAILS && tests[i].no > last ? tests[i].no : last;
    }
}

/* --- rows ------------------------------------------------------------------------------ */

/* The words of the language that the checks tell apart. */
struct word {
    int value;
    const char *name;
};

static const struct word known_words[] = {
    { KNOWN_RECORDED, "$recorded" },
    { KNOWN_GATEWAY, "$gateway" },
    { KNOWN_DIGEST, "$digest" },
    { KNOWN_EVENT, "$event" },
};

static const struct word type_words[] = {
    { TYPE_STRING, "string" },     { TYPE_CODE, "code" },     { TYPE_BOOLEAN, "boolean" },
    { TYPE_DATETIME, "dateTime" }, { TYPE_CODING, "coding" }, { TYPE_CONCEPT, "concept" },
    { TYPE_ASSIGNER, "assigner" },
};

static const char *find_word(const struct word *words, size_t count, int value,
                             const char *otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i].value == value) {
            return words[i].name;
        }
    }
    return otherwise;
}

static void add_from(char *text, const struct at *at, const struct rule *rule)
{
    if (rule->source == SOURCE_VALUE) {
        add_address(text, at, &rule->from);
        if (rule->plus) {
            add(text, " ");
            add_address(text, at, &rule->plus->amount);
        }
    } else if (rule->source == SOURCE_RESOURCE) {
        add(text, "@%s",
            rule->near == NEAR_EVERY ? "every" : all->resources[rule->resource].type);
    } else if (rule->source == SOURCE_KNOWN && rule->known != KNOWN_IT) {
        add(text, "%s",
            find_word(known_words, ARRAY_LEN(known_words), (int)rule->known, "$known"));
    } else if (rule->source == SOURCE_FORMAT) {
        for (int i = 0; i < rule->piece_count; i++) {
            add(text, "%s", i ? " " : "");
            add_address(text, at, &rule->pieces[i].at);
        }
    } else {
        add(text, "%s", at->base);
    }
}

static const char *type_name(const struct rule *rule)
{
    if (rule->type == TYPE_MAP || rule->type == TYPE_RESOURCE) {
        return rule->map->name ? rule->map->name : "{";
    }
    return find_word(type_words, ARRAY_LEN(type_words), (int)rule->type, "primitive");
}

/* A constant on one line. */
static void print_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)putchar(text[i] == '\t' || text[i] == '\n' ? ' ' : text[i]);
    }
}

static void print_row(const struct at *at, const struct rule *rule, const char *from)
{
    const char *table = rule->table ? rule->table->name : "";
    (void)printf("row\t%s\t%s\t%s\t%s\t%s\t", at->section, at->name, at->resource, at->path,
                 from);
    if (rule->source == SOURCE_TEXT) {
        print_text(rule->text.p, rule->text.n);
    }
    (void)printf("\t%s\t%s\t%s\t%s:%u\n", type_name(rule), rule->table_given ? "given" : table,
                 at->tested, all->files[rule->file], (unsigned)rule->line);
}

static void walk(const struct rule_map *map, const struct at *above);

/* What @rule holds: rows of a block or datatype, perhaps in a resource of their own. */
static void walk_inside(const struct rule *rule, const struct at *above, const char *from)
{
    struct at inside = *above;
    if (rule->source == SOURCE_VALUE || rule->source == SOURCE_RESOURCE) {
        (void)snprintf(inside.base, sizeof(inside.base), "%s", from);
    }
    if (rule->map->name) {
        meet_map(rule->map);
    }
    walk(rule->map, &inside);
}

static void walk_row(const struct rule *rule, const struct at *above)
{
    struct at here = *above;
    char from[TEXT_MAX] = "";
    add_tests(&here, rule->tests);
    for (int i = 0; i < rule->path_count; i++) {
        add(here.path, "%s%s", here.path[0] ? "." : "", rule->path[i].name->z);
    }
    add_from(from, &here, rule);
    if (rule->table) {
        meet_table(rule->table);
    }
    bool inside = rule->type == TYPE_MAP || rule->type == TYPE_RESOURCE;
    if (rule->type == TYPE_RESOURCE) {
        add(here.path, "(%s)", all->resources[rule->resource].type);
    }
    if (!inside || rule->path_count) {
        print_row(&here, rule, from);
    }
    if (inside) {
        walk_inside(rule, &here, from);
    }
    if (rule->otherwise) {
        walk_row(rule->otherwise, above);
    }
}

static void walk(const struct rule_map *map, const struct at *above)
{
    struct at here = *above;
    add_tests(&here, map->required);
    for (size_t i = 0; i < map->count; i++) {
        walk_row(&map->rules[i], &here);
    }
}

static void print_segments(void)
{
    for (size_t i = 0; i < all->segment_count; i++) {
        const struct rule_segment *segment = &all->segments[i];
        for (size_t k = 0; k < segment->map_count; k++) {
            const struct rule_resource *of = &all->resources[segment->maps[k].resource];
            struct at at = { .section = "segment",
                             .name = segment->name,
                             .resource = of->type };
            (void)snprintf(at.base, sizeof(at.base), "%s", segment->name);
            walk(segment->maps[k].map, &at);
        }
        (void)printf("ignored\t%s", segment->name);
        for (unsigned k = 0; k < RULE_WORDS * 64; k++) {
            if (segment->ignored[k / 64] >> k % 64 & 1) {
                (void)printf(" %u", k);
            }
        }
        (void)printf("\n");
    }
}

static void print_resources(void)
{
    for (size_t i = 0; i < all->resource_count; i++) {
        const struct rule_resource *resource = &all->resources[i];
        struct at at = { .section = "resource",
                         .name = resource->name,
                         .resource = resource->type };
        (void)printf("resource\t%s\t%s\n", resource->name, resource->type);
        walk(resource->finish, &at);
    }
}

/* The list grows while datatypes that stand in others are met. */
static void print_datatypes(void)
{
    for (size_t i = 0; i < named_count; i++) {
        struct at at = { .section = "datatype", .name = named[i]->name, .resource = "" };
        walk(named[i], &at);
    }
}

static void print_tables(void)
{
    for (size_t i = 0; i < table_count; i++) {
        const struct rule_table *t = tables[i];
        (void)printf("table\t%s\t%.*s\t%.*s\n", t->name, (int)t->source.n, t->source.p,
                     (int)t->system.n, t->system.p);
        for (size_t k = 0; k <= t->count; k++) {
            const struct rule_code *code = k < t->count ? &t->codes[k] : t->other;
            if (code) {
                struct str system = code->system.n ? code->system : t->system;
                (void)printf("code\t%s\t%.*s\t%.*s\t%.*s\t%.*s\n", t->name, (int)code->from.n,
                             code->from.p, (int)code->code.n, code->code.p,
                             (int)code->display.n, code->display.p, (int)system.n, system.p);
            }
        }
    }
}

static void print_group(const struct rule_message *message, const struct rule_group *group,
                        const char *above)
{
    char name[TEXT_MAX] = "";
    add(name, "%s%s%s", above, above[0] ? "." : "", group->name);
    (void)printf("message\t%.*s^%.*s\t%s\t", (int)message->type.n, message->type.p,
                 (int)message->event.n, message->event.p, name);
    for (size_t i = 0; i < group->member_count; i++) {
        (void)printf("%s%s", i ? " " : "", all->segments[group->members[i].segment].name);
    }
    (void)printf("\t");
    for (size_t i = 0; i < group->resource_count; i++) {
        (void)printf("%s%s", i ? " " : "", all->resources[group->resources[i]].name);
    }
    (void)printf("\n");
    for (size_t i = 0; i < group->child_count; i++) {
        print_group(message, group->children[i], name);
    }
}

int main(void)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    all = shipped_rules(arena);
    print_segments();
    print_resources();
    print_datatypes();
    print_tables();
    for (size_t i = 0; i < all->message_count; i++) {
        print_group(&all->messages[i], all->messages[i].root, "");
    }
    return 0;
}
