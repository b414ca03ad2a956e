/* A connection is made when all others are in use, and kept until the worker ends. */
#include "gateway/delivery_clients.h"

const struct way_out *delivery_receiver(const struct worker *worker, struct str destination)
{
    for (size_t i = 0; i < worker->way_out_count; i++) {
        const struct way_out *out = &worker->ways_out[i];
        if (str_eq(str_z(out->config->place.name), destination)) {
            return out->config->protocol == PROTOCOL_MLLP ? out : NULL;
        }
    }
    return NULL;
}

size_t delivery_room(const struct delivery_clients *clients, const struct way_out *out)
{
    size_t most = (size_t)out->config->connections;
    size_t busy = 0;
    most = most < DELIVERY_CLIENTS_MAX ? most : DELIVERY_CLIENTS_MAX;
    for (size_t i = 0; i < clients->count; i++) {
        busy += clients->list[i].out == out && clients->list[i].busy;
    }
    return busy < most ? most - busy : 0;
}

struct mllp_client *delivery_client(struct delivery_clients *clients, struct event_base *loop,
                                    const struct way_out *out)
{
    for (size_t i = 0; i < clients->count; i++) {
        struct delivery_link *client = &clients->list[i];
        if (client->out == out && !client->busy) {
            client->busy = true;
            return client->mllp;
        }
    }
    if (!delivery_room(clients, out) || clients->count == ARRAY_LEN(clients->list)) {
        return NULL;
    }
    struct mllp_client_config config = {
        .base = loop,
        .to = out->to,
        .tls = out->tls,
        .tls_host = out->tls ? out->host.p : NULL,
        .answer_ms = (int)out->config->timeout,
    };
    struct mllp_client *mllp = mllp_client_new(&config);
    if (mllp) {
        clients->list[clients->count++] =
            (struct delivery_link){ .mllp = mllp, .out = out, .busy = true };
    }
    return mllp;
}

void delivery_clients_done(struct delivery_clients *clients, const struct mllp_client *used)
{
    for (size_t i = 0; i < clients->count; i++) {
        if (clients->list[i].mllp == used) {
            clients->list[i].busy = false;
        }
    }
}

void delivery_clients_free(struct delivery_clients *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        mllp_client_free(clients->list[i].mllp);
    }
    clients->count = 0;
}
