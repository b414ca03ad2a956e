/* The inside of the HTTP server, for its parts. */
#pragma once

#include "gateway/net/http1.h"
#include "gateway/net/http_server.h"
#include "gateway/net/server.h"

/* Where a connection's input stands. */
enum http_phase {
    HTTP_PHASE_HEAD,    /* a head is awaited, or has come in part */
    HTTP_PHASE_BODY,    /* its body goes to the owner */
    HTTP_PHASE_ANSWER,  /* input complete, the answer isn't: nothing more is read */
    HTTP_PHASE_DISCARD, /* answered before its body was complete: the rest is thrown away */
};

struct http_server {
    struct server base;
    struct http_server_config config;
    size_t requests;
};

/* One connection. */
struct http_link {
    struct server_link base;
    struct http_server *server;
    struct http_req *req; /* owned; the one under way, or NULL */
    enum http_phase phase;
    bool last; /* close after this answer */
    struct http1_scan scan;
    struct http1_chunks chunks;
    enum http_framing framing; /* of the body under way */
    uint64_t left;             /* of a body of known length */
    uint64_t got;              /* bytes of the body so far */
    uint64_t window;           /* of @got, at the last look at the rate */
};

struct http_req {
    struct http_link *link; /* borrowed */
    const struct http_req_calls *calls;
    void *owner;
    bool paused;
    bool expects;  /* 100 is still to be sent */
    bool answered; /* the head of the answer was given */
    bool bodiless; /* HEAD, 204, 304 */
    bool chunked;
    bool open_chunk; /* CR LF of the last chunk is still to be written */
    bool cut;        /* more or less was given than promised */
    int64_t answer_left;
    struct http_head head;
    char text[]; /* what @head borrows */
};

/* The answer of @req is out: free it and see what comes next on the connection. */
void http_link_answered(struct http_link *link);

/* A new connection; @owner is the server. */
void http_link_accept(void *owner, int fd, const struct address *peer);

/* Abort what is under way and close at once; close if nothing is under way. */
void http_link_stop(struct server_link *base);
void http_link_drain(struct server_link *base);

/* Close the connection, politely or not, and let go of it. No calls to an owner. */
void http_link_close(struct http_link *link, bool at_once);

/* An answer of our own, after which the connection closes. */
void http_put_refusal(struct http_link *link, int status, const char *reason);
