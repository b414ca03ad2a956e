/*
 * Whose data a resource is that is sent together with others: in a Bundle, what it refers to is
 * at hand.
 */
#pragma once

#include "fhir/compartment/subject.h"

enum {
    WITHIN_ENTRIES_MAX = 1024, /* entries of a Bundle that are looked through */
};

/* The entries of a Bundle, to be found by what refers to them; in an arena. */
struct within;

/* @root: a Bundle; or a resource that is sent alone, and is its own only entry. Return: 0 or
 * -ENOMEM;
 * @out is set only on 0. */
MUST_USE int within_new(struct arena *arena, const struct node *root, struct within **out);

/**
 * subject_within() - look up in a Bundle whom and what a resource of it refers to
 * @arena:    memory for the lists
 * @within:   the Bundle
 * @resource: one of its entries'
 * @subjects: of @resource, from subject_find(); changed
 *
 * A Patient of the Bundle stands in the lists once, by its first identifier that has a system,
 * whichever way it was referred to: ids within a message are nobody's names. One without such
 * an identifier stands there as it was referred to. What isn't a Patient is left out: its own
 * entry's subjects count. Of a Bundle longer than WITHIN_ENTRIES_MAX nothing is told.
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int subject_within(struct arena *arena, struct within *within,
                            const struct node *resource, struct subjects *subjects);

/* The first identifier of @patient that has a system, as a logical reference; false: none. */
bool subject_identifier(const struct node *patient, struct reference *out);
