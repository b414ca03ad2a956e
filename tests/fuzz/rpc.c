/* Answers of nodes: JSON-RPC, and whatever is read out of a result. */
#include "gateway/ledger/rpc.h"
#include "gateway/heap.h"
#include "gateway/ledger/anchor_proof.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/wallet.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum {
    EVENTS = 8,
    OUT_MAX = 1 << 20,
};

static void read_all(const struct node *result)
{
    static struct store_event events[EVENTS];
    const struct answers_range range = { .to = UINT64_MAX };
    struct store_block block;
    struct answers_receipt receipt;
    struct buf out = heap_buf(OUT_MAX);
    uint64_t number;
    uint64_t tip;
    size_t count = 0;
    if (answers_block(result, &block) == 0 && block.number > INT64_MAX) {
        abort();
    }
    if (answers_events(result, &range, events, EVENTS, &count) == 0 && count > EVENTS) {
        abort();
    }
    (void)!answers_quantity(result, &number);
    (void)!answers_fees(result, &number, &tip);
    (void)!answers_receipt(result, &receipt);
    (void)!answers_data(result, &out);
    out.n = 0;
    (void)!answers_header(result, &out);
    out.n = 0;
    (void)!answers_receipt_put(result, &out);
    heap_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct arena *arena = arena_new(1 << 16);
    struct rpc_answer answer;
    struct keystore store;
    struct anchor_proof proof;
    rpc_read(arena, in, 1, &answer);
    if ((answer.error == RPC_OK) != (answer.result != NULL)) {
        abort();
    }
    for (const struct node *n = answer.result; n; n = node_following(n, answer.result)) {
        read_all(n);
    }
    (void)!wallet_keystore_read(arena, in, &store);
    (void)!anchor_proof_read(in, &proof);
    (void)!remote_signer_check(&(struct eth_tx){ .chain = 1 }, (uint8_t[20]){ 0 }, in);
    arena_free(arena);
    return 0;
}
