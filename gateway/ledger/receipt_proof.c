/* eth_getBlockByHash, then eth_getBlockReceipts of the same block; RLP is made here. */
#include "gateway/ledger/receipt_proof.h"

#include "anchor/eth_header.h"
#include "gateway/heap.h"
#include "gateway/ledger/anchor_proof.h"
#include "gateway/ledger/answers.h"

#include <errno.h>
#include <stdlib.h>

enum {
    RECEIPTS_MAX = 20000, /* of a block */
    RECEIPT_MAX = 4 << 20,
    BLOCK_MAX = 32 << 20, /* bytes of all receipts of a block */
    PARAMS_ROOM = 128,
};

struct fetch {
    struct op op;
    struct rpc *rpc;
    struct receipt_place place;
    struct op *call;
    struct buf header; /* owned */
    uint8_t receipts_root[32];
    receipt_proof_fn done;
    void *owner;
};

static void fetch_free(struct fetch *f)
{
    heap_buf_free(&f->header);
    free(f);
}

static void on_cancel(struct op *op)
{
    struct fetch *f = (struct fetch *)op;
    op_cancel(f->call);
    fetch_free(f);
}

static void finish(struct fetch *f, int r, struct str proof)
{
    f->done(f->owner, r, proof);
    fetch_free(f);
}

static struct op *ask(struct fetch *f, const char *method, bool block, rpc_fn done)
{
    char room[PARAMS_ROOM];
    struct buf params = buf_fixed(room, sizeof(room));
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    rpc_put_data(&w, NULL, str_of(f->place.block, sizeof(f->place.block)));
    if (block) {
        json_bool(&w, NULL, false);
    }
    json_end(&w);
    struct rpc_ask what = { method, buf_str(&params), RPC_ANY };
    return rpc_call(f->rpc, &what, done, f);
}

/* All receipts of the block, as spans of @all; which of them is ours. */
struct receipts {
    struct buf all;     /* owned */
    size_t *ends;       /* owned */
    struct str *values; /* owned */
    size_t count;
    size_t ours; /* count: not there */
};

static void receipts_free(struct receipts *r)
{
    heap_buf_free(&r->all);
    free(r->ends);
    free(r->values);
}

static int read_receipts(const struct fetch *f, const struct node *result, struct receipts *out)
{
    size_t count = 0;
    for (const struct node *n = node_first(result); n; n = n->next) {
        count++;
    }
    if (!node_is(result, NODE_ARRAY) || count > RECEIPTS_MAX) {
        return -EBADMSG;
    }
    out->ours = count;
    out->ends = calloc(count + 1, sizeof(*out->ends));
    out->values = calloc(count + 1, sizeof(*out->values));
    if (!out->ends || !out->values) {
        return -ENOMEM;
    }
    for (const struct node *n = result->first; n; n = n->next) {
        struct answers_receipt receipt;
        if (answers_receipt(n, &receipt) < 0 || receipt.index != out->count ||
            answers_receipt_put(n, &out->all) < 0) {
            return -EBADMSG;
        }
        if (memcmp(receipt.tx, f->place.tx, sizeof(receipt.tx)) == 0) {
            out->ours = out->count;
        }
        out->ends[out->count++] = out->all.n;
    }
    size_t start = 0;
    for (size_t i = 0; i < out->count; i++) {
        out->values[i] = str_slice(buf_str(&out->all), start, out->ends[i]);
        start = out->ends[i];
    }
    return out->ours < out->count ? 0 : -EBADMSG;
}

static int prove(struct fetch *f, const struct receipts *receipts, struct buf *out)
{
    struct trie_proof trie;
    struct anchor_proof proof = { .header = buf_str(&f->header), .index = receipts->ours };
    struct buf memory = heap_buf(0);
    size_t room = receipts->values[receipts->ours].n + (64 << 10);
    char *p = malloc(room);
    if (!p) {
        return -ENOMEM;
    }
    memory = buf_fixed(p, room);
    int r = trie_prove(receipts->values, receipts->count, receipts->ours, &memory, &trie);
    if (r == 0 && memcmp(trie.root, f->receipts_root, sizeof(trie.root)) != 0) {
        r = -EBADMSG;
    }
    if (r == 0) {
        proof.count = trie.count;
        memcpy(proof.nodes, trie.nodes, trie.count * sizeof(trie.nodes[0]));
        anchor_proof_put(out, &proof);
        r = buf_failed(out) ? -ENOMEM : 0;
    }
    free(p);
    return r;
}

static void on_receipts(void *owner, const struct rpc_answer *answer)
{
    struct fetch *f = owner;
    f->call = NULL;
    if (answer->error != RPC_OK) {
        finish(f, -EAGAIN, (struct str){ 0 });
        return;
    }
    struct receipts receipts = { .all = heap_buf(BLOCK_MAX) };
    struct buf out = heap_buf(ANCHOR_PROOF_MAX);
    int r = read_receipts(f, answer->result, &receipts);
    r = r ? r : prove(f, &receipts, &out);
    receipts_free(&receipts);
    finish(f, r, buf_str(&out));
    heap_buf_free(&out);
}

static void on_block(void *owner, const struct rpc_answer *answer)
{
    struct fetch *f = owner;
    struct eth_header header;
    f->call = NULL;
    if (answer->error != RPC_OK || node_is(answer->result, NODE_NULL)) {
        finish(f, -EAGAIN, (struct str){ 0 });
        return;
    }
    if (answers_header(answer->result, &f->header) < 0 ||
        eth_header_read(buf_str(&f->header), &header) < 0 ||
        memcmp(header.hash, f->place.block, sizeof(header.hash)) != 0) {
        finish(f, -EBADMSG, (struct str){ 0 });
        return;
    }
    memcpy(f->receipts_root, header.receipts_root, sizeof(f->receipts_root));
    f->call = ask(f, "eth_getBlockReceipts", false, on_receipts);
    if (!f->call) {
        finish(f, -EAGAIN, (struct str){ 0 });
    }
}

struct op *receipt_proof_fetch(struct rpc *rpc, const struct receipt_place *place,
                               receipt_proof_fn done, void *owner)
{
    struct fetch *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->op.cancel = on_cancel;
    f->rpc = rpc;
    f->place = *place;
    f->header = heap_buf(ETH_HEADER_SIZE_MAX);
    f->done = done;
    f->owner = owner;
    f->call = ask(f, "eth_getBlockByHash", true, on_block);
    if (!f->call) {
        fetch_free(f);
        return NULL;
    }
    return &f->op;
}
