/* The units that ucum.c knows. */
#pragma once

#include "fhir/base/ucum.h"

enum ucum_kind {
    UCUM_BASE,      /* @code is a base unit */
    UCUM_DEFINED,   /* @value times @unit */
    UCUM_ARBITRARY, /* nothing else measures it */
    UCUM_OWN_SCALE, /* Cel, [degF] */
};

/* @metric: takes prefixes */
struct ucum_row {
    const char *code;
    enum ucum_kind kind;
    bool metric;
    const char *value;
    const char *unit;
};

extern const struct ucum_row ucum_rows[]; /* by code, bytewise */
extern const size_t ucum_rows_n;
