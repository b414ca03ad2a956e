/*
 * FHIRPath: an expression in the first line, a resource in JSON behind it.
 *
 * Whatever both are, a run ends, in one of the ways that are promised, and its result can be
 * written.
 */
#include "tests/fuzz/fuzz.h"

#include "fhir/format/json.h"
#include "fhir/path/path.h"
#include "fhir/path/put.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MEMORY = 16 << 20,
    TEXT_MAX = 1 << 20,
};

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\",null],\"_given\":[null,"
    "{\"id\":\"b\"}],\"period\":{\"start\":\"2012-01\"}}],\"birthDate\":\"1974-12-25\","
    "\"deceasedBoolean\":false,\"extension\":[{\"url\":\"u\",\"valueQuantity\":{\"value\":1.50,"
    "\"code\":\"mg\",\"system\":\"http://unitsofmeasure.org\"}}]}";

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static const struct node *read_resource(struct arena *arena, struct str text)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, arena);
    if (json_parse(arena, text, &issues, &root)) {
        issues_init(&issues, arena);
        int r = json_parse(arena, STR(patient), &issues, &root);
        expect(r == 0 || r == -ENOMEM);
    }
    return root;
}

static void write_items(struct arena *arena, const struct path_list *list)
{
    struct buf text = arena_buf(arena, TEXT_MAX);
    for (size_t i = 0; i < list->n && !buf_failed(&text); i++) {
        path_put_json(arena, &schema_r4, &list->items[i], &text);
        path_put_text(arena, &schema_r4, &list->items[i], &text);
    }
}

static void run(struct arena *arena, const struct path_source *source, const struct node *root)
{
    const struct path_env env = { .now = 0 };
    struct issues issues;
    struct path_list list;
    const struct path *path;
    issues_init(&issues, arena);
    int r = path_compile(arena, source, &issues, &path);
    expect(r == 0 || r == -ENOMEM || (r == PATH_E_SYNTAX && issues.count == 1));
    if (r) {
        return;
    }
    struct path_machine *m = path_machine_new(arena, &env);
    struct path_value input = path_element(&schema_r4, root, NULL);
    if (!m) {
        return;
    }
    r = path_run(m, path, root ? &input : NULL, &issues, &list);
    expect(r == 0 || r == -ENOMEM ||
           ((r == PATH_E_RUN || r == PATH_E_LIMIT) && issues.count == 1));
    if (!r) {
        write_items(arena, &list);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    arena_limit(arena, MEMORY);
    struct str rest = str_of(data, size);
    struct str expression = str_cut(&rest, '\n');
    const struct node *root = read_resource(arena, rest);
    struct path_source source = { .text = expression,
                                  .schema = &schema_r4,
                                  .type = STR("Patient") };
    run(arena, &source, root);
    source.flags = PATH_STRICT | PATH_AS_FILTERS;
    run(arena, &source, root);
    return 0;
}
