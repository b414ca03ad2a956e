/* Whole answers, collected from the pieces of a call. */
#include "gateway/heap.h"
#include "gateway/net/http_client.h"

#include <stdlib.h>

struct fetch {
    struct op op; /* first: the same address */
    struct http_call *call;
    const struct http_head *head; /* borrowed from the call */
    struct buf body;
    bool (*still)(void *owner);
    http_fetch_fn done;
    void *owner;
};

static void finish(struct fetch *fetch, enum http_fail fail)
{
    struct http_answer answer = { .fail = fail };
    if (!fail) {
        answer.head = fetch->head;
        answer.body = buf_str(&fetch->body);
    }
    fetch->done(fetch->owner, &answer);
    heap_buf_free(&fetch->body);
    free(fetch);
}

static void give_up(struct fetch *fetch, enum http_fail fail)
{
    op_cancel(http_call_op(fetch->call));
    finish(fetch, fail);
}

static void on_head(void *owner, const struct http_head *head)
{
    struct fetch *fetch = owner;
    fetch->head = head;
    if (head->framing == HTTP_BODY_LENGTH && head->length > fetch->body.limit) {
        give_up(fetch, HTTP_FAIL_TOO_LONG);
    }
}

static void on_body(void *owner, struct str piece)
{
    struct fetch *fetch = owner;
    bool fits = piece.n <= fetch->body.limit - fetch->body.n;
    buf_str_put(&fetch->body, piece);
    if (buf_failed(&fetch->body)) {
        give_up(fetch, fits ? HTTP_FAIL_MEMORY : HTTP_FAIL_TOO_LONG);
    }
}

static void on_end(void *owner)
{
    finish(owner, (enum http_fail)0);
}

static void on_fail(void *owner, enum http_fail fail)
{
    finish(owner, fail);
}

static bool still(void *owner)
{
    const struct fetch *fetch = owner;
    return fetch->still(fetch->owner);
}

static void cancel(struct op *op)
{
    struct fetch *fetch = (struct fetch *)op;
    op_cancel(http_call_op(fetch->call));
    heap_buf_free(&fetch->body);
    free(fetch);
}

struct op *http_fetch(struct http_client *client, const struct http_ask *ask, size_t max,
                      http_fetch_fn done, void *owner)
{
    static const struct http_call_calls calls = {
        .on_head = on_head,
        .on_body = on_body,
        .on_end = on_end,
        .on_fail = on_fail,
    };
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return NULL;
    }
    fetch->op.cancel = cancel;
    fetch->body = heap_buf(max);
    fetch->done = done;
    fetch->owner = owner;
    struct http_ask ours = *ask;
    fetch->still = ask->still;
    ours.still = ask->still ? still : NULL;
    fetch->call = http_call_start(client, &ours, &calls, fetch);
    if (!fetch->call) {
        free(fetch);
        return NULL;
    }
    return &fetch->op;
}
