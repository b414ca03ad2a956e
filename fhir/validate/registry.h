/*
 * Definitions by canonical URL: profiles, value sets, code systems.
 */
#pragma once

#include "fhir/validate/profile.h"
#include "fhir/validate/terminology.h"

enum {
    REGISTRY_BUCKETS = 1024,
    REGISTRY_IMPORTS_MAX = 16, /* value sets within value sets */
};

/* @profile: of a StructureDefinition, else NULL */
struct registry_entry {
    struct str url;
    const struct node *node;
    const struct profile *profile;
    const struct registry_entry *next;
};

struct registry {
    const struct registry_entry *buckets[REGISTRY_BUCKETS];
};

/**
 * registry_add() - take in a StructureDefinition, ValueSet or CodeSystem
 * @registry: where to
 * @arena:    memory; lives as long as @registry
 * @node:     the resource; lives as long; any other one is left aside
 * @issues:   told what can't be read
 *
 * A later one with the same URL hides the earlier.
 *
 * Return: 0, PROFILE_E_SHAPE or -ENOMEM
 */
MUST_USE int registry_add(struct registry *registry, struct arena *arena,
                          const struct node *node, struct issues *issues);

/* The entry of @url, a version after '|' left aside; NULL if it isn't here. */
const struct registry_entry *registry_find(const struct registry *registry, struct str url);

static inline const struct profile *registry_profile(const struct registry *registry,
                                                     struct str url)
{
    const struct registry_entry *entry = registry_find(registry, url);
    return entry ? entry->profile : NULL;
}

/* As terminology_has(), from the ValueSets and CodeSystems taken in. */
enum terminology_answer registry_has(const struct registry *registry, struct str url,
                                     struct str system, struct str code);
