/* A whole document: json_stream into json_tree. */
#include "fhir/format/json.h"

#include "fhir/format/json_stream.h"
#include "fhir/format/json_tree.h"

#include <errno.h>
#include <stdio.h>

static void tell(struct issues *issues, const struct json_stream *stream, const char *reason)
{
    char place[40];
    (void)snprintf(place, sizeof(place), "byte %zu", json_stream_place(stream));
    issues_add(issues, ISSUE_FATAL, "structure", str_z(place), "%s", reason);
}

int json_parse(struct arena *arena, struct str text, struct issues *issues,
               const struct node **root)
{
    struct json_tree tree;
    json_tree_init(&tree, arena, 0);
    struct json_stream_use use = { .held = JSON_TEXT_MAX };
    CLEANUP(json_stream_freep) struct json_stream *stream = json_stream_new(&use);
    if (!stream) {
        return -ENOMEM;
    }
    json_stream_build(stream, &tree);
    int r = json_stream_whole(stream, text);
    if (!r) {
        r = json_stream_finish(stream);
    }
    if (r == JSON_E_SYNTAX) {
        tell(issues, stream, json_stream_reason(stream));
    }
    if (r) {
        return r;
    }
    *root = tree.root;
    return 0;
}
