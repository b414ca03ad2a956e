/* What the tests of validation share. */
#pragma once

#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/validate/validate.h"

/* The validator that a test file's cases use; made by the first. */
static struct arena *validating_memory;
static struct validator *validating_with;

static inline struct validator *validating(void)
{
    if (!validating_with) {
        validating_memory = arena_new(1 << 20);
        assert_non_null(validating_memory);
        assert_int_equal(validator_new(validating_memory, &validating_with), 0);
    }
    return validating_with;
}

static inline int validating_end(void **state)
{
    (void)state;
    arena_freep(&validating_memory);
    validating_with = NULL;
    return 0;
}

/* Validate the JSON @text; issues of reading it count too. */
static inline void validating_text(struct arena *arena, struct str text,
                                   const struct validate_options *options,
                                   struct issues *issues)
{
    const struct node *root = NULL;
    issues_init(issues, arena);
    if (json_parse(arena, text, issues, &root) == 0) {
        assert_int_equal(validate_resource(validating(), arena, root, options, issues), 0);
    }
}

/* Issues from @least on as lines "place: text", for comparing. */
static inline struct str validating_said(struct arena *arena, const struct issues *issues,
                                         enum issue_severity least)
{
    struct buf out = arena_buf(arena, 1 << 20);
    for (const struct issue *i = issues->first; i; i = i->next) {
        if (i->severity >= least) {
            buf_fmt(&out, "%s%.*s: %.*s", out.n ? "\n" : "", (int)i->place.n, i->place.p,
                    (int)i->text.n, i->text.p);
        }
    }
    return buf_str(&out);
}
