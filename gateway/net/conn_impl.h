/* The inside of struct conn, for the parts of conn. */
#pragma once

#include "crypto/base/buf.h"
#include "gateway/net/conn.h"
#include "gateway/net/life.h"
#include "gateway/net/timer.h"
#include "gateway/net/wire.h"

#include <event2/event_struct.h>

enum conn_state {
    CONNECTING,
    HANDSHAKE,
    OPEN,
    LINGERING,
};

enum {
    NOTHING = -1, /* no failure */
};

struct conn {
    struct wire wire;
    enum conn_state state;
    struct life life;
    bool paused;
    bool again;      /* show what is kept, though nothing new came */
    bool eof;        /* the peer sends nothing more */
    bool want_drain; /* the owner waits for on_drain */
    bool end_write;  /* shut the sending direction when the queue is empty */
    bool ended_write;
    int failed; /* enum conn_end to report, or NOTHING */
    const struct conn_calls *calls;
    void *owner;
    char *kept; /* owned: bytes the owner left */
    size_t kept_n;
    struct buf queue; /* bytes to write, the first @queue_from already written */
    size_t queue_from;
    struct event_base *base;
    struct event readable;
    struct event writable;
    struct event timer; /* of the owner */
    struct event setup; /* connect, handshake, linger */
    int handshake_ms;
    int stalled_ms;
    struct address peer;
    struct tls_peer tls_peer;
    struct conn *next; /* in the list of lingering ones */
    struct conn **back;
};

/* Tell the owner and free it. Only from an event. */
void conn_end_with(struct conn *conn, enum conn_end why);

/* Something failed within a call of the owner: tell it from the loop. */
void conn_fail_later(struct conn *conn, enum conn_end why);

/* Write the queue and then @bytes; what the socket doesn't take is queued. */
void conn_write_out(struct conn *conn, struct str bytes);

/* Shut the sending direction if that is due. */
void conn_finish_write(struct conn *conn);

/* The socket takes more. The connection may be dead afterwards. */
void conn_flush(struct conn *conn);

/* Read and show, for one turn. The connection may be dead afterwards. */
void conn_read_on(struct conn *conn);
