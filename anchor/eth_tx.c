/* Transactions of type 2: 0x02 ‖ rlp([chain, nonce, tip, max fee, gas, to, value, data, access
 * list, …]). */
#include "anchor/eth_tx.h"

#include "anchor/rlp.h"

#include <errno.h>

enum {
    TYPE_FEE_MARKET = 2,
};

/* Type and list, signed if there is a @signature. */
static void put(const struct eth_tx *tx, const struct secp_signature *signature, struct buf *b)
{
    buf_c(b, TYPE_FEE_MARKET);
    size_t list = rlp_open(b);
    rlp_put_u64(b, tx->chain);
    rlp_put_u64(b, tx->nonce);
    rlp_put_u64(b, tx->tip);
    rlp_put_u64(b, tx->max_fee);
    rlp_put_u64(b, tx->gas);
    rlp_put(b, tx->to, tx->create ? 0 : ETH_ADDRESS_SIZE);
    rlp_put_u64(b, tx->value);
    rlp_put_str(b, tx->data);
    size_t access = rlp_open(b);
    rlp_close(b, access);
    if (signature) {
        rlp_put_u64(b, signature->v);
        rlp_put_number(b, signature->r, sizeof(signature->r));
        rlp_put_number(b, signature->s, sizeof(signature->s));
    }
    rlp_close(b, list);
}

int eth_tx_digest(const struct eth_tx *tx, struct buf *scratch, uint8_t out[DIGEST_SIZE])
{
    size_t start = scratch->n;
    put(tx, NULL, scratch);
    if (buf_failed(scratch)) {
        return -ENOMEM;
    }
    digest_keccak256(str_of(scratch->p + start, scratch->n - start), out);
    scratch->n = start;
    return 0;
}

void eth_tx_put(const struct eth_tx *tx, const struct secp_signature *signature, struct buf *b)
{
    put(tx, signature, b);
}

void eth_create_address(const uint8_t from[ETH_ADDRESS_SIZE], uint64_t nonce,
                        uint8_t out[ETH_ADDRESS_SIZE])
{
    char text[64];
    uint8_t digest[DIGEST_SIZE];
    struct buf b = buf_fixed(text, sizeof(text));
    size_t list = rlp_open(&b);
    rlp_put(&b, from, ETH_ADDRESS_SIZE);
    rlp_put_u64(&b, nonce);
    rlp_close(&b, list);
    digest_keccak256(buf_str(&b), digest);
    memcpy(out, &digest[DIGEST_SIZE - ETH_ADDRESS_SIZE], ETH_ADDRESS_SIZE);
}
