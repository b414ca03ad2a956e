/*
 * Running rows of the way back.
 *
 * A row is: test, find, convert, put. The first row that puts something at a place has it;
 * "each" adds repetitions. A block or datatype that puts nothing but constants leaves no trace.
 */
#include "fhir/translate/back.h"

#include <errno.h>

static void run_rows(struct back *b, const struct back_place *place,
                     const struct rule_map *map);

/* Put @text at @place for @rule. */
static void put(struct back *b, const struct back_place *place, const struct rule *rule,
                struct str text)
{
    bool constant = rule->source == SOURCE_TEXT ||
                    (rule->source == SOURCE_KNOWN && rule->known == KNOWN_NUMBER);
    back_put(b, &place->spot, text);
    b->solid = b->solid || !constant;
}

/* --- datatypes and blocks ---------------------------------------------------------------- */

static bool reads_type(const struct rule_map *map, struct str type)
{
    for (uint16_t i = 0; i < map->type_count; i++) {
        if (str_eq(str_z(map->types[i]), type)) {
            return true;
        }
    }
    return map->type_count == 0;
}

/* The type that a Reference says it leads to; empty: it doesn't say. */
static struct str said_type(const struct node *node)
{
    struct str type = node_text(node, "type");
    struct str text = node_text(node, "reference");
    struct str head = text;
    struct str first = str_cut(&head, '/');
    bool relative = first.n && first.n < text.n && first.p[0] >= 'A' && first.p[0] <= 'Z';
    return type.n ? type : relative ? first : (struct str){ 0 };
}

/*
 * What @map reads of @node: of a reference what it leads to, if that is of its types; one that
 * leads nowhere stands for itself, with its identifier and its text. NULL: nothing.
 */
static const struct node *readable(const struct back *b, const struct rule_map *map,
                                   const struct node *node)
{
    bool refers = node_get(node, "reference") || node_get(node, "display");
    bool resource = map->type_count && node_is(node, NODE_OBJECT) && refers &&
                    !node_get(node, "resourceType") && !node_get(node, "code") &&
                    !node_get(node, "system");
    if (!resource) {
        return node;
    }
    struct back_resource *to = back_resolve(b, node);
    if (to) {
        to->read = to->read || reads_type(map, to->type);
        return reads_type(map, to->type) ? to->node : NULL;
    }
    struct str type = said_type(node);
    return !type.n || reads_type(map, type) ? node : NULL;
}

bool back_run(struct back *b, const struct back_place *place, const struct rule_map *map)
{
    if (!back_holds(b, place, map->required)) {
        return false;
    }
    run_rows(b, place, map);
    return true;
}

/* A datatype or block on @node; whether it put something. */
static bool run_map(struct back *b, const struct back_place *place, const struct rule *rule,
                    const struct node *node)
{
    struct back_place inner = *place;
    inner.at = node ? readable(b, rule->map, node) : NULL;
    inner.table = rule->table ? rule->table : place->table;
    if (!inner.at) {
        return false;
    }
    size_t mark = v2_write_mark(&b->writer);
    bool before = b->solid;
    b->solid = false;
    (void)back_run(b, &inner, rule->map);
    bool solid = b->solid;
    if (!solid) {
        v2_write_undo(&b->writer, mark);
    }
    b->solid = before || solid;
    return solid;
}

/* --- values ------------------------------------------------------------------------------ */

/* Put what @rule makes of @node; whether something came of it. */
static bool apply(struct back *b, const struct back_place *place, const struct rule *rule,
                  const struct node *node)
{
    if (rule->type == TYPE_MAP) {
        return run_map(b, place, rule, node);
    }
    if (rule->type == TYPE_ASSIGNER) {
        bool put_any = back_assigner(b, &place->spot, node);
        b->solid = b->solid || put_any;
        return put_any;
    }
    struct str text = { 0 };
    struct back_place about = *place;
    about.at = node->parent; /* what stands beside it may matter */
    switch (back_leaf(b, &about, rule, node, &text)) {
    case BACK_FITS: put(b, place, rule, text); return text.n > 0;
    case BACK_UNFIT:
        back_issue(b, rule->table ? ISSUE_INFORMATION : ISSUE_WARNING, "value", node,
                   rule->table ? "a code without counterpart: left out"
                               : "not a value of the type that is expected here: left out");
        return false;
    case BACK_NOTHING: break;
    }
    return false;
}

/* The next free repetition of the field at @place. */
static void next_repetition(const struct back *b, struct back_place *place)
{
    place->spot.repetition = v2_write_repetitions(&b->writer, place->spot.field) + 1;
}

static void put_each(struct back *b, struct back_place *place, const struct rule *rule,
                     const struct back_nodes *found)
{
    for (size_t i = 0; i < found->n && !b->error; i++) {
        if (!back_is_spent(b, found->list[i])) {
            next_repetition(b, place);
            (void)apply(b, place, rule, found->list[i]);
        }
    }
}

/* The texts of all that was found with @join between them. */
static struct str joined(struct back *b, const struct back_place *place,
                         const struct rule *rule, const struct back_nodes *found, char join)
{
    struct buf all = arena_buf(b->arena, V2_MESSAGE_MAX);
    for (size_t i = 0; i < found->n && !b->error; i++) {
        struct str text = { 0 };
        if (back_leaf(b, place, rule, found->list[i], &text) == BACK_FITS) {
            buf_put(&all, &join, all.n ? 1 : 0);
            buf_str_put(&all, text);
        }
    }
    b->error = buf_failed(&all) ? -ENOMEM : b->error;
    return buf_str(&all);
}

/* Each line of @text as a repetition; empty ones between keep their place. */
static void put_lines(struct back *b, struct back_place *place, const struct rule *rule,
                      struct str text)
{
    bool more = text.n > 0;
    next_repetition(b, place);
    while (more) {
        struct str whole = text;
        struct str line = str_cut(&text, '\n');
        more = line.n < whole.n;
        line.n -= str_ends(line, STR("\r"));
        put(b, place, rule, line);
        place->spot.repetition++;
    }
}

static void run_path(struct back *b, struct back_place *place, const struct rule *rule)
{
    struct back_nodes found = { 0 };
    back_find(b, place, rule->read, &found);
    switch (rule->which) {
    case WHICH_EACH: put_each(b, place, rule, &found); return;
    case WHICH_LINES: put_lines(b, place, rule, joined(b, place, rule, &found, '\n')); return;
    case WHICH_WORDS: {
        struct str text = joined(b, place, rule, &found, ' ');
        if (text.n) {
            put(b, place, rule, text);
        }
        return;
    }
    case WHICH_FIRST:
        for (size_t i = 0; i < found.n && !b->error; i++) {
            if (apply(b, place, rule, found.list[i])) {
                return;
            }
        }
        return;
    case WHICH_REST:
    case WHICH_ALL: break; /* not on the way back */
    }
}

/* --- texts ------------------------------------------------------------------------------- */

static struct str known(struct back *b, enum rule_known which)
{
    struct buf text = arena_buf(b->arena, 64);
    switch (which) {
    case KNOWN_RECORDED: return b->to->recorded;
    case KNOWN_EVENT: return b->message->event;
    case KNOWN_TYPE: return b->message->type;
    case KNOWN_CONTROL: return b->to->control;
    case KNOWN_VERSION: return str_z(v2_version_name(b->to->version));
    case KNOWN_CHARSET: return b->to->charset;
    case KNOWN_STRUCTURE:
        buf_str_put(&text, b->message->type);
        buf_c(&text, '_');
        buf_str_put(&text, b->message->event);
        break;
    case KNOWN_NUMBER: buf_u64(&text, b->number); break;
    case KNOWN_GATEWAY:
    case KNOWN_DIGEST:
    case KNOWN_SENDER:
    case KNOWN_TABLE:
    case KNOWN_IT:
    case KNOWN_FIELD:
    case KNOWN_SEGMENTS:
    case KNOWN_SEGMENT: break; /* not on the way back */
    }
    b->error = buf_failed(&text) ? -ENOMEM : b->error;
    return buf_str(&text);
}

/* The pieces of a format that find something, with the text between them. */
static struct str formatted(struct back *b, const struct back_place *place,
                            const struct rule *rule)
{
    struct buf out = arena_buf(b->arena, V2_MESSAGE_MAX);
    bool any = false;
    for (uint8_t i = 0; i < rule->piece_count; i++) {
        struct back_nodes found = { 0 };
        back_find(b, place, rule->pieces[i].path, &found);
        struct str text = found.n ? back_text(found.list[0]) : (struct str){ 0 };
        if (!text.n) {
            continue;
        }
        buf_str_put(&out, any || i == 0 ? rule->pieces[i].lead : (struct str){ 0 });
        buf_str_put(&out, text);
        any = true;
    }
    if (any) {
        buf_str_put(&out, rule->text);
    }
    b->error = buf_failed(&out) ? -ENOMEM : b->error;
    return buf_str(&out);
}

static void run_text(struct back *b, const struct back_place *place, const struct rule *rule,
                     struct str text)
{
    struct str out = { 0 };
    enum back_result r = back_leaf_text(b, place, rule, text, (struct str){ 0 }, &out);
    if (r == BACK_FITS && out.n) {
        put(b, place, rule, out);
    }
}

/* Where @lead stands in @text from @from on; its length if it doesn't. */
static size_t find_lead(struct str text, size_t from, struct str lead)
{
    for (size_t at = from; lead.n && at + lead.n <= text.n; at++) {
        if (memcmp(text.p + at, lead.p, lead.n) == 0) {
            return at;
        }
    }
    return text.n;
}

/* Cut @text as @rule's format would have put it together; false: it wouldn't have. */
static bool cut(struct str text, const struct rule *rule, struct str *parts)
{
    struct str first = rule->pieces[0].lead;
    if (!str_starts(text, first) || !str_ends(text, rule->text) ||
        text.n < first.n + rule->text.n) {
        return false;
    }
    struct str rest = str_slice(text, first.n, text.n - rule->text.n);
    for (uint8_t i = 0; i < rule->piece_count; i++) {
        bool last = i + 1 == rule->piece_count;
        struct str lead = last ? (struct str){ 0 } : rule->pieces[i + 1].lead;
        size_t end = last ? rest.n : find_lead(rest, 0, lead);
        parts[i] = str_slice(rest, 0, end);
        rest = str_slice(rest, end + lead.n, rest.n);
    }
    return true;
}

/* Nodes read whole by a format are not read again as what they look like. */
static void spend(struct back *b, const struct node *node)
{
    if (b->spent_count == b->spent_room) {
        size_t room = b->spent_room ? b->spent_room * 2 : 16;
        const struct node **more = arena_calloc(b->arena, room, sizeof(const struct node *));
        if (!more) {
            b->error = -ENOMEM;
            return;
        }
        if (b->spent_count) {
            memcpy(more, b->spent, b->spent_count * sizeof(const struct node *));
        }
        b->spent = more;
        b->spent_room = room;
    }
    b->spent[b->spent_count++] = node;
}

static void run_parted(struct back *b, const struct back_place *place, const struct rule *rule)
{
    struct back_nodes found = { 0 };
    struct str parts[64];
    back_find(b, place, rule->read, &found);
    for (size_t i = 0; i < found.n && rule->piece_count; i++) {
        if (!cut(back_text(found.list[i]), rule, parts)) {
            continue;
        }
        for (uint8_t k = 0; k < rule->piece_count; k++) {
            struct back_place part = *place;
            if (parts[k].n && back_spot_at(b, &place->spot, &rule->pieces[k].at, &part.spot) &&
                !back_written(b, &part.spot)) {
                put(b, &part, rule, parts[k]);
            }
        }
        spend(b, found.list[i]);
        return;
    }
}

/* --- rows -------------------------------------------------------------------------------- */

static void run_row(struct back *b, const struct back_place *place, const struct rule *rule)
{
    bool shared = rule->source == SOURCE_NONE && !rule->from.field && !rule->from.component;
    bool given = rule->table_given && !place->table && rule->type == TYPE_CODING;
    if (given || !back_holds(b, place, rule->tests)) {
        return;
    }
    if (shared) {
        run_rows(b, place, rule->map); /* rows that share a condition, or are included */
        return;
    }
    if (rule->source == SOURCE_PARTED) {
        run_parted(b, place, rule);
        return;
    }
    struct back_place there = *place;
    bool adds = rule->which == WHICH_EACH || rule->which == WHICH_LINES;
    if (!back_spot_at(b, &place->spot, &rule->from, &there.spot) ||
        (!adds && back_written(b, &there.spot))) {
        return;
    }
    switch (rule->source) {
    case SOURCE_PATH: run_path(b, &there, rule); return;
    case SOURCE_TEXT: run_text(b, &there, rule, rule->text); return;
    case SOURCE_KNOWN: run_text(b, &there, rule, known(b, rule->known)); return;
    case SOURCE_FORMAT: run_text(b, &there, rule, formatted(b, place, rule)); return;
    case SOURCE_NONE: (void)run_map(b, &there, rule, place->at); return;
    case SOURCE_VALUE:
    case SOURCE_RESOURCE:
    case SOURCE_PARTED: break;
    }
}

static void run_rows(struct back *b, const struct back_place *place, const struct rule_map *map)
{
    for (uint16_t i = 0; i < map->count && !b->error; i++) {
        run_row(b, place, &map->rules[i]);
    }
}
