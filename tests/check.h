/*
 * What every unit test includes: cmocka, and assertions for our own types.
 *
 * CHECK_MAIN runs a table of tests and names the group after the file.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

/* @got has exactly the characters of the terminated string @want. */
#define assert_str(got, want) check_str((got), (want), __FILE__, __LINE__)

static inline void check_str(struct str got, const char *want, const char *file, int line)
{
    if (got.n != strlen(want) || (got.n && memcmp(got.p, want, got.n) != 0)) {
        print_error("got  \"%.*s\"\nwant \"%s\"\n", (int)got.n, got.n ? got.p : "", want);
        _fail(file, line);
    }
}

/* The @n bytes at @got are those that the hexadecimal digits @want say. */
#define assert_hex(got, n, want) check_hex((got), (n), (want), __FILE__, __LINE__)

static inline void check_hex(const void *got, size_t n, const char *want, const char *file,
                             int line)
{
    const unsigned char *bytes = got;
    char digits[3];
    bool same = strlen(want) == 2 * n;
    for (size_t i = 0; same && i < n; i++) {
        (void)snprintf(digits, sizeof(digits), "%02x", bytes[i]);
        same = memcmp(digits, want + 2 * i, 2) == 0;
    }
    if (!same) {
        print_error("bytes differ from %s at %s:%d\n", want, file, line);
        _fail(file, line);
    }
}

/* Bytes of hexadecimal @digits into @out, which has room; returns how many. */
static inline size_t check_unhex(const char *digits, unsigned char *out)
{
    size_t n = strlen(digits) / 2;
    for (size_t i = 0; i < n; i++) {
        char pair[3] = { digits[2 * i], digits[2 * i + 1], '\0' };
        out[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return n;
}

/* Whole file @path on the heap, terminated; NULL if it can't be read. */
static inline char *check_read(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    char *text = NULL;
    size_t used = 0;
    size_t got = 1;
    while (got) {
        char *more = realloc(text, used + 65537);
        assert_non_null(more);
        text = more;
        got = fread(text + used, 1, 65536, file);
        used += got;
    }
    (void)fclose(file);
    text[used] = '\0';
    if (n) {
        *n = used;
    }
    return text;
}

/* Skip this test, by name, if the reference data isn't there. Call it before allocating: a skip
 * jumps out of the test. */
static inline void check_data_needed(const char *name)
{
    const char *root = getenv("CHARTSEAL_DATA");
    if (!root || !*root) {
        print_message("skipped: no reference data, wanted %s\n", name);
        skip();
    }
}

/*
 * Path of reference data @name in @out: below CHARTSEAL_DATA, which tests/run sets where the
 * data is. Where it isn't, the test says so by name and is skipped.
 */
static inline void check_data(const char *name, char *out, size_t size)
{
    check_data_needed(name);
    (void)snprintf(out, size, "%s/%s", getenv("CHARTSEAL_DATA"), name);
}
