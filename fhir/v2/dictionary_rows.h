/*
 * Form of the compiled dictionary: what schemas/gen/v2_dictionary.py writes and dictionary.c
 * reads. Texts are offsets into v2_texts.
 */
#pragma once

#include "fhir/v2/dictionary.h"

/* A segment or composite datatype; @definitions: one for each version, 0 where it isn't. */
struct v2_owner_row {
    char name[24];
    uint32_t text;
    uint16_t names; /* first of its items' names in v2_item_names */
    uint16_t definitions[V2_VERSIONS];
};

/* @items: first of @count in v2_item_refs, which are indexes of v2_item_rows */
struct v2_definition_row {
    uint16_t items;
    uint16_t count;
};

/* @table: number, and enum v2_use above V2_ITEM_USE_SHIFT */
struct v2_item_row {
    uint32_t length;
    uint16_t table;
    uint8_t type;
    uint8_t repeat;
};

enum {
    V2_ITEM_USE_SHIFT = 14,
    V2_ITEM_TABLE = (1 << V2_ITEM_USE_SHIFT) - 1,
};

/* @roots: index of its root in v2_nodes and 1 for each version, 0 where it isn't */
struct v2_structure_row {
    char name[8];
    uint16_t roots[V2_VERSIONS];
};

/* @codes: first of @count in v2_code_rows, sorted */
struct v2_table_row {
    uint16_t number;
    uint16_t codes;
    uint16_t count;
    uint32_t name;
};

struct v2_code_row {
    uint32_t code;
    uint32_t name;
};

extern const struct v2_owner_row v2_segment_rows[]; /* sorted */
extern const size_t v2_segment_rows_n;
extern const struct v2_owner_row v2_type_rows[]; /* sorted */
extern const size_t v2_type_rows_n;
extern const uint32_t v2_type_names[];
extern const size_t v2_type_names_n;
extern const struct v2_item_row v2_item_rows[];
extern const size_t v2_item_rows_n;
extern const uint16_t v2_item_refs[];
extern const size_t v2_item_refs_n;
extern const uint32_t v2_item_names[];
extern const size_t v2_item_names_n;
extern const struct v2_definition_row v2_definition_rows[];
extern const size_t v2_definition_rows_n;
extern const struct v2_node v2_nodes[];
extern const size_t v2_nodes_n;
extern const uint32_t v2_group_names[];
extern const size_t v2_group_names_n;
extern const struct v2_structure_row v2_structure_rows[]; /* sorted */
extern const size_t v2_structure_rows_n;
extern const struct v2_table_row v2_table_rows[]; /* sorted */
extern const size_t v2_table_rows_n;
extern const struct v2_code_row v2_code_rows[];
extern const size_t v2_code_rows_n;
extern const char v2_texts[];
