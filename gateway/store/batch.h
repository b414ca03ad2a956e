/*
 * Group commit: what exchanges leave behind, many in one transaction.
 *
 * What arrived while a transaction was under way goes into the next. A batch has a connection
 * of its own and one transaction at a time. It is the only writer of an instance's records:
 * it numbers them, without gaps.
 *
 * An entry is written whole or not at all. A row that PostgreSQL refuses fails its entry, not
 * its neighbours. If the connection is lost in a commit, the outcome is looked up after
 * connecting again; entries wait for that, they aren't told guesses.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/op.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_MEMBERS_MAX = 1024,          /* entries in one transaction */
    BATCH_BYTES_MAX = 8 << 20,         /* bytes in one transaction, if more than one entry */
    BATCH_QUEUE_BYTES_MAX = 64 << 20,  /* bytes that wait */
    BATCH_QUEUE_ENTRIES_MAX = 1 << 14, /* entries that wait */
    BATCH_DOWN_MAX_S = 2,              /* how long entries wait for a lost connection */
    BATCH_WAIT_MS = 50,                /* how long an entry that can wait does */
    BATCH_NONCE_SIZE = 24,
};

/* An entry that no consent or key bears on: written at any epoch. */
#define BATCH_EPOCH_ANY ((uint64_t)INT64_MAX)

/* Pointers in rows are borrowed until the entry has ended. Ids are 16 bytes. */

/* @id: UUIDv7, its month must have a partition; @exchange: that id again if there is none */
struct batch_record {
    uint8_t id[16];
    uint8_t exchange[16];
    int16_t log;
    int64_t time; /* ms since 1970 */
    uint8_t leaf[32];
    struct str bytes;
};

/* @outer: further layers, each key id (16 bytes) and nonce (24), from the inside out; or empty
 */
struct batch_payload {
    uint8_t id[16]; /* UUIDv7 */
    uint8_t exchange[16];
    int16_t kind; /* enum seal_kind */
    uint8_t key[16];
    uint8_t nonce[BATCH_NONCE_SIZE];
    struct str outer;
    struct str ciphertext;
};

struct batch_opening {
    uint8_t record[16];
    uint8_t key[16];
    uint8_t nonce[BATCH_NONCE_SIZE];
    struct str ciphertext;
};

/* @types: numbers of resource types, two bytes each, big-endian */
struct batch_access {
    uint8_t record[16];
    uint8_t exchange[16];
    int64_t time;
    uint8_t patient[16];
    int64_t recipient;
    struct str types;
    bool released;
};

/* @state, @blocks: see gateway/store/outbox.h; the shard is computed */
struct batch_outbox {
    struct str destination;
    uint8_t patient[16];
    uint8_t exchange[16];
    uint8_t payload[16];
    struct str route;
    int16_t state;
    bool blocks;
    int64_t created;
    int64_t next_at;
    struct str reason; /* a static code, never content */
};

/* New state of an outbox row after a delivery run; refused if the lease is lost. */
struct batch_mark {
    int64_t number;
    int64_t lease; /* lease epoch of its shard */
    int16_t state;
    bool blocks;
    int32_t attempts;
    int64_t next_at;
    struct str reason;
};

/* The message that this entry takes, so that a repetition gets the same ACK. */
struct batch_control {
    uint8_t key[32];
    uint8_t digest[32];
    struct str ack; /* "AA", "AE" */
    int64_t time;
};

/* Where a record stands in its instance. */
struct batch_place {
    const uint8_t *instance;
    uint64_t seq; /* from 1 */
};

/**
 * typedef batch_fill_fn - make record @index of an entry, its place being known
 * @owner: of the entry
 * @out:   to be set whole; what it points to must last until the entry has ended or the
 *         record is asked for again
 *
 * Called when the transaction is put together, in the order of the records, and again, maybe
 * with another place, if it has to be repeated. Times must not go back from call to call.
 *
 * Return: 0 or -errno, with which the entry fails; no number is used up
 */
typedef int (*batch_fill_fn)(void *owner, size_t index, const struct batch_place *place,
                             struct batch_record *out);

/*
 * What one exchange writes; borrowed until it has ended.
 *
 * @epoch:    epoch under which it was decided, or BATCH_EPOCH_ANY
 * @can_wait: nobody waits for it: it goes with the next entry for which that isn't so, or
 *            after BATCH_WAIT_MS, so that no other has to wait for a transaction of its
 * @control:  may be NULL
 */
struct batch_entry {
    uint64_t epoch;
    bool can_wait;
    void *owner;
    batch_fill_fn fill;
    size_t records;
    const struct batch_payload *payloads;
    size_t payload_count;
    const struct batch_opening *openings;
    size_t opening_count;
    const struct batch_access *accesses;
    size_t access_count;
    const struct batch_outbox *outboxes;
    size_t outbox_count;
    const struct batch_mark *marks;
    size_t mark_count;
    const struct batch_control *control;
};

enum batch_control_state {
    BATCH_CONTROL_NONE,     /* the entry named none */
    BATCH_CONTROL_NEW,      /* entered */
    BATCH_CONTROL_REUSED,   /* entered; the key had been used for another message */
    BATCH_CONTROL_REPEATED, /* the same message again: nothing was written */
};

/*
 * @first_seq: number of the entry's first record
 * @ack:       BATCH_CONTROL_REPEATED: the stored one, and @ack_time when
 */
struct batch_result {
    uint64_t first_seq;
    enum batch_control_state control;
    struct str ack;
    int64_t ack_time;
};

/**
 * typedef batch_done_fn - an entry has ended
 * @r: 0: committed, or repeated. -ESTALE: the epoch is ahead, decide again. -ENOLCK: a lease is
 *     lost. -ECONNRESET: not written, the database was away too long. -EINVAL, -EEXIST, -EIO:
 *     one of its rows was refused. Else what fill returned. Only 0 means that it is written,
 *     everything else that it isn't.
 */
typedef void (*batch_done_fn)(void *arg, int r, const struct batch_result *result);

struct batch;
struct event_base;

/**
 * batch_new() - a batch and its connection
 * @instance: 16 random bytes, new for each start of the process; copied
 *
 * Return: NULL with errno as db_new()
 */
MUST_USE struct batch *batch_new(struct event_base *base, const char *url, const char *name,
                                 const uint8_t instance[16]);

/* Entries that haven't ended are dropped without completion. */
void batch_free(struct batch *batch);

/* Is the connection up, and does it hold the instance? */
bool batch_up(const struct batch *batch);

/* Entries and bytes waiting or under way; for metrics and for refusing in time. */
size_t batch_entries(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

/**
 * batch_submit() - have an entry written
 *
 * Return: the op; NULL with errno EAGAIN (queue is full), ENOTCONN (no database for longer than
 *         BATCH_DOWN_MAX_S seconds) or ENOMEM. After op_cancel() it may still be written.
 */
MUST_USE struct op *batch_submit(struct batch *batch, const struct batch_entry *entry,
                                 batch_done_fn done, void *arg);
