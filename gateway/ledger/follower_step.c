/*
 * A step forward: events between two looks at the same head, each in a block whose header is
 * read and fits onto the one before; over a large gap, final blocks excepted.
 */
#include "gateway/ledger/follower_impl.h"

#include "anchor/contracts/contracts_generated.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_next_block(struct follower *f);

/* Events, or one byte that says: more than there is room for. */
static int read_events(const void *arg, const struct node *result, struct buf *out)
{
    size_t count = 0;
    struct store_event *events = calloc(ANSWERS_EVENTS_MAX, sizeof(*events));
    if (!events) {
        return -ENOMEM;
    }
    int r = answers_events(result, arg, events, ANSWERS_EVENTS_MAX, &count);
    if (r == 0) {
        buf_put(out, events, count * sizeof(*events));
    } else if (r == ANSWERS_E_TOO_MANY) {
        buf_c(out, 0);
        r = 0;
    }
    free(events);
    return r;
}

/* The nodes, or we, can't take so many at once: the same again, with fewer blocks. */
static bool too_many(const struct quorum_answer *answer)
{
    return answer->error == RPC_E_TOO_MANY || (answer->r == 0 && answer->bytes.n == 1);
}

static void ask_for_less(struct follower *f)
{
    f->range /= 2;
    f->range_most = f->range;
    follower_look(f);
}

static void on_head_again(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block now;
    if (!follower_got_block(f, answer, &now)) {
        return;
    }
    if (memcmp(now.hash, f->head.hash, sizeof(now.hash)) != 0) {
        follower_give_up(f, LOG_INFO, "moved");
        return;
    }
    follower_store(f);
}

/* The kept part of a header is enough; they come in ascending order. */
static bool keep(struct follower *f, const struct store_block *block)
{
    if (f->block_count == f->block_room) {
        size_t room = f->block_room ? f->block_room * 2 : (size_t)FOLLOWER_FEW * 2;
        struct store_block *more = realloc(f->blocks, room * sizeof(*more));
        if (!more) {
            return false;
        }
        f->blocks = more;
        f->block_room = room;
    }
    f->blocks[f->block_count++] = *block;
    return true;
}

/* Does @block stand on what is before it, here or in the database? */
static bool fits(const struct follower *f, const struct store_block *block)
{
    if (f->have && block->number == f->cursor.number) {
        return memcmp(block->hash, f->cursor.hash, sizeof(block->hash)) == 0;
    }
    if (f->have && block->number == f->cursor.number + 1) {
        return memcmp(block->parent, f->cursor.hash, sizeof(block->parent)) == 0;
    }
    const struct store_block *last = f->block_count ? &f->blocks[f->block_count - 1] : NULL;
    return !last || last->number + 1 != block->number ||
           memcmp(block->parent, last->hash, sizeof(block->parent)) == 0;
}

/* Do the events of @block say that they are in it? */
static bool holds_events(struct follower *f, const struct store_block *block)
{
    while (f->next_event < f->event_count &&
           f->events[f->next_event].block_number == block->number) {
        if (memcmp(f->events[f->next_event].block_hash, block->hash, 32) != 0) {
            return false;
        }
        f->next_event++;
    }
    return true;
}

/* Take in the header of f->want. */
static void take(struct follower *f, const struct store_block *block)
{
    bool own = f->have && block->number == f->cursor.number;
    if (!fits(f, block)) {
        follower_find_fork(f, f->cursor.number);
        return;
    }
    if (!own && (!holds_events(f, block) || !keep(f, block))) {
        follower_give_up(f, LOG_WARN, "events of another block");
        return;
    }
    if (block->number == f->to && f->next_event != f->event_count) {
        follower_give_up(f, LOG_WARN, "events of another block");
        return;
    }
    if (block->number == f->to) {
        follower_ask_block(f, NULL, f->to, on_head_again);
        return;
    }
    f->want = block->number + 1;
    read_next_block(f);
}

static void on_block(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block block;
    if (!follower_got_block(f, answer, &block)) {
        return;
    }
    if (block.number != f->want) {
        follower_give_up(f, LOG_WARN, "wrong block");
        return;
    }
    take(f, &block);
}

/* Final blocks don't change between two questions, so the majority's word on them is enough. */
static void pass_final(struct follower *f)
{
    while (f->next_event < f->event_count) {
        uint64_t number = f->events[f->next_event].block_number;
        if (number > f->view.finalized || number >= f->to) {
            return;
        }
        f->next_event++;
    }
}

/* The next header that is needed, from f->want on. */
static void read_next_block(struct follower *f)
{
    bool each = f->to - f->from < FOLLOWER_FEW;
    bool own = f->have && f->want == f->cursor.number;
    if (!each && !own) {
        pass_final(f);
        bool more = f->next_event < f->event_count;
        f->want = more ? f->events[f->next_event].block_number : f->to;
    }
    if (f->want >= f->to) {
        f->want = f->to;
        take(f, &f->head);
        return;
    }
    follower_ask_block(f, NULL, f->want, on_block);
}

static void on_events(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (too_many(answer) && f->range > 1) {
        ask_for_less(f);
        return;
    }
    if (answer->r < 0 || too_many(answer)) {
        f->range = f->range > 1 ? f->range / 2 : 1;
        follower_give_up(f, LOG_WARN,
                         answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return;
    }
    free(f->events);
    f->events = malloc(answer->bytes.n + 1);
    if (!f->events) {
        follower_give_up(f, LOG_WARN, "memory");
        return;
    }
    if (answer->bytes.n) {
        memcpy(f->events, answer->bytes.p, answer->bytes.n);
    }
    f->event_count = answer->bytes.n / sizeof(f->events[0]);
    f->next_event = 0;
    f->block_count = 0;
    /* Over a gap, our own last block is looked at first. */
    f->want = f->have && f->to - f->from >= FOLLOWER_FEW ? f->cursor.number : f->from;
    read_next_block(f);
}

static void put_topics(struct json_writer *w)
{
    json_array(w, "topics");
    json_array(w, NULL);
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_consent_granted, 32));
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_consent_revoked, 32));
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_controller_rotated, 32));
    json_end(w);
    json_end(w);
}

void follower_ask_events(struct follower *f)
{
    char room[FOLLOWER_PARAMS_ROOM];
    struct buf params = buf_fixed(room, sizeof(room));
    struct json_writer w = json_writer(&params);
    memcpy(f->asked.registry, f->config.registry, sizeof(f->asked.registry));
    f->asked.from = f->from;
    f->asked.to = f->to;
    json_array(&w, NULL);
    json_object(&w, NULL);
    rpc_put_data(&w, "address", str_of(f->config.registry, sizeof(f->config.registry)));
    rpc_put_quantity(&w, "fromBlock", f->from);
    rpc_put_quantity(&w, "toBlock", f->to);
    put_topics(&w);
    json_end(&w);
    json_end(&w);
    struct quorum_ask ask = {
        .method = "eth_getLogs",
        .params = buf_str(&params),
        .read = read_events,
        .arg = &f->asked,
    };
    f->op = quorum_call(f->config.rpc, &ask, on_events, f);
    if (!f->op) {
        follower_give_up(f, LOG_WARN, "memory");
    }
}
