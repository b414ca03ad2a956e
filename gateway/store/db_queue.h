/*
 * The queue of a connection: what was sent and isn't answered yet.
 *
 * Each transaction is a call: its statements, then a sync. PostgreSQL answers in order, so the
 * first call is the one that the next result is for. Part of gateway/store/db.c.
 */
#pragma once

#include "gateway/store/db.h"

enum {
    DB_PREPARED_MAX = 256,
};

struct db_call;
struct pg_conn;

/*
 * @conn:    borrowed; NULL while there is none
 * @in_doubt: libpq and the queue no longer agree, or a commit failed: drop the connection
 */
struct db_queue {
    struct pg_conn *conn;
    bool in_doubt;
    struct db_call *head;
    struct db_call **tail;
    size_t pending;
    const struct db_statement *prepared[DB_PREPARED_MAX];
    size_t prepared_count;
};

void db_queue_init(struct db_queue *queue);

/* Drop all calls without completion. */
void db_queue_deinit(struct db_queue *queue);

/* Begin with a new connection in pipeline mode; the queue is empty. */
void db_queue_connect(struct db_queue *queue, struct pg_conn *conn);

/* The connection is gone: complete all calls with -ECONNRESET. */
void db_queue_lost(struct db_queue *queue);

/* Send a transaction; NULL: no memory, or in doubt. */
struct op *db_queue_send(struct db_queue *queue, const struct db_step *steps, size_t n,
                         db_done_fn done, void *arg);

/* Send LISTEN. Return: 0 or -errno */
int db_queue_listen(struct db_queue *queue, const char *channel);

/* Take what libpq has read, completing calls, until there is no more or it is in doubt. */
void db_queue_pump(struct db_queue *queue);

/* When the oldest call was sent, clock_mono_ms(); 0: there is none. */
int64_t db_queue_oldest(const struct db_queue *queue);
