/* What a pattern becomes: a program for the machine in regex.c. Written by regex_parse.c. */
#pragma once

#include "fhir/base/regex.h"

enum regex_op {
    REGEX_CHAR,  /* @x: code point */
    REGEX_CLASS, /* @x: index of a class */
    REGEX_ANY,
    REGEX_JUMP,  /* to @x */
    REGEX_SPLIT, /* to @x, else @y */
    REGEX_SAVE,  /* the place, as boundary @x: group * 2, + 1 at its end */
    REGEX_TEXT_BEGIN,
    REGEX_TEXT_END,
    REGEX_LINE_BEGIN,
    REGEX_LINE_END,
    REGEX_WORD_EDGE,
    REGEX_NO_WORD_EDGE,
    REGEX_MATCH,
};

struct regex_step {
    enum regex_op op;
    uint32_t x;
    uint32_t y;
};

struct regex_range {
    uint32_t from;
    uint32_t to;
};

enum {
    REGEX_ASCII_WORDS = 4, /* of 32 bits: which of the first 128 characters belong */
};

/* @ranges: ascending, apart from each other */
struct regex_class {
    uint32_t ascii[REGEX_ASCII_WORDS];
    const struct regex_range *ranges;
    size_t n;
};

struct regex {
    const struct regex_step *steps;
    size_t n;
    const struct regex_class *classes;
    size_t groups;
    struct str names[REGEX_GROUPS_MAX];
    bool ignore_case;
};
