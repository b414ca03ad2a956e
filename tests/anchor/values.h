/* Values of tests/vectors/anchor/values.txt by name. */
#pragma once

#include "tests/check.h"

static char *values;

static inline int values_setup(void **state)
{
    char path[512];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/anchor/values.txt", getenv("CHARTSEAL_VECTORS"));
    values = check_read(path, NULL);
    return values ? 0 : -1;
}

static inline int values_teardown(void **state)
{
    (void)state;
    free(values);
    return 0;
}

/* Hexadecimal digits of value @name. */
static inline struct str value(const char *name)
{
    for (struct str rest = str_z(values); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (str_eq(str_cut(&line, ' '), str_z(name))) {
            return line;
        }
    }
    fail_msg("no value %s", name);
    return (struct str){ 0 };
}

static inline void assert_value(const void *got, size_t n, const char *name)
{
    char want[8192];
    struct str digits = value(name);
    assert_true(digits.n < sizeof(want));
    memcpy(want, digits.p, digits.n);
    want[digits.n] = '\0';
    assert_hex(got, n, want);
}

static inline void fill(uint8_t *out, size_t n, int byte)
{
    memset(out, byte, n);
}
