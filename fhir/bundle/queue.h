/*
 * The parts of a Bundle on their way through the filter, in the order of the text.
 *
 * Each part owns the bytes since the part before it, its lead: comma, space and member name.
 * So a dropped part takes its comma with it, and what is not dropped keeps its spacing.
 * Internal to the folder.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/bundle/filter.h"
#include "fhir/format/json_stream.h"
#include "fhir/format/json_tree.h"

enum bundle_item_kind {
    BUNDLE_ITEM_SPACE, /* what stands before the first member or after the Bundle: copied */
    BUNDLE_ITEM_TEXT,  /* a member: copied */
    BUNDLE_ITEM_LINK,  /* Bundle.link: @text */
    BUNDLE_ITEM_OPEN,  /* of the array of entries */
    BUNDLE_ITEM_ENTRY,
    BUNDLE_ITEM_SHUT,  /* of the array of entries */
    BUNDLE_ITEM_CLOSE, /* of the Bundle */
};

/* Memory of entries that were read one after the other; it lies in it itself. */
struct bundle_memory {
    struct arena *arena; /* owned by those who use it */
    size_t users;        /* entries, and the queue while it hands it out */
};

/*
 * @lead:    offset of the first byte after the item before
 * @start:   offset of the value; @end: after it
 * @text:    what is written instead of the value; empty: the value itself
 * @settled: may leave the queue
 * @dropped: and leaves no trace
 * @shown:   the caller has been given @entry
 * @memory:  of an entry with a tree of its own, which @blocks belong to; used until it leaves
 */
struct bundle_item {
    enum bundle_item_kind kind;
    bool settled;
    bool dropped;
    bool shown;
    size_t lead;
    size_t start;
    size_t end;
    struct str text;
    struct bundle_entry entry;
    struct json_tree_block *blocks;
    struct bundle_memory *memory;
    struct bundle_item *next;
};

enum {
    BUNDLE_QUEUE_SPARES = 4,
};

/*
 * @last:        offset after the newest part
 * @had_entries: Bundle.entry was there
 * @memory:      of the next entries, until enough of them share it
 * @spare:       arenas for others after it
 */
struct bundle_queue {
    const struct bundle_filter_options *options; /* borrowed */
    const struct json_stream *stream;            /* borrowed */
    struct buf *out;                             /* borrowed */
    struct bundle_item *head;
    struct bundle_item *tail;
    struct bundle_item *unseen; /* no entry before it is unseen */
    size_t last;
    bool had_entries;
    bool wrote_member;
    bool wrote_entry;
    struct bundle_memory *memory; /* used */
    size_t spares;
    struct arena *spare[BUNDLE_QUEUE_SPARES]; /* owned */
};

void bundle_queue_deinit(struct bundle_queue *q);

/* Memory for an entry, to be used by its item; NULL if there is none. */
struct bundle_memory *bundle_queue_memory(struct bundle_queue *q);

/* An entry has no more use for its memory. */
void bundle_queue_give(struct bundle_queue *q, struct bundle_memory *memory);

/* Append a copy of @item that lies in @arena. Return: 0 or -ENOMEM. */
MUST_USE int bundle_queue_push(struct bundle_queue *q, struct arena *arena,
                               const struct bundle_item *item);

/* Append a settled part. Return: 0 or -ENOMEM. */
MUST_USE int bundle_queue_text(struct bundle_queue *q, struct arena *arena,
                               enum bundle_item_kind kind, size_t start, size_t end);

/* Write what is settled at the front. Return: 0, or -ENOMEM if there is no room. */
MUST_USE int bundle_queue_drain(struct bundle_queue *q);

/* The next entry nobody has seen, now seen; NULL if there is none. */
struct bundle_item *bundle_queue_next(struct bundle_queue *q);

/* The item of @entry. */
struct bundle_item *bundle_queue_find(struct bundle_queue *q, const struct bundle_entry *entry);

/* The window has moved. */
void bundle_queue_moved(struct bundle_queue *q, struct str from, struct str to);
