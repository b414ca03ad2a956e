/* Random identifiers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    ID_SIZE = 16,
    ID_TEXT_SIZE = 37, /* with the terminating NUL */
};

/* A UUIDv7 of UTC millisecond @time; those of one process are ascending. Spec: RFC 9562 5.7 */
void id_new(int64_t time, uint8_t out[ID_SIZE]);

/* 128 random bits without structure, for patients. */
void id_random(uint8_t out[ID_SIZE]);

/* Lower-case text with dashes, terminated. */
void id_text(const uint8_t id[ID_SIZE], char out[ID_TEXT_SIZE]);
