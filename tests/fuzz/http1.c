/*
 * Requests from a stream of bytes. The first byte says where the rest is cut in two; the
 * verdict on the pieces must be that on the whole.
 */
#include "gateway/net/http1.h"
#include "tests/fuzz/fuzz.h"
#include "tests/gateway/net/stream.h"

static void as_answer(struct str text)
{
    struct http1_scan scan = { 0 };
    struct http_head head;
    const char *reason = NULL;
    size_t n = 0;
    if (http1_scan(&scan, text, true, &n, &reason) == 0 &&
        http1_answer(str_slice(text, 0, n), HTTP_GET, &head, &reason) == 0 &&
        head.status < 100) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str all = str_of(data + 1, size - 1);
    size_t cut = all.n * data[0] / 255;
    enum stream_verdict whole = STREAM_OPEN;
    enum stream_verdict parts = STREAM_OPEN;
    struct stream a = stream_cut_at(all, all.n, &whole);
    struct stream b = stream_cut_at(all, cut, &parts);
    if (whole != parts || a.messages != b.messages || a.body != b.body ||
        a.status != b.status) {
        abort();
    }
    as_answer(all);
    return 0;
}
