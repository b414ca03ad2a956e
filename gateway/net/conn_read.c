/*
 * Reading: into one buffer that the process shares. What an owner leaves is kept per
 * connection and put in front of the next read.
 *
 * conn_pause() just sets a flag, and the read event is taken out when it fires nevertheless:
 * request and answer then follow each other without a call to epoll_ctl().
 */
#include "gateway/net/conn_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    READS_PER_TURN = 4, /* of CONN_READ_SIZE; then others get their turn */
};

static char shared[CONN_READ_SIZE];

/* Show @n bytes of the shared buffer; keep what the owner leaves. */
static void show(struct conn *conn, size_t n)
{
    conn->again = false;
    size_t used = conn->calls ? conn->calls->on_read(conn->owner, str_of(shared, n)) : n;
    if (conn->life.over) {
        return;
    }
    assert(used <= n);
    size_t left = n - used;
    if (left == 0) {
        return;
    }
    char *kept = malloc(left);
    if (!kept) {
        conn_end_with(conn, CONN_END_MEMORY);
        return;
    }
    memcpy(kept, shared + used, left);
    conn->kept = kept;
    conn->kept_n = left;
}

/* The peer ended its direction. */
static void on_end_of_input(struct conn *conn)
{
    (void)event_del(&conn->readable);
    bool first = !conn->eof;
    conn->eof = true;
    if (conn->state == LINGERING && !conn->ended_write) {
        return; /* it may still read what is queued */
    }
    if (conn->state == LINGERING || !conn->calls->on_eof) {
        conn_end_with(conn, CONN_END_PEER);
    } else if (first) {
        conn->calls->on_eof(conn->owner);
    }
}

static void on_input_failed(struct conn *conn, int r)
{
    if (r == WIRE_E_EOF) {
        on_end_of_input(conn);
    } else if (r != -EAGAIN) {
        conn_end_with(conn, CONN_END_RESET);
    }
}

/* One read into the shared buffer, behind what was kept. Whether there may be more. */
static bool read_once(struct conn *conn)
{
    size_t kept = conn->kept_n;
    assert(kept < CONN_READ_SIZE || conn->again);
    if (kept) {
        memcpy(shared, conn->kept, kept);
    }
    size_t got = 0;
    size_t room = CONN_READ_SIZE - kept;
    int r = conn->eof   ? WIRE_E_EOF
            : room == 0 ? -EAGAIN
                        : wire_read(&conn->wire, shared + kept, room, &got);
    bool more = r == 0 && (got == room || conn->wire.pending);
    if (kept && (r == 0 || conn->again)) {
        free(conn->kept);
        conn->kept = NULL;
        conn->kept_n = 0;
    }
    if (r == 0 || (kept && conn->again)) {
        show(conn, kept + got);
    }
    if (r && !conn->life.over && !(conn->paused && r == WIRE_E_EOF)) {
        on_input_failed(conn, r);
    }
    return more && !conn->life.over;
}

void conn_read_on(struct conn *conn)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        if (conn->paused || !read_once(conn)) {
            return;
        }
    }
    if (conn->wire.pending && !conn->paused) {
        event_active(&conn->readable, EV_READ, 1);
    }
}

void conn_pause(struct conn *conn)
{
    conn->paused = true;
}

void conn_resume(struct conn *conn)
{
    if (!conn->paused || conn->life.over) {
        return;
    }
    conn->paused = false;
    if (conn->state != OPEN) {
        return;
    }
    if (!conn->eof) {
        (void)event_add(&conn->readable, NULL);
    }
    if (conn->kept_n || conn->wire.pending || conn->eof) {
        conn->again = conn->kept_n > 0;
        event_active(&conn->readable, EV_READ, 1);
    }
}
