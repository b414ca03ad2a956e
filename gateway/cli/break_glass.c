/*
 * chartseal break-glass list: who broke the glass and wasn't reviewed yet, newest first.
 *
 * Ids, words and times alone: whom it was about and who did it is sealed, and shown by
 * break-glass show, which is recorded.
 */
#include "gateway/cli/break_glass.h"

#include "fhir/format/json_write.h"
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
    LIMIT_USUAL = 100,
    OUTPUT_MAX = 16 << 20,
};

struct list {
    bool json;
    int64_t now;
    struct buf out; /* owned */
};

struct str break_glass_review_word(const struct store_glass *glass, int64_t now)
{
    return glass->reviewed           ? glass->outcome
           : glass->review_by <= now ? STR("overdue")
                                     : STR("outstanding");
}

static void put_time(struct json_writer *w, const char *name, int64_t ms)
{
    char memory[CLOCK_UTC_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    if (ms) {
        clock_utc_put(&text, ms);
        json_string(w, name, buf_str(&text));
    }
}

void break_glass_json(struct buf *out, const struct store_glass *glass, int64_t now)
{
    char id[ID_TEXT_SIZE];
    struct json_writer w = json_writer(out);
    id_text(glass->id, id);
    json_object(&w, NULL);
    json_z(&w, "id", id);
    json_string(&w, "reason", glass->reason);
    json_bool(&w, "open", glass->until > now);
    json_string(&w, "review", break_glass_review_word(glass, now));
    put_time(&w, "opened", glass->opened);
    put_time(&w, "until", glass->until);
    put_time(&w, "reviewBy", glass->review_by);
    put_time(&w, "reviewed", glass->reviewed);
    put_time(&w, "officerTold", glass->officer_told);
    put_time(&w, "patientTold", glass->patient_told);
    put_time(&w, "patientDue", glass->patient_due);
    json_end(&w);
}

static void put_line(struct list *list, const struct store_glass *glass)
{
    char id[ID_TEXT_SIZE];
    struct str word = break_glass_review_word(glass, list->now);
    id_text(glass->id, id);
    clock_utc_put(&list->out, glass->opened);
    buf_fmt(&list->out, "  %s  %-6s  %-12.*s  %-24.*s  %-3s  %-3s  ", id,
            glass->until > list->now ? "open" : "ended", (int)word.n, word.p,
            (int)glass->reason.n, glass->reason.p, glass->officer_told ? "yes" : "no",
            glass->patient_told ? "yes" : "no");
    clock_utc_put(&list->out, glass->review_by);
    buf_c(&list->out, '\n');
}

static int put_rows(void *owner, const struct db_rows *rows)
{
    struct list *list = owner;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_glass glass;
        store_glass_row(rows, i, &glass);
        if (list->json) {
            break_glass_json(&list->out, &glass, list->now);
            buf_c(&list->out, '\n');
        } else {
            put_line(list, &glass);
        }
    }
    return 0;
}

static int show(struct cli_session *s, struct list *list,
                const struct store_glass_filter *filter)
{
    struct cli_answer answer = { .read = put_rows, .owner = list };
    if (!list->json) {
        buf_fmt(&list->out, "%-24s  %-36s  %-6s  %-12s  %-24s  %-3s  %-3s  %s\n", "OPENED",
                "ID", "IS", "REVIEW", "REASON", "OFF", "PAT", "REVIEW BY");
    }
    int r = cli_wait(s, store_glass_list(s->db, filter, cli_on_rows, &answer), &answer);
    return r < 0 ? cli_failed(s, "broken glasses", r) : cli_print(s, &list->out);
}

int cli_break_glass_list(int argc, char **argv)
{
    const char *file = NULL;
    const char *from = NULL;
    const char *to = NULL;
    const char *limit = NULL;
    bool all = false;
    bool overdue = false;
    int64_t span[2] = { 0 };
    struct cli_session session = { 0 };
    struct list list = { .now = clock_utc_ms(), .out = heap_buf(OUTPUT_MAX) };
    struct store_glass_filter filter = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },    { .name = "--all", .flag = &all },
        { .name = "--overdue", .flag = &overdue }, { .name = "--from", .value = &from },
        { .name = "--to", .value = &to },          { .name = "--limit", .value = &limit },
        { .name = "--json", .flag = &list.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 ||
        (all && overdue) ||
        cli_limit("break-glass list", limit, LIMIT_USUAL, &filter.limit) < 0 ||
        audit_span_read("break-glass list", from, to, span) < 0) {
        return cli_usage("break-glass list --config FILE [--all|--overdue] [--from TIME]"
                         " [--to TIME] [--limit N] [--json]");
    }
    filter.unreviewed = !all;
    filter.overdue_at = overdue ? list.now : 0;
    filter.from = span[0];
    filter.to = span[1];
    int code = cli_begin("break-glass list", file, &session);
    code = code == EX_OK ? show(&session, &list, &filter) : code;
    heap_buf_free(&list.out);
    cli_end(&session);
    return code;
}

/* --- one ---------------------------------------------------------------------------------- */

int break_glass_keep(struct cli_session *s, struct store_glass *glass)
{
    glass->reason = arena_str(s->arena, glass->reason);
    glass->outcome = arena_str(s->arena, glass->outcome);
    return glass->reason.p && glass->outcome.p ? 0 : -ENOMEM;
}

struct find {
    struct cli_session *session;
    struct store_glass *out;
};

static int take_one(void *owner, const struct db_rows *rows)
{
    const struct find *find = owner;
    if (db_count(rows) == 0) {
        return -ENOENT;
    }
    store_glass_row(rows, 0, find->out);
    return break_glass_keep(find->session, find->out);
}

int break_glass_find(struct cli_session *s, const char *text, struct store_glass *out)
{
    uint8_t id[16];
    struct find find = { s, out };
    struct cli_answer answer = { .read = take_one, .owner = &find };
    if (audit_id_read(text, id) < 0) {
        return cli_complain(s, EX_USAGE, "an id has 32 hexadecimal digits");
    }
    const struct store_glass_filter filter = { .id = id, .limit = 1 };
    int r = cli_wait(s, store_glass_list(s->db, &filter, cli_on_rows, &answer), &answer);
    if (r == -ENOENT) {
        return cli_complain(s, EX_NOINPUT, "no glass was broken under that id");
    }
    return r < 0 ? cli_failed(s, "broken glass", r) : EX_OK;
}
