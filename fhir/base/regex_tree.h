/* The tree of a pattern, between regex_parse.c, which reads it, and regex_write.c. */
#pragma once

#include "fhir/base/regex_impl.h"

enum regex_tree_kind {
    REGEX_TREE_STEP,     /* one instruction: @op, @x */
    REGEX_TREE_GROUP,    /* @first; @x: number of the group, 0: none is kept */
    REGEX_TREE_REPEAT,   /* @first, @min to @max times */
    REGEX_TREE_CHOICE,   /* one of @first and its @next ones */
    REGEX_TREE_SEQUENCE, /* @first and its @next ones */
};

#define REGEX_UNBOUNDED UINT32_MAX

enum {
    REGEX_REPEAT_MAX = 1000, /* a number in braces */
    REGEX_CLASSES_MAX = 64,
    REGEX_RANGES_MAX = 256, /* of one class */
    REGEX_POINT_MAX = 0x10FFFF,
    REGEX_ASCII = 128,
};

/* @size: instructions, set by regex_write.c */
struct regex_tree {
    enum regex_tree_kind kind;
    enum regex_op op;
    uint32_t x;
    uint32_t min;
    uint32_t max;
    bool lazy;
    size_t size;
    struct regex_tree *first;
    struct regex_tree *next;
};

/* Ranges of a class while it is read. */
struct regex_ranges {
    struct regex_range list[REGEX_RANGES_MAX];
    size_t n;
    bool too_many;
};

/* @failed: what regex_compile() is to return */
struct regex_reader {
    struct arena *arena;
    struct str rest;
    unsigned flags;
    int depth;
    int failed;
    size_t groups;
    struct str names[REGEX_GROUPS_MAX];
    struct regex_class classes[REGEX_CLASSES_MAX];
    size_t classes_n;
};

/* The whole pattern; NULL if it can't be read, @reader->failed says why. */
struct regex_tree *regex_read(struct regex_reader *reader);

void regex_ranges_add(struct regex_ranges *ranges, uint32_t from, uint32_t to);

/* Add what \d, \S … stand for; false if @letter is none of them. */
bool regex_ranges_add_shorthand(struct regex_ranges *ranges, char letter);
bool regex_is_shorthand(char letter);

/* Make a class of @ranges, or of all but them: 0, REGEX_E_LIMIT or -ENOMEM. */
MUST_USE int regex_class_make(struct arena *arena, struct regex_ranges *ranges, bool negated,
                              struct regex_class *out);
