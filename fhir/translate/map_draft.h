/*
 * Maps while they are read: what the lines say, before names are resolved.
 *
 *     map.c            all in order: lines to sections, the version
 *     map_lex.c        lines to tokens
 *     map_section.c    what sections begin with, but those below
 *     map_table.c      tables: codes
 *     map_structure.c  structures: groups and their keys
 *     map_sender.c     senders: assigners, zone, options
 *     map_row.c        rows: targets, blocks
 *     map_back.c       rows of the way back; map_back.h has what it and the next two offer
 *     map_path.c       paths that are read
 *     map_tie.c        messages of the way back, and which resources their groups are for
 *     map_source.c     what stands on the left of the arrow
 *     map_overlay.c    rows of a later layer between those of earlier ones
 *     map_condition.c  conditions
 *     map_address.c    addresses, and what names look like
 *     map_link_row.c   names in rows resolved, and their rules
 *     map_link.c       names resolved, the tables of rules.h
 *     map_check.c      what would never end
 *
 * A mistake is told and reading goes on with the next line; nothing is built if there was one.
 */
#pragma once

#include "fhir/translate/map.h"
#include "fhir/translate/map_lex.h"
#include "fhir/translate/map_names.h"

enum {
    MAP_DEPTH_MAX = 16,    /* of blocks, groups and parentheses */
    MAP_STEPS_MAX = 16,    /* of a path */
    MAP_PIECES_MAX = 32,   /* of a format */
    MAP_FIELD_MAX = 127,   /* of a segment */
    MAP_PART_MAX = 255,    /* of a value */
    MAP_NAMES_MAX = 30000, /* segments, resources, messages or groups */
    MAP_BESIDE_MAX = 256,  /* maps of one segment */
    MAP_FILTERS_MAX = 8,   /* of one step of a path */
    MAP_TYPES_MAX = 16,    /* that a datatype of the way back reads */
};

struct map_where {
    uint16_t file;
    uint32_t line;
};

/* Some tokens of a line. */
struct map_words {
    const struct map_token *p;
    size_t n;
};

enum draft_op {
    DRAFT_TEST,
    DRAFT_NOT,
    DRAFT_AND,
    DRAFT_OR,
};

/* A condition as a tree. @size: tests in it */
struct draft_test {
    enum draft_op op;
    size_t size;
    struct rule_test test;
    struct draft_test *left;
    struct draft_test *right;
};

/*
 * @rule:      as far as it can be made without knowing names
 * @tests:     @test_count of them: what @rule's point to
 * @type:      name of the type; of a block only if it makes a resource, then that one's name
 * @inner:     name of the datatype a resource is made by
 * @table:     name of the table, or empty
 * @refers:    name of the resource that is the source, or empty
 * @within:    name of the one below whose group that is, or empty
 * @back:      it is a row of the way back; what it reads stands in @refers as it was written
 * @block:     rows of the block that the row opens
 * @otherwise: after "or"
 */
struct draft_row {
    struct rule rule;
    struct map_where where;
    struct rule_test *tests;
    size_t test_count;
    struct str type;
    struct str inner;
    struct str table;
    struct str refers;
    struct str within;
    bool back;
    struct draft_map *block;
    struct draft_row *otherwise;
    struct draft_row *next;
};

enum draft_kind {
    DRAFT_DATATYPE,
    DRAFT_SEGMENT,
    DRAFT_RESOURCE,
    DRAFT_BLOCK,
};

enum draft_visit {
    VISIT_NEW,
    VISIT_OPEN, /* being looked at */
    VISIT_DONE,
};

/*
 * Rows in order. @map is what comes of it: its address is known from the start.
 *
 * @front:    where the next row of @front_layer goes, which is later than the map's own
 * @gone:     removed by a later layer
 * @back:     its rows say the way back
 * @required: condition, or NULL
 * @cost:     rows that running it may run, once @visit is done
 */
struct draft_map {
    struct rule_map map;
    enum draft_kind kind;
    struct map_where where;
    struct draft_row *first;
    struct draft_row **end;
    struct draft_row **front;
    uint16_t front_layer;
    bool gone;
    bool back;
    struct draft_test *required;
    enum draft_visit visit;
    size_t cost;
    struct draft_map *next;
};

struct draft_segment {
    struct str name;
    uint16_t id;
    uint16_t map_count;
    uint16_t back_count;
    struct draft_segment_map *maps; /* later layers first */
    struct draft_segment_map *backs;
    uint64_t ignored[RULE_WORDS];
    struct draft_segment *next;
};

/* @each: on the way back, what stands after the resource's name */
struct draft_segment_map {
    struct draft_segment *segment;
    struct str resource;
    bool above;
    struct str each;
    const struct rule_path *path;
    struct draft_map *map;
    struct draft_segment_map *beside; /* of the same segment */
    struct draft_segment_map *next;
};

/* @owned: some group has it */
struct draft_resource {
    struct str name;
    struct str type;
    uint16_t id;
    enum rule_kind kind;
    bool unite;
    bool owned;
    struct draft_map *finish;
    struct draft_resource *next;
};

/*
 * @removed: what an earlier layer had for this code is to be forgotten
 * @back:    it is for the way back alone
 */
struct draft_code {
    struct rule_code code;
    bool removed;
    bool back;
    uint16_t layer;
    struct map_where where;
    struct draft_code *next;
};

struct draft_table {
    struct rule_table table;
    struct map_where where;
    struct draft_code *first;
    struct draft_code **end;
    struct draft_table *next;
};

/* Any of some addresses, see struct rule_key. */
struct draft_key {
    struct rule_key key;
    struct draft_key *next;
};

/* @beside: of the same rank as the one before it */
struct draft_member {
    struct rule_member member;
    bool beside;
    struct draft_member *next;
};

struct draft_owned {
    struct str resource;
    struct draft_owned *next;
};

struct draft_link {
    struct rule_link link;
    struct rule_test *tests;
    size_t test_count;
    struct map_where where;
    struct draft_link *next;
};

/*
 * @group is what comes of it: its address is known from the start.
 *
 * @links: on the way back
 * @keyed: where its keys stand
 */
struct draft_group {
    struct rule_group group;
    struct map_where where;
    struct map_where keyed;
    uint32_t indent;
    struct draft_member *members;
    struct draft_owned *resources;
    struct draft_key *keys;
    struct draft_link *links;
    struct draft_group *children;
    struct draft_group *next;
};

struct draft_structure {
    struct draft_group top; /* holds the outermost group */
    struct draft_structure *next;
};

struct draft_message {
    struct rule_message message;
    struct str structure;
    struct map_where where;
    bool gone;
    struct rule_test *tests; /* of the way back: @test_count of them */
    size_t test_count;
    struct draft_message *next;
};

struct draft_assigner {
    struct v2_assigner assigner;
    struct draft_assigner *next;
};

struct draft_option {
    struct str name;
    struct draft_option *next;
};

/* What the section says, in order. */
struct draft_sender {
    struct rule_sender sender;
    struct draft_assigner *assigners;
    struct draft_option *options;
    struct draft_sender *next;
};

struct map_mistake {
    struct map_where where;
    struct str text;
    struct map_mistake *next;
};

/* What the first word of a line makes of the rest. */
enum map_change {
    CHANGE_NONE,
    CHANGE_REPLACE,
    CHANGE_REMOVE,
};

/* What the lines that follow are. */
enum map_section {
    SECTION_NONE,    /* nothing was begun */
    SECTION_SKIPPED, /* its first line was wrong */
    SECTION_MAP,
    SECTION_TABLE,
    SECTION_STRUCTURE,
    SECTION_MESSAGE,
    SECTION_SENDER,
};

/*
 * @error:    0 or -ENOMEM; nothing more is done after it
 * @line:     the one at hand, @where it stands
 * @rows:     lines read so far, against MAP_ROWS_MAX
 * @words:    names of elements and what else is compared by address
 * @back:     the section at hand says the way back
 * @change:   of the section that begins
 * @section:  what the lines that follow belong to, and below it where they go
 * @blocks:   the open ones, the section's own map first, and @depth of them
 * @groups:   the same for groups
 */
struct map_compiler {
    struct arena *arena;
    const struct map_file *files;
    int error;
    struct map_line line;
    struct map_where where;
    size_t rows;
    struct map_mistake *mistakes;
    size_t mistake_count;

    struct map_names words;
    struct map_names segment_names;
    struct map_names datatype_names;
    struct map_names table_names;
    struct map_names resource_names;
    struct map_names structure_names;
    struct map_names message_names;
    struct map_names back_datatypes;
    struct map_names back_structures;
    struct map_names back_messages;
    struct draft_segment *segments;
    struct draft_segment **segments_end;
    struct draft_map *maps;
    struct draft_map **maps_end;
    struct draft_segment_map *segment_maps;
    struct draft_segment_map **segment_maps_end;
    struct draft_resource *resources;
    struct draft_resource **resources_end;
    struct draft_table *tables;
    struct draft_structure *structures;
    struct draft_message *messages;
    struct draft_message **messages_end;
    struct draft_message *backs;  /* later layers first */
    struct draft_sender *senders; /* later ones first */
    struct draft_option *options; /* that rows ask for */
    size_t segment_count;
    size_t resource_count;
    size_t message_count;
    size_t option_count;
    size_t group_count;
    size_t back_count;

    bool back;
    enum map_change change;
    enum map_section section;
    struct draft_map *blocks[MAP_DEPTH_MAX];
    struct draft_group *groups[MAP_DEPTH_MAX];
    size_t depth;
    struct draft_segment_map *segment_map;
    struct draft_table *table;
};

/* map.c: tell a mistake at @where. */
void map_wrong_at(struct map_compiler *c, struct map_where where, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same at the line at hand. */
#define map_wrong(c, ...) map_wrong_at((c), (c)->where, __VA_ARGS__)

/* For "%.*s". */
#define MAP_SPAN(s) (int)(s).n, (s).p ? (s).p : ""

/* Cleared memory; NULL marks the compiler. */
void *map_alloc(struct map_compiler *c, size_t count, size_t size);

/* @word terminated, the same address for the same word; p is NULL if there is no memory. */
struct str map_intern(struct map_compiler *c, struct str word);

/* The name of an element; the same address for the same word. NULL if there is no memory. */
const struct rule_name *map_element(struct map_compiler *c, struct str word);

/* The segment called @name, which looks like one; NULL if there is no memory or too many. */
struct draft_segment *map_segment(struct map_compiler *c, struct str name);

/* Words @from up to, not including, @to. */
static inline struct map_words map_slice(struct map_words words, size_t from, size_t to)
{
    to = to < words.n ? to : words.n;
    from = from < to ? from : to;
    return (struct map_words){ words.p + from, to - from };
}

/* Index of the first word @z, or the count of @words. */
size_t map_find_word(struct map_words words, const char *z);

/* Whether there is exactly one word and it is @z. */
bool map_only(struct map_words words, const char *z);

/* map_address.c: the address that @text is; told and false if it is none. */
bool map_address(struct map_compiler *c, struct str text, struct rule_address *out);

/* Whether @name could be one of a segment: OBX, ZL1. */
bool map_is_segment(struct str name);

/* Whether @name could be one of a resource: Patient. */
bool map_is_resource(struct str name);

/* map_condition.c: the tree of the condition that @words are; told and NULL if they are none.
 */
struct draft_test *map_condition(struct map_compiler *c, struct map_words words);

/* Both, either may be NULL; NULL if there is no memory. */
struct draft_test *map_both(struct map_compiler *c, struct draft_test *left,
                            struct draft_test *right);

/* The steps of @tree, as many as its size; NULL if there is no memory. */
struct rule_test *map_steps(struct map_compiler *c, const struct draft_test *tree);

/* map_source.c: what stands on the left of the arrow before "if"; told and false if wrong. */
bool map_source(struct map_compiler *c, struct map_words words, struct draft_row *row);

/* "[each|lines|…]" after an address; told and false if it is something else. */
bool map_which(struct map_words words, enum rule_which *out);

/* A source that the caller knows; whether @word is one. */
bool map_known(struct str word, enum rule_known *out);

/* "format" and its text: addresses in braces, or paths on the way back. */
bool map_format(struct map_compiler *c, struct str text, struct rule *rule);

/* "if CONDITION" of @row. */
bool map_row_condition(struct map_compiler *c, struct map_words words, struct draft_row *row);

/* What a condition looks at: an address, or a path on the way back. */
bool map_operand(struct map_compiler *c, struct str word, struct rule_test *test, bool other);

/* map_link.c: find what the tests name. */
void map_link_tests(struct map_compiler *c, struct map_where where, struct rule_test *tests,
                    size_t count);

/* map_row.c: the line at hand in a section of rows. */
void map_row(struct map_compiler *c);

/* The path that @word is; told and false if it is none. */
bool map_path(struct map_compiler *c, struct str word, struct rule *rule);

/* map_overlay.c: the layer of what stands at @where. */
uint16_t map_layer(const struct map_compiler *c, struct map_where where);

/* Whether @where is of an earlier layer than the line at hand. */
bool map_earlier(const struct map_compiler *c, struct map_where where);

/* Forget the rows of @map. */
void map_clear(struct draft_map *map);

/* Put @row into the block at hand: last, or before those of earlier layers. */
void map_add_row(struct map_compiler *c, struct draft_row *row);

/* The same in place of earlier layers' rows with its source and path. */
void map_replace_row(struct map_compiler *c, struct draft_row *row);

/* "remove": take earlier layers' rows with source and path of @words away. */
void map_remove_row(struct map_compiler *c, struct map_words words);

/* map_section.c: whether both are about the same segment and resource, in one direction. */
bool map_same_segment(const struct draft_segment_map *a, const struct draft_segment_map *b);

/* The line at hand, which isn't indented. */
void map_section(struct map_compiler *c);

/* The entry of @name; told and NULL if it is to be changed and isn't there. */
struct map_name *map_entry(struct map_compiler *c, struct map_names *names, struct str name);

/* Whether what was begun at @where may be changed at the line at hand; told if not. */
bool map_changeable(struct map_compiler *c, struct map_where where, const char *what,
                    struct str name);

/* map_table.c: the line at hand begins a table, or stands in one. */
void map_table(struct map_compiler *c, struct map_words words);
void map_table_row(struct map_compiler *c);

/* Put the codes of @table in order. */
void map_link_table(struct map_compiler *c, struct draft_table *table);

/* "ignore": the fields in @words. */
void map_ignore(struct map_compiler *c, struct map_words words);

/* A map with no rows in the list; NULL if there is no memory. */
struct draft_map *map_new(struct map_compiler *c, enum draft_kind kind);

/* map_sender.c: the line at hand begins a section about senders, or stands in one. */
void map_sender(struct map_compiler *c, struct map_words words);
void map_sender_row(struct map_compiler *c);

/* All senders as the tables have them; NULL if there is no memory. */
const struct rule_sender *map_link_senders(struct map_compiler *c, uint16_t *count);

/* map_structure.c */
void map_structure(struct map_compiler *c, struct map_words words);
void map_structure_row(struct map_compiler *c);

/* map_link_row.c: the rules of @map. */
void map_link_map(struct map_compiler *c, struct draft_map *map);

/* map_link.c: the tables; NULL if there are mistakes or no memory. */
struct rules *map_link(struct map_compiler *c);

/* map_check.c: maps that hold themselves or would run too long. */
void map_check_depth(struct map_compiler *c);
