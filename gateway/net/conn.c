/*
 * Connections: begin, events, end. Reading and writing have files of their own.
 *
 * A connection that is freed while one of its events is handled lets go of everything at once
 * but its own memory. Every call to the owner is followed by a look at @life.over.
 *
 * After conn_close() it has no owner: the queue goes out, the sending direction is shut, and
 * what the peer still sends is thrown away until it closes too. To close at once could make
 * the kernel send a reset, which may destroy our last bytes before the peer has read them.
 */
#include "gateway/heap.h"
#include "gateway/net/conn_impl.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *lingering;

/* --- end -------------------------------------------------------------------------------- */

static void unlist(struct conn *conn)
{
    if (conn->back) {
        *conn->back = conn->next;
        if (conn->next) {
            conn->next->back = conn->back;
        }
        conn->back = NULL;
    }
}

void conn_free(struct conn *conn)
{
    if (!conn || conn->life.over) {
        return;
    }
    unlist(conn);
    (void)event_del(&conn->readable);
    (void)event_del(&conn->writable);
    (void)event_del(&conn->timer);
    (void)event_del(&conn->setup);
    wire_close(&conn->wire);
    free(conn->kept);
    conn->kept = NULL;
    conn->kept_n = 0;
    heap_buf_free(&conn->queue);
    life_over(&conn->life, conn);
}

void conn_end_with(struct conn *conn, enum conn_end why)
{
    assert(conn->life.inside);
    if (conn->life.over) {
        return;
    }
    if (conn->calls && conn->calls->on_end) {
        const struct conn_calls *calls = conn->calls;
        conn->calls = NULL;
        calls->on_end(conn->owner, why);
    }
    conn_free(conn);
}

void conn_fail_later(struct conn *conn, enum conn_end why)
{
    if (conn->failed == NOTHING) {
        conn->failed = (int)why;
        event_active(&conn->writable, EV_WRITE, 1);
    }
}

/* --- events ----------------------------------------------------------------------------- */

static void become_open(struct conn *conn)
{
    conn->state = OPEN;
    (void)event_del(&conn->setup);
    (void)event_del(&conn->writable);
    if (conn->wire.ssl) {
        tls_peer_of(conn->wire.ssl, &conn->tls_peer);
    }
    (void)event_add(&conn->readable, NULL);
    if (conn->wire.ssl) {
        event_active(&conn->readable, EV_READ, 1); /* read ahead with the handshake */
    }
    if (conn->queue.n) {
        conn_write_out(conn, (struct str){ 0 });
    }
    if (conn->calls && conn->calls->on_ready) {
        conn->calls->on_ready(conn->owner);
    }
    if (!conn->life.over) {
        conn_finish_write(conn);
    }
}

static void shake_hands(struct conn *conn)
{
    int r = wire_handshake(&conn->wire);
    if (r == 0) {
        become_open(conn);
        return;
    }
    if (r != -EAGAIN) {
        conn_end_with(conn, CONN_END_HANDSHAKE);
        return;
    }
    (void)event_add(&conn->readable, NULL);
    if (conn->wire.read_wants_write) {
        (void)event_add(&conn->writable, NULL);
    } else {
        (void)event_del(&conn->writable);
    }
}

static void become_connected(struct conn *conn)
{
    if (!conn->wire.ssl) {
        become_open(conn);
        return;
    }
    conn->state = HANDSHAKE;
    (void)timer_add(conn->base, &conn->setup, conn->handshake_ms);
    shake_hands(conn);
}

static void on_connected(struct conn *conn)
{
    int error = 0;
    socklen_t n = sizeof(error);
    if (getsockopt(conn->wire.fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error) {
        conn_end_with(conn, CONN_END_CONNECT);
        return;
    }
    become_connected(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;
    (void)fd;
    (void)what;
    life_enter(&conn->life);
    if (conn->state == HANDSHAKE) {
        shake_hands(conn);
    } else if (conn->paused) {
        (void)event_del(&conn->readable); /* conn_resume() adds it again */
    } else {
        if (conn->wire.write_wants_read) {
            conn_flush(conn);
        }
        if (!conn->life.over) {
            conn_read_on(conn);
        }
    }
    life_leave(&conn->life, conn);
}

/* A failure noticed while writing. What the peer said before is heard first. */
static void report_failure(struct conn *conn)
{
    if (conn->state == OPEN && conn->failed == CONN_END_RESET && !conn->paused) {
        conn_read_on(conn);
    }
    conn_end_with(conn, (enum conn_end)conn->failed);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;
    (void)fd;
    life_enter(&conn->life);
    if (conn->failed != NOTHING) {
        report_failure(conn);
    } else if (conn->state == CONNECTING) {
        on_connected(conn);
    } else if (conn->state == HANDSHAKE) {
        shake_hands(conn);
    } else if (what & EV_TIMEOUT) {
        conn_end_with(conn, CONN_END_TIMEOUT);
    } else {
        if (conn->wire.read_wants_write && !conn->paused) {
            conn_read_on(conn);
        }
        if (!conn->life.over) {
            conn_flush(conn);
        }
    }
    life_leave(&conn->life, conn);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;
    (void)fd;
    (void)what;
    life_enter(&conn->life);
    if (conn->calls && conn->calls->on_timeout) {
        conn->calls->on_timeout(conn->owner);
    }
    life_leave(&conn->life, conn);
}

static void on_setup_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;
    (void)fd;
    (void)what;
    life_enter(&conn->life);
    conn_end_with(conn, CONN_END_TIMEOUT);
    life_leave(&conn->life, conn);
}

/* --- begin ------------------------------------------------------------------------------ */

/* Takes over @fd, also on failure. */
static struct conn *conn_new(const struct conn_config *config, int fd,
                             const struct address *peer)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    if (!conn) {
        (void)close(fd);
        return NULL;
    }
    *conn = (struct conn){
        .wire = { .fd = fd },
        .failed = NOTHING,
        .calls = config->calls,
        .owner = config->owner,
        .queue = heap_buf(SIZE_MAX),
        .base = config->base,
        .handshake_ms = config->handshake_ms ? config->handshake_ms : CONN_HANDSHAKE_MS,
        .stalled_ms = config->stalled_ms ? config->stalled_ms : CONN_STALLED_MS,
        .peer = *peer,
    };
    (void)event_assign(&conn->readable, config->base, fd, EV_READ | EV_PERSIST, on_readable,
                       conn);
    (void)event_assign(&conn->writable, config->base, fd, EV_WRITE | EV_PERSIST, on_writable,
                       conn);
    (void)event_assign(&conn->timer, config->base, -1, 0, on_timer, conn);
    (void)event_assign(&conn->setup, config->base, -1, 0, on_setup_timeout, conn);

    if (config->tls) {
        conn->wire.ssl = tls_session(config->tls, config->host);
        if (!conn->wire.ssl || SSL_set_fd(conn->wire.ssl, fd) != 1) {
            conn_free(conn);
            return NULL;
        }
    }
    return conn;
}

struct conn *conn_accepted(const struct conn_config *config, int fd, const struct address *peer)
{
    struct conn *conn = conn_new(config, fd, peer);
    if (!conn) {
        return NULL;
    }
    conn->state = conn->wire.ssl ? HANDSHAKE : OPEN;
    if (conn->wire.ssl) {
        (void)timer_add(conn->base, &conn->setup, conn->handshake_ms);
    }
    if (event_add(&conn->readable, NULL) < 0) {
        conn_free(conn);
        return NULL;
    }
    return conn;
}

struct conn *conn_connect(const struct conn_config *config, const struct address *to)
{
    int fd = socket(to->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return NULL;
    }
    struct conn *conn = conn_new(config, fd, to);
    if (!conn) {
        return NULL;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&to->at, to->n) < 0 && errno != EINPROGRESS) {
        conn_fail_later(conn, CONN_END_CONNECT);
        return conn;
    }
    (void)timer_add(conn->base, &conn->setup,
                    config->connect_ms ? config->connect_ms : CONN_CONNECT_MS);
    (void)event_add(&conn->writable, NULL);
    return conn;
}

void conn_close(struct conn *conn)
{
    if (!conn || conn->life.over) {
        return;
    }
    if (conn->failed != NOTHING || conn->state != OPEN) {
        conn_free(conn);
        return;
    }
    (void)event_del(&conn->timer);
    conn->calls = NULL;
    conn->owner = NULL;
    conn->want_drain = false;
    free(conn->kept);
    conn->kept = NULL;
    conn->kept_n = 0;
    conn->state = LINGERING;
    conn->paused = false;
    conn_shutdown_write(conn);
    if (conn->failed != NOTHING || (conn->eof && conn->ended_write)) {
        conn_free(conn);
        return;
    }
    conn->next = lingering;
    conn->back = &lingering;
    if (lingering) {
        lingering->back = &conn->next;
    }
    lingering = conn;
    if (!conn->eof) {
        (void)event_add(&conn->readable, NULL);
        event_active(&conn->readable, EV_READ, 1);
    }
}

void conn_reap(const struct event_base *base)
{
    struct conn *next = NULL;
    for (struct conn *conn = lingering; conn; conn = next) {
        next = conn->next;
        if (conn->base == base) {
            conn_free(conn);
        }
    }
}

/* --- the rest --------------------------------------------------------------------------- */

void conn_own(struct conn *conn, const struct conn_calls *calls, void *owner)
{
    conn->calls = calls;
    conn->owner = owner;
}

void conn_timeout(struct conn *conn, int ms)
{
    if (ms > 0) {
        (void)timer_add(conn->base, &conn->timer, ms);
    } else {
        (void)event_del(&conn->timer);
    }
}

const struct address *conn_peer(const struct conn *conn)
{
    return &conn->peer;
}

const struct tls_peer *conn_tls_peer(const struct conn *conn)
{
    return conn->wire.ssl && conn->state >= OPEN ? &conn->tls_peer : NULL;
}
