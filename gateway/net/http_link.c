/*
 * Connections of an HTTP server: heads, bodies, time-outs.
 *
 *   HEAD --head--> BODY --complete--> ANSWER --answered--> HEAD
 *     |              `--answered--> DISCARD --complete--> HEAD
 *     `--head without body--> ANSWER
 *
 * While an answer is under way nothing is read: the next request, if it has come, waits in the
 * connection. A link may be closed by its owner from within any call, so each call is followed
 * by a look at @life.over.
 */
#include "gateway/net/http_server_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const struct str hundred = { .p = "HTTP/1.1 100 Continue\r\n\r\n", .n = 25 };

static int usual(int given, int otherwise)
{
    return given ? given : otherwise;
}

/* --- end of links and requests ---------------------------------------------------------- */

static void drop_request(struct http_link *link)
{
    if (link->req) {
        link->server->requests--;
        free(link->req);
        link->req = NULL;
    }
}

void http_link_close(struct http_link *link, bool at_once)
{
    if (!link->base.life.over) {
        drop_request(link);
        server_let_go(&link->server->base, &link->base, at_once);
    }
}

/* Tell the owner of the request under way that it is over. */
static void abort_request(struct http_link *link, enum http_abort why)
{
    struct http_req *req = link->req;
    link->req = NULL;
    if (!req) {
        return;
    }
    link->server->requests--;
    if (req->calls && req->calls->on_abort) {
        req->calls->on_abort(req->owner, why);
    }
    free(req);
}

/* Refuse what came: answer if nothing was yet, and close. */
static void refuse(struct http_link *link, int status, const char *reason, enum http_abort why)
{
    const struct http_server_config *config = &link->server->config;
    bool answered = link->phase == HTTP_PHASE_DISCARD || (link->req && link->req->answered);
    if (config->on_refused) {
        config->on_refused(config->owner, status, reason);
    }
    if (!answered) {
        http_put_refusal(link, status, reason);
    }
    abort_request(link, why);
    http_link_close(link, link->phase != HTTP_PHASE_DISCARD && answered);
}

void http_link_stop(struct server_link *base)
{
    struct http_link *link = (struct http_link *)base;
    life_enter(&base->life);
    abort_request(link, HTTP_ABORT_STOPPED);
    http_link_close(link, true);
    life_leave(&base->life, link);
}

void http_link_drain(struct server_link *base)
{
    struct http_link *link = (struct http_link *)base;
    if (link->phase == HTTP_PHASE_HEAD && link->scan.at == 0) {
        http_link_close(link, false);
    }
}

static void expect_head(struct http_link *link)
{
    link->phase = HTTP_PHASE_HEAD;
    link->scan = (struct http1_scan){ 0 };
    conn_timeout(link->base.conn, usual(link->server->config.idle_ms, HTTP_IDLE_MS));
    conn_resume(link->base.conn);
}

void http_link_answered(struct http_link *link)
{
    bool last = link->last || link->server->base.draining;
    drop_request(link);
    if (last) {
        http_link_close(link, false);
    } else if (link->phase == HTTP_PHASE_ANSWER) {
        expect_head(link);
    } else {
        link->phase = HTTP_PHASE_DISCARD;
        link->window = link->got;
        conn_resume(link->base.conn);
    }
}

/* --- bodies ----------------------------------------------------------------------------- */

static void body_complete(struct http_link *link)
{
    if (link->phase == HTTP_PHASE_DISCARD) {
        expect_head(link);
        return;
    }
    link->phase = HTTP_PHASE_ANSWER;
    conn_pause(link->base.conn);
    if (link->req && link->req->calls && link->req->calls->on_end) {
        link->req->calls->on_end(link->req->owner);
    }
}

static uint64_t body_max(const struct http_server *server)
{
    return server->config.body_max ? server->config.body_max : HTTP_BODY_MAX;
}

/* A piece of a body. Whether the next one may come. */
static bool on_piece(struct http_link *link, struct str piece)
{
    link->got += piece.n;
    if (link->phase == HTTP_PHASE_DISCARD) {
        if (link->got - link->window > HTTP_UNREAD_MAX) {
            http_link_close(link, false);
        }
        return !link->base.life.over;
    }
    if (link->got > body_max(link->server)) {
        refuse(link, 413, "body too long", HTTP_ABORT_BROKEN);
        return false;
    }
    struct http_req *req = link->req;
    assert(req);
    if (req->calls->on_body) {
        req->calls->on_body(req->owner, piece);
    }
    return !link->base.life.over && !(link->req && link->req->paused);
}

/* Bytes used of a body that ends by its length. */
static size_t take_length(struct http_link *link, struct str bytes)
{
    size_t n = bytes.n < link->left ? bytes.n : (size_t)link->left;
    link->left -= n;
    bool on = on_piece(link, str_slice(bytes, 0, n));
    if (!link->base.life.over && link->left == 0 && (on || n)) {
        body_complete(link);
    }
    return n;
}

static size_t take_chunks(struct http_link *link, struct str bytes)
{
    struct str rest = bytes;
    bool on = true;
    while (on) {
        struct str piece = { 0 };
        const char *reason = NULL;
        int r = http1_chunk(&link->chunks, &rest, &piece, &reason);
        if (r == HTTP_CHUNK_DATA) {
            on = on_piece(link, piece);
        } else if (r == HTTP_CHUNK_END) {
            body_complete(link);
            break;
        } else {
            if (r != HTTP_CHUNK_MORE) {
                refuse(link, r, reason, HTTP_ABORT_BROKEN);
            }
            break;
        }
    }
    return bytes.n - rest.n;
}

/* --- heads ------------------------------------------------------------------------------ */

static struct http_req *new_request(struct http_link *link, struct str text, int *status,
                                    const char **reason)
{
    struct http_req *req = malloc(sizeof(*req) + text.n);
    if (!req) {
        *status = 503;
        *reason = "out of memory";
        return NULL;
    }
    memset(req, 0, offsetof(struct http_req, head));
    memcpy(req->text, text.p, text.n);
    req->link = link;
    *status = http1_request(str_of(req->text, text.n), &req->head, reason);
    if (*status == 0 && req->head.framing == HTTP_BODY_LENGTH &&
        req->head.length > body_max(link->server)) {
        *status = 413;
        *reason = "body too long";
    }
    if (*status) {
        free(req);
        return NULL;
    }
    return req;
}

static void send_continue(struct http_link *link)
{
    struct http_req *req = link->req;
    if (req && req->expects && !req->answered && !req->paused) {
        req->expects = false;
        (void)conn_write(link->base.conn, hundred);
    }
}

static void begin_body(struct http_link *link, const struct http_head *head)
{
    link->framing = head->framing;
    link->left = head->length;
    link->chunks = (struct http1_chunks){ 0 };
    link->got = 0;
    link->window = 0;
    bool none = head->framing == HTTP_BODY_NONE ||
                (head->framing == HTTP_BODY_LENGTH && head->length == 0);
    link->phase = none ? HTTP_PHASE_ANSWER : HTTP_PHASE_BODY;
    if (none) {
        conn_pause(link->base.conn);
    } else {
        conn_timeout(link->base.conn,
                     usual(link->server->config.body_grace_ms, HTTP_BODY_GRACE_MS));
    }
}

static void start_request(struct http_link *link, struct http_req *req)
{
    const struct http_server_config *config = &link->server->config;
    link->req = req;
    link->server->requests++;
    link->last = !req->head.keep_alive;
    req->expects = req->head.expect_continue;
    begin_body(link, &req->head);

    config->on_request(config->owner, req);
    if (link->base.life.over || link->req != req) {
        return;
    }
    if (!req->calls) {
        assert(false && "a request that nobody took");
        http_res_full(req, 500, NULL, 0, (struct str){ 0 });
        return;
    }
    send_continue(link);
    if (link->phase == HTTP_PHASE_ANSWER && req->calls->on_end) {
        req->calls->on_end(req->owner);
    }
}

/* Bytes used of a head: all or none. */
static size_t take_head(struct http_link *link, struct str bytes)
{
    bool first = link->scan.at == 0;
    const char *reason = NULL;
    size_t n = 0;
    int r = http1_scan(&link->scan, bytes, false, &n, &reason);
    if (r == -EAGAIN) {
        if (first) {
            conn_timeout(link->base.conn, usual(link->server->config.head_ms, HTTP_HEAD_MS));
        }
        return 0;
    }
    struct http_req *req = r ? NULL : new_request(link, str_slice(bytes, 0, n), &r, &reason);
    if (!req) {
        refuse(link, r, reason, HTTP_ABORT_BROKEN);
        return 0;
    }
    start_request(link, req);
    return n;
}

/* --- events of a connection ------------------------------------------------------------- */

static size_t on_read(void *owner, struct str bytes)
{
    struct http_link *link = owner;
    size_t used = 0;
    life_enter(&link->base.life);
    while (!link->base.life.over && used < bytes.n) {
        struct str rest = str_slice(bytes, used, bytes.n);
        size_t n = 0;
        if (link->req && link->req->paused) {
            break;
        }
        if (link->phase == HTTP_PHASE_HEAD) {
            n = take_head(link, rest);
        } else if (link->phase != HTTP_PHASE_ANSWER) {
            n = link->framing == HTTP_BODY_CHUNKED ? take_chunks(link, rest)
                                                   : take_length(link, rest);
        }
        used += n;
        if (n == 0) {
            break;
        }
    }
    used = link->base.life.over ? bytes.n : used;
    life_leave(&link->base.life, link);
    return used;
}

static void on_end(void *owner, enum conn_end why)
{
    struct http_link *link = owner;
    life_enter(&link->base.life);
    abort_request(link, why == CONN_END_TIMEOUT ? HTTP_ABORT_SLOW : HTTP_ABORT_GONE);
    http_link_close(link, true);
    life_leave(&link->base.life, link);
}

static void on_drain(void *owner)
{
    struct http_link *link = owner;
    life_enter(&link->base.life);
    if (link->req && link->req->calls && link->req->calls->on_drain) {
        link->req->calls->on_drain(link->req->owner);
    }
    life_leave(&link->base.life, link);
}

/* Nothing more comes: an answer under way may still be wanted, all else is over. */
static void on_eof(void *owner)
{
    struct http_link *link = owner;
    life_enter(&link->base.life);
    if (link->phase == HTTP_PHASE_ANSWER) {
        link->last = true;
    } else {
        abort_request(link, HTTP_ABORT_GONE);
        http_link_close(link, false);
    }
    life_leave(&link->base.life, link);
}

/* A body: fast enough? Else refused. The owner's own pauses don't count. */
static void check_rate(struct http_link *link)
{
    int ms = usual(link->server->config.body_grace_ms, HTTP_BODY_GRACE_MS);
    uint64_t due = (uint64_t)ms * HTTP_BODY_RATE_MIN / 1000;
    bool paused = link->req && link->req->paused;
    if (!paused && link->got - link->window < due) {
        refuse(link, 408, "body too slow", HTTP_ABORT_SLOW);
        return;
    }
    link->window = link->phase == HTTP_PHASE_DISCARD ? link->window : link->got;
    conn_timeout(link->base.conn, ms);
}

static void on_timeout(void *owner)
{
    struct http_link *link = owner;
    life_enter(&link->base.life);
    switch (link->phase) {
    case HTTP_PHASE_HEAD:
        if (link->scan.at) {
            refuse(link, 408, "head too slow", HTTP_ABORT_SLOW);
        } else {
            http_link_close(link, false);
        }
        break;
    case HTTP_PHASE_BODY: check_rate(link); break;
    case HTTP_PHASE_DISCARD: http_link_close(link, false); break;
    case HTTP_PHASE_ANSWER: break; /* left over from before */
    }
    life_leave(&link->base.life, link);
}

static const struct conn_calls conn_calls = {
    .on_read = on_read,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_timeout = on_timeout,
    .on_eof = on_eof,
};

void http_link_accept(void *owner, int fd, const struct address *peer)
{
    struct http_server *server = owner;
    struct conn_config config = {
        .base = server->config.base,
        .calls = &conn_calls,
        .tls = server->config.tls,
        .stalled_ms = server->config.stalled_ms,
    };
    struct http_link *link = (struct http_link *)server_take(
        &server->base, sizeof(struct http_link), &config, fd, peer);
    if (link) {
        link->server = server;
        conn_timeout(link->base.conn, usual(server->config.head_ms, HTTP_HEAD_MS));
    }
}

/* --- the request ------------------------------------------------------------------------ */

void http_req_take(struct http_req *req, const struct http_req_calls *calls, void *owner)
{
    req->calls = calls;
    req->owner = owner;
}

void http_req_pause(struct http_req *req)
{
    req->paused = true;
    conn_pause(req->link->base.conn);
}

void http_req_resume(struct http_req *req)
{
    if (!req->paused) {
        return;
    }
    req->paused = false;
    if (req->link->phase == HTTP_PHASE_BODY) {
        send_continue(req->link);
        conn_resume(req->link->base.conn);
    }
}
