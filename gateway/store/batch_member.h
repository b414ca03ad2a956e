/* Entries in the hands of a batch, and lists of them. Part of batch.c. */
#pragma once

#include "gateway/store/batch.h"

/*
 * @op:    first, so that an op is its member
 * @entry: borrowed; NULL once cancelled
 * @done:  NULL: cancelled while under way
 * @since: when it was submitted, clock_mono_us()
 * @lot:   members of the same lot may share a transaction; 0: not tried yet
 */
struct batch_member {
    struct op op;
    struct batch_member *next;
    struct batch_member *previous;
    struct batch_list *list; /* the one it is in */
    struct batch *batch;
    const struct batch_entry *entry;
    batch_done_fn done;
    void *arg;
    size_t bytes;
    bool can_wait; /* as its entry says */
    int64_t since;
    uint64_t lot;
    int tries;
    struct batch_result result;
};

struct batch_list {
    struct batch_member *first;
    struct batch_member *last;
    size_t count;
    size_t urgent; /* those that can't wait */
};

void batch_list_append(struct batch_list *list, struct batch_member *m);
void batch_list_prepend(struct batch_list *list, struct batch_member *m);
void batch_list_remove(struct batch_member *m);
/* Remove and free. */
void batch_list_drop(struct batch_member *m);

/* What an entry counts against the limits. */
size_t batch_entry_bytes(const struct batch_entry *entry);

/* The first member whose message an earlier one brings already, or NULL. At most
 * BATCH_MEMBERS_MAX members, none cancelled; their results are scratch. */
struct batch_member *batch_list_repeated(struct batch_list *list);

/* Does @entry take the message that a row with this key, and this digest if @digest.p, names?
 */
bool batch_entry_takes(const struct batch_entry *entry, struct str key, struct str digest);
