/*
 * Enrolment codes: what the hospital hands to a patient, once, to link a login with the record.
 *
 * 20 characters in groups of five, such as 7KQ2M-X94TD-…: the first group finds the code and is
 * no secret, the others are, 75 bits. Written in Crockford's base 32, whose digits can't be
 * mistaken for each other.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    ENROL_CODE_SIZE = 20,
    ENROL_CODE_NAME = 5,                   /* characters of the first group */
    ENROL_CODE_TEXT = ENROL_CODE_SIZE + 3, /* with dashes */
};

/* A code of fresh random bytes. @text: with dashes, not terminated */
void enrol_code_make(const uint8_t random[ENROL_CODE_SIZE], char text[ENROL_CODE_TEXT]);

/**
 * enrol_code_read() - a code as somebody typed it
 * @text: any case, with or without dashes and spaces; O is 0, I and L are 1
 * @out:  its characters alone, not terminated
 *
 * Return: 0 or -EINVAL
 */
MUST_USE int enrol_code_read(struct str text, char out[ENROL_CODE_SIZE]);
