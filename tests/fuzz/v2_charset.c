/*
 * Character sets of HL7 v2: whatever comes, UTF-8 comes of it; and what a set has goes there
 * and back. The first byte picks the set.
 */
#include "fhir/base/utf8.h"
#include "fhir/v2/charset.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 16 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4096);
    if (!arena || size == 0) {
        arena_free(arena);
        return 0;
    }
    arena_limit(arena, MEMORY);
    enum v2_charset set = (enum v2_charset)(V2_CHARSET_ASCII + data[0] % (V2_CHARSETS - 2));
    if (set == V2_CHARSET_UTF16 || set == V2_CHARSET_UTF32) {
        set = V2_CHARSET_UTF8;
    }
    const struct v2_charsets to = { .first = set, .others = data[0] & 1 ? ~0u : 0 };
    struct str utf8;
    struct str there;
    struct str back;
    if (v2_to_utf8(arena, set, str_of(data + 1, size - 1), &utf8) >= 0) {
        fuzz_expect(utf8_valid(utf8));
        if (v2_from_utf8(arena, &to, utf8, &there) == 0 &&
            v2_to_utf8(arena, set, there, &back) == 0) {
            fuzz_expect(str_eq(utf8, back));
        }
    }
    arena_free(arena);
    return 0;
}
