/*
 * A statement not yet prepared on this connection is prepared by a call of its own before: with
 * its own sync, so that a transaction failing earlier doesn't take the preparation with it.
 *
 * A result that arrives before the sync proves nothing: the commit happens at the sync. So
 * calls complete when the sync is answered, and if the connection goes before that, nobody
 * knows.
 */
#include "gateway/store/db_queue.h"

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/store/db_error.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * @op:      first, so that an op is its call
 * @done:    NULL: nobody wants to know (any more)
 * @prepare: the statement that this call prepares, or NULL
 */
struct db_call {
    struct op op;
    struct db_call *next;
    db_done_fn done;
    void *arg;
    const struct db_statement *prepare;
    const struct db_statement *statements[DB_STEPS_MAX]; /* for the log */
    int64_t sent;
    int error;
    size_t steps;
    size_t answered;
    PGresult *results[DB_STEPS_MAX];
};

static void call_cancel(struct op *op)
{
    ((struct db_call *)op)->done = NULL; /* its answers still come */
}

static void call_free(struct db_call *call)
{
    for (size_t i = 0; i < call->answered; i++) {
        PQclear(call->results[i]);
    }
    free(call);
}

static struct db_call *call_new(struct db_queue *queue, size_t steps, db_done_fn done,
                                void *arg)
{
    struct db_call *call = calloc(1, sizeof(*call));
    if (call) {
        call->op.cancel = call_cancel;
        call->steps = steps;
        call->done = done;
        call->arg = arg;
        call->sent = clock_mono_ms();
        *queue->tail = call;
        queue->tail = &call->next;
        queue->pending++;
    }
    return call;
}

static void call_finish(struct db_call *call)
{
    struct db_rows rows[DB_STEPS_MAX];
    for (size_t i = 0; i < call->answered; i++) {
        rows[i].result = call->results[i];
    }
    if (call->done) {
        call->done(call->arg, call->error, call->error ? NULL : rows);
    }
    call_free(call);
}

static struct db_call *pop(struct db_queue *queue)
{
    struct db_call *call = queue->head;
    queue->head = call->next;
    if (!queue->head) {
        queue->tail = &queue->head;
    }
    queue->pending--;
    return call;
}

static bool is_prepared(const struct db_queue *queue, const struct db_statement *statement)
{
    for (size_t i = 0; i < queue->prepared_count; i++) {
        if (queue->prepared[i] == statement) {
            return true;
        }
    }
    return false;
}

static void forget(struct db_queue *queue, const struct db_statement *statement)
{
    for (size_t i = 0; i < queue->prepared_count; i++) {
        if (queue->prepared[i] == statement) {
            queue->prepared[i] = queue->prepared[--queue->prepared_count];
            return;
        }
    }
}

static int prepare(struct db_queue *queue, const struct db_statement *statement)
{
    if (is_prepared(queue, statement)) {
        return 0;
    }
    assert(queue->prepared_count < DB_PREPARED_MAX);
    struct db_call *call = call_new(queue, 1, NULL, NULL);
    if (!call) {
        return -ENOMEM;
    }
    call->prepare = call->statements[0] = statement;
    queue->prepared[queue->prepared_count++] = statement;
    if (!PQsendPrepare(queue->conn, statement->name, statement->sql, 0, NULL) ||
        !PQpipelineSync(queue->conn)) {
        queue->in_doubt = true;
        return -ECONNRESET;
    }
    return 0;
}

static bool send_step(struct db_queue *queue, const struct db_step *step)
{
    static const int binary[DB_PARAMS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    static const struct db_params none;
    const struct db_params *p = step->params ? step->params : &none;
    return PQsendQueryPrepared(queue->conn, step->statement->name, p->n, p->value, p->length,
                               binary, 1) != 0;
}

struct op *db_queue_send(struct db_queue *queue, const struct db_step *steps, size_t n,
                         db_done_fn done, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].params && steps[i].params->failed) {
            return NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (prepare(queue, steps[i].statement) < 0) {
            return NULL;
        }
    }
    struct db_call *call = call_new(queue, n, done, arg);
    if (!call) {
        return NULL;
    }
    bool sent = true;
    for (size_t i = 0; sent && i < n; i++) {
        call->statements[i] = steps[i].statement;
        sent = send_step(queue, &steps[i]);
    }
    if (!sent || !PQpipelineSync(queue->conn)) {
        call->done = NULL; /* the caller learns it from the NULL */
        queue->in_doubt = true;
        return NULL;
    }
    return &call->op;
}

int db_queue_listen(struct db_queue *queue, const char *channel)
{
    char text[80];
    (void)snprintf(text, sizeof(text), "LISTEN %s", channel);
    if (!call_new(queue, 1, NULL, NULL)) {
        return -ENOMEM;
    }
    if (!PQsendQueryParams(queue->conn, text, 0, NULL, NULL, NULL, NULL, 0) ||
        !PQpipelineSync(queue->conn)) {
        queue->in_doubt = true;
        return -ECONNRESET;
    }
    return 0;
}

static void tell(const struct db_call *call, const PGresult *result)
{
    int r = db_error(result);
    /* What the caller is expected to handle is no news; messages may quote values. */
    if (r == -EIO || r == -EINVAL || (call->prepare && r != -ECONNRESET)) {
        const struct db_statement *statement =
            call->answered < call->steps ? call->statements[call->answered] : NULL;
        log_line(LOG_ERROR, "database refuses a statement",
                 LOG_Z("sqlstate", PQresultErrorField(result, PG_DIAG_SQLSTATE)),
                 LOG_Z("statement", statement ? statement->name : ""));
    }
}

/* One result of the first call; a call with more results than statements is libpq's bug. */
static void take(struct db_queue *queue, PGresult *result)
{
    struct db_call *call = queue->head;
    switch ((int)PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        if (call->answered < call->steps) {
            call->results[call->answered++] = result;
            return;
        }
        break;
    case PGRES_PIPELINE_ABORTED: break;
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        (void)pop(queue);
        if (!call->error && call->answered < call->steps) {
            call->error = -EIO;
        }
        if (call->error && call->prepare) {
            forget(queue, call->prepare);
        }
        call_finish(call);
        return;
    default:
        tell(call, result);
        if (call->answered == call->steps) { /* the commit itself failed: outcome in doubt */
            queue->in_doubt = true;
        }
        call->error = call->error ? call->error : db_error(result);
        break;
    }
    PQclear(result);
}

/* NULL ends the results of one statement; two of them in a row: there is no more. */
void db_queue_pump(struct db_queue *queue)
{
    int nulls = 0;
    while (queue->head && !queue->in_doubt && nulls < 2 && !PQisBusy(queue->conn)) {
        PGresult *result = PQgetResult(queue->conn);
        if (result) {
            take(queue, result);
        }
        nulls = result ? 0 : nulls + 1;
    }
}

int64_t db_queue_oldest(const struct db_queue *queue)
{
    return queue->head ? queue->head->sent : 0;
}

void db_queue_init(struct db_queue *queue)
{
    *queue = (struct db_queue){ 0 };
    queue->tail = &queue->head;
}

void db_queue_deinit(struct db_queue *queue)
{
    while (queue->head) {
        call_free(pop(queue));
    }
}

void db_queue_connect(struct db_queue *queue, PGconn *conn)
{
    assert(!queue->head);
    queue->conn = conn;
    queue->in_doubt = false;
    queue->prepared_count = 0;
}

/* A completion may look at the queue: it is empty and without connection by then. */
void db_queue_lost(struct db_queue *queue)
{
    struct db_call *call = queue->head;
    db_queue_init(queue);
    while (call) {
        struct db_call *next = call->next;
        call->error = -ECONNRESET;
        call_finish(call);
        call = next;
    }
}
