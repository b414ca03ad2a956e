/*
 * Values are kept as they come and sorted by place when the message is written, so whoever
 * writes needn't know the order of fields. Separators are written up to each value, none after
 * the last: what is empty at the end of a field or segment is left out.
 */
#include "fhir/v2/write.h"

#include "fhir/v2/escape.h"

#include <errno.h>
#include <stdlib.h>

/* @order: which came first, among those at the same place */
struct value {
    struct v2_address at;
    struct str text;
    bool raw;
    size_t order;
    struct value *next;
};

struct v2_written_segment {
    char name[4];
    struct value *values; /* the last one first */
    size_t count;
    struct v2_written_segment *before;
    struct v2_written_segment *next;
};

struct v2_writer v2_writer(struct arena *arena, const struct v2_delims *delims)
{
    return (struct v2_writer){ .arena = arena, .delims = *delims };
}

void v2_write_segment(struct v2_writer *w, const char *name)
{
    struct v2_written_segment *segment = arena_calloc(w->arena, 1, sizeof(*segment));
    if (!segment) {
        w->failed = true;
        return;
    }
    memcpy(segment->name, name, 3);
    segment->before = w->last;
    *(w->last ? &w->last->next : &w->first) = segment;
    w->last = segment;
}

static void put(struct v2_writer *w, struct v2_address at, struct str text, bool raw)
{
    struct v2_written_segment *segment = w->last;
    if (text.n == 0 || w->failed || !segment) {
        return;
    }
    struct value *value = arena_calloc(w->arena, 1, sizeof(*value));
    struct str copy = arena_str(w->arena, text);
    if (!value || !copy.p) {
        w->failed = true;
        return;
    }
    *value = (struct value){
        .at = at, .text = copy, .raw = raw, .order = segment->count++, .next = segment->values
    };
    value->at.repetition += at.repetition == 0;
    value->at.component += at.component == 0;
    value->at.subcomponent += at.subcomponent == 0;
    segment->values = value;
}

void v2_write(struct v2_writer *w, struct v2_address at, struct str text)
{
    put(w, at, text, false);
}

void v2_write_raw(struct v2_writer *w, struct v2_address at, struct str raw)
{
    put(w, at, raw, true);
}

static bool part_is(uint32_t wanted, uint32_t number)
{
    return wanted == 0 || wanted == number;
}

bool v2_write_has(const struct v2_writer *w, struct v2_address at)
{
    const struct value *value = w->last ? w->last->values : NULL;
    uint32_t repetition = at.repetition ? at.repetition : 1;
    for (; value; value = value->next) {
        if (value->at.field == at.field && value->at.repetition == repetition &&
            part_is(at.component, value->at.component) &&
            part_is(at.subcomponent, value->at.subcomponent)) {
            return true;
        }
    }
    return false;
}

uint32_t v2_write_repetitions(const struct v2_writer *w, uint32_t field)
{
    uint32_t most = 0;
    for (const struct value *value = w->last ? w->last->values : NULL; value;
         value = value->next) {
        bool more = value->at.field == field && value->at.repetition > most;
        most = more ? value->at.repetition : most;
    }
    return most;
}

size_t v2_write_mark(const struct v2_writer *w)
{
    return w->last ? w->last->count : 0;
}

void v2_write_undo(struct v2_writer *w, size_t mark)
{
    struct v2_written_segment *segment = w->last;
    while (segment && segment->count > mark) {
        segment->values = segment->values->next;
        segment->count--;
    }
}

void v2_write_drop(struct v2_writer *w)
{
    if (w->last) {
        w->last = w->last->before;
        *(w->last ? &w->last->next : &w->first) = NULL;
    }
}

/* --- writing ------------------------------------------------------------------------------ */

static int compare_places(const struct v2_address *a, const struct v2_address *b)
{
    const uint32_t left[] = { a->field, a->repetition, a->component, a->subcomponent };
    const uint32_t right[] = { b->field, b->repetition, b->component, b->subcomponent };
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

static int compare_values(const void *left, const void *right)
{
    const struct value *const *a = left;
    const struct value *const *b = right;
    int order = compare_places(&(*a)->at, &(*b)->at);
    return order ? order : (*a)->order < (*b)->order ? -1 : 1;
}

/* The separators between @from and @to; where the message has none of a kind, spaces. */
static void separate(struct buf *out, const struct v2_delims *d, struct v2_address *from,
                     const struct v2_address *to)
{
    const struct {
        uint32_t *from;
        uint32_t to;
        char delim;
    } levels[] = {
        { &from->field, to->field, d->field },
        { &from->repetition, to->repetition, d->repetition },
        { &from->component, to->component, d->component },
        { &from->subcomponent, to->subcomponent, d->subcomponent },
    };
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        bool moved = *levels[i].from < levels[i].to;
        for (; *levels[i].from < levels[i].to; (*levels[i].from)++) {
            buf_c(out, levels[i].delim ? levels[i].delim : ' ');
        }
        for (size_t k = i + 1; moved && k < ARRAY_LEN(levels); k++) {
            *levels[k].from = 1; /* what is cut smaller begins anew */
        }
    }
}

/* Fields 1 and 2 of the header segments; returns how many fields were written. */
static uint32_t write_header(const struct v2_writer *w, const char *name, struct buf *out)
{
    const struct v2_delims *d = &w->delims;
    const char encoding[] = { d->component, d->repetition, d->escape, d->subcomponent,
                              d->truncation };
    bool header = memcmp(name, "MSH", 3) == 0 || memcmp(name, "FHS", 3) == 0 ||
                  memcmp(name, "BHS", 3) == 0;
    if (!header) {
        return 0;
    }
    buf_c(out, d->field);
    for (size_t i = 0; i < sizeof(encoding) && encoding[i]; i++) {
        buf_c(out, encoding[i]);
    }
    return 2;
}

static int write_segment(struct v2_writer *w, const struct v2_written_segment *segment,
                         struct buf *out)
{
    struct value **list = arena_calloc(w->arena, segment->count + 1, sizeof(struct value *));
    size_t n = 0;
    if (!list) {
        return -ENOMEM;
    }
    for (struct value *value = segment->values; value; value = value->next) {
        list[n++] = value;
    }
    qsort(list, n, sizeof(struct value *), compare_values);

    buf_put(out, segment->name, 3);
    uint32_t written = write_header(w, segment->name, out);
    struct v2_address at = {
        .field = written, .repetition = 1, .component = 1, .subcomponent = 1
    };
    for (size_t i = 0; i < n; i++) {
        bool replaced = i + 1 < n && compare_places(&list[i]->at, &list[i + 1]->at) == 0;
        if (replaced || list[i]->at.field <= written) {
            continue;
        }
        separate(out, &w->delims, &at, &list[i]->at);
        if (list[i]->raw) {
            buf_str_put(out, list[i]->text);
        } else {
            v2_escape(out, &w->delims, list[i]->text);
        }
    }
    buf_c(out, '\r');
    return 0;
}

int v2_write_end(struct v2_writer *w, struct buf *out)
{
    int r = w->failed ? -ENOMEM : 0;
    for (const struct v2_written_segment *s = w->first; s && r == 0; s = s->next) {
        r = write_segment(w, s, out);
    }
    return r == 0 && buf_failed(out) ? -ENOMEM : r;
}
