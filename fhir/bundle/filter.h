/*
 * Filtering an answer as it streams: each entry of a searchset, history or batch response is
 * shown to the caller, who says what becomes of it; everything else is copied byte for byte.
 *
 *     while (a piece has come) {
 *         r = bundle_filter_push(filter, piece);
 *         while (!r && (entry = bundle_filter_next(filter))) {
 *             decide, now or later: bundle_filter_answer(filter, entry, BUNDLE_RELEASE, …);
 *         }
 *         send what @out holds
 *     }
 *     r = bundle_filter_finish(filter); then once more as above
 *
 * Entries may be answered later and in any order; what is not answered holds back all after
 * it. Whoever waits for grounds stops pushing: the next push may move the texts of entries.
 * An answer that isn't such a Bundle is one entry, the whole of it. Entries of a batch response
 * answer by their position: replace them there, don't remove them.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/bundle/rewrite.h"
#include "fhir/model/node.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct bundle_filter;

enum {
    BUNDLE_E_SYNTAX = 1, /* not JSON, cut off, or no FHIR resource: release nothing more */
};

enum bundle_verdict {
    BUNDLE_REMOVE,
    BUNDLE_RELEASE,
    BUNDLE_REPLACE, /* by other bytes: a JSON value */
};

/*
 * @bytes:    the entry as received, or the whole document
 * @node:     the same as a tree; offsets count from wherever @node->start says
 * @resource: entry.resource; NULL if there is none, as in the history of a deletion
 * @arena:    memory that lives as long as the entry
 * @index:    position in Bundle.entry as received
 * @whole:    the answer is one resource, which this is
 */
struct bundle_entry {
    struct str bytes;
    const struct node *node;
    const struct node *resource;
    struct arena *arena;
    size_t index;
    bool whole;
};

/*
 * A Bundle.link as it leaves. @relation and @url are as received; write the URL to put in its
 * place on @out. Return false to leave the link out.
 */
typedef bool (*bundle_link_fn)(void *owner, struct str relation, struct str url,
                               struct buf *out);

/*
 * @map:    URLs of the upstream become ours; empty @from: none does
 * @link:   NULL: links are treated as other URLs
 * @notice: a whole entry that is appended to each Bundle, the "suppressed" notice; or empty.
 *          Lives as long as the filter
 * @held:   bytes that look-ahead and entries not yet answered may take
 * @totals: keep Bundle.total, for answers in which nothing is ever removed
 */
struct bundle_filter_options {
    struct url_map map;
    bundle_link_fn link;
    void *owner;
    struct str notice;
    size_t held;
    bool totals;
};

enum {
    BUNDLE_HELD_USUAL = 16 << 20,
};

/* A filter that writes on @out (borrowed); NULL if there is no memory. */
MUST_USE struct bundle_filter *bundle_filter_new(const struct bundle_filter_options *options,
                                                 struct buf *out);
void bundle_filter_free(struct bundle_filter *filter);
void bundle_filter_freep(struct bundle_filter **filter);

/* Read a piece. Return: 0, BUNDLE_E_SYNTAX or -ENOMEM; once failed, always failed. */
MUST_USE int bundle_filter_push(struct bundle_filter *filter, struct str piece);

/* There are no more pieces. Return as bundle_filter_push(). */
MUST_USE int bundle_filter_finish(struct bundle_filter *filter);

/* The next entry that nobody has been shown; NULL if there is none yet. */
const struct bundle_entry *bundle_filter_next(struct bundle_filter *filter);

/**
 * bundle_filter_answer() - say what becomes of an entry
 * @filter:      the filter
 * @entry:       as bundle_filter_next() gave it; gone afterwards
 * @verdict:     REMOVE, RELEASE or REPLACE
 * @replacement: of REPLACE; copied
 *
 * Return: 0, or -ENOMEM if @out or the arena is full
 */
MUST_USE int bundle_filter_answer(struct bundle_filter *filter,
                                  const struct bundle_entry *entry, enum bundle_verdict verdict,
                                  struct str replacement);

/* Whether all was read, answered and written. */
bool bundle_filter_done(const struct bundle_filter *filter);

/* Bytes held; above some hundred KB with entries unanswered, stop reading upstream. */
size_t bundle_filter_held(const struct bundle_filter *filter);

/* What is wrong after BUNDLE_E_SYNTAX; static text. */
const char *bundle_filter_reason(const struct bundle_filter *filter);
