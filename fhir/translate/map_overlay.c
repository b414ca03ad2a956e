/*
 * Rows of a later layer. They run before those of earlier layers, so that where both fill the
 * same element the later layer wins; or they take the place of rows with the same source and
 * path, wherever these stand in the section.
 */
#include "fhir/translate/map_back.h"

uint16_t map_layer(const struct map_compiler *c, struct map_where where)
{
    return c->files[where.file].layer;
}

bool map_earlier(const struct map_compiler *c, struct map_where where)
{
    return map_layer(c, where) < map_layer(c, c->where);
}

void map_clear(struct draft_map *map)
{
    map->first = NULL;
    map->end = &map->first;
    map->front = NULL;
    map->required = NULL;
}

void map_add_row(struct map_compiler *c, struct draft_row *row)
{
    struct draft_map *to = c->blocks[c->depth - 1];
    struct draft_row **at = to->end;
    if (map_earlier(c, to->where)) {
        uint16_t layer = map_layer(c, c->where);
        at = to->front && to->front_layer == layer ? to->front : &to->first;
        to->front = &row->next;
        to->front_layer = layer;
    }
    row->next = *at;
    *at = row;
    if (!row->next) {
        to->end = &row->next;
    }
}

static bool same_address(const struct rule_address *a, const struct rule_address *b)
{
    return a->segment == b->segment && a->field == b->field && a->repetition == b->repetition &&
           a->component == b->component && a->subcomponent == b->subcomponent &&
           a->onwards == b->onwards;
}

static bool same_pieces(const struct rule *a, const struct rule *b)
{
    bool same = a->piece_count == b->piece_count;
    for (size_t i = 0; same && i < a->piece_count; i++) {
        same = str_eq(a->pieces[i].lead, b->pieces[i].lead) &&
               same_address(&a->pieces[i].at, &b->pieces[i].at);
    }
    return same;
}

static bool same_plus(const struct rule_plus *a, const struct rule_plus *b)
{
    return !a || !b ? a == b
                    : same_address(&a->amount, &b->amount) && a->has_unit == b->has_unit &&
                          same_address(&a->unit, &b->unit);
}

static bool same_path(const struct rule *a, const struct rule *b)
{
    bool same = a->path_count == b->path_count;
    for (size_t i = 0; same && i < a->path_count; i++) {
        same = a->path[i].name == b->path[i].name && a->path[i].item == b->path[i].item &&
               same_address(&a->path[i].key, &b->path[i].key);
    }
    return same;
}

/* The same for rows of the way back. */
static bool same_back_row(const struct draft_row *a, const struct draft_row *b)
{
    const struct rule *x = &a->rule;
    const struct rule *y = &b->rule;
    bool parted = x->source == SOURCE_PARTED;
    return x->source == y->source && x->which == y->which && same_address(&x->from, &y->from) &&
           str_eq(a->refers, b->refers) && (!parted || same_pieces(x, y));
}

/* Whether both have the same source and path, the only name that a row has. */
static bool same_row(const struct draft_row *a, const struct draft_row *b)
{
    const struct rule *x = &a->rule;
    const struct rule *y = &b->rule;
    if (a->back) {
        return same_back_row(a, b);
    }
    return x->source == y->source && x->which == y->which && x->near == y->near &&
           x->known == y->known && same_address(&x->from, &y->from) &&
           same_plus(x->plus, y->plus) && str_eq(x->text, y->text) &&
           str_eq(a->refers, b->refers) && str_eq(a->within, b->within) && same_pieces(x, y) &&
           same_path(x, y) && (x->path_count || str_eq(a->type, b->type));
}

static bool shares_condition(const struct draft_row *row)
{
    bool whole =
        row->rule.source == SOURCE_NONE && !row->rule.from.component && !row->rule.from.field;
    return row->block && !row->type.n && row->rule.path_count == 0 && (!row->back || whole);
}

/*
 * Put @row in the place of the first row of earlier layers in @map that is the same, and take
 * the others away; with @row that removes, all of them. Returns how many there were.
 */
static size_t change_rows(struct map_compiler *c, struct draft_map *map,
                          const struct draft_row *like, struct draft_row **row)
{
    size_t changed = 0;
    struct draft_row **at = &map->first;
    while (*at) {
        struct draft_row *old = *at;
        if (shares_condition(old)) {
            changed += change_rows(c, old->block, like, row);
        }
        if (!map_earlier(c, old->where) || !same_row(old, like)) {
            at = &old->next;
            continue;
        }
        changed++;
        *at = old->next;
        if (*row) {
            (*row)->next = old->next;
            *at = *row;
            at = &(*row)->next;
            *row = NULL;
        }
    }
    map->end = at;
    map->front = NULL;
    return changed;
}

/* The same in all maps of earlier layers that the section at hand is about. */
static size_t change_section(struct map_compiler *c, const struct draft_row *like,
                             struct draft_row **row)
{
    struct draft_map *own = c->blocks[0];
    if (own->kind != DRAFT_SEGMENT) {
        return change_rows(c, own, like, row);
    }
    size_t changed = 0;
    for (struct draft_segment_map *m = c->segment_maps; m; m = m->next) {
        if (map_same_segment(m, c->segment_map) && !m->map->gone) {
            changed += change_rows(c, m->map, like, row);
        }
    }
    return changed;
}

static bool at_section(struct map_compiler *c, const char *word)
{
    if (c->depth != 1) {
        map_wrong(c, "'%s' stands directly below the section's first line", word);
        return false;
    }
    return true;
}

void map_replace_row(struct map_compiler *c, struct draft_row *row)
{
    struct draft_row *left = row;
    if (at_section(c, "replace") && change_section(c, row, &left) == 0) {
        map_wrong(c, "no row with this source and path to replace");
    }
}

void map_remove_row(struct map_compiler *c, struct map_words words)
{
    struct draft_row row = { .rule.from.segment = RULE_VALUE };
    struct draft_row *none = NULL;
    if (c->back) {
        if (map_back_ends(c, words, &row) && at_section(c, "remove") &&
            change_section(c, &row, &none) == 0) {
            map_wrong(c, "no row with this source and path to remove");
        }
        return;
    }
    size_t arrow = 0;
    while (arrow < words.n && words.p[arrow].kind != MAP_ARROW &&
           words.p[arrow].kind != MAP_WEAK) {
        arrow++;
    }
    if (arrow + 2 != words.n || words.p[arrow + 1].kind != MAP_WORD) {
        map_wrong(c, "remove wants: SOURCE -> PATH");
        return;
    }
    struct str path = words.p[arrow + 1].text;
    bool resource = map_is_resource(path);
    row.type = resource ? path : row.type;
    bool good = map_source(c, map_slice(words, 0, arrow), &row) &&
                (resource || map_path(c, path, &row.rule));
    if (good && at_section(c, "remove") && change_section(c, &row, &none) == 0) {
        map_wrong(c, "no row with this source and path to remove");
    }
}
