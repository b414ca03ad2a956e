/* A table of open sockets, each known by its address and its share. */
#include "gateway/sockets.h"

#include "gateway/log.h"
#include "gateway/net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SHARED = -1, /* a socket of all workers */
};

struct entry {
    char address[ADDRESS_TEXT_MAX]; /* as configured */
    const char *listener; /* borrowed from the configuration opened last; NULL: admin */
    int worker;           /* or SHARED */
    int fd;
    bool wanted;
};

struct sockets {
    struct entry *entries; /* owned */
    size_t count;
};

struct sockets *sockets_new(void)
{
    return calloc(1, sizeof(struct sockets));
}

void sockets_free(struct sockets *sockets)
{
    if (!sockets) {
        return;
    }
    for (size_t i = 0; i < sockets->count; i++) {
        (void)close(sockets->entries[i].fd);
    }
    free(sockets->entries);
    free(sockets);
}

static struct entry *find(struct sockets *sockets, const char *address, int worker)
{
    for (size_t i = 0; i < sockets->count; i++) {
        struct entry *entry = &sockets->entries[i];
        if (strcmp(entry->address, address) == 0 && entry->worker == worker) {
            return entry;
        }
    }
    return NULL;
}

static int open_one(const char *address, bool reuseport, int *fd)
{
    struct addresses found;
    int r = address_resolve(str_z(address), 0, &found);
    if (r == 0) {
        r = listener_open(&found.each[0], reuseport, fd);
    }
    if (r != 0) {
        log_line(LOG_ERROR, "can't listen", LOG_Z("address", address),
                 r < 0 ? LOG_ERRNO(r) : LOG_Z("error", "no such address"));
        return r < 0 ? r : -EADDRNOTAVAIL;
    }
    return 0;
}

/* Mark it wanted by @listener, opening it if it isn't there. */
static int want(struct sockets *sockets, const char *address, int worker, const char *listener)
{
    struct entry *entry = find(sockets, address, worker);
    if (!entry) {
        int fd;
        if (strlen(address) >= ADDRESS_TEXT_MAX) {
            return -ENAMETOOLONG;
        }
        /* Shared ones too: after a crash the successor starts while old children drain. */
        int r = open_one(address, true, &fd);
        if (r < 0) {
            return r;
        }
        entry = reallocarray(sockets->entries, sockets->count + 1, sizeof(*entry));
        if (!entry) {
            (void)close(fd);
            return -ENOMEM;
        }
        sockets->entries = entry;
        entry = &sockets->entries[sockets->count++];
        *entry = (struct entry){ .worker = worker, .fd = fd };
        memcpy(entry->address, address, strlen(address) + 1);
    }
    entry->listener = listener;
    entry->wanted = true;
    return 0;
}

int sockets_open(struct sockets *sockets, const struct config *config, size_t workers)
{
    for (size_t i = 0; i < sockets->count; i++) {
        sockets->entries[i].wanted = false;
    }
    int r = config->listeners.n < SOCKETS_MAX ? 0 : -EINVAL;
    for (size_t i = 0; r == 0 && i < config->listeners.n; i++) {
        const struct config_listener *listener = config_listener(config, i);
        bool shared = listener->protocol == PROTOCOL_MLLP;
        for (size_t w = 0; r == 0 && w < (shared ? 1 : workers); w++) {
            r = want(sockets, listener->address, shared ? SHARED : (int)w,
                     listener->place.name);
        }
    }
    return r < 0 ? r : want(sockets, config->admin->address, SHARED, NULL);
}

void sockets_keep(struct sockets *sockets, const struct config *config, size_t workers)
{
    /* Everything that this names is open already, so this only marks. */
    if (sockets_open(sockets, config, workers) < 0) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->entries[i].wanted) {
            sockets->entries[kept++] = sockets->entries[i];
        } else {
            (void)close(sockets->entries[i].fd);
        }
    }
    sockets->count = kept;
}

size_t sockets_for_worker(const struct sockets *sockets, size_t worker,
                          struct child_socket out[SOCKETS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < sockets->count && n < SOCKETS_MAX; i++) {
        const struct entry *entry = &sockets->entries[i];
        if (entry->wanted && (entry->worker == SHARED || entry->worker == (int)worker)) {
            out[n++] = (struct child_socket){ .listener = entry->listener, .fd = entry->fd };
        }
    }
    return n;
}
