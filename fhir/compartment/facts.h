/*
 * What a consent rule may ask of a resource, read from it once.
 *
 * Everything borrows from the resource's tree or lies in the arena.
 */
#pragma once

#include "fhir/compartment/subject.h"

struct coding {
    struct str system; /* empty if none is given */
    struct str code;
};

/*
 * When something happened, as FHIR text of any precision ("2024", "2024-03-01T10:00:00Z").
 * Both are empty if the resource doesn't say; then consent.md 5.3 applies. One instant has
 * the same text twice; an open period has one empty end.
 */
struct fact_period {
    struct str start;
    struct str end;
};

/*
 * @version:      meta.versionId
 * @updated:      meta.lastUpdated
 * @profiles:     meta.profile
 * @codings:      each coding anywhere in the resource but in meta, contained ones too
 * @labels:       meta.security
 * @period:       the type's effective, authored or occurrence time, by table
 * @authors:      who wrote or performed it, by table: any type
 * @references:   each typed reference of the resource, for "related" and "dependents"
 */
struct resource_facts {
    struct str type;
    struct str id;
    struct str version;
    struct str updated;
    struct str *profiles;
    size_t profile_count;
    struct coding *codings;
    size_t coding_count;
    struct coding *labels;
    size_t label_count;
    struct fact_period period;
    struct subject_list authors;
    struct subject_list references;
    struct subjects subjects;
};

/**
 * resource_facts_read() - read the facts of one resource
 * @arena:    memory for the lists
 * @resource: the resource
 * @out:      its facts
 *
 * Return: 0 or -ENOMEM; @out is set only on 0
 */
MUST_USE int resource_facts_read(struct arena *arena, const struct node *resource,
                                 struct resource_facts *out);
