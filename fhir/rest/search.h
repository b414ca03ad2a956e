/* Search parameters: splitting a query strictly, and whether each can be decided about. */
#pragma once

#include "fhir/rest/interaction.h"

/*
 * @status: 0, or the HTTP status of a refusal; then @code, @why and @what tell more, as in
 *          struct interaction
 */
struct search_fault {
    int status;
    const char *code;
    const char *why;
    struct str what;
};

/* Append the parameters of @query, application/x-www-form-urlencoded. Return: 0 or -ENOMEM. */
MUST_USE int search_split(struct arena *arena, struct str query, struct interaction *out,
                          struct search_fault *fault);

/* Whether parameter @param may be used in a search for @type. */
void search_check(struct str type, const struct search_param *param,
                  struct search_fault *fault);

/* Whether @param asks for a form of answer and selects nothing: "_format", "_pretty". */
bool search_is_form(const struct search_param *param);

/* The kind of parameter @name of @type, a letter of search_r4.csv; 0 if it has none. */
char search_kind(struct str type, struct str name);

/* Append to @out->patients whom @param of a search for @type names. Return: 0 or -ENOMEM. */
MUST_USE int search_patients(struct arena *arena, struct str type,
                             const struct search_param *param, struct interaction *out);
