/* The two halves of the parser: parse.c, operators and the whole, and parse_term.c. */
#pragma once

#include "fhir/path/program.h"
#include "fhir/path/token.h"

enum {
    PATH_LOWEST = 1, /* precedence: what a whole expression begins with */
};

/* @now: the word not used yet; @wrong_at: where what path_token_next() or a part found wrong is
 */
struct path_parser {
    struct path_tokens tokens;
    struct path_token now;
    struct path *path;
    struct path_op *ops;
    struct path_value *constants;
    struct path_name *names;
    struct path_specifier *types;
    struct path_argument *arguments;
    size_t constants_n;
    size_t names_n;
    size_t types_n;
    size_t arguments_n;
    int depth;
    size_t wrong_at;
};

/* All return 0, PATH_E_SYNTAX or -ENOMEM. */
MUST_USE int path_parse_expression(struct path_parser *p, int precedence);
MUST_USE int path_parse_term(struct path_parser *p);

/* A function whose input is on the stack; its @name, at @at, has been read. */
MUST_USE int path_parse_function(struct path_parser *p, struct str name, size_t at);

/* The type after "is" or "as", which is the word now. */
MUST_USE int path_parse_type_operator(struct path_parser *p, enum path_code code);

MUST_USE int path_advance(struct path_parser *p);
MUST_USE int path_expect(struct path_parser *p, const char *symbol, const char *otherwise);

/* Remember what is wrong, at the word now; PATH_E_SYNTAX. */
int path_wrong(struct path_parser *p, const char *text);

/* Whether the word is a name, delimited or not. */
bool path_is_name(const struct path_parser *p);

/* Whether the word is @text, and not a delimited name or a string that looks so. */
bool path_is_word(const struct path_parser *p, const char *text);

/* Write an instruction; its number. */
size_t path_emit(struct path_parser *p, enum path_code code, size_t a, size_t at);
size_t path_add_name(struct path_parser *p, struct str text);
