/*
 * Connections of an MLLP server.
 *
 * The messages of a connection form a queue in their order. An answer given to one that isn't
 * the first is kept there until those before it are answered. Reading waits while too many
 * are unanswered or the sender doesn't take its answers.
 *
 * A message outlives its connection: @link is NULL then, and an answer goes nowhere.
 */
#include "gateway/net/mllp_server.h"
#include "gateway/heap.h"
#include "gateway/net/mllp.h"
#include "gateway/net/server.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HELD_KEPT_MAX = 64 << 10, /* a larger decoder buffer is given back after its message */
};

struct mllp_server {
    struct server base;
    struct mllp_server_config config;
};

struct mllp_link {
    struct server_link base;
    struct mllp_server *server;
    struct mllp_msg *first; /* unanswered, or answered behind an unanswered one */
    struct mllp_msg **last;
    size_t waiting;
    size_t waiting_bytes;
    struct mllp_decoder decoder;
    bool closing; /* read no more; close when the last answer is out */
    bool timing;  /* the time-out of a frame runs */
};

struct mllp_msg {
    struct mllp_link *link; /* borrowed; NULL: gone */
    struct mllp_msg *next;
    size_t bytes;
    bool answered;
    bool close;
    bool tls;
    char *ack; /* owned; kept for later, framed */
    size_t ack_n;
    struct address peer;
    struct tls_peer tls_peer;
};

/* --- end -------------------------------------------------------------------------------- */

static void msg_free(struct mllp_msg *msg)
{
    free(msg->ack);
    free(msg);
}

static void link_free(void *object)
{
    struct mllp_link *link = object;
    heap_buf_free(&link->decoder.held);
    free(link);
}

static void forget_messages(struct mllp_link *link)
{
    struct mllp_msg *next = NULL;
    for (struct mllp_msg *msg = link->first; msg; msg = next) {
        next = msg->next;
        msg->link = NULL;
        msg->next = NULL;
        if (msg->answered) {
            msg_free(msg);
        }
    }
    link->first = NULL;
}

static void link_close(struct mllp_link *link, bool at_once)
{
    if (!link->base.life.over) {
        forget_messages(link);
        server_let_go(&link->server->base, &link->base, at_once);
    }
}

/* Read no more; close as soon as nothing is unanswered. */
static void link_stop(struct mllp_link *link)
{
    link->closing = true;
    conn_pause(link->base.conn);
    conn_timeout(link->base.conn, 0);
    if (!link->first) {
        link_close(link, false);
    }
}

/* --- messages --------------------------------------------------------------------------- */

static bool may_read(const struct mllp_link *link)
{
    const struct mllp_server_config *config = &link->server->config;
    size_t max = config->outstanding_max ? config->outstanding_max : MLLP_OUTSTANDING;
    return !link->closing && link->waiting < max &&
           link->waiting_bytes < MLLP_OUTSTANDING_BYTES &&
           conn_queued(link->base.conn) <= CONN_WRITE_HIGH;
}

static bool hand_over(struct mllp_link *link, struct str bytes)
{
    const struct mllp_server_config *config = &link->server->config;
    struct mllp_msg *msg = calloc(1, sizeof(*msg));
    if (!msg) {
        link_stop(link);
        return false;
    }
    const struct tls_peer *tls = conn_tls_peer(link->base.conn);
    msg->link = link;
    msg->bytes = bytes.n;
    msg->peer = *conn_peer(link->base.conn);
    msg->tls = tls;
    if (tls) {
        msg->tls_peer = *tls;
    }
    *link->last = msg;
    link->last = &msg->next;
    link->waiting++;
    link->waiting_bytes += bytes.n;
    config->on_message(config->owner, msg, bytes);
    return !link->base.life.over && may_read(link);
}

static void on_broken(struct mllp_link *link, int error)
{
    const struct mllp_server_config *config = &link->server->config;
    if (config->on_broken) {
        config->on_broken(config->owner, conn_peer(link->base.conn), error);
    }
    if (!link->base.life.over) {
        link_stop(link);
    }
}

/* The time a frame may take counts from its first byte. */
static void watch_frame(struct mllp_link *link)
{
    bool inside = link->decoder.inside;
    if (inside != link->timing) {
        int ms = link->server->config.frame_ms ? link->server->config.frame_ms : MLLP_FRAME_MS;
        link->timing = inside;
        conn_timeout(link->base.conn, inside ? ms : 0);
    }
}

static size_t take(struct mllp_link *link, struct str bytes)
{
    struct str rest = bytes;
    bool on = may_read(link);
    while (on && rest.n) {
        struct str message = { 0 };
        int r = mllp_decode(&link->decoder, &rest, &message);
        if (r == -EAGAIN) {
            break;
        }
        if (r) {
            on_broken(link, r);
            return bytes.n;
        }
        on = hand_over(link, message);
        if (link->decoder.given && link->decoder.held.cap > HELD_KEPT_MAX) {
            heap_buf_free(&link->decoder.held);
        }
    }
    if (!link->base.life.over) {
        watch_frame(link);
        if (!on) {
            conn_pause(link->base.conn);
        }
    }
    return bytes.n - rest.n;
}

/* --- answers ---------------------------------------------------------------------------- */

/* Send what is answered at the head of the queue. */
static void send_answers(struct mllp_link *link)
{
    while (link->first && link->first->answered) {
        struct mllp_msg *msg = link->first;
        bool close = msg->close;
        link->first = msg->next;
        link->last = link->first ? link->last : &link->first;
        if (!close) {
            conn_write_more(link->base.conn, str_of(msg->ack, msg->ack_n));
        }
        msg_free(msg);
        if (close) {
            (void)conn_write(link->base.conn, (struct str){ 0 });
            link_close(link, false);
            return;
        }
    }
    (void)conn_write(link->base.conn, (struct str){ 0 });
    if (link->closing && !link->first) {
        link_close(link, false);
    } else if (may_read(link)) {
        conn_resume(link->base.conn);
    }
}

static void answer(struct mllp_msg *msg)
{
    struct mllp_link *link = msg->link;
    msg->answered = true;
    if (!link) {
        msg_free(msg);
        return;
    }
    link->waiting--;
    link->waiting_bytes -= msg->bytes;
    if (link->first == msg) {
        send_answers(link);
    }
}

/* Keep @n answers, framed, until they may leave; false: no memory. */
static bool keep(struct mllp_msg *msg, const struct str *acks, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += acks[i].n + MLLP_EXTRA;
    }
    msg->ack = malloc(bytes ? bytes : 1);
    if (!msg->ack) {
        return false;
    }
    struct buf out = buf_fixed(msg->ack, bytes);
    for (size_t i = 0; i < n; i++) {
        buf_c(&out, MLLP_START);
        buf_str_put(&out, acks[i]);
        buf_c(&out, MLLP_END);
        buf_c(&out, MLLP_CR);
    }
    msg->ack_n = out.n;
    return true;
}

void mllp_reply_all(struct mllp_msg *msg, const struct str *acks, size_t n)
{
    if (msg->link && !keep(msg, acks, n)) {
        mllp_close(msg);
        return;
    }
    answer(msg);
}

void mllp_reply(struct mllp_msg *msg, struct str ack)
{
    mllp_reply_all(msg, &ack, 1);
}

void mllp_close(struct mllp_msg *msg)
{
    msg->close = true;
    answer(msg);
}

const struct address *mllp_msg_peer(const struct mllp_msg *msg)
{
    return &msg->peer;
}

const struct tls_peer *mllp_msg_tls_peer(const struct mllp_msg *msg)
{
    return msg->tls ? &msg->tls_peer : NULL;
}

bool mllp_msg_open(const struct mllp_msg *msg)
{
    return msg->link;
}

/* --- events of a connection ------------------------------------------------------------- */

static size_t on_read(void *owner, struct str bytes)
{
    struct mllp_link *link = owner;
    if (link->closing) {
        return bytes.n;
    }
    life_enter(&link->base.life);
    size_t used = take(link, bytes);
    life_leave(&link->base.life, link);
    return used;
}

static void on_end(void *owner, enum conn_end why)
{
    (void)why;
    link_close(owner, true);
}

static void on_eof(void *owner)
{
    struct mllp_link *link = owner;
    life_enter(&link->base.life);
    if (link->decoder.inside && !link->closing) {
        on_broken(link, MLLP_E_TRAILER);
    } else {
        link_stop(link);
    }
    life_leave(&link->base.life, link);
}

static void on_drain(void *owner)
{
    struct mllp_link *link = owner;
    if (may_read(link)) {
        conn_resume(link->base.conn);
    }
}

static void on_timeout(void *owner)
{
    struct mllp_link *link = owner;
    life_enter(&link->base.life);
    if (!may_read(link)) { /* it is us who wait */
        link->timing = false;
        watch_frame(link);
    } else {
        on_broken(link, MLLP_E_TRAILER);
    }
    life_leave(&link->base.life, link);
}

static void on_ready(void *owner)
{
    struct mllp_link *link = owner;
    const struct mllp_server_config *config = &link->server->config;
    if (config->on_connect && !config->on_connect(config->owner, conn_peer(link->base.conn),
                                                  conn_tls_peer(link->base.conn))) {
        link_close(link, false);
    }
}

static const struct conn_calls conn_calls = {
    .on_read = on_read,
    .on_end = on_end,
    .on_ready = on_ready,
    .on_drain = on_drain,
    .on_timeout = on_timeout,
    .on_eof = on_eof,
};

static void on_accept(void *owner, int fd, const struct address *peer)
{
    struct mllp_server *server = owner;
    const struct mllp_server_config *config = &server->config;
    struct conn_config conn_config = {
        .base = config->base,
        .calls = &conn_calls,
        .tls = config->tls,
    };
    struct mllp_link *link = (struct mllp_link *)server_take(
        &server->base, sizeof(struct mllp_link), &conn_config, fd, peer);
    if (!link) {
        return;
    }
    size_t max = config->frame_max ? config->frame_max : MLLP_FRAME_MAX;
    link->server = server;
    link->base.life.free = link_free;
    link->last = &link->first;
    link->decoder = (struct mllp_decoder){ .held = heap_buf(max), .max = max };
    if (!config->tls) {
        on_ready(link);
    }
}

/* --- the server ------------------------------------------------------------------------- */

struct mllp_server *mllp_server_new(const struct mllp_server_config *config)
{
    struct mllp_server *server = calloc(1, sizeof(*server));
    if (!server) {
        return NULL;
    }
    server->config = *config;
    size_t max = config->connections_max ? config->connections_max : MLLP_CONNECTIONS;
    if (server_init(&server->base, config->base, config->fd, max, on_accept, server) < 0) {
        free(server);
        return NULL;
    }
    return server;
}

static void link_end(struct server_link *base)
{
    link_close((struct mllp_link *)base, true);
}

static void link_drain(struct server_link *base)
{
    link_stop((struct mllp_link *)base);
}

void mllp_server_free(struct mllp_server *server)
{
    if (server) {
        server_deinit(&server->base, link_end);
        free(server);
    }
}

void mllp_server_drain(struct mllp_server *server, void (*done)(void *owner), void *owner)
{
    server_drain(&server->base, link_drain, done, owner);
}

void mllp_server_pause(struct mllp_server *server)
{
    server_pause(&server->base);
}

void mllp_server_resume(struct mllp_server *server)
{
    server_resume(&server->base);
}

size_t mllp_server_connections(const struct mllp_server *server)
{
    return server_connections(&server->base);
}
