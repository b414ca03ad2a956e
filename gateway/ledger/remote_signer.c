/*
 * The signature is taken out of the answer, and the transaction put together anew with it: only
 * if that gives the same bytes, and the account is who signed, is it what was asked for.
 */
#include "gateway/ledger/remote_signer.h"

#include "anchor/rlp.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIGNED_FIELDS = 9, /* before the signature */
    TYPE_FEE_MARKET = 2,
};

struct remote_signer {
    struct rpc *rpc; /* owned; of one endpoint */
    uint8_t address[ETH_ADDRESS_SIZE];
};

struct call {
    struct op op;
    struct remote_signer *signer;
    const struct eth_tx *tx;
    struct op *ask;
    remote_signed_fn done;
    void *owner;
};

/* A number of at most 32 bytes, filled up in front. */
static int read_word(struct str *rest, uint8_t out[32])
{
    struct str text;
    if (rlp_string(rest, &text) < 0 || text.n > 32) {
        return -EBADMSG;
    }
    memset(out, 0, 32);
    if (text.n) {
        memcpy(out + 32 - text.n, text.p, text.n);
    }
    return 0;
}

static int read_signature(struct str raw, struct secp_signature *out)
{
    struct str rest;
    struct rlp field;
    uint64_t v;
    if (raw.n == 0 || raw.p[0] != TYPE_FEE_MARKET ||
        rlp_only_list(str_slice(raw, 1, raw.n), &rest) < 0) {
        return -EBADMSG;
    }
    for (int i = 0; i < SIGNED_FIELDS; i++) {
        if (rest.n == 0 || rlp_next(&rest, &field) < 0) {
            return -EBADMSG;
        }
    }
    if (rest.n == 0 || rlp_u64(&rest, &v) < 0 || v > 1 || rest.n == 0 ||
        read_word(&rest, out->r) < 0 || rest.n == 0 || read_word(&rest, out->s) < 0) {
        return -EBADMSG;
    }
    out->v = (uint8_t)v;
    return 0;
}

int remote_signer_check(const struct eth_tx *tx, const uint8_t address[ETH_ADDRESS_SIZE],
                        struct str raw)
{
    struct secp_signature signature;
    uint8_t digest[DIGEST_SIZE];
    uint8_t from[SECP_ADDRESS_SIZE];
    if (read_signature(raw, &signature) < 0) {
        return -EBADMSG;
    }
    struct buf own = heap_buf(tx->data.n + (size_t)2 * ETH_TX_ROOM);
    int r = eth_tx_digest(tx, &own, digest);
    eth_tx_put(tx, &signature, &own);
    if (r == 0 && buf_failed(&own)) {
        r = -ENOMEM;
    }
    if (r == 0 && (!str_eq(buf_str(&own), raw) || secp_recover(digest, &signature, from) < 0 ||
                   memcmp(from, address, sizeof(from)) != 0)) {
        r = -EBADMSG;
    }
    heap_buf_free(&own);
    return r;
}

static void on_cancel(struct op *op)
{
    struct call *call = (struct call *)op;
    op_cancel(call->ask);
    free(call);
}

static int read_answer(const struct call *call, const struct rpc_answer *answer,
                       struct buf *raw)
{
    if (answer->error != RPC_OK) {
        return answer->error == RPC_E_TRANSPORT ? -ENOTCONN : -EACCES;
    }
    /* Some answer with an object that has both. */
    const struct node *text = node_get(answer->result, "raw");
    int r = answers_data(text ? text : answer->result, raw);
    return r ? r : remote_signer_check(call->tx, call->signer->address, buf_str(raw));
}

static void on_answer(void *owner, const struct rpc_answer *answer)
{
    struct call *call = owner;
    struct buf raw = heap_buf(call->tx->data.n + (size_t)2 * ETH_TX_ROOM);
    int r = read_answer(call, answer, &raw);
    remote_signed_fn done = call->done;
    void *whose = call->owner;
    free(call);
    done(whose, r, r == 0 ? buf_str(&raw) : (struct str){ 0 });
    heap_buf_free(&raw);
}

static void put_tx(const struct call *call, struct buf *out)
{
    const struct eth_tx *tx = call->tx;
    struct json_writer w = json_writer(out);
    json_array(&w, NULL);
    json_object(&w, NULL);
    rpc_put_data(&w, "from", str_of(call->signer->address, ETH_ADDRESS_SIZE));
    if (!tx->create) {
        rpc_put_data(&w, "to", str_of(tx->to, ETH_ADDRESS_SIZE));
    }
    rpc_put_quantity(&w, "gas", tx->gas);
    rpc_put_quantity(&w, "maxPriorityFeePerGas", tx->tip);
    rpc_put_quantity(&w, "maxFeePerGas", tx->max_fee);
    rpc_put_quantity(&w, "nonce", tx->nonce);
    rpc_put_quantity(&w, "value", tx->value);
    rpc_put_data(&w, "data", tx->data);
    json_end(&w);
    json_end(&w);
}

struct op *remote_signer_sign(struct remote_signer *signer, const struct eth_tx *tx,
                              remote_signed_fn done, void *owner)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        return NULL;
    }
    *call = (struct call){
        .op.cancel = on_cancel, .signer = signer, .tx = tx, .done = done, .owner = owner
    };
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    put_tx(call, &params);
    struct rpc_ask ask = { "eth_signTransaction", buf_str(&params), 0 };
    call->ask = buf_failed(&params) ? NULL : rpc_call(signer->rpc, &ask, on_answer, call);
    heap_buf_free(&params);
    if (!call->ask) {
        free(call);
        return NULL;
    }
    return &call->op;
}

struct remote_signer *remote_signer_new(struct event_base *base, const char *url,
                                        const uint8_t address[ETH_ADDRESS_SIZE])
{
    struct remote_signer *signer = calloc(1, sizeof(*signer));
    if (!signer) {
        return NULL;
    }
    const char *urls[] = { url };
    struct rpc_config config = { .base = base, .urls = urls, .count = 1, .no_chain = true };
    memcpy(signer->address, address, sizeof(signer->address));
    signer->rpc = rpc_new(&config);
    if (!signer->rpc) {
        free(signer);
        return NULL;
    }
    return signer;
}

void remote_signer_free(struct remote_signer *signer)
{
    if (signer) {
        rpc_free(signer->rpc);
        free(signer);
    }
}
