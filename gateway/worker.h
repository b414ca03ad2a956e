/*
 * What a gateway worker has: one process, one event loop, nothing shared but PostgreSQL.
 *
 * Stages reach everything through this.
 */
#pragma once

#include "gateway/child.h"
#include "gateway/net/http_client.h"
#include "gateway/net/mllp_client.h"

#include <event2/event.h>
#include <stdbool.h>

struct batch;
struct consents;
struct db;
struct delivery;
struct did_hosts;
struct directory;
struct identity;
struct newcomers;
struct notices;
struct number_cache;
struct payloads;
struct rpc;
struct vault;
struct way_in;

/* A destination of the configuration with the client that reaches it. */
struct way_out {
    const struct config_destination *config; /* borrowed */
    struct tls *tls;                         /* owned; NULL: plain */
    struct http_client *http;                /* FHIR; owned */
    struct addresses to;                     /* MLLP: delivery keeps the connections */
    struct str host;                         /* for the field Host (FHIR), for TLS (MLLP) */
    struct str base_path;                    /* FHIR: path of the base URL, without final '/' */
    struct str base_url;                     /* FHIR: whole base URL, without final '/' */
    bool no_batches;                         /* FHIR: it said so */
};

/*
 * @instance: random at each start; with the sequence it names every record
 * All pointers are owned and live as long as the worker.
 */
struct worker {
    const struct config *config;
    const struct child *child;
    struct event_base *loop;
    struct arena *arena;
    uint8_t instance[16];
    struct db *db;
    struct batch *batch;
    struct vault *vault;
    struct consents *consents;
    struct number_cache *patients;
    struct number_cache *recipients;
    struct payloads *payloads;
    struct newcomers *newcomers;
    struct identity *identity;
    struct did_hosts *did_hosts;
    struct directory *directory;
    struct rpc *rpc; /* for logins of contract accounts; NULL: none, or no node can be asked */
    struct delivery *delivery;
    struct notices *notices;
    struct way_in *ways_in;
    size_t way_in_count;
    struct way_out *ways_out;
    size_t way_out_count;
    struct http_server *admin;
    uint8_t consent_contract[20]; /* address of ConsentRegistry */
    bool draining;
};

/* The way out to destination @name; NULL if there is none. */
struct way_out *worker_way_out(const struct worker *worker, const char *name);
