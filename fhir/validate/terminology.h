/*
 * Which codes a value set has: those that R4 requires, and those that packages bring.
 *
 * A value set has a canonical URL; HL7's own go by what follows http://hl7.org/fhir/ValueSet/.
 * A version after '|' isn't looked at. What a set doesn't list because nobody can (languages,
 * media types, units, currencies) is judged by its syntax.
 */
#pragma once

#include "crypto/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum terminology_answer {
    TERMINOLOGY_UNKNOWN, /* no such set here, or it takes a terminology server to tell */
    TERMINOLOGY_IN,
    TERMINOLOGY_OUT,
};

/* Offsets are into the pool of terminated texts. @code "*": any of the system. */
struct terminology_code {
    uint32_t code;
    uint32_t system;
};

/* @count codes from @first, by code, then by system. */
struct terminology_set {
    uint32_t name;
    uint32_t first;
    uint32_t count;
};

struct terminology {
    const char *pool;
    const struct terminology_code *codes;
    const struct terminology_set *sets; /* by name */
    size_t sets_n;
};

extern const struct terminology terminology_r4;

/* The set that @url, as a binding names it, is here; NULL if none. */
const struct terminology_set *terminology_set(const struct terminology *terminology,
                                              struct str url);

/* Whether @set, one of @terminology's, has a code; @system and @code as below. */
enum terminology_answer terminology_set_has(const struct terminology *terminology,
                                            const struct terminology_set *set,
                                            struct str system, struct str code);

/**
 * terminology_has() - whether a code is in a value set
 * @terminology: where to look
 * @url:         of the value set, as a binding names it
 * @system:      of the code; p NULL if it stands alone, as a FHIR code does
 * @code:        the code
 */
enum terminology_answer terminology_has(const struct terminology *terminology, struct str url,
                                        struct str system, struct str code);
