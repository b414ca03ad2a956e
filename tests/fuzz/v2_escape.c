/* HL7 v2 escape sequences: decoding anything, and what is escaped comes back. */
#include "fhir/v2/escape.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 16 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct v2_delims kinds[] = {
        { '|', '^', '~', '\\', '&', '\0' },
        { '|', '^', '~', '\\', '&', '#' },
        { '$', '%', '*', '!', '+', '/' },
    };
    struct arena *arena = arena_new(4096);
    if (!arena || size == 0) {
        arena_free(arena);
        return 0;
    }
    arena_limit(arena, MEMORY);
    const struct v2_delims *delims = &kinds[data[0] % ARRAY_LEN(kinds)];
    struct str text = str_of(data + 1, size - 1);
    struct str plain;
    struct str back;
    struct buf escaped = arena_buf(arena, MEMORY);
    (void)!v2_unescape(arena, delims, text, &plain);
    v2_escape(&escaped, delims, text);
    if (!buf_failed(&escaped)) {
        fuzz_expect(!escaped.n || !memchr(escaped.p, '\r', escaped.n));
        int r = v2_unescape(arena, delims, buf_str(&escaped), &back);
        fuzz_expect(r < 0 || (r == 0 && str_eq(text, back)));
    }
    arena_free(arena);
    return 0;
}
