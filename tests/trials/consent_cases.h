/*
 * Consents by chance: what is made, written as FHIR, decided and printed.
 *
 * Bits of a rule's criteria stand for the words below, a small world in which things meet
 * often.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/consent/compiled.h"

enum {
    CONSENTS_MAX = 3,
    CHILDREN_MAX = 3,
    TEXT_MAX = 1 << 18,
};

extern const char *const chance_actors[4];
extern const char *const chance_custodians[2];
extern const char *const chance_others[2];
extern const char *const chance_marks[2];
extern const char *const chance_types[3];
extern const char *const chance_profiles[3];
extern const char *const chance_formats[1];
extern const char *const chance_codes[3];
extern const struct chance_pointer {
    const char *meaning;
    const char *reference;
} chance_pointers[5];

/* What a rule asks for: bits of the lists above; days from and until, 0: open. */
struct asked {
    unsigned actors, custodians, actions, others, marks, types, profiles, formats, codes, data;
    unsigned levels;
    uint64_t purposes;
    uint64_t sensitivity;
    bool has_period, has_data_period;
    unsigned from, until, data_from, data_until;
};

struct rule {
    enum policy_effect effect;
    struct asked asked;
    struct rule *children[CHILDREN_MAX + 1]; /* one more than chance makes */
    unsigned n;
};

/*
 * @root: its effect is the base, its criteria those of a typed root
 * @one:  the exceptions are within one rule, whose criteria an untyped R4 root may ask for
 * @pcf:  only IHE PCF can write it; @silent: only R4
 */
struct spec {
    struct rule root;
    bool pcf;
    bool silent;
};

struct kept {
    struct spec spec;
    enum consent_reading writing;
    struct str resource;
    struct policy policy;
    enum consent_chain state;
    uint64_t block;
    bool mismatch;
};

struct round {
    struct arena *arena;
    unsigned long number;
    struct kept consents[CONSENTS_MAX + 1];
    unsigned n;
    bool has_tenant;
    struct consent_tenant tenant;
    struct str legal;  /* the Consent that the legal rules are written as */
    unsigned implicit; /* 0: none; else 1 + which policy */
    struct consent_request request;
    struct consent_facts facts;
    struct str names[4], purposes[2], profiles[3], references[2], authors[1], owners[2];
    struct consent_coding codes[4], labels[2];
};

/* Tell @what with the case, and end with 1. */
_Noreturn void fatal(const struct round *r, const char *what);

/* The same numbers on every machine for one @seed. */
void chance_seed(uint64_t seed);
unsigned roll(unsigned sides);
bool chance(unsigned percent);

/* Cleared memory for as long as the case lasts. */
void *keep(struct round *r, size_t size);

/* Criteria by chance. */
struct asked chance_asked(void);

/* Consents, perhaps a tenant's policy, a request and data of which all is known. */
void chance_round(struct round *r);

/* One consent more, in @writing, safe on chain. */
void add_consent(struct round *r, const struct spec *spec, enum consent_reading writing);

/* @spec as a FHIR Consent; @back: with its rules in the other order. */
struct str write_consent(struct round *r, const struct spec *spec, enum consent_reading writing,
                         bool back);

/* File @resource; false if R4 left out an exception that only repeats the base. */
bool file_consent(struct round *r, struct str resource, struct policy *out);

/* The case as a line of JSON on standard output. */
void print_case(const struct round *r, struct consent_verdict verdict);
