/* Parts of a Bundle in a queue: they leave from its front, once they are settled. */
#include "fhir/bundle/queue.h"

#include <errno.h>

enum {
    ARENA_FIRST = 64 << 10,
    SHARED_MAX = 48 << 10, /* an arena of which that much is in use takes no more entries */
};

/* ---- memory of entries ---- */

/* An arena just made or reset, with what counts its users in it. */
static struct bundle_memory *memory_in(struct bundle_queue *q, struct arena *arena)
{
    struct bundle_memory *memory = arena ? arena_alloc(arena, sizeof(*memory)) : NULL;
    if (!memory) {
        arena_free(arena);
        return NULL;
    }
    *memory = (struct bundle_memory){ .arena = arena, .users = 1 };
    arena_limit(arena, SHARED_MAX + 4 * q->options->held);
    return memory;
}

struct bundle_memory *bundle_queue_memory(struct bundle_queue *q)
{
    if (q->memory && arena_used(q->memory->arena) > SHARED_MAX) {
        struct bundle_memory *full = q->memory;
        q->memory = NULL;
        bundle_queue_give(q, full);
    }
    if (!q->memory) {
        q->memory = memory_in(q, q->spares ? q->spare[--q->spares] : arena_new(ARENA_FIRST));
    }
    if (q->memory) {
        q->memory->users++;
    }
    return q->memory;
}

void bundle_queue_give(struct bundle_queue *q, struct bundle_memory *memory)
{
    if (!memory || --memory->users) {
        return;
    }
    struct arena *arena = memory->arena;
    if (q->spares < BUNDLE_QUEUE_SPARES) {
        arena_reset(arena);
        q->spare[q->spares++] = arena;
    } else {
        arena_free(arena);
    }
}

/* ---- the queue ---- */

int bundle_queue_push(struct bundle_queue *q, struct arena *arena,
                      const struct bundle_item *item)
{
    struct bundle_item *copy = arena_alloc(arena, sizeof(*copy));
    if (!copy) {
        return -ENOMEM;
    }
    *copy = *item;
    if (q->tail) {
        q->tail->next = copy;
    } else {
        q->head = copy;
    }
    q->tail = copy;
    if (!q->unseen && copy->kind == BUNDLE_ITEM_ENTRY) {
        q->unseen = copy;
    }
    q->last = copy->end;
    return 0;
}

int bundle_queue_text(struct bundle_queue *q, struct arena *arena, enum bundle_item_kind kind,
                      size_t start, size_t end)
{
    struct bundle_item item = {
        .kind = kind, .settled = true, .lead = q->last, .start = start, .end = end
    };
    return bundle_queue_push(q, arena, &item);
}

struct bundle_item *bundle_queue_next(struct bundle_queue *q)
{
    struct bundle_item *item = q->unseen;
    while (item && (item->kind != BUNDLE_ITEM_ENTRY || item->shown)) {
        item = item->next;
    }
    q->unseen = item;
    if (item) {
        item->shown = true;
    }
    return item;
}

struct bundle_item *bundle_queue_find(struct bundle_queue *q, const struct bundle_entry *entry)
{
    struct bundle_item *item = q->head;
    while (item && &item->entry != entry) {
        item = item->next;
    }
    return item;
}

void bundle_queue_moved(struct bundle_queue *q, struct str from, struct str to)
{
    for (struct bundle_item *item = q->head; item; item = item->next) {
        json_tree_blocks_moved(item->blocks, from, to);
        json_tree_text_moved(&item->entry.bytes, from, to);
    }
}

void bundle_queue_deinit(struct bundle_queue *q)
{
    for (struct bundle_item *item = q->head; item;) {
        struct bundle_item *next = item->next;
        bundle_queue_give(q, item->memory); /* the item is in it */
        item = next;
    }
    bundle_queue_give(q, q->memory);
    for (size_t i = 0; i < q->spares; i++) {
        arena_free(q->spare[i]);
    }
}

/* ---- writing ---- */

/* The lead of an item that is the first of its kind to leave has no comma. */
static void put_lead(struct bundle_queue *q, const struct bundle_item *item, bool first)
{
    struct str lead = json_stream_bytes(q->stream, item->lead, item->start);
    if (first) {
        size_t at = 0;
        while (at < lead.n && strchr(" \t\r\n", lead.p[at])) {
            at++;
        }
        if (at < lead.n && lead.p[at] == ',') {
            lead = str_slice(lead, at + 1, lead.n);
        }
    }
    buf_str_put(q->out, lead);
}

static void put_value(struct bundle_queue *q, const struct bundle_item *item)
{
    buf_str_put(q->out, item->text.n ? item->text
                                     : json_stream_bytes(q->stream, item->start, item->end));
}

/* All of a document that is one resource, spaces around it included. */
static void put_whole(struct bundle_queue *q, const struct bundle_item *item)
{
    const struct node *root = item->entry.node;
    if (item->text.n) {
        buf_str_put(q->out, item->text);
        return;
    }
    buf_str_put(q->out, json_stream_bytes(q->stream, item->start, root->start));
    rewrite_urls(&q->options->map, root, json_stream_bytes(q->stream, root->start, root->end),
                 q->out);
    buf_str_put(q->out, json_stream_bytes(q->stream, root->end, item->end));
}

static void put_entry(struct bundle_queue *q, const struct bundle_item *item)
{
    if (item->entry.whole) {
        put_whole(q, item);
        return;
    }
    put_lead(q, item, !q->wrote_entry);
    q->wrote_entry = true;
    if (item->text.n) {
        buf_str_put(q->out, item->text);
        return;
    }
    rewrite_urls(&q->options->map, item->entry.node,
                 json_stream_bytes(q->stream, item->start, item->end), q->out);
}

/* The brackets that end the entries and the Bundle; the notice goes before one of them. */
static void put_end(struct bundle_queue *q, const struct bundle_item *item)
{
    bool notice = q->options->notice.n && (item->kind == BUNDLE_ITEM_SHUT || !q->had_entries);
    if (notice && item->kind == BUNDLE_ITEM_CLOSE) {
        buf_z(q->out, ",\"entry\":[");
    } else if (notice && q->wrote_entry) {
        buf_c(q->out, ',');
    }
    if (notice) {
        buf_str_put(q->out, q->options->notice);
    }
    if (notice && item->kind == BUNDLE_ITEM_CLOSE) {
        buf_c(q->out, ']');
    }
    buf_str_put(q->out, json_stream_bytes(q->stream, item->lead, item->end));
}

static void put_item(struct bundle_queue *q, const struct bundle_item *item)
{
    switch (item->kind) {
    case BUNDLE_ITEM_SPACE:
        buf_str_put(q->out, json_stream_bytes(q->stream, item->lead, item->end));
        return;
    case BUNDLE_ITEM_TEXT:
    case BUNDLE_ITEM_LINK:
    case BUNDLE_ITEM_OPEN:
        put_lead(q, item, !q->wrote_member);
        put_value(q, item);
        q->wrote_member = true;
        return;
    case BUNDLE_ITEM_ENTRY: put_entry(q, item); return;
    case BUNDLE_ITEM_SHUT:
    case BUNDLE_ITEM_CLOSE: put_end(q, item); return;
    }
}

int bundle_queue_drain(struct bundle_queue *q)
{
    while (q->head && q->head->settled) {
        struct bundle_item *item = q->head;
        if (!item->dropped) {
            put_item(q, item);
        }
        q->head = item->next;
        q->tail = q->head ? q->tail : NULL;
        if (q->unseen == item) {
            q->unseen = q->head;
        }
        bundle_queue_give(q, item->memory); /* the item is in it */
    }
    return buf_failed(q->out) ? -ENOMEM : 0;
}
