/*
 * From yajl's callbacks to nodes, or to events where no tree is being built.
 *
 * A callback knows where its token is: a text without escapes points into what yajl reads;
 * for all others yajl tells how much it has read. A callback for the usual case, a value of a
 * tree without escapes, fills a node and is done; everything else is left to functions that
 * are kept out of its way.
 */
#include "fhir/format/json_stream_impl.h"
#include "fhir/format/json_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>

/* yajl's convention: 0 stops it. */
enum { STOP = 0, GO_ON = 1 };

RARE static int stop(struct json_stream *s, int result, const char *reason, size_t place)
{
    (void)json_stream_fail(s, result, reason, place);
    return STOP;
}

/* Offset after the token just read. */
static size_t token_end(const struct json_stream *s)
{
    return s->chunk_at + yajl_get_bytes_consumed(s->yajl);
}

/* Offset of a byte that yajl reads now. */
static size_t offset_of(const struct json_stream *s, const void *p)
{
    return s->chunk_at + (size_t)((const char *)p - s->chunk.p);
}

/* Whether @p borrows from what yajl reads now. */
static bool lasts(const struct json_stream *s, const void *p)
{
    return (uintptr_t)p - (uintptr_t)s->chunk.p < s->chunk.n;
}

/* What yajl holds only for the call, copied for the tree. */
static int copy(struct json_stream *s, struct str *text)
{
    *text = arena_str(s->tree->arena, *text);
    return text->p ? GO_ON : stop(s, -ENOMEM, NULL, token_end(s));
}

/* ---- nodes ---- */

/* Whether the next node of a tree is at hand. */
static bool has_room(const struct json_stream *s)
{
    return s->tree && s->tree->unused != s->tree->end;
}

RARE static int make_room(struct json_stream *s)
{
    if (!s->tree || has_room(s)) {
        return GO_ON;
    }
    int r = json_tree_grow(s->tree);
    return r ? stop(s, r, s->tree->reason, token_end(s)) : GO_ON;
}

/* A node, for which there is room, for the token between @start and @end. */
static inline struct node *add(struct json_stream *s, enum node_kind kind, struct str text,
                               size_t start, size_t end)
{
    struct json_tree *tree = s->tree;
    struct node *node = tree->unused++;
    node->kind = kind;
    node->name = s->name;
    node->text = text;
    node->start = start - tree->base;
    node->end = end - tree->base;
    s->name = (struct str){ 0 };
    json_tree_hang(tree, node);
    return node;
}

/* The value @node is whole, and its builder wants to know. */
RARE static int whole(struct json_stream *s, const struct node *node)
{
    if (!s->tree->depth) {
        s->tree = NULL;
    }
    int r = s->use.built ? s->use.built(s->use.owner, node) : 0;
    return r ? stop(s, r, s->reason, token_end(s)) : GO_ON;
}

static inline int put(struct json_stream *s, enum node_kind kind, struct str text, size_t start,
                      size_t end)
{
    const struct node *node = add(s, kind, text, start, end);
    return s->tree->depth > s->tree->tell ? GO_ON : whole(s, node);
}

/* ---- events ---- */

/* Tell of a token. Its listener may start a tree then, whose root it is. */
RARE static int tell(struct json_stream *s, enum json_event_kind kind, struct str text,
                     size_t start, size_t end)
{
    struct json_event event = {
        .kind = kind,
        .name = s->name,
        .text = text,
        .start = start,
        .end = end,
        .depth = s->depth,
    };
    int r = s->use.event(s->use.owner, &event);
    if (r) {
        return stop(s, r, s->reason, start);
    }
    if (!s->tree) {
        s->name = (struct str){ 0 };
        return GO_ON;
    }
    return s->name.p != s->decoded || copy(s, &s->name) ? make_room(s) : STOP;
}

/* ---- values without children ---- */

/* What isn't the usual case of a value in a tree. @text doesn't last if it is there at all. */
RARE static int put_seldom(struct json_stream *s, enum node_kind kind, struct str text,
                           size_t start, size_t end)
{
    int go = s->tree ? make_room(s) : tell(s, (enum json_event_kind)kind, text, start, end);
    if (!go || !s->tree) {
        return go;
    }
    if (text.n && !lasts(s, text.p) && !copy(s, &text)) {
        return STOP;
    }
    return put(s, kind, text, start, end);
}

static int word(struct json_stream *s, enum node_kind kind, size_t n)
{
    const struct str none = { 0 };
    size_t end = token_end(s);
    return has_room(s) ? put(s, kind, none, end - n, end)
                       : put_seldom(s, kind, none, end - n, end);
}

static int on_null(void *owner)
{
    return word(owner, NODE_NULL, 4);
}

static int on_boolean(void *owner, int value)
{
    return value ? word(owner, NODE_TRUE, 4) : word(owner, NODE_FALSE, 5);
}

RARE static int seldom_number(struct json_stream *s, struct str text)
{
    size_t end = token_end(s);
    if (text.n > JSON_NUMBER_MAX) {
        return stop(s, JSON_E_SYNTAX, "number too long", end - text.n);
    }
    return put_seldom(s, NODE_NUMBER, text, end - text.n, end);
}

static int on_number(void *owner, const char *p, size_t n)
{
    struct json_stream *s = owner;
    struct str text = str_of(p, n);
    if (n > JSON_NUMBER_MAX || !lasts(s, p) || !has_room(s)) {
        return seldom_number(s, text);
    }
    size_t start = offset_of(s, p);
    return put(s, NODE_NUMBER, text, start, start + n);
}

/*
 * Where the string that ends at @end begins: no backslash stands before its opening quote, so
 * it is the last one with an even number of them.
 */
static size_t string_start(const struct json_stream *s, size_t end)
{
    const char *first = s->chunk.p;
    const char *p = first + (end - s->chunk_at) - 1;
    size_t slashes;
    do {
        p--;
        while (p > first && *p != '"') {
            p--;
        }
        slashes = 0;
        while (p - slashes > first && p[-1 - (ptrdiff_t)slashes] == '\\') {
            slashes++;
        }
    } while (slashes % 2);
    return offset_of(s, p);
}

/* A string or name that yajl decoded: find its place, and refuse what yajl lets through. */
static int check_escapes(struct json_stream *s, size_t *start, size_t *end)
{
    *end = token_end(s);
    *start = string_start(s, *end);
    struct str raw = str_slice(s->chunk, *start + 1 - s->chunk_at, *end - 1 - s->chunk_at);
    const char *bad = json_bad_escape(raw);
    return bad ? stop(s, JSON_E_SYNTAX, bad, *start) : GO_ON;
}

RARE static int seldom_string(struct json_stream *s, struct str text)
{
    size_t start;
    size_t end;
    if (lasts(s, text.p)) {
        start = offset_of(s, text.p) - 1;
        end = start + text.n + 2;
    } else if (!check_escapes(s, &start, &end)) {
        return STOP;
    }
    return put_seldom(s, NODE_STRING, text, start, end);
}

static int on_string(void *owner, const unsigned char *p, size_t n)
{
    struct json_stream *s = owner;
    struct str text = str_of(p, n);
    if (!lasts(s, p) || !has_room(s)) {
        return seldom_string(s, text);
    }
    size_t start = offset_of(s, p) - 1;
    return put(s, NODE_STRING, text, start, start + n + 2);
}

/* ---- names, which wait for their value ---- */

RARE static int same_bit(struct json_stream *s)
{
    int r = json_tree_same_bit(s->tree, s->name);
    return r ? stop(s, r, s->tree->reason, token_end(s)) : GO_ON;
}

static int use_name(struct json_stream *s, struct str name)
{
    s->name = name;
    return s->tree && json_tree_name(s->tree, name) ? same_bit(s) : GO_ON;
}

/* A name that yajl decoded is copied: its value may have escapes too. */
RARE static int decoded_name(struct json_stream *s, struct str name)
{
    size_t start;
    size_t end;
    if (!check_escapes(s, &start, &end)) {
        return STOP;
    }
    if (s->tree) {
        return copy(s, &name) ? use_name(s, name) : STOP;
    }
    memcpy(s->decoded, name.p, name.n);
    return use_name(s, str_of(s->decoded, name.n));
}

RARE static int seldom_name(struct json_stream *s, struct str name)
{
    return name.n > JSON_NAME_MAX ? stop(s, JSON_E_SYNTAX, "member name too long", token_end(s))
                                  : decoded_name(s, name);
}

static int on_name(void *owner, const unsigned char *p, size_t n)
{
    struct json_stream *s = owner;
    struct str name = str_of(p, n);
    return n > JSON_NAME_MAX || !lasts(s, p) ? seldom_name(s, name) : use_name(s, name);
}

/* ---- objects and arrays ---- */

static inline int enter(struct json_stream *s, enum node_kind kind)
{
    const struct str none = { 0 };
    enum json_event_kind event = (enum json_event_kind)kind;
    size_t end = token_end(s);
    if (s->depth == JSON_DEPTH_MAX) {
        return stop(s, JSON_E_SYNTAX, "nested too deep", end - 1);
    }
    if (!has_room(s) && !(s->tree ? make_room(s) : tell(s, event, none, end - 1, end))) {
        return STOP;
    }
    s->depth++;
    if (s->tree) {
        json_tree_open(s->tree, add(s, kind, none, end - 1, end));
    }
    return GO_ON;
}

RARE static int look_closer(struct json_stream *s)
{
    int r = json_tree_many(s->tree);
    return r ? stop(s, r, s->tree->reason, token_end(s)) : GO_ON;
}

static inline int leave(struct json_stream *s, enum json_event_kind kind)
{
    size_t end = token_end(s);
    struct json_tree *tree = s->tree;
    assert(s->depth > 0);
    s->depth--;
    if (!tree) {
        return tell(s, kind, (struct str){ 0 }, end - 1, end);
    }
    if (tree->level[tree->depth].many && !look_closer(s)) {
        return STOP;
    }
    const struct node *node = json_tree_close(tree, end - tree->base);
    return tree->depth > tree->tell ? GO_ON : whole(s, node);
}

static int on_object(void *owner)
{
    return enter(owner, NODE_OBJECT);
}

static int on_object_end(void *owner)
{
    return leave(owner, JSON_EVENT_OBJECT_END);
}

static int on_array(void *owner)
{
    return enter(owner, NODE_ARRAY);
}

static int on_array_end(void *owner)
{
    return leave(owner, JSON_EVENT_ARRAY_END);
}

const yajl_callbacks json_stream_callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_name,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};
