/*
 * JSON: whole and in pieces give the same verdict, offsets point at what was read, what is
 * written is read again as the same, and a resource that XML can hold is the same in XML.
 */
#include "tests/fuzz/fuzz.h"

#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "fhir/format/json_stream.h"
#include "fhir/format/json_tree.h"
#include "fhir/format/xml.h"

#include <stdlib.h>

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_offsets(const struct node *root, struct str text)
{
    for (const struct node *n = root; n; n = node_following(n, root)) {
        struct str source = str_slice(text, n->start, n->end);
        expect(n->start < n->end && n->end <= text.n && source.n == n->end - n->start);
        if (n->kind == NODE_NUMBER) {
            expect(str_eq(source, n->text));
        } else if (n->kind == NODE_STRING) {
            expect(str_starts(source, STR("\"")) && str_ends(source, STR("\"")));
        }
    }
}

static void on_moved(void *owner, struct str from, struct str to)
{
    json_tree_moved(owner, from, to);
}

/* Both trees hold the same. */
static void check_same(const struct node *a, const struct node *b)
{
    const struct node *top_a = a;
    const struct node *top_b = b;
    while (a && b) {
        expect(a->kind == b->kind && a->start == b->start && a->end == b->end);
        expect(str_eq(a->name, b->name) && str_eq(a->text, b->text));
        a = node_following(a, top_a);
        b = node_following(b, top_b);
    }
    expect(!a && !b);
}

static int by_pieces(struct arena *arena, struct str text, size_t size, const struct node *want)
{
    struct json_tree tree;
    json_tree_init(&tree, arena, 0);
    struct json_stream_use use = { .moved = on_moved, .owner = &tree, .held = JSON_TEXT_MAX };
    CLEANUP(json_stream_freep) struct json_stream *stream = json_stream_new(&use);
    expect(stream != NULL);
    json_stream_keep(stream, 0);
    json_stream_build(stream, &tree);
    int r = 0;
    for (size_t at = 0; at < text.n && !r; at += size) {
        r = json_stream_push(stream, str_slice(text, at, at + size));
    }
    r = r ? r : json_stream_finish(stream);
    if (!r && want) {
        check_same(tree.root, want);
    }
    return r;
}

static struct str as_json(struct arena *arena, const struct node *root)
{
    struct buf out = arena_buf(arena, JSON_TEXT_MAX);
    json_node(&out, root);
    expect(!buf_failed(&out));
    return buf_str(&out);
}

static void check_written(struct arena *arena, const struct node *root)
{
    struct issues issues;
    const struct node *again;
    struct str json = as_json(arena, root);
    issues_init(&issues, arena);
    expect(json_parse(arena, json, &issues, &again) == 0);
    expect(str_eq(as_json(arena, again), json));
}

/* A second time nothing changes: a narrative has its namespace then, members their order. */
static void check_xml(struct arena *arena, const struct node *root)
{
    struct issues issues;
    struct str json[2];
    issues_init(&issues, arena);
    for (int i = 0; i < 2; i++) {
        struct buf xml = arena_buf(arena, JSON_TEXT_MAX);
        int r = xml_write(arena, &schema_r4, root, &issues, &xml);
        if (r && i == 0) {
            return;
        }
        expect(r == 0);
        expect(xml_parse(arena, &schema_r4, buf_str(&xml), &issues, &root) == 0);
        json[i] = as_json(arena, root);
    }
    expect(str_eq(json[0], json[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of(data, size);
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    int r = json_parse(arena, text, &issues, &root);
    expect((r == 0) == (root != NULL) && (r == 0 || issues.count == 1));
    if (root) {
        check_offsets(root, text);
        check_written(arena, root);
        check_xml(arena, root);
    }
    expect(by_pieces(arena, text, 1, root) == r);
    expect(by_pieces(arena, text, 7, root) == r);
    return 0;
}
