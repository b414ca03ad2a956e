/*
 * A plain pass-through over gateway/net: what the FHIR pipeline does with connections, without
 * what it does with the content. Stands beside nginx and haproxy.
 *
 *   proxy ADDRESS UPSTREAM [-c CERTIFICATE -k KEY] [-u]
 *
 * GET only. -c and -k: TLS to the client. -u: TLS to the upstream, whoever it is.
 *
 *   request --> http_call_start --> on_head, on_body … on_end --> answered
 *
 * The side that can't take more pauses the other.
 */
#include "gateway/net/http_client.h"
#include "gateway/net/http_server.h"
#include "gateway/net/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONNECTIONS = 256,
};

struct pass {
    struct http_req *req;
    struct http_call *call;
    bool answering;
};

static struct http_client *upstream;

/* --- from the upstream -------------------------------------------------------------------- */

static void on_head(void *owner, const struct http_head *head)
{
    struct pass *p = owner;
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < head->n_fields; i++) {
        if (!http_field_is_hop(head, i) && head->fields[i].id != HTTP_DATE) {
            fields[n++] = head->fields[i];
        }
    }
    int64_t length =
        head->framing == HTTP_BODY_LENGTH ? (int64_t)head->length : HTTP_LENGTH_UNKNOWN;
    p->answering = http_res_head(p->req, head->status, fields, n,
                                 head->framing == HTTP_BODY_NONE ? 0 : length);
}

static void on_body(void *owner, struct str piece)
{
    struct pass *p = owner;
    if (!http_res_body(p->req, piece)) {
        http_call_pause(p->call);
    }
}

static void on_end(void *owner)
{
    struct pass *p = owner;
    http_res_end(p->req);
    free(p);
}

static void on_fail(void *owner, enum http_fail fail)
{
    struct pass *p = owner;
    (void)fail;
    if (p->answering) {
        http_res_cut(p->req);
    } else {
        http_res_full(p->req, 502, NULL, 0, STR(""));
    }
    free(p);
}

/* --- from the client ---------------------------------------------------------------------- */

static void on_request_end(void *owner)
{
    (void)owner;
}

static void on_drain(void *owner)
{
    struct pass *p = owner;
    http_call_resume(p->call);
}

static void on_abort(void *owner, enum http_abort why)
{
    struct pass *p = owner;
    (void)why;
    op_cancel(http_call_op(p->call));
    free(p);
}

static void on_request(void *owner, struct http_req *req)
{
    static const struct http_req_calls from_client = {
        .on_end = on_request_end,
        .on_drain = on_drain,
        .on_abort = on_abort,
    };
    static const struct http_call_calls from_upstream = {
        .on_head = on_head,
        .on_body = on_body,
        .on_end = on_end,
        .on_fail = on_fail,
    };
    (void)owner;
    const struct http_field accept = { .name = STR("Accept"), .value = STR("*/*") };
    struct http_ask ask = {
        .method = STR("GET"),
        .target = http_req_head(req)->target,
        .fields = &accept,
        .n_fields = 1,
    };
    struct pass *p = calloc(1, sizeof(*p));
    if (p) {
        p->req = req;
        p->call = http_call_start(upstream, &ask, &from_upstream, p);
    }
    if (!p || !p->call) {
        free(p);
        http_res_full(req, 503, NULL, 0, STR(""));
        return;
    }
    http_req_take(req, &from_client, p);
}

/* ------------------------------------------------------------------------------------------ */

static void fail(const char *what)
{
    (void)fprintf(stderr, "proxy: %s\n", what);
    exit(1);
}

static struct addresses resolve(const char *text)
{
    struct addresses at;
    if (address_resolve(str_z(text), 0, &at) != 0) {
        fail(text);
    }
    return at;
}

int main(int argc, char **argv)
{
    struct tls_config own = { .alpn_http = true };
    struct tls_config other = { .no_verify = true };
    bool upstream_tls = false;
    int option = 0;
    while ((option = getopt(argc, argv, "c:k:u")) != -1) {
        switch (option) {
        case 'c': own.certificate = optarg; break;
        case 'k': own.key = optarg; break;
        case 'u': upstream_tls = true; break;
        default: return 64;
        }
    }
    if (argc - optind != 2) {
        (void)fprintf(stderr, "usage: proxy ADDRESS UPSTREAM [options]; see proxy.c\n");
        return 64;
    }
    char why[TLS_WHY_MAX] = "";
    struct event_base *base = event_base_new();
    struct addresses here = resolve(argv[optind]);
    struct http_client_config client = {
        .base = base,
        .to = resolve(argv[optind + 1]),
        .host = argv[optind + 1],
        .tls = upstream_tls ? tls_client_new(&other, why) : NULL,
        .connections_max = CONNECTIONS,
    };
    struct http_server_config server = {
        .base = base,
        .tls = own.certificate ? tls_server_new(&own, why) : NULL,
        .on_request = on_request,
    };
    upstream = http_client_new(&client);
    if (*why || !upstream || listener_open(&here.each[0], true, &server.fd) < 0 ||
        !http_server_new(&server)) {
        fail(*why ? why : "can't listen");
    }
    event_base_dispatch(base);
    return 0;
}
