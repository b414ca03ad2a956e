/*
 * Regular expressions in time linear in the text.
 *
 * The usual dialect without what needs backtracking: literals, ., classes, \d \w \s and their
 * capitals, groups with and without capture or name, alternatives, greedy and lazy repetition,
 * ^ $ \b \B. Refused: look-around, back references, possessive groups, \p. Both sides are
 * UTF-8; "." matches a line feed too; \d \w \s mean ASCII.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REGEX_E_SYNTAX = 1, /* not a pattern of this dialect */
    REGEX_E_LIMIT = 2,  /* a pattern too large, or too much work for this text */
    REGEX_E_NONE = 3,   /* no match */
};

enum {
    REGEX_PATTERN_MAX = 4096,
    REGEX_DEPTH_MAX = 32,      /* groups within groups */
    REGEX_PROGRAM_MAX = 20000, /* instructions, repetitions written out */
    REGEX_GROUPS_MAX = 10,     /* the whole match is group 0 */
    REGEX_STEPS_MAX = 20 * 1000 * 1000,
};

enum {
    REGEX_IGNORE_CASE = 1,
    REGEX_LINES = 2, /* ^ and $ match at line ends too */
};

struct regex;

/* What a match works in; kept by the caller between matches. @steps: done so far, by all. */
struct regex_work {
    struct arena *arena; /* borrowed */
    uint32_t *memory;
    size_t n;
    size_t steps;
};

/*
 * @begin, @end: of each group, offsets into the text; SIZE_MAX if the group took no part
 */
struct regex_match {
    size_t begin[REGEX_GROUPS_MAX];
    size_t end[REGEX_GROUPS_MAX];
};

/**
 * regex_compile() - read a pattern
 * @arena:   memory for the result
 * @pattern: the pattern; not needed afterwards
 * @flags:   REGEX_IGNORE_CASE, REGEX_LINES
 * @out:     what regex_find() takes
 *
 * Return: 0, REGEX_E_SYNTAX, REGEX_E_LIMIT or -ENOMEM; @out is set only on 0.
 */
MUST_USE int regex_compile(struct arena *arena, struct str pattern, unsigned flags,
                           const struct regex **out);

/**
 * regex_find() - the first match, the one that backtracking would find first
 * @regex: the pattern
 * @work:  memory
 * @text:  where to look, UTF-8
 * @from:  offset to begin at
 * @out:   the groups of the match; NULL: only whether there is one
 *
 * Return: 0, REGEX_E_NONE, REGEX_E_LIMIT or -ENOMEM; @out is set only on 0.
 */
MUST_USE int regex_find(const struct regex *regex, struct regex_work *work, struct str text,
                        size_t from, struct regex_match *out);

/* Whether the pattern matches all of @text: 0, REGEX_E_NONE, REGEX_E_LIMIT or -ENOMEM. */
MUST_USE int regex_whole(const struct regex *regex, struct regex_work *work, struct str text);

/* Number of the group named @name, or -1. */
MUST_USE int regex_group(const struct regex *regex, struct str name);

/* Groups in the pattern, the whole match included. */
size_t regex_groups(const struct regex *regex);
