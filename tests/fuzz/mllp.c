/*
 * MLLP frames from a stream of bytes. The first byte says where the rest is cut in two; the
 * messages of the pieces must be those of the whole.
 */
#include "gateway/net/mllp.h"
#include "gateway/heap.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MAX = 1000,
};

struct sum {
    unsigned messages;
    uint64_t bytes; /* their content, in order */
    int r;
};

static struct sum decode(struct str all, size_t cut)
{
    struct mllp_decoder d = { .held = heap_buf(MAX), .max = MAX };
    struct sum sum = { .r = -EAGAIN };
    for (int i = 0; i < 2 && sum.r == -EAGAIN; i++) {
        struct str in = i ? str_slice(all, cut, all.n) : str_slice(all, 0, cut);
        struct str message = { 0 };
        while ((sum.r = mllp_decode(&d, &in, &message)) == 0) {
            sum.messages++;
            for (size_t k = 0; k < message.n; k++) {
                sum.bytes = sum.bytes * 31 + (unsigned char)message.p[k];
            }
        }
    }
    heap_buf_free(&d.held);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str all = str_of(data + 1, size - 1);
    struct sum a = decode(all, all.n);
    struct sum b = decode(all, all.n * data[0] / 255);
    bool refused = a.r != -EAGAIN; /* of two errors in one frame, the pieces may show another */
    if (a.messages != b.messages || a.bytes != b.bytes || refused != (b.r != -EAGAIN)) {
        abort();
    }
    return 0;
}
