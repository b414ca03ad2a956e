/*
 * Blocks that are gone: kept ones are compared with the chain's, the highest first, until one
 * is still there; what we have above it is taken back.
 */
#include "gateway/ledger/follower_impl.h"

#include "gateway/metrics.h"

#include <errno.h>
#include <string.h>

enum follower_fork follower_judge(const struct store_block *kept, const struct store_block *now,
                                  uint64_t at, uint64_t head)
{
    if (memcmp(kept->hash, now->hash, sizeof(kept->hash)) != 0) {
        return FOLLOWER_FORK_LOWER;
    }
    /* Nothing that we have above it was contradicted: the nodes haven't come there yet. */
    bool nothing_above = kept->number == at || kept->number >= head;
    return nothing_above ? FOLLOWER_FORK_NONE : FOLLOWER_FORK_HERE;
}

static void on_rolled_back(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct follower *f = arg;
    f->op = NULL;
    if (r < 0) {
        follower_not_stored(f, r);
        return;
    }
    const struct store_block *to = &f->kept[f->kept_at];
    log_line(to->number < f->cursor.finalized ? LOG_ERROR : LOG_WARN, "chain reorganised",
             LOG_I("from", f->cursor.number), LOG_I("to", to->number),
             LOG_I("finalized", f->cursor.finalized));
    metrics_add(METRIC_LEDGER_REORGS, 1);
    f->cursor.number = to->number;
    memcpy(f->cursor.hash, to->hash, sizeof(f->cursor.hash));
    f->calls.on_reorg(f->owner);
    follower_look(f);
}

static void compare_kept(struct follower *f);

static void on_kept_now(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block now;
    if (!follower_got_block(f, answer, &now)) {
        return;
    }
    const struct store_block *kept = &f->kept[f->kept_at];
    if (now.number != kept->number) {
        follower_give_up(f, LOG_WARN, "wrong block");
        return;
    }
    switch (follower_judge(kept, &now, f->cursor.number, f->view.latest)) {
    case FOLLOWER_FORK_NONE: follower_give_up(f, LOG_INFO, "nodes are behind"); return;
    case FOLLOWER_FORK_LOWER:
        f->kept_at++;
        compare_kept(f);
        return;
    case FOLLOWER_FORK_HERE: break;
    }
    f->op = store_chain_rollback(f->config.db, f->fence, f->config.chain, kept->number,
                                 on_rolled_back, f);
    if (!f->op) {
        follower_not_stored(f, -ENOTCONN);
    }
}

static void compare_kept(struct follower *f)
{
    if (f->kept_at < f->kept_count) {
        follower_ask_block(f, NULL, f->kept[f->kept_at].number, on_kept_now);
    } else if (f->kept_count && f->kept[f->kept_count - 1].number > 0) {
        follower_find_fork(f, f->kept[f->kept_count - 1].number - 1);
    } else {
        follower_give_up(f, LOG_ERROR, "no kept block is on this chain");
    }
}

static void on_kept(void *arg, int r, const struct db_rows *rows)
{
    struct follower *f = arg;
    f->op = NULL;
    f->kept_count = 0;
    f->kept_at = 0;
    for (int i = 0; r == 0 && i < db_count(rows) && i < FOLLOWER_KEPT_PAGE; i++) {
        r = store_block_row(rows, i, &f->kept[f->kept_count++]);
    }
    if (r < 0) {
        follower_not_stored(f, r);
        return;
    }
    compare_kept(f);
}

/* The highest kept block of at most @below that the chain still has. */
void follower_find_fork(struct follower *f, uint64_t below)
{
    f->op = store_blocks(f->config.db, f->config.chain, follower_least(below, f->view.latest),
                         FOLLOWER_KEPT_PAGE, on_kept, f);
    if (!f->op) {
        follower_not_stored(f, -ENOTCONN);
    }
}
