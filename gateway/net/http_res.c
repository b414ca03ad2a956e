/*
 * Answers of an HTTP server.
 *
 * The head is held back and leaves with the first bytes of the body. A chunk's closing CR LF
 * leaves with the next chunk or the end, so that a piece costs one system call.
 */
#include "gateway/clock.h"
#include "gateway/net/http_server_impl.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static const struct str crlf = { .p = "\r\n", .n = 2 };

/* Space for one head at a time. */
static char space[2 * HTTP_HEAD_MAX];

const struct http_head *http_req_head(const struct http_req *req)
{
    return &req->head;
}

bool http_req_has_body(const struct http_req *req)
{
    return req->head.framing == HTTP_BODY_CHUNKED || req->head.length > 0;
}

int64_t http_req_length(const struct http_req *req)
{
    return req->head.framing == HTTP_BODY_CHUNKED ? HTTP_LENGTH_UNKNOWN
                                                  : (int64_t)req->head.length;
}

const struct address *http_req_peer(const struct http_req *req)
{
    return conn_peer(req->link->base.conn);
}

const struct tls_peer *http_req_tls_peer(const struct http_req *req)
{
    return conn_tls_peer(req->link->base.conn);
}

/* The field Date; its text changes once a second. */
static void put_date(struct buf *b)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    static char text[64];
    static int64_t second = -1;
    static size_t n;
    int64_t now = clock_utc_ms() / 1000;
    if (now != second) {
        time_t at = (time_t)now;
        struct tm tm;
        if (!gmtime_r(&at, &tm)) {
            return;
        }
        int got = snprintf(text, sizeof(text), "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
                           days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
                           tm.tm_hour, tm.tm_min, tm.tm_sec);
        n = got > 0 && (size_t)got < sizeof(text) ? (size_t)got : 0;
        second = now;
    }
    buf_put(b, text, n);
}

static void put_connection(struct buf *b, const struct http_link *link, int minor)
{
    if (link->last) {
        buf_str_put(b, STR("Connection: close\r\n"));
    } else if (minor == 0) {
        buf_str_put(b, STR("Connection: keep-alive\r\n"));
    }
}

/* Whether what is left of the body may be thrown away to keep the connection. */
static bool rest_is_small(const struct http_link *link)
{
    return link->framing == HTTP_BODY_LENGTH && link->left <= HTTP_UNREAD_MAX;
}

static void decide_framing(struct http_req *req, int status, int64_t length)
{
    struct http_link *link = req->link;
    req->bodiless = req->head.method == HTTP_HEAD || status == 204 || status == 304;
    req->chunked = length < 0 && req->head.minor > 0;
    req->answer_left = length;
    if (link->server->base.draining || (length < 0 && req->head.minor == 0 && !req->bodiless) ||
        (link->phase == HTTP_PHASE_BODY && (req->expects || !rest_is_small(link)))) {
        link->last = true;
    }
}

static void put_head(struct buf *b, const struct http_req *req, int status,
                     const struct http_field *fields, size_t n)
{
    http1_put_status(b, status);
    put_date(b);
    for (size_t i = 0; i < n; i++) {
        http1_put_field(b, fields[i].name, fields[i].value);
    }
    put_connection(b, req->link, req->head.minor);
    if (status == 204 || (status == 304 && req->answer_left <= 0)) {
        return; /* RFC 9110 section 8.6 */
    }
    if (req->answer_left >= 0) {
        http1_put_length(b, (uint64_t)req->answer_left);
    } else if (req->chunked) {
        http1_put_chunked(b);
    }
}

bool http_res_head(struct http_req *req, int status, const struct http_field *fields, size_t n,
                   int64_t length)
{
    assert(!req->answered && status >= 200 && status < 600);
    struct buf b = buf_fixed(space, sizeof(space));
    decide_framing(req, status, length);
    put_head(&b, req, status, fields, n);
    http1_put_end(&b);
    bool fits = !buf_failed(&b);
    if (!fits) {
        b = buf_fixed(space, sizeof(space));
        decide_framing(req, 500, 0);
        req->bodiless = true;
        put_head(&b, req, 500, NULL, 0);
        http1_put_end(&b);
    }
    req->answered = true;
    conn_write_more(req->link->base.conn, buf_str(&b));
    return fits;
}

static bool write_chunk(struct http_req *req, struct str piece)
{
    char line[2 + 2 * sizeof(size_t) + 2];
    struct buf b = buf_fixed(line, sizeof(line));
    if (req->open_chunk) {
        buf_str_put(&b, crlf);
    }
    http1_put_chunk_size(&b, piece.n);
    req->open_chunk = true;
    conn_write_more(req->link->base.conn, buf_str(&b));
    return conn_write(req->link->base.conn, piece);
}

bool http_res_body(struct http_req *req, struct str piece)
{
    assert(req->answered);
    if (req->bodiless || piece.n == 0) {
        return true;
    }
    if (req->chunked) {
        return write_chunk(req, piece);
    }
    if (req->answer_left >= 0) {
        if (piece.n > (uint64_t)req->answer_left) {
            req->cut = true;
            return true;
        }
        req->answer_left -= (int64_t)piece.n;
    }
    return conn_write(req->link->base.conn, piece);
}

void http_res_flush(struct http_req *req)
{
    (void)conn_write(req->link->base.conn, (struct str){ 0 });
}

void http_res_end(struct http_req *req)
{
    assert(req->answered);
    if (req->cut || (!req->bodiless && req->answer_left > 0)) {
        http_res_cut(req);
        return;
    }
    if (req->chunked && !req->bodiless) {
        if (req->open_chunk) {
            conn_write_more(req->link->base.conn, crlf);
        }
        conn_write_more(req->link->base.conn, http1_chunk_last);
    }
    (void)conn_write(req->link->base.conn, (struct str){ 0 });
    http_link_answered(req->link);
}

void http_res_cut(struct http_req *req)
{
    /* At once: a body that ends by closing must not look complete, so no close_notify. */
    http_link_close(req->link, true);
}

void http_res_full(struct http_req *req, int status, const struct http_field *fields, size_t n,
                   struct str body)
{
    if (http_res_head(req, status, fields, n, (int64_t)body.n)) {
        (void)http_res_body(req, body);
    }
    http_res_end(req);
}

void http_put_refusal(struct http_link *link, int status, const char *reason)
{
    const struct http_server_config *config = &link->server->config;
    char text[HTTP_REFUSAL_MAX];
    struct buf body = buf_fixed(text, sizeof(text));
    const char *type = config->refusal_type;
    if (config->refusal) {
        config->refusal(config->owner, status, reason, &body);
    }
    if (!config->refusal || buf_failed(&body)) {
        body = buf_fixed(text, sizeof(text));
        buf_z(&body, reason);
        buf_c(&body, '\n');
        type = NULL;
    }
    struct buf b = buf_fixed(space, sizeof(space));
    http1_put_status(&b, status);
    put_date(&b);
    buf_str_put(&b, STR("Connection: close\r\n"));
    http1_put_field(&b, STR("Content-Type"), type ? str_z(type) : STR("text/plain"));
    http1_put_length(&b, body.n);
    http1_put_end(&b);
    if (!link->req || link->req->head.method != HTTP_HEAD) {
        buf_str_put(&b, buf_str(&body));
    }
    (void)conn_write(link->base.conn, buf_str(&b));
}
