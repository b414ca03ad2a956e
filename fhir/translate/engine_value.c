/*
 * Rules whose source is in the message: values with their repetitions, lines, formats; and what
 * the caller says.
 */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"

#include <errno.h>

enum {
    FIELD_NAME_MAX = 16, /* "PID-13" */
};

static void record_delete(struct engine *e, const struct place *place, const struct rule *rule)
{
    if (!place->top || engine_is_display(rule)) {
        return;
    }
    struct translate_path *d = arena_alloc(e->arena, sizeof(*d));
    struct buf field = arena_buf(e->arena, FIELD_NAME_MAX);
    if (rule->from.segment != RULE_VALUE) {
        buf_fmt(&field, "%s-%u", e->rules->segments[rule->from.segment].name,
                (unsigned)rule->from.field);
    }
    if (!d || buf_failed(&field)) {
        e->error = -ENOMEM;
        return;
    }
    *d = (struct translate_path){ .path = str_of(rule->path[0].name->z, rule->path[0].name->n),
                                  .field = buf_str(&field),
                                  .next = place->owner->deletes };
    place->owner->deletes = d;
}

/* One raw value of SOURCE_VALUE; whether something came of it. */
static bool apply_value(struct engine *e, const struct place *place, const struct rule *rule,
                        struct str raw, enum value_level level)
{
    switch (v2_presence(raw)) {
    case V2_PRESENT: return engine_apply(e, place, rule, raw, level);
    case V2_DELETE: record_delete(e, place, rule); return true;
    case V2_ABSENT:
    case V2_EMPTY: break;
    }
    /* The sender may have a default. */
    return rule->type == TYPE_ISSUER && engine_apply(e, place, rule, raw, level);
}

/* Append the repetitions of a text field as lines. */
static void put_lines(struct engine *e, struct str field, struct buf *out)
{
    while (field.n) {
        struct str part = str_cut(&field, e->message->delims.repetition);
        buf_z(out, out->n ? "\n" : "");
        buf_str_put(out, source_text(e, part));
    }
}

/* The lines in @text, decoded already, by @rule. */
static void apply_text(struct engine *e, const struct place *place, const struct rule *rule,
                       const struct buf *text)
{
    struct rule decoded = *rule;
    decoded.source = SOURCE_TEXT;
    bool unfit = false;
    struct element *child =
        engine_convert(e, place, &decoded, buf_str(text), LEVEL_PART, &unfit);
    e->error = buf_failed(text) ? -ENOMEM : e->error;
    if (child && !e->error) {
        engine_put(e, place, rule, child);
    }
}

/* All repetitions of a text field as lines. */
static void apply_lines(struct engine *e, const struct place *place, const struct rule *rule,
                        struct str field)
{
    if (v2_presence(field) != V2_PRESENT) {
        (void)apply_value(e, place, rule, field, LEVEL_PART);
        return;
    }
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    put_lines(e, field, &b);
    coverage_use(e, place->origin, rule->from.field, true);
    apply_text(e, place, rule, &b);
}

/* @field of segment @i if the condition of @rule holds there. */
static struct str field_there(struct engine *e, const struct place *place,
                              const struct rule *rule, size_t i)
{
    struct place there = *place;
    there.segment = &e->message->segments[i];
    there.segment_id = e->segment_ids[i];
    there.group = e->homes[i];
    bool is = there.group && there.segment_id == rule->from.segment &&
              source_tests(e, &there, rule->tests);
    return is ? v2_field(e->message, there.segment, rule->from.field) : (struct str){ 0 };
}

/* The same over all such segments of the group; where one of them is at hand, only once. */
static void apply_all(struct engine *e, const struct place *place, const struct rule *rule)
{
    const struct group *group = place->group;
    if (place->segment_id == rule->from.segment &&
        place->segment != groups_segment(group, rule->from.segment)) {
        return;
    }
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    for (size_t i = group->from; i < group->to; i++) {
        struct str field = field_there(e, place, rule, i);
        if (v2_presence(field) == V2_PRESENT) {
            coverage_use(e, &e->message->segments[i], rule->from.field, true);
            engine_note_source(e, place->owner, &e->message->segments[i]);
            put_lines(e, field, &b);
        }
    }
    if (b.n) {
        apply_text(e, place, rule, &b);
    }
}

/* The repetitions of the field at @place that @rule is about. */
static void run_field(struct engine *e, struct place *place, const struct rule *rule,
                      struct str rest)
{
    bool used = false;
    bool more = rest.p != NULL;
    while (more && !e->error) {
        struct str whole = rest;
        struct str repetition = str_cut(&rest, e->message->delims.repetition);
        more = repetition.n < whole.n; /* a delimiter followed */
        place->repetition++;
        if (rule->which != WHICH_REST || place->repetition > 1) {
            enum value_level level;
            struct str raw = source_part(e, &rule->from, repetition, &level);
            used = apply_value(e, place, rule, raw, level) || used;
        }
        more = more && rule->which != WHICH_FIRST;
    }
    if (used) {
        coverage_use(e, place->origin, rule->from.field, rule->which != WHICH_FIRST);
    }
}

/* The parts of the value at hand that @rule reads; of all of it rows inside may tell. */
static uint64_t parts_read(const struct rule *rule)
{
    bool inside = rule->type == TYPE_MAP || rule->type == TYPE_RESOURCE;
    if (rule->from.component) {
        return rule_parts(&rule->from);
    }
    return inside ? 0 : leaf_is_whole(rule->type) ? rule_parts(&rule->from) : 1u << 1;
}

void engine_value(struct engine *e, const struct place *place, const struct rule *rule)
{
    if (rule->from.segment == RULE_VALUE) {
        enum value_level level;
        struct str raw = source_find(e, place, &rule->from, &level);
        if (apply_value(e, place, rule, raw, level) && place->value) {
            place->value->used |= parts_read(rule);
        }
        return;
    }
    struct place here = *place;
    here.origin = source_segment(place, &rule->from);
    here.field = rule->from.field;
    here.repetition = 0;
    if (rule->which == WHICH_ALL) {
        apply_all(e, &here, rule);
        return;
    }
    struct str field = source_field(e, place, &rule->from);
    if (rule->from.repetition) {
        here.repetition = rule->from.repetition - 1u;
        field = v2_part(field, e->message->delims.repetition, rule->from.repetition);
    }
    if (rule->which == WHICH_LINES) {
        apply_lines(e, &here, rule, field);
    } else if (field.p) {
        run_field(e, &here, rule, field);
    }
}

void engine_format(struct engine *e, const struct place *place, const struct rule *rule)
{
    struct buf b = arena_buf(e->arena, V2_MESSAGE_MAX);
    bool any = false;
    int column = 0;
    for (int i = 0; i < rule->piece_count; i++) {
        const struct rule_piece *piece = &rule->pieces[i];
        enum value_level level;
        struct str raw = source_find(e, place, &piece->at, &level);
        if (v2_presence(raw) != V2_PRESENT) {
            continue;
        }
        for (; rule->columns && column < i; column++) {
            buf_str_put(&b, rule->pieces[column + 1].lead); /* of those left out, too */
        }
        if ((any && !rule->columns) || i == 0) {
            buf_str_put(&b, piece->lead);
        }
        buf_str_put(&b, source_text(e, raw));
        any = true;
    }
    if (!any) {
        return;
    }
    buf_str_put(&b, rule->text);
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    if (engine_apply(e, place, rule, buf_str(&b), LEVEL_PART)) {
        for (int i = 0; i < rule->piece_count; i++) {
            coverage_use_at(e, place, &rule->pieces[i].at);
        }
    }
}

static void put_place(const struct engine *e, const struct v2_segment *segment, struct buf *b)
{
    buf_z(b, b->n ? " " : "");
    buf_z(b, segment->name);
    buf_c(b, '[');
    buf_u64(b, e->occurrences[segment - e->message->segments]);
    buf_c(b, ']');
}

/* "PID-2", the field that the value at hand is from. */
static void put_field(const struct place *place, struct buf *b)
{
    if (place->origin) {
        buf_fmt(b, "%s-%u", place->origin->name, (unsigned)place->field);
    }
}

/* "OBX[3]" for the segment of the block's resource, or for the one at hand. */
static void put_segment(const struct engine *e, const struct place *place, struct buf *b)
{
    const struct v2_segment *segment =
        place->it && place->it->segment ? place->it->segment : place->segment;
    if (segment) {
        put_place(e, segment, b);
    }
}

/* "ORC[1] OBR[1]": all segments that the block's resource was made from. */
static void put_sources(const struct engine *e, const struct place *place, struct buf *b)
{
    const struct resource_source *s = place->it ? place->it->sources : NULL;
    for (; s; s = s->next) {
        put_place(e, s->segment, b);
    }
}

struct str engine_known(struct engine *e, const struct place *place, enum rule_known which)
{
    struct buf b = arena_buf(e->arena, V2_MESSAGE_MAX);
    switch (which) {
    case KNOWN_RECORDED: return e->site->recorded;
    case KNOWN_GATEWAY: return e->site->gateway;
    case KNOWN_SENDER: return e->site->sender;
    case KNOWN_TABLE: return place->table ? place->table->source : (struct str){ 0 };
    case KNOWN_EVENT: return e->event;
    case KNOWN_SEGMENT: put_segment(e, place, &b); break;
    case KNOWN_SEGMENTS: put_sources(e, place, &b); break;
    case KNOWN_FIELD: put_field(place, &b); break;
    case KNOWN_NUMBER: buf_u64(&b, place->repetition ? place->repetition : 1); break;
    case KNOWN_DIGEST:
        if (e->site->digest) {
            buf_hex(&b, e->site->digest, 32);
        }
        break;
    case KNOWN_IT:
    case KNOWN_TYPE: /* these are for the way back */
    case KNOWN_STRUCTURE:
    case KNOWN_CONTROL:
    case KNOWN_VERSION:
    case KNOWN_CHARSET: break;
    }
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    return buf_str(&b);
}
