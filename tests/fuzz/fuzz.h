/* What a fuzz target defines, and what it says of the result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold for every input. */
static inline void fuzz_expect(bool holds)
{
    if (!holds) {
        abort();
    }
}
