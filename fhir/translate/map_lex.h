/* Lines of a map file, cut into tokens. */
#pragma once

#include "fhir/translate/map.h"

#include <stdint.h>

enum {
    MAP_TOKENS_MAX = 256,
};

enum map_token_kind {
    MAP_WORD,
    MAP_TEXT,  /* was in double quotes */
    MAP_ARROW, /* -> */
    MAP_WEAK,  /* ~> */
    MAP_BACK,  /* <- */
    MAP_OPEN,  /* { */
    MAP_CLOSE, /* } */
};

/* @text: without quotes and backslashes */
struct map_token {
    enum map_token_kind kind;
    struct str text;
};

/* A line that holds something: @count tokens, at least one unless it is wrong. */
struct map_line {
    uint32_t number;
    uint32_t indent;
    size_t count;
    struct map_token tokens[MAP_TOKENS_MAX];
};

/* @rest: what is not read yet */
struct map_lexer {
    struct arena *arena;
    struct str rest;
    uint32_t number;
};

enum {
    MAP_LEX_END = 1,
    MAP_LEX_WRONG = 2,
};

/**
 * map_lex() - the next line that isn't empty or a comment
 * @lexer: where to go on
 * @out:   the line; its number is set also if it is wrong
 * @wrong: what is wrong with it, for people; static text
 *
 * Return: 0, MAP_LEX_END, MAP_LEX_WRONG or -ENOMEM.
 */
MUST_USE int map_lex(struct map_lexer *lexer, struct map_line *out, const char **wrong);

/* Whether @token is the word @z. */
bool map_is_word(const struct map_token *token, const char *z);
