/* Classes of characters as ascending ranges. */
#include "fhir/base/regex_tree.h"

#include <errno.h>

void regex_ranges_add(struct regex_ranges *ranges, uint32_t from, uint32_t to)
{
    if (ranges->n == REGEX_RANGES_MAX) {
        ranges->too_many = true;
        return;
    }
    ranges->list[ranges->n++] = (struct regex_range){ from, to };
}

/* Ascending, and none touching the next. */
static void join(struct regex_ranges *ranges)
{
    struct regex_range *list = ranges->list;
    for (size_t i = 1; i < ranges->n; i++) {
        struct regex_range moving = list[i];
        size_t k = i;
        for (; k && list[k - 1].from > moving.from; k--) {
            list[k] = list[k - 1];
        }
        list[k] = moving;
    }
    size_t n = 0;
    for (size_t i = 0; i < ranges->n; i++) {
        if (n && list[i].from <= list[n - 1].to + 1) {
            list[n - 1].to = list[i].to > list[n - 1].to ? list[i].to : list[n - 1].to;
        } else {
            list[n++] = list[i];
        }
    }
    ranges->n = n;
}

/* All other characters; @ranges are joined. */
static void invert(struct regex_ranges *ranges)
{
    struct regex_ranges others = { .too_many = ranges->too_many };
    uint32_t from = 0;
    for (size_t i = 0; i < ranges->n; i++) {
        if (ranges->list[i].from > from) {
            regex_ranges_add(&others, from, ranges->list[i].from - 1);
        }
        from = ranges->list[i].to + 1;
    }
    if (from <= REGEX_POINT_MAX) {
        regex_ranges_add(&others, from, REGEX_POINT_MAX);
    }
    *ranges = others;
}

/* What \d, \w, \s stand for, as pairs; NULL for other letters. */
static const char *shorthand(char letter)
{
    switch (letter) {
    case 'd':
    case 'D': return "09";
    case 'w':
    case 'W': return "azAZ09__";
    case 's':
    case 'S': return "\t\r  ";
    default: return NULL;
    }
}

bool regex_is_shorthand(char letter)
{
    return shorthand(letter) != NULL;
}

bool regex_ranges_add_shorthand(struct regex_ranges *ranges, char letter)
{
    const char *pairs = shorthand(letter);
    if (!pairs) {
        return false;
    }
    struct regex_ranges own = { 0 };
    for (; *pairs; pairs += 2) {
        regex_ranges_add(&own, (uint32_t)pairs[0], (uint32_t)pairs[1]);
    }
    join(&own);
    if (letter >= 'A' && letter <= 'Z') {
        invert(&own);
    }
    for (size_t i = 0; i < own.n; i++) {
        regex_ranges_add(ranges, own.list[i].from, own.list[i].to);
    }
    return true;
}

int regex_class_make(struct arena *arena, struct regex_ranges *ranges, bool negated,
                     struct regex_class *out)
{
    join(ranges);
    if (negated) {
        invert(ranges);
    }
    if (ranges->too_many) {
        return REGEX_E_LIMIT;
    }
    struct regex_range *kept = arena_calloc(arena, ranges->n + 1, sizeof(*kept));
    if (!kept) {
        return -ENOMEM;
    }
    memcpy(kept, ranges->list, ranges->n * sizeof(*kept));
    struct regex_class class = { .ranges = kept, .n = ranges->n };
    for (size_t i = 0; i < class.n; i++) {
        for (uint32_t c = kept[i].from; c < REGEX_ASCII && c <= kept[i].to; c++) {
            class.ascii[c / 32] |= UINT32_C(1) << (c % 32);
        }
    }
    *out = class;
    return 0;
}
