/*
 * Canonical JSON: one text for each value, so that bytes can be hashed and signed.
 *
 * The subset of RFC 8785 that records, openings and evidence packages use: objects, arrays,
 * strings and integers of at most 2^53 - 1. Member names are ASCII without escapes, strictly
 * ascending. No white space, no number with fraction or exponent, no true, false or null.
 *
 * Both sides remember their first failure: read or write freely, look at the end.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CJSON_DEPTH_MAX = 8,      /* objects and arrays within each other */
    CJSON_NAME_MAX = 64,      /* bytes of a member name */
    CJSON_SIZE_MAX = 1 << 24, /* bytes of a text */
};

#define CJSON_INTEGER_MAX (((uint64_t)1 << 53) - 1)

/*
 * A place in a text. The first failure stays: @error is a literal that says what was wrong,
 * NULL as long as all is well; @at is where. After it every call returns nothing.
 */
struct cjson {
    struct str text;
    size_t at;
    const char *error;
    unsigned depth;
    bool begun[CJSON_DEPTH_MAX];      /* a member or item was read at this depth */
    struct str last[CJSON_DEPTH_MAX]; /* name of the last member */
};

/* Begin to read @text, which stays borrowed. */
void cjson_start(struct cjson *c, struct str text);

/* The text ends here. Return: 0, or -EINVAL if anything was wrong or is left. */
MUST_USE int cjson_finish(struct cjson *c);

/* Say that what was read is not what it should be; @why is a literal. Keeps the first. */
void cjson_refuse(struct cjson *c, const char *why);

/**
 * cjson_object() - enter an object; cjson_array() - enter an array
 *
 * Go on with cjson_member() or cjson_item() until it returns false, which also leaves:
 *
 *     cjson_object(&c);
 *     while (cjson_member(&c, &name)) { … read its value, or cjson_refuse() … }
 */
void cjson_object(struct cjson *c);
void cjson_array(struct cjson *c);
MUST_USE bool cjson_member(struct cjson *c, struct str *name);
MUST_USE bool cjson_item(struct cjson *c);

/* A string as it stands between its quotes, escapes and all, known to be well-formed. */
struct str cjson_raw_string(struct cjson *c);

/* A string without any escape: names, digits, tokens. */
MUST_USE struct str cjson_plain(struct cjson *c);

/* A string, its escapes resolved into @memory where it has any; never longer than its text. */
MUST_USE struct str cjson_string(struct cjson *c, struct buf *memory);

/* A whole number from 0 up to CJSON_INTEGER_MAX. */
uint64_t cjson_number(struct cjson *c);

/* A string of exactly 2 × @n lower-case hexadecimal digits, with 0x before them if @prefix. */
void cjson_hex(struct cjson *c, bool prefix, uint8_t *out, size_t n);

/* A string of lower-case hexadecimal digits after 0x, its bytes in @memory. */
MUST_USE struct str cjson_hex_bytes(struct cjson *c, struct buf *memory);

/* Any value, checked for form alone; the bytes it takes in the text. */
struct str cjson_value(struct cjson *c);

/* A writer that sets commas itself. Names must be given in ascending order: a bug if not. */
struct cjson_out {
    struct buf *b;
    unsigned depth;
    bool begun[CJSON_DEPTH_MAX + 1];
    const char *last[CJSON_DEPTH_MAX + 1];
};

void cjson_out_start(struct cjson_out *out, struct buf *b);
void cjson_open(struct cjson_out *out, char bracket);  /* { or [ */
void cjson_close(struct cjson_out *out, char bracket); /* } or ] */
void cjson_name(struct cjson_out *out, const char *name);
void cjson_put_string(struct cjson_out *out, struct str s); /* not UTF-8: the buf fails */
void cjson_put_number(struct cjson_out *out, uint64_t n);   /* too large: the buf fails */
void cjson_put_hex(struct cjson_out *out, bool prefix, const void *p, size_t n);
void cjson_put_value(struct cjson_out *out, struct str canonical); /* taken as it is */
