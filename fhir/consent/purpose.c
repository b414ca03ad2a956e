/*
 * Purposes of use as a tree of parents.
 *
 * The table is in byte order, so a set of bits lists its names sorted. In R4 the chain is
 * PurposeOfUse > TREAT > ETREAT > BTG: taken literally a permit for treatment would let
 * everyone break the glass. So the way up ends at ETREAT, except where that would weaken a deny
 * of what isn't itself a break-glass purpose (ERTREAT, the emergency department).
 */
#include "fhir/consent/purpose.h"

#include <assert.h>

enum {
    TOP = -1,
    BTG = 1,
    ETREAT = 18,
};

static const struct {
    const char *code;
    int parent;
} table[] = {
    /*  0 */ { "BIORCH", 34 },
    /*  1 */ { "BTG", 18 },
    /*  2 */ { "CAREMGT", 29 },
    /*  3 */ { "CLINTRCH", 34 },
    /*  4 */ { "CLINTRCHNPC", 3 },
    /*  5 */ { "CLINTRCHPC", 3 },
    /*  6 */ { "CLINTRL", 59 },
    /*  7 */ { "CLMATTCH", 31 },
    /*  8 */ { "COC", 59 },
    /*  9 */ { "COVAUTH", 31 },
    /* 10 */ { "COVERAGE", 31 },
    /* 11 */ { "DISASTER", 49 },
    /* 12 */ { "DONAT", 29 },
    /* 13 */ { "DSRCH", 34 },
    /* 14 */ { "ELIGDTRM", 10 },
    /* 15 */ { "ELIGVER", 10 },
    /* 16 */ { "ENROLLM", 10 },
    /* 17 */ { "ERTREAT", 18 },
    /* 18 */ { "ETREAT", 59 },
    /* 19 */ { "FAMRQT", 43 },
    /* 20 */ { "FRAUD", 29 },
    /* 21 */ { "GOV", 29 },
    /* 22 */ { "HACCRED", 29 },
    /* 23 */ { "HCOMPL", 29 },
    /* 24 */ { "HDECD", 29 },
    /* 25 */ { "HDIRECT", 29 },
    /* 26 */ { "HDM", 29 },
    /* 27 */ { "HLEGAL", 29 },
    /* 28 */ { "HMARKT", 51 },
    /* 29 */ { "HOPERAT", 51 },
    /* 30 */ { "HOUTCOMS", 29 },
    /* 31 */ { "HPAYMT", 51 },
    /* 32 */ { "HPRGRP", 29 },
    /* 33 */ { "HQUALIMP", 29 },
    /* 34 */ { "HRESCH", 51 },
    /* 35 */ { "HSYSADMIN", 29 },
    /* 36 */ { "HTEST", 55 },
    /* 37 */ { "LABELING", 35 },
    /* 38 */ { "MEMADMIN", 29 },
    /* 39 */ { "METAMGT", 35 },
    /* 40 */ { "MILCDM", 29 },
    /* 41 */ { "MILDCRG", 10 },
    /* 42 */ { "PATADMIN", 29 },
    /* 43 */ { "PATRQT", 51 },
    /* 44 */ { "PATSFTY", 29 },
    /* 45 */ { "PERFMSR", 29 },
    /* 46 */ { "POARCH", 34 },
    /* 47 */ { "POPHLTH", 59 },
    /* 48 */ { "PRECLINTRCH", 3 },
    /* 49 */ { "PUBHLTH", 51 },
    /* 50 */ { "PWATRNY", 43 },
    /* 51 */ { "PurposeOfUse", TOP },
    /* 52 */ { "RECORDMGT", 29 },
    /* 53 */ { "REMITADV", 31 },
    /* 54 */ { "SUPNWK", 43 },
    /* 55 */ { "SYSDEV", 29 },
    /* 56 */ { "THREAT", 49 },
    /* 57 */ { "TRAIN", 29 },
    /* 58 */ { "TRANSRCH", 34 },
    /* 59 */ { "TREAT", 51 },
};
static_assert(ARRAY_LEN(table) == PURPOSE_COUNT, "59 codes below PurposeOfUse");

static uint64_t bit(int index)
{
    return UINT64_C(1) << index;
}

bool purpose_known_system(struct str system)
{
    return str_eq(system, STR(PURPOSE_SYSTEM)) ||
           str_eq(system, STR("urn:oid:2.16.840.1.113883.5.8"));
}

uint64_t purpose_bit(struct str code)
{
    for (int i = 0; i < PURPOSE_COUNT; i++) {
        if (str_eq(code, str_z(table[i].code))) {
            return bit(i);
        }
    }
    return 0;
}

const char *purpose_name(unsigned index)
{
    assert(index < PURPOSE_COUNT);
    return table[index].code;
}

bool purpose_breaks_glass(uint64_t set)
{
    return (set & (bit(BTG) | bit(ETREAT))) != 0;
}

/* Whether @code or one that it descends from is in @listed; the way up ends at ETREAT. */
static bool descends(int code, uint64_t listed)
{
    for (int i = code; i != TOP; i = table[i].parent) {
        if (listed & bit(i)) {
            return true;
        }
        if (i == ETREAT) {
            return false;
        }
    }
    return false;
}

/* @code and what it descends from. */
static uint64_t upwards(int code)
{
    uint64_t set = 0;
    for (int i = code; i != TOP; i = table[i].parent) {
        set |= bit(i);
    }
    return set;
}

uint64_t purpose_permitted_by(uint64_t listed)
{
    uint64_t set = 0;
    for (int i = 0; i < PURPOSE_COUNT; i++) {
        set |= descends(i, listed) ? bit(i) : 0;
    }
    return set;
}

uint64_t purpose_denied_by(uint64_t listed)
{
    const uint64_t glass = bit(BTG) | bit(ETREAT);
    uint64_t set = 0;
    for (int i = 0; i < PURPOSE_COUNT; i++) {
        if ((listed & bit(i)) && !(bit(i) & glass)) {
            set |= upwards(i) & ~glass;
        }
        if (!(bit(i) & glass) && (upwards(i) & listed)) {
            set |= bit(i);
        }
    }
    return set | purpose_permitted_by(listed);
}

uint64_t purpose_permitted_unlisted(void)
{
    return (bit(PURPOSE_COUNT) - 1) & ~(bit(BTG) | bit(ETREAT));
}
