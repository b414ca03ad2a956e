/*
 *   look --> rows --> each mined one --> each that isn't, oldest first --> after --> at rest
 *                                          +--nothing after it may go on--+
 */
#include "gateway/ledger/rounds.h"

#include "gateway/log.h"
#include "gateway/op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void look(struct rounds *rounds);

struct sender_row *rounds_row(const struct rounds *rounds, size_t i)
{
    return (struct sender_row *)(void *)(rounds->rows + i * rounds->kind->row_size);
}

static void drop_rows(struct rounds *rounds)
{
    for (size_t i = 0; i < rounds->count; i++) {
        sender_row_deinit(rounds_row(rounds, i));
    }
    free(rounds->rows);
    rounds->rows = NULL;
    rounds->count = 0;
}

void rounds_settle(struct rounds *rounds, int r)
{
    drop_rows(rounds);
    rounds->busy = false;
    if (r == -EPERM) {
        rounds->config.on_fenced(rounds->config.owner);
        return;
    }
    if (r < 0 && r != -EAGAIN) {
        log_line(LOG_WARN, "round interrupted", LOG_Z("kind", rounds->kind->name),
                 LOG_ERRNO(r));
    }
    if (rounds->again) {
        look(rounds);
    }
}

void rounds_went(struct rounds *rounds, struct op *op)
{
    rounds->op = op;
    if (!op) {
        rounds_settle(rounds, -EAGAIN);
    }
}

/* All rows had their turn. The first time it is known then what is in flight of ours. */
static void after_rows(struct rounds *rounds)
{
    if (!rounds->surveyed) {
        rounds->surveyed = true;
        rounds->config.wallet->unknown--;
        rounds->again = rounds->again || rounds->count > 0;
    }
    rounds->kind->after(rounds);
}

static bool has_turn(const struct rounds *rounds, const struct sender_row *row)
{
    return rounds->flying ? sender_row_open(row) : sender_row_mined(row);
}

static void step(struct rounds *rounds)
{
    while (rounds->at < rounds->count && !has_turn(rounds, rounds_row(rounds, rounds->at))) {
        rounds->at++;
    }
    if (rounds->at < rounds->count) {
        rounds->kind->bring(rounds, rounds_row(rounds, rounds->at));
    } else if (!rounds->flying) {
        sender_recheck(rounds->sender, false);
        rounds->flying = true;
        rounds->at = 0;
        step(rounds);
    } else {
        after_rows(rounds);
    }
}

void rounds_next(struct rounds *rounds)
{
    rounds->at++;
    step(rounds);
}

static void on_step(void *owner, int r)
{
    struct rounds *rounds = owner;
    if (r < 0) {
        rounds_settle(rounds, r);
    } else if (rounds->kind->stepped(rounds, rounds_row(rounds, rounds->at), r)) {
        after_rows(rounds);
    } else {
        rounds_next(rounds);
    }
}

void rounds_send(struct rounds *rounds, const struct follower_view *view)
{
    sender_step(rounds->sender, rounds_row(rounds, rounds->at), view, on_step, rounds);
}

void rounds_set(struct rounds *rounds, const struct sender_state *to)
{
    sender_set(rounds->sender, rounds_row(rounds, rounds->at), to, on_step, rounds);
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct rounds *rounds = arg;
    rounds->op = NULL;
    drop_rows(rounds);
    if (r == 0) {
        rounds->rows = calloc((size_t)db_count(rows) + 1, rounds->kind->row_size);
        r = rounds->rows ? 0 : -ENOMEM;
    }
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        r = rounds->kind->take(rounds, rows, i, rounds_row(rounds, rounds->count));
        rounds->count += r == 0;
    }
    if (r < 0) {
        rounds_settle(rounds, r);
        return;
    }
    rounds->at = 0;
    rounds->flying = false;
    step(rounds);
}

static void look(struct rounds *rounds)
{
    rounds->again = false;
    rounds->op = rounds->kind->open(rounds, on_rows, rounds);
    rounds->busy = rounds->op != NULL; /* if not, the next look at the chain brings us back */
}

int rounds_init(struct rounds *rounds, const struct rounds_kind *kind,
                const struct rounds_config *config)
{
    *rounds = (struct rounds){ .kind = kind, .config = *config };
    struct sender_config sender = {
        .base = config->base,
        .rpc = config->rpc,
        .db = config->db,
        .wallet = config->wallet,
        .chain = config->chain,
        .update = kind->update,
        .name = kind->name,
    };
    rounds->sender = sender_new(&sender);
    return rounds->sender ? 0 : -ENOMEM;
}

void rounds_deinit(struct rounds *rounds)
{
    if (rounds->sender) {
        rounds_lead(rounds, 0);
        sender_free(rounds->sender);
    }
}

void rounds_lead(struct rounds *rounds, uint64_t fence)
{
    op_cancel(rounds->op);
    rounds->op = NULL;
    sender_lead(rounds->sender, fence);
    drop_rows(rounds);
    rounds->fence = fence;
    rounds->busy = false;
    rounds->again = false;
    rounds->seen = false;
    rounds->surveyed = false;
}

void rounds_look(struct rounds *rounds, const struct follower_view *view)
{
    if (view) {
        rounds->view = *view;
        rounds->seen = true;
    }
    if (!rounds->fence || !rounds->seen) {
        return;
    }
    if (rounds->busy) {
        /* The chain is looked at again soon anyway. */
        rounds->again = rounds->again || !view;
        return;
    }
    look(rounds);
}
