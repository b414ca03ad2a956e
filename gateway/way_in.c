/*
 * Opening listeners and recognising who sends.
 *
 * An MLLP peer that is nobody known is closed at its handshake, before a byte is read: it is
 * counted, not recorded, so that a stranger can't fill the log.
 */
#include "gateway/way_in.h"

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/pipeline/fhir.h"
#include "gateway/pipeline/v2_receive.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

/* The address bytes of @address; 0 if it has none. */
static size_t address_bytes(const struct address *address, const uint8_t **out)
{
    if (address->at.ss_family == AF_INET) {
        *out = (const uint8_t *)&((const struct sockaddr_in *)(const void *)&address->at)
                   ->sin_addr;
        return 4;
    }
    if (address->at.ss_family == AF_INET6) {
        *out = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)&address->at)
                   ->sin6_addr;
        return 16;
    }
    return 0;
}

static bool in_network(const struct address *network, int bits, const struct address *peer)
{
    const uint8_t *a;
    const uint8_t *b;
    size_t n = address_bytes(network, &a);
    if (n == 0 || n != address_bytes(peer, &b)) {
        return false;
    }
    size_t whole = (size_t)bits / 8;
    uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* "10.1.0.0/16" or one address. */
static int read_network(const char *text, struct way_in_sender *sender)
{
    char host[ADDRESS_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    struct addresses found;
    if (n >= sizeof(host)) {
        return -EINVAL;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    if (address_resolve(str_z(host), 1, &found) != 0) {
        return -EINVAL;
    }
    sender->network = found.each[0];
    const uint8_t *bytes;
    int most = (int)address_bytes(&sender->network, &bytes) * 8;
    char *end = NULL;
    long bits = slash ? strtol(slash + 1, &end, 10) : most;
    if ((slash && (end == slash + 1 || *end)) || bits < 0 || bits > most) {
        return -EINVAL;
    }
    sender->bits = (int)bits;
    sender->by_address = true;
    return 0;
}

static int read_certificate(const char *path, struct way_in_sender *sender)
{
    FILE *file = fopen(path, "rbe");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    unsigned n = 0;
    bool good = certificate &&
                X509_digest(certificate, EVP_sha256(), sender->certificate, &n) &&
                n == sizeof(sender->certificate);
    X509_free(certificate);
    if (file) {
        (void)fclose(file);
    }
    sender->by_certificate = good;
    return good ? 0 : -EINVAL;
}

static int read_senders(struct way_in *way)
{
    const struct config_sender *senders = way->config->senders.items;
    way->sender_count = way->config->senders.n;
    way->senders =
        arena_calloc(way->worker->arena, way->sender_count + 1, sizeof(*way->senders));
    if (!way->senders) {
        return -ENOMEM;
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < way->sender_count; i++) {
        struct way_in_sender *sender = &way->senders[i];
        sender->config = &senders[i];
        if (senders[i].certificate) {
            r = read_certificate(senders[i].certificate, sender);
        }
        if (r == 0 && senders[i].address) {
            r = read_network(senders[i].address, sender);
        }
        if (r < 0) {
            log_line(LOG_ERROR, "a sender's certificate or address can't be read",
                     LOG_Z("listener", way->config->place.name), LOG_I("sender", i));
        }
    }
    return r;
}

const struct config_sender *way_in_sender(const struct way_in *way, const struct address *peer,
                                          const struct tls_peer *tls)
{
    for (size_t i = 0; i < way->sender_count; i++) {
        const struct way_in_sender *sender = &way->senders[i];
        bool certified = tls && tls->certificate &&
                         memcmp(tls->digest, sender->certificate, sizeof(tls->digest)) == 0;
        bool there = sender->by_address && in_network(&sender->network, sender->bits, peer);
        if (sender->by_certificate ? certified && (!sender->by_address || there) : there) {
            return sender->config;
        }
    }
    return NULL;
}

static bool on_connect(void *owner, const struct address *peer, const struct tls_peer *tls)
{
    struct way_in *way = owner;
    bool known = way_in_sender(way, peer, tls) != NULL;
    if (!known) {
        metrics_add(METRIC_HL7_REFUSED_EARLY, 1);
        log_line(LOG_WARN, "v2 connection refused: nobody known",
                 LOG_Z("listener", way->config->place.name));
    }
    return known;
}

static void on_message(void *owner, struct mllp_msg *msg, struct str bytes)
{
    metrics_add(METRIC_HL7_MESSAGES, 1);
    v2_receive(owner, msg, bytes);
}

static void on_broken(void *owner, const struct address *peer, int error)
{
    (void)peer;
    struct way_in *way = owner;
    log_line(LOG_WARN, "MLLP framing broken, connection closed",
             LOG_Z("listener", way->config->place.name), LOG_I("code", error));
}

static int open_mllp(struct way_in *way, int fd)
{
    struct mllp_server_config config = {
        .base = way->worker->loop,
        .fd = fd,
        .tls = way->tls,
        .owner = way,
        .on_connect = on_connect,
        .on_message = on_message,
        .on_broken = on_broken,
        .connections_max = (size_t)way->config->connections,
    };
    int r = read_senders(way);
    if (r < 0) {
        return r;
    }
    way->mllp = mllp_server_new(&config);
    return way->mllp ? 0 : -ENOMEM;
}

static int open_tls(struct way_in *way)
{
    const struct config_tls *config = way->config->tls;
    if (!config) {
        return 0;
    }
    char why[TLS_WHY_MAX];
    struct tls_config tls = {
        .certificate = config->certificate,
        .key = config->key,
        .trusted = config->clients,
        .client_certificate = config->require_client,
        .any_client_certificate = way->config->protocol == PROTOCOL_MLLP && !config->clients,
        .only_1_3 = config->least,
        .alpn_http = way->config->protocol == PROTOCOL_FHIR,
    };
    way->tls = tls_server_new(&tls, why);
    if (!way->tls) {
        log_line(LOG_ERROR, "TLS can't be set up", LOG_Z("listener", way->config->place.name),
                 LOG_Z("reason", why));
        return -EINVAL;
    }
    return 0;
}

int way_in_open(struct worker *worker, const struct config_listener *config, int fd,
                struct way_in *way)
{
    *way = (struct way_in){ .worker = worker, .config = config };
    int r = open_tls(way);
    if (r == 0) {
        r = config->protocol == PROTOCOL_MLLP ? open_mllp(way, fd) : fhir_open(way, fd);
    }
    if (r < 0) {
        way_in_close(way);
    }
    return r;
}

static void on_drained(void *owner)
{
    struct way_in *way = owner;
    way->drained = true;
}

void way_in_drain(struct way_in *way)
{
    if (way->mllp) {
        mllp_server_drain(way->mllp, on_drained, way);
    } else if (way->http) {
        http_server_drain(way->http, on_drained, way);
    } else {
        way->drained = true;
    }
}

void way_in_close(struct way_in *way)
{
    if (way->mllp) {
        mllp_server_free(way->mllp);
    }
    if (way->http) {
        http_server_free(way->http);
    }
    fhir_close(way);
    tls_free(way->tls);
    way->mllp = NULL;
    way->http = NULL;
    way->tls = NULL;
}
