/*
 * libpq resolves names itself, and blocks in that. So names are resolved here, once, and it is
 * given addresses beside them (the names still serve to check certificates).
 *
 * Our statements are few, prepared once and made for look-ups through indexes. PostgreSQL plans
 * them by the size that tables have at the time: a statement planned while its table was empty
 * would read all of it, for as long as the connection lasts and however large it grows. So the
 * session forbids what reads whole tables where an index serves.
 */
#include "gateway/store/db_connect.h"

#include "crypto/base/str.h"
#include "gateway/heap.h"

#include <errno.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum {
    ADDRESSES_MAX = 4096,
};

/* JIT would compile each plan that has to read a whole table, since that counts as dear. */
static const char plans[] = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
                            " -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

static const char *option(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, name) == 0) {
            return options->val && *options->val ? options->val : NULL;
        }
    }
    return NULL;
}

/* The address of one host; nothing for a socket's folder. */
static int put_address(struct buf *out, struct str host)
{
    char name[256];
    if (host.n == 0 || host.p[0] == '/' || host.p[0] == '@') {
        return 0;
    }
    if (host.n >= sizeof(name)) {
        return -EINVAL;
    }
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';

    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(name, NULL, &hints, &found) != 0) {
        return -ENXIO;
    }
    char address[64];
    int r = getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
                        NI_NUMERICHOST);
    freeaddrinfo(found);
    if (r != 0) {
        return -ENXIO;
    }
    buf_z(out, address);
    return 0;
}

/* A list of hosts becomes a list of addresses in the same places. */
static int resolve(const PQconninfoOption *options, char **out)
{
    const char *hosts = option(options, "host");
    if (!hosts || option(options, "hostaddr")) {
        return 0;
    }
    struct buf list = heap_buf(ADDRESSES_MAX);
    struct str rest = str_z(hosts);
    int r = 0;
    for (;;) {
        bool more = memchr(rest.p, ',', rest.n) != NULL;
        r = put_address(&list, str_cut(&rest, ','));
        if (r < 0 || !more) {
            break;
        }
        buf_c(&list, ',');
    }
    buf_c(&list, '\0');
    if (r == 0 && buf_failed(&list)) {
        r = -ENOMEM;
    }
    if (r < 0) {
        heap_buf_free(&list);
        return r;
    }
    *out = list.p;
    return 0;
}

int db_target_init(struct db_target *target, const char *url, const char *name)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options) {
        return -EINVAL;
    }
    *target = (struct db_target){ .url = strdup(url), .name = strdup(name) };
    int r = target->url && target->name ? resolve(options, &target->hostaddr) : -ENOMEM;
    PQconninfoFree(options);
    if (r < 0) {
        db_target_deinit(target);
    }
    return r;
}

/* The URL may hold a password. */
void db_target_deinit(struct db_target *target)
{
    if (target->url) {
        explicit_bzero(target->url, strlen(target->url));
    }
    free(target->url);
    free(target->hostaddr);
    free(target->name);
    *target = (struct db_target){ 0 };
}

/* Notices may quote values; by default libpq prints them. */
static void ignore(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

PGconn *db_target_connect(const struct db_target *target)
{
    /* What the URL says counts more than what stands before it. */
    const char *keys[8] = { "options", "dbname", "application_name", "client_encoding",
                            "tcp_user_timeout" };
    const char *values[8] = { plans, target->url, target->name, "UTF8", "15000" };
    if (target->hostaddr) {
        keys[5] = "hostaddr";
        values[5] = target->hostaddr;
    }
    PGconn *conn = PQconnectStartParams(keys, values, 1);
    if (conn) {
        (void)PQsetNoticeReceiver(conn, ignore, NULL);
    }
    return conn;
}
