/* Conditions of the way back: about what paths find, and about what is written already. */
#include "fhir/translate/engine.h"

#include "fhir/translate/back.h"

static bool any_value(const struct rule_test *test, struct str text, bool prefix)
{
    for (uint16_t i = 0; i < test->count; i++) {
        struct str value = test->values[i];
        if (prefix ? str_starts(text, value) : str_eq(text, value)) {
            return true;
        }
    }
    return false;
}

static bool any_option(const struct back *b, const struct rule_test *test)
{
    for (size_t i = 0; i < b->to->option_count; i++) {
        if (any_value(test, b->to->options[i], false)) {
            return true;
        }
    }
    return false;
}

/* Text of the first thing that @path finds. */
static struct str first_text(struct back *b, const struct back_place *place,
                             const struct rule_path *path)
{
    struct back_nodes found = { 0 };
    back_find(b, place, path, &found);
    return found.n ? back_text(found.list[0]) : (struct str){ 0 };
}

static bool written(const struct back *b, const struct back_place *place,
                    const struct rule_address *at)
{
    struct back_spot spot;
    return back_spot_at(b, &place->spot, at, &spot) && back_written(b, &spot);
}

/* Tests of one text among those found. */
static bool text_holds(struct back *b, const struct back_place *place,
                       const struct rule_test *test, struct str text)
{
    switch (test->op) {
    case OP_IN: return any_value(test, text, false);
    case OP_PREFIX: return any_value(test, text, true);
    case OP_LONGER: return text.n > test->number;
    case OP_NUMBER: return leaf_is_number(text);
    case OP_TABLE: return rule_table_back(test->table, STR(""), text) != NULL;
    case OP_SAME: {
        struct str other = first_text(b, place, test->other_path);
        return text.n && str_eq(text, other);
    }
    case OP_COMPARE: {
        struct str other =
            test->count ? test->values[0] : first_text(b, place, test->other_path);
        return (leaf_compare(text, other) & test->outcomes) != 0;
    }
    case OP_VALUED:
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

/* Whether a resource of the test's type refers to the one at hand. */
static bool named(struct back *b, const struct back_place *place, const struct rule_test *test)
{
    const struct back_resource *r = back_first(b, test->values[0].p);
    for (; r && !b->error; r = r->next) {
        struct back_nodes found = { 0 };
        struct back_place there = { .group = place->group, .at = r->node };
        back_find(b, &there, test->path, &found);
        for (size_t i = 0; i < found.n; i++) {
            const struct back_resource *to = back_resolve(b, found.list[i]);
            if (to && to->node == place->at) {
                return true;
            }
        }
    }
    return false;
}

/* Tests of what a path finds. */
static bool path_holds(struct back *b, const struct back_place *place,
                       const struct rule_test *test)
{
    struct back_nodes found = { 0 };
    back_find(b, place, test->path, &found);
    if (test->op == OP_VALUED) {
        return found.n > 0;
    }
    if (test->op == OP_COUNT) {
        uint8_t outcome = found.n < test->number    ? RULE_LESS
                          : found.n == test->number ? RULE_EQUAL
                                                    : RULE_MORE;
        return (outcome & test->outcomes) != 0;
    }
    for (size_t i = 0; i < found.n; i++) {
        struct str text = back_text(found.list[i]);
        if (text.p && text_holds(b, place, test, text)) {
            return true;
        }
    }
    return false;
}

static bool holds(struct back *b, const struct back_place *place, const struct rule_test *test)
{
    switch (test->op) {
    case OP_EVENT: return any_value(test, b->message->event, false);
    case OP_OPTION: return any_option(b, test);
    case OP_TYPE: return back_first(b, test->values[0].p) != NULL;
    case OP_NAMED: return named(b, place, test);
    case OP_WRITTEN: return written(b, place, &test->at);
    case OP_SINCE: return b->to->version >= test->number;
    case OP_VALUED:
    case OP_IN:
    case OP_PREFIX:
    case OP_LONGER:
    case OP_NUMBER:
    case OP_TABLE:
    case OP_SAME:
    case OP_COMPARE:
    case OP_COUNT: return path_holds(b, place, test);
    case OP_SEGMENT:
    case OP_SET:
    case OP_RESOURCE: break; /* not on the way back */
    }
    return false;
}

bool back_holds(struct back *b, const struct back_place *place, const struct rule_test *tests)
{
    uint8_t at = tests ? 0 : RULE_HOLDS;
    while (at < RULE_TESTS_MAX) {
        at = holds(b, place, &tests[at]) ? tests[at].yes : tests[at].no;
    }
    return at == RULE_HOLDS;
}
