/* The delimiters of an HL7 v2 message, which its first bytes declare. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

enum {
    V2_DELIMS_E_NAME = 1, /* does not begin with MSH, FHS or BHS */
    V2_DELIMS_E_FIELD,    /* no character that may be a delimiter follows */
    V2_DELIMS_E_MISSING,  /* field 2 is empty */
    V2_DELIMS_E_LONG,     /* or longer than five characters */
    V2_DELIMS_E_UNUSABLE, /* or has one that may not be a delimiter */
    V2_DELIMS_E_SAME,     /* two delimiters are the same */
};

/*
 * @truncation: the fifth encoding character of v2.7 and later; 0 if there is none
 * A delimiter that the message leaves out (old senders end MSH-2 early) is the usual one.
 */
struct v2_delims {
    char field;
    char component;
    char repetition;
    char escape;
    char subcomponent;
    char truncation;
};

extern const struct v2_delims V2_DELIMS_USUAL; /* |^~\& */

/**
 * v2_delims_read() - the delimiters that a header segment declares
 * @header: text that starts with MSH, FHS or BHS
 * @out:    the delimiters
 *
 * Refused are delimiters that are letters, digits, control characters or no ASCII, and two
 * that are the same (but see v2_delims_doubled()).
 *
 * Return: 0 or V2_DELIMS_E_…; @out is set only on 0.
 * Spec:   HL7 v2.5.1 section 2.5.4, v2.7 section 2.5.5
 */
MUST_USE int v2_delims_read(struct str header, struct v2_delims *out);

/* What an error of v2_delims_read() means, as a sentence, and where: "MSH", "MSH-1", "MSH-2".
 */
const char *v2_delims_error(int error, const char **place);

/* Whether @c may be a delimiter: printable ASCII that is neither letter, digit nor space. */
bool v2_delims_usable(char c);

/* Whether MSH-2 has its escape character twice (^~\\&), which v2_delims_read() forgives. */
bool v2_delims_doubled(struct str encoding);
