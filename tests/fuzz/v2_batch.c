/* Files and batches of HL7 v2: parts in their order, none of them outside; fragments joined. */
#include "fhir/v2/batch.h"
#include "fhir/v2/continuation.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 16 << 20,
};

static void join(struct arena *arena, struct str first, struct str next)
{
    struct issues issues;
    struct v2_message a;
    struct v2_message b;
    struct str whole;
    issues_init(&issues, arena);
    if (v2_parse(arena, first, &issues, &a) == 0 && v2_parse(arena, next, &issues, &b) == 0 &&
        v2_join_fragments(arena, &a, &b, &whole) == 0) {
        fuzz_expect(v2_parse(arena, whole, &issues, &a) <= V2_MESSAGE_E_LIMIT);
        fuzz_expect(whole.n <= first.n + next.n + 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4096);
    if (!arena) {
        return 0;
    }
    arena_limit(arena, MEMORY);
    struct issues issues;
    issues_init(&issues, arena);
    struct str text = str_of(data, size);
    struct v2_batch batch = v2_batch(text, &issues);
    struct v2_batch_part part;
    struct str before = { 0 };
    const char *at = text.p;
    while (v2_batch_next(&batch, &part)) {
        fuzz_expect(part.text.n >= 3 && part.text.p >= at);
        at = part.text.p + part.text.n;
        fuzz_expect(at <= text.p + text.n);
        if (before.p && part.kind == V2_BATCH_MESSAGE) {
            join(arena, before, part.text);
        }
        before = part.text;
    }
    arena_free(arena);
    return 0;
}
