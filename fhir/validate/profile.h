/*
 * Profiles: what a StructureDefinition's snapshot demands beyond the base type.
 *
 * A snapshot is read into a tree of elements. An element that is sliced has its slices in a
 * list of their own. Names and fixed values borrow from the document it was read from.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/validate/invariants.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PROFILE_DEPTH_MAX = 24, /* components of an element's path */
};

#define PROFILE_UNBOUNDED UINT32_MAX

enum {
    PROFILE_E_SHAPE = 1, /* no StructureDefinition with a snapshot; the issues say why */
};

/* One type that is allowed, as ElementDefinition.type has it. */
struct profile_type {
    struct str code;
    const struct node *profiles; /* canonical URLs the value must conform to one of */
    const struct node *targets;  /* the same for what a reference points at */
    const struct profile_type *next;
};

/*
 * @name:     without [x]
 * @slice:    name of the slice; empty: not one
 * @fixed:    the value must equal it; NULL: anything
 * @pattern:  the value must contain it
 * @binding:  value set of a required binding
 * @slicing:  ElementDefinition.slicing; NULL if not sliced
 * @rules:    ElementDefinition.constraint, without R4's own
 * @children: of the element, without slices; @slices: its slices; both by @next
 */
struct profile_element {
    struct str name;
    struct str slice;
    bool choice;
    uint32_t min;
    uint32_t max;
    const struct profile_type *types;
    const struct node *fixed;
    const struct node *pattern;
    struct str binding;
    const struct node *slicing;
    const struct constraint *rules;
    struct profile_element *up;
    struct profile_element *children;
    struct profile_element *slices;
    struct profile_element *next;
};

struct profile {
    struct str url;
    struct str type; /* "Patient", "Extension" */
    const struct profile_element *root;
};

/**
 * profile_read() - read a StructureDefinition
 * @arena:  memory for the result
 * @node:   the StructureDefinition; must live as long as the result
 * @issues: told what can't be read
 * @out:    the profile
 *
 * Return: 0, PROFILE_E_SHAPE or -ENOMEM; @out is set only on 0.
 */
MUST_USE int profile_read(struct arena *arena, const struct node *node, struct issues *issues,
                          const struct profile **out);
