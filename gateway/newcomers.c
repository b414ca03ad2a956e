/*
 * One transaction at a time.
 *
 *   waiting --those there at the end of the loop's turn--> under way --> ended
 *      ^                                                      |
 *      +--------- failed together: each alone ---------------+
 *
 * Two workers that learn the same identifiers wait for each other in PostgreSQL. So that they
 * don't wait in a circle, patients are learnt in the order of their least hashes. Where two of
 * one transaction are the same patient in another that isn't enough: PostgreSQL fails one of
 * the transactions, and alone no one is in the way of itself.
 */
#include "gateway/newcomers.h"

#include "crypto/keyring.h"
#include "gateway/id.h"
#include "gateway/store/patients.h"
#include "gateway/vault.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/*
 * @op:    first, so that an op is its newcomer
 * @list:  the one it is in
 * @done:  NULL: cancelled while under way
 * @alone: it failed among others
 */
struct newcomer {
    struct op op;
    struct newcomer *next;
    struct newcomers *in;
    newcomers_done_fn done;
    void *arg;
    bool alone;
    const uint8_t *least; /* of its hashes; NULL: it has none */
    struct store_newcomer what;
    uint8_t wrapped[KEYRING_WRAPPED_SIZE];
    int outcome;
    uint8_t patient[16];
    uint8_t hashes[];
};

struct newcomers {
    struct db *db;       /* borrowed */
    struct vault *vault; /* borrowed */
    struct event *kick;  /* owned */
    struct newcomer *waiting;
    struct newcomer **last;
    struct newcomer *flying;
    struct op *under_way;
};

static void kick(struct newcomers *all)
{
    event_active(all->kick, EV_TIMEOUT, 0);
}

static void append(struct newcomers *all, struct newcomer *one)
{
    one->next = NULL;
    *all->last = one;
    all->last = &one->next;
}

static void on_cancel(struct op *op)
{
    struct newcomer *one = (struct newcomer *)(void *)op;
    struct newcomers *all = one->in;
    for (struct newcomer **link = &all->waiting; *link; link = &(*link)->next) {
        if (*link == one) {
            *link = one->next;
            all->last = one->next ? all->last : link;
            free(one);
            return;
        }
    }
    one->done = NULL;
}

/* Those under way have ended with @r, one by one: a completion may cancel another. */
static void end(struct newcomers *all, int r)
{
    while (all->flying) {
        struct newcomer *one = all->flying;
        all->flying = one->next;
        if (one->done) {
            one->done(one->arg, r, one->outcome, one->patient);
        }
        free(one);
    }
}

static void part(struct newcomers *all)
{
    while (all->flying) {
        struct newcomer *one = all->flying;
        all->flying = one->next;
        one->alone = true;
        append(all, one);
    }
}

static void on_learnt(void *arg, int r, const struct db_rows *rows)
{
    struct newcomers *all = arg;
    all->under_way = NULL;
    int i = 0;
    for (struct newcomer *one = all->flying; one && r == 0; one = one->next) {
        one->outcome = store_patient_outcome(rows, i++, one->patient);
        if (one->outcome == STORE_PATIENT_MADE) {
            vault_made(all->vault, &one->what.key);
        }
    }
    bool several = all->flying && all->flying->next;
    if (r < 0 && r != -ECONNRESET && r != -ETIMEDOUT && several) {
        part(all);
    } else {
        end(all, r);
    }
    kick(all);
}

static int by_least_hash(const void *a, const void *b)
{
    const struct newcomer *x = *(struct newcomer *const *)a;
    const struct newcomer *y = *(struct newcomer *const *)b;
    if (!x->least || !y->least) {
        return (x->least != NULL) - (y->least != NULL);
    }
    return memcmp(x->least, y->least, STORE_HASH_SIZE);
}

/* Take from those waiting what goes into one transaction. */
static size_t board(struct newcomers *all, struct newcomer *out[NEWCOMERS_TOGETHER_MAX])
{
    size_t n = 0;
    while (all->waiting && n < NEWCOMERS_TOGETHER_MAX && (n == 0 || !all->waiting->alone)) {
        struct newcomer *one = all->waiting;
        all->waiting = one->next;
        if (!one->done) { /* cancelled when it failed among others */
            free(one);
            continue;
        }
        out[n++] = one;
        if (one->alone) {
            break;
        }
    }
    if (!all->waiting) {
        all->last = &all->waiting;
    }
    qsort(out, n, sizeof(struct newcomer *), by_least_hash);
    return n;
}

static struct op *depart(struct newcomers *all, struct newcomer *const *some, size_t n)
{
    struct store_newcomer list[NEWCOMERS_TOGETHER_MAX];
    struct newcomer **link = &all->flying;
    for (size_t i = 0; i < n; i++) {
        list[i] = some[i]->what;
        *link = some[i];
        link = &some[i]->next;
    }
    *link = NULL;
    return store_patient_learn(all->db, list, n, on_learnt, all);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct newcomers *all = arg;
    struct newcomer *some[NEWCOMERS_TOGETHER_MAX];
    size_t n = all->under_way ? 0 : board(all, some);
    if (n == 0) {
        return;
    }
    all->under_way = depart(all, some, n);
    if (!all->under_way) {
        end(all, -ENOTCONN);
        kick(all);
    }
}

struct newcomers *newcomers_new(struct event_base *base, struct db *db, struct vault *vault)
{
    struct newcomers *all = calloc(1, sizeof(*all));
    if (!all) {
        return NULL;
    }
    all->db = db;
    all->vault = vault;
    all->last = &all->waiting;
    all->kick = event_new(base, -1, 0, on_kick, all);
    if (!all->kick) {
        free(all);
        return NULL;
    }
    return all;
}

static void drop(struct newcomer *one)
{
    while (one) {
        struct newcomer *next = one->next;
        free(one);
        one = next;
    }
}

void newcomers_free(struct newcomers *newcomers)
{
    if (newcomers) {
        op_cancel(newcomers->under_way);
        drop(newcomers->flying);
        drop(newcomers->waiting);
        event_free(newcomers->kick);
        free(newcomers);
    }
}

struct op *newcomers_learn(struct newcomers *newcomers, const uint8_t *hashes, size_t n,
                           newcomers_done_fn done, void *arg)
{
    struct newcomer *one = calloc(1, sizeof(*one) + n * STORE_HASH_SIZE);
    if (!one) {
        return NULL;
    }
    uint8_t number[ID_SIZE];
    id_random(number);
    memcpy(one->hashes, hashes, n * STORE_HASH_SIZE);
    one->op.cancel = on_cancel;
    one->in = newcomers;
    one->done = done;
    one->arg = arg;
    one->what.hashes = one->hashes;
    one->what.n = n;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *hash = one->hashes + i * STORE_HASH_SIZE;
        bool less = !one->least || memcmp(hash, one->least, STORE_HASH_SIZE) < 0;
        one->least = less ? hash : one->least;
    }
    vault_new_key(newcomers->vault, number, one->wrapped, &one->what.key);
    append(newcomers, one);
    kick(newcomers);
    return &one->op;
}
