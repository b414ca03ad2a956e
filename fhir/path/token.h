/* The words of a FHIRPath expression. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"
#include "fhir/base/datetime.h"

enum path_token_kind {
    PATH_TOKEN_END,
    PATH_TOKEN_NAME,      /* also keywords: where they stand tells */
    PATH_TOKEN_DELIMITED, /* `name` */
    PATH_TOKEN_STRING,
    PATH_TOKEN_INTEGER,
    PATH_TOKEN_DECIMAL,
    PATH_TOKEN_DATE,
    PATH_TOKEN_DATETIME,
    PATH_TOKEN_TIME,
    PATH_TOKEN_SYMBOL, /* operators, brackets, $this, $index, $total, % */
};

/*
 * @at:   offset in the expression
 * @text: names and strings decoded, numbers and symbols as written
 * @time: of the three kinds that have one
 */
struct path_token {
    enum path_token_kind kind;
    size_t at;
    struct str text;
    struct datetime time;
};

/* @wrong: what can't be read at @at, for people; static text */
struct path_tokens {
    struct arena *arena; /* borrowed */
    struct str text;
    size_t at;
    const char *wrong;
};

/**
 * path_token_next() - read one more word
 * @tokens: where reading stands
 * @out:    the word, PATH_TOKEN_END after the last
 *
 * Return: 0, PATH_E_SYNTAX, or -ENOMEM; @out is set only on 0.
 * Spec:   FHIRPath 2.0 section "Lexical Elements"
 */
MUST_USE int path_token_next(struct path_tokens *tokens, struct path_token *out);
