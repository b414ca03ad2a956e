/*
 * Ways in: the listeners of a worker, each with the server that speaks its protocol.
 */
#pragma once

#include "gateway/net/http_server.h"
#include "gateway/net/mllp_server.h"
#include "gateway/worker.h"

/* A sender of the configuration, ready to be recognised. */
struct way_in_sender {
    const struct config_sender *config; /* borrowed */
    bool by_certificate;
    uint8_t certificate[TLS_DIGEST_SIZE];
    bool by_address;
    struct address network;
    int bits;
};

struct way_in {
    struct worker *worker;                /* borrowed */
    const struct config_listener *config; /* borrowed */
    struct tls *tls;                      /* owned; NULL: plain */
    struct mllp_server *mllp;             /* owned; one of the two */
    struct http_server *http;             /* owned */
    struct way_in_sender *senders;        /* in the worker's arena */
    size_t sender_count;
    struct fhir_door *door; /* FHIR: gateway/pipeline/fhir.c's; owned */
    bool drained;
};

/**
 * way_in_open() - begin to accept on a listener
 * @way: filled; @worker owns it
 * @fd:  listening socket; borrowed
 *
 * Return: 0, or -errno after saying why
 */
MUST_USE int way_in_open(struct worker *worker, const struct config_listener *config, int fd,
                         struct way_in *way);

/* Accept no more; way->drained is set when the last connection has ended. */
void way_in_drain(struct way_in *way);
void way_in_close(struct way_in *way);

/* The sender that a peer is, by certificate first, then by address; NULL: nobody known. */
const struct config_sender *way_in_sender(const struct way_in *way, const struct address *peer,
                                          const struct tls_peer *tls);
