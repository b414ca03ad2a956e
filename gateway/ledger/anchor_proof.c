/* RLP, because the parts are RLP already and its reader is strict. */
#include "gateway/ledger/anchor_proof.h"

#include "anchor/rlp.h"

#include <errno.h>

void anchor_proof_put(struct buf *b, const struct anchor_proof *proof)
{
    size_t all = rlp_open(b);
    rlp_put_str(b, proof->header);
    rlp_put_u64(b, proof->index);
    size_t nodes = rlp_open(b);
    for (size_t i = 0; i < proof->count; i++) {
        rlp_put_str(b, proof->nodes[i]);
    }
    rlp_close(b, nodes);
    rlp_close(b, all);
}

int anchor_proof_read(struct str bytes, struct anchor_proof *out)
{
    struct anchor_proof got = { 0 };
    struct str rest;
    struct str nodes;
    if (rlp_only_list(bytes, &rest) < 0 || rest.n == 0 || rlp_string(&rest, &got.header) < 0 ||
        rest.n == 0 || rlp_u64(&rest, &got.index) < 0 || rest.n == 0 ||
        rlp_list(&rest, &nodes) < 0 || rest.n != 0) {
        return -EBADMSG;
    }
    while (nodes.n) {
        if (got.count == TRIE_NODES_MAX || rlp_string(&nodes, &got.nodes[got.count]) < 0) {
            return -EBADMSG;
        }
        got.count++;
    }
    *out = got;
    return 0;
}
