/*
 * Which row made which element.
 *
 * While rules run, only what was made is noted. At the end the resources are walked: what
 * stands in them and was noted is listed with its path. What was noted and lost its place to
 * something else is left out.
 */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PATH_MAX_BYTES = 1024,
    PLACE_MAX_BYTES = 160,
};

struct explain_note {
    const struct element *element;
    const struct rule *rule;
    const struct rule *by;
    const struct v2_segment *origin;
    struct v2_address at;
    struct explain_note *next;
};

/* The place of what @rule looked at; without a segment if that is nothing. */
static void find_place(const struct engine *e, const struct place *place,
                       const struct rule *rule, struct v2_address *at)
{
    const struct rule_address *from = &rule->from;
    bool value = rule->source == SOURCE_VALUE;
    bool part = rule->source == SOURCE_FORMAT && place->origin;
    *at = (struct v2_address){ 0 };
    if (!place->origin || (!value && !part)) {
        return;
    }
    memcpy(at->segment, place->origin->name, sizeof(at->segment));
    at->occurrence = e->occurrences[place->origin - e->message->segments];
    at->field = place->field;
    at->repetition = place->repetition;
    bool whole = from->segment != RULE_VALUE ||
                 (place->value && place->value->level == LEVEL_REPETITION);
    if (value && whole) {
        at->component = from->component;
        at->subcomponent = from->subcomponent;
    }
}

void explain_note(struct engine *e, const struct place *place, const struct rule *rule,
                  const struct element *child)
{
    struct explain_note *note = arena_alloc(e->arena, sizeof(*note));
    if (!note) {
        e->error = -ENOMEM;
        return;
    }
    *note = (struct explain_note){
        .element = child,
        .rule = rule,
        .by = place->row && place->row != rule ? place->row : NULL,
        .origin = place->origin ? place->origin : place->segment,
        .next = e->notes,
    };
    find_place(e, place, rule, &note->at);
    e->notes = note;
}

/* --- what of fields no row read -------------------------------------------------------- */

static const uint64_t ALL_PARTS = UINT64_MAX;

/* The parts of a field that @rule reads; rows inside of it tell theirs themselves. */
static uint64_t parts_of(const struct rule *rule)
{
    if (rule->from.segment == RULE_VALUE || rule->source != SOURCE_VALUE) {
        return ALL_PARTS;
    }
    if (rule->from.component) {
        return rule_parts(&rule->from);
    }
    bool whole = leaf_is_whole(rule->type) || rule->type == TYPE_RESOURCE;
    return whole ? ALL_PARTS : 1u << 1;
}

/* Which parts of each field were read, by segment, where that is known. */
struct parts_read {
    struct engine *e;
    uint64_t **segments;
};

static void add_parts(struct parts_read *read, const struct v2_segment *segment, uint8_t field,
                      uint64_t parts)
{
    uint64_t **fields = &read->segments[segment - read->e->message->segments];
    if (!*fields) {
        *fields = arena_calloc(read->e->arena, (size_t)RULE_WORDS * 64, sizeof(**fields));
    }
    if (!*fields) {
        read->e->error = -ENOMEM;
    } else if (field < RULE_WORDS * 64) {
        (*fields)[field] |= parts;
    }
}

/* The pieces of a format, of segments like the one it was made for. */
static void add_pieces(struct parts_read *read, const struct explain_note *note)
{
    const struct rule *rule = note->rule;
    for (int i = 0; i < rule->piece_count && !read->e->error; i++) {
        const struct rule_address *at = &rule->pieces[i].at;
        bool here =
            at->segment != RULE_VALUE &&
            memcmp(read->e->rules->segments[at->segment].name, note->origin->name, 3) == 0;
        if (here) {
            add_parts(read, note->origin, at->field,
                      at->component ? rule_parts(at) : ALL_PARTS);
        }
    }
}

void explain_parts(struct engine *e)
{
    struct parts_read read = { .e = e };
    read.segments = arena_calloc(e->arena, e->message->count, sizeof(uint64_t *));
    if (!read.segments) {
        e->error = -ENOMEM;
        return;
    }
    for (const struct explain_note *note = e->notes; note && !e->error; note = note->next) {
        if (note->origin && note->at.field) {
            add_parts(&read, note->origin, (uint8_t)note->at.field, parts_of(note->rule));
        }
        if (note->origin && note->rule->source == SOURCE_FORMAT) {
            add_pieces(&read, note);
        }
    }
    for (size_t i = 0; i < e->message->count && !e->error; i++) {
        for (uint32_t f = 1; read.segments[i] && f < RULE_WORDS * 64; f++) {
            if (read.segments[i][f] && read.segments[i][f] != ALL_PARTS) {
                coverage_tell(e, &e->message->segments[i], (uint8_t)f, read.segments[i][f]);
            }
        }
    }
}

/* --- the list -------------------------------------------------------------------------- */

/* The walk: all notes by element, the path at hand, and what is listed so far. */
struct walk {
    struct engine *e;
    const struct explain_note **notes;
    size_t count;
    size_t entry;
    char path[PATH_MAX_BYTES];
    struct translate_origin *first;
    struct translate_origin **end;
};

static int by_element(const void *a, const void *b)
{
    const struct explain_note *const *x = a;
    const struct explain_note *const *y = b;
    uintptr_t p = (uintptr_t)(*x)->element;
    uintptr_t q = (uintptr_t)(*y)->element;
    return (p > q) - (p < q);
}

static const struct explain_note *find(const struct walk *walk, const struct element *element)
{
    const struct explain_note key = { .element = element };
    const struct explain_note *wanted = &key;
    const struct explain_note **found = walk->count
                                            ? bsearch(&wanted, walk->notes, walk->count,
                                                      sizeof(struct explain_note *), by_element)
                                            : NULL;
    return found ? *found : NULL;
}

static struct str row_name(const struct walk *walk, const struct rule *rule)
{
    if (!rule) {
        return (struct str){ 0 };
    }
    struct buf b = arena_buf(walk->e->arena, PATH_MAX_BYTES);
    buf_fmt(&b, "%s:%u", walk->e->rules->files[rule->file], (unsigned)rule->line);
    walk->e->error = buf_failed(&b) ? -ENOMEM : walk->e->error;
    return buf_str(&b);
}

static void list(struct walk *walk, const struct explain_note *note, size_t path_n)
{
    struct translate_origin *origin = arena_calloc(walk->e->arena, 1, sizeof(*origin));
    char place[PLACE_MAX_BYTES];
    struct buf b = buf_fixed(place, sizeof(place));
    if (note->at.segment[0]) {
        v2_address_write(&b, &note->at);
    }
    struct str path = arena_str(walk->e->arena, str_of(walk->path, path_n));
    struct str from = arena_str(walk->e->arena, buf_str(&b));
    if (!origin || !path.p || !from.p) {
        walk->e->error = -ENOMEM;
        return;
    }
    *origin = (struct translate_origin){ .entry = walk->entry,
                                         .path = path,
                                         .from = from,
                                         .row = row_name(walk, note->rule),
                                         .by = row_name(walk, note->by) };
    *walk->end = origin;
    walk->end = &origin->next;
}

/* List @element, whose path has @n characters, and what is in it. */
static void visit(struct walk *walk, const struct element *element, size_t n)
{
    const struct explain_note *note = find(walk, element);
    if (note && !walk->e->error) {
        list(walk, note, n);
    }
    size_t index = 0;
    for (const struct element *child = element->first; child; child = child->next) {
        int more = child->name ? snprintf(walk->path + n, PATH_MAX_BYTES - n, "%s%s",
                                          n ? "." : "", child->name->z)
                               : snprintf(walk->path + n, PATH_MAX_BYTES - n, "[%zu]", index++);
        if (more > 0 && n + (size_t)more < PATH_MAX_BYTES && !walk->e->error) {
            visit(walk, child, n + (size_t)more);
        }
    }
}

const struct translate_origin *explain_list(struct engine *e,
                                            const struct resource *const *written, size_t count)
{
    struct walk *walk = arena_calloc(e->arena, 1, sizeof(*walk));
    size_t n = 0;
    for (const struct explain_note *note = e->notes; note; note = note->next) {
        n++;
    }
    const struct explain_note **notes =
        arena_calloc(e->arena, n, sizeof(struct explain_note *));
    if (!walk || !notes) {
        e->error = -ENOMEM;
        return NULL;
    }
    *walk = (struct walk){ .e = e, .notes = notes, .count = n };
    walk->end = &walk->first;
    n = 0;
    for (const struct explain_note *note = e->notes; note; note = note->next) {
        notes[n++] = note;
    }
    if (n) {
        qsort(notes, n, sizeof(struct explain_note *), by_element);
    }
    for (size_t i = 0; i < count && !e->error; i++) {
        walk->entry = i;
        visit(walk, written[i]->root, 0);
    }
    return walk->first;
}
