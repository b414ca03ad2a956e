/*
 * Case by ranges.
 *
 * In a range, either all capitals lie at one distance from their small letters, or capitals and
 * small letters take turns. ß, dotless i and other letters without a partner of one character
 * are left out.
 *
 * Spec: Unicode 15, UnicodeData.txt, simple case mappings
 */
#include "fhir/base/fold.h"

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TAKE_TURNS = 1,
};

/* @from, @to: capitals; @distance: to the small letter, TAKE_TURNS: each second is a capital */
static const struct {
    uint16_t from;
    uint16_t to;
    int16_t distance;
} ranges[] = {
    { 'A', 'Z', 32 },
    { 0x00C0, 0x00D6, 32 },
    { 0x00D8, 0x00DE, 32 },
    { 0x0100, 0x012E, TAKE_TURNS },
    { 0x0132, 0x0136, TAKE_TURNS },
    { 0x0139, 0x0147, TAKE_TURNS },
    { 0x014A, 0x0176, TAKE_TURNS },
    { 0x0178, 0x0178, -121 },
    { 0x0179, 0x017D, TAKE_TURNS },
    { 0x01CD, 0x01DB, TAKE_TURNS },
    { 0x01DE, 0x01EE, TAKE_TURNS },
    { 0x01F8, 0x021E, TAKE_TURNS },
    { 0x0222, 0x0232, TAKE_TURNS },
    { 0x0386, 0x0386, 38 },
    { 0x0388, 0x038A, 37 },
    { 0x038C, 0x038C, 64 },
    { 0x038E, 0x038F, 63 },
    { 0x0391, 0x03A1, 32 },
    { 0x03A3, 0x03AB, 32 },
    { 0x0400, 0x040F, 80 },
    { 0x0410, 0x042F, 32 },
    { 0x0460, 0x0480, TAKE_TURNS },
    { 0x048A, 0x04BE, TAKE_TURNS },
    { 0x04C1, 0x04CD, TAKE_TURNS },
    { 0x04D0, 0x052E, TAKE_TURNS },
    { 0x0531, 0x0556, 48 },
    { 0x1E00, 0x1E94, TAKE_TURNS },
    { 0x1EA0, 0x1EFE, TAKE_TURNS },
};

uint32_t fold_lower(uint32_t point)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges) && point >= ranges[i].from; i++) {
        if (point > ranges[i].to) {
            continue;
        }
        bool alternate = ranges[i].distance == TAKE_TURNS;
        bool small = alternate && (point - ranges[i].from) % 2;
        return small ? point : (uint32_t)((int32_t)point + ranges[i].distance);
    }
    return point;
}

uint32_t fold_upper(uint32_t point)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        uint32_t capital = (uint32_t)((int32_t)point - ranges[i].distance);
        bool alternate = ranges[i].distance == TAKE_TURNS;
        bool within = capital >= ranges[i].from && capital <= ranges[i].to;
        if (within && !(alternate && (capital - ranges[i].from) % 2)) {
            return capital;
        }
    }
    return point;
}
