/*
 * Whom an actor belongs to: what a directory of FHIR resources says of organizations above an
 * organization, and of the groups, care teams and roles that somebody is in now.
 *
 * Rules of consents name actors; what they name may be a whole group of them. Pure: who asks
 * the directory is gateway/directory.h. What can't be told leaves ->unknown set, with which no
 * rule that names others is sure not to match.
 *
 * Spec: consent rules, section 5.3 (actor); IHE mCSD; FHIR R4 Organization.partOf,
 * PractitionerRole, CareTeam, Group
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/model/reference.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BELONGING_NAMES_MAX = 64,
    BELONGING_DEPTH_MAX = 8, /* organizations above one another */
    BELONGING_PAGE = 200,    /* resources of one kind that one actor may be in */
};

/*
 * @base:  of the directory, without "/" at the end
 * @local: consents call its resources "Type/id", not by URL
 */
struct belonging_place {
    struct str base;
    bool local;
};

/* @at: canonical names as of actor.h, each once; @unknown: there may be more */
struct belonging {
    struct str at[BELONGING_NAMES_MAX];
    size_t n;
    bool unknown;
};

/* One name more; where there is no room, or none could be made (empty), it is unknown. */
void belonging_add(struct belonging *names, struct str name);

/*
 * "Type/id" that a directory at @place is asked for by, from the canonical name of an actor;
 * empty if it isn't one of its resources.
 */
struct str belonging_local(const struct belonging_place *place, struct str name);

/**
 * belonging_organization() - an Organization, and what it is part of
 * @root:  the Organization, or a searchset that holds one
 * @name:  canonical name by which it was asked for: another is not believed
 * @names: its own names are added
 * @above: reference to the organization above; of form REFERENCE_NONE: it is at the top
 *
 * Return: whether there is exactly one of that name. If not, names are unknown.
 */
bool belonging_organization(struct arena *arena, const struct belonging_place *place,
                            const struct node *root, struct str name, struct belonging *names,
                            struct reference *above);

/* The canonical name of what @to points at in the directory; empty: none, or no memory. */
struct str belonging_name(struct arena *arena, const struct belonging_place *place,
                          const struct reference *to);

/**
 * belonging_members() - in which of a searchset's resources one of @members is now
 * @root:    searchset of PractitionerRole, CareTeam or Group; more than one page is unknown
 * @members: names of who may be in them
 * @now:     milliseconds since 1970-01-01T00:00:00Z
 * @names:   the names of those resources are added; may be @members
 *
 * What the server found is checked again: it may have ignored a parameter.
 */
void belonging_members(struct arena *arena, const struct belonging_place *place,
                       const struct node *root, const struct belonging *members, int64_t now,
                       struct belonging *names);
