/*
 * A pair of datagram sockets for each worker: its own end to read from, the other end for
 * everybody else. Both stay open in the supervisor, so a worker that is started again finds its
 * inbox, and in it perhaps what the one before it wasn't in time to read: that does no harm.
 */
#include "gateway/neighbours.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct inbox {
    int read;
    int write;
};

struct neighbours {
    size_t count;
    struct inbox inboxes[];
};

struct neighbours *neighbours_new(size_t workers)
{
    struct neighbours *made = calloc(1, sizeof(*made) + workers * sizeof(made->inboxes[0]));
    while (made && made->count < workers) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
            neighbours_free(made);
            return NULL;
        }
        made->inboxes[made->count++] = (struct inbox){ .read = ends[0], .write = ends[1] };
    }
    return made;
}

void neighbours_free(struct neighbours *neighbours)
{
    for (size_t i = 0; neighbours && i < neighbours->count; i++) {
        (void)close(neighbours->inboxes[i].read);
        (void)close(neighbours->inboxes[i].write);
    }
    free(neighbours);
}

int neighbours_inbox(const struct neighbours *neighbours, size_t self)
{
    return neighbours->inboxes[self].read;
}

void neighbours_tell(const struct neighbours *neighbours, size_t self, struct str destination,
                     const uint8_t patient[16])
{
    struct neighbours_word word;
    if (destination.n == 0 || destination.n > NEIGHBOURS_NAME_MAX) {
        return;
    }
    memcpy(word.patient, patient, sizeof(word.patient));
    memcpy(word.name, destination.p, destination.n);
    for (size_t i = 0; i < neighbours->count; i++) {
        if (i != self) {
            (void)!send(neighbours->inboxes[i].write, &word,
                        sizeof(word.patient) + destination.n, MSG_NOSIGNAL);
        }
    }
}

bool neighbours_hear(const struct neighbours *neighbours, size_t self,
                     struct neighbours_word *out)
{
    struct neighbours_word word;
    const size_t most = sizeof(word.patient) + NEIGHBOURS_NAME_MAX;
    ssize_t n = recv(neighbours->inboxes[self].read, &word, most, 0);
    if (n <= (ssize_t)sizeof(word.patient)) {
        return false;
    }
    word.name[(size_t)n - sizeof(word.patient)] = '\0';
    *out = word;
    return true;
}
