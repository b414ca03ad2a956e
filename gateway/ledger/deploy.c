/*
 * One transaction after the other, each mined before the next is signed. The addresses follow
 * from account and nonce, so they are known beforehand.
 *
 *   survey --> plan: every step, its gas and cost --> enough in the account? --> the same, sent
 *                |--dry run--> done
 */
#include "gateway/ledger/deploy.h"

#include "anchor/abi.h"
#include "anchor/contracts/contracts_generated.h"
#include "anchor/eth_call.h"
#include "crypto/digest.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/quorum.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/ledger/wallet.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    DATA_MAX = 64 << 10,
    POLL_MS = 100,
    GAS_MARGIN = 4, /* a quarter more than estimated */
    /* At most, of calls that can't be estimated before there is a contract. */
    GRANT_ROLE_GAS = 80000,
    REGISTER_GAS = 130000,
    QUANTITY_U64 = 18, /* "0x" and as many digits as fit */
};

struct site {
    struct event_base *base; /* owned */
    struct rpc *rpc;         /* owned */
    struct wallet wallet;    /* owned */
    char *why;
    bool planning; /* nothing is sent */
    struct deploy_result *plan;
    /* of the call under way */
    bool ended;
    int r;
    enum rpc_error error;
    struct buf *out;
};

static int complain(struct site *site, const char *what, const char *detail)
{
    (void)snprintf(site->why, DEPLOY_WHY_MAX, "%s: %s", what, detail);
    return -EIO;
}

static void on_answer(void *owner, const struct quorum_answer *answer)
{
    struct site *site = owner;
    site->ended = true;
    site->r = answer->r;
    site->error = answer->error;
    if (answer->r == 0) {
        buf_str_put(site->out, answer->bytes);
    } else {
        (void)snprintf(site->why, DEPLOY_WHY_MAX, "%s%s%s", rpc_error_text(answer->error),
                       answer->revert && *answer->revert ? " " : "",
                       answer->revert ? answer->revert : "");
    }
}

/* One call; what @read makes of the answer replaces the content of @out. */
static int ask(struct site *site, const struct quorum_ask *what, struct buf *out)
{
    site->ended = false;
    site->out = out;
    out->n = 0;
    if (!quorum_call(site->rpc, what, on_answer, site)) {
        return complain(site, what->method, "no memory");
    }
    while (!site->ended) {
        (void)event_base_loop(site->base, EVLOOP_ONCE);
    }
    return site->r;
}

static int read_fees(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    uint64_t got[2];
    int r = answers_fees(result, &got[0], &got[1]);
    if (r == 0) {
        buf_put(out, got, sizeof(got));
    }
    return r;
}

static int read_data(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    return answers_data(result, out);
}

static int ask_u64(struct site *site, const char *method, struct str params, uint64_t *out)
{
    struct buf got = buf_fixed(out, sizeof(*out));
    struct quorum_ask what = { .method = method, .params = params, .read = sender_read_u64 };
    return ask(site, &what, &got);
}

static void put_call(const struct site *site, const struct eth_tx *tx, struct buf *out)
{
    bool known = site->wallet.signer || site->wallet.remote;
    sender_put_call(out, known ? site->wallet.address : NULL, tx->create ? NULL : tx->to,
                    tx->data);
}

static int estimate(struct site *site, struct eth_tx *tx)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    put_call(site, tx, &params);
    uint64_t gas = 0;
    int r = ask_u64(site, "eth_estimateGas", buf_str(&params), &gas);
    tx->gas = gas + gas / GAS_MARGIN;
    heap_buf_free(&params);
    return r;
}

static int set_fees(struct site *site, struct eth_tx *tx)
{
    uint64_t got[2] = { 0 };
    struct buf out = buf_fixed(got, sizeof(got));
    struct quorum_ask what = { .method = "eth_feeHistory",
                               .params = STR("[\"0x5\",\"latest\",[50]]"),
                               .read = read_fees };
    int r = ask(site, &what, &out);
    struct wallet_fees fees = wallet_fees_of(got[0], got[1], &wallet_caps_usual);
    tx->tip = fees.tip;
    tx->max_fee = fees.max_fee;
    return r;
}

static int await(struct site *site, const uint8_t hash[32])
{
    char room[128];
    struct buf params = buf_fixed(room, sizeof(room));
    sender_put_one(&params, str_of(hash, 32), NULL);
    struct quorum_ask what = { .method = "eth_getTransactionReceipt",
                               .params = buf_str(&params),
                               .read = sender_read_receipt };
    struct answers_receipt receipt;
    int64_t end = clock_mono_ms() + DEPLOY_WAIT_MS;
    while (clock_mono_ms() < end) {
        struct buf got = buf_fixed(&receipt, sizeof(receipt));
        int r = ask(site, &what, &got);
        if (r < 0) {
            return r;
        }
        if (got.n) {
            return receipt.success ? 0 : complain(site, "transaction", "failed on chain");
        }
        struct timeval pause = { .tv_usec = POLL_MS * 1000L };
        (void)event_base_loopexit(site->base, &pause);
        (void)event_base_dispatch(site->base);
    }
    return complain(site, "transaction", "not mined in time");
}

static void on_signed(void *owner, int r, struct str raw)
{
    struct site *site = owner;
    site->ended = true;
    site->r = r;
    if (r == 0) {
        buf_str_put(site->out, raw);
    }
}

/* By the key that is here, or by the signer that has it. */
static int sign(struct site *site, const struct eth_tx *tx, struct buf *raw, uint8_t hash[32])
{
    if (!site->wallet.remote) {
        return wallet_sign(&site->wallet, tx, raw, hash);
    }
    site->ended = false;
    site->out = raw;
    if (!remote_signer_sign(site->wallet.remote, tx, on_signed, site)) {
        return complain(site, "signer", "no memory");
    }
    while (!site->ended) {
        (void)event_base_loop(site->base, EVLOOP_ONCE);
    }
    if (site->r < 0) {
        return complain(site, "signer",
                        site->r == -EBADMSG ? "gave another transaction, or another signature"
                                            : strerror(-site->r));
    }
    digest_keccak256(buf_str(raw), hash);
    return 0;
}

/* Sign, send, wait. */
static int transact(struct site *site, struct eth_tx *tx)
{
    uint8_t hash[32];
    int r = estimate(site, tx);
    r = r ? r : set_fees(site, tx);
    if (r) {
        return r;
    }
    struct buf raw = heap_buf(DATA_MAX);
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    r = sign(site, tx, &raw, hash);
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    rpc_put_data(&w, NULL, buf_str(&raw));
    json_end(&w);
    struct buf none = buf_fixed(NULL, 0);
    struct quorum_ask what = { .method = "eth_sendRawTransaction",
                               .params = buf_str(&params),
                               .read = sender_read_any };
    r = r ? r : ask(site, &what, &none);
    r = r == -EREMOTEIO && site->error == RPC_E_KNOWN ? 0 : r;
    r = r ? r : await(site, hash);
    tx->nonce++;
    heap_buf_free(&raw);
    heap_buf_free(&params);
    return r;
}

static void put_code(struct buf *b, const uint8_t *code, size_t n)
{
    b->n = 0;
    buf_put(b, code, n);
}

static uint64_t cost_of(uint64_t gas, uint64_t max_fee)
{
    uint64_t cost;
    return __builtin_mul_overflow(gas, max_fee, &cost) ? UINT64_MAX : cost;
}

/* What @tx would take; @gas: at most, 0: to be estimated. */
static int note(struct site *site, struct eth_tx *tx, const char *what, uint64_t gas)
{
    struct deploy_result *plan = site->plan;
    int r = gas ? 0 : estimate(site, tx);
    if (r) {
        return r;
    }
    struct deploy_step *step = &plan->steps[plan->count++];
    *step = (struct deploy_step){
        .what = what,
        .creates = tx->create,
        .size = tx->data.n,
        .gas = gas ? gas : tx->gas,
    };
    step->cost = cost_of(step->gas, plan->max_fee);
    if (tx->create) {
        eth_create_address(plan->account, tx->nonce, step->to);
    } else {
        memcpy(step->to, tx->to, ETH_ADDRESS_SIZE);
    }
    plan->gas += step->gas;
    tx->nonce++;
    return 0;
}

static int act(struct site *site, struct eth_tx *tx, const char *what, uint64_t gas)
{
    return site->planning ? note(site, tx, what, gas) : transact(site, tx);
}

static int create_registry(struct site *site, const struct deploy *deploy, struct eth_tx *tx,
                           struct buf *data)
{
    put_code(data, contracts_registry_code, CONTRACTS_REGISTRY_CODE_SIZE);
    abi_put_u64(data, deploy->admin_delay);
    abi_put(data, site->wallet.address, ETH_ADDRESS_SIZE);
    abi_put(data, deploy->relayer ? deploy->relayer : site->wallet.address, ETH_ADDRESS_SIZE);
    tx->create = true;
    tx->data = buf_str(data);
    return act(site, tx, "create ConsentRegistry", 0);
}

static int create_anchor(struct site *site, const struct deploy *deploy, struct eth_tx *tx,
                         struct buf *data)
{
    put_code(data, contracts_anchor_code, CONTRACTS_ANCHOR_CODE_SIZE);
    abi_put_u64(data, deploy->admin_delay);
    abi_put(data, site->wallet.address, ETH_ADDRESS_SIZE);
    tx->create = true;
    tx->data = buf_str(data);
    return act(site, tx, "create AuditAnchor", 0);
}

/* A call of a contract that was created before. */
struct step_call {
    const char *what;
    uint64_t gas; /* at most */
    const uint8_t *to;
};

static int call(struct site *site, struct eth_tx *tx, const struct step_call *step,
                struct str data)
{
    tx->create = false;
    memcpy(tx->to, step->to, ETH_ADDRESS_SIZE);
    tx->data = data;
    return act(site, tx, step->what, step->gas);
}

/* Roles that the constructors don't give, and the log. */
static int furnish(struct site *site, const struct deploy *deploy, struct eth_tx *tx,
                   const struct deploy_result *at)
{
    const uint8_t *own = site->wallet.address;
    const struct step_call attestor = { "let the relayer attest revocations", GRANT_ROLE_GAS,
                                        at->registry };
    const struct step_call pauser = { "let the account pause grants", GRANT_ROLE_GAS,
                                      at->registry };
    const struct step_call log = { "register the log", REGISTER_GAS, at->anchor };
    struct buf data = heap_buf(DATA_MAX);
    eth_call_grant_role(contracts_registry_role_attestor,
                        deploy->relayer ? deploy->relayer : own, &data);
    int r = call(site, tx, &attestor, buf_str(&data));
    data.n = 0;
    eth_call_grant_role(contracts_registry_role_pauser, own, &data);
    r = r ? r : call(site, tx, &pauser, buf_str(&data));
    data.n = 0;
    if (deploy->origin) {
        eth_call_register(str_z(deploy->origin), deploy->operator_ ? deploy->operator_ : own,
                          true, &data);
        r = r ? r : call(site, tx, &log, buf_str(&data));
    }
    heap_buf_free(&data);
    return r;
}

static int open_site(struct site *site, const char *endpoint, char *why)
{
    const char *urls[] = { endpoint };
    memset(site, 0, sizeof(*site));
    site->why = why;
    site->base = event_base_new();
    struct rpc_config config = { .base = site->base, .urls = urls, .count = 1 };
    site->rpc = site->base ? rpc_new(&config) : NULL;
    return site->rpc ? 0 : complain(site, "endpoint", "is no URL, or has no address");
}

static void close_site(struct site *site)
{
    wallet_close(&site->wallet);
    rpc_free(site->rpc);
    if (site->base) {
        event_base_free(site->base);
    }
}

static int open_account(struct site *site, const struct config_account *account)
{
    int r = wallet_open(&site->wallet, account, site->base);
    if (r < 0) {
        return complain(site, account->signer ? "signer" : "keystore or password file",
                        account->signer ? "is no URL, or has no address" : strerror(-r));
    }
    if (r > 0) {
        return complain(site, "keystore",
                        r == WALLET_E_PASSWORD ? "wrong password, or damaged" : "unreadable");
    }
    return 0;
}

/* In wei; what doesn't fit is enough for anything. */
static int read_balance(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    uint64_t value = UINT64_MAX;
    bool fits = node_is(result, NODE_STRING) && result->text.n <= QUANTITY_U64;
    int r = fits ? answers_quantity(result, &value) : 0;
    if (r == 0) {
        buf_put(out, &value, sizeof(value));
    }
    return node_is(result, NODE_STRING) ? r : -EBADMSG;
}

/* Where things stand, and where the contracts will be. */
static int survey(struct site *site, struct eth_tx *tx, struct deploy_result *out)
{
    char room[128];
    struct buf params = buf_fixed(room, sizeof(room));
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    rpc_put_data(&w, NULL, str_of(site->wallet.address, ETH_ADDRESS_SIZE));
    json_z(&w, NULL, "latest");
    json_end(&w);
    struct buf balance = buf_fixed(&out->balance, sizeof(out->balance));
    struct quorum_ask what = { .method = "eth_getBalance",
                               .params = buf_str(&params),
                               .read = read_balance };
    int r = ask_u64(site, "eth_getTransactionCount", buf_str(&params), &tx->nonce);
    r = r ? r : ask_u64(site, "eth_blockNumber", STR("[]"), &out->block);
    r = r ? r : ask(site, &what, &balance);
    r = r ? r : set_fees(site, tx);
    if (r) {
        return r;
    }
    tx->chain = rpc_chain(site->rpc);
    out->chain = tx->chain;
    out->max_fee = tx->max_fee;
    memcpy(out->account, site->wallet.address, ETH_ADDRESS_SIZE);
    eth_create_address(out->account, tx->nonce, out->registry);
    eth_create_address(out->account, tx->nonce + 1, out->anchor);
    return 0;
}

/* All steps: noted, or sent. */
static int run(struct site *site, const struct deploy *deploy, const struct eth_tx *from)
{
    struct eth_tx tx = *from;
    struct buf data = heap_buf(DATA_MAX);
    int r = create_registry(site, deploy, &tx, &data);
    r = r ? r : create_anchor(site, deploy, &tx, &data);
    r = r ? r : furnish(site, deploy, &tx, site->plan);
    heap_buf_free(&data);
    return r;
}

/* What it takes, and whether it's there. */
static int plan(struct site *site, const struct deploy *deploy, const struct eth_tx *from)
{
    struct deploy_result *out = site->plan;
    if (out->chain != deploy->chain) {
        char other[64];
        (void)snprintf(other, sizeof(other), "%" PRIu64 ", not %" PRIu64, out->chain,
                       deploy->chain);
        return complain(site, "the endpoint is of chain", other);
    }
    site->planning = true;
    int r = run(site, deploy, from);
    site->planning = false;
    out->cost = cost_of(out->gas, out->max_fee);
    if (r == 0 && !deploy->dry_run && out->cost > out->balance) {
        return complain(site, "the account", "can't pay all of it; --dry-run tells the cost");
    }
    return r;
}

int deploy_run(const struct deploy *deploy, struct deploy_result *out, char *why)
{
    struct site site;
    struct eth_tx tx = { 0 };
    struct deploy_result got = { 0 };
    int r = open_site(&site, deploy->endpoint, why);
    site.plan = &got;
    r = r ? r : open_account(&site, deploy->account);
    r = r ? r : survey(&site, &tx, &got);
    r = r ? r : plan(&site, deploy, &tx);
    if (r == 0 && !deploy->dry_run) {
        r = run(&site, deploy, &tx);
    }
    if (deploy->origin) {
        digest_keccak256(str_z(deploy->origin), got.log_id);
    }
    close_site(&site);
    if (r < 0) {
        return -EIO;
    }
    *out = got;
    return 0;
}

int deploy_look(const char *endpoint, const uint8_t anchor[20], const char *origin,
                struct deploy_status *out, char *why)
{
    enum {
        WORDS = 5,
    };
    struct site site;
    struct deploy_status got = { 0 };
    struct eth_tx tx = { 0 };
    uint8_t id[DIGEST_SIZE];
    char call_room[ABI_SELECTOR_SIZE + ABI_WORD];
    char words[WORDS * ABI_WORD];
    struct buf data = buf_fixed(call_room, sizeof(call_room));
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    struct buf answer = buf_fixed(words, sizeof(words));
    digest_keccak256(str_z(origin), id);
    eth_call_head(id, &data);
    memcpy(tx.to, anchor, ETH_ADDRESS_SIZE);
    tx.data = buf_str(&data);
    int r = open_site(&site, endpoint, why);
    if (r == 0) {
        put_call(&site, &tx, &params);
        struct quorum_ask what = { .method = "eth_call",
                                   .params = buf_str(&params),
                                   .read = read_data };
        r = ask(&site, &what, &answer);
        got.chain = rpc_chain(site.rpc);
    }
    if (r == 0 && eth_head_read(buf_str(&answer), &got.at) < 0) {
        r = complain(&site, "AuditAnchor", "there is none at that address");
    }
    heap_buf_free(&params);
    close_site(&site);
    if (r < 0) {
        return -EIO;
    }
    *out = got;
    return 0;
}
