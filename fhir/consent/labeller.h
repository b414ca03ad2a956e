/*
 * The labeller: what the codes in a resource say of its confidentiality and sensitivity.
 *
 * Which codes are sensitive is told by ValueSets; each names its labels as its focus
 * (useContext of code "focus": codings of v3-ActCode and v3-Confidentiality). Read are an
 * expansion, else what is included by concepts, by a system as a whole, or by "concept is-a" in
 * a system whose codes begin with those of their parents (the ICD family, ATC). What can't be
 * read is refused with its place: a set that is half understood would let data through.
 *
 * A resource that no set knows a code of is unrestricted in sensitivity, not unlabelled. Text
 * isn't read.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/consent/labels.h"
#include "fhir/model/node.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LABELLER_SETS_MAX = 64,
    LABELLER_CODES_MAX = 1 << 20, /* of all sets */
    LABELLER_DEPTH_MAX = 16,      /* of an expansion */
    LABELLER_PREFIX_MAX = 16,     /* bytes of a code that has codes below it */
};

enum {
    LABELLER_E_SET = 1, /* not a ValueSet that can be used; issues say where and why */
};

/* @name: url and version, "url|version": the basis of its labels. All in the arena. */
struct labeller_set {
    struct str name;
    uint64_t sensitivity;
    enum confidentiality level;
};

/* A ValueSet of the program's own, from schemas/labels. */
struct labeller_text {
    const char *name; /* of its file */
    struct str text;
};
extern const struct labeller_text labeller_shipped[];
extern const size_t labeller_shipped_count;

struct labeller_key;

/* Filled by labeller_add(), ready after labeller_finish(); all in the arena. */
struct labeller {
    struct arena *arena;
    struct labeller_set sets[LABELLER_SETS_MAX];
    size_t n_sets;
    struct labeller_key *keys;
    size_t n_keys;
    size_t room;
};

void labeller_init(struct labeller *labeller, struct arena *arena);

/**
 * labeller_add() - one more ValueSet
 * @set:    the resource; texts are copied
 * @issues: told what is wrong with it, by element
 *
 * Return: 0, LABELLER_E_SET or -ENOMEM; the labeller is of no use after either
 */
MUST_USE int labeller_add(struct labeller *labeller, const struct node *set,
                          struct issues *issues);

/* No more sets; from now on it only reads. */
void labeller_finish(struct labeller *labeller);

/* What was found. @sets: bit 1 << i of each of labeller->sets that a code is in */
struct labeller_found {
    uint64_t sets;
    uint64_t sensitivity;
    enum confidentiality level;
};

/* Add to @found what the code of @system means. A system may be a URL or urn:oid:…. */
void labeller_look(const struct labeller *labeller, struct str system, struct str code,
                   struct labeller_found *found);
