/*
 * Requests read from a stream of bytes as the server reads them, for tests and fuzzing: the
 * bytes come in pieces, and what one call leaves is shown again with the next.
 */
#pragma once

#include "gateway/net/http1.h"

#include <errno.h>
#include <stdlib.h>

/* What became of a stream. */
enum stream_verdict {
    STREAM_OPEN,     /* it ends within a message */
    STREAM_COMPLETE, /* it ends after a message */
    STREAM_REFUSED,
};

struct stream {
    struct http1_scan scan;
    struct http1_chunks chunks;
    struct http_head head;
    bool in_body;
    uint64_t left;
    uint64_t body; /* bytes of all bodies */
    unsigned messages;
    int status; /* of the refusal */
    const char *reason;
};

/* Take one step; return the bytes used, 0 if more are needed or after a refusal. */
static inline size_t stream_step(struct stream *s, struct str in)
{
    size_t n = 0;
    if (!s->in_body) {
        int r = http1_scan(&s->scan, in, false, &n, &s->reason);
        r = r ? r : http1_request(str_slice(in, 0, n), &s->head, &s->reason);
        if (r) {
            s->status = r == -EAGAIN ? 0 : r;
            return 0;
        }
        s->scan = (struct http1_scan){ 0 };
        s->chunks = (struct http1_chunks){ 0 };
        s->left = s->head.length;
        s->in_body = s->head.framing == HTTP_BODY_CHUNKED || s->left > 0;
        s->messages += !s->in_body;
        return n;
    }
    if (s->head.framing == HTTP_BODY_LENGTH) {
        n = in.n < s->left ? in.n : (size_t)s->left;
        s->left -= n;
        s->body += n;
        s->in_body = s->left > 0;
        s->messages += !s->in_body;
        return n;
    }
    struct str rest = in;
    struct str data = { 0 };
    int r = http1_chunk(&s->chunks, &rest, &data, &s->reason);
    s->body += r == HTTP_CHUNK_DATA ? data.n : 0;
    s->in_body = r != HTTP_CHUNK_END;
    s->messages += r == HTTP_CHUNK_END;
    s->status = r > 0 ? r : 0;
    return r > 0 ? 0 : in.n - rest.n;
}

/* All of @in; what is left over stays with the caller. Returns the bytes used. */
static inline size_t stream_feed(struct stream *s, struct str in)
{
    size_t used = 0;
    while (s->status == 0 && used < in.n) {
        size_t n = stream_step(s, str_slice(in, used, in.n));
        used += n;
        if (n == 0) {
            break;
        }
    }
    return used;
}

static inline enum stream_verdict stream_verdict(const struct stream *s, size_t left)
{
    if (s->status) {
        return STREAM_REFUSED;
    }
    return s->in_body || left ? STREAM_OPEN : STREAM_COMPLETE;
}

/* The verdict on @all that arrives in two pieces, cut at @cut. */
static inline struct stream stream_cut_at(struct str all, size_t cut, enum stream_verdict *out)
{
    struct stream s = { 0 };
    size_t used = stream_feed(&s, str_slice(all, 0, cut));
    used += s.status ? 0 : stream_feed(&s, str_slice(all, used, all.n));
    *out = stream_verdict(&s, all.n - used);
    return s;
}
