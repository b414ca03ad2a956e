/*
 * Security labels: the order of confidentiality, the tree of sensitivity.
 *
 * Sensitivity as in R4: SPI has SUD (with ETHUD and OPIOIDUD), PSY, PSYTHPN, MH and BH below
 * it; ETH stands alone, although everyone who lists it means SUD. The table of equals mends
 * that. The table is in byte order, so a set of bits lists its names sorted.
 */
#include "fhir/consent/labels.h"

#include "crypto/base/attr.h"

#include <assert.h>

enum {
    TOP = -1,
    ETH = 13,
    SUD = 38,
};

static const struct {
    const char *code;
    int parent;
} table[] = {
    /*  0 */ { "ADOL", TOP },
    /*  1 */ { "B", TOP },
    /*  2 */ { "BH", 35 },
    /*  3 */ { "CEL", TOP },
    /*  4 */ { "COGN", 2 },
    /*  5 */ { "DEMO", TOP },
    /*  6 */ { "DIA", TOP },
    /*  7 */ { "DOB", TOP },
    /*  8 */ { "DRGIS", TOP },
    /*  9 */ { "DVD", 2 },
    /* 10 */ { "EMOTDIS", 2 },
    /* 11 */ { "EMP", TOP },
    /* 12 */ { "EMPL", TOP },
    /* 13 */ { "ETH", TOP },
    /* 14 */ { "ETHUD", 38 },
    /* 15 */ { "GDIS", TOP },
    /* 16 */ { "GENDER", TOP },
    /* 17 */ { "HIV", TOP },
    /* 18 */ { "LIVARG", TOP },
    /* 19 */ { "LOCIS", TOP },
    /* 20 */ { "MARST", TOP },
    /* 21 */ { "MH", 35 },
    /* 22 */ { "MST", TOP },
    /* 23 */ { "OPIOIDUD", 38 },
    /* 24 */ { "PDS", TOP },
    /* 25 */ { "PHY", TOP },
    /* 26 */ { "PRS", TOP },
    /* 27 */ { "PSY", 35 },
    /* 28 */ { "PSYTHPN", 35 },
    /* 29 */ { "RACE", TOP },
    /* 30 */ { "REL", TOP },
    /* 31 */ { "SCA", TOP },
    /* 32 */ { "SDV", TOP },
    /* 33 */ { "SEX", TOP },
    /* 34 */ { "SICKLE", TOP },
    /* 35 */ { "SPI", TOP },
    /* 36 */ { "SSP", TOP },
    /* 37 */ { "STD", TOP },
    /* 38 */ { "SUD", 35 },
    /* 39 */ { "TBOO", TOP },
    /* 40 */ { "VIO", TOP },
};
static_assert(ARRAY_LEN(table) == LABELS_COUNT, "sensitivity codes of R4");

/* Codes that name the same; each covers what the other does. */
static const struct {
    int one;
    int other;
} equals[] = {
    { ETH, SUD },
};

static const char *const levels[] = {
    [CONFIDENTIALITY_NONE] = "", [CONFIDENTIALITY_U] = "U", [CONFIDENTIALITY_L] = "L",
    [CONFIDENTIALITY_M] = "M",   [CONFIDENTIALITY_N] = "N", [CONFIDENTIALITY_R] = "R",
    [CONFIDENTIALITY_V] = "V",
};

enum confidentiality labels_confidentiality(struct str code)
{
    for (int i = CONFIDENTIALITY_U; i <= CONFIDENTIALITY_V; i++) {
        if (str_eq(code, str_z(levels[i]))) {
            return (enum confidentiality)i;
        }
    }
    return CONFIDENTIALITY_NONE;
}

const char *labels_confidentiality_name(enum confidentiality level)
{
    return levels[level];
}

static uint64_t bit(int index)
{
    return UINT64_C(1) << index;
}

uint64_t labels_bit(struct str code)
{
    for (int i = 0; i < LABELS_COUNT; i++) {
        if (str_eq(code, str_z(table[i].code))) {
            return bit(i);
        }
    }
    return 0;
}

const char *labels_name(unsigned index)
{
    assert(index < LABELS_COUNT);
    return table[index].code;
}

static bool descends(int code, uint64_t from)
{
    for (int i = code; i != TOP; i = table[i].parent) {
        if (from & bit(i)) {
            return true;
        }
    }
    return false;
}

static uint64_t with_descendants(uint64_t listed)
{
    uint64_t set = 0;
    for (int i = 0; i < LABELS_COUNT; i++) {
        set |= descends(i, listed) ? bit(i) : 0;
    }
    return set;
}

uint64_t labels_covered_by(uint64_t listed)
{
    uint64_t set = with_descendants(listed);
    for (size_t i = 0; i < ARRAY_LEN(equals); i++) {
        uint64_t both = bit(equals[i].one) | bit(equals[i].other);
        set |= set & both ? both : 0;
    }
    return with_descendants(set);
}
