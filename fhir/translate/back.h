/*
 * The state of one translation back to HL7 v2, shared by the engine's parts:
 *
 *     back_bundle.c  the resources, and what references lead to
 *     back_path.c    what paths find
 *     back_test.c    conditions
 *     back_leaf.c    one primitive to the text of a component
 *     back_run.c     running rows: find, test, convert, put
 *     back_put.c     putting, as far as the receiver's version has a place for it
 *     back_groups.c  which resources give which segments
 *     to_v2.c        all in order
 */
#pragma once

#include "fhir/translate/to_v2.h"
#include "fhir/v2/write.h"

/*
 * A resource of the Bundle, or one contained in another.
 *
 * @entry: NULL if it isn't an entry's
 * @used:  a group was written for it
 * @read:  segments were made of it
 */
struct back_resource {
    const struct node *node;
    const struct node *entry;
    struct str type;
    bool used;
    bool read;
    struct back_resource *next; /* of the same type */
};

/* All of one type. */
struct back_type {
    struct str name;
    struct back_resource *first;
    struct back_resource *last;
};

/* What references may lead to: a URL or Type/id. */
struct back_slot {
    struct str key;
    struct back_resource *resource;
};

enum {
    BACK_TYPES_MAX = 256,
    BACK_NODES = 8, /* found at a path without memory of their own */
    BACK_TOLD_MAX = 64,
    BACK_STEPS_MAX = 64 << 20, /* of all paths together */
};

/*
 * A group while it is written.
 *
 * @resources: those of its links
 * @numbers:   how many segments stand in the groups below, by segment; NULL before the first
 */
struct back_group {
    struct back_group *above;
    const struct rule_group *rules;
    struct back_resource *resources[RULE_LINKS_MAX];
    uint32_t *numbers;
};

/*
 * Where rows put things.
 *
 * @component, @subcomponent: 0: all of it
 * @offset: added to the first number of addresses in it
 */
struct back_spot {
    uint8_t field;
    uint32_t repetition;
    uint32_t component;
    uint32_t subcomponent;
    uint32_t offset;
};

/*
 * Where rows run.
 *
 * @at:    what paths begin in; NULL: nothing
 * @table: the one in force, for "given"
 */
struct back_place {
    struct back_group *group;
    const struct node *at;
    struct back_spot spot;
    const struct rule_table *table;
};

/* Nodes that a path finds. */
struct back_nodes {
    const struct node **list;
    size_t n;
    size_t room;
    const struct node *few[BACK_NODES];
};

/* A field or component that was told to be left out. */
struct back_told {
    int16_t segment;
    uint8_t field;
    uint8_t component;
};

/*
 * @types:      @type_count of them
 * @slots:      @slot_mask + 1 of them, see struct back_slot
 * @segment_id: index of the segment at hand in the rules
 * @definition: of the segment at hand in the receiver's version, if @defined
 * @solid:      something came from a resource, not only constants, since it was last cleared
 * @number:     of the segment at hand among those of its name in the group above
 * @spent:      nodes that a row has read whole, @spent_count of them
 * @steps:      taken along paths so far
 * @error:      0, -ENOMEM or TO_V2_E_SIZE; nothing more is done after it
 */
struct back {
    struct arena *arena;
    const struct rules *rules;
    const struct translate_receiver *to;
    const struct rule_message *message;
    struct issues *issues;
    const struct node *root;
    struct back_resource bundle;
    struct back_resource *resources;
    size_t resource_count;
    struct back_type types[BACK_TYPES_MAX];
    size_t type_count;
    struct back_slot *slots;
    size_t slot_mask;
    struct v2_writer writer;
    size_t segments;
    int16_t segment_id;
    bool defined;
    struct v2_definition definition;
    bool solid;
    uint32_t number;
    const struct node **spent;
    size_t spent_count;
    size_t spent_room;
    struct back_told told[BACK_TOLD_MAX];
    size_t told_count;
    size_t steps;
    int error;
};

/* back_bundle.c: find all resources below @b->root. */
void back_index(struct back *b);

/* The first resource of @type; NULL if there is none. */
struct back_resource *back_first(const struct back *b, const char *type);

/* What the Reference @node leads to in the Bundle; NULL if it isn't there. */
struct back_resource *back_resolve(const struct back *b, const struct node *node);

/* The resource of @type that is at hand in @group or above it; NULL if there is none. */
struct back_resource *back_reach(const struct back_group *group, const char *type);

/* Append the place of @node, "Bundle.entry[2].resource.birthDate". */
void back_place_write(struct buf *out, const struct node *node);

/* back_path.c: all that @path finds in @place; @out begins empty. */
void back_find(struct back *b, const struct back_place *place, const struct rule_path *path,
               struct back_nodes *out);

/* The member @name of @object, or the place beside it where its extensions are. */
const struct node *back_member(const struct node *object, struct str name);

/* Text of a primitive; empty for others. */
struct str back_text(const struct node *node);

/* What the primitive @node was before it became FHIR's, or empty. */
struct str back_original(const struct node *node);

/* Remember @node in @out. */
void back_add(struct back *b, struct back_nodes *out, const struct node *node);

/* back_test.c: whether the condition holds; NULL holds always. */
bool back_holds(struct back *b, const struct back_place *place, const struct rule_test *tests);

/* back_leaf.c */
enum back_result {
    BACK_NOTHING, /* no value, no harm */
    BACK_FITS,
    BACK_UNFIT, /* there is a value, but not one that the type can say */
};

/* The text for @node by @rule's type. */
enum back_result back_leaf(struct back *b, const struct back_place *place,
                           const struct rule *rule, const struct node *node, struct str *out);

/* The same for @text that is in no node; @original: what it was before, or empty. */
enum back_result back_leaf_text(struct back *b, const struct back_place *place,
                                const struct rule *rule, struct str text, struct str original,
                                struct str *out);

/* Put the parts of an assigning authority that the identifier system in @node is. */
bool back_assigner(struct back *b, const struct back_spot *spot, const struct node *node);

/* back_run.c: run @map in @place; whether its required tests held. */
bool back_run(struct back *b, const struct back_place *place, const struct rule_map *map);

/* back_put.c: begin a segment; false: the receiver's version hasn't got it, or no memory. */
bool back_begin(struct back *b, uint16_t segment);

/* Put @text at @spot, or at the beginning of what it is. */
void back_put(struct back *b, const struct back_spot *spot, struct str text);

/* The spot that @at names from @spot; false: there is no such part. */
bool back_spot_at(const struct back *b, const struct back_spot *spot,
                  const struct rule_address *at, struct back_spot *out);

/* Whether something stands at @spot. */
bool back_written(const struct back *b, const struct back_spot *spot);

/* Whether a format has read @node, or something in it, whole: so it isn't read again. */
bool back_is_spent(const struct back *b, const struct node *node);

/* back_groups.c: write the message. */
void back_groups(struct back *b);

/* Tell about @node. */
void back_issue(struct back *b, enum issue_severity severity, const char *code,
                const struct node *node, const char *text);
