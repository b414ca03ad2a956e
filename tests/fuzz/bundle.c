/* Filtering: the same in pieces as in one, and what leaves is JSON again. */
#include "tests/fuzz/fuzz.h"

#include "fhir/base/arena.h"
#include "fhir/bundle/filter.h"
#include "fhir/compartment/facts.h"
#include "fhir/format/json.h"

#include <stdlib.h>

enum {
    OUT_MAX = 1 << 20,
};

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static int answer_all(struct bundle_filter *f, unsigned keep)
{
    const struct bundle_entry *entry;
    while ((entry = bundle_filter_next(f))) {
        struct resource_facts facts;
        if (entry->resource) {
            expect(resource_facts_read(entry->arena, entry->resource, &facts) == 0);
        }
        enum bundle_verdict verdict = keep >> (entry->index % 8) & 1 ? BUNDLE_RELEASE
                                      : entry->index % 3             ? BUNDLE_REMOVE
                                                                     : BUNDLE_REPLACE;
        int r = bundle_filter_answer(f, entry, verdict, STR("{\"x\":1}"));
        if (r) {
            return r;
        }
    }
    return 0;
}

static int run(struct str text, size_t size, unsigned keep, struct buf *out)
{
    struct bundle_filter_options options = {
        .map = { STR("http://up/fhir"), STR("http://gw") },
        .held = 1 << 20,
        .notice = STR("{\"search\":{\"mode\":\"outcome\"}}"),
    };
    CLEANUP(bundle_filter_freep) struct bundle_filter *f = bundle_filter_new(&options, out);
    expect(f != NULL);
    int r = 0;
    for (size_t at = 0; at < text.n && !r; at += size) {
        r = bundle_filter_push(f, str_slice(text, at, at + size));
        r = r ? r : answer_all(f, keep);
    }
    r = r ? r : bundle_filter_finish(f);
    r = r ? r : answer_all(f, keep);
    expect(bundle_filter_done(f) == (r == 0));
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[2][OUT_MAX];
    if (size < 2 || size > OUT_MAX / 8) {
        return 0;
    }
    struct str text = str_of(data + 2, size - 2);
    struct buf whole = buf_fixed(memory[0], OUT_MAX);
    struct buf pieces = buf_fixed(memory[1], OUT_MAX);
    int r = run(text, size, data[1], &whole);
    expect(run(text, 1u + data[0] % 64u, data[1], &pieces) == r);
    if (r == 0) {
        expect(str_eq(buf_str(&whole), buf_str(&pieces)));
    }
    if (r == 0 && whole.n) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        issues_init(&issues, arena);
        const struct node *root;
        expect(json_parse(arena, buf_str(&whole), &issues, &root) == 0);
    }
    return 0;
}
