/*
 * TLS contexts.
 *
 * Read-ahead is on: a read takes as many records as the kernel has, instead of two system
 * calls for each. Whoever stops reading must therefore ask SSL_has_pending(), which wire.c
 * does.
 *
 * A client remembers one session, that of the last host: an upstream has one context.
 */
#include "gateway/net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BUFFER = 64 << 10,
    SESSIONS_MAX = 20000,
    SESSION_SECONDS = 3600,
    HOST_MAX = 256,
};

/* Forward secrecy and AEAD only; of TLS 1.3 OpenSSL's own list has nothing else. */
static const char ciphers_1_2[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct tls {
    SSL_CTX *ctx;         /* owned */
    SSL_SESSION *session; /* owned; client: of the last connection to @host */
    char host[HOST_MAX];
    bool client;
    bool verify;
};

static int fail(char *why, const char *what, const char *file)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(why, TLS_WHY_MAX, "%s%s%s: %s", what, file ? " " : "", file ? file : "",
                   text ? text : "failed");
    ERR_clear_error();
    return -1;
}

static int load_own(SSL_CTX *ctx, const struct tls_config *config, char *why)
{
    if (!config->certificate) {
        return 0;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, config->certificate) != 1) {
        return fail(why, "certificate", config->certificate);
    }
    const char *key = config->key ? config->key : config->certificate;
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        return fail(why, "private key", key);
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        return fail(why, "private key does not belong to", config->certificate);
    }
    return 0;
}

/* Any certificate, or a wrong one by written choice: the owner looks at its digest. */
static int take_any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static int load_trusted(SSL_CTX *ctx, const struct tls_config *config, bool client, char *why)
{
    if (config->trusted) {
        if (SSL_CTX_load_verify_locations(ctx, config->trusted, NULL) != 1) {
            return fail(why, "CA certificates", config->trusted);
        }
        if (!client) {
            SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(config->trusted));
        }
    } else if (client && SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return fail(why, "the system's CA certificates", NULL);
    }
    return 0;
}

static void set_verify(SSL_CTX *ctx, const struct tls_config *config, bool client)
{
    if (client) {
        SSL_CTX_set_verify(ctx, config->no_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        return;
    }
    bool asks = config->trusted || config->any_client_certificate;
    int mode = asks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    if (asks && config->client_certificate) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(ctx, mode, config->any_client_certificate ? take_any : NULL);
}

static const unsigned char alpn[] = "\x08http/1.1";

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
                       const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, n, alpn, sizeof(alpn) - 1, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* TLS 1.3 hands out its tickets after the handshake, whenever it likes. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!tls) {
        return 0; /* freed: the connection outlived it */
    }
    SSL_SESSION_free(tls->session);
    tls->session = session;
    (void)snprintf(tls->host, sizeof(tls->host), "%s", host ? host : "");
    return 1;
}

static void set_common(struct tls *tls, const struct tls_config *config)
{
    SSL_CTX *ctx = tls->ctx;
    (void)SSL_CTX_set_min_proto_version(ctx,
                                        config->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    (void)SSL_CTX_set_cipher_list(ctx, ciphers_1_2);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                    SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_BUFFER);
    (void)SSL_CTX_set_app_data(ctx, tls);
    (void)SSL_CTX_set_timeout(ctx, SESSION_SECONDS);
    if (tls->client) {
        (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
                                                      SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
        if (config->alpn_http) {
            (void)SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1);
        }
        return;
    }
    static const unsigned char context[] = "chartseal";
    (void)SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1);
    (void)SSL_CTX_sess_set_cache_size(ctx, SESSIONS_MAX);
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    if (config->alpn_http) {
        SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
    }
}

/* OpenSSL writes without MSG_NOSIGNAL: a peer that has gone would end the process. */
static void ignore_sigpipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}

static struct tls *tls_new(const struct tls_config *config, bool client, char *why)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls) {
        (void)snprintf(why, TLS_WHY_MAX, "out of memory");
        return NULL;
    }
    ignore_sigpipe();
    tls->client = client;
    tls->verify = !config->no_verify;
    tls->ctx = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
    if (!tls->ctx) {
        (void)fail(why, "TLS", NULL);
        tls_free(tls);
        return NULL;
    }
    set_common(tls, config);
    set_verify(tls->ctx, config, client);
    if (load_own(tls->ctx, config, why) || load_trusted(tls->ctx, config, client, why)) {
        tls_free(tls);
        return NULL;
    }
    return tls;
}

struct tls *tls_server_new(const struct tls_config *config, char *why)
{
    if (!config->certificate) {
        (void)snprintf(why, TLS_WHY_MAX, "a server needs a certificate");
        return NULL;
    }
    return tls_new(config, false, why);
}

struct tls *tls_client_new(const struct tls_config *config, char *why)
{
    return tls_new(config, true, why);
}

void tls_free(struct tls *tls)
{
    if (!tls) {
        return;
    }
    SSL_SESSION_free(tls->session);
    if (tls->ctx) {
        (void)SSL_CTX_set_app_data(tls->ctx, NULL);
        SSL_CTX_free(tls->ctx);
    }
    free(tls);
}

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Who the peer must be. Without a name nobody can be: verification then fails. */
static int expect_host(const struct tls *tls, SSL *ssl, const char *host)
{
    if (host && is_numeric(host)) {
        return tls->verify ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) : 1;
    }
    /* The macro casts const away, which -Wcast-qual minds; OpenSSL copies the name. */
    const union {
        const char *given;
        char *taken;
    } name = { .given = host };
    if (host && SSL_set_tlsext_host_name(ssl, name.taken) != 1) {
        return 0;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return tls->verify ? host && SSL_set1_host(ssl, host) : 1;
}

SSL *tls_session(struct tls *tls, const char *host)
{
    SSL *ssl = SSL_new(tls->ctx);
    if (!ssl) {
        return NULL;
    }
    if (!tls->client) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_set_connect_state(ssl);
    if (expect_host(tls, ssl, host) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    if (tls->session && host && strcmp(tls->host, host) == 0) {
        (void)SSL_set_session(ssl, tls->session);
    }
    return ssl;
}

void tls_peer_of(const SSL *ssl, struct tls_peer *out)
{
    *out = (struct tls_peer){ 0 };
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    if (!certificate) {
        return;
    }
    unsigned n = 0;
    BIO *text = BIO_new(BIO_s_mem());
    if (text && X509_digest(certificate, EVP_sha256(), out->digest, &n) == 1 &&
        X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        int got = BIO_read(text, out->subject, TLS_SUBJECT_MAX - 1);
        out->subject[got > 0 ? got : 0] = '\0';
        out->certificate = true;
    }
    BIO_free(text);
    X509_free(certificate);
}
