/*
 * What can be said about maps once names are resolved: which fields are read, and that
 * running them ends.
 */
#include "fhir/translate/map_draft.h"

enum {
    NESTING_MAX = 32,   /* datatypes in datatypes */
    COST_MAX = 1 << 16, /* rows that one row may run */
};

static bool at_value(const struct rule_address *at)
{
    return at->segment == RULE_VALUE;
}

/* Whether what @row makes depends on nothing but the value, maps inside it aside. */
static bool alone(const struct draft_row *row)
{
    const struct rule *rule = &row->rule;
    bool is = rule->source != SOURCE_RESOURCE && at_value(&rule->from) &&
              (rule->source != SOURCE_KNOWN || rule->known == KNOWN_TABLE);
    for (size_t i = 0; i < rule->piece_count; i++) {
        is = is && at_value(&rule->pieces[i].at);
    }
    for (size_t i = 0; i < row->test_count; i++) {
        is = is && at_value(&row->tests[i].at) && at_value(&row->tests[i].other);
    }
    return is;
}

/* The map that @row runs on a value, or NULL. */
static struct draft_map *runs(const struct map_compiler *c, const struct draft_row *row)
{
    struct str name = row->inner.n ? row->inner : row->type;
    return row->block ? row->block : map_names_get(&c->datatype_names, name);
}

/* Rows that @map runs at most, those of maps inside it included. */
static void visit(struct map_compiler *c, struct draft_map *map, size_t depth)
{
    if (map->visit == VISIT_DONE) {
        return;
    }
    if (map->visit == VISIT_OPEN || depth > NESTING_MAX) {
        map_wrong_at(c, map->where,
                     map->visit == VISIT_OPEN ? "it holds itself"
                                              : "too many datatypes in each other");
        map->visit = VISIT_DONE;
        return;
    }
    map->visit = VISIT_OPEN;
    map->map.alone = true;
    for (const struct draft_row *first = map->first; first; first = first->next) {
        for (const struct draft_row *row = first; row; row = row->otherwise) {
            struct draft_map *inner = runs(c, row);
            map->cost++;
            map->map.alone = map->map.alone && alone(row);
            if (inner) {
                visit(c, inner, depth + 1);
                map->cost += inner->cost;
                map->map.alone = map->map.alone && inner->map.alone;
            }
        }
    }
    if (map->cost > COST_MAX) {
        map_wrong_at(c, map->where, "it would run too many rows");
        map->cost = 0; /* told once */
    }
    map->visit = VISIT_DONE;
}

void map_check_depth(struct map_compiler *c)
{
    for (struct draft_map *map = c->maps; map && !c->error; map = map->next) {
        if (map->kind != DRAFT_BLOCK && !map->gone) {
            visit(c, map, 0); /* blocks by the rows that open them */
        }
    }
}

/* --- what is read ---------------------------------------------------------------------- */

/* Where the bits go: fields of segments, and parts of the value at hand. */
struct reads {
    struct rule_segment *segments;
    uint64_t parts;
};

static void look(struct reads *reads, const struct rule_address *at)
{
    if (at->segment >= 0) {
        reads->segments[at->segment].read[at->field / 64] |= (uint64_t)1 << at->field % 64;
    } else if (at->component == 0 || at->onwards) {
        reads->parts |= at->component < 64 ? ~(uint64_t)0 << at->component : 0;
    } else {
        reads->parts |= (uint64_t)1 << (at->component < 64 ? at->component : 63);
    }
}

/* Whether tests of this kind look at an address. */
static bool has_address(enum rule_op op)
{
    return op != OP_SET && op != OP_RESOURCE && op != OP_SEGMENT && op != OP_EVENT &&
           op != OP_OPTION;
}

static void read_tests(struct reads *reads, const struct rule_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tests[i].op == OP_SAME || (tests[i].op == OP_COMPARE && !tests[i].count)) {
            look(reads, &tests[i].other);
        }
        if (has_address(tests[i].op)) {
            look(reads, &tests[i].at);
        }
    }
}

static void read_rows(const struct map_compiler *c, struct reads *reads,
                      const struct draft_map *map)
{
    for (const struct draft_row *row = map->first; row; row = row->next) {
        if (row->rule.source == SOURCE_VALUE) {
            look(reads, &row->rule.from);
        }
        for (size_t i = 0; i < row->rule.piece_count; i++) {
            look(reads, &row->rule.pieces[i].at);
        }
        read_tests(reads, row->tests, row->test_count);
        const struct draft_map *inner = row->rule.source == SOURCE_NONE ? runs(c, row) : NULL;
        if (inner) {
            read_rows(c, reads, inner); /* it looks at the same value */
        }
    }
}

void map_check_read(struct map_compiler *c, struct rule_segment *segments)
{
    for (struct draft_map *map = c->maps; map; map = map->next) {
        struct reads reads = { .segments = segments };
        if (map->visit == VISIT_NEW) {
            continue; /* of a row or section that is no more */
        }
        read_rows(c, &reads, map);
        map->map.read = reads.parts;
    }
}
