/*
 * Batches by MLLP: BHS … BTS, in an FHS … FTS or not, within one frame.
 *
 * The whole batch is there, so it is looked through first: one whose trailers count
 * differently, or that has none, was cut or joined on its way and is refused as a whole. Then
 * each message of it is an exchange like any other, a few at a time; their acknowledgements go
 * back in one batch, in the order of the messages, when the last is known. If one of them can't
 * be answered none is: the sender sends the batch again, and what was taken is recognised.
 *
 * Spec: HL7 v2.5.1 sections 2.10.3, 2.15.2, 2.15.3
 */
#include "gateway/pipeline/v2_impl.h"

#include "fhir/v2/batch.h"
#include "fhir/v2/write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <stdlib.h>

enum {
    AT_ONCE = 32,     /* exchanges of one batch that run at a time */
    MESSAGES = 10000, /* in a batch */
    ANSWER_MAX = 16 << 20,
    CONTROL_ID = 20,
};

struct batch_run;

/* A message of the batch; its acknowledgements, one after another, on the heap. */
struct batch_slot {
    struct batch_run *run;
    struct buf acks;
};

/*
 * @parts:  of the batch as it came, in the arena with its bytes
 * @next:   the first part that isn't begun yet
 * @open:   messages under way
 * @lost:   one of them had no answer
 * @busy:   messages are being begun: answers that come meanwhile don't begin more
 */
struct batch_run {
    struct way_in *way;
    struct mllp_msg *msg;
    struct arena *arena; /* owned */
    struct v2_batch_part *parts;
    struct batch_slot *slots;
    size_t count;
    size_t next;
    size_t open;
    bool lost;
    bool busy;
};

static void run_free(struct batch_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        heap_buf_free(&run->slots[i].acks);
    }
    arena_free(run->arena);
    free(run);
}

/* --- the answer --------------------------------------------------------------------------- */

/* A header of the answer: sender and receiver change places, BHS-11 is referred to. */
static int put_header(struct batch_run *run, struct str text, const char *name, struct buf *out)
{
    struct v2_message header;
    char time[CLOCK_V2_SIZE];
    char id[ID_TEXT_SIZE];
    uint8_t fresh[ID_SIZE];
    if (v2_parse_header(run->arena, text, &header) != 0) {
        return 0;
    }
    id_random(fresh);
    id_text(fresh, id);
    clock_v2(clock_utc_ms(), time);
    const struct v2_segment *from = &header.segments[0];
    const uint32_t copied[][2] = { { 5, 3 }, { 6, 4 }, { 3, 5 }, { 4, 6 }, { 11, 12 } };
    struct v2_writer w = v2_writer(run->arena, &header.delims);
    v2_write_segment(&w, name);
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        v2_write_raw(&w, (struct v2_address){ .field = copied[i][1] },
                     v2_field(&header, from, copied[i][0]));
    }
    v2_write(&w, (struct v2_address){ .field = 7 }, str_z(time));
    v2_write(&w, (struct v2_address){ .field = 11 },
             str_slice(str_z(id), sizeof(id) - 1 - CONTROL_ID, sizeof(id) - 1));
    return v2_write_end(&w, out);
}

static char separator(struct str header)
{
    return header.n > 3 ? header.p[3] : '|';
}

/* The batch of acknowledgements. Return: 0 or -ENOMEM */
static int write_answer(struct batch_run *run, struct buf *out)
{
    int r = 0;
    size_t messages = 0;
    size_t batches = 0;
    for (size_t i = 0; i < run->count && r == 0; i++) {
        const struct v2_batch_part *part = &run->parts[i];
        switch (part->kind) {
        case V2_BATCH_FILE_HEADER: r = put_header(run, part->text, "FHS", out); break;
        case V2_BATCH_HEADER:
            messages = 0;
            batches++;
            r = put_header(run, part->text, "BHS", out);
            break;
        case V2_BATCH_MESSAGE:
            messages += run->slots[i].acks.n > 0;
            buf_put(out, run->slots[i].acks.p, run->slots[i].acks.n);
            break;
        case V2_BATCH_TRAILER:
            buf_fmt(out, "BTS%c%zu\r", separator(part->text), messages);
            break;
        case V2_BATCH_FILE_TRAILER:
            buf_fmt(out, "FTS%c%zu\r", separator(part->text), batches);
            break;
        }
    }
    return r ? r : buf_failed(out) ? -1 : 0;
}

static void finish(struct batch_run *run)
{
    struct buf answer = heap_buf(ANSWER_MAX);
    if (run->lost || write_answer(run, &answer) != 0) {
        mllp_close(run->msg);
    } else {
        mllp_reply(run->msg, buf_str(&answer));
    }
    heap_buf_free(&answer);
    run_free(run);
}

/* --- the messages ------------------------------------------------------------------------- */

static void go_on(struct batch_run *run);

static void ended(struct batch_run *run)
{
    run->open--;
    if (!run->busy) {
        go_on(run);
    }
}

static void answered(void *owner, const struct str *acks, size_t n)
{
    struct batch_slot *slot = owner;
    for (size_t i = 0; i < n; i++) {
        buf_str_put(&slot->acks, acks[i]);
    }
    slot->run->lost |= buf_failed(&slot->acks);
    ended(slot->run);
}

static void given_up(void *owner)
{
    struct batch_slot *slot = owner;
    slot->run->lost = true;
    ended(slot->run);
}

/* Begin messages while there is room; finish when all are answered. */
static void go_on(struct batch_run *run)
{
    run->busy = true;
    while (run->next < run->count && run->open < AT_ONCE && !run->lost) {
        size_t i = run->next++;
        struct v2_asker asker = { answered, given_up, &run->slots[i] };
        if (run->parts[i].kind != V2_BATCH_MESSAGE) {
            continue;
        }
        run->open++;
        if (v2_receive_one(run->way, run->msg, run->parts[i].text, &asker, NULL) < 0) {
            run->open--;
            run->lost = true;
        }
    }
    run->busy = false;
    if (run->open == 0 && (run->next == run->count || run->lost)) {
        finish(run);
    }
}

/* --- reading the batch -------------------------------------------------------------------- */

static void answer_msg(void *owner, const struct str *acks, size_t n)
{
    mllp_reply_all(owner, acks, n);
}

static void close_msg(void *owner)
{
    mllp_close(owner);
}

/* Its parts; what is wrong with it as a whole goes to @issues. Return: 0 or -ENOMEM */
static int read_parts(struct batch_run *run, struct str bytes, struct issues *issues)
{
    struct buf list = arena_buf(run->arena, 2 * sizeof(struct v2_batch_part) * MESSAGES);
    struct v2_batch batch = v2_batch(arena_str(run->arena, bytes), issues);
    struct v2_batch_part part;
    size_t messages = 0;
    while (v2_batch_next(&batch, &part)) {
        messages += part.kind == V2_BATCH_MESSAGE;
        buf_put(&list, &part, sizeof(part));
    }
    if (messages > MESSAGES) {
        issues_add(issues, ISSUE_ERROR, "too-long", STR("BTS-1"),
                   "more than %d messages in a batch", MESSAGES);
    }
    run->count = list.n / sizeof(part);
    run->parts = (struct v2_batch_part *)(void *)list.p;
    run->slots = arena_calloc(run->arena, run->count + 1, sizeof(*run->slots));
    for (size_t i = 0; run->slots && i < run->count; i++) {
        run->slots[i] = (struct batch_slot){ .run = run, .acks = heap_buf(ANSWER_MAX) };
    }
    bool failed = buf_failed(&list) && messages <= MESSAGES;
    return !batch.rest.p || !run->slots || failed ? -1 : 0;
}

void v2_receive_batch(struct way_in *way, struct mllp_msg *msg, struct str bytes)
{
    const struct v2_asker asker = { answer_msg, close_msg, msg };
    struct issues issues;
    struct batch_run *run = calloc(1, sizeof(*run));
    if (run) {
        *run = (struct batch_run){ .way = way, .msg = msg, .arena = arena_new(bytes.n + 4096) };
    }
    if (!run || !run->arena) {
        free(run);
        mllp_close(msg);
        return;
    }
    issues_init(&issues, run->arena);
    if (read_parts(run, bytes, &issues) < 0) {
        mllp_close(msg);
        run_free(run);
        return;
    }
    if (issues.count) {
        const struct v2_refusal refusal = { v2_ack_condition_of(issues.first->code),
                                            issues.first->place, issues.first->text };
        if (v2_receive_one(way, msg, bytes, &asker, &refusal) < 0) {
            mllp_close(msg);
        }
        run_free(run);
        return;
    }
    go_on(run);
}
