/* What the addresses and tests of rules find in the message. */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"
#include "fhir/v2/escape.h"

#include <errno.h>

/* From the start of part @number of @whole to its end. */
static struct str onwards(struct str whole, char delim, uint32_t number)
{
    struct str part = v2_part(whole, delim, number);
    if (part.p) {
        part.n = (size_t)(whole.p + whole.n - part.p);
    }
    return part;
}

static char delim_of(const struct engine *e, enum value_level level)
{
    switch (level) {
    case LEVEL_REPETITION: return e->message->delims.component;
    case LEVEL_COMPONENT: return e->message->delims.subcomponent;
    case LEVEL_PART: break;
    }
    return '\0';
}

static enum value_level below(enum value_level level)
{
    return level == LEVEL_REPETITION ? LEVEL_COMPONENT : LEVEL_PART;
}

/* Component and subcomponent of @raw, which is at *level. */
static struct str cut(const struct engine *e, const struct rule_address *at, struct str raw,
                      enum value_level *level)
{
    if (!at->component) {
        return raw;
    }
    char delim = delim_of(e, *level);
    if (at->onwards) {
        return onwards(raw, delim, at->component);
    }
    raw = v2_part(raw, delim, at->component);
    *level = below(*level);
    if (at->subcomponent) {
        raw = v2_part(raw, delim_of(e, *level), at->subcomponent);
        *level = LEVEL_PART;
    }
    return raw;
}

struct value *source_value(const struct engine *e, const struct place *place, struct str raw,
                           enum value_level level, struct value *room)
{
    struct value *same = place->value;
    if (same && same->raw.p == raw.p && same->raw.n == raw.n && same->level == level) {
        return same;
    }
    char delim = delim_of(e, level);
    uint32_t number = 0;
    size_t start = 0;
    room->raw = raw;
    room->level = level;
    room->valued = 0;
    room->used = 0;
    room->count = 0;
    for (size_t i = 0; raw.p && i <= raw.n; i++) {
        if (i < raw.n && (raw.p[i] != delim || !delim)) {
            continue;
        }
        bool valued = v2_presence(str_slice(raw, start, i)) == V2_PRESENT;
        number++;
        room->valued |= number < 64 ? (uint64_t)valued << number : 0;
        if (number <= VALUE_PARTS) {
            room->starts[number - 1] = (uint32_t)start;
            room->starts[number] = (uint32_t)i + 1;
            room->count = number;
        }
        start = i + 1;
    }
    return room;
}

/* Part @number of @value. */
static struct str value_part(const struct engine *e, const struct value *value, uint32_t number)
{
    if (number > value->count) {
        return value->count < VALUE_PARTS
                   ? (struct str){ 0 }
                   : v2_part(value->raw, delim_of(e, value->level), number);
    }
    uint32_t start = value->starts[number - 1];
    return str_of(value->raw.p + start, value->starts[number] - 1 - start);
}

/* What @at, without a segment, names in @value. */
static struct str in_value(const struct engine *e, const struct value *value,
                           const struct rule_address *at, enum value_level *level)
{
    *level = value->level;
    if (!at->component) {
        return value->raw;
    }
    struct str part = value_part(e, value, at->component);
    if (at->onwards) {
        part.n = part.p ? (size_t)(value->raw.p + value->raw.n - part.p) : 0;
        return part;
    }
    *level = below(*level);
    if (at->subcomponent) {
        part = v2_part(part, delim_of(e, *level), at->subcomponent);
        *level = LEVEL_PART;
    }
    return part;
}

struct str source_part(const struct engine *e, const struct rule_address *at, struct str raw,
                       enum value_level *level)
{
    *level = LEVEL_REPETITION;
    return cut(e, at, raw, level);
}

const struct v2_segment *source_segment(const struct place *place,
                                        const struct rule_address *at)
{
    return at->segment == place->segment_id ? place->segment
                                            : groups_segment(place->group, at->segment);
}

struct str source_field(const struct engine *e, const struct place *place,
                        const struct rule_address *at)
{
    const struct v2_segment *segment =
        at->segment == RULE_VALUE ? NULL : source_segment(place, at);
    return segment && coverage_valued(e, segment, at->field)
               ? v2_field(e->message, segment, at->field)
               : (struct str){ 0 };
}

struct str source_find(const struct engine *e, const struct place *place,
                       const struct rule_address *at, enum value_level *level)
{
    if (at->segment == RULE_VALUE) {
        *level = LEVEL_PART;
        return place->value ? in_value(e, place->value, at, level) : (struct str){ 0 };
    }
    struct str field = source_field(e, place, at);
    uint32_t number = at->repetition ? at->repetition : 1;
    return source_part(e, at, v2_part(field, e->message->delims.repetition, number), level);
}

/* Replace control characters, which FHIR text can't have, by spaces. */
static struct str without_controls(struct engine *e, struct str text)
{
    size_t at = 0;
    while (at < text.n && ((unsigned char)text.p[at] >= ' ' || text.p[at] == '\n' ||
                           text.p[at] == '\t' || text.p[at] == '\r')) {
        at++;
    }
    if (at == text.n) {
        return text;
    }
    char *p = arena_alloc(e->arena, text.n);
    if (!p) {
        e->error = -ENOMEM;
        return (struct str){ 0 };
    }
    memcpy(p, text.p, text.n);
    for (; at < text.n; at++) {
        if ((unsigned char)p[at] < ' ' && p[at] != '\n' && p[at] != '\t' && p[at] != '\r') {
            p[at] = ' ';
        }
    }
    return str_of(p, text.n);
}

struct str source_text(struct engine *e, struct str raw)
{
    struct str text = raw;
    if (e->plain) {
        return raw;
    }
    int r = v2_unescape(e->arena, &e->message->delims, raw, &text);
    if (r < 0) {
        e->error = r;
        return (struct str){ 0 };
    }
    return without_controls(e, r == 0 ? text : raw); /* an open sequence: as it was sent */
}

static bool any_value(const struct rule_test *test, struct str raw, bool prefix)
{
    for (uint16_t i = 0; i < test->count; i++) {
        struct str value = test->values[i];
        bool begins = raw.n && value.n && raw.p[0] == value.p[0]; /* cheap, and mostly false */
        if (prefix ? str_starts(raw, value) : (begins || !value.n) && str_eq(raw, value)) {
            return true;
        }
    }
    return false;
}

/* Whether @place's target has the element that @test names, and with one of its values. */
static bool has_element(const struct place *place, const struct rule_test *test)
{
    struct str name = test->values[0];
    if (!place->target) {
        return false;
    }
    if (!str_ends(name, STR("*"))) {
        const struct element *e = element_get(place->target, name.p);
        return e && !element_is_bare(e) &&
               (test->count == 1 || any_value(test, e->text, false));
    }
    struct str prefix = str_slice(name, 0, name.n - 1);
    for (const struct element *e = place->target->first; e; e = e->next) {
        if (str_starts(str_of(e->name->z, e->name->n), prefix)) {
            return true;
        }
    }
    return false;
}

/* What a test looks at: of a whole field only the code, which may have its text with it. */
static struct str tested(const struct engine *e, const struct place *place,
                         const struct rule_address *at, bool whole)
{
    enum value_level level;
    if (at->segment == RULE_VALUE &&
        (!place->value || !(place->value->valued & rule_parts(at)))) {
        return (struct str){ 0 };
    }
    struct str raw = source_find(e, place, at, &level);
    if (v2_presence(raw) != V2_PRESENT) {
        return (struct str){ 0 };
    }
    return whole || at->component || at->segment == RULE_VALUE
               ? raw
               : str_cut(&raw, e->message->delims.component);
}

static bool same(struct str raw, struct str other)
{
    return other.p && str_eq(raw, other);
}

static bool compares(const struct engine *e, const struct place *place,
                     const struct rule_test *test, struct str raw)
{
    struct str other = test->count ? test->values[0] : tested(e, place, &test->other, true);
    return (leaf_compare(raw, other) & test->outcomes) != 0;
}

static bool counts(const struct engine *e, const struct place *place,
                   const struct rule_test *test)
{
    struct str field = source_field(e, place, &test->at);
    uint32_t n = field.n ? v2_parts(field, e->message->delims.repetition) : 0;
    uint8_t outcome = n < test->number ? RULE_LESS : n == test->number ? RULE_EQUAL : RULE_MORE;
    return (outcome & test->outcomes) != 0;
}

static bool any_option(const struct engine *e, const struct rule_test *test)
{
    for (size_t i = 0; i < e->site->option_count; i++) {
        if (any_value(test, e->site->options[i], false)) {
            return true;
        }
    }
    return false;
}

/* Tests of what is there, not of a value; false and *other if @test is none. */
static bool is_there(const struct engine *e, const struct place *place,
                     const struct rule_test *test, bool *other)
{
    switch (test->op) {
    case OP_SET: return has_element(place, test);
    case OP_RESOURCE: return groups_resource(e, place->group, test->number) != NULL;
    case OP_EVENT: return any_value(test, e->event, false);
    case OP_OPTION: return any_option(e, test);
    case OP_COUNT: return counts(e, place, test);
    case OP_SEGMENT:
        return test->at.segment == place->segment_id ||
               groups_segment(place->group, test->at.segment) != NULL;
    case OP_VALUED:
    case OP_IN:
    case OP_PREFIX:
    case OP_LONGER:
    case OP_NUMBER:
    case OP_TABLE:
    case OP_SAME:
    case OP_COMPARE: break;
    case OP_TYPE:
    case OP_NAMED:
    case OP_WRITTEN:
    case OP_SINCE: return false; /* of the way back */
    }
    *other = true;
    return false;
}

static bool holds(const struct engine *e, const struct place *place,
                  const struct rule_test *test)
{
    bool other = false;
    bool there = is_there(e, place, test, &other);
    if (!other) {
        return there;
    }
    bool number = test->op == OP_NUMBER || test->op == OP_COMPARE;
    struct str raw = tested(e, place, &test->at, number);
    if (!raw.p) {
        return false;
    }
    switch (test->op) {
    case OP_VALUED: return true;
    case OP_IN: return any_value(test, raw, false);
    case OP_PREFIX: return any_value(test, raw, true);
    case OP_LONGER: return raw.n > test->number;
    case OP_NUMBER: return leaf_is_number(raw);
    case OP_TABLE: return leaf_lists(test->table, raw);
    case OP_SAME: return same(raw, tested(e, place, &test->other, false));
    case OP_COMPARE: return compares(e, place, test, raw);
    case OP_COUNT:
    case OP_SEGMENT:
    case OP_EVENT:
    case OP_OPTION:
    case OP_SET:
    case OP_RESOURCE:
    case OP_TYPE:
    case OP_NAMED:
    case OP_WRITTEN:
    case OP_SINCE: break;
    }
    return false;
}

/* Whether a test of this kind that is true tells something of the value it looks at. */
static bool reads(enum rule_op op)
{
    return op == OP_IN || op == OP_PREFIX || op == OP_TABLE || op == OP_SAME;
}

bool source_holds(struct engine *e, const struct place *place, const struct rule_test *tests)
{
    uint8_t at = 0;
    while (at < RULE_TESTS_MAX) {
        bool yes = holds(e, place, &tests[at]);
        if (yes && reads(tests[at].op)) {
            coverage_use_at(e, place, &tests[at].at);
        }
        at = yes ? tests[at].yes : tests[at].no;
    }
    return at == RULE_HOLDS;
}

void source_issue(struct engine *e, const struct place *place, enum issue_severity severity,
                  const char *code, const char *text)
{
    if (e->issues->count >= ISSUES_MAX) {
        issues_add(e->issues, severity, code, STR(""), "%s", text); /* only counted */
        return;
    }
    struct v2_address at = { .field = place->field,
                             .repetition = place->repetition,
                             .component = place->component };
    const struct v2_segment *segment = place->origin;
    if (segment) {
        memcpy(at.segment, segment->name, sizeof(at.segment));
        at.occurrence = e->occurrences[segment - e->message->segments];
    }
    char name[64];
    struct buf b = buf_fixed(name, sizeof(name));
    v2_address_write(&b, &at);
    issues_add(e->issues, severity, code, buf_str(&b), "%s", text);
}
