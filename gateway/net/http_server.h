/*
 * HTTP/1.1, the answering side: one handler for the connections of a listener.
 *
 * For each request the owner hears on_request and takes it with http_req_take(). Then come
 * on_body for each piece and on_end after the last; then, or before, it answers with
 * http_res_…(). A request ends in exactly one of two ways: the owner calls http_res_end(),
 * http_res_full() or http_res_cut(), or it hears on_abort. It is dead afterwards.
 *
 * Requests of one connection are handed over one after the other. What is malformed is
 * answered here and the connection closed; the owner is told by on_refused only.
 *
 * All calls to the owner come from the loop, never from inside a function of this module.
 * Spec: spec/wire.md 14.1 and 14.2
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "gateway/net/conn.h"
#include "gateway/net/http1.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_HEAD_MS = 10000,       /* a head, from its first byte (or the handshake) on */
    HTTP_BODY_GRACE_MS = 10000, /* a body may dawdle this long … */
    HTTP_BODY_RATE_MIN = 1024,  /* … then needs so many bytes a second */
    HTTP_IDLE_MS = 60000,       /* between requests */
    HTTP_SERVER_CONNECTIONS = 4096,
    HTTP_BODY_MAX = 64 << 20,
    HTTP_REFUSAL_MAX = 1024,    /* bytes of a refusal's body */
    HTTP_UNREAD_MAX = 64 << 10, /* of a body the owner didn't want, to keep the connection */
};

struct http_req;
struct http_server;

/* Why the owner hears on_abort. */
enum http_abort {
    HTTP_ABORT_GONE,    /* the client closed or reset the connection */
    HTTP_ABORT_SLOW,    /* a time-out of ours; 408 was sent if nothing was before */
    HTTP_ABORT_BROKEN,  /* the body is malformed or too long; 400 or 413 was sent if nothing was
                         */
    HTTP_ABORT_STOPPED, /* http_server_free() */
};

/* What the owner of a request hears; @owner as given to http_req_take(). */
struct http_req_calls {
    void (*on_body)(void *owner, struct str piece); /* valid during the call; NULL: unwanted */
    void (*on_end)(void *owner);                    /* the body is complete, maybe empty */
    void (*on_drain)(void *owner);                  /* go on with http_res_body() */
    void (*on_abort)(void *owner, enum http_abort why);
};

/* @owner: as in the configuration. */
struct http_server_config {
    struct event_base *base;
    int fd;          /* listening socket; borrowed */
    struct tls *tls; /* NULL: plain; borrowed */
    void *owner;
    /*
     * A head came. The owner calls http_req_take() before it returns, or answers at once.
     * No part of the body has been read, and 100 is not sent before the owner took it.
     */
    void (*on_request)(void *owner, struct http_req *req);
    /* NULL, or told each message refused here. @reason is static. */
    void (*on_refused)(void *owner, int status, const char *reason);
    /* NULL, or writes the body of such an answer, of media type @refusal_type. */
    void (*refusal)(void *owner, int status, const char *reason, struct buf *body);
    const char *refusal_type;
    uint64_t body_max; /* longer bodies: 413. This and all below: 0 takes the usual */
    size_t connections_max;
    int head_ms;
    int idle_ms;
    int body_grace_ms;
    int stalled_ms;
};

/* NULL: out of memory. */
MUST_USE struct http_server *http_server_new(const struct http_server_config *config);

/* Aborts what is under way. */
void http_server_free(struct http_server *server);

/*
 * Accept no more; close idle connections; answer what is under way with Connection: close.
 * @done is called from the loop when the last connection has ended; NULL if nobody waits.
 */
void http_server_drain(struct http_server *server, void (*done)(void *owner), void *owner);

/* Accept no more for now, or again. */
void http_server_pause(struct http_server *server);
void http_server_resume(struct http_server *server);

/* Connections open, and requests under way. */
size_t http_server_connections(const struct http_server *server);
size_t http_server_requests(const struct http_server *server);

/* --- the request ------------------------------------------------------------------------ */

/* From now on the owner hears @calls. */
void http_req_take(struct http_req *req, const struct http_req_calls *calls, void *owner);

/* Its head; valid as long as the request. */
const struct http_head *http_req_head(const struct http_req *req);

/* Whether a body follows, and its length; -1 if chunked. */
bool http_req_has_body(const struct http_req *req);
int64_t http_req_length(const struct http_req *req);

const struct address *http_req_peer(const struct http_req *req);
const struct tls_peer *http_req_tls_peer(const struct http_req *req); /* NULL: plain */

/* No on_body until http_req_resume(). */
void http_req_pause(struct http_req *req);
void http_req_resume(struct http_req *req);

/* --- the answer ------------------------------------------------------------------------- */

#define HTTP_LENGTH_UNKNOWN ((int64_t)-1)

/**
 * http_res_head() - begin the answer
 * @req:    request
 * @status: 200 to 599
 * @fields: without framing and connection fields, which are written here (with Date)
 * @n:      how many
 * @length: bytes of the body, or HTTP_LENGTH_UNKNOWN: chunked, or by closing for HTTP/1.0
 *
 * It leaves together with the first bytes of the body. An answer to HEAD, 204 and 304 takes
 * http_res_body() calls and sends nothing. A field that would break the head (a line end in a
 * value): the answer is 500 without body instead, and false is returned.
 */
bool http_res_head(struct http_req *req, int status, const struct http_field *fields, size_t n,
                   int64_t length);

/* A piece of the body. false: wait for on_drain before the next (nothing is lost otherwise). */
bool http_res_body(struct http_req *req, struct str piece);

/* Send out what is held back, if the next piece will take a while. */
void http_res_flush(struct http_req *req);

/* The answer is complete; @req is dead. Fewer bytes than promised: as http_res_cut(). */
void http_res_end(struct http_req *req);

/* The answer can't be completed: the client sees it cut off. @req is dead. */
void http_res_cut(struct http_req *req);

/* Head, body and end in one; @req is dead. */
void http_res_full(struct http_req *req, int status, const struct http_field *fields, size_t n,
                   struct str body);
