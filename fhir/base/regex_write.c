/*
 * From the tree of a pattern to the program that regex.c runs.
 *
 * Repetitions with numbers are written out as often as they say, so the tree is measured first
 * and refused if its program would be too large.
 */
#include "fhir/base/regex_tree.h"

#include <assert.h>
#include <errno.h>

struct writer {
    struct regex_step *steps;
    size_t n;
};

static size_t bounded(size_t n)
{
    return n < REGEX_PROGRAM_MAX ? n : REGEX_PROGRAM_MAX;
}

static size_t measure(struct regex_tree *tree);

static size_t measure_list(struct regex_tree *first, size_t each)
{
    size_t n = 0;
    for (struct regex_tree *child = first; child; child = child->next) {
        n = bounded(n + measure(child) + each);
    }
    return n;
}

/* See write_repeat() for what is written. */
static size_t measure_repeat(struct regex_tree *tree)
{
    size_t body = measure(tree->first);
    if (tree->max != REGEX_UNBOUNDED) {
        return body * tree->min + (body + 1) * (tree->max - tree->min);
    }
    return tree->min ? body * tree->min + 1 : body + 2;
}

/* Instructions of @tree, at most REGEX_PROGRAM_MAX; kept in it. */
static size_t measure(struct regex_tree *tree)
{
    switch (tree->kind) {
    case REGEX_TREE_STEP: tree->size = 1; break;
    case REGEX_TREE_GROUP: tree->size = measure(tree->first) + (tree->x ? 2 : 0); break;
    case REGEX_TREE_REPEAT: tree->size = measure_repeat(tree); break;
    case REGEX_TREE_CHOICE: tree->size = measure_list(tree->first, 2) - 2; break;
    case REGEX_TREE_SEQUENCE: tree->size = measure_list(tree->first, 0); break;
    }
    tree->size = bounded(tree->size);
    return tree->size;
}

static void put(struct writer *w, enum regex_op op, size_t x, size_t y)
{
    w->steps[w->n++] = (struct regex_step){ .op = op, .x = (uint32_t)x, .y = (uint32_t)y };
}

/* Go on after this instruction, or at @other; a lazy repetition would rather end. */
static void put_split(struct writer *w, size_t other, bool lazy)
{
    size_t next = w->n + 1;
    put(w, REGEX_SPLIT, lazy ? other : next, lazy ? next : other);
}

static void write_tree(struct writer *w, const struct regex_tree *tree);

static void write_repeat(struct writer *w, const struct regex_tree *tree)
{
    size_t begin = w->n;
    size_t end = begin + tree->size;
    size_t body = tree->first->size;
    for (uint32_t i = 0; i < tree->min; i++) {
        write_tree(w, tree->first);
    }
    if (tree->max == REGEX_UNBOUNDED && tree->min) {
        size_t again = w->n - body;
        put(w, REGEX_SPLIT, tree->lazy ? end : again, tree->lazy ? again : end);
        return;
    }
    if (tree->max == REGEX_UNBOUNDED) {
        put_split(w, end, tree->lazy);
        write_tree(w, tree->first);
        put(w, REGEX_JUMP, begin, 0);
        return;
    }
    for (uint32_t i = tree->min; i < tree->max; i++) {
        put_split(w, end, tree->lazy);
        write_tree(w, tree->first);
    }
}

static void write_choice(struct writer *w, const struct regex_tree *tree)
{
    size_t end = w->n + tree->size;
    for (const struct regex_tree *child = tree->first; child; child = child->next) {
        if (!child->next) {
            write_tree(w, child);
            return;
        }
        put_split(w, w->n + child->size + 2, false);
        write_tree(w, child);
        put(w, REGEX_JUMP, end, 0);
    }
}

static void write_tree(struct writer *w, const struct regex_tree *tree)
{
    switch (tree->kind) {
    case REGEX_TREE_STEP: put(w, tree->op, tree->x, 0); return;
    case REGEX_TREE_REPEAT: write_repeat(w, tree); return;
    case REGEX_TREE_CHOICE: write_choice(w, tree); return;
    case REGEX_TREE_SEQUENCE:
        for (const struct regex_tree *child = tree->first; child; child = child->next) {
            write_tree(w, child);
        }
        return;
    case REGEX_TREE_GROUP:
        if (tree->x) {
            put(w, REGEX_SAVE, (size_t)tree->x * 2, 0);
        }
        write_tree(w, tree->first);
        if (tree->x) {
            put(w, REGEX_SAVE, (size_t)tree->x * 2 + 1, 0);
        }
        return;
    }
}

static int write_program(struct regex_reader *reader, struct regex_tree *tree,
                         const struct regex **out)
{
    enum {
        FRAME = 3, /* boundaries of group 0, and the end */
    };
    size_t n = measure(tree) + FRAME;
    if (n > REGEX_PROGRAM_MAX) {
        return REGEX_E_LIMIT;
    }
    struct writer w = { .steps = arena_calloc(reader->arena, n, sizeof(*w.steps)) };
    struct regex *regex = arena_calloc(reader->arena, 1, sizeof(*regex));
    struct regex_class *classes =
        arena_calloc(reader->arena, reader->classes_n + 1, sizeof(*classes));
    if (!w.steps || !regex || !classes) {
        return -ENOMEM;
    }
    put(&w, REGEX_SAVE, 0, 0);
    write_tree(&w, tree);
    put(&w, REGEX_SAVE, 1, 0);
    put(&w, REGEX_MATCH, 0, 0);
    assert(w.n == n);
    memcpy(classes, reader->classes, reader->classes_n * sizeof(*classes));
    *regex = (struct regex){ .steps = w.steps,
                             .n = w.n,
                             .classes = classes,
                             .groups = reader->groups,
                             .ignore_case = reader->flags & REGEX_IGNORE_CASE };
    memcpy(regex->names, reader->names, sizeof(regex->names));
    *out = regex;
    return 0;
}

int regex_compile(struct arena *arena, struct str pattern, unsigned flags,
                  const struct regex **out)
{
    struct regex_reader reader = {
        .arena = arena, .rest = pattern, .flags = flags, .groups = 1
    };
    if (pattern.n > REGEX_PATTERN_MAX) {
        return REGEX_E_LIMIT;
    }
    struct regex_tree *tree = regex_read(&reader);
    return tree ? write_program(&reader, tree, out) : reader.failed;
}
