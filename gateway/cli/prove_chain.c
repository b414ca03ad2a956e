/*
 * What the chain holds of a consent, with its proof.
 *
 * A node isn't believed: the header is put together anew and its hash compared, and the proofs
 * must lead from it to the two words. A node that lies makes a package whose block nobody
 * confirms.
 */
#include "gateway/cli/prove.h"

#include "anchor/contracts/contracts_generated.h"
#include "anchor/eth_call.h"
#include "anchor/eth_header.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/rpc.h"

#include <errno.h>
#include <sysexits.h>

enum {
    PARAMS_MAX = 1024,
    TAG_MAX = 24,
    CANDIDATES = 4,
    NODE_MAX = 4096,   /* bytes of a trie node */
    EMBEDDED_MAX = 31, /* shorter nodes stand inside the one before */
};

struct rpc *prove_nodes(struct cli_session *s)
{
    const struct config_ledger *ledger = s->config->ledger;
    const struct rpc_config config = {
        .base = s->loop,
        .urls = ledger->endpoints.items,
        .count = ledger->endpoints.n,
        .chain = (uint64_t)ledger->chain_id,
    };
    return rpc_new(&config);
}

/* --- asking ------------------------------------------------------------------------------- */

typedef int (*take_fn)(void *owner, const struct node *result);

struct ask {
    struct cli_answer answer;
    take_fn take;
    void *owner;
};

static void on_answer(void *owner, const struct rpc_answer *answer)
{
    struct ask *ask = owner;
    cli_on_end(&ask->answer,
               answer->error == RPC_OK ? ask->take(ask->owner, answer->result) : -EREMOTEIO);
}

static int call(struct cli_session *s, struct rpc *rpc, const struct rpc_ask *what,
                struct ask *ask)
{
    return cli_wait(s, rpc_call(rpc, what, on_answer, ask), &ask->answer);
}

/* A block as a node tells it. */
struct block {
    struct arena *arena;
    struct str rlp;
    struct eth_header header;
};

static int take_block(void *owner, const struct node *result)
{
    struct block *block = owner;
    struct buf rlp = arena_buf(block->arena, ETH_HEADER_SIZE_MAX);
    int r = answers_header(result, &rlp);
    if (r < 0) {
        return r;
    }
    block->rlp = buf_str(&rlp);
    return eth_header_read(block->rlp, &block->header) < 0 ? -EBADMSG : 0;
}

static int ask_block(struct cli_session *s, struct rpc *rpc, const char *tag, uint64_t number,
                     struct block *out)
{
    char text[PARAMS_MAX];
    struct buf params = buf_fixed(text, sizeof(text));
    rpc_put_block(&params, tag, number);
    out->arena = s->arena;
    struct ask ask = { .take = take_block, .owner = out };
    const struct rpc_ask what = {
        .method = "eth_getBlockByNumber",
        .params = buf_str(&params),
        .endpoint = RPC_ANY,
    };
    int r = call(s, rpc, &what, &ask);
    return r == 0 && !tag && out->header.number != number ? -EBADMSG : r;
}

int prove_block(struct cli_session *s, struct rpc *rpc, uint64_t number,
                struct evidence_block *out)
{
    struct block block;
    int r = ask_block(s, rpc, NULL, number, &block);
    if (r == 0) {
        out->number = number;
        memcpy(out->hash, block.header.hash, sizeof(out->hash));
    }
    return r;
}

/* --- the state of one consent ------------------------------------------------------------- */

struct state {
    struct arena *arena;
    const struct record_consent *claim;
    struct block block;
    struct evidence_consent proof;
    struct eth_consent found;
};

static int take_nodes(struct arena *arena, const struct node *list, struct evidence_nodes *out)
{
    struct str *nodes = arena_calloc(arena, TRIE_NODES_MAX, sizeof(*nodes));
    size_t n = 0;
    if (!nodes) {
        return -ENOMEM;
    }
    if (!node_is(list, NODE_ARRAY)) {
        return -EBADMSG;
    }
    for (const struct node *node = node_first(list); node; node = node->next) {
        struct buf bytes = arena_buf(arena, NODE_MAX);
        int r = answers_data(node, &bytes);
        if (r < 0 || n == TRIE_NODES_MAX) {
            return r < 0 ? r : -EBADMSG;
        }
        /* Some nodes list these too. */
        if (n == 0 || bytes.n > EMBEDDED_MAX) {
            nodes[n++] = buf_str(&bytes);
        }
    }
    *out = (struct evidence_nodes){ .nodes = nodes, .count = n };
    return 0;
}

/* Does what was told lead from the header to the consent's words? */
static int check_state(struct state *state)
{
    struct eth_account account;
    uint8_t words[2][32];
    int r =
        trie_check_account(state->block.header.state_root, state->claim->contract,
                           state->proof.account.nodes, state->proof.account.count, &account);
    for (unsigned i = 0; r == 0 && i < 2; i++) {
        uint8_t slot[32];
        trie_mapping_slot(state->claim->id, CONTRACTS_REGISTRY_SLOT_RECORDS, i, slot);
        r = trie_check_slot(account.storage_root, slot, state->proof.slots[i].nodes,
                            state->proof.slots[i].count, words[i]);
    }
    if (r != 0) {
        return -EBADMSG;
    }
    eth_consent_from_slots(words[0], words[1], &state->found);
    return 0;
}

static int take_state(void *owner, const struct node *result)
{
    struct state *state = owner;
    const struct node *slot = node_first(node_get(result, "storageProof"));
    int r = take_nodes(state->arena, node_get(result, "accountProof"), &state->proof.account);
    for (size_t i = 0; r == 0 && i < 2; i++) {
        r = slot ? take_nodes(state->arena, node_get(slot, "proof"), &state->proof.slots[i])
                 : -EBADMSG;
        slot = slot ? slot->next : NULL;
    }
    return r == 0 ? check_state(state) : r;
}

static int ask_state(struct cli_session *s, struct rpc *rpc, struct state *state)
{
    char text[PARAMS_MAX];
    struct buf params = buf_fixed(text, sizeof(text));
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    rpc_put_data(&w, NULL, str_of(state->claim->contract, sizeof(state->claim->contract)));
    json_array(&w, NULL);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t slot[32];
        trie_mapping_slot(state->claim->id, CONTRACTS_REGISTRY_SLOT_RECORDS, i, slot);
        rpc_put_data(&w, NULL, str_of(slot, sizeof(slot)));
    }
    json_end(&w);
    rpc_put_quantity(&w, NULL, state->block.header.number);
    json_end(&w);
    struct ask ask = { .take = take_state, .owner = state };
    const struct rpc_ask what = {
        .method = "eth_getProof",
        .params = buf_str(&params),
        .endpoint = RPC_ANY,
    };
    return call(s, rpc, &what, &ask);
}

/* Does the state bear out what the record says it relied on? */
static bool bears_out(const struct state *state, const struct record *record)
{
    const struct eth_consent *found = &state->found;
    uint64_t seconds = record->time / 1000;
    return found->version == state->claim->version && !found->revoked &&
           memcmp(found->commitment, state->claim->commitment, sizeof(found->commitment)) ==
               0 &&
           found->valid_from <= seconds && seconds < found->valid_until;
}

/* --- choosing the block ------------------------------------------------------------------- */

static int prove_one(struct cli_session *s, struct rpc *rpc, const struct record *record,
                     size_t index, uint64_t near, struct evidence_consent *out)
{
    const struct record_consent *claim = &record->consents[index];
    const struct {
        const char *tag;
        uint64_t number;
    } candidates[CANDIDATES] = {
        { NULL, near },
        { NULL, claim->block },
        { "safe", 0 },
        { "latest", 0 },
    };
    int found = -EREMOTEIO;
    for (size_t i = 0; i < CANDIDATES; i++) {
        struct state state = { .arena = s->arena, .claim = claim };
        if (!candidates[i].tag && candidates[i].number < claim->block) {
            continue;
        }
        int r = ask_block(s, rpc, candidates[i].tag, candidates[i].number, &state.block);
        if (r == -ENOMEM) {
            return r;
        }
        if (r < 0 || state.block.header.number < claim->block ||
            ask_state(s, rpc, &state) < 0) {
            continue;
        }
        state.proof.header = state.block.rlp;
        *out = state.proof;
        found = 0;
        if (bears_out(&state, record)) {
            break; /* else a later change is seen: an earlier block may be kept yet */
        }
    }
    return found;
}

int prove_consents(struct cli_session *s, struct rpc *rpc, const struct record *record,
                   uint64_t near, struct evidence_consent *out)
{
    for (size_t i = 0; i < record->consent_count; i++) {
        int r = prove_one(s, rpc, record, i, near, &out[i]);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}
