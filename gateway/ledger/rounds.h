/*
 * The life that relayed calls and anchors share: after each look at the chain a round through
 * all rows that aren't final, those mined first, then those in flight.
 *
 * Rows are read anew for each round and dropped at its end. One thing is under way at a time;
 * what happens meanwhile brings another round at once.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All borrowed. @on_fenced: another process leads */
struct rounds_config {
    struct event_base *base;
    struct rpc *rpc;
    struct db *db;
    struct wallet *wallet;
    uint64_t chain;
    void (*on_fenced)(void *owner);
    void *owner;
};

struct rounds;

/*
 * What differs. Rows begin with a struct sender_row and are @row_size bytes.
 *
 * @name, @update: as of struct sender_config
 * @open:    read the rows from the database
 * @take:    fill @row, which is zero, from row @i of the answer; 0 or -errno
 * @bring:   bring @row on by rounds_send(), or anything that ends in rounds_next()
 * @stepped: rounds_send() or rounds_set() has ended with @r; true: nothing after @row may go on
 * @after:   all rows had their turn; ends in rounds_settle()
 */
struct rounds_kind {
    const char *name;
    sender_update_fn update;
    size_t row_size;
    struct op *(*open)(struct rounds *rounds, db_done_fn done, void *arg);
    int (*take)(struct rounds *rounds, const struct db_rows *rows, int i, void *row);
    void (*bring)(struct rounds *rounds, struct sender_row *row);
    bool (*stepped)(struct rounds *rounds, struct sender_row *row, int r);
    void (*after)(struct rounds *rounds);
};

/* First member of its owner, who reads all of it and writes @op and @again. */
struct rounds {
    const struct rounds_kind *kind;
    struct rounds_config config;
    struct sender *sender; /* owned */
    struct op *op;
    uint64_t fence;
    struct follower_view view;
    bool seen; /* a view of the chain */
    bool busy;
    bool again; /* news came in the middle */
    bool surveyed;
    bool flying; /* the second pass: those not mined */
    char *rows;  /* owned */
    size_t count;
    size_t at;
};

/* Return: 0 or -ENOMEM */
MUST_USE int rounds_init(struct rounds *rounds, const struct rounds_kind *kind,
                         const struct rounds_config *config);
void rounds_deinit(struct rounds *rounds);

/* The notary's epoch; 0: rest at once. */
void rounds_lead(struct rounds *rounds, uint64_t fence);

/* The chain was looked at. NULL: there is something new to send */
void rounds_look(struct rounds *rounds, const struct follower_view *view);

/* Row @i of this round. */
struct sender_row *rounds_row(const struct rounds *rounds, size_t i);

/* Bring the row on whose turn it is, as the chain was seen in @view; or only write a state. */
void rounds_send(struct rounds *rounds, const struct follower_view *view);
void rounds_set(struct rounds *rounds, const struct sender_state *to);

/* The row whose turn it was is done with. */
void rounds_next(struct rounds *rounds);

/* @op is under way; NULL: it couldn't be started, and the round is over. */
void rounds_went(struct rounds *rounds, struct op *op);

/* This round is over. @r: 0, -EPERM: fenced off, -EAGAIN or another -errno: in a later one */
void rounds_settle(struct rounds *rounds, int r);
