/* XML: what is read becomes JSON, XML again, and in the end the same. */
#include "tests/fuzz/fuzz.h"

#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "fhir/format/xml.h"

#include <stdlib.h>

enum {
    TEXT_MAX = 64 << 20,
};

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct str as_json(struct arena *arena, const struct node *root)
{
    struct buf out = arena_buf(arena, TEXT_MAX);
    json_node(&out, root);
    expect(!buf_failed(&out));
    return buf_str(&out);
}

/* JSON to XML and back. */
static struct str there_and_back(struct arena *arena, struct str json, struct issues *issues)
{
    const struct node *root;
    struct buf xml = arena_buf(arena, TEXT_MAX);
    expect(json_parse(arena, json, issues, &root) == 0);
    expect(xml_write(arena, &schema_r4, root, issues, &xml) == 0);
    expect(xml_parse(arena, &schema_r4, buf_str(&xml), issues, &root) == 0);
    return as_json(arena, root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    struct str text = str_of(data, size);
    int r = xml_parse(arena, &schema_r4, text, &issues, &root);
    expect((r == 0) == (root != NULL) && (r > 0) == issues_bad(&issues));
    for (const struct node *n = root; n; n = node_following(n, root)) {
        expect(n->start <= n->end && n->end <= text.n);
    }
    if (root) {
        struct str json = as_json(arena, root);
        expect(str_eq(there_and_back(arena, json, &issues), json));
    }
    return 0;
}
