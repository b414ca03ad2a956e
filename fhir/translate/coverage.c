/*
 * What became of the message's fields.
 *
 * A field is used if something that a rule made of it was put somewhere, if it decided a
 * condition that held, or if it is part of an id. All others that hold something are kept in
 * the source message alone, and told: whole segments, fields, repetitions after the first,
 * components.
 */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"

#include <errno.h>

static const char KEPT[] = "kept in the source message, not translated";

/* Fields that bits are kept for; those after them no rule can name. */
enum {
    FIELDS = RULE_WORDS * 64,
};

/* Fields between two separators with something between them. */
static void look(struct engine *e, size_t i)
{
    const struct v2_message *m = e->message;
    const struct v2_segment *segment = &m->segments[i];
    const uint32_t *offsets = m->offsets + segment->first;
    uint32_t end = (uint32_t)(segment->text.p + segment->text.n - m->text.p);
    uint32_t first = v2_field_last(segment) - segment->fields + 1; /* 2 in a header segment */
    for (uint32_t f = 0; f < segment->fields && f + first < FIELDS; f++) {
        uint32_t next = f + 1 < segment->fields ? offsets[f + 1] - 1 : end;
        uint32_t number = f + first;
        e->valued[i][number / 64] |= (uint64_t)(next > offsets[f]) << number % 64;
    }
    e->valued[i][0] |= first == 2 ? 2 : 0; /* MSH-1 is the separator itself */
}

/* Whether the eight bytes at @p have a character below a space. May err upwards. */
static bool has_control(const char *p)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return ((word - ones * ' ') & ~word & ones << 7) != 0;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' && c != '\r' && c != '\n' && c != '\t';
}

/* Whether @text has characters that FHIR text can't have. */
static bool has_controls(struct str text)
{
    size_t i = 0;
    while (i < text.n) {
        size_t step = text.n - i < sizeof(uint64_t) ? text.n - i : sizeof(uint64_t);
        bool look_closer = step < sizeof(uint64_t) || has_control(text.p + i);
        for (size_t k = 0; look_closer && k < step; k++) {
            if (is_control(text.p[i + k])) {
                return true;
            }
        }
        i += step;
    }
    return false;
}

/* Whether @text, a message, has neither controls nor an escape sequence. */
static bool is_plain(struct str text, char escape)
{
    if (escape) {
        const char *first = memchr(text.p, escape, text.n); /* in MSH-2 */
        size_t rest = first ? (size_t)(text.p + text.n - first) - 1 : 0;
        if (rest && memchr(first + 1, escape, rest)) {
            return false;
        }
    }
    return !has_controls(text);
}

/* Whether all segments are ASCII that JSON has as it is; the header from its fourth field on.
 */
static bool is_simple(const struct v2_message *m)
{
    if (m->delims.escape != '\\') {
        return false; /* a sequence might be among it */
    }
    for (size_t i = 0; i < m->count; i++) {
        struct str text = m->segments[i].text;
        if (i == 0) {
            struct str first = v2_field(m, &m->segments[0], 3);
            text = first.p ? str_of(first.p, (size_t)(text.p + text.n - first.p)) : first;
        }
        if (!json_is_plain(text)) {
            return false;
        }
    }
    return true;
}

void coverage_begin(struct engine *e)
{
    size_t count = e->message->count;
    uint64_t(*all)[RULE_WORDS] = arena_calloc(e->arena, count, 3 * sizeof(*all));
    if (!all) {
        e->error = -ENOMEM;
        return;
    }
    e->valued = all;
    e->used = all + count;
    e->whole = all + 2 * count;
    e->simple = is_simple(e->message);
    e->plain = e->simple || is_plain(e->message->text, e->message->delims.escape);
    for (size_t i = 0; i < count; i++) {
        look(e, i);
    }
}

/* Which fields were used at some time, whole ones too: as in @used and @whole. */
struct coverage_mark {
    struct coverage_mark *next;
    uint64_t bits[][RULE_WORDS];
};

struct coverage_mark *coverage_mark(struct engine *e)
{
    size_t size = 2 * e->message->count * sizeof(*e->used);
    struct coverage_mark *mark = e->marks;
    if (mark) {
        e->marks = mark->next;
    } else {
        mark = arena_alloc(e->arena, sizeof(*mark) + size);
    }
    if (!mark) {
        e->error = -ENOMEM;
        return NULL;
    }
    memcpy(mark->bits, e->used, size);
    return mark;
}

void coverage_end(struct engine *e, struct coverage_mark *mark, bool keep)
{
    if (!keep) {
        memcpy(e->used, mark->bits, 2 * e->message->count * sizeof(*e->used));
    }
    mark->next = e->marks;
    e->marks = mark;
}

/* List what is kept alone, if that is wanted. */
static void keep(struct engine *e, const struct v2_segment *segment, uint32_t field,
                 uint32_t repetition, uint32_t component)
{
    struct translate_kept *kept =
        e->site->explain ? arena_alloc(e->arena, sizeof(*kept)) : NULL;
    if (!kept) {
        e->error = e->site->explain ? -ENOMEM : e->error;
        return;
    }
    *kept = (struct translate_kept){ .segment = (size_t)(segment - e->message->segments),
                                     .field = field,
                                     .repetition = repetition,
                                     .component = component,
                                     .next = e->kept };
    e->kept = kept;
}

void coverage_unfit(struct engine *e, const struct place *place, const struct rule *rule)
{
    bool part = rule->from.segment == RULE_VALUE && place->value &&
                place->value->level == LEVEL_REPETITION;
    if (place->origin && place->field) {
        keep(e, place->origin, place->field, place->repetition ? place->repetition : 1,
             part || rule->from.segment != RULE_VALUE ? rule->from.component : 0);
    }
}

void coverage_use_at(const struct engine *e, const struct place *place,
                     const struct rule_address *at)
{
    if (at->segment == RULE_VALUE) {
        if (place->value) {
            place->value->used |= rule_parts(at);
        }
        return;
    }
    const struct v2_segment *segment = source_segment(place, at);
    if (segment) {
        coverage_use(e, segment, at->field, false);
    }
}

/* Each part of @value in @bits, by its place. */
static void tell_parts(struct engine *e, const struct place *place, uint64_t bits)
{
    for (; bits; bits &= bits - 1) {
        struct place part = *place;
        part.component = (uint8_t)__builtin_ctzll(bits);
        if (part.origin) {
            keep(e, part.origin, part.field, part.repetition ? part.repetition : 1,
                 part.component);
        }
        source_issue(e, &part, ISSUE_INFORMATION, "not-supported", KEPT);
    }
}

size_t coverage_left(struct engine *e, const struct place *place, const struct value *value)
{
    if (value->level != LEVEL_REPETITION) {
        return 0;
    }
    uint64_t left = value->valued & ~value->used;
    if (left && e->site->explain) {
        tell_parts(e, place, left);
    }
    return (size_t)__builtin_popcountll(left);
}

void coverage_tell(struct engine *e, const struct v2_segment *segment, uint8_t field,
                   uint64_t parts)
{
    const struct v2_delims *delims = &e->message->delims;
    struct str text = v2_field(e->message, segment, field);
    struct place place = { .origin = segment, .field = field };
    for (uint32_t r = 1; r <= v2_parts(text, delims->repetition); r++) {
        struct str repetition = v2_part(text, delims->repetition, r);
        uint64_t left = 0;
        for (uint32_t c = 1; c <= v2_parts(repetition, delims->component) && c < 64; c++) {
            bool has = v2_presence(v2_part(repetition, delims->component, c)) == V2_PRESENT;
            left |= has ? (uint64_t)1 << c & ~parts : 0;
        }
        place.repetition = r;
        tell_parts(e, &place, left);
        e->unread += (size_t)__builtin_popcountll(left);
    }
}

static void report_field(struct engine *e, const struct v2_segment *segment, uint32_t field,
                         bool rest)
{
    const char *text = rest ? "repetitions after the first are kept in the source message, "
                              "not translated"
                            : KEPT;
    struct place place = { .origin = segment,
                           .field = (uint8_t)(field < UINT8_MAX ? field : UINT8_MAX) };
    e->unread++;
    keep(e, segment, field, rest ? 2 : 0, 0);
    source_issue(e, &place, ISSUE_INFORMATION, "not-supported", text);
}

static void report_segment(struct engine *e, const struct v2_segment *segment)
{
    e->unread++;
    keep(e, segment, 0, 0, 0);
    issues_add(e->issues, ISSUE_INFORMATION, "not-supported",
               segment->name[0] ? str_z(segment->name) : STR("message"), "segment %zu is %s",
               (size_t)(segment - e->message->segments) + 1, KEPT);
}

/* Field @f of segment @i, which holds something: unless all of it was used, tell. */
static void check_field(struct engine *e, size_t i, uint32_t f)
{
    const struct v2_segment *segment = &e->message->segments[i];
    if (!(e->used[i][f / 64] >> f % 64 & 1)) {
        report_field(e, segment, f, false);
    } else if (v2_parts(v2_field(e->message, segment, f), e->message->delims.repetition) > 1) {
        report_field(e, segment, f, true);
    }
}

/* The fields of segment @i, which some rules know. */
static void report_fields(struct engine *e, size_t i, const struct rule_segment *rules)
{
    const struct v2_segment *segment = &e->message->segments[i];
    bool repeats = memchr(segment->text.p, e->message->delims.repetition, segment->text.n);
    const uint64_t *done = repeats ? e->whole[i] : e->used[i];
    for (uint32_t w = 0; w < RULE_WORDS; w++) {
        uint64_t left = e->valued[i][w] & ~rules->ignored[w] & ~done[w];
        for (; left; left &= left - 1) {
            check_field(e, i, w * 64 + (uint32_t)__builtin_ctzll(left));
        }
    }
    uint32_t last = v2_field_last(segment);
    for (uint32_t f = FIELDS; f <= last; f++) {
        if (v2_field(e->message, segment, f).n) {
            report_field(e, segment, f, false);
        }
    }
}

static bool any(const uint64_t *bits, const uint64_t *without)
{
    uint64_t found = 0;
    for (size_t i = 0; i < RULE_WORDS; i++) {
        found |= bits[i] & ~(without ? without[i] : 0);
    }
    return found != 0;
}

static void report_unread(struct engine *e)
{
    for (size_t i = 0; i < e->message->count; i++) {
        const struct rule_segment *rules =
            e->homes[i] ? &e->rules->segments[e->segment_ids[i]] : NULL;
        bool left = !rules || any(e->valued[i], rules->ignored);
        if (left && (!rules || !any(e->used[i], NULL))) {
            report_segment(e, &e->message->segments[i]);
        } else if (left) {
            report_fields(e, i, rules);
        }
    }
}

void coverage_report(struct engine *e)
{
    e->unread += e->parts;
    if (e->site->explain) {
        explain_parts(e);
    }
    if (e->parts && !e->site->explain) {
        issues_add(e->issues, ISSUE_INFORMATION, "not-supported", STR("message"),
                   "%zu components of fields are kept in the source message, not translated",
                   e->parts);
    }
    if (e->systemless) {
        issues_add(e->issues, ISSUE_WARNING, "code-invalid", STR("message"),
                   "%zu codes name a coding system that is not known: they have no system",
                   e->systemless);
    }
    if (e->zoneless) {
        issues_add(e->issues, ISSUE_WARNING, "value", STR("message"),
                   "%zu times have no offset and the sender's zone is not known: only their "
                   "dates were read",
                   e->zoneless);
    }
    report_unread(e);
}
