/*
 * HTTP/1.1, the asking side: a pool of connections to one upstream server.
 *
 * A call ends in exactly one of three ways: on_end, on_fail, or the owner cancels it. It is
 * dead afterwards. The owner's functions are called from the loop only.
 *
 * A kept connection may be closed by the server at the moment it is used again. Then, if no
 * byte of an answer came, the call is made again on a new connection, provided that repeating
 * is safe: a method that HTTP calls idempotent and a body that is still at hand (none, or
 * given as a span), or the owner says so. Nothing else is ever sent twice.
 *
 * Spec: spec/wire.md 14.1 and 14.2
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/net/address.h"
#include "gateway/net/http1.h"
#include "gateway/net/tls.h"
#include "gateway/op.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_CLIENT_CONNECTIONS = 64,
    HTTP_CLIENT_WAITING = 1024, /* calls waiting for a connection */
    HTTP_CLIENT_WAIT_MS = 2000, /* how long one may wait */
    HTTP_CLIENT_CONNECT_MS = 2000,
    HTTP_CLIENT_FIRST_BYTE_MS = 30000,
    HTTP_CLIENT_STALLED_MS = 30000, /* no byte of the answer's body for this long */
    HTTP_CLIENT_IDLE_MS = 30000,    /* an unused connection is closed */
};

enum http_fail {
    HTTP_FAIL_CONNECT = 1, /* could not be connected: the request was not sent */
    HTTP_FAIL_TLS,         /* no agreement, or not the server it should be: not sent */
    HTTP_FAIL_BUSY,        /* no connection became free in time: not sent */
    HTTP_FAIL_WITHDRAWN,   /* http_ask.still said no: not sent */
    HTTP_FAIL_TIMEOUT,     /* no answer in time: what it did is unknown */
    HTTP_FAIL_CLOSED,      /* closed before an answer: what it did is unknown */
    HTTP_FAIL_CUT,         /* the answer broke off in its body */
    HTTP_FAIL_PROTOCOL,    /* the answer is not HTTP as we accept it */
    HTTP_FAIL_TOO_LONG,    /* http_fetch(): more than allowed */
    HTTP_FAIL_MEMORY,
};

/* "connect", "tls", … for logs. */
const char *http_fail_text(enum http_fail fail);

/* Whether the upstream can't have seen the request. */
bool http_fail_unsent(enum http_fail fail);

struct http_client_config {
    struct event_base *base;
    struct addresses to;  /* tried in turn */
    const char *host;     /* for the field Host: HOST[:PORT]; copied */
    const char *tls_host; /* who the certificate must name; NULL: @host without port; copied */
    struct tls *tls;      /* NULL: plain; borrowed */
    size_t connections_max; /* this and all below: 0 takes the usual */
    size_t waiting_max;
    int wait_ms;
    int connect_ms;
    int first_byte_ms;
    int stalled_ms;
    int idle_ms;
};

struct http_client;
struct http_call;

/* NULL: out of memory. */
MUST_USE struct http_client *http_client_new(const struct http_client_config *config);

/* No call may be under way. */
void http_client_free(struct http_client *client);

/* Calls under way or waiting. */
size_t http_client_calls(const struct http_client *client);

/* What is asked. All of it may go away when http_call_start() returns, but for @body. */
struct http_ask {
    struct str method;               /* a token; http_method_text() */
    struct str target;               /* origin form */
    struct str host;                 /* empty: the client's */
    const struct http_field *fields; /* without Host, framing and connection fields */
    size_t n_fields;
    struct str body; /* whole body; borrowed until the call ends. Or: */
    bool streamed;   /* it comes by http_call_body() */
    int64_t length;  /* of a streamed body; HTTP_CALL_CHUNKED if unknown */
    bool repeatable; /* repeating it is safe, whatever its method */
    /* Asked with the call's owner if the request leaves later than it was made, because it
     * waited for a connection: false withdraws it. NULL: it stands. Not of streamed bodies. */
    bool (*still)(void *owner);
    int first_byte_ms; /* 0: the client's */
};

#define HTTP_CALL_CHUNKED ((int64_t)-1)

struct http_call_calls {
    /* Head of the final answer; valid until the call has ended. */
    void (*on_head)(void *owner, const struct http_head *head);
    void (*on_body)(void *owner, struct str piece); /* valid during the call */
    void (*on_end)(void *owner);                    /* the answer is complete */
    void (*on_fail)(void *owner, enum http_fail fail);
    void (*on_drain)(void *owner); /* go on with http_call_body(); streamed bodies only */
};

/* NULL: out of memory, too many waiting, or a field that would break the head. */
MUST_USE struct http_call *http_call_start(struct http_client *client,
                                           const struct http_ask *ask,
                                           const struct http_call_calls *calls, void *owner);

/* To cancel it: op_cancel(http_call_op(call)). The connection is closed. */
struct op *http_call_op(struct http_call *call);

/* A piece of a streamed body. false: wait for on_drain (nothing is lost otherwise). */
bool http_call_body(struct http_call *call, struct str piece);
void http_call_body_end(struct http_call *call);

/* No on_body until resumed; on_end may come if all of the body was handed over. */
void http_call_pause(struct http_call *call);
void http_call_resume(struct http_call *call);

/* The whole answer of http_fetch(). Spans are valid during the call. */
struct http_answer {
    enum http_fail fail;          /* 0, or nothing below is set */
    const struct http_head *head; /* status and fields */
    struct str body;
};

typedef void (*http_fetch_fn)(void *owner, const struct http_answer *answer);

/**
 * http_fetch() - ask and collect the whole answer
 * @client: upstream
 * @ask:    not streamed; its body is borrowed until the end
 * @max:    bytes the answer's body may have; more: HTTP_FAIL_TOO_LONG
 * @done:   told the end
 * @owner:  handed to @done
 *
 * Return: the operation, or NULL as for http_call_start()
 */
MUST_USE struct op *http_fetch(struct http_client *client, const struct http_ask *ask,
                               size_t max, http_fetch_fn done, void *owner);
