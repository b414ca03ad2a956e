/*
 * Places in a message: PID-3[2].4.2 is the second subcomponent of the fourth component of the
 * second repetition of PID-3. OBX[3]-5 is field 5 of the third OBX. All numbers start at 1.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/v2/message.h"

enum {
    V2_ADDRESS_E_SYNTAX = 1,
    V2_ADDRESS_NUMBER_MAX = 99999,
};

/*
 * @occurrence, @repetition: 0 means the first
 * @component, @subcomponent: 0 means all of it
 */
struct v2_address {
    char segment[4];
    uint32_t occurrence;
    uint32_t field;
    uint32_t repetition;
    uint32_t component;
    uint32_t subcomponent;
};

/* Absent and empty say nothing about the value; delete says there is none any more. */
enum v2_presence {
    V2_ABSENT, /* the message ends before it */
    V2_EMPTY,  /* nothing between the delimiters */
    V2_DELETE, /* two double quotes */
    V2_PRESENT,
};

/**
 * v2_address_parse() - read the text form
 * @text: "PID-3[2].4.2"
 * @out:  the address
 *
 * Return: 0 or V2_ADDRESS_E_SYNTAX; @out is set only on 0.
 */
MUST_USE int v2_address_parse(struct str text, struct v2_address *out);

/* Append the text form: parts that were not given are left out. */
void v2_address_write(struct buf *out, const struct v2_address *address);

/* What is at @address, still escaped; @out is empty unless the answer is V2_PRESENT. */
enum v2_presence v2_get(const struct v2_message *message, const struct v2_address *address,
                        struct str *out);

/* As v2_get() by the text form; a wrong one is a bug. */
enum v2_presence v2_get_z(const struct v2_message *message, const char *address,
                          struct str *out);

/* Whether @raw is absent, empty, a delete or a value. */
static inline enum v2_presence v2_presence(struct str raw)
{
    if (raw.n == 0) {
        return raw.p ? V2_EMPTY : V2_ABSENT;
    }
    return raw.n == 2 && raw.p[0] == '"' && raw.p[1] == '"' ? V2_DELETE : V2_PRESENT;
}

/*
 * Part @number (from 1) of @whole, cut at @delim; p is NULL if there are fewer parts. The
 * repetition of a field, the component of a repetition, the subcomponent of a component.
 */
struct str v2_part(struct str whole, char delim, uint32_t number);

/* How many parts: 1 + the delimiters in it; 0 if it is absent. */
uint32_t v2_parts(struct str whole, char delim);
