/*
 * Calls of an HTTP client: where they wait, what they send.
 *
 * A call goes onto an idle connection, else onto a new one, else it waits its turn. Its head
 * is written when it starts and kept, so that it can be sent again.
 */
#include "gateway/net/http_client.h"
#include "gateway/heap.h"
#include "gateway/net/http1_text.h"
#include "gateway/net/http_client_impl.h"

#include <assert.h>
#include <stdlib.h>

static const struct str crlf = { .p = "\r\n", .n = 2 };

/* Space for one head at a time. */
static char space[2 * HTTP_HEAD_MAX];

static size_t usual(size_t given, size_t otherwise)
{
    return given ? given : otherwise;
}

const char *http_fail_text(enum http_fail fail)
{
    static const char *const texts[] = {
        "none",   "connect", "tls",      "busy",     "withdrawn", "time-out",
        "closed", "cut",     "protocol", "too long", "memory",
    };
    return (size_t)fail < ARRAY_LEN(texts) ? texts[fail] : "";
}

bool http_fail_unsent(enum http_fail fail)
{
    return fail == HTTP_FAIL_CONNECT || fail == HTTP_FAIL_TLS || fail == HTTP_FAIL_BUSY ||
           fail == HTTP_FAIL_WITHDRAWN;
}

/* --- the client ------------------------------------------------------------------------- */

static char *host_without_port(const char *host)
{
    struct str name = { 0 };
    uint16_t port = 0;
    if (address_split(str_z(host), 1, &name, &port)) {
        return strdup(host);
    }
    return strndup(name.p, name.n);
}

struct http_client *http_client_new(const struct http_client_config *config)
{
    assert(config->to.n > 0 && config->host);
    struct http_client *client = calloc(1, sizeof(*client));
    if (!client) {
        return NULL;
    }
    client->config = *config;
    client->last = &client->first;
    client->host = strdup(config->host);
    client->tls_host =
        config->tls_host ? strdup(config->tls_host) : host_without_port(config->host);
    if (!client->host || !client->tls_host) {
        http_client_free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client) {
        return;
    }
    assert(client->n_calls == 0);
    while (client->lanes) {
        http_lane_close(client->lanes);
    }
    free(client->host);
    free(client->tls_host);
    free(client);
}

size_t http_client_calls(const struct http_client *client)
{
    return client->n_calls;
}

/* --- waiting ---------------------------------------------------------------------------- */

static void leave_queue(struct http_call *call)
{
    struct http_client *client = call->client;
    if (!call->back) {
        return;
    }
    *call->back = call->next;
    if (call->next) {
        call->next->back = call->back;
    } else {
        client->last = call->back;
    }
    call->back = NULL;
    client->n_waiting--;
    (void)event_del(&call->timer);
}

static void enter_queue(struct http_call *call)
{
    struct http_client *client = call->client;
    int ms = client->config.wait_ms ? client->config.wait_ms : HTTP_CLIENT_WAIT_MS;
    call->next = NULL;
    call->back = client->last;
    *client->last = call;
    client->last = &call->next;
    client->n_waiting++;
    (void)timer_add(client->config.base, &call->timer, ms);
}

/* Find a connection; else wait. */
static int place(struct http_call *call)
{
    struct http_client *client = call->client;
    if (client->idle) {
        http_lane_use(client->idle, call);
        return 0;
    }
    if (client->n_lanes < usual(client->config.connections_max, HTTP_CLIENT_CONNECTIONS)) {
        if (http_lane_open(client, call) == 0) {
            return 0;
        }
    }
    if (client->n_waiting >= usual(client->config.waiting_max, HTTP_CLIENT_WAITING)) {
        return -1;
    }
    enter_queue(call);
    return 0;
}

bool http_call_stands(const struct http_call *call)
{
    return !call->still || call->still(call->owner);
}

void http_client_next(struct http_client *client)
{
    size_t max = usual(client->config.connections_max, HTTP_CLIENT_CONNECTIONS);
    while (client->first && (client->idle || client->n_lanes < max)) {
        struct http_call *call = client->first;
        if (client->idle && !http_call_stands(call)) {
            /* Told from the loop: this may run inside a call of another owner. */
            leave_queue(call);
            call->withdrawn = true;
            event_active(&call->timer, EV_TIMEOUT, 1);
        } else if (client->idle) {
            leave_queue(call);
            http_lane_use(client->idle, call);
        } else if (http_lane_open(client, call) == 0) {
            leave_queue(call);
        } else {
            return; /* its time-out tells it */
        }
    }
}

/*
 * A call waited too long, or was withdrawn; or it got a connection, and its owner may go on
 * with the body.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_call *call = arg;
    (void)fd;
    if (what & EV_TIMEOUT) {
        leave_queue(call);
        http_call_fail(call, call->withdrawn ? HTTP_FAIL_WITHDRAWN : HTTP_FAIL_BUSY);
    } else if (call->want_drain && call->calls->on_drain) {
        call->want_drain = false;
        call->calls->on_drain(call->owner);
    }
}

/* --- calls ------------------------------------------------------------------------------ */

void http_call_free(struct http_call *call)
{
    (void)event_del(&call->timer);
    heap_buf_free(&call->early);
    free(call->head);
    free(call);
}

void http_call_fail(struct http_call *call, enum http_fail fail)
{
    call->client->n_calls--;
    call->calls->on_fail(call->owner, fail);
    http_call_free(call);
}

static void cancel(struct op *op)
{
    struct http_call *call = (struct http_call *)op;
    struct http_client *client = call->client;
    leave_queue(call);
    if (call->lane) {
        http_lane_close(call->lane);
    }
    client->n_calls--;
    http_call_free(call);
    http_client_next(client);
}

struct op *http_call_op(struct http_call *call)
{
    return &call->op;
}

static bool is_idempotent(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS ||
           method == HTTP_PUT || method == HTTP_DELETE;
}

static void put_request(struct buf *b, const struct http_client *client,
                        const struct http_ask *ask, enum http_method method)
{
    struct str host = ask->host.n ? ask->host : str_z(client->host);
    http1_put_request(b, ask->method, ask->target, host);
    for (size_t i = 0; i < ask->n_fields; i++) {
        http1_put_field(b, ask->fields[i].name, ask->fields[i].value);
    }
    bool usually_has_body = method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH;
    if (ask->streamed && ask->length < 0) {
        http1_put_chunked(b);
    } else if (ask->streamed) {
        http1_put_length(b, (uint64_t)ask->length);
    } else if (ask->body.n || usually_has_body) {
        http1_put_length(b, ask->body.n);
    }
    http1_put_end(b);
}

static struct http_call *new_call(struct http_client *client, const struct http_ask *ask)
{
    enum http_method method = http1_method_of(ask->method);
    assert(!ask->streamed || !ask->still);
    struct buf b = buf_fixed(space, sizeof(space));
    put_request(&b, client, ask, method);
    struct http_call *call = buf_failed(&b) ? NULL : calloc(1, sizeof(*call) + b.n);
    if (!call) {
        return NULL;
    }
    call->op.cancel = cancel;
    call->client = client;
    call->method = method;
    call->still = ask->still;
    call->streamed = ask->streamed;
    call->chunked = ask->streamed && ask->length < 0;
    call->body_left = ask->streamed ? ask->length : 0;
    call->body_done = !ask->streamed;
    call->repeatable = !ask->streamed && (ask->repeatable || is_idempotent(method));
    call->body = ask->streamed ? (struct str){ 0 } : ask->body;
    call->early = heap_buf(SIZE_MAX);
    call->first_byte_ms = ask->first_byte_ms             ? ask->first_byte_ms
                          : client->config.first_byte_ms ? client->config.first_byte_ms
                                                         : HTTP_CLIENT_FIRST_BYTE_MS;
    call->text_n = b.n;
    memcpy(call->text, b.p, b.n);
    (void)event_assign(&call->timer, client->config.base, -1, 0, on_timer, call);
    return call;
}

struct http_call *http_call_start(struct http_client *client, const struct http_ask *ask,
                                  const struct http_call_calls *calls, void *owner)
{
    struct http_call *call = new_call(client, ask);
    if (!call) {
        return NULL;
    }
    call->calls = calls;
    call->owner = owner;
    if (place(call)) {
        http_call_free(call);
        return NULL;
    }
    client->n_calls++;
    return call;
}

/* --- streamed bodies -------------------------------------------------------------------- */

/* Write to the connection, or keep it until there is one. */
static bool put(struct http_call *call, struct str bytes, bool more)
{
    if (!call->lane) {
        buf_str_put(&call->early, bytes);
        call->want_drain = true;
        return false;
    }
    if (more) {
        conn_write_more(call->lane->conn, bytes);
        return true;
    }
    bool on = conn_write(call->lane->conn, bytes);
    call->want_drain = call->want_drain || !on;
    return on;
}

bool http_call_body(struct http_call *call, struct str piece)
{
    assert(call->streamed && !call->body_done);
    if (piece.n == 0) {
        return true;
    }
    if (call->chunked) {
        char line[2 + 2 * sizeof(size_t) + 2];
        struct buf b = buf_fixed(line, sizeof(line));
        if (call->open_chunk) {
            buf_str_put(&b, crlf);
        }
        http1_put_chunk_size(&b, piece.n);
        call->open_chunk = true;
        (void)put(call, buf_str(&b), true);
    } else {
        assert((int64_t)piece.n <= call->body_left);
        call->body_left -= (int64_t)piece.n;
    }
    return put(call, piece, false);
}

void http_call_body_end(struct http_call *call)
{
    assert(call->streamed && !call->body_done && (call->chunked || call->body_left == 0));
    call->body_done = true;
    if (call->chunked) {
        if (call->open_chunk) {
            (void)put(call, crlf, true);
        }
        (void)put(call, http1_chunk_last, false);
    }
    call->want_drain = false;
}

void http_call_pause(struct http_call *call)
{
    call->paused = true;
    if (call->lane) {
        conn_pause(call->lane->conn);
    }
}

void http_call_resume(struct http_call *call)
{
    call->paused = false;
    if (call->lane) {
        conn_resume(call->lane->conn);
    }
}
