/*
 * Functions with regular expressions.
 *
 * Expressions mostly have constant patterns, so a machine remembers the last few it compiled.
 */
#include "fhir/base/utf8.h"
#include "fhir/path/functions.h"

#include <errno.h>

enum {
    STEPS_IN_ONE = 8,            /* of the regular expression, in one of the run */
    NO_MATCH = PATH_E_LIMIT + 1, /* beside what ends a run */
};

static int read_flags(struct path_machine *m, const struct path_call *call, size_t i,
                      unsigned *out)
{
    struct str flags = { 0 };
    bool there;
    int r = path_argument_string(m, call, i, &flags, &there);
    *out = 0;
    for (size_t k = 0; k < flags.n && !r; k++) {
        if (flags.p[k] != 'i' && flags.p[k] != 'm') {
            return path_fail(m, "flags of a regular expression are i and m");
        }
        *out |= flags.p[k] == 'i' ? (unsigned)REGEX_IGNORE_CASE : (unsigned)REGEX_LINES;
    }
    return r;
}

/* What a function of regex.h returned, as a run ends. */
static int outcome(struct path_machine *m, int r)
{
    switch (r) {
    case REGEX_E_SYNTAX: return path_fail(m, "not a regular expression that is understood");
    case REGEX_E_LIMIT: return path_exceeds(m, "a regular expression that takes too much work");
    case REGEX_E_NONE: return NO_MATCH;
    default: return r;
    }
}

static int compile(struct path_machine *m, struct str pattern, unsigned flags,
                   const struct regex **out)
{
    for (size_t i = 0; i < PATH_PATTERNS; i++) {
        const struct path_pattern *known = &m->patterns[i];
        if (known->regex && known->flags == flags && str_eq(known->text, pattern)) {
            *out = known->regex;
            return 0;
        }
    }
    struct str text = arena_str(m->arena, pattern);
    int r = path_make_bytes(m, pattern.n);
    if (!r && !text.p) {
        r = -ENOMEM;
    }
    r = r ? r : outcome(m, regex_compile(m->arena, text, flags, out));
    if (!r) {
        m->patterns[m->patterns_next] =
            (struct path_pattern){ .text = text, .flags = flags, .regex = *out };
        m->patterns_next = (m->patterns_next + 1) % PATH_PATTERNS;
    }
    return r;
}

/* Argument 0 as a pattern; @there: whether it is. */
static int read_pattern(struct path_machine *m, const struct path_call *call, size_t flags_at,
                        const struct regex **out, bool *there)
{
    struct str pattern;
    unsigned flags;
    if (call->arguments[0].regex) {
        *out = call->arguments[0].regex;
        *there = true;
        return 0;
    }
    int r = path_argument_string(m, call, 0, &pattern, there);
    r = r ? r : read_flags(m, call, flags_at, &flags);
    return r || !*there ? r : compile(m, pattern, flags, out);
}

/* The input and the pattern; @there: whether both are there. */
static int read_operands(struct path_machine *m, const struct path_call *call, size_t flags_at,
                         struct str *text, const struct regex **regex, bool *there)
{
    bool pattern_there = false;
    int r = path_input_string(m, call, text, there);
    r = r ? r : read_pattern(m, call, flags_at, regex, &pattern_there);
    *there = !r && *there && pattern_there;
    return r;
}

/* Look for a match, and count what it took: 0, NO_MATCH or what ends the run. */
static int find(struct path_machine *m, const struct regex *regex, struct str text, size_t from,
                struct regex_match *out)
{
    size_t steps = m->regex.steps;
    int r = regex_find(regex, &m->regex, text, from, out);
    int limit = path_step(m, (m->regex.steps - steps) / STEPS_IN_ONE);
    return limit ? limit : outcome(m, r);
}

static int find_whole(struct path_machine *m, const struct regex *regex, struct str text)
{
    size_t steps = m->regex.steps;
    int r = regex_whole(regex, &m->regex, text);
    int limit = path_step(m, (m->regex.steps - steps) / STEPS_IN_ONE);
    return limit ? limit : outcome(m, r);
}

static int match(struct path_machine *m, const struct path_call *call, bool whole)
{
    struct str text;
    const struct regex *regex;
    bool there = false;
    int r = read_operands(m, call, 1, &text, &regex, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = whole ? find_whole(m, regex, text) : find(m, regex, text, 0, NULL);
    return r == 0 || r == NO_MATCH ? path_give_boolean(m, call, r == 0) : r;
}

PATH_FUNCTION(matches)
{
    return match(m, call, false);
}

PATH_FUNCTION(matches_full)
{
    return match(m, call, true);
}

/* --- replaceMatches ----------------------------------------------------------------------- */

/* The group that begins @rest, after "$": a digit or {name}; -1 if there is none. */
static int take_group(const struct regex *regex, struct str *rest)
{
    if (rest->n && rest->p[0] >= '0' && rest->p[0] <= '9') {
        int group = rest->p[0] - '0';
        *rest = str_slice(*rest, 1, rest->n);
        return (size_t)group < regex_groups(regex) ? group : -1;
    }
    const char *close = rest->n && rest->p[0] == '{' ? memchr(rest->p, '}', rest->n) : NULL;
    if (!close) {
        return -1;
    }
    size_t end = (size_t)(close - rest->p);
    struct str name = str_slice(*rest, 1, end);
    *rest = str_slice(*rest, end + 1, rest->n);
    bool number = name.n == 1 && name.p[0] >= '0' && name.p[0] <= '9';
    int group = number ? name.p[0] - '0' : regex_group(regex, name);
    return group < (int)regex_groups(regex) ? group : -1;
}

/* Write the substitution for one match: $1, ${name}; $$ is a dollar. */
static void put_substitution(const struct regex *regex, struct str text,
                             const struct regex_match *match, struct str by, struct buf *out)
{
    while (by.n) {
        char c = by.p[0];
        by = str_slice(by, 1, by.n);
        if (c != '$') {
            buf_c(out, c);
            continue;
        }
        if (by.n && by.p[0] == '$') {
            buf_c(out, '$');
            by = str_slice(by, 1, by.n);
            continue;
        }
        int group = take_group(regex, &by);
        if (group >= 0 && match->begin[group] != SIZE_MAX) {
            buf_str_put(out, str_slice(text, match->begin[group], match->end[group]));
        }
    }
}

/* One match looked for from *@from on, and replaced; *@from is where to go on. */
static int replace_one(struct path_machine *m, const struct regex *regex, struct str text,
                       struct str by, size_t *from, struct buf *out)
{
    struct regex_match match;
    size_t before = out->n;
    int r = find(m, regex, text, *from, &match);
    if (r) {
        return r;
    }
    buf_str_put(out, str_slice(text, *from, match.begin[0]));
    *from = match.end[0];
    if (match.end[0] > match.begin[0]) {
        put_substitution(regex, text, &match, by, out);
    } else if (*from < text.n) { /* a match of nothing replaces nothing */
        struct str rest = str_slice(text, *from, text.n);
        (void)utf8_next(&rest);
        buf_str_put(out, str_slice(text, *from, text.n - rest.n));
        *from = text.n - rest.n;
    } else {
        return NO_MATCH;
    }
    return path_make_bytes(m, out->n - before);
}

PATH_FUNCTION(replace_matches)
{
    struct str text;
    struct str by;
    const struct regex *regex;
    bool there = false;
    bool by_there;
    int r = path_argument_string(m, call, 1, &by, &by_there);
    r = r ? r : read_operands(m, call, 2, &text, &regex, &there);
    if (r || !there || !by_there) {
        return r ? r : path_give_nothing(m, call);
    }
    struct buf out = arena_buf(m->arena, PATH_BYTES_MAX);
    size_t from = 0;
    while (!r) {
        r = replace_one(m, regex, text, by, &from, &out);
    }
    if (r != NO_MATCH) {
        return r;
    }
    buf_str_put(&out, str_slice(text, from, text.n));
    return buf_failed(&out) ? -ENOMEM : path_give_string(m, call, buf_str(&out));
}
