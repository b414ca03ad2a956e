/*
 * JSON-RPC 2.0 over HTTP to the nodes of one chain.
 *
 * Each node is pinned to the chain: before it answers anything, and again after each time it
 * couldn't be reached, it must say the right chain id. Nodes are not trusted with more than
 * that: gateway/ledger/quorum.h asks several and takes what most of them say.
 *
 * Spec: JSON-RPC 2.0; Ethereum execution APIs
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"
#include "fhir/format/json_write.h"
#include "fhir/model/node.h"
#include "gateway/op.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RPC_ENDPOINTS_MAX = 8,
    RPC_ANSWER_MAX = 16 << 20, /* bytes of an answer */
    RPC_TIMEOUT_MS = 5000,
    RPC_PARAMS_MAX = 256 << 10,
};

/* Why there's no result. What nodes word differently is told apart here. */
enum rpc_error {
    RPC_OK,
    RPC_E_TRANSPORT,   /* not reached, no answer in time, not HTTP 200 */
    RPC_E_ANSWER,      /* not JSON-RPC, or not the answer to this call */
    RPC_E_CHAIN,       /* node of another chain */
    RPC_E_REVERT,      /* the contract refused; see rpc_answer.revert */
    RPC_E_KNOWN,       /* that transaction is in the pool already */
    RPC_E_NONCE_LOW,   /* that nonce was used */
    RPC_E_UNDERPRICED, /* a replacement must pay more */
    RPC_E_FEE_LOW,     /* below the base fee, or what the node takes */
    RPC_E_FUNDS,       /* the account can't pay */
    RPC_E_RANGE,       /* the block isn't there */
    RPC_E_TOO_MANY,    /* more than the node gives at once */
    RPC_E_METHOD,      /* the node doesn't know the method */
    RPC_E_OTHER,
};

/* "transport", "revert", … for logs. */
const char *rpc_error_text(enum rpc_error error);

/* @result is valid during the call; NULL unless RPC_OK. */
struct rpc_answer {
    enum rpc_error error;
    int64_t code;       /* JSON-RPC's */
    const char *revert; /* name of the contract's error, static; "" if unknown */
    const struct node *result;
};

/**
 * rpc_read() - the answer to a call
 * @arena: for the tree
 * @body:  what came
 * @id:    of the call
 * @out:   always set
 */
void rpc_read(struct arena *arena, struct str body, uint64_t id, struct rpc_answer *out);

struct event_base;
struct rpc;

/* @urls: borrowed until rpc_new() returns. @chain: 0: that of the first node that answers.
 * @no_chain: they are no nodes of a chain, and aren't asked for it. @timeout_ms: 0 takes the
 * usual */
struct rpc_config {
    struct event_base *base;
    const char **urls;
    size_t count;
    uint64_t chain;
    bool no_chain;
    int timeout_ms;
};

/* Resolves the names, which blocks. NULL: the log says why. */
MUST_USE struct rpc *rpc_new(const struct rpc_config *config);

/* No call may be under way. */
void rpc_free(struct rpc *rpc);

size_t rpc_endpoints(const struct rpc *rpc);
struct event_base *rpc_base(const struct rpc *rpc);

/* Node @endpoint is behind the others with its answer: the log says so, until it answers. */
void rpc_late(struct rpc *rpc, size_t endpoint);

/* The chain's id; 0: not known yet. */
uint64_t rpc_chain(const struct rpc *rpc);

#define RPC_ANY ((size_t)-1)

/* @params: a JSON array; copied. @endpoint: RPC_ANY: the first that can be reached */
struct rpc_ask {
    const char *method;
    struct str params;
    size_t endpoint;
};

typedef void (*rpc_fn)(void *owner, const struct rpc_answer *answer);

/* NULL: no memory, or too many calls under way. */
MUST_USE struct op *rpc_call(struct rpc *rpc, const struct rpc_ask *ask, rpc_fn done,
                             void *owner);

/* Values as Ethereum writes them, for params. */
void rpc_put_quantity(struct json_writer *w, const char *name, uint64_t value);
void rpc_put_data(struct json_writer *w, const char *name, struct str bytes);

/* Params of eth_getBlockByNumber, without its transactions: by @tag, or by @number if NULL. */
void rpc_put_block(struct buf *params, const char *tag, uint64_t number);
