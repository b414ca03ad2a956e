/*
 * One connection, one message under way.
 *
 *   closed --send--> connecting --ready--> awaiting --answer--> kept --send--> awaiting …
 *
 * A kept connection that the peer has closed in the meantime is noticed by the loop. If it
 * closes just as the next message goes out, the message may have arrived: the owner is told
 * MLLP_FAIL_CLOSED and decides whether the receiver may see it again.
 */
#include "gateway/net/mllp_client.h"
#include "gateway/heap.h"
#include "gateway/net/conn.h"
#include "gateway/net/mllp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct mllp_client {
    struct op op; /* first: of the message under way */
    struct mllp_client_config config;
    char *tls_host;     /* owned */
    struct conn *conn;  /* owned; NULL: closed */
    bool ready;         /* connected */
    size_t address;     /* where to connect first */
    size_t tried;       /* addresses, for this message */
    struct buf message; /* framed; until it is connected */
    mllp_still_fn still;
    mllp_send_fn done; /* NULL: nothing is under way */
    void *owner;
    struct mllp_decoder decoder;
};

const char *mllp_fail_text(enum mllp_fail fail)
{
    static const char *const texts[] = {
        "none", "connect", "tls", "withdrawn", "time-out", "closed", "protocol", "memory",
    };
    return (size_t)fail < ARRAY_LEN(texts) ? texts[fail] : "";
}

static void disconnect(struct mllp_client *client)
{
    conn_free(client->conn);
    client->conn = NULL;
    client->ready = false;
    heap_buf_free(&client->decoder.held);
    client->decoder =
        (struct mllp_decoder){ .held = client->decoder.held, .max = client->decoder.max };
}

/* The message under way has ended. The owner may send the next one from within. */
static void finish(struct mllp_client *client, enum mllp_fail fail, struct str answer)
{
    mllp_send_fn done = client->done;
    client->done = NULL;
    heap_buf_free(&client->message);
    if (done) {
        done(client->owner, fail, answer);
    }
}

static void give_up(struct mllp_client *client, enum mllp_fail fail)
{
    disconnect(client);
    finish(client, fail, (struct str){ 0 });
}

/* Line ends: some receivers add them behind their frames. */
static bool is_blank(struct str s)
{
    while (s.n && (s.p[0] == '\r' || s.p[0] == '\n')) {
        s = str_slice(s, 1, s.n);
    }
    return s.n == 0;
}

/* The answer, and then more: a receiver in enhanced mode says CA and AA. Nothing of that may be
 * taken for the answer to the next message, which gets a new connection. */
static void finish_and_close(struct mllp_client *client, struct str answer)
{
    struct buf kept = heap_buf(SIZE_MAX);
    buf_str_put(&kept, answer);
    disconnect(client);
    if (buf_failed(&kept)) {
        finish(client, MLLP_FAIL_MEMORY, (struct str){ 0 });
    } else {
        finish(client, (enum mllp_fail)0, buf_str(&kept));
    }
    heap_buf_free(&kept);
}

static size_t on_read(void *owner, struct str bytes)
{
    struct mllp_client *client = owner;
    struct str rest = bytes;
    struct str answer = { 0 };
    if (!client->done && is_blank(bytes)) {
        return bytes.n;
    }
    int r = client->done ? mllp_decode(&client->decoder, &rest, &answer) : MLLP_E_OUTSIDE;
    if (r == -EAGAIN) {
        return bytes.n;
    }
    if (r) { /* also an answer that nobody waits for */
        give_up(client, r == -ENOMEM ? MLLP_FAIL_MEMORY : MLLP_FAIL_PROTOCOL);
        return bytes.n;
    }
    if (!is_blank(rest)) {
        finish_and_close(client, answer);
        return bytes.n;
    }
    conn_timeout(client->conn, 0);
    finish(client, (enum mllp_fail)0, answer);
    return bytes.n;
}

static int begin(struct mllp_client *client);

static void on_end(void *owner, enum conn_end why)
{
    struct mllp_client *client = owner;
    bool ready = client->ready;
    disconnect(client);
    if (ready) {
        finish(client, why == CONN_END_TIMEOUT ? MLLP_FAIL_TIMEOUT : MLLP_FAIL_CLOSED,
               (struct str){ 0 });
        return;
    }
    if (why == CONN_END_HANDSHAKE) {
        finish(client, MLLP_FAIL_TLS, (struct str){ 0 });
        return;
    }
    client->address = (client->address + 1) % client->config.to.n;
    if (client->done && client->tried < client->config.to.n && begin(client) == 0) {
        return;
    }
    finish(client, MLLP_FAIL_CONNECT, (struct str){ 0 });
}

static void send_message(struct mllp_client *client)
{
    int ms = client->config.answer_ms ? client->config.answer_ms : MLLP_CLIENT_ANSWER_MS;
    conn_timeout(client->conn, ms);
    (void)conn_write(client->conn, buf_str(&client->message));
    heap_buf_free(&client->message);
}

static void on_ready(void *owner)
{
    struct mllp_client *client = owner;
    client->ready = true;
    if (client->done && client->still && !client->still(client->owner)) {
        finish(client, MLLP_FAIL_WITHDRAWN, (struct str){ 0 });
    } else if (client->done) {
        send_message(client);
    }
}

static void on_timeout(void *owner)
{
    give_up(owner, MLLP_FAIL_TIMEOUT);
}

static const struct conn_calls conn_calls = {
    .on_read = on_read,
    .on_end = on_end,
    .on_ready = on_ready,
    .on_timeout = on_timeout,
};

static int begin(struct mllp_client *client)
{
    struct conn_config config = {
        .base = client->config.base,
        .calls = &conn_calls,
        .owner = client,
        .tls = client->config.tls,
        .host = client->tls_host,
        .connect_ms = client->config.connect_ms,
    };
    client->tried++;
    client->conn = conn_connect(&config, &client->config.to.each[client->address]);
    return client->conn ? 0 : -ENOMEM;
}

static void cancel(struct op *op)
{
    struct mllp_client *client = (struct mllp_client *)op;
    client->done = NULL;
    heap_buf_free(&client->message);
    disconnect(client);
}

struct mllp_client *mllp_client_new(const struct mllp_client_config *config)
{
    assert(config->to.n > 0);
    struct mllp_client *client = calloc(1, sizeof(*client));
    if (!client) {
        return NULL;
    }
    size_t max = config->answer_max ? config->answer_max : MLLP_CLIENT_ANSWER_MAX;
    client->op.cancel = cancel;
    client->config = *config;
    client->message = heap_buf(SIZE_MAX);
    client->decoder = (struct mllp_decoder){ .held = heap_buf(max), .max = max };
    if (config->tls_host) {
        client->tls_host = strdup(config->tls_host);
        if (!client->tls_host) {
            mllp_client_free(client);
            return NULL;
        }
    }
    return client;
}

void mllp_client_free(struct mllp_client *client)
{
    if (!client) {
        return;
    }
    assert(!client->done);
    disconnect(client);
    heap_buf_free(&client->message);
    free(client->tls_host);
    free(client);
}

struct op *mllp_send(struct mllp_client *client, struct str message, mllp_still_fn still,
                     mllp_send_fn done, void *owner)
{
    assert(!client->done);
    buf_c(&client->message, MLLP_START);
    buf_str_put(&client->message, message);
    buf_c(&client->message, MLLP_END);
    buf_c(&client->message, MLLP_CR);
    client->tried = 0;
    if (buf_failed(&client->message) || (!client->conn && begin(client))) {
        heap_buf_free(&client->message);
        return NULL;
    }
    client->still = still;
    client->done = done;
    client->owner = owner;
    if (client->ready) {
        send_message(client);
    }
    return &client->op;
}

bool mllp_client_connected(const struct mllp_client *client)
{
    return client->ready;
}
