/*
 * Writing: straight to the socket as long as it takes it. Only what it doesn't take is copied,
 * and only then is the loop asked about writing.
 */
#include "gateway/heap.h"
#include "gateway/net/conn_impl.h"

#include <assert.h>
#include <errno.h>

enum {
    RECORD_SIZE = 16384, /* of TLS */
};

static struct str queued(const struct conn *conn)
{
    return str_slice(buf_str(&conn->queue), conn->queue_from, conn->queue.n);
}

static void enqueue(struct conn *conn, struct str bytes)
{
    if (conn->queue_from == conn->queue.n) {
        conn->queue_from = 0;
        conn->queue.n = 0;
    }
    buf_str_put(&conn->queue, bytes);
    if (buf_failed(&conn->queue)) {
        conn_fail_later(conn, CONN_END_MEMORY);
    }
}

static void dequeue(struct conn *conn, size_t n)
{
    conn->queue_from += n;
    size_t left = conn->queue.n - conn->queue_from;
    if (left == 0) {
        heap_buf_free(&conn->queue);
        conn->queue_from = 0;
    } else if (conn->queue_from >= left) {
        buf_drop(&conn->queue, conn->queue_from);
        conn->queue_from = 0;
    }
}

static bool is_blocked(const struct conn *conn)
{
    return conn->state < OPEN || event_pending(&conn->writable, EV_WRITE, NULL);
}

void conn_write_out(struct conn *conn, struct str bytes)
{
    if (conn->wire.ssl && conn->queue.n && bytes.n) {
        /* What is held back and the bytes that follow share a record. */
        size_t have = queued(conn).n;
        size_t room = have < RECORD_SIZE ? RECORD_SIZE - have : 0;
        enqueue(conn, str_slice(bytes, 0, room));
        bytes = str_slice(bytes, room, bytes.n);
    }
    size_t put = 0;
    struct str first = queued(conn);
    int r = wire_write(&conn->wire, first, bytes, &put);
    size_t of_first = put < first.n ? put : first.n;
    if (of_first) {
        dequeue(conn, of_first);
    }
    if (r == -EAGAIN) {
        enqueue(conn, str_slice(bytes, put - of_first, bytes.n));
        (void)timer_add(conn->base, &conn->writable, conn->stalled_ms);
    } else if (r) {
        conn_fail_later(conn, CONN_END_RESET);
    }
}

void conn_finish_write(struct conn *conn)
{
    if (conn->end_write && !conn->ended_write && conn->queue.n == 0 && !is_blocked(conn)) {
        conn->ended_write = true;
        wire_end(&conn->wire);
        if (conn->state == LINGERING) {
            (void)timer_add(conn->base, &conn->setup, conn->eof ? 1 : CONN_LINGER_MS);
        }
    }
}

static bool below_high(struct conn *conn)
{
    bool below = conn_queued(conn) <= CONN_WRITE_HIGH;
    conn->want_drain = conn->want_drain || !below;
    return below;
}

bool conn_write(struct conn *conn, struct str bytes)
{
    assert(!conn->end_write);
    if (conn->failed != NOTHING || conn->life.over) {
        return true;
    }
    if (is_blocked(conn)) {
        enqueue(conn, bytes);
    } else {
        conn_write_out(conn, bytes);
    }
    return below_high(conn);
}

void conn_write_more(struct conn *conn, struct str bytes)
{
    if (conn->failed == NOTHING && !conn->life.over) {
        enqueue(conn, bytes);
    }
}

size_t conn_queued(const struct conn *conn)
{
    return conn->queue.n - conn->queue_from;
}

void conn_shutdown_write(struct conn *conn)
{
    conn->end_write = true;
    if (conn->queue.n && !is_blocked(conn)) {
        conn_write_out(conn, (struct str){ 0 });
    }
    conn_finish_write(conn);
}

void conn_flush(struct conn *conn)
{
    conn_write_out(conn, (struct str){ 0 });
    if (conn->queue.n == 0 && conn->failed == NOTHING) {
        (void)event_del(&conn->writable);
    }
    conn_finish_write(conn);
    if (conn->want_drain && conn->failed == NOTHING && conn_queued(conn) < CONN_WRITE_LOW) {
        conn->want_drain = false;
        if (conn->calls && conn->calls->on_drain) {
            conn->calls->on_drain(conn->owner);
        }
    }
}
