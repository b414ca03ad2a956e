/*
 * Whether a resource is what FHIR says it must be.
 *
 * Structure by the definitions: elements, cardinality, types, primitives, choices, narrative,
 * references; codes by required bindings; the invariants that the definitions state; HL7's
 * extensions; and the profiles that packages bring.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/validate/profile.h"

enum {
    VALIDATE_DEPTH_MAX = 128, /* elements within elements, profiles counted */
};

/* Definitions at hand, compiled; constant once everything is added. */
struct validator;

/*
 * @profiles:          canonical URLs that the resource must conform to besides those it names
 *                     itself; @profiles_n of them
 * @by_type:           @profiles are each for resources of its type: the one that is looked at,
 *                     and those in a Bundle's entries
 * @strict_extensions: an extension without a definition here is an error, not a note
 * @work:              a bound on the time it takes: what invariants visit and references are
 *                     compared with; 0: none. What takes more is an error, "too-costly".
 * @now:               milliseconds since 1970, for invariants that ask
 */
struct validate_options {
    const struct str *profiles;
    size_t profiles_n;
    bool by_type;
    bool strict_extensions;
    size_t work;
    int64_t now;
};

/**
 * validator_new() - R4's own definitions
 * @arena: memory; lives as long as the validator
 * @out:   the validator
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int validator_new(struct arena *arena, struct validator **out);

/**
 * validator_add() - take in a StructureDefinition with snapshot, a ValueSet or a CodeSystem
 * @validator: where to
 * @node:      the resource, or a Bundle of such; lives as long as the validator. Resources of
 *             other types are left aside.
 * @issues:    told what can't be read
 *
 * Return: 0, PROFILE_E_SHAPE or -ENOMEM
 */
MUST_USE int validator_add(struct validator *validator, const struct node *node,
                           struct issues *issues);

/* The type that the profile @url is about, "Patient"; empty if that profile isn't here. */
struct str validator_profile_type(const struct validator *validator, struct str url);

/**
 * validate_resource() - look at a resource and everything in it
 * @validator: definitions
 * @arena:     memory while it runs; the issues live in theirs
 * @resource:  a document as read from JSON or XML
 * @options:   what besides
 * @issues:    told each breach with its FHIRPath location, without content; errors are
 *             breaches, warnings are not
 *
 * Return: 0 or -ENOMEM
 * Spec:   FHIR R4 validation, json, references, profiling
 */
MUST_USE int validate_resource(const struct validator *validator, struct arena *arena,
                               const struct node *resource,
                               const struct validate_options *options, struct issues *issues);
