/* RLP and what is made of it: headers, receipts, trie proofs. */
#include "anchor/rlp.h"
#include "anchor/eth_header.h"
#include "anchor/eth_receipt.h"
#include "anchor/trie.h"
#include "crypto/digest.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum {
    DEPTH_MAX = 16,
};

/* What is read must be what would be written. */
static void walk(struct str rest, int depth)
{
    while (rest.n) {
        struct rlp item;
        uint8_t header[9];
        if (rlp_next(&rest, &item) < 0) {
            return;
        }
        size_t n = rlp_header(item.list, item.body.n, header);
        bool bare = !item.list && item.body.n == 1 && item.whole.n == 1;
        if (!bare &&
            (item.whole.n != n + item.body.n || memcmp(item.whole.p, header, n) != 0)) {
            abort();
        }
        if (item.list && depth < DEPTH_MAX) {
            walk(item.body, depth + 1);
        }
    }
}

static void receipt(struct str in)
{
    struct eth_receipt got;
    struct eth_log log;
    struct eth_anchored event;
    if (eth_receipt_read(in, &got) == 0) {
        for (struct str rest = got.logs; rest.n && eth_log_next(&rest, &log) == 0;) {
            (void)!eth_anchored_read(&log, &event);
        }
    }
}

/* The input is the root node; nothing may be found in it but what lies in it. */
static void trie(struct str in)
{
    static const char keys[][3] = { "\x01", "\x80", "\x81\x80" };
    uint8_t root[DIGEST_SIZE];
    digest_keccak256(in, root);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct str got;
        if (trie_check(root, str_z(keys[i]), &in, 1, &got) == 0 &&
            (got.p < in.p || got.p + got.n > in.p + in.n)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct eth_header header;
    walk(in, 0);
    (void)!eth_header_read(in, &header);
    receipt(in);
    trie(in);
    return 0;
}
