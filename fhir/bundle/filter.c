/*
 * The filter.
 *
 *                          +-- "Bundle" and a type that may be cut up --> SPLIT
 *   OPEN (tree of all) ----+-- anything else ---------------------------> WHOLE
 *                          +-- end of text: decided then, from the tree
 *
 * Until resourceType and type have been read, everything is held and made into one tree. From
 * then on a Bundle is a queue of items, in the order of the text: members of the Bundle, its
 * brackets, and entries, each with its own small tree. Items leave from the front of the queue
 * once they are settled; the window keeps the bytes from the first one on. JSON is parsed
 * once.
 */
#include "fhir/bundle/filter.h"

#include "fhir/bundle/queue.h"
#include "fhir/format/json_write.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    ARENA_FIRST = 8 << 10,
    NAMES_MAX = 64, /* members of a Bundle */
};

enum mode { MODE_OPEN, MODE_SPLIT, MODE_WHOLE };

struct bundle_filter {
    struct bundle_filter_options options;
    struct json_stream *stream; /* owned */
    struct arena *arena;        /* owned; of all but entries */
    struct bundle_queue queue;

    enum mode mode;
    struct json_tree tree; /* of what is being read */
    bool building;
    bool in_entries;
    bool finished;
    struct bundle_memory *memory; /* used by the entry being read */
    struct str name;              /* of the member being read */
    struct str names[NAMES_MAX];
    size_t name_count;
    size_t entries;

    int failed;
    const char *reason;
};

static int refuse(struct bundle_filter *f, const char *reason)
{
    f->reason = reason;
    return BUNDLE_E_SYNTAX;
}

/* ---- members of the Bundle ---- */

/* What Bundle.link becomes; nothing if no link is left. */
static int map_links(struct bundle_filter *f, const struct node *links, struct str *out)
{
    struct buf text = arena_buf(f->arena, f->options.held);
    struct json_writer w = json_writer(&text);
    size_t n = 0;
    json_array(&w, NULL);
    for (const struct node *link = links->first; link; link = link->next) {
        struct buf url = arena_buf(f->arena, f->options.held);
        struct str relation = node_text(link, "relation");
        if (!f->options.link(f->options.owner, relation, node_text(link, "url"), &url)) {
            continue;
        }
        json_object(&w, NULL);
        json_string(&w, "relation", relation);
        json_string(&w, "url", buf_str(&url));
        json_end(&w);
        text.failed |= buf_failed(&url);
        n++;
    }
    json_end(&w);
    *out = n ? buf_str(&text) : (struct str){ 0 };
    return buf_failed(&text) ? -ENOMEM : 0;
}

static int push_link(struct bundle_filter *f, const struct node *links)
{
    if (links->kind != NODE_ARRAY) {
        return refuse(f, "Bundle.link is no list");
    }
    struct bundle_item item = { .kind = BUNDLE_ITEM_LINK,
                                .settled = true,
                                .lead = f->queue.last,
                                .start = links->start,
                                .end = links->end };
    int r = 0;
    if (f->options.link) {
        r = map_links(f, links, &item.text);
        item.dropped = !item.text.n;
    } else {
        struct buf text = arena_buf(f->arena, f->options.held);
        rewrite_urls(&f->options.map, links,
                     json_stream_bytes(f->stream, links->start, links->end), &text);
        item.text = buf_str(&text);
        r = buf_failed(&text) ? -ENOMEM : 0;
    }
    if (r) {
        return r;
    }
    return bundle_queue_push(&f->queue, f->arena, &item);
}

/* Members that say nothing about who is in the Bundle. All others are dropped. */
static bool is_harmless(const struct bundle_filter *f, struct str name)
{
    static const char *const names[] = {
        "resourceType", "id",   "meta",      "implicitRules",
        "language",     "type", "timestamp", "identifier",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(name, str_z(names[i]))) {
            return true;
        }
    }
    return f->options.totals && str_eq(name, STR("total"));
}

static int push_entry(struct bundle_filter *f, const struct node *node, size_t start,
                      size_t end)
{
    const struct node *resource = node_get(node, "resource");
    if (node->kind != NODE_OBJECT || (resource && resource->kind != NODE_OBJECT)) {
        return refuse(f, "an entry is no object");
    }
    struct arena *arena = f->memory ? f->memory->arena : f->arena;
    struct bundle_item item = {
        .kind = BUNDLE_ITEM_ENTRY,
        .lead = f->queue.last,
        .start = start,
        .end = end,
        .blocks = f->memory ? json_tree_blocks(&f->tree) : NULL,
        .memory = f->memory,
        .entry = { .bytes = json_stream_bytes(f->stream, start, end),
                   .node = node,
                   .resource = resource,
                   .arena = arena,
                   .index = f->entries },
    };
    int r = bundle_queue_push(&f->queue, arena, &item);
    if (r) {
        return r;
    }
    f->memory = NULL;
    f->entries++;
    return 0;
}

/* Entries that came before it was known what they are entries of. */
static int push_entries(struct bundle_filter *f, const struct node *array)
{
    if (array->kind != NODE_ARRAY) {
        return refuse(f, "Bundle.entry is no list");
    }
    f->queue.had_entries = true;
    int r = bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_OPEN, array->start,
                              array->start + 1);
    for (const struct node *entry = array->first; entry && !r; entry = entry->next) {
        r = push_entry(f, entry, entry->start, entry->end);
    }
    return r ? r
             : bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_SHUT, array->end - 1,
                                 array->end);
}

static int push_member(struct bundle_filter *f, struct str name, const struct node *node)
{
    if (str_eq(name, STR("entry"))) {
        return push_entries(f, node);
    }
    if (str_eq(name, STR("link"))) {
        return push_link(f, node);
    }
    int r = bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_TEXT, node->start, node->end);
    if (!r) {
        f->queue.tail->dropped = !is_harmless(f, name);
    }
    return r;
}

static int note_name(struct bundle_filter *f, struct str name)
{
    for (size_t i = 0; i < f->name_count; i++) {
        if (str_eq(f->names[i], name)) {
            return refuse(f, "duplicate member name");
        }
    }
    if (f->name_count == NAMES_MAX) {
        return refuse(f, "too many members");
    }
    f->name = arena_str(f->arena, name);
    f->names[f->name_count++] = f->name;
    return f->name.p ? 0 : -ENOMEM;
}

/* ---- what the document is ---- */

/* Types whose entries stand for themselves, so that one can be left out. */
static bool can_split(struct str type)
{
    static const char *const types[] = {
        "searchset",
        "history",
        "batch-response",
        "transaction-response",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(type, str_z(types[i]))) {
            return true;
        }
    }
    return false;
}

/* From a tree, whole or as far as it is, to a queue of items. */
static int split(struct bundle_filter *f)
{
    const struct node *root = f->tree.root;
    f->mode = MODE_SPLIT;
    f->building = false;
    json_stream_build(f->stream, NULL);
    int r = bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_SPACE, 0, root->start + 1);
    for (const struct node *node = root->first; node && !r; node = node->next) {
        r = note_name(f, node->name);
        r = r ? r : push_member(f, node->name, node);
    }
    return r;
}

/* After a string member of the document: does it tell what the document is? */
static int look(struct bundle_filter *f)
{
    const struct node *root = f->tree.root;
    struct str kind = node_text(root, "resourceType");
    struct str type = node_text(root, "type");
    if (kind.n && !str_eq(kind, STR("Bundle"))) {
        f->mode = MODE_WHOLE;
        return 0;
    }
    if (!kind.n || !type.n || node_get(root, "entry")) {
        return 0;
    }
    if (!can_split(type)) {
        f->mode = MODE_WHOLE;
        return 0;
    }
    return split(f);
}

/* ---- what is read ---- */

static int start_tree(struct bundle_filter *f, struct arena *arena, size_t base)
{
    if (!arena) {
        return -ENOMEM;
    }
    json_tree_init(&f->tree, arena, base);
    json_stream_build(f->stream, &f->tree);
    f->building = true;
    return 0;
}

static int on_entries(struct bundle_filter *f, const struct json_event *event)
{
    if (event->kind == JSON_EVENT_ARRAY_END) {
        f->in_entries = false;
        return bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_SHUT, event->start,
                                 event->end);
    }
    f->memory = bundle_queue_memory(&f->queue);
    return start_tree(f, f->memory ? f->memory->arena : NULL, event->start);
}

static int on_member(struct bundle_filter *f, const struct json_event *event)
{
    if (event->kind == JSON_EVENT_OBJECT_END) {
        return bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_CLOSE, event->start,
                                 event->end);
    }
    int r = note_name(f, event->name);
    if (r) {
        return r;
    }
    if (event->kind == JSON_EVENT_ARRAY && str_eq(f->name, STR("entry"))) {
        f->in_entries = true;
        f->queue.had_entries = true;
        return bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_OPEN, event->start,
                                 event->end);
    }
    return start_tree(f, f->arena, 0);
}

/* Of a Bundle that is cut up: a bracket, or the beginning of a member or entry. */
static int on_event(void *owner, const struct json_event *event)
{
    struct bundle_filter *f = owner;
    assert(f->mode == MODE_SPLIT);
    return f->in_entries ? on_entries(f, event) : on_member(f, event);
}

/* A value is whole: a member of the document, or the root of the tree. */
static int on_built(void *owner, const struct node *node)
{
    struct bundle_filter *f = owner;
    switch (f->mode) {
    case MODE_OPEN:
        return node->kind == NODE_STRING && node_is(node->parent, NODE_OBJECT) ? look(f) : 0;
    case MODE_WHOLE: return 0;
    case MODE_SPLIT: break;
    }
    f->building = false;
    return f->in_entries
               ? push_entry(f, node, f->tree.base + node->start, f->tree.base + node->end)
               : push_member(f, f->name, node);
}

static void on_moved(void *owner, struct str from, struct str to)
{
    struct bundle_filter *f = owner;
    if (f->building) {
        json_tree_moved(&f->tree, from, to);
    }
    bundle_queue_moved(&f->queue, from, to);
}

/* ---- making and ending ---- */

struct bundle_filter *bundle_filter_new(const struct bundle_filter_options *options,
                                        struct buf *out)
{
    struct bundle_filter *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->options = *options;
    f->arena = arena_new(ARENA_FIRST);
    struct json_stream_use use = {
        .event = on_event,
        .built = on_built,
        .moved = on_moved,
        .owner = f,
        .held = options->held,
    };
    f->stream = json_stream_new(&use);
    if (!f->arena || !f->stream) {
        bundle_filter_free(f);
        return NULL;
    }
    f->queue.options = &f->options;
    f->queue.stream = f->stream;
    f->queue.out = out;
    arena_limit(f->arena, 4 * options->held);
    json_stream_keep(f->stream, 0);
    (void)start_tree(f, f->arena, 0);
    f->tree.tell = 1; /* of each member, until it is known what the document is */
    return f;
}

void bundle_filter_free(struct bundle_filter *filter)
{
    if (!filter) {
        return;
    }
    bundle_queue_give(&filter->queue, filter->memory);
    bundle_queue_deinit(&filter->queue);
    json_stream_free(filter->stream);
    arena_free(filter->arena);
    free(filter);
}

void bundle_filter_freep(struct bundle_filter **filter)
{
    bundle_filter_free(*filter);
}

/* What came of a step: a failure lasts, otherwise what is settled leaves. */
static int settle(struct bundle_filter *f, int r)
{
    if (r == JSON_E_SYNTAX && !f->reason) {
        f->reason = json_stream_reason(f->stream);
    }
    f->failed = r ? r : bundle_queue_drain(&f->queue);
    if (f->mode == MODE_SPLIT) {
        const struct bundle_item *head = f->queue.head;
        json_stream_keep(f->stream, head ? head->lead : f->queue.last);
    }
    return f->failed;
}

int bundle_filter_push(struct bundle_filter *filter, struct str piece)
{
    if (filter->failed) {
        return filter->failed;
    }
    return settle(filter, json_stream_push(filter->stream, piece));
}

/* The end of a document that hadn't told before what it is, or is a single resource. */
static int end_of_tree(struct bundle_filter *f)
{
    const struct node *root = f->tree.root;
    if (!node_is(root, NODE_OBJECT) || !node_text(root, "resourceType").n) {
        return refuse(f, "no FHIR resource");
    }
    if (str_eq(node_text(root, "resourceType"), STR("Bundle")) &&
        can_split(node_text(root, "type"))) {
        int r = split(f);
        return r ? r
                 : bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_CLOSE, root->end - 1,
                                     root->end);
    }
    f->building = false;
    size_t end = json_stream_received(f->stream);
    struct bundle_item item = {
        .kind = BUNDLE_ITEM_ENTRY,
        .end = end,
        .entry = { .bytes = json_stream_bytes(f->stream, 0, end),
                   .node = root,
                   .resource = root,
                   .arena = f->arena,
                   .whole = true },
    };
    return bundle_queue_push(&f->queue, f->arena, &item);
}

int bundle_filter_finish(struct bundle_filter *filter)
{
    struct bundle_filter *f = filter;
    if (f->failed) {
        return f->failed;
    }
    int r = json_stream_finish(f->stream);
    if (!r && f->mode != MODE_SPLIT) {
        r = end_of_tree(f);
    }
    if (!r && f->mode == MODE_SPLIT) { /* white space after the Bundle */
        size_t end = json_stream_received(f->stream);
        r = bundle_queue_text(&f->queue, f->arena, BUNDLE_ITEM_SPACE, end, end);
    }
    f->finished = true;
    return settle(f, r);
}

/* ---- entries ---- */

const struct bundle_entry *bundle_filter_next(struct bundle_filter *filter)
{
    struct bundle_item *item = filter->failed ? NULL : bundle_queue_next(&filter->queue);
    return item ? &item->entry : NULL;
}

int bundle_filter_answer(struct bundle_filter *filter, const struct bundle_entry *entry,
                         enum bundle_verdict verdict, struct str replacement)
{
    struct bundle_filter *f = filter;
    if (f->failed) {
        return f->failed;
    }
    struct bundle_item *item = bundle_queue_find(&f->queue, entry);
    assert(item && item->shown && !item->settled);
    if (verdict == BUNDLE_REPLACE) {
        item->text = arena_str(entry->arena, replacement);
        if (!item->text.p) {
            return settle(f, -ENOMEM);
        }
    }
    item->dropped = verdict == BUNDLE_REMOVE;
    item->settled = true;
    return settle(f, 0);
}

bool bundle_filter_done(const struct bundle_filter *filter)
{
    return filter->finished && !filter->failed && !filter->queue.head;
}

size_t bundle_filter_held(const struct bundle_filter *filter)
{
    return json_stream_held(filter->stream);
}

const char *bundle_filter_reason(const struct bundle_filter *filter)
{
    return filter->reason ? filter->reason : "not JSON";
}
