/*
 * TLS contexts from files: who we are and whom we believe.
 *
 * TLS 1.3, or 1.2 with AEAD and forward secrecy only. Certificates are verified by default on
 * the client side, with the host's name; on the server side if a client CA is given. Sessions
 * are resumed. A context may be freed while connections made from it live.
 */
#pragma once

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum {
    TLS_DIGEST_SIZE = 32,
    TLS_SUBJECT_MAX = 256, /* bytes of a subject in text, terminator included */
    TLS_WHY_MAX = 256,     /* room for the reason of a failure, terminator included */
};

/* Paths are PEM files; borrowed. NULL: not given. */
struct tls_config {
    const char *certificate;     /* own chain, leaf first; a server needs it */
    const char *key;             /* its private key */
    const char *trusted;         /* CA certificates; client: NULL takes the system's */
    bool client_certificate;     /* server: a client without a certificate is refused */
    bool any_client_certificate; /* server: asks for one, takes any; the owner compares digests
                                  */
    bool no_verify;              /* client: any server will do; only ever by written choice */
    bool only_1_3;               /* TLS 1.2 is refused */
    bool alpn_http;              /* offers or accepts http/1.1 */
};

/* What is known of a peer after the handshake. */
struct tls_peer {
    bool certificate; /* it showed one; else nothing below is set */
    uint8_t digest[TLS_DIGEST_SIZE];
    char subject[TLS_SUBJECT_MAX]; /* RFC 2253 text */
};

struct tls;

/**
 * tls_server_new() - context of a listener
 * @config: files
 * @why:    reason of a failure for a person, TLS_WHY_MAX bytes; names the file
 *
 * Return: the context, or NULL and @why is set
 */
MUST_USE struct tls *tls_server_new(const struct tls_config *config, char *why);

/* Same for the connections we open. */
MUST_USE struct tls *tls_client_new(const struct tls_config *config, char *why);

void tls_free(struct tls *tls);

/* For conn.c: one side of a connection; @host (client only) is who the peer must be. */
MUST_USE SSL *tls_session(struct tls *tls, const char *host);

/* Certificate of the peer of @ssl. */
void tls_peer_of(const SSL *ssl, struct tls_peer *out);
