/* Host names are looked up for stream sockets, both families, in getaddrinfo()'s order. */
#include "gateway/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

static int parse_port(struct str text, uint16_t *port)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == 5) {
            return ADDRESS_E_SYNTAX;
        }
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    if (text.n == 0 || value > UINT16_MAX) {
        return ADDRESS_E_SYNTAX;
    }
    *port = (uint16_t)value;
    return 0;
}

int address_split(struct str text, uint16_t usual, struct str *host, uint16_t *port)
{
    bool bracket = text.n && text.p[0] == '[';
    struct str rest = bracket ? str_slice(text, 1, text.n) : text;
    size_t whole = rest.n;
    struct str name = str_cut(&rest, bracket ? ']' : ':');
    bool cut = name.n < whole;
    if (name.n == 0 || name.n > ADDRESS_HOST_MAX || memchr(name.p, '\0', name.n) ||
        (bracket && !cut)) {
        return ADDRESS_E_SYNTAX;
    }
    if (bracket) {
        cut = rest.n > 0;
        if (cut && rest.p[0] != ':') {
            return ADDRESS_E_SYNTAX;
        }
        rest = str_slice(rest, 1, rest.n);
    }
    uint16_t number = usual;
    int r = cut ? parse_port(rest, &number) : 0;
    if (r || (!cut && usual == 0)) {
        return ADDRESS_E_SYNTAX;
    }
    *host = name;
    *port = number;
    return 0;
}

static int resolve_unix(struct str path, struct addresses *out)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (path.n == 0 || path.n >= sizeof(at.sun_path)) {
        return ADDRESS_E_SYNTAX;
    }
    memcpy(at.sun_path, path.p, path.n);
    *out = (struct addresses){ .n = 1 };
    memcpy(&out->each[0].at, &at, sizeof(at));
    out->each[0].n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return 0;
}

int address_resolve(struct str text, uint16_t usual, struct addresses *out)
{
    if (str_starts(text, STR("unix:"))) {
        return resolve_unix(str_slice(text, 5, text.n), out);
    }
    struct str host = { 0 };
    uint16_t port = 0;
    int r = address_split(text, usual, &host, &port);
    if (r) {
        return r;
    }
    char name[ADDRESS_HOST_MAX + 1];
    char service[6];
    (void)snprintf(name, sizeof(name), "%.*s", (int)host.n, host.p);
    (void)snprintf(service, sizeof(service), "%u", port);

    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    r = getaddrinfo(name, service, &hints, &found);
    if (r) {
        return r == EAI_MEMORY ? -ENOMEM : ADDRESS_E_UNKNOWN;
    }
    *out = (struct addresses){ 0 };
    for (const struct addrinfo *one = found; one && out->n < ADDRESS_MAX; one = one->ai_next) {
        memcpy(&out->each[out->n].at, one->ai_addr, one->ai_addrlen);
        out->each[out->n++].n = one->ai_addrlen;
    }
    freeaddrinfo(found);
    return out->n ? 0 : ADDRESS_E_UNKNOWN;
}

void address_text(const struct address *address, char *out)
{
    char host[INET6_ADDRSTRLEN] = "?";
    switch (address->at.ss_family) {
    case AF_INET: {
        struct sockaddr_in in;
        memcpy(&in, &address->at, sizeof(in));
        (void)inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in.sin_port));
        return;
    }
    case AF_INET6: {
        struct sockaddr_in6 in6;
        memcpy(&in6, &address->at, sizeof(in6));
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(in6.sin6_port));
        return;
    }
    case AF_UNIX: {
        struct sockaddr_un at;
        memcpy(&at, &address->at, sizeof(at));
        int max = (int)sizeof(at.sun_path) - 1;
        (void)snprintf(out, ADDRESS_TEXT_MAX, "unix:%.*s", max,
                       address->n > sizeof(sa_family_t) ? at.sun_path : "");
        return;
    }
    default: (void)snprintf(out, ADDRESS_TEXT_MAX, "unknown"); return;
    }
}

bool address_same_host(const struct address *a, const struct address *b)
{
    if (a->at.ss_family != b->at.ss_family) {
        return false;
    }
    if (a->at.ss_family == AF_INET) {
        struct sockaddr_in x;
        struct sockaddr_in y;
        memcpy(&x, &a->at, sizeof(x));
        memcpy(&y, &b->at, sizeof(y));
        return x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    if (a->at.ss_family == AF_INET6) {
        struct sockaddr_in6 x;
        struct sockaddr_in6 y;
        memcpy(&x, &a->at, sizeof(x));
        memcpy(&y, &b->at, sizeof(y));
        return memcmp(&x.sin6_addr, &y.sin6_addr, sizeof(x.sin6_addr)) == 0;
    }
    return a->at.ss_family == AF_UNIX;
}
