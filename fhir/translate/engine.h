/*
 * The state of one translation, shared by the engine's parts:
 *
 *     groups.c    which segments belong together
 *     source.c    what a rule's address finds
 *     leaf.c      one value to a primitive, dates and times in leaf_time.c
 *     engine.c    running maps: find, test, convert, put
 *     engine_value.c, engine_link.c   rules about values, about other resources
 *     mention.c   resources that rows make
 *     explain.c   which row made which element
 *     coverage.c  which fields became something, which are kept in the message alone
 *     identity.c  what resources are recognised by
 *     to_fhir.c   all in order, and the Bundle
 *     tree.c      the Bundle as a tree
 */
#pragma once

#include "fhir/translate/resource.h"

/*
 * Segments that belong together, such as an order with its results.
 *
 * @members:   for each member of the rules its first segment in the message, or NULL
 * @resources: for each resource of the rules the one of this group, or NULL
 * @last_of:   for each kind of groups below it the last one, or NULL
 * @made:      resources that rows made in it, the last of them @made_last
 * @types:     those made in it and below it: bits, see rule_type_bit()
 * @from, @to: indexes of the first segment in it and below it, and of the first after these
 * @rank:      of the member that came last; 0 before the first
 * @key:       digest, once @keyed
 */
struct group {
    const struct rule_group *rules;
    struct group *parent;
    struct group *first;
    struct group *newest;
    struct group *next;
    struct group **last_of;
    struct resource *made;
    struct resource *made_last;
    uint64_t types;
    const struct v2_segment **members;
    struct resource **resources;
    size_t from;
    size_t to;
    uint8_t rank;
    bool keyed;
    uint8_t key[32];
};

/*
 * What a value was made a reference to: the same doctor often signs each result.
 *
 * @map, @raw: what was made of what
 * @used:      its parts that became something; @left: how many did not
 * @made:      the resource, or NULL if the value has only a name
 */
struct mention {
    const struct rule_map *map;
    struct str raw;
    uint64_t used;
    size_t left;
    struct resource *made;
    struct str display;
    struct element *inner; /* NULL: it doesn't stand inside the owner */
};

enum {
    MENTIONS = 16, /* remembered; older ones are made again and joined at the end */
    TIMES = 4,     /* the same */
};

/* A time that was converted. @zoneless: it lost its hours */
struct told_time {
    struct str raw;
    struct str text;
    struct str original;
    bool zoneless;
};

/*
 * @rules:       the maps in force
 * @segment_ids: for each segment of the message its index in @rules, or -1
 * @homes:       for each segment its group, or NULL
 * @occurrences: for each segment how many of its name there are up to it
 * @event:       of the message
 * @mentions:    the last ones, @mentioned in all
 * @times:       the last ones, @time_count in all
 * @valued:      for each segment its fields that hold something: bits
 * @used:        those of them that became something
 * @whole:       the same, and of which each repetition was looked at
 * @marks:       spare ones
 * @plain:       no escape sequence and no control character in the whole message
 * @simple:      the same, and all of it, but for MSH-2, is ASCII that JSON needs no escape for
 * @slots:       resources by their ids, @slot_count of them in @slot_mask + 1 slots
 * @assigned:    the last resource that has its id
 * @notes:       on what made which element, if that is wanted
 * @unread:      see struct translate_result
 * @kept:        the same
 * @parts:       components that hold something and no row reads
 * @zoneless:    times that lost their hours because nobody knows the sender's zone
 * @systemless:  codes whose coding system is not known
 * @error:       0, or the first -errno; nothing more is done after it
 */
struct engine {
    struct arena *arena;
    struct element_pool pool;
    const struct rules *rules;
    const struct v2_message *message;
    const struct translate_site *site;
    struct issues *issues;
    int16_t *segment_ids;
    struct group **homes;
    uint32_t *occurrences;
    uint64_t (*valued)[RULE_WORDS];
    uint64_t (*used)[RULE_WORDS];
    struct coverage_mark *marks;
    uint64_t (*whole)[RULE_WORDS];
    bool plain;
    bool simple;
    struct str event;
    struct group *root;
    struct resource *first;
    struct resource *last;
    struct mention mentions[MENTIONS];
    size_t mentioned;
    struct told_time times[TIMES];
    size_t time_count;
    struct resource **slots;
    size_t slot_mask;
    size_t slot_count;
    struct resource *assigned;
    struct explain_note *notes;
    size_t unread;
    struct translate_kept *kept;
    size_t parts;
    size_t zoneless;
    size_t systemless;
    int error;
};

/* How the parts of a value are cut. */
enum value_level {
    LEVEL_REPETITION, /* into components */
    LEVEL_COMPONENT,  /* into subcomponents */
    LEVEL_PART,       /* not at all */
};

enum {
    VALUE_PARTS = 32, /* whose places are remembered; later ones are searched for */
};

/*
 * The value that a datatype or block is about.
 *
 * @valued: its parts that hold something, from part 1 in bit 1
 * @used:   those that became something
 * @count:  parts whose beginning is in @starts; the one after the last begins after its end
 */
struct value {
    struct str raw;
    enum value_level level;
    uint64_t valued;
    uint64_t used;
    uint32_t count;
    uint32_t starts[VALUE_PARTS + 1];
};

/*
 * Where a map runs.
 *
 * @segment:    the segment it is for; NULL in resource sections
 * @segment_id: its index in the rules
 * @value:      what addresses without segment are in; NULL if there is none
 * @target:     object that paths start from
 * @owner:      resource that @target belongs to
 * @top:        @target is the resource itself
 * @table:      the one in force, for "given"
 * @it:         the resource that a block is about
 * @origin, @field, @repetition, @component: where the value is from; @origin may be NULL
 * @row:        of the segment or resource that led here; NULL before the first
 */
struct place {
    struct group *group;
    const struct v2_segment *segment;
    int16_t segment_id;
    struct value *value;
    struct element *target;
    struct resource *owner;
    bool top;
    const struct rule_table *table;
    const struct resource *it;
    const struct v2_segment *origin;
    uint8_t field;
    uint8_t component;
    uint32_t repetition;
    const struct rule *row;
};

/* groups.c: build the tree of groups; segments without a place are reported. */
void groups_build(struct engine *e, const struct rule_group *root);

/* The first segment with index @id in reach of @group: in it, above it, just below it. */
const struct v2_segment *groups_segment(const struct group *group, int16_t id);

/* The resource of type @type (an index) that @group or the nearest above it has, or NULL. */
struct resource *groups_resource(const struct engine *e, const struct group *group,
                                 uint16_t type);

/* source.c: what @at finds in @place, raw; its level in @level. */
struct str source_find(const struct engine *e, const struct place *place,
                       const struct rule_address *at, enum value_level *level);

/* The value @raw, in @room; or that of @place if it is the same. */
struct value *source_value(const struct engine *e, const struct place *place, struct str raw,
                           enum value_level level, struct value *room);

/* The segment that @at is in, or NULL; not for RULE_VALUE. */
const struct v2_segment *source_segment(const struct place *place,
                                        const struct rule_address *at);

/* The whole field of @at with all repetitions; p is NULL for RULE_VALUE. */
struct str source_field(const struct engine *e, const struct place *place,
                        const struct rule_address *at);

/* The part of repetition @raw that @at names. */
struct str source_part(const struct engine *e, const struct rule_address *at, struct str raw,
                       enum value_level *level);

/* Decoded text of @raw without control characters; marks @e if there is no memory. */
struct str source_text(struct engine *e, struct str raw);

/* Whether the condition that begins with @tests holds. */
bool source_holds(struct engine *e, const struct place *place, const struct rule_test *tests);

/* The same; NULL holds always. */
static inline bool source_tests(struct engine *e, const struct place *place,
                                const struct rule_test *tests)
{
    return !tests || source_holds(e, place, tests);
}

/* Tell the person reading the issues about the value at @place. */
void source_issue(struct engine *e, const struct place *place, enum issue_severity severity,
                  const char *code, const char *text);

/* leaf.c */
enum leaf_result {
    LEAF_NOTHING, /* no value, no harm */
    LEAF_FITS,
    LEAF_UNFIT, /* there is a value, but not one of the type */
};

/* Convert @raw by @rule's type into @out, which is a new element. */
enum leaf_result leaf_convert(struct engine *e, const struct place *place,
                              const struct rule *rule, struct str raw, struct element *out);

/* Whether a value of @type is read with all its parts, not only its first. */
bool leaf_is_whole(enum rule_type type);

/* Whether @text is a decimal number as v2 writes them. */
bool leaf_is_number(struct str text);

/* Outcome (RULE_LESS …) of comparing two of them; 0 if one isn't a number. */
uint8_t leaf_compare(struct str a, struct str b);

/* Whether @table lists @code. */
bool leaf_lists(const struct rule_table *table, struct str code);

/* The code of @table for @code, or what it has for others; NULL if neither. */
const struct rule_code *leaf_lookup(const struct rule_table *table, struct str code);

/* engine.c: run @map in @place; whether its required tests held. */
bool engine_run(struct engine *e, const struct place *place, const struct rule_map *map);

/* The same of those rules alone that say how the resource is called. */
void engine_name(struct engine *e, const struct place *place, const struct rule_map *map);

/* A new element; NULL marks @e, since there is no memory. */
struct element *engine_element(struct engine *e, enum element_kind kind);

/* A new resource in the list; NULL if there is no memory. */
struct resource *engine_resource(struct engine *e, const struct rule_resource *type,
                                 struct group *group);

/* Note that something of @to was made from @segment, which may be NULL. */
void engine_note_source(struct engine *e, struct resource *to,
                        const struct v2_segment *segment);

/* Put @child where @rule says. */
void engine_put(struct engine *e, const struct place *place, const struct rule *rule,
                struct element *child);

/* Run a datatype or block on @raw; NULL if it gives nothing. */
struct element *engine_block(struct engine *e, const struct place *place,
                             const struct rule *rule, struct str raw, enum value_level level);

/* What @rule makes of @raw; *unfit if there is a value that isn't of its type. */
struct element *engine_convert(struct engine *e, const struct place *place,
                               const struct rule *rule, struct str raw, enum value_level level,
                               bool *unfit);

/* Convert and put, by the rule or its alternative; whether something came of it. */
bool engine_apply(struct engine *e, const struct place *place, const struct rule *rule,
                  struct str raw, enum value_level level);

/* Whether @rule says how references to its resource are shown. */
static inline bool engine_is_display(const struct rule *rule)
{
    return rule->path[0].name->z[0] == '$';
}

/* engine_value.c: @rule with SOURCE_VALUE, SOURCE_FORMAT; the text of SOURCE_KNOWN. */
void engine_value(struct engine *e, const struct place *place, const struct rule *rule);
void engine_format(struct engine *e, const struct place *place, const struct rule *rule);
struct str engine_known(struct engine *e, const struct place *place, enum rule_known which);

/* engine_link.c: @rule with SOURCE_RESOURCE; a reference to @to, or a block about it. */
void engine_link(struct engine *e, const struct place *place, const struct rule *rule);
void engine_link_to(struct engine *e, const struct place *place, const struct rule *rule,
                    const struct resource *to);

/* mention.c: a Reference to @to, or only its name; only the link's text if @link_only. */
struct element *mention_refer(struct engine *e, bool link_only, const struct resource *to,
                              struct str display);

/* The resource that @rule makes of @raw, and what is put at its path; NULL if nothing is. */
struct element *mention_make(struct engine *e, const struct place *place,
                             const struct rule *rule, struct str raw, enum value_level level);

/* coverage.c: which fields hold something; marks @e if there is no memory. */
void coverage_begin(struct engine *e);

/* What is used so far, to go back to; NULL marks @e. */
struct coverage_mark *coverage_mark(struct engine *e);

/* Done with @mark; what was used since then isn't, unless @keep. */
void coverage_end(struct engine *e, struct coverage_mark *mark, bool keep);

/* Whether @field, 1 to 127, of @segment holds something. */
static inline bool coverage_valued(const struct engine *e, const struct v2_segment *segment,
                                   uint8_t field)
{
    return e->valued[segment - e->message->segments][field / 64] >> field % 64 & 1;
}

/* @field of @segment became something; all its repetitions if @whole. */
static inline void coverage_use(const struct engine *e, const struct v2_segment *segment,
                                uint8_t field, bool whole)
{
    ptrdiff_t i = segment - e->message->segments;
    uint64_t bit = (uint64_t)1 << field % 64;
    e->used[i][field / 64] |= bit;
    e->whole[i][field / 64] |= whole ? bit : 0;
}

/* What @at names in @place, a part of the value or a field, became something. */
void coverage_use_at(const struct engine *e, const struct place *place,
                     const struct rule_address *at);

/* What @rule reads in @place isn't what it expects: kept in the message alone. */
void coverage_unfit(struct engine *e, const struct place *place, const struct rule *rule);

/* How many parts of @value hold something that became nothing; told one by one if wanted. */
size_t coverage_left(struct engine *e, const struct place *place, const struct value *value);

/* Of @field of @segment only @parts were read: tell of others that hold something. */
void coverage_tell(struct engine *e, const struct v2_segment *segment, uint8_t field,
                   uint64_t parts);

/* Tell what is kept in the message alone. */
void coverage_report(struct engine *e);

/* explain.c: @child was made by @rule in @place. */
void explain_note(struct engine *e, const struct place *place, const struct rule *rule,
                  const struct element *child);

/* Tell of the parts of fields that no row has read. */
void explain_parts(struct engine *e);

/* The origins of all elements of the @count resources in @written; marks @e without memory. */
const struct translate_origin *
explain_list(struct engine *e, const struct resource *const *written, size_t count);

/* tree.c: the Bundle and its entries as trees: 0 or -ENOMEM. */
MUST_USE int tree_make(struct engine *e, struct translate_result *out);

/* identity.c: give all resources without one their ids, join those that are the same. */
void identity_assign(struct engine *e);

/* Whether @resource has an identifier with a value. */
bool identity_has(const struct resource *resource);
