/*
 * The head on chain against our newest checkpoint: forked, equal, or due for the next anchor.
 */
#include "gateway/ledger/anchoring_impl.h"

#include "anchor/abi.h"
#include "anchor/eth_call.h"
#include "crypto/digest.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/ledger/tree_proof.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/store/notary.h"

#include <errno.h>
#include <string.h>

enum {
    COMPARE_MS = 60000,
    MODE_REGISTERED = 1,
    MODE_FROZEN = 4,
    HEAD_WORDS = 5,
    CALL_ROOM = 64,
};

bool anchoring_is_due(const struct anchoring_due *due)
{
    if (due->signed_size <= due->anchored) {
        return false;
    }
    return due->anchored == 0 || due->signed_size - due->anchored >= due->leaves ||
           due->now - due->anchored_at >= due->every_ms;
}

static int read_head(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    int r = answers_data(result, out);
    return r == 0 && out->n != (size_t)HEAD_WORDS * ABI_WORD ? -EBADMSG : r;
}

void anchoring_ask_head(struct anchoring *a, quorum_fn done)
{
    char data[CALL_ROOM];
    struct buf call = buf_fixed(data, sizeof(data));
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    eth_call_head(a->log_id, &call);
    sender_put_call(&params, a->rounds.config.wallet->address, a->config.contract,
                    buf_str(&call));
    struct quorum_ask ask = { .method = "eth_call",
                              .params = buf_str(&params),
                              .read = read_head };
    rounds_went(&a->rounds, quorum_call(a->rounds.config.rpc, &ask, done, a));
    heap_buf_free(&params);
}

static void on_planned(void *arg, int r, const struct db_rows *rows)
{
    struct anchoring *a = arg;
    a->rounds.op = NULL;
    if (r == 0) {
        log_line(LOG_INFO, "anchor planned", LOG_I("id", store_sending_id(rows)),
                 LOG_I("size", a->newest.size));
        a->rounds.again = true;
    }
    rounds_settle(&a->rounds, r);
}

static void plan(struct anchoring *a)
{
    struct store_anchor row = {
        .sending = { .chain = a->rounds.config.chain },
        .log = a->config.log,
        .size = a->newest.size,
    };
    memcpy(row.root, a->newest.root.b, sizeof(row.root));
    memcpy(row.note_hash, a->note_hash, sizeof(row.note_hash));
    memcpy(row.contract, a->config.contract, sizeof(row.contract));
    memcpy(row.sender, a->rounds.config.wallet->address, sizeof(row.sender));
    rounds_went(&a->rounds,
                store_anchor_plan(a->rounds.config.db, a->rounds.fence, &row, on_planned, a));
}

/* Something is wrong that a person has to mend: look now and then, plan nothing. */
static void again_later(struct anchoring *a)
{
    a->compared = true;
    a->compare_at = clock_mono_ms() + ANCHORING_RETRY_MS;
    a->retry_at = a->compare_at;
}

void anchoring_alarm(struct anchoring *a, const char *why)
{
    a->forked = true;
    log_line(LOG_ERROR, "the chain's head is not our log's: nothing is anchored or signed",
             LOG_Z("why", why), LOG_I("chain", a->anchored.size),
             LOG_I("ours", a->newest.size));
    again_later(a);
    rounds_settle(&a->rounds, 0);
}

/* Is there one in flight? Then it is replaced only once it is stuck. */
static bool may_plan(const struct anchoring *a)
{
    if (clock_mono_ms() < a->retry_at || a->rounds.config.wallet->stopped) {
        return false;
    }
    for (size_t i = 0; i < a->rounds.count; i++) {
        const struct anchoring_row *row = anchoring_row(a, i);
        if (sender_row_open(&row->sending) &&
            (!sender_row_stuck(&row->sending) || row->head.size >= a->newest.size)) {
            return false;
        }
    }
    return true;
}

static void agreed(struct anchoring *a)
{
    if (a->forked) {
        log_text(LOG_WARN, "the chain's head is our log's again");
    }
    a->forked = false;
    a->compared = true;
    metrics_set(METRIC_ANCHORED_SIZE, (int64_t)a->anchored.size);
    metrics_set(METRIC_UNANCHORED_LEAVES, (int64_t)(a->newest.size - a->anchored.size));
    struct anchoring_due due = {
        .anchored = a->anchored.size,
        .anchored_at = a->anchored_at,
        .signed_size = a->newest.size,
        .now = clock_utc_ms(),
        .every_ms = a->config.every_ms,
        .leaves = a->config.leaves,
    };
    if (anchoring_is_due(&due) && may_plan(a)) {
        plan(a);
    } else {
        rounds_settle(&a->rounds, 0);
    }
}

static void on_consistent(void *owner, int r, const struct merkle_proof *proof)
{
    (void)proof;
    struct anchoring *a = owner;
    a->rounds.op = NULL;
    if (r == -EBADMSG) {
        anchoring_alarm(a, "inconsistent");
        return;
    }
    if (r < 0) {
        rounds_settle(&a->rounds, r);
        return;
    }
    agreed(a);
}

static void compare(struct anchoring *a)
{
    struct tree_span span = { a->config.log, a->anchored, a->newest };
    if (a->anchored.size > a->newest.size) {
        anchoring_alarm(a, "ahead");
    } else if (a->anchored.size == a->newest.size && a->newest.size > 0 &&
               !merkle_same(&a->anchored.root, &a->newest.root)) {
        anchoring_alarm(a, "another root");
    } else if (a->anchored.size == 0 || a->anchored.size == a->newest.size) {
        agreed(a);
    } else {
        rounds_went(&a->rounds, tree_proof_load(a->rounds.config.db, &span, on_consistent, a));
    }
}

static void on_head(void *owner, const struct quorum_answer *answer)
{
    struct anchoring *a = owner;
    struct eth_head there;
    a->rounds.op = NULL;
    if (answer->r < 0) {
        rounds_settle(&a->rounds, -EAGAIN);
        return;
    }
    if (eth_head_read(answer->bytes, &there) < 0) {
        rounds_settle(&a->rounds, -EBADMSG);
        return;
    }
    a->anchored = there.head;
    a->anchored_at = (int64_t)there.time * 1000;
    a->compare_at = clock_mono_ms() + COMPARE_MS;
    if (!(there.mode & MODE_REGISTERED) || (there.mode & MODE_FROZEN)) {
        log_line(LOG_ERROR, "the log can't be anchored",
                 LOG_Z("why", there.mode & MODE_FROZEN ? "frozen" : "not registered"));
        again_later(a);
        rounds_settle(&a->rounds, 0);
        return;
    }
    compare(a);
}

static bool worth_comparing(const struct anchoring *a)
{
    struct anchoring_due due = {
        .anchored = a->anchored.size,
        .anchored_at = a->anchored_at,
        .signed_size = a->newest.size,
        .now = clock_utc_ms(),
        .every_ms = a->config.every_ms,
        .leaves = a->config.leaves,
    };
    return !a->compared || clock_mono_ms() >= a->compare_at ||
           (anchoring_is_due(&due) && may_plan(a));
}

static void on_newest(void *arg, int r, const struct db_rows *rows)
{
    struct anchoring *a = arg;
    struct store_checkpoint newest = { 0 };
    a->rounds.op = NULL;
    if (r == 0 && db_count(rows) == 0) {
        merkle_empty(&a->newest.root);
        a->newest.size = 0;
    } else if (r == 0) {
        r = store_checkpoint_row(rows, 0, &newest);
    }
    if (r < 0) {
        rounds_settle(&a->rounds, r);
        return;
    }
    if (db_count(rows)) {
        a->newest = newest.head;
        digest_sha256(newest.note, a->note_hash);
    }
    metrics_set(METRIC_UNANCHORED_LEAVES, a->newest.size > a->anchored.size
                                              ? (int64_t)(a->newest.size - a->anchored.size)
                                              : 0);
    if (worth_comparing(a)) {
        anchoring_ask_head(a, on_head);
    } else {
        rounds_settle(&a->rounds, 0);
    }
}

void anchoring_compare(struct anchoring *a)
{
    rounds_went(&a->rounds, store_checkpoint_newest(a->rounds.config.db, a->config.log,
                                                    UINT64_MAX, on_newest, a));
}
