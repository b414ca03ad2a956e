/*
 * A machine that follows all ways of a pattern through the text at once.
 *
 * Each thread is a place in the program. Threads stand in order of preference, and no two at
 * the same place, so a character of text costs at most one visit to each instruction: time is
 * bounded by text times pattern, and there is no way to make it worse. When a thread matches,
 * those behind it are dropped: the match is the one that backtracking would find first.
 *
 * Spec: R. Cox, Regular Expression Matching: the Virtual Machine Approach (Pike's method)
 */
#include "fhir/base/regex_impl.h"

#include "fhir/base/fold.h"
#include "fhir/base/utf8.h"

#include <assert.h>
#include <errno.h>

#define NOWHERE UINT32_MAX

enum {
    BOUNDARIES = REGEX_GROUPS_MAX * 2,
};

/* @slots: places of group boundaries, @width for each thread, in the order of @steps */
struct threads {
    uint32_t *at;
    uint32_t *slots;
    size_t n;
};

/* What is still to be followed before the next character; a place, or a slot to restore. */
struct todo {
    uint32_t *step;
    uint32_t *slot;
    uint32_t *old;
    size_t n;
};

struct machine {
    const struct regex *regex;
    struct str text;
    bool whole;
    size_t width;   /* boundaries kept: none if nobody asked for groups */
    uint32_t *seen; /* by instruction: offset + 1 at which a thread was put there */
    struct todo todo;
    uint32_t slots[BOUNDARIES]; /* of the thread being followed */
    size_t work;
};

/* --- the program's tests ------------------------------------------------------------------ */

static bool in_class(const struct regex_class *class, uint32_t point)
{
    if (point < 128) {
        return class->ascii[point / 32] >> (point % 32) & 1;
    }
    size_t low = 0;
    size_t high = class->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point < class->ranges[middle].from) {
            high = middle;
        } else if (point > class->ranges[middle].to) {
            low = middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

static bool accepts(const struct regex *regex, const struct regex_step *step, uint32_t point)
{
    switch (step->op) {
    case REGEX_ANY: return true;
    case REGEX_CHAR:
        return point == step->x || (regex->ignore_case && fold_lower(point) == step->x);
    case REGEX_CLASS: {
        const struct regex_class *class = &regex->classes[step->x];
        return in_class(class, point) ||
               (regex->ignore_case &&
                (in_class(class, fold_lower(point)) || in_class(class, fold_upper(point))));
    }
    case REGEX_JUMP:
    case REGEX_SPLIT:
    case REGEX_SAVE:
    case REGEX_TEXT_BEGIN:
    case REGEX_TEXT_END:
    case REGEX_LINE_BEGIN:
    case REGEX_LINE_END:
    case REGEX_WORD_EDGE:
    case REGEX_NO_WORD_EDGE:
    case REGEX_MATCH: break;
    }
    return false;
}

static bool is_word(struct str text, size_t at)
{
    if (at >= text.n) {
        return false;
    }
    char c = text.p[at];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

static bool holds(enum regex_op op, struct str text, size_t at)
{
    bool edge = (at > 0 && is_word(text, at - 1)) != is_word(text, at);
    switch (op) {
    case REGEX_TEXT_BEGIN: return at == 0;
    case REGEX_TEXT_END: return at == text.n;
    case REGEX_LINE_BEGIN: return at == 0 || text.p[at - 1] == '\n';
    case REGEX_LINE_END: return at == text.n || text.p[at] == '\n';
    case REGEX_WORD_EDGE: return edge;
    case REGEX_NO_WORD_EDGE: return !edge;
    case REGEX_CHAR:
    case REGEX_CLASS:
    case REGEX_ANY:
    case REGEX_JUMP:
    case REGEX_SPLIT:
    case REGEX_SAVE:
    case REGEX_MATCH: break;
    }
    return false;
}

/* --- threads ------------------------------------------------------------------------------ */

static void push(struct todo *todo, uint32_t step, uint32_t slot, uint32_t old)
{
    todo->step[todo->n] = step;
    todo->slot[todo->n] = slot;
    todo->old[todo->n] = old;
    todo->n++;
}

static void put_thread(struct machine *m, struct threads *list, uint32_t at)
{
    list->at[list->n] = at;
    if (m->width) {
        memcpy(list->slots + list->n * m->width, m->slots, m->width * sizeof(m->slots[0]));
    }
    list->n++;
}

/* Follow one instruction that takes no character; what it leads to goes onto the list. */
static void follow(struct machine *m, struct threads *list, uint32_t at, size_t place)
{
    const struct regex_step *step = &m->regex->steps[at];
    switch (step->op) {
    case REGEX_JUMP: push(&m->todo, step->x, NOWHERE, 0); return;
    case REGEX_SPLIT:
        push(&m->todo, step->y, NOWHERE, 0);
        push(&m->todo, step->x, NOWHERE, 0);
        return;
    case REGEX_SAVE:
        if (step->x < m->width) {
            push(&m->todo, NOWHERE, step->x, m->slots[step->x]);
            m->slots[step->x] = (uint32_t)place;
        }
        push(&m->todo, at + 1, NOWHERE, 0);
        return;
    case REGEX_TEXT_BEGIN:
    case REGEX_TEXT_END:
    case REGEX_LINE_BEGIN:
    case REGEX_LINE_END:
    case REGEX_WORD_EDGE:
    case REGEX_NO_WORD_EDGE:
        if (holds(step->op, m->text, place)) {
            push(&m->todo, at + 1, NOWHERE, 0);
        }
        return;
    case REGEX_CHAR:
    case REGEX_CLASS:
    case REGEX_ANY:
    case REGEX_MATCH: put_thread(m, list, at); return;
    }
}

static bool takes_character(enum regex_op op)
{
    return op == REGEX_CHAR || op == REGEX_CLASS || op == REGEX_ANY || op == REGEX_MATCH;
}

/* Put the threads that begin at instruction @at onto @list, the preferred ones first. */
static void add(struct machine *m, struct threads *list, uint32_t at, size_t place)
{
    if (takes_character(m->regex->steps[at].op)) { /* the usual case, shortened */
        if (m->seen[at] != place + 1) {
            m->seen[at] = (uint32_t)place + 1;
            m->work++;
            put_thread(m, list, at);
        }
        return;
    }
    m->todo.n = 0;
    push(&m->todo, at, NOWHERE, 0);
    while (m->todo.n) {
        m->todo.n--;
        uint32_t step = m->todo.step[m->todo.n];
        if (step == NOWHERE) {
            m->slots[m->todo.slot[m->todo.n]] = m->todo.old[m->todo.n];
            continue;
        }
        if (m->seen[step] != place + 1) {
            m->seen[step] = (uint32_t)place + 1;
            m->work++;
            follow(m, list, step, place);
        }
    }
}

/* --- running ------------------------------------------------------------------------------ */

/*
 * Move all threads over character @point, the last before @place. True: one has matched, its
 * boundaries are in @best, and no thread behind it counts.
 */
static bool advance(struct machine *m, const struct threads *now, struct threads *next,
                    bool at_end, uint32_t *best)
{
    for (size_t i = 0; i < now->n; i++) {
        if (m->regex->steps[now->at[i]].op != REGEX_MATCH || (m->whole && !at_end)) {
            continue;
        }
        if (m->width) {
            memcpy(best, now->slots + i * m->width, m->width * sizeof(best[0]));
        }
        next->n = i; /* how many are preferred to the match */
        return true;
    }
    next->n = now->n;
    return false;
}

static void move(struct machine *m, const struct threads *now, size_t count,
                 struct threads *next, uint32_t point, size_t place)
{
    next->n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct regex_step *step = &m->regex->steps[now->at[i]];
        if (accepts(m->regex, step, point)) {
            if (m->width) {
                memcpy(m->slots, now->slots + i * m->width, m->width * sizeof(m->slots[0]));
            }
            add(m, next, now->at[i] + 1, place);
        }
    }
}

static void begin_thread(struct machine *m, struct threads *list, size_t place)
{
    for (size_t i = 0; i < m->width; i++) {
        m->slots[i] = NOWHERE;
    }
    add(m, list, m->width ? 0 : 1, place); /* the first one saves where the match begins */
}

/* Where a match could begin at or after the beginning of @rest. */
static struct str skip_to_first(const struct machine *m, struct str rest)
{
    const struct regex_step *first = &m->regex->steps[1];
    bool plain = first->op == REGEX_CHAR && first->x < 128 && !m->regex->ignore_case;
    if (!plain || !rest.n) {
        return rest;
    }
    const char *p = memchr(rest.p, (int)first->x, rest.n);
    return str_slice(rest, p ? (size_t)(p - rest.p) : rest.n, rest.n);
}

static int run(struct machine *m, struct threads list[2], size_t from, uint32_t *best)
{
    struct threads *now = &list[0];
    struct threads *next = &list[1];
    struct str rest = str_slice(m->text, from, m->text.n);
    bool matched = false;
    bool once = m->whole || m->regex->steps[1].op == REGEX_TEXT_BEGIN;
    for (size_t place = from;; place = m->text.n - rest.n) {
        if (!now->n && !matched && !once) {
            rest = skip_to_first(m, rest);
            place = m->text.n - rest.n;
        }
        if (!matched && (!once || place == from)) {
            begin_thread(m, now, place);
        }
        size_t count = now->n;
        if (advance(m, now, next, place == m->text.n, best)) {
            matched = true;
            count = next->n;
        }
        bool over = !rest.n || (!count && (matched || once));
        if (over || (matched && !m->width) || m->work > REGEX_STEPS_MAX) {
            break;
        }
        uint32_t point = utf8_next(&rest);
        move(m, now, count, next, point, m->text.n - rest.n);
        struct threads *swap = now;
        now = next;
        next = swap;
    }
    return m->work > REGEX_STEPS_MAX ? REGEX_E_LIMIT : matched ? 0 : REGEX_E_NONE;
}

/* Cut what the machine needs out of @work; the parts in the order they are named. */
static int prepare(struct machine *m, struct regex_work *work, struct threads list[2])
{
    size_t n = m->regex->n;
    /* each instruction is followed once, and leaves at most two places or slots to come back to
     */
    size_t todo = 2 * n + 1;
    size_t need = n + 3 * todo + 2 * n * (1 + m->width);
    if (work->n < need) {
        work->memory = arena_alloc(work->arena, need * sizeof(uint32_t));
        work->n = work->memory ? need : 0;
    }
    if (!work->memory) {
        return -ENOMEM;
    }
    uint32_t *p = work->memory;
    m->seen = p;
    memset(m->seen, 0, n * sizeof(uint32_t));
    p += n;
    m->todo = (struct todo){ .step = p, .slot = p + todo, .old = p + 2 * todo };
    p += 3 * todo;
    for (int i = 0; i < 2; i++) {
        list[i] = (struct threads){ .at = p, .slots = p + n };
        p += n * (1 + m->width);
    }
    return 0;
}

static int match(struct machine *m, struct regex_work *work, size_t from, uint32_t *best)
{
    struct threads list[2];
    if (m->text.n >= NOWHERE) {
        return REGEX_E_LIMIT;
    }
    int r = prepare(m, work, list);
    r = r ? r : run(m, list, from, best);
    work->steps += m->work;
    return r;
}

int regex_find(const struct regex *regex, struct regex_work *work, struct str text, size_t from,
               struct regex_match *out)
{
    assert(from <= text.n);
    uint32_t best[BOUNDARIES];
    struct machine m = { .regex = regex, .text = text, .width = out ? regex->groups * 2 : 0 };
    int r = match(&m, work, from, best);
    for (size_t i = 0; r == 0 && out && i < m.width; i += 2) {
        bool part = best[i] != NOWHERE && best[i + 1] != NOWHERE;
        out->begin[i / 2] = part ? best[i] : SIZE_MAX;
        out->end[i / 2] = part ? best[i + 1] : SIZE_MAX;
    }
    return r;
}

int regex_whole(const struct regex *regex, struct regex_work *work, struct str text)
{
    uint32_t best[BOUNDARIES];
    struct machine m = { .regex = regex, .text = text, .whole = true };
    return match(&m, work, 0, best);
}

int regex_group(const struct regex *regex, struct str name)
{
    for (size_t i = 1; i < regex->groups; i++) {
        if (name.n && str_eq(regex->names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

size_t regex_groups(const struct regex *regex)
{
    return regex->groups;
}
