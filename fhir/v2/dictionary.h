/*
 * The dictionary of HL7 v2: for each version the segments with their fields, the datatypes with
 * their components, the message structures with their groups; and the tables of codes.
 *
 * Compiled from schemas/v2. All texts are static.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum v2_version {
    V2_2_1,
    V2_2_2,
    V2_2_3,
    V2_2_3_1,
    V2_2_4,
    V2_2_5,
    V2_2_5_1,
    V2_2_6,
    V2_2_7,
    V2_2_7_1,
    V2_VERSIONS,
    V2_VERSION_USUAL = V2_2_5_1, /* where a message doesn't say */
    V2_VERSION_LAST = V2_2_7_1,
};

enum v2_version_fit {
    V2_VERSION_KNOWN,
    V2_VERSION_LATER,   /* later than the last one, which stands in */
    V2_VERSION_UNKNOWN, /* no version of HL7 v2; the usual one stands in */
};

/* The version that the dictionary has for MSH-12.1. */
enum v2_version_fit v2_version_find(struct str text, enum v2_version *out);

/* "2.5.1" */
const char *v2_version_name(enum v2_version version);

/* --- segments and datatypes --------------------------------------------------------------- */

enum v2_use {
    V2_OPTIONAL,
    V2_REQUIRED,
    V2_CONDITIONAL,
    V2_WITHDRAWN, /* was there in earlier versions; senders and receivers may still use it */
};

/*
 * A field of a segment or a component of a datatype.
 *
 * @type:   "CX"; "VARIES" where another field tells
 * @repeat: how often at most; 0: any number of times
 * @length: in characters, all components together; 0: not said
 * @table:  number of the table its code is from; 0: none
 */
struct v2_item {
    const char *name;
    const char *type;
    enum v2_use use;
    uint32_t repeat;
    uint32_t length;
    uint32_t table;
};

/* A segment or composite datatype in one version: @count items, for v2_item(). */
struct v2_definition {
    const char *name;
    const char *text;
    uint32_t count;
    const uint16_t *items;
    const uint32_t *names;
};

/* Segment @name ("PID") of @version; false: there is none, @out is untouched. */
bool v2_segment_definition(enum v2_version version, struct str name, struct v2_definition *out);

/* The same for datatype @name ("CX"). Types without components have no definition. */
bool v2_type_definition(enum v2_version version, struct str name, struct v2_definition *out);

/* Item @number (from 1) of @definition; false beyond its last, @out is untouched then. */
bool v2_item(const struct v2_definition *definition, uint32_t number, struct v2_item *out);

/* --- structures --------------------------------------------------------------------------- */

/*
 * A node of a message structure: a segment, a group, or a choice of one segment among several.
 * What is in a group or choice follows it; v2_node_span() steps over it.
 */
struct v2_node {
    uint16_t id;
    uint16_t bits;
};

enum v2_node_kind {
    V2_NODE_SEGMENT,
    V2_NODE_GROUP,
    V2_NODE_CHOICE,
};

enum {
    V2_NODE_GROUP_ID = 0x8000, /* ids below are segments, see v2_segment_id() */
    V2_NODE_CHOICE_ID = 0xFFFF,
    V2_NODE_REQUIRED = 0x8000,
    V2_NODE_MANY = 0x4000,
    V2_NODE_SPAN = 0x3FFF,
    V2_SEGMENT_ID_NONE = 0x7FFF, /* not in any version */
};

static inline enum v2_node_kind v2_node_kind(const struct v2_node *node)
{
    if (node->id == V2_NODE_CHOICE_ID) {
        return V2_NODE_CHOICE;
    }
    return node->id < V2_NODE_GROUP_ID ? V2_NODE_SEGMENT : V2_NODE_GROUP;
}

/* Nodes from @node up to its next sibling, itself included. */
static inline uint32_t v2_node_span(const struct v2_node *node)
{
    return 1 + (node->bits & (uint32_t)V2_NODE_SPAN);
}

static inline bool v2_node_required(const struct v2_node *node)
{
    return node->bits & V2_NODE_REQUIRED;
}

static inline bool v2_node_many(const struct v2_node *node)
{
    return node->bits & V2_NODE_MANY;
}

/* "OBX", "ORDER_OBSERVATION"; "" for a root or choice. */
const char *v2_node_name(const struct v2_node *node);

/* What nodes call segment @name, the same in all versions; or V2_SEGMENT_ID_NONE. */
uint16_t v2_segment_id(struct str name);

/* The root of structure @name ("ORU_R01", "ADT_A08") in @version; NULL: there is none. */
const struct v2_node *v2_structure_root(enum v2_version version, struct str name);

/* --- tables ------------------------------------------------------------------------------- */

enum v2_coded {
    V2_CODE_KNOWN,
    V2_CODE_UNKNOWN,  /* the table has codes, this isn't one of them */
    V2_CODE_NO_TABLE, /* without codes of its own */
};

/* Whether @table has @code; @name, if not NULL, is set to what it means where it has. */
enum v2_coded v2_table_code(uint32_t table, struct str code, const char **name);

/* "Administrative Sex"; NULL: no such table. */
const char *v2_table_name(uint32_t table);
