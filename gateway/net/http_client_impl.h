/* The inside of the HTTP client, for its parts. */
#pragma once

#include "gateway/net/conn.h"
#include "gateway/net/http1.h"
#include "gateway/net/http_client.h"
#include "gateway/net/life.h"
#include "gateway/net/timer.h"

#include <event2/event_struct.h>

struct http_client {
    struct http_client_config config;
    char *host;              /* owned */
    char *tls_host;          /* owned */
    struct http_lane *lanes; /* owned; all connections */
    struct http_lane *idle;  /* those without a call, the last used first */
    size_t n_lanes;
    struct http_call *first; /* waiting for a connection */
    struct http_call **last;
    size_t n_waiting;
    size_t n_calls;
    size_t address; /* where the next connection goes first */
};

/* Where the answer on a connection stands. */
enum http_lane_phase {
    HTTP_LANE_IDLE,
    HTTP_LANE_HEAD,
    HTTP_LANE_BODY,
};

/* One connection. */
struct http_lane {
    struct http_client *client;
    struct conn *conn;      /* owned */
    struct http_call *call; /* NULL: idle */
    struct http_lane *next;
    struct http_lane **back;
    struct http_lane *idle_next;
    struct http_lane **idle_back;
    enum http_lane_phase phase;
    struct life life;
    bool ready;  /* connected */
    bool reused; /* an answer came on it before */
    bool keep;   /* the server keeps it open after this answer */
    size_t address;
    int interim; /* 1xx answers to this call */
    struct http1_scan scan;
    struct http1_chunks chunks;
    enum http_framing framing;
    uint64_t left;
};

struct http_call {
    struct op op; /* first: the same address */
    struct http_client *client;
    struct http_lane *lane; /* NULL: waiting */
    struct http_call *next;
    struct http_call **back;
    const struct http_call_calls *calls;
    void *owner;
    bool (*still)(void *owner); /* NULL: it stands */
    struct event timer;         /* while waiting */
    enum http_method method;
    int first_byte_ms;
    size_t tried; /* addresses */
    bool withdrawn;
    bool streamed;
    bool chunked;
    bool open_chunk;
    bool repeatable;
    bool body_done; /* of the request */
    bool paused;
    bool want_drain;
    int64_t body_left;
    struct str body;        /* borrowed */
    struct buf early;       /* of a streamed body, before there was a connection */
    struct http_head *head; /* owned; of the answer, with its text behind */
    size_t text_n;
    char text[]; /* head of the request */
};

/* --- http_lane.c ------------------------------------------------------------------------ */

/* A new connection for @call. -ENOMEM (or out of descriptors): nothing happened. */
MUST_USE int http_lane_open(struct http_client *client, struct http_call *call);

/* Put @call onto an idle connection. */
void http_lane_use(struct http_lane *lane, struct http_call *call);

/* Close it and let go of it; its call, if any, is the caller's matter. */
void http_lane_close(struct http_lane *lane);

/* --- http_client.c ---------------------------------------------------------------------- */

/* The call is over without an answer: tell its owner and free it. Only from the loop. */
void http_call_fail(struct http_call *call, enum http_fail fail);

/* Whether it may leave now, later than it was made. */
bool http_call_stands(const struct http_call *call);

/* Free it: @call has no lane and doesn't wait. */
void http_call_free(struct http_call *call);

/* A connection became free or was closed: let those that wait go on. */
void http_client_next(struct http_client *client);
