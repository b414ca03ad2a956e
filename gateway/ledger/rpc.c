/*
 * Calls to nodes.
 *
 *   start --chain of the node unknown--> asking its chain --right--> asking --answer--> done
 *     |                                      |                         |
 *     +--------known-------------------------|-------------------------+
 *                                            +--not reached, and RPC_ANY: the next node--+
 *
 * Every method we use may be repeated: reading, and sending the same signed bytes.
 */
#include "gateway/ledger/rpc.h"

#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/log.h"
#include "gateway/net/http_client.h"
#include "gateway/net/url.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    CONNECTIONS = 4,
    WAITING = 64,
    ARENA_FIRST = 16 << 10,
    ARENA_MAX = 256 << 20,
    QUANTITY_ROOM = 24,
    HTTP_OK = 200,
    TARGET_MAX = 1024,
    HOST_MAX = 300,
    PAUSE_LEAST_MS = 250, /* a node that wasn't reached is asked last for this long */
    PAUSE_MOST_MS = 8000,
};

struct endpoint {
    struct http_client *client; /* owned */
    struct tls *tls;            /* owned; NULL: plain */
    char target[TARGET_MAX];
    bool pinned; /* it said the right chain id */
    bool bad;    /* not reached, late, or of another chain: said in the log */
    int64_t pause;
    int64_t back; /* clock_mono_ms() */
};

struct rpc {
    struct event_base *base; /* borrowed */
    struct endpoint each[RPC_ENDPOINTS_MAX];
    size_t count;
    uint64_t chain;
    bool no_chain; /* don't pin */
    uint64_t last_id;
    int timeout_ms;
};

struct call {
    struct op op;
    struct rpc *rpc;
    const char *method;
    struct buf params; /* owned */
    struct buf body;   /* owned; being sent */
    struct op *fetch;
    size_t at;    /* endpoint being asked */
    size_t tried; /* endpoints */
    bool any;
    bool pinning; /* what is under way asks for the chain id */
    uint64_t id;
    rpc_fn done;
    void *owner;
};

static int ask_now(struct call *call);

static void call_free(struct call *call)
{
    heap_buf_free(&call->params);
    heap_buf_free(&call->body);
    free(call);
}

static void on_cancel(struct op *op)
{
    struct call *call = (struct call *)op;
    op_cancel(call->fetch);
    call_free(call);
}

static void finish(struct call *call, const struct rpc_answer *answer)
{
    rpc_fn done = call->done;
    void *owner = call->owner;
    call_free(call);
    done(owner, answer);
}

static void fail(struct call *call, enum rpc_error error)
{
    struct rpc_answer answer = { .error = error, .revert = "" };
    finish(call, &answer);
}

static void say_bad(struct endpoint *e, size_t at, const char *why)
{
    if (!e->bad) {
        e->bad = true;
        log_line(LOG_WARN, "ledger node unusable", LOG_I("endpoint", at), LOG_Z("why", why));
    }
}

/* A node that can't be used: ask it last for a while, and pin it again afterwards. */
static void set_bad(struct endpoint *e, size_t at, const char *why)
{
    int64_t pause = e->pause ? e->pause * 2 : PAUSE_LEAST_MS;
    e->pause = pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
    e->back = clock_mono_ms() + e->pause;
    e->pinned = false;
    say_bad(e, at, why);
}

static void set_good(struct endpoint *e, size_t at)
{
    e->pause = 0;
    e->back = 0;
    if (e->bad) {
        e->bad = false;
        log_line(LOG_INFO, "ledger node usable again", LOG_I("endpoint", at));
    }
}

/* The node to ask next: in the order of the configuration, those that rest last. */
static size_t choose(const struct rpc *rpc, size_t after, bool first)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; first && i < rpc->count; i++) {
        if (rpc->each[i].back <= now) {
            return i;
        }
    }
    return first ? 0 : (after + 1) % rpc->count;
}

/* This node failed: try the next one if any will do. */
static void next_or_fail(struct call *call, enum rpc_error error)
{
    call->tried++;
    if (call->any && call->tried < call->rpc->count) {
        call->at = choose(call->rpc, call->at, false);
        if (ask_now(call) == 0) {
            return;
        }
    }
    fail(call, error);
}

/* @answer to eth_chainId. */
static void on_chain(struct call *call, const struct rpc_answer *answer)
{
    struct endpoint *e = &call->rpc->each[call->at];
    uint64_t chain;
    if (answer->error != RPC_OK || answers_quantity(answer->result, &chain) < 0 ||
        (call->rpc->chain && chain != call->rpc->chain)) {
        set_bad(e, call->at, "chain");
        next_or_fail(call, RPC_E_CHAIN);
        return;
    }
    call->rpc->chain = chain;
    e->pinned = true;
    set_good(e, call->at);
    if (ask_now(call) < 0) {
        fail(call, RPC_E_TRANSPORT);
    }
}

static void on_answer(void *owner, const struct http_answer *http)
{
    struct call *call = owner;
    struct endpoint *e = &call->rpc->each[call->at];
    call->fetch = NULL;
    if (http->fail || http->head->status != HTTP_OK) {
        set_bad(e, call->at, http->fail ? http_fail_text(http->fail) : "status");
        next_or_fail(call, RPC_E_TRANSPORT);
        return;
    }
    struct arena *arena = arena_new(ARENA_FIRST);
    struct rpc_answer answer = { .error = RPC_E_TRANSPORT, .revert = "" };
    if (arena) {
        arena_limit(arena, ARENA_MAX);
        rpc_read(arena, http->body, call->id, &answer);
    }
    if (call->pinning) {
        on_chain(call, &answer);
    } else {
        set_good(e, call->at);
        finish(call, &answer);
    }
    arena_free(arena);
}

static void put_request(struct call *call)
{
    struct json_writer w = json_writer(&call->body);
    call->body.n = 0;
    json_object(&w, NULL);
    json_z(&w, "jsonrpc", "2.0");
    json_u64(&w, "id", call->id);
    json_z(&w, "method", call->pinning ? "eth_chainId" : call->method);
    json_raw(&w, "params", call->pinning ? STR("[]") : buf_str(&call->params));
    json_end(&w);
}

static int ask_now(struct call *call)
{
    static const struct http_field fields[] = {
        { .name = STR_INIT("Content-Type"), .value = STR_INIT("application/json") },
        { .name = STR_INIT("Accept"), .value = STR_INIT("application/json") },
    };
    struct endpoint *e = &call->rpc->each[call->at];
    call->pinning = !e->pinned && !call->rpc->no_chain;
    call->id = ++call->rpc->last_id;
    put_request(call);
    if (buf_failed(&call->body)) {
        return -1;
    }
    struct http_ask ask = {
        .method = STR("POST"),
        .target = str_z(e->target),
        .fields = fields,
        .n_fields = ARRAY_LEN(fields),
        .body = buf_str(&call->body),
        .repeatable = true,
    };
    call->fetch = http_fetch(e->client, &ask, RPC_ANSWER_MAX, on_answer, call);
    return call->fetch ? 0 : -1;
}

struct op *rpc_call(struct rpc *rpc, const struct rpc_ask *ask, rpc_fn done, void *owner)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        return NULL;
    }
    assert(ask->endpoint == RPC_ANY || ask->endpoint < rpc->count);
    call->op.cancel = on_cancel;
    call->rpc = rpc;
    call->method = ask->method;
    call->any = ask->endpoint == RPC_ANY;
    call->at = call->any ? choose(rpc, 0, true) : ask->endpoint;
    call->done = done;
    call->owner = owner;
    call->params = heap_buf(RPC_PARAMS_MAX);
    call->body = heap_buf(RPC_PARAMS_MAX + QUANTITY_ROOM * 8);
    buf_str_put(&call->params, ask->params);
    if (buf_failed(&call->params) || ask_now(call) < 0) {
        call_free(call);
        return NULL;
    }
    return &call->op;
}

static int open_endpoint(struct rpc *rpc, const struct rpc_config *config, const char *text)
{
    struct endpoint *e = &rpc->each[rpc->count];
    struct url url;
    char host[HOST_MAX];
    char why[TLS_WHY_MAX];
    if (url_parse(str_z(text), &url) != 0 || url.authority.n >= sizeof(host) ||
        url.target.n >= sizeof(e->target)) {
        log_line(LOG_ERROR, "ledger endpoint is no URL", LOG_I("endpoint", rpc->count));
        return -1;
    }
    (void)snprintf(host, sizeof(host), "%.*s", (int)url.authority.n, url.authority.p);
    (void)snprintf(e->target, sizeof(e->target), "%.*s", (int)url.target.n,
                   url.target.n ? url.target.p : "");
    if (url.target.n == 0 || e->target[0] != '/') {
        (void)snprintf(e->target, sizeof(e->target), "/%.*s", (int)url.target.n,
                       url.target.n ? url.target.p : "");
    }
    struct http_client_config client = {
        .base = config->base,
        .host = host,
        .connections_max = CONNECTIONS,
        .waiting_max = WAITING,
        .connect_ms = rpc->timeout_ms,
        .first_byte_ms = rpc->timeout_ms,
        .stalled_ms = rpc->timeout_ms,
    };
    if (address_resolve(url.authority, url.port, &client.to) != 0) {
        log_line(LOG_ERROR, "ledger endpoint has no address", LOG_I("endpoint", rpc->count));
        return -1;
    }
    if (url.tls) {
        e->tls = tls_client_new(&(struct tls_config){ .alpn_http = true }, why);
        client.tls = e->tls;
        if (!e->tls) {
            log_text(LOG_ERROR, "no TLS towards ledger endpoints");
            return -1;
        }
    }
    e->client = http_client_new(&client);
    return e->client ? 0 : -1;
}

struct rpc *rpc_new(const struct rpc_config *config)
{
    struct rpc *rpc = calloc(1, sizeof(*rpc));
    if (!rpc || config->count == 0 || config->count > RPC_ENDPOINTS_MAX) {
        log_line(LOG_ERROR, "too many ledger endpoints, or none", LOG_I("count", config->count),
                 LOG_I("most", RPC_ENDPOINTS_MAX));
        free(rpc);
        return NULL;
    }
    rpc->base = config->base;
    rpc->chain = config->chain;
    rpc->no_chain = config->no_chain;
    rpc->timeout_ms = config->timeout_ms ? config->timeout_ms : RPC_TIMEOUT_MS;
    for (size_t i = 0; i < config->count; i++) {
        int r = open_endpoint(rpc, config, config->urls[i]);
        rpc->count++;
        if (r < 0) {
            rpc_free(rpc);
            return NULL;
        }
    }
    return rpc;
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc) {
        return;
    }
    for (size_t i = 0; i < rpc->count; i++) {
        if (rpc->each[i].client) {
            http_client_free(rpc->each[i].client);
        }
        tls_free(rpc->each[i].tls);
    }
    free(rpc);
}

size_t rpc_endpoints(const struct rpc *rpc)
{
    return rpc->count;
}

struct event_base *rpc_base(const struct rpc *rpc)
{
    return rpc->base;
}

void rpc_late(struct rpc *rpc, size_t endpoint)
{
    say_bad(&rpc->each[endpoint], endpoint, "late");
}

uint64_t rpc_chain(const struct rpc *rpc)
{
    return rpc->chain;
}

void rpc_put_quantity(struct json_writer *w, const char *name, uint64_t value)
{
    char text[QUANTITY_ROOM];
    (void)snprintf(text, sizeof(text), "0x%" PRIx64, value);
    json_z(w, name, text);
}

void rpc_put_block(struct buf *params, const char *tag, uint64_t number)
{
    struct json_writer w = json_writer(params);
    json_array(&w, NULL);
    if (tag) {
        json_z(&w, NULL, tag);
    } else {
        rpc_put_quantity(&w, NULL, number);
    }
    json_bool(&w, NULL, false);
    json_end(&w);
}

void rpc_put_data(struct json_writer *w, const char *name, struct str bytes)
{
    struct buf text = heap_buf(RPC_PARAMS_MAX);
    buf_z(&text, "0x");
    buf_hex(&text, bytes.p, bytes.n);
    if (buf_failed(&text)) {
        w->out->failed = true;
    } else {
        json_string(w, name, buf_str(&text));
    }
    heap_buf_free(&text);
}
