/* Requests: "METHOD path?query\nform". A query encoded anew means the same. */
#include "tests/fuzz/fuzz.h"

#include "fhir/rest/interaction.h"

#include <stdlib.h>

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_again(struct arena *arena, const struct interaction *first)
{
    static char memory[1 << 20];
    struct buf query = buf_fixed(memory, sizeof(memory));
    interaction_query(first, &query);
    if (buf_failed(&query) || first->param_count == INTERACTION_PARAMS_MAX) {
        return; /* with _total it may be one too many */
    }
    struct buf path = arena_buf(arena, 4096);
    buf_c(&path, '/');
    buf_str_put(&path, first->type);
    struct interaction_request request = { .method = STR("GET"),
                                           .path = buf_str(&path),
                                           .query = buf_str(&query) };
    struct interaction again;
    expect(interaction_classify(arena, &request, &again) == 0);
    expect(again.kind == INTERACTION_SEARCH);
    const struct search_param *b = again.params;
    for (const struct search_param *a = first->params; a; a = a->next) {
        if (str_eq(a->name, STR("_format")) || str_eq(a->name, STR("_total"))) {
            continue;
        }
        expect(b && str_eq(a->name, b->name) && str_eq(a->modifier, b->modifier) &&
               str_eq(a->value, b->value));
        b = b->next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of(data, size);
    struct str line = str_cut(&rest, '\n');
    struct interaction_request request = { .form = rest };
    request.method = str_cut(&line, ' ');
    request.path = str_cut(&line, '?');
    request.query = line;
    request.content_type =
        rest.n ? STR("application/x-www-form-urlencoded") : STR("application/fhir+json");

    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct interaction got;
    expect(interaction_classify(arena, &request, &got) == 0);
    expect((got.kind == INTERACTION_REFUSED) == (got.status != 0));
    expect(got.kind != INTERACTION_REFUSED || (got.why && got.code));
    if (got.kind == INTERACTION_SEARCH) {
        check_again(arena, &got);
    }
    return 0;
}
