/*
 * Answers of JSON-RPC, good and bad.
 *
 * Nodes agree on the form of an error and on the code of a revert, and on nothing else: what an
 * error means is in its English text. The words below are those of geth, anvil, Besu,
 * Nethermind and Erigon.
 */
#include "gateway/ledger/rpc.h"

#include "anchor/abi.h"
#include "anchor/contracts/contracts_generated.h"
#include "crypto/base/hex.h"
#include "fhir/format/json.h"

#include <string.h>

enum {
    CODE_REVERT = 3,
    CODE_METHOD = -32601,
    CODE_LIMIT = -32005,
};

static const struct {
    const char *words;
    enum rpc_error error;
} meanings[] = {
    { "already known", RPC_E_KNOWN },
    { "already imported", RPC_E_KNOWN },
    { "known transaction", RPC_E_KNOWN },
    { "nonce too low", RPC_E_NONCE_LOW },
    { "nonce is too low", RPC_E_NONCE_LOW },
    { "nonce below", RPC_E_NONCE_LOW },
    { "less than block base fee", RPC_E_FEE_LOW },
    { "below the base fee", RPC_E_FEE_LOW },
    { "feecap", RPC_E_FEE_LOW },
    { "replacement transaction underpriced", RPC_E_UNDERPRICED },
    { "underpriced", RPC_E_UNDERPRICED },
    { "insufficient funds", RPC_E_FUNDS },
    { "upfront cost exceeds", RPC_E_FUNDS },
    { "blockoutofrange", RPC_E_RANGE },
    { "unknown block", RPC_E_RANGE },
    { "block not found", RPC_E_RANGE },
    { "header not found", RPC_E_RANGE },
    { "beyond current head", RPC_E_RANGE },
    { "invalid block range", RPC_E_RANGE },
    { "query returned more than", RPC_E_TOO_MANY },
    { "too many", RPC_E_TOO_MANY },
    { "limit exceeded", RPC_E_TOO_MANY },
    { "exceed maximum block range", RPC_E_TOO_MANY },
    { "block range is too", RPC_E_TOO_MANY },
    { "response size", RPC_E_TOO_MANY },
    { "method not found", RPC_E_METHOD },
    { "execution reverted", RPC_E_REVERT },
};

static const char *const texts[] = {
    [RPC_OK] = "ok",
    [RPC_E_TRANSPORT] = "transport",
    [RPC_E_ANSWER] = "answer",
    [RPC_E_CHAIN] = "chain",
    [RPC_E_REVERT] = "revert",
    [RPC_E_KNOWN] = "known",
    [RPC_E_NONCE_LOW] = "nonce-low",
    [RPC_E_UNDERPRICED] = "underpriced",
    [RPC_E_FEE_LOW] = "fee-low",
    [RPC_E_FUNDS] = "funds",
    [RPC_E_RANGE] = "range",
    [RPC_E_TOO_MANY] = "too-many",
    [RPC_E_METHOD] = "method",
    [RPC_E_OTHER] = "other",
};

const char *rpc_error_text(enum rpc_error error)
{
    return texts[error];
}

/* Does @text hold @words, in letters of any size? */
static bool holds(struct str text, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= text.n; i++) {
        size_t k = 0;
        while (k < n) {
            char c = text.p[i + k];
            c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
            if (c != words[k]) {
                break;
            }
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return false;
}

static enum rpc_error meaning(int64_t code, struct str message)
{
    if (code == CODE_REVERT) {
        return RPC_E_REVERT;
    }
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        if (holds(message, meanings[i].words)) {
            return meanings[i].error;
        }
    }
    switch (code) {
    case CODE_METHOD: return RPC_E_METHOD;
    case CODE_LIMIT: return RPC_E_TOO_MANY;
    default: return RPC_E_OTHER;
    }
}

/* The custom error that begins with this selector. */
static const char *error_name(const uint8_t selector[ABI_SELECTOR_SIZE])
{
    const struct contracts_error *const tables[] = { contracts_registry_errors,
                                                     contracts_anchor_errors };
    uint32_t number = (uint32_t)selector[0] << 24 | (uint32_t)selector[1] << 16 |
                      (uint32_t)selector[2] << 8 | selector[3];
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (const struct contracts_error *e = tables[t]; e->signature; e++) {
            if (e->selector == number) {
                return e->signature;
            }
        }
    }
    return "";
}

static void read_error(const struct node *error, struct rpc_answer *out)
{
    int64_t code = 0;
    uint8_t selector[ABI_SELECTOR_SIZE];
    if (!node_is(error, NODE_OBJECT) || !node_integer(node_get(error, "code"), &code)) {
        out->error = RPC_E_ANSWER;
        return;
    }
    out->code = code;
    out->error = meaning(code, node_text(error, "message"));
    struct str data = node_text(error, "data");
    if (out->error == RPC_E_REVERT &&
        hex_decode_0x(str_slice(data, 0, 2 + 2 * ABI_SELECTOR_SIZE), selector,
                      sizeof(selector)) == 0) {
        out->revert = error_name(selector);
    }
}

/*
 * Nodes show the bytes of a contract's refusal as text, U+0000 and all, which our reader of
 * JSON refuses. Nothing of such text is used, so it becomes U+0001, in a copy.
 */
static int without_nul(struct arena *arena, struct str *body)
{
    static const char escape[] = "u0000";
    if (!body->n || !memmem(body->p, body->n, "\\u0000", sizeof(escape))) {
        return 0;
    }
    char *p = arena_alloc(arena, body->n);
    if (!p) {
        return -1;
    }
    memcpy(p, body->p, body->n);
    for (size_t i = 0; i + sizeof(escape) <= body->n; i++) {
        if (p[i] != '\\') {
            continue;
        }
        i++;
        if (memcmp(p + i, escape, sizeof(escape) - 1) == 0) {
            p[i + sizeof(escape) - 2] = '1';
        }
    }
    *body = str_of(p, body->n);
    return 0;
}

void rpc_read(struct arena *arena, struct str body, uint64_t id, struct rpc_answer *out)
{
    struct issues issues;
    const struct node *root;
    int64_t got;
    *out = (struct rpc_answer){ .error = RPC_E_ANSWER, .revert = "" };
    issues_init(&issues, arena);
    if (without_nul(arena, &body) < 0 || json_parse(arena, body, &issues, &root) != 0 ||
        !node_is(root, NODE_OBJECT) || !str_eq(node_text(root, "jsonrpc"), STR("2.0")) ||
        !node_integer(node_get(root, "id"), &got) || got < 0 || (uint64_t)got != id) {
        return;
    }
    const struct node *error = node_get(root, "error");
    const struct node *result = node_get(root, "result");
    if (error && error->kind != NODE_NULL) {
        read_error(error, out);
    } else if (result) {
        out->error = RPC_OK;
        out->result = result;
    }
}
