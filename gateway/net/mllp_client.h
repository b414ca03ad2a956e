/*
 * MLLP, the sending side: one connection, one message at a time, each with its answer.
 *
 * The connection is opened when it is first needed and kept. After a time-out or broken
 * framing it is closed, so that a late answer is never taken for that of the next message.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/net/address.h"
#include "gateway/net/tls.h"
#include "gateway/op.h"

#include <event2/event.h>
#include <stdbool.h>

enum {
    MLLP_CLIENT_CONNECT_MS = 2000,
    MLLP_CLIENT_ANSWER_MS = 30000,
    MLLP_CLIENT_ANSWER_MAX = 64 << 10, /* bytes of an answer */
};

enum mllp_fail {
    MLLP_FAIL_CONNECT = 1, /* not sent */
    MLLP_FAIL_TLS,         /* not sent */
    MLLP_FAIL_WITHDRAWN,   /* not sent */
    MLLP_FAIL_TIMEOUT,     /* sent, at least in part; what it did is unknown */
    MLLP_FAIL_CLOSED,      /* same */
    MLLP_FAIL_PROTOCOL,    /* the answer is not framed as it should be */
    MLLP_FAIL_MEMORY,
};

/* "connect", "tls", … for logs. */
const char *mllp_fail_text(enum mllp_fail fail);

struct mllp_client_config {
    struct event_base *base;
    struct addresses to;
    struct tls *tls;      /* NULL: plain; borrowed */
    const char *tls_host; /* who the certificate must name; copied */
    int connect_ms;       /* these three: 0 takes the usual */
    int answer_ms;
    size_t answer_max;
};

struct mllp_client;

/* @fail: 0, and @answer is the answer without its framing, valid during the call. */
typedef void (*mllp_send_fn)(void *owner, enum mllp_fail fail, struct str answer);

/* Whether the message that waited for a connection is still to be sent. */
typedef bool (*mllp_still_fn)(void *owner);

/* NULL: out of memory. */
MUST_USE struct mllp_client *mllp_client_new(const struct mllp_client_config *config);

/* Nothing may be under way. */
void mllp_client_free(struct mllp_client *client);

/**
 * mllp_send() - send a message and await its answer
 * @client:  nothing may be under way on it
 * @message: without framing; may go away when this returns
 * @still:   asked when it had to be connected first: false withdraws it; NULL: it stands
 * @done:    told the end
 * @owner:   handed to both
 *
 * Return: the operation, or NULL without memory. Cancelling closes the connection.
 */
MUST_USE struct op *mllp_send(struct mllp_client *client, struct str message,
                              mllp_still_fn still, mllp_send_fn done, void *owner);

/* Whether it is connected. */
bool mllp_client_connected(const struct mllp_client *client);
