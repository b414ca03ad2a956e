/*
 * chartseal hl7 replay: stopped messages on their way again, by the maps of today.
 *
 * A replay is recorded before it happens, with who did it and why, what the message became when
 * it was tried last and what it becomes now. It only opens the row: delivery translates and
 * decides anew. A row that is open already stays as it is, so a repetition does nothing.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/hl7_stored.h"

#include "fhir/base/utf8.h"
#include "fhir/format/json_write.h"
#include "gateway/heap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
    LIMIT_USUAL = 1000,
    LIMIT_MAX = 10000,
    WHY_MAX = 200, /* bytes */
    REQUEST_MAX = 1024,
    LINE_MAX_BYTES = 4096,
    ARENA_FIRST = 256 << 10,
};

/*
 * @filter: of many; ->destination empty: one, by @number
 * @rows:   to be replayed, in a memory of their own
 * @done, @refused: how many
 */
struct replay {
    struct cli_session *session;
    struct maps *maps;
    bool json;
    bool dry;
    bool delivered;
    const char *why;
    int64_t number;
    struct store_outbox_filter filter;
    struct store_outbox *rows;
    size_t count;
    size_t done;
    size_t refused;
};

/* --- which -------------------------------------------------------------------------------- */

static int take_rows(void *owner, const struct db_rows *rows)
{
    struct replay *replay = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    replay->rows = arena_calloc(replay->session->arena, n + 1, sizeof(*replay->rows));
    if (!replay->rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = hl7_stored_row(replay->session, rows, (int)i, &replay->rows[i]);
    }
    replay->count = n;
    return r;
}

static int find(struct replay *replay)
{
    struct cli_session *s = replay->session;
    struct cli_answer answer = { .read = take_rows, .owner = replay };
    struct op *op = replay->number
                        ? store_outbox_of_number(s->db, replay->number, cli_on_rows, &answer)
                        : store_outbox_find(s->db, &replay->filter, cli_on_rows, &answer);
    int r = cli_wait(s, op, &answer);
    if (r < 0) {
        return cli_failed(s, "outbox", r);
    }
    if (replay->count == 0 && replay->number) {
        return cli_complain(s, EX_NOINPUT, "no row has that number");
    }
    return EX_OK;
}

/* --- one ---------------------------------------------------------------------------------- */

/* What the record says: never content; why is the operator's own word. */
static struct str request(const struct replay *replay, const struct hl7_stored *it)
{
    struct buf b = arena_buf(replay->session->arena, REQUEST_MAX);
    buf_fmt(&b, "hl7 replay %lld%s", (long long)it->row.number, replay->dry ? " dry" : "");
    const struct hl7_became *became[] = { &it->before, &it->today };
    static const char *const names[] = { "; before", "; today" };
    for (size_t i = 0; i < ARRAY_LEN(became); i++) {
        if (became[i]->maps.n) {
            buf_fmt(&b, "%s maps %.*s %s %.*s", names[i], (int)became[i]->maps.n,
                    became[i]->maps.p, hl7_stored_word(it), (int)became[i]->digest.n,
                    became[i]->digest.p);
        }
    }
    buf_fmt(&b, "; why: %s", replay->why ? replay->why : "not said");
    return buf_str(&b);
}

static void put_became(struct json_writer *w, const char *name, const struct hl7_became *became)
{
    if (became->maps.n) {
        json_object(w, name);
        json_string(w, "maps", became->maps);
        json_string(w, "digest", became->digest);
        json_end(w);
    }
}

static void put_text(struct buf *b, const struct hl7_stored *it, const char *what)
{
    const struct hl7_became *before = &it->before;
    const struct hl7_became *today = &it->today;
    buf_fmt(b, "%lld %.*s %s %.*s: %s", (long long)it->row.number, (int)it->row.destination.n,
            it->row.destination.p, store_outbox_word(it->row.state), (int)it->row.reason.n,
            it->row.reason.p, what);
    if (before->maps.n) {
        buf_fmt(b, "; before maps %.*s %s %.*s", (int)before->maps.n, before->maps.p, it->form,
                (int)before->digest.n, before->digest.p);
    }
    if (today->maps.n) {
        buf_fmt(b, "; today maps %.*s %s %.*s", (int)today->maps.n, today->maps.p, it->form,
                (int)today->digest.n, today->digest.p);
    }
    if (before->digest.n && today->digest.n) {
        buf_z(b, hl7_stored_changed(it) ? ", changed" : ", the same");
    }
}

/* A line about @it. */
static int say(struct replay *replay, const struct hl7_stored *it, const char *what,
               bool opened)
{
    struct buf b = heap_buf(LINE_MAX_BYTES);
    if (replay->json) {
        struct json_writer w = json_writer(&b);
        json_object(&w, NULL);
        json_i64(&w, "number", it->row.number);
        json_string(&w, "destination", it->row.destination);
        json_z(&w, "state", store_outbox_word(it->row.state));
        json_string(&w, "reason", it->row.reason);
        json_bool(&w, "opened", opened);
        json_z(&w, "said", what);
        put_became(&w, "before", &it->before);
        put_became(&w, "today", &it->today);
        json_bool(&w, "changed", hl7_stored_changed(it));
        json_end(&w);
    } else {
        put_text(&b, it, what);
    }
    buf_c(&b, '\n');
    int code = cli_print(replay->session, &b);
    heap_buf_free(&b);
    return code;
}

static int take_opened(void *owner, const struct db_rows *rows)
{
    *(bool *)owner = db_count(rows) == 1;
    return 0;
}

/* Record it, then open the row, if it is still as it was. */
static int open_row(struct replay *replay, const struct hl7_stored *it)
{
    struct cli_session *s = replay->session;
    bool opened = false;
    int code = hl7_stored_record(s, it, replay->dry ? RECORD_AUDIT_READ : RECORD_V2_REPLAY,
                                 request(replay, it));
    if (code != EX_OK || replay->dry) {
        return code == EX_OK ? say(replay, it, "would be open again", false) : code;
    }
    struct cli_answer answer = { .read = take_opened, .owner = &opened };
    int r = cli_wait(
        s, store_outbox_replay(s->db, it->row.number, it->row.state, cli_on_rows, &answer),
        &answer);
    if (r < 0) {
        return cli_failed(s, "replay", r);
    }
    replay->done += opened;
    return say(replay, it,
               opened ? "open again, decided anew before it leaves"
                      : "has moved meanwhile; left as it is",
               opened);
}

static int refuse(struct replay *replay, const struct hl7_stored *it, const char *why)
{
    replay->refused++;
    return say(replay, it, why, false);
}

static int replay_one(struct replay *replay, const struct store_outbox *row)
{
    struct hl7_stored it = { .row = *row };
    if (row->state <= STORE_OUTBOX_HELD) {
        return say(replay, &it, "is on its way already", false);
    }
    if (row->state == STORE_OUTBOX_DELIVERED && !replay->delivered) {
        return refuse(replay, &it, "was delivered; --delivered sends it again");
    }
    int r = hl7_stored_open(replay->session, replay->maps, &it);
    if (r < 0) {
        return cli_failed(replay->session, "message", r);
    }
    if (it.closed) {
        return refuse(replay, &it, it.closed);
    }
    if (!it.way.route) {
        return refuse(replay, &it, it.absent);
    }
    return open_row(replay, &it);
}

/* Each in memory that is free again for the next. */
static int replay_all(struct replay *replay)
{
    struct cli_session *s = replay->session;
    struct arena *kept = s->arena;
    struct arena *each = arena_new(ARENA_FIRST);
    int code = each ? EX_OK : cli_failed(s, "replay", -ENOMEM);
    for (size_t i = 0; code == EX_OK && i < replay->count; i++) {
        arena_reset(each);
        s->arena = each;
        code = replay_one(replay, &replay->rows[i]);
        s->arena = kept;
    }
    arena_free(each);
    if (code == EX_OK && !replay->number && !replay->json) {
        (void)fprintf(stderr, "%zu found, %zu open again, %zu refused\n", replay->count,
                      replay->done, replay->refused);
    }
    return code == EX_OK && replay->number && replay->refused ? EX_NOPERM : code;
}

/* --- the command -------------------------------------------------------------------------- */

struct words {
    const char *destination;
    const char *reason;
    const char *state;
    const char *from;
    const char *to;
    const char *limit;
};

static bool read_states(const char *state, struct store_outbox_filter *out)
{
    static const enum store_outbox_state both[] = { STORE_OUTBOX_PARKED,
                                                    STORE_OUTBOX_WITHHELD };
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (!state || strcmp(state, store_outbox_word(both[i])) == 0) {
            out->states[out->state_count++] = both[i];
        }
    }
    return out->state_count > 0;
}

static bool read_limit(const char *text, int *out)
{
    char *end = NULL;
    long n = text ? strtol(text, &end, 10) : LIMIT_USUAL;
    *out = n > 0 && n <= LIMIT_MAX ? (int)n : 0;
    return *out && (!end || !*end);
}

static bool read_filter(const struct words *given, struct store_outbox_filter *out)
{
    int64_t span[2];
    if (audit_span_read("hl7 replay", given->from, given->to, span) < 0) {
        return false;
    }
    out->destination = str_z(given->destination);
    out->reason = str_z(given->reason ? given->reason : "");
    out->from = span[0];
    out->to = span[1] ? span[1] : INT64_MAX / 2000;
    return read_states(given->state, out) && read_limit(given->limit, &out->limit);
}

/* Either a number, or a destination with what narrows it. */
static bool understand(struct replay *replay, const struct cli_words *words,
                       const struct words *given)
{
    char *end = NULL;
    bool narrowed = given->reason || given->state || given->from || given->to || given->limit;
    if (replay->why && (strlen(replay->why) > WHY_MAX || !utf8_valid(str_z(replay->why)))) {
        (void)fprintf(stderr, "chartseal hl7 replay: --why has at most %d bytes of UTF-8\n",
                      WHY_MAX);
        return false;
    }
    if (words->n == 1 && !given->destination && !narrowed) {
        replay->number = strtoll(words->p[0], &end, 10);
        return replay->number > 0 && !*end;
    }
    return words->n == 0 && given->destination && !replay->delivered &&
           read_filter(given, &replay->filter);
}

int cli_hl7_replay(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_session session = { 0 };
    struct replay replay = { .session = &session };
    struct words given = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--why", .value = &replay.why },
        { .name = "--dry-run", .flag = &replay.dry },
        { .name = "--delivered", .flag = &replay.delivered },
        { .name = "--json", .flag = &replay.json },
        { .name = "--destination", .value = &given.destination },
        { .name = "--state", .value = &given.state },
        { .name = "--reason", .value = &given.reason },
        { .name = "--from", .value = &given.from },
        { .name = "--to", .value = &given.to },
        { .name = "--limit", .value = &given.limit },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 ||
        !understand(&replay, &words, &given)) {
        return cli_usage(
            "hl7 replay NUMBER --config FILE [--why TEXT] [--delivered] [--dry-run]"
            " [--json] | hl7 replay --destination NAME [--state parked|withheld]"
            " [--reason WORD] [--from TIME] [--to TIME] [--limit N] --config FILE"
            " [--why TEXT] [--dry-run] [--json]");
    }
    int code = cli_begin("hl7 replay", file, &session);
    code = code == EX_OK ? cli_unlock(&session) : code;
    code = code == EX_OK ? hl7_stored_maps(&session, &replay.maps) : code;
    code = code == EX_OK ? find(&replay) : code;
    code = code == EX_OK ? replay_all(&replay) : code;
    maps_free(replay.maps);
    cli_end(&session);
    return code;
}
