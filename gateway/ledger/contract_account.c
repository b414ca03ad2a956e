/*
 * One call of isValidSignature(). Only its four magic bytes, padded with zeros, are a yes; a
 * contract that reverts, answers anything else or isn't there says no.
 */
#include "gateway/ledger/contract_account.h"

#include "anchor/abi.h"
#include "crypto/base/hex.h"
#include "gateway/heap.h"
#include "gateway/ledger/sender_ask.h"

#include <errno.h>

enum {
    CALL_MAX = ABI_SELECTOR_SIZE + 3 * ABI_WORD + CONTRACT_SIGNATURE_MAX + ABI_WORD,
};

static const char function[] = "isValidSignature(bytes32,bytes)";

int contract_account_read(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    uint8_t yes[ABI_WORD] = { 0 };
    uint8_t word[ABI_WORD];
    if (!node_is(result, NODE_STRING)) {
        return -EBADMSG;
    }
    abi_selector(function, yes);
    bool is = hex_decode_0x(result->text, word, sizeof(word)) == 0 &&
              memcmp(word, yes, sizeof(yes)) == 0;
    buf_c(out, is ? 'y' : 'n');
    return 0;
}

struct op *contract_account_ask(struct rpc *rpc, const struct contract_account *account,
                                quorum_fn done, void *owner)
{
    struct buf call = heap_buf(CALL_MAX);
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    size_t start = abi_call(&call, function);
    abi_put(&call, account->digest, sizeof(account->digest));
    size_t slot = abi_slot(&call);
    abi_point(&call, start, slot);
    abi_put_bytes(&call, account->signature);
    sender_put_call(&params, NULL, account->address, buf_str(&call));
    struct quorum_ask ask = { .method = "eth_call",
                              .params = buf_str(&params),
                              .read = contract_account_read };
    struct op *op =
        buf_failed(&call) || buf_failed(&params) ? NULL : quorum_call(rpc, &ask, done, owner);
    heap_buf_free(&call);
    heap_buf_free(&params);
    return op;
}

int contract_account_signed(const struct quorum_answer *answer)
{
    if (answer->r == -EREMOTEIO && answer->error == RPC_E_REVERT) {
        return -EBADMSG;
    }
    if (answer->r < 0) {
        return -EAGAIN;
    }
    return str_eq(answer->bytes, STR("y")) ? 0 : -EBADMSG;
}
