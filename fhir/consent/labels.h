/*
 * Security labels: confidentiality and sensitivity.
 *
 * Confidentiality is ordered: unrestricted U < L < M < N < R < very restricted V. The order is
 * not in the code system. Sensitivity codes form a tree and match by subsumption; a set of them
 * is a word with one bit for each code.
 *
 * Release: v3-Confidentiality and v3-ActCode 2018-08-12 as in FHIR R4 4.0.1
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define LABELS_CONFIDENTIALITY "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#define LABELS_ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"

enum {
    LABELS_COUNT = 41, /* sensitivity codes */
};

enum confidentiality {
    CONFIDENTIALITY_NONE, /* unlabelled */
    CONFIDENTIALITY_U,
    CONFIDENTIALITY_L,
    CONFIDENTIALITY_M,
    CONFIDENTIALITY_N,
    CONFIDENTIALITY_R,
    CONFIDENTIALITY_V,
};

/* U, L, M, N, R or V; CONFIDENTIALITY_NONE for anything else. */
enum confidentiality labels_confidentiality(struct str code);

/* "U" to "V"; empty for none. */
const char *labels_confidentiality_name(enum confidentiality level);

/* The set of the one sensitivity @code; 0 if it isn't one. */
uint64_t labels_bit(struct str code);

/* Name of sensitivity code @index, terminated; @index is below LABELS_COUNT. */
const char *labels_name(unsigned index);

/*
 * Data labels that a rule listing @listed covers: these, what descends from them and what is
 * held equal to them (ETH with SUD).
 */
uint64_t labels_covered_by(uint64_t listed);
