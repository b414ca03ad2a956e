/* Connections of deliveries to MLLP receivers: each is used by one run at a time. */
#pragma once

#include "gateway/worker.h"

enum {
    DELIVERY_CLIENTS_MAX = 32, /* to one destination */
};

struct delivery_link {
    struct mllp_client *mllp; /* owned */
    const struct way_out *out;
    bool busy;
};

struct delivery_clients {
    struct delivery_link list[DELIVERY_CLIENTS_MAX * 4];
    size_t count;
};

/* The MLLP receiver called @destination; NULL if it is none. */
const struct way_out *delivery_receiver(const struct worker *worker, struct str destination);

/* How many more connections to @out there may be in use. */
size_t delivery_room(const struct delivery_clients *clients, const struct way_out *out);

/* A connection to @out that nobody uses; NULL: all are in use, or no memory. */
struct mllp_client *delivery_client(struct delivery_clients *clients, struct event_base *loop,
                                    const struct way_out *out);

/* @used isn't in use any more; NULL is fine. */
void delivery_clients_done(struct delivery_clients *clients, const struct mllp_client *used);

/* Close them all. */
void delivery_clients_free(struct delivery_clients *clients);
