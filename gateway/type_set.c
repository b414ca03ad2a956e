/* Bit n stands for number n. */
#include "gateway/type_set.h"

static bool has(const struct type_set *set, unsigned number)
{
    return set->bits[number / 8] >> number % 8 & 1;
}

void type_set_add(struct type_set *set, struct str type)
{
    unsigned number = subject_type_number(type);
    if (number) {
        set->bits[number / 8] |= (uint8_t)(1U << number % 8);
    }
}

void type_set_join(struct type_set *set, const struct type_set *more)
{
    for (size_t i = 0; i < sizeof(set->bits); i++) {
        set->bits[i] |= more->bits[i];
    }
}

bool type_set_without(struct type_set *set, const struct type_set *less)
{
    uint8_t left = 0;
    for (size_t i = 0; i < sizeof(set->bits); i++) {
        set->bits[i] &= (uint8_t)~less->bits[i];
        left |= set->bits[i];
    }
    return left;
}

size_t type_set_bytes(const struct type_set *set, uint8_t *out)
{
    size_t n = 0;
    for (unsigned number = 1; number < SUBJECT_TYPES_MAX; number++) {
        if (has(set, number)) {
            out[n++] = (uint8_t)(number >> 8);
            out[n++] = (uint8_t)number;
        }
    }
    return n;
}
