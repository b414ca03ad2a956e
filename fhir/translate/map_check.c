/* What can be said about maps once names are resolved: that running them ends. */
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
    if (rule->plus) {
        is = is && at_value(&rule->plus->amount) && at_value(&rule->plus->unit);
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
    return row->block
               ? row->block
               : map_names_get(row->back ? &c->back_datatypes : &c->datatype_names, name);
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
            map->map.alone = map->map.alone && !row->back && alone(row);
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
