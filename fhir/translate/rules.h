/*
 * What map_compile() makes of map files: tables that the engines run.
 *
 * A rule takes something from the message, tests, converts it and puts it at a path in a
 * resource. Rules come in maps: for a segment, for a datatype, for finishing a resource, for a
 * block. Groups say which segments belong together. schemas/map/README.md has the language.
 *
 * Rules of the way back are the same read from the right: what stands at a path of a resource
 * is put at an address of the message. Groups then say which resources give which segments.
 */
#pragma once

#include "crypto/base/str.h"
#include "fhir/translate/rules_back.h"
#include "fhir/v2/patient_ids.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RULE_VALUE = -1, /* as a segment: the value at hand, not a segment */
    RULE_WORDS = 2,  /* of 64 fields each, where fields are bits */
};

/*
 * @segment:    index into the segments of struct rules, or RULE_VALUE
 * @field:      of the segment; unused for RULE_VALUE
 * @repetition: of the field; 0: the first, or each where a row says so
 * @onwards:    @component and all that follow it, not cut
 */
struct rule_address {
    int16_t segment;
    uint8_t field;
    uint8_t repetition;
    uint8_t component;
    uint8_t subcomponent;
    bool onwards;
};

/* The bits of the parts that @at, an address in the value at hand, covers. */
static inline uint64_t rule_parts(const struct rule_address *at)
{
    uint64_t from = at->component < 64 ? ~(uint64_t)0 << at->component : 0;
    return at->component == 0 || at->onwards ? from : from & ~(from << 1);
}

enum rule_op {
    OP_VALUED,
    OP_IN,       /* one of the values */
    OP_PREFIX,   /* begins with one of the values */
    OP_LONGER,   /* than that many characters */
    OP_NUMBER,   /* reads as a decimal number */
    OP_TABLE,    /* a code that the table lists */
    OP_SAME,     /* the same text as what is at the other address */
    OP_COMPARE,  /* as a number, with the other address or the value */
    OP_COUNT,    /* how many repetitions the field has */
    OP_SEGMENT,  /* such a segment is in reach */
    OP_EVENT,    /* of the message: one of the values */
    OP_OPTION,   /* the caller wants one of the values */
    OP_SET,      /* the target has such an element already; * at the end: any that begins so;
                    after it "=" and values of which it has one */
    OP_RESOURCE, /* such a resource is in reach */
    OP_TYPE,     /* on the way back: a resource of that type is in the Bundle */
    OP_NAMED,    /* on the way back: some resource of a type refers to this one */
    OP_WRITTEN,  /* on the way back: something stands at the address already */
    OP_SINCE,    /* on the way back: the receiver's version is that one or a later one */
};

/* Outcomes of a comparison that make it true, as bits. */
enum {
    RULE_LESS = 1,
    RULE_EQUAL = 2,
    RULE_MORE = 4,
};

enum {
    RULE_HOLDS = 255, /* instead of the index of a next test: the condition is true */
    RULE_FAILS = 254,
    RULE_TESTS_MAX = 250, /* of one condition */
};

/*
 * One step of a condition, which is a list of steps that begins with the first.
 *
 * @yes, @no: the step that follows if this one is true or not, always a later one
 * @outcomes: of OP_COMPARE and OP_COUNT
 * @other:    of OP_SAME, and of OP_COMPARE if there are no values
 * @path, @other_path: the same on the way back, where resources are looked at
 * @values:   @count of them
 * @number:   of OP_LONGER and OP_COUNT; of OP_RESOURCE the index of the type; of OP_SINCE the
 *            version
 */
struct rule_test {
    enum rule_op op;
    uint8_t yes;
    uint8_t no;
    uint8_t outcomes;
    union {
        struct rule_address at;
        const struct rule_path *path;
    };
    union {
        struct rule_address other;
        const struct rule_path *other_path;
    };
    const struct str *values;
    const struct rule_table *table;
    uint16_t count;
    uint16_t number;
};

enum rule_source {
    SOURCE_NONE,     /* a block that only groups */
    SOURCE_VALUE,    /* from the message */
    SOURCE_TEXT,     /* a constant */
    SOURCE_FORMAT,   /* several addresses with text between */
    SOURCE_RESOURCE, /* another resource, as a reference */
    SOURCE_KNOWN,    /* what the caller says */
    SOURCE_PATH,     /* on the way back: from a resource */
    SOURCE_PARTED,   /* on the way back: a text cut into pieces, each with its address */
};

enum rule_which {
    WHICH_FIRST, /* repetition */
    WHICH_EACH,
    WHICH_REST,  /* all but the first */
    WHICH_LINES, /* all, joined by line ends */
    WHICH_ALL,   /* the same, of all such segments in the group and below it */
    WHICH_WORDS, /* on the way back: all, joined by spaces */
};

enum rule_near {
    NEAR_HERE,  /* in this group or the nearest one above */
    NEAR_ABOVE, /* above this group */
    NEAR_BELOW, /* all in groups below, but in none that stands inside one of its own name */
    NEAR_DEEP,  /* in those too */
    NEAR_EVERY, /* all of the message but this one */
};

enum rule_known {
    KNOWN_RECORDED,
    KNOWN_GATEWAY,
    KNOWN_DIGEST,
    KNOWN_SENDER,
    KNOWN_TABLE,    /* the code system of the table in force */
    KNOWN_IT,       /* the resource that the block is about */
    KNOWN_NUMBER,   /* of the repetition at hand */
    KNOWN_FIELD,    /* that the value at hand is from */
    KNOWN_SEGMENT,  /* the place of the segment at hand, or of that of the block's resource */
    KNOWN_SEGMENTS, /* the places of all segments that the block's resource was made from */
    KNOWN_EVENT,    /* of the message */
    /* On the way back: */
    KNOWN_TYPE,      /* of the message, "ORU" */
    KNOWN_STRUCTURE, /* its name, "ORU_R01" */
    KNOWN_CONTROL,   /* the message's id */
    KNOWN_VERSION,
    KNOWN_CHARSET,
};

enum rule_type {
    TYPE_STRING,
    TYPE_CODE,
    TYPE_URI,
    TYPE_BOOLEAN,
    TYPE_INTEGER,
    TYPE_POSITIVE,
    TYPE_DIGITS, /* the number at the end of the value */
    TYPE_DECIMAL,
    TYPE_DATE,
    TYPE_DATETIME,
    TYPE_INSTANT,
    TYPE_TIME,
    TYPE_BASE64,
    TYPE_HEX,        /* hexadecimal digits, as base64 */
    TYPE_ID,         /* what FHIR takes as an id */
    TYPE_CODING,     /* through a table */
    TYPE_CONCEPT,    /* the same as a CodeableConcept */
    TYPE_ASSIGNER,   /* an assigning authority to a system */
    TYPE_ISSUER,     /* the same, or the sender's default if there is none */
    TYPE_CODESYSTEM, /* name of a coding system to a system */
    TYPE_ENCODED,    /* text as base64 */
    TYPE_REFERENCE,
    TYPE_LINK,     /* the URL of a resource, without the object around it */
    TYPE_MAP,      /* a datatype or a block */
    TYPE_RESOURCE, /* a resource of its own, by a datatype or block */
};

/* What of a resource of its own is put at the path. */
enum rule_refer {
    REFER_OBJECT,    /* a Reference; nothing if there is no path */
    REFER_LINK,      /* its URL */
    REFER_CONTAINED, /* a Reference to what is put inside the resource */
};

/* @lossy: the way back has another code for what it becomes */
struct rule_code {
    struct str from;
    struct str code;
    struct str display;
    struct str system; /* empty: the table's */
    bool lossy;
};

/*
 * @codes:  sorted by @from
 * @back:   the same codes for the way back, sorted by what they become; of several for one code
 *          that which counts stands first
 * @other:  what unknown codes become; NULL if nothing
 * @unread: the same on the way back
 * @system: of the codes after the table
 * @source: of the codes before it; may be empty
 * @forward: what codes were isn't kept: the way back has it from elsewhere
 * @plain:  all text of what comes after needs no escape in JSON
 */
struct rule_table {
    const char *name;
    struct str system;
    struct str source;
    const struct rule_code *codes;
    const struct rule_code *back;
    uint16_t count;
    uint16_t back_count;
    bool forward;
    bool plain;
    const struct rule_code *other;
    const struct rule_code *unread;
};

/*
 * The code of @table that becomes @code of @system, an empty @system standing for any; NULL if
 * there is none.
 */
const struct rule_code *rule_table_back(const struct rule_table *table, struct str system,
                                        struct str code);

/* Name of an element, of @n characters, and as JSON has it before a value. */
struct rule_name {
    const char *z;
    size_t n;
    const char *json;
};

/* For static ones: the name is a literal. */
#define RULE_NAME(literal)                                                                     \
    {                                                                                          \
        .z = (literal), .n = sizeof(literal) - 1, .json = "\"" literal "\":"                   \
    }

/* Which element of an array a step leads to, instead of the one member of that name. */
enum rule_item {
    ITEM_NONE,
    ITEM_NEW,
    ITEM_ONCE,  /* a new one, unless the array has the same */
    ITEM_KEYED, /* the one for the value of a field, or a new one */
    ITEM_EVERY, /* all that are there */
};

/* @key: the field of ITEM_KEYED */
struct rule_step {
    const struct rule_name *name;
    enum rule_item item;
    struct rule_address key;
};

/*
 * @lead: written before the value if there is one and something stands before it
 * @path: on the way back, where a text is made of pieces of a resource
 */
struct rule_piece {
    struct str lead;
    union {
        struct rule_address at;
        const struct rule_path *path;
    };
};

/*
 * How much later than a time: @amount, a whole number, of what @unit names. A table says how
 * many seconds a unit has; without a unit it is minutes.
 */
struct rule_plus {
    struct rule_address amount;
    struct rule_address unit;
    bool has_unit;
};

struct rule_map;

/*
 * @file:      index of the file that it stands in, at @line
 * @text:      constant of SOURCE_TEXT; what follows the last piece of SOURCE_FORMAT
 * @tests:     condition, or NULL
 * @table:     for codes; NULL with @table_given: the one in force where the map is used
 * @resource:  type of SOURCE_RESOURCE and TYPE_RESOURCE
 * @within:    with @of: of which resource; below its group, or here up to it
 * @needs:     field of @from without which nothing comes of it; 0 if it isn't so
 * @parts:     the same for parts of the value at hand, of which any is enough: bits
 * @path:      none for a block of rows that only share a condition, and for a resource of its
 *             own that nothing here refers to
 * @read:      on the way back, what is put at @from
 * @plain:     of SOURCE_TEXT: it needs no escape in JSON
 * @keyed:     a step of @path is ITEM_KEYED
 * @ends:      it puts something that may be the end of a period
 * @columns:   of SOURCE_FORMAT: the text between stands also where there is nothing
 * @weak:      what it puts yields to what is stored elsewhere
 * @withdraws: what it makes is taken out of a stored list, not put
 * @plus:      the time is later by that; NULL if it is the time itself
 * @otherwise: tried if the value doesn't fit the type
 */
struct rule {
    uint32_t line;
    uint16_t file;
    enum rule_source source;
    enum rule_which which;
    enum rule_near near;
    enum rule_known known;
    struct rule_address from;
    struct str text;
    const struct rule_piece *pieces;
    const struct rule_test *tests;
    const struct rule_step *path;
    const struct rule_path *read;
    uint64_t parts;
    uint8_t needs;
    uint8_t piece_count;
    uint8_t path_count;
    bool table_given;
    bool keyed;
    bool ends;
    bool weak;
    bool plain;
    bool columns;
    bool withdraws;
    bool of;
    enum rule_type type;
    enum rule_refer refer;
    uint16_t resource;
    uint16_t within;
    const struct rule_map *map;
    const struct rule_table *table;
    const struct rule_plus *plus;
    const struct rule *otherwise;
};

/*
 * @required: condition without which the map gives nothing, or NULL
 * @types:    on the way back, of what it reads: @type_count of them
 * @alone:    looks at nothing but the value: the same value gives the same
 */
struct rule_map {
    const char *name;
    const struct rule *rules;
    const char *const *types;
    uint16_t type_count;
    const struct rule_test *required;
    uint16_t count;
    bool alone;
};

enum rule_kind {
    KIND_EVENT,    /* id computed from the keys of its group */
    KIND_IDENTITY, /* recognised by identifier */
    KIND_TRUSTED,  /* the same, but only by systems from the sender's assigners */
    KIND_NUMBER,   /* by identifier; without a system by sender and number */
    KIND_SOURCE,   /* says where the rest comes from: one a message, id from its digest */
};

/*
 * @name:  what maps call it
 * @type:  FHIR's name of its type, often the same
 * @unite: two with the same key are one; otherwise they are counted
 */
struct rule_resource {
    const char *name;
    const char *type;
    enum rule_kind kind;
    bool unite;
    const struct rule_map *finish; /* may be NULL */
};

/* @above: the resource belongs to a group above the segment's */
struct rule_segment_map {
    uint16_t resource;
    bool above;
    const struct rule_map *map;
};

/*
 * @maps:    @map_count of them
 * @backs:   @back_count of them
 * @ignored: fields that are left alone on purpose: bits
 */
struct rule_segment {
    char name[4];
    uint16_t map_count;
    uint16_t back_count;
    const struct rule_segment_map *maps;
    const struct rule_segment_back *backs;
    uint64_t ignored[RULE_WORDS];
};

/*
 * @many: may stand there more than once
 * @rank: no member of a lower one comes after it; those of the same one come in any order
 */
struct rule_member {
    uint16_t segment;
    uint8_t rank;
    bool many;
};

/* The first valued address counts; @except: codes that say there is no value, or empty. */
struct rule_key {
    const struct rule_address *any;
    const struct str *except;
    uint16_t count;
};

/*
 * @members:    in the order in which they stand in a message
 * @links:      on the way back; of the first each that is tied to the group above gives a
 *              group, of the others those tied to that one are at hand
 * @required:   on the way back: without such a resource there is no message
 * @resources:  types of which a group of this kind has one each
 * @keys:       the first @own_count always count; the others, and the key of the group above,
 *              only if the first is missing
 * @parent_key: the key of the group above always counts
 * @again:      it stands inside one of its own name: it is about something else of that kind
 * @types:      which resources it and those below it have: bits, see rule_type_bit()
 */
struct rule_group {
    const char *name;
    const struct rule_member *members;
    const uint16_t *resources;
    const struct rule_group *const *children;
    const struct rule_key *keys;
    const struct rule_link *links;
    uint8_t link_count;
    bool required;
    uint8_t member_count;
    uint8_t resource_count;
    uint8_t child_count;
    uint8_t key_count;
    uint8_t own_count;
    bool parent_key;
    bool again;
    uint64_t types;
};

/* The bit of the resource of index @type, which it may share with others. */
static inline uint64_t rule_type_bit(size_t type)
{
    return (uint64_t)1 << type % 64;
}

/* @tests: on the way back, whether a Bundle becomes this one if nobody says which */
struct rule_message {
    struct str type;
    struct str event;
    const struct rule_group *root;
    const struct rule_test *tests;
};

/*
 * What is known of those who send.
 *
 * @facility:  MSH-4.1 or MSH-4.2; empty: all of them
 * @zone:      IANA zone of times without offset, or empty
 * @assigners: @assigner_count of them
 * @options:   @option_count of them, see OP_OPTION
 */
struct rule_sender {
    struct str facility;
    struct str zone;
    const struct v2_assigner *assigners;
    const struct str *options;
    size_t assigner_count;
    size_t option_count;
};

enum {
    RULE_LINKS_MAX = 16,     /* of one group */
    RULE_RESOURCES_MAX = 64, /* that a group has one each of */
    RULE_MEMBERS_MAX = 64,   /* of one group */
};

/*
 * All tables of one state of the maps.
 *
 * @version:        names that state: 16 hexadecimal digits of a digest over all files
 * @files:          names of the files, see struct rule
 * @segments:       @segment_count of them
 * @slots:          index of a segment + 1 by its name, see rules_segment(); 0 where none is
 * @backs:          messages of the way back: @back_count of them
 * @senders:        @sender_count of them
 * @options:        names that rows ask for, @option_count of them
 * @coding_systems: systems of coding systems by their names in table 0396
 */
struct rules {
    const char *version;
    const char *const *files;
    const struct rule_segment *segments;
    const uint16_t *slots;
    const struct rule_resource *resources;
    const struct rule_message *messages;
    const struct rule_message *backs;
    const struct rule_sender *senders;
    const struct str *options;
    const struct rule_table *coding_systems;
    uint16_t segment_count;
    uint16_t slot_mask;
    uint16_t resource_count;
    uint16_t message_count;
    uint16_t back_count;
    uint16_t sender_count;
    size_t option_count;
};

/* Where the search for segment @name begins among @mask + 1 slots. */
static inline size_t rules_slot(const char *name, size_t mask)
{
    size_t hash =
        (unsigned char)name[0] * 961u + (unsigned char)name[1] * 31u + (unsigned char)name[2];
    return hash & mask;
}

/* Index of segment @name, three characters, in the segments; -1 if no map speaks of it. */
static inline int16_t rules_segment(const struct rules *rules, const char *name)
{
    size_t at = rules_slot(name, rules->slot_mask);
    for (; rules->slots[at]; at = (at + 1) & rules->slot_mask) {
        uint16_t index = (uint16_t)(rules->slots[at] - 1);
        if (memcmp(name, rules->segments[index].name, 3) == 0) {
            return (int16_t)index;
        }
    }
    return -1;
}
