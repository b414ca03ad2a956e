/* Writers of heads: what could end a line early never gets into one. */
#include "gateway/net/http1.h"
#include "gateway/net/http1_text.h"

void http1_put_request(struct buf *b, struct str method, struct str target, struct str host)
{
    bool clean = http_is_token(method) && target.n && http1_is_host(host);
    for (size_t i = 0; clean && i < target.n; i++) {
        clean = target.p[i] > ' ' && target.p[i] != 0x7f;
    }
    if (!clean) {
        b->failed = true;
        return;
    }
    buf_str_put(b, method);
    buf_c(b, ' ');
    buf_str_put(b, target);
    buf_str_put(b, STR(" HTTP/1.1\r\nHost: "));
    buf_str_put(b, host);
    buf_str_put(b, STR("\r\n"));
}

void http1_put_status(struct buf *b, int status)
{
    buf_str_put(b, STR("HTTP/1.1 "));
    buf_u64(b, (uint64_t)status);
    buf_c(b, ' ');
    buf_z(b, http_status_text(status));
    buf_str_put(b, STR("\r\n"));
}

void http1_put_field(struct buf *b, struct str name, struct str value)
{
    if (!http_is_token(name) || !http1_all(value, VALUE)) {
        b->failed = true;
        return;
    }
    buf_str_put(b, name);
    buf_str_put(b, STR(": "));
    buf_str_put(b, value);
    buf_str_put(b, STR("\r\n"));
}

void http1_put_length(struct buf *b, uint64_t length)
{
    buf_str_put(b, STR("Content-Length: "));
    buf_u64(b, length);
    buf_str_put(b, STR("\r\n"));
}

void http1_put_chunked(struct buf *b)
{
    buf_str_put(b, STR("Transfer-Encoding: chunked\r\n"));
}

void http1_put_end(struct buf *b)
{
    buf_str_put(b, STR("\r\n"));
}

void http1_put_chunk_size(struct buf *b, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * sizeof(n)];
    size_t at = sizeof(text);
    do {
        text[--at] = digits[n & 15];
        n >>= 4;
    } while (n);
    buf_put(b, &text[at], sizeof(text) - at);
    buf_str_put(b, STR("\r\n"));
}
