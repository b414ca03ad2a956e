/*
 * HL7 v2 escape sequences: decoding anything; what is escaped comes back, and holds no control
 * characters, which a frame could end at.
 */
#include "fhir/v2/escape.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 16 << 20,
};

/* Control characters but tabs; without @ends, which are let in again, CR and LF don't count. */
static bool has_control(struct str text, bool ends)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < ' ' && c != '\t' && (ends || (c != '\r' && c != '\n'))) {
            return true;
        }
    }
    return false;
}

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
        fuzz_expect(!has_control(buf_str(&escaped), true));
        int r = v2_unescape(arena, delims, buf_str(&escaped), &back);
        fuzz_expect(r < 0 || (r == 0 && (has_control(text, false) || str_eq(text, back))));
    }
    arena_free(arena);
    return 0;
}
