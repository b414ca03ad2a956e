/*
 *   waiting --tick--> taking --one is due--> telling --taken by the server--> noting -->
 * waiting ^                |                       +--not--> waiting, for the row's next try
 *      +--none is due---+
 *
 * Every worker looks, one notice at a time; the row that it takes is nobody else's until the
 * try has certainly ended. Now and then the overdue reviews are counted instead.
 */
#include "gateway/notices.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"
#include "gateway/store/glass.h"
#include "gateway/way_out.h"

#include <stdlib.h>

enum {
    TICK_MS = 1000,
    COUNT_EVERY = 10, /* ticks */
    TARGET_MAX = 4 << 10,
    BODY_MAX = 4 << 10,
    ANSWER_MAX = 1 << 20,
    ARENA_FIRST = 16 << 10,
};

struct notices {
    struct worker *worker;
    struct event *tick;   /* owned */
    struct arena *memory; /* owned; of one notice */
    struct op *op;
    unsigned ticks;
    uint8_t id[16];
    enum store_glass_whom whom;
};

static void on_done(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    (void)r; /* not noted: told again */
    ((struct notices *)arg)->op = NULL;
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct notices *notices = owner;
    notices->op = NULL;
    int status = answer->fail ? 0 : answer->head->status;
    if (status < 200 || status > 299) {
        metrics_add(METRIC_GLASS_UNTOLD, 1);
        log_line(LOG_WARN, "notice of a broken glass not taken", LOG_I("status", status));
        return;
    }
    notices->op = store_glass_told(notices->worker->db, notices->id, notices->whom,
                                   clock_utc_ms(), on_done, notices);
}

static const char *whom_name(enum store_glass_whom whom)
{
    return whom == STORE_GLASS_OFFICER ? "officer" : "patient";
}

static void put_time(struct json_writer *w, const char *name, int64_t ms)
{
    char memory[CLOCK_UTC_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    clock_utc_put(&text, ms);
    json_string(w, name, buf_str(&text));
}

static void put_code(struct json_writer *w, const char *name, const char *system,
                     const char *code, struct str text)
{
    json_array(w, name);
    json_object(w, NULL);
    json_array(w, "coding");
    json_object(w, NULL);
    json_z(w, "system", system);
    json_z(w, "code", code);
    json_end(w);
    json_end(w);
    if (text.n) {
        json_string(w, "text", text);
    }
    json_end(w);
    json_end(w);
}

static void put_communication(struct json_writer *w, const struct store_glass *glass,
                              enum store_glass_whom whom, struct str id)
{
    char case_id[ID_TEXT_SIZE];
    bool officer = whom == STORE_GLASS_OFFICER;
    id_text(glass->id, case_id);
    json_object(w, NULL);
    json_z(w, "resourceType", "Communication");
    json_string(w, "id", id);
    json_array(w, "identifier");
    json_object(w, NULL);
    json_z(w, "system", "urn:chartseal:break-glass");
    json_z(w, "value", case_id);
    json_end(w);
    json_end(w);
    json_z(w, "status", "completed");
    put_code(w, "category", "http://terminology.hl7.org/CodeSystem/communication-category",
             officer ? "alert" : "notification", STR(""));
    json_z(w, "priority", officer ? "urgent" : "routine");
    put_time(w, "sent", clock_utc_ms());
    json_array(w, "recipient");
    json_object(w, NULL);
    json_z(w, "display", officer ? "privacy officer" : "patient");
    json_end(w);
    json_end(w);
    put_code(w, "reasonCode", "http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG",
             glass->reason);
}

/* What there is to say: when, until when, and by when it has to be reviewed. */
static void put_payload(struct json_writer *w, const struct store_glass *glass,
                        enum store_glass_whom whom)
{
    char memory[512];
    char case_id[ID_TEXT_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    id_text(glass->id, case_id);
    buf_fmt(&text, "Break-glass %s: opened ", case_id);
    clock_utc_put(&text, glass->opened);
    buf_z(&text, ", until ");
    clock_utc_put(&text, glass->until);
    if (whom == STORE_GLASS_OFFICER) {
        buf_z(&text, ", to be reviewed by ");
        clock_utc_put(&text, glass->review_by);
    }
    json_array(w, "payload");
    json_object(w, NULL);
    json_string(w, "contentString", buf_str(&text));
    json_end(w);
    json_end(w);
    json_end(w);
}

static struct op *tell(struct notices *notices, const struct store_glass *glass)
{
    struct worker *worker = notices->worker;
    struct way_out *out = worker_way_out(worker, worker->config->break_glass->notify);
    char case_id[ID_TEXT_SIZE];
    arena_reset(notices->memory);
    struct buf id = arena_buf(notices->memory, BODY_MAX);
    struct buf target = arena_buf(notices->memory, TARGET_MAX);
    struct buf body = arena_buf(notices->memory, BODY_MAX);
    struct json_writer w = json_writer(&body);
    id_text(glass->id, case_id);
    buf_fmt(&id, "%s-%s", case_id, whom_name(notices->whom));
    buf_str_put(&target, out->base_path);
    buf_z(&target, "/Communication/");
    buf_str_put(&target, buf_str(&id));
    put_communication(&w, glass, notices->whom, buf_str(&id));
    put_payload(&w, glass, notices->whom);
    if (buf_failed(&id) || buf_failed(&target) || buf_failed(&body)) {
        return NULL;
    }
    struct http_field fields[2] = {
        { .name = STR("Content-Type"), .value = STR("application/fhir+json") },
        { .name = STR("Authorization"), .value = way_out_authorization(out, notices->memory) },
    };
    const struct http_ask ask = {
        .method = STR("PUT"),
        .target = buf_str(&target),
        .host = out->host,
        .fields = fields,
        .n_fields = fields[1].value.n ? 2 : 1,
        .body = buf_str(&body),
    };
    return http_fetch(out->http, &ask, ANSWER_MAX, on_answer, notices);
}

static void on_due(void *arg, int r, const struct db_rows *rows)
{
    struct notices *notices = arg;
    struct store_glass glass;
    notices->op = NULL;
    if (r < 0 || db_count(rows) == 0) {
        return;
    }
    store_glass_due_row(rows, 0, &glass, &notices->whom);
    memcpy(notices->id, glass.id, sizeof(notices->id));
    notices->op = tell(notices, &glass);
    (void)timer_once(notices->tick, 1); /* the next one, as soon as this is told */
}

static void on_overdue(void *arg, int r, const struct db_rows *rows)
{
    struct notices *notices = arg;
    notices->op = NULL;
    if (r == 0) {
        metrics_set(METRIC_GLASS_OVERDUE, store_glass_overdue_row(rows));
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct notices *notices = arg;
    struct db *db = notices->worker->db;
    (void)timer_once(notices->tick, TICK_MS);
    if (notices->op || notices->worker->draining) {
        return;
    }
    int64_t now = clock_utc_ms();
    notices->op = notices->ticks++ % COUNT_EVERY == 0
                      ? store_glass_overdue(db, now, on_overdue, notices)
                      : store_glass_due(db, now, 1, on_due, notices);
}

struct notices *notices_new(struct worker *worker)
{
    struct notices *notices = calloc(1, sizeof(*notices));
    if (!notices) {
        return NULL;
    }
    notices->worker = worker;
    notices->memory = arena_new(ARENA_FIRST);
    notices->tick = event_new(worker->loop, -1, 0, on_tick, notices);
    if (!notices->memory || !notices->tick) {
        notices_free(notices);
        return NULL;
    }
    return notices;
}

void notices_start(struct notices *notices)
{
    if (notices->worker->config->break_glass) {
        (void)timer_once(notices->tick, TICK_MS);
    }
}

void notices_free(struct notices *notices)
{
    if (!notices) {
        return;
    }
    op_cancel(notices->op);
    if (notices->tick) {
        event_free(notices->tick);
    }
    arena_free(notices->memory);
    free(notices);
}
