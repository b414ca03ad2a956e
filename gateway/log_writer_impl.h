/* What the parts of the log's writer share; see log_writer.c for who calls whom. */
#pragma once

#include "anchor/note.h"
#include "anchor/tiles.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "gateway/log_writer.h"
#include "gateway/store/notary.h"

enum {
    LOG_WRITER_LOG = 0,           /* the one tree */
    LOG_WRITER_RUNS_MAX = 64,     /* instances in one append */
    LOG_WRITER_LEAVES_MAX = 8192, /* of one append */
    LOG_WRITER_TILES_MAX = 2 * LOG_WRITER_LEAVES_MAX / TILE_WIDTH + 4 * TILE_LEVELS,
};

struct log_writer_tile {
    struct tile_id id;
    struct merkle_hash hashes[TILE_WIDTH];
};

struct log_writer {
    struct event_base *loop;
    const struct config *config;
    struct db *db;
    log_writer_fn signed_fn;
    void *arg;
    struct event *timer; /* owned */
    struct op *op;
    uint64_t fence; /* 0: resting */
    bool loaded;
    bool refusing;
    struct secret_slab slab;
    struct sign_key *key; /* in the slab */
    struct note_key name;

    struct tile_edge edge;   /* the committed tree */
    struct tile_edge ahead;  /* with what is being appended */
    struct merkle_head head; /* committed */
    uint64_t signed_size;
    int64_t signed_at;

    struct store_unread unread[LOG_WRITER_RUNS_MAX];
    size_t unread_count;
    size_t reading;
    struct store_run runs[LOG_WRITER_RUNS_MAX];
    size_t run_count;
    struct merkle_hash leaves[LOG_WRITER_LEAVES_MAX];
    size_t leaf_count;
    struct log_writer_tile tiles[LOG_WRITER_TILES_MAX];
    size_t tile_count;
    struct log_writer_tile loaded_tiles[TILE_LEVELS];
    size_t loaded_count;
};

/* Something went wrong or is not known: begin again from what the database holds. */
void log_writer_start_over(struct log_writer *writer, int r);

/* The database contradicts what we know of it: nothing more until another one leads. */
void log_writer_refuse(struct log_writer *writer, const char *why);

/* @op is under way; NULL: it couldn't be started. */
void log_writer_went(struct log_writer *writer, struct op *op);

/* Read head, edge and newest checkpoint; then look. */
void log_writer_load(struct log_writer *writer);

/* What is there to do? */
void log_writer_look(struct log_writer *writer);
