/* The rows of schemas/fhir/{subjects,facts}_r4.csv. Internal to the folder. */
#pragma once

#include "crypto/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum table_class {
    TABLE_UNLISTED,    /* no type of R4 */
    TABLE_PATIENT,     /* is its own subject */
    TABLE_ENTRIES,     /* a Bundle: its entries' subjects */
    TABLE_CLINICAL,    /* has a subject; if it shows none, nobody knows whose it is */
    TABLE_CONDITIONAL, /* may have one; if it shows none, it is nobody's */
    TABLE_UNIVERSAL,   /* a type without patients */
};

enum table_says {
    TABLE_OTHER, /* no row */
    TABLE_SUBJECT,
    TABLE_PARTICIPANT,
    TABLE_DERIVED,
    TABLE_WHEN,
    TABLE_AUTHOR,
};

/* @path: member names joined by dots; a name repeated in a row stands there once */
struct table_path {
    struct str path;
    enum table_says says;
};

struct table_type {
    struct str name;
    enum table_class class;
    uint16_t first; /* of its paths */
    uint16_t count;
};

/* Place of a row in the table, from 1; 0 for NULL. And the row of that place, or NULL. */
unsigned table_number(const struct table_type *type);
const struct table_type *table_of_number(unsigned number);

/* The row of @type, or NULL. */
const struct table_type *table_find(struct str type);

/* Its paths, @type->count of them. */
const struct table_path *table_paths(const struct table_type *type);

/* What subjects_r4.csv says of the element at @path; TABLE_OTHER if it has no row. */
enum table_says table_role(const struct table_type *type, struct str path);
