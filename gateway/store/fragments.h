/*
 * Parts of HL7 v2 messages that wait for what continues them (DSC).
 *
 * The parts themselves are payloads of exchanges of their own; these rows say which continues
 * which. A part is kept before its exchange is recorded: if that comes to nothing, the sender
 * sends it again, and it takes the place of itself.
 */
#pragma once

#include "gateway/store/audit.h"

enum {
    STORE_FRAGMENTS_MAX = 64,      /* parts of a message */
    STORE_FRAGMENT_STALE_S = 3600, /* then another message may use the pointer */
    STORE_FRAGMENT_FORGET_DAYS = 7,
};

/*
 * @key:    of the pointer that the next part will name
 * @before: that this one named, and @before_digest of the part found there; unused if @first
 */
struct store_fragment {
    uint8_t key[32];
    uint8_t digest[32];
    bool first;
    uint8_t before[32];
    uint8_t before_digest[32];
    uint8_t payload[16];
};

/* Keep a part. Rows: one, store_fragment_kept() */
MUST_USE struct op *store_fragment_keep(struct db *db, const struct store_fragment *fragment,
                                        db_done_fn done, void *arg);

/* false: another part waits under that pointer. */
bool store_fragment_kept(const struct db_rows *rows);

/**
 * store_fragment_chain() - the parts up to the one that waits at @key
 *
 * Rows, from the first part on: store_sealed_row(), and store_fragment_digest(); none if
 * nothing waits there, or a part before it is gone. More than STORE_FRAGMENTS_MAX: too many.
 */
MUST_USE struct op *store_fragment_chain(struct db *db, const uint8_t key[32], db_done_fn done,
                                         void *arg);

/* Of part @i. Return: 0 or -EBADMSG */
MUST_USE int store_fragment_digest(const struct db_rows *rows, int i, uint8_t out[32]);

/* How many parts wait for what continues them, and since when the oldest does, ms since 1970.
 * Rows: one, store_fragment_waiting_row() */
MUST_USE struct op *store_fragment_waiting(struct db *db, db_done_fn done, void *arg);
int64_t store_fragment_waiting_row(const struct db_rows *rows, int64_t *oldest);

/* The message of the parts up to @key is whole, and taken. */
MUST_USE struct op *store_fragment_joined(struct db *db, const uint8_t key[32], db_done_fn done,
                                          void *arg);
