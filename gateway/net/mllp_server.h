/*
 * MLLP, the receiving side.
 *
 * Messages of a connection are handed over in their order, up to MLLP_OUTSTANDING before the
 * first of them is answered; answers leave in that same order whenever they are given. The
 * owner answers each message exactly once, later and from anywhere, also if the connection has
 * gone in between.
 *
 * Spec: spec/wire.md 14.1 and 14.5
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/net/conn.h"

#include <event2/event.h>
#include <stdbool.h>

enum {
    MLLP_OUTSTANDING = 64,            /* unanswered messages of a connection */
    MLLP_OUTSTANDING_BYTES = 4 << 20, /* and their bytes, beyond which reading waits */
    MLLP_FRAME_MS = 30000,            /* a frame, from its first byte on */
    MLLP_CONNECTIONS = 1024,
};

struct mllp_server;
struct mllp_msg;

/* @owner: as in the configuration. */
struct mllp_server_config {
    struct event_base *base;
    int fd;          /* listening socket; borrowed */
    struct tls *tls; /* NULL: plain; borrowed */
    void *owner;
    /* NULL, or whether this peer may connect at all; after the handshake. */
    bool (*on_connect)(void *owner, const struct address *peer, const struct tls_peer *tls);
    /* A message; @bytes are valid during the call. The owner calls mllp_reply() once. */
    void (*on_message)(void *owner, struct mllp_msg *msg, struct str bytes);
    /* NULL, or told broken framing (MLLP_E_…), after which the connection is closed. */
    void (*on_broken)(void *owner, const struct address *peer, int error);
    size_t frame_max; /* these four: 0 takes the usual */
    size_t connections_max;
    size_t outstanding_max;
    int frame_ms;
};

/* NULL: out of memory. */
MUST_USE struct mllp_server *mllp_server_new(const struct mllp_server_config *config);

/* Closes all connections. Messages not yet answered stay valid until they are. */
void mllp_server_free(struct mllp_server *server);

/*
 * Accept and read no more; close each connection when its last answer has gone out. @done is
 * called from the loop when none is left; NULL if nobody waits.
 */
void mllp_server_drain(struct mllp_server *server, void (*done)(void *owner), void *owner);

/* Accept no more for now (open connections stay), or again. */
void mllp_server_pause(struct mllp_server *server);
void mllp_server_resume(struct mllp_server *server);

size_t mllp_server_connections(const struct mllp_server *server);

/* Who sent it; valid as long as the message, also after the connection has gone. */
const struct address *mllp_msg_peer(const struct mllp_msg *msg);
const struct tls_peer *mllp_msg_tls_peer(const struct mllp_msg *msg); /* NULL: plain */

/* Whether an answer can still reach the sender. */
bool mllp_msg_open(const struct mllp_msg *msg);

/* Answer with @ack, which is framed here. @msg is dead. */
void mllp_reply(struct mllp_msg *msg, struct str ack);

/* Answer with @n messages, each in a frame of its own; none is an answer too. @msg is dead. */
void mllp_reply_all(struct mllp_msg *msg, const struct str *acks, size_t n);

/* Don't answer: the connection is closed after the answers before it. @msg is dead. */
void mllp_close(struct mllp_msg *msg);
