/*
 * One connection, plain or TLS, on an event loop.
 *
 * Bytes read are shown to the owner, who says how many it took; the rest is shown again with
 * what follows. Bytes written go out at once as far as the socket takes them and are queued
 * beyond; conn_write() says when to wait, on_drain when to go on. All calls to the owner come
 * from the loop, never from inside a conn_ function. conn_free() is allowed in all of them.
 *
 *     CONNECTING --> HANDSHAKE --> OPEN --> ENDED
 *
 * The owner hears on_ready once OPEN, and on_end exactly once unless it freed the connection
 * before. Spec: spec/wire.md 14.1
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/net/address.h"
#include "gateway/net/tls.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CONN_READ_SIZE = 64 << 10,   /* the shared read buffer; an owner may keep at most this */
    CONN_WRITE_HIGH = 256 << 10, /* queued beyond this: wait */
    CONN_WRITE_LOW = 64 << 10,   /* queued below this again: on_drain */
    CONN_HANDSHAKE_MS = 5000,
    CONN_CONNECT_MS = 2000,
    CONN_STALLED_MS = 30000, /* no byte written for this long */
    CONN_LINGER_MS = 2000,   /* for the peer to close too, after conn_close() */
};

enum conn_end {
    CONN_END_PEER,      /* the peer closed, orderly, between or within messages */
    CONN_END_RESET,     /* reset, or TLS ended without close_notify */
    CONN_END_CONNECT,   /* could not be connected */
    CONN_END_HANDSHAKE, /* TLS: no agreement, or the certificate was refused */
    CONN_END_TIMEOUT,   /* connect, handshake or stalled write */
    CONN_END_MEMORY,
};

struct conn;

/* What the owner hears; only on_read and on_end are needed. */
struct conn_calls {
    /* Bytes received; returns how many are done with. */
    size_t (*on_read)(void *owner, struct str bytes);
    /* The connection ended; it is dead when this returns, and conn_free() does nothing more. */
    void (*on_end)(void *owner, enum conn_end why);
    /* Connected, TLS agreed. Not for plain accepted ones: they are ready at once. */
    void (*on_ready)(void *owner);
    /* The queue fell below CONN_WRITE_LOW after conn_write() said to wait. */
    void (*on_drain)(void *owner);
    /* conn_timeout() ran out. */
    void (*on_timeout)(void *owner);
    /* The peer sends nothing more but may still listen; NULL: this is CONN_END_PEER. */
    void (*on_eof)(void *owner);
};

struct conn_config {
    struct event_base *base;
    const struct conn_calls *calls;
    void *owner;
    struct tls *tls;  /* NULL: plain */
    const char *host; /* TLS client: who the peer must be */
    int connect_ms;   /* these three: 0 takes the usual */
    int handshake_ms;
    int stalled_ms;
};

/* Takes over the accepted descriptor @fd, also on failure. NULL: out of memory. */
MUST_USE struct conn *conn_accepted(const struct conn_config *config, int fd,
                                    const struct address *peer);

/* Begins to connect. NULL: out of memory or descriptors; other failures come by on_end. */
MUST_USE struct conn *conn_connect(const struct conn_config *config, const struct address *to);

/* Ends it at once: what is queued is lost. */
void conn_free(struct conn *conn);

/*
 * Ends it after what is queued has gone out, close_notify last.
 * The owner hears nothing more and must not use @conn again.
 */
void conn_close(struct conn *conn);

/* Frees what conn_close() left behind on @base; before event_base_free(). */
void conn_reap(const struct event_base *base);

/* From now on @calls with @owner are called instead. */
void conn_own(struct conn *conn, const struct conn_calls *calls, void *owner);

/*
 * Write @bytes, now or when the peer takes them. Failures come by on_end.
 * Return: true; false if on_drain should be awaited before the next one (nothing is lost
 * by writing on).
 */
bool conn_write(struct conn *conn, struct str bytes);

/* Same, but hold it back: a conn_write() that follows at once takes it along. */
void conn_write_more(struct conn *conn, struct str bytes);

/* Bytes queued. */
size_t conn_queued(const struct conn *conn);

/* No on_read until conn_resume(). What the owner didn't take stays. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/* We send nothing more; the peer may. After what is queued. */
void conn_shutdown_write(struct conn *conn);

/*
 * on_timeout after @ms milliseconds, instead of what was set before; 0: never. Use few
 * different durations: each is a queue of its own.
 */
void conn_timeout(struct conn *conn, int ms);

const struct address *conn_peer(const struct conn *conn);

/* NULL unless it is TLS and the handshake is done. */
const struct tls_peer *conn_tls_peer(const struct conn *conn);
