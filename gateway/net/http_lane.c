/*
 * A connection of an HTTP client.
 *
 *   IDLE --call--> HEAD --head--> BODY --complete--> IDLE, or closed
 *                   `--head without body--> IDLE, or closed
 *
 * An idle connection stays in the event loop: when the server closes it, it goes away and no
 * call ever sees it, but for the moment in between, which http_lane_lost() deals with.
 */
#include "gateway/net/http_client_impl.h"

#include <errno.h>
#include <stdlib.h>

enum {
    INTERIM_MAX = 8, /* 1xx answers before the final one */
};

static int usual(int given, int otherwise)
{
    return given ? given : otherwise;
}

/* --- end -------------------------------------------------------------------------------- */

static void leave_idle(struct http_lane *lane)
{
    if (lane->idle_back) {
        *lane->idle_back = lane->idle_next;
        if (lane->idle_next) {
            lane->idle_next->idle_back = lane->idle_back;
        }
        lane->idle_back = NULL;
    }
}

static void lane_end(struct http_lane *lane, bool at_once)
{
    if (lane->life.over) {
        return;
    }
    leave_idle(lane);
    if (at_once) {
        conn_free(lane->conn);
    } else {
        conn_close(lane->conn);
    }
    lane->conn = NULL;
    *lane->back = lane->next;
    if (lane->next) {
        lane->next->back = lane->back;
    }
    lane->client->n_lanes--;
    life_over(&lane->life, lane);
}

void http_lane_close(struct http_lane *lane)
{
    if (lane->call) {
        lane->call->lane = NULL;
        lane->call = NULL;
    }
    lane_end(lane, true);
}

/* Its call can't be completed. */
static void lane_fail(struct http_lane *lane, enum http_fail fail)
{
    struct http_client *client = lane->client;
    struct http_call *call = lane->call;
    http_lane_close(lane);
    if (call) {
        http_call_fail(call, fail);
    }
    http_client_next(client);
}

/* --- requests --------------------------------------------------------------------------- */

static void send_request(struct http_lane *lane)
{
    struct http_call *call = lane->call;
    conn_write_more(lane->conn, str_of(call->text, call->text_n));
    if (call->early.n) {
        conn_write_more(lane->conn, buf_str(&call->early));
    }
    (void)conn_write(lane->conn, call->body);
    conn_timeout(lane->conn, call->first_byte_ms);
}

static void begin(struct http_lane *lane, struct http_call *call)
{
    lane->call = call;
    call->lane = lane;
    lane->phase = HTTP_LANE_HEAD;
    lane->scan = (struct http1_scan){ 0 };
    lane->interim = 0;
    if (call->paused) {
        conn_pause(lane->conn);
    } else {
        conn_resume(lane->conn);
    }
    if (lane->ready || !call->still) {
        send_request(lane);
    } /* else when it is connected, if it still stands then */
}

void http_lane_use(struct http_lane *lane, struct http_call *call)
{
    leave_idle(lane);
    lane->reused = true;
    begin(lane, call);
    if (call->want_drain) {
        /* The owner waited for a connection: tell it from the loop. */
        event_active(&call->timer, EV_READ, 1);
    }
}

/* --- answers ---------------------------------------------------------------------------- */

static void answer_complete(struct http_lane *lane)
{
    struct http_client *client = lane->client;
    struct http_call *call = lane->call;
    bool keep = lane->keep && call->body_done;
    lane->call = NULL;
    call->lane = NULL;
    lane->phase = HTTP_LANE_IDLE;
    if (keep) {
        lane->idle_next = client->idle;
        lane->idle_back = &client->idle;
        if (lane->idle_next) {
            lane->idle_next->idle_back = &lane->idle_next;
        }
        client->idle = lane;
        conn_resume(lane->conn);
        conn_timeout(lane->conn, usual(client->config.idle_ms, HTTP_CLIENT_IDLE_MS));
    } else {
        lane_end(lane, false);
    }
    client->n_calls--;
    http_client_next(client);
    call->calls->on_end(call->owner);
    http_call_free(call);
}

static size_t take_length(struct http_lane *lane, struct str bytes)
{
    struct http_call *call = lane->call;
    size_t n = bytes.n < lane->left ? bytes.n : (size_t)lane->left;
    lane->left -= n;
    call->calls->on_body(call->owner, str_slice(bytes, 0, n));
    if (!lane->life.over && lane->left == 0) {
        answer_complete(lane);
    }
    return n;
}

static size_t take_chunks(struct http_lane *lane, struct str bytes)
{
    struct str rest = bytes;
    while (!lane->life.over && !lane->call->paused) {
        struct str piece = { 0 };
        const char *reason = NULL;
        int r = http1_chunk(&lane->chunks, &rest, &piece, &reason);
        if (r == HTTP_CHUNK_DATA) {
            lane->call->calls->on_body(lane->call->owner, piece);
            continue;
        }
        if (r == HTTP_CHUNK_END) {
            answer_complete(lane);
        } else if (r != HTTP_CHUNK_MORE) {
            lane_fail(lane, HTTP_FAIL_PROTOCOL);
        }
        break;
    }
    return bytes.n - rest.n;
}

static size_t take_body(struct http_lane *lane, struct str bytes)
{
    conn_timeout(lane->conn, usual(lane->client->config.stalled_ms, HTTP_CLIENT_STALLED_MS));
    if (lane->framing == HTTP_BODY_CHUNKED) {
        return take_chunks(lane, bytes);
    }
    if (lane->framing == HTTP_BODY_LENGTH) {
        return take_length(lane, bytes);
    }
    lane->call->calls->on_body(lane->call->owner, bytes);
    return bytes.n;
}

/* Parse the head @text into memory of the call. */
static enum http_fail parse_head(struct http_call *call, struct str text)
{
    free(call->head);
    call->head = malloc(sizeof(*call->head) + text.n);
    if (!call->head) {
        return HTTP_FAIL_MEMORY;
    }
    char *copy = (char *)(call->head + 1);
    memcpy(copy, text.p, text.n);
    const char *reason = NULL;
    int r = http1_answer(str_of(copy, text.n), call->method, call->head, &reason);
    return r ? HTTP_FAIL_PROTOCOL : (enum http_fail)0;
}

static void begin_body(struct http_lane *lane)
{
    struct http_call *call = lane->call;
    const struct http_head *head = call->head;
    lane->keep = head->keep_alive;
    lane->framing = head->framing;
    lane->left = head->length;
    lane->chunks = (struct http1_chunks){ 0 };
    lane->phase = HTTP_LANE_BODY;
    call->calls->on_head(call->owner, head);
    if (lane->life.over) {
        return;
    }
    bool none = head->framing == HTTP_BODY_NONE ||
                (head->framing == HTTP_BODY_LENGTH && head->length == 0);
    if (none) {
        answer_complete(lane);
    }
}

static size_t take_head(struct http_lane *lane, struct str bytes)
{
    const char *reason = NULL;
    size_t n = 0;
    int r = http1_scan(&lane->scan, bytes, true, &n, &reason);
    if (r == -EAGAIN) {
        return 0;
    }
    enum http_fail fail =
        r ? HTTP_FAIL_PROTOCOL : parse_head(lane->call, str_slice(bytes, 0, n));
    lane->scan = (struct http1_scan){ 0 };
    if (!fail && lane->call->head->status < 200) {
        fail = ++lane->interim > INTERIM_MAX ? HTTP_FAIL_PROTOCOL : fail;
        if (!fail) {
            return n;
        }
    }
    if (fail) {
        lane_fail(lane, fail);
        return 0;
    }
    begin_body(lane);
    return n;
}

/* --- events of the connection ----------------------------------------------------------- */

static size_t on_read(void *owner, struct str bytes)
{
    struct http_lane *lane = owner;
    size_t used = 0;
    life_enter(&lane->life);
    while (!lane->life.over && used < bytes.n) {
        struct str rest = str_slice(bytes, used, bytes.n);
        if (!lane->call) { /* an answer that nobody asked for */
            lane_end(lane, true);
            break;
        }
        if (lane->call->paused) {
            break;
        }
        size_t n =
            lane->phase == HTTP_LANE_HEAD ? take_head(lane, rest) : take_body(lane, rest);
        used += n;
        if (n == 0) {
            break;
        }
    }
    used = lane->life.over ? bytes.n : used;
    life_leave(&lane->life, lane);
    return used;
}

static enum http_fail fail_of(const struct http_lane *lane, enum conn_end why)
{
    if (!lane->ready) {
        return why == CONN_END_HANDSHAKE ? HTTP_FAIL_TLS : HTTP_FAIL_CONNECT;
    }
    if (lane->phase == HTTP_LANE_BODY) {
        return HTTP_FAIL_CUT;
    }
    return why == CONN_END_TIMEOUT ? HTTP_FAIL_TIMEOUT : HTTP_FAIL_CLOSED;
}

/* Whether the call may be made once more on another connection. */
static bool may_repeat(const struct http_lane *lane, const struct http_call *call,
                       enum http_fail fail)
{
    if (fail == HTTP_FAIL_CONNECT) {
        return !call->streamed && call->tried < lane->client->config.to.n;
    }
    bool untouched = lane->phase == HTTP_LANE_HEAD && lane->scan.at == 0 && !lane->interim;
    return fail == HTTP_FAIL_CLOSED && lane->reused && untouched && call->repeatable;
}

/* The connection has gone: what becomes of its call? */
static void lane_lost(struct http_lane *lane, enum conn_end why)
{
    struct http_client *client = lane->client;
    struct http_call *call = lane->call;
    enum http_fail fail = fail_of(lane, why);
    bool again = call && may_repeat(lane, call, fail);
    if (fail == HTTP_FAIL_CONNECT) {
        client->address = (lane->address + 1) % client->config.to.n;
    }
    http_lane_close(lane);
    if (again && http_lane_open(client, call) == 0) {
        return;
    }
    if (call) {
        http_call_fail(call, fail);
    }
    http_client_next(client);
}

static void on_end(void *owner, enum conn_end why)
{
    struct http_lane *lane = owner;
    life_enter(&lane->life);
    if (why == CONN_END_PEER && lane->call && lane->phase == HTTP_LANE_BODY &&
        lane->framing == HTTP_BODY_CLOSE) {
        lane->keep = false;
        answer_complete(lane);
    } else {
        lane_lost(lane, why);
    }
    life_leave(&lane->life, lane);
}

static void on_ready(void *owner)
{
    struct http_lane *lane = owner;
    struct http_call *call = lane->call;
    lane->ready = true;
    life_enter(&lane->life);
    if (call && call->still && http_call_stands(call)) {
        send_request(lane);
    } else if (call && call->still) {
        lane_fail(lane, HTTP_FAIL_WITHDRAWN);
    }
    life_leave(&lane->life, lane);
}

static void on_drain(void *owner)
{
    struct http_lane *lane = owner;
    struct http_call *call = lane->call;
    life_enter(&lane->life);
    if (call && call->want_drain) {
        call->want_drain = false;
        if (call->calls->on_drain) {
            call->calls->on_drain(call->owner);
        }
    }
    life_leave(&lane->life, lane);
}

static void on_timeout(void *owner)
{
    struct http_lane *lane = owner;
    struct http_call *call = lane->call;
    life_enter(&lane->life);
    if (!call) {
        lane_end(lane, false);
    } else if (call->paused || !call->body_done || conn_queued(lane->conn)) {
        /* It is us who wait, or the request is still on its way. */
        conn_timeout(lane->conn, call->first_byte_ms);
    } else {
        lane_fail(lane, lane->phase == HTTP_LANE_BODY ? HTTP_FAIL_CUT : HTTP_FAIL_TIMEOUT);
    }
    life_leave(&lane->life, lane);
}

static const struct conn_calls conn_calls = {
    .on_read = on_read,
    .on_end = on_end,
    .on_ready = on_ready,
    .on_drain = on_drain,
    .on_timeout = on_timeout,
};

int http_lane_open(struct http_client *client, struct http_call *call)
{
    struct http_lane *lane = calloc(1, sizeof(*lane));
    if (!lane) {
        return -ENOMEM;
    }
    struct conn_config config = {
        .base = client->config.base,
        .calls = &conn_calls,
        .owner = lane,
        .tls = client->config.tls,
        .host = client->tls_host,
        .connect_ms = client->config.connect_ms,
        .stalled_ms = client->config.stalled_ms,
    };
    lane->address = client->address;
    lane->conn = conn_connect(&config, &client->config.to.each[lane->address]);
    if (!lane->conn) {
        free(lane);
        return -ENOMEM;
    }
    lane->client = client;
    lane->next = client->lanes;
    lane->back = &client->lanes;
    if (lane->next) {
        lane->next->back = &lane->next;
    }
    client->lanes = lane;
    client->n_lanes++;
    call->tried++;
    begin(lane, call);
    return 0;
}
